"""One reference world for all end-to-end tests, put back after each, and ended before another one begins."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from resilience_cli.sandbox.orders import World, build

from .scene import Scene, make_clients, photograph


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A process holds one world at a time: moto's state is the process's."""
    world = build(tmp_path_factory.mktemp("orders"), propagation=0.2, wait_period_ms=0)
    world.start()
    yield world
    world.stop()


@pytest.fixture(scope="package")
def _clients(world: World) -> Iterator[dict[str, Any]]:
    clients = make_clients(world)
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture(scope="package")
def _put_back(world: World) -> Callable[[], None]:
    return photograph(world)


@pytest.fixture
def scene(world: World, _clients: dict[str, Any], _put_back: Callable[[], None], tmp_path: Path) -> Iterator[Scene]:
    """The world as it was at the beginning, and a folder of one's own."""
    scene = Scene(world, tmp_path, _clients)
    scene.uses()
    yield scene
    scene.end_all()
    _put_back()
