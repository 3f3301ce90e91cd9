"""The clients as a process: what they place, where they go, what they write down, and that they end."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from resilience_cli import traffic
from resilience_cli.model.traffic import (
    ClientPlace,
    ClientPlan,
    Closed,
    Connected,
    Resolved,
    Serving,
    TrafficLog,
    Unresolved,
)
from resilience_cli.sandbox.application import Pace
from resilience_cli.sandbox.client_log import read_log
from resilience_cli.sandbox.client_process import Clients
from resilience_cli.sandbox.moving import MovingApplication
from resilience_cli.sandbox.orders import World, build
from resilience_cli.sandbox.orders_resources import DYNAMODB
from resilience_cli.sandbox.regional_service import RegionalService
from resilience_cli.sandbox.service import Call

WEST, EAST = "us-west-2", "us-east-1"
REGIONS = {"127.0.2.1": WEST, "127.0.1.1": EAST}
PLACES = (
    ClientPlace(name="near-west", subnet="198.51.100.0/24", rate=30),
    ClientPlace(name="near-east", subnet="203.0.113.0/24", rate=20),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    pace = Pace(ttl=1, alarm_s=1, canary_age_s=5, detection_s=0.9)
    world = build(tmp_path_factory.mktemp("moving"), propagation=0.1, moving=True, pace=pace)
    world.start()
    yield world
    world.stop()


@pytest.fixture(autouse=True)
def _sound(world: World) -> Iterator[None]:
    """Every test begins with both Regions healthy, and makes them so again."""
    checks = [*world.routing.endpoint_checks.values()]
    assert soon(lambda: all(world.checks.healthy(check) for check in checks))
    yield
    if any(found.serving != Serving() for found in services(world).values()):
        everywhere(world)


def services(world: World) -> Mapping[str, RegionalService]:
    assert isinstance(world.application, MovingApplication)
    return world.application.services


def everywhere(world: World, **serving: Any) -> None:
    for region in services(world):
        world.application.behave(region, Serving(**serving))


def plan(world: World, label: str, name: str = "api.example.com", **changed: Any) -> ClientPlan:
    settings = {"seconds": 1.5, "timeout": 0.5, "keep_alive": 5.0, "places": PLACES, "label": label} | changed
    return ClientPlan(url=f"http://{name}:{world.endpoints[WEST].port}", resolver=world.dns, **settings)


@contextmanager
def running(given: ClientPlan, directory: Path) -> Iterator[Clients]:
    clients = Clients(given, directory)
    clients.start()
    try:
        yield clients
    finally:
        clients.stop()


def run(given: ClientPlan, directory: Path) -> TrafficLog:
    with running(given, directory) as clients:
        assert clients.wait()
        return clients.read()


def resolved(log: TrafficLog, place: str) -> list[Resolved]:
    return [event for event in log.resolutions if isinstance(event, Resolved) and event.place == place]


def soon(holds: Callable[[], bool], within: float = 5.0) -> bool:
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def stored(world: World, order: str) -> dict[str, Any]:
    params = {"TableName": "Orders", "Key": {"id": {"S": order}}, "ConsistentRead": True}
    with world.sandbox.lock:
        answer = world.sandbox.moto.ask(Call("dynamodb", "GetItem", WEST, "test", params), DYNAMODB)
    item: dict[str, Any] = answer.get("Item", {})
    return item


def test_every_order_is_placed_once_at_its_time_acknowledged_and_in_the_table(world: World, tmp_path: Path) -> None:
    log = run(plan(world, "all"), tmp_path)
    assert Counter(request.place for request in log.requests) == {"near-west": 45, "near-east": 30}
    assert traffic.failures(log) == 0
    assert log.is_whole
    assert len({request.order for request in log.requests}) == 75
    assert {(request.status, request.region, request.address) for request in log.requests} == {(201, WEST, "127.0.2.1")}
    assert all(stored(world, request.order)["id"] == {"S": request.order} for request in log.requests[::10])
    starts = [request.mono for request in log.requests if request.place == "near-west"]
    due = [starts[0] + step / 30 for step in range(45)]
    assert sorted(abs(at - when) for at, when in zip(starts, due, strict=True))[40] < 0.25


def test_both_clocks_are_told_and_durations_fit_the_machines_monotonic_clock(world: World, tmp_path: Path) -> None:
    before, wall = time.monotonic(), time.time()
    log = run(plan(world, "clocks", seconds=0.3), tmp_path)
    assert all(before <= request.mono <= request.mono + request.took <= time.monotonic() for request in log.requests)
    assert all(wall - 1 <= request.at <= time.time() + 1 for request in log.requests)


def test_a_places_cache_asks_again_when_the_ttl_is_over_and_not_before(world: World, tmp_path: Path) -> None:
    log = run(plan(world, "ttl", seconds=2.5, keep_alive=0.0), tmp_path)
    for place in log.places:
        answers = resolved(log, place)
        assert 2 <= len(answers) <= 3
        assert all(answer.ttl == 1.0 for answer in answers)
        assert all(later.mono >= earlier.expires for earlier, later in pairwise(answers))


def test_each_place_is_answered_as_a_resolver_near_it(world: World, tmp_path: Path) -> None:
    log = run(plan(world, "near", name="orders.example.com", seconds=0.5), tmp_path)
    went = {place: {r.region for r in log.requests if r.place == place} for place in log.places}
    assert went == {"near-west": {WEST}, "near-east": {EAST}}


def test_a_connection_is_kept_for_its_time_and_no_longer(world: World, tmp_path: Path) -> None:
    log = run(plan(world, "kept", seconds=2.2, keep_alive=0.5), tmp_path)
    opened = {event.connection: event.mono for event in log.connections if isinstance(event, Connected)}
    closed = {event.connection: event for event in log.connections if isinstance(event, Closed)}
    assert opened.keys() == closed.keys()
    assert 6 <= len(opened) < len(log.requests) / 3
    assert {event.why for event in closed.values()} == {"age", "end"}
    assert all(event.mono - opened[number] < 2.0 for number, event in closed.items())


def test_without_keeping_connections_each_order_has_its_own(world: World, tmp_path: Path) -> None:
    log = run(plan(world, "single", seconds=0.5, keep_alive=0.0), tmp_path)
    assert sum(isinstance(event, Connected) for event in log.connections) == len(log.requests)


def test_orders_go_on_being_placed_at_their_times_while_none_is_answered(world: World, tmp_path: Path) -> None:
    everywhere(world, silent=True)
    log = run(plan(world, "hole", seconds=1.0), tmp_path)
    assert {(request.status, request.error) for request in log.requests} == {(0, "timeout")}
    assert len(log.requests) == 50
    assert all(0.45 < request.took < 1.5 for request in log.requests)


def test_a_closed_port_is_told_from_silence_and_from_a_refusal(world: World, tmp_path: Path) -> None:
    everywhere(world, port="closed")
    closed = run(plan(world, "closed", seconds=0.3), tmp_path)
    everywhere(world, failing=1.0)
    failing = run(plan(world, "failing", seconds=0.3), tmp_path)
    assert {(request.status, request.error) for request in closed.requests} == {(0, "refused")}
    assert {(request.status, request.error) for request in failing.requests} == {(503, "HTTP 503")}


def test_a_name_that_is_not_there_is_a_failed_order_and_is_said_so(world: World, tmp_path: Path) -> None:
    log = run(plan(world, "nowhere", name="none.example.com", seconds=0.3), tmp_path)
    assert all(request.error.startswith("dns: NXDOMAIN") and request.address == "" for request in log.requests)
    assert any(isinstance(event, Unresolved) for event in log.resolutions)


def test_a_silent_name_server_costs_no_more_than_the_timeout(world: World, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        resolver = f"127.0.0.1:{silent.getsockname()[1]}"
        given = plan(world, "mute", seconds=0.3).model_copy(update={"resolver": resolver})
        log = run(given, tmp_path)
    assert {request.error for request in log.requests} == {"timeout"}
    assert all(request.took < 1.5 for request in log.requests)


def test_the_count_ends_them_before_their_time(world: World, tmp_path: Path) -> None:
    start = time.monotonic()
    log = run(plan(world, "few", seconds=60, count=5), tmp_path)
    assert len(log.requests) == 10
    assert time.monotonic() - start < 10


def test_equal_seeds_place_equal_orders(world: World, tmp_path: Path) -> None:
    def placed(label: str, seed: int) -> list[dict[str, Any]]:
        log = run(plan(world, label, seconds=10, count=4, seed=seed), tmp_path)
        items = [stored(world, order) for order in sorted(request.order for request in log.requests)]
        return [{name: item[name] for name in ("customer", "product", "quantity")} for item in items]

    first = placed("seed-a", 7)
    assert first == placed("seed-b", 7)
    assert first != placed("seed-c", 8)


def test_told_to_end_they_end_in_order_with_a_whole_log(world: World, tmp_path: Path) -> None:
    with running(plan(world, "ended", seconds=60), tmp_path) as clients:
        assert soon(lambda: clients.log.exists() and len(clients.read().requests) > 5)
        assert clients.pid is not None
        os.kill(clients.pid, signal.SIGTERM)
        assert soon(lambda: clients.read().is_whole)
    log = clients.read()
    assert traffic.failures(log) == 0
    assert len(log.requests) < 300


def test_a_log_cut_short_is_read_as_far_as_it_goes(world: World, tmp_path: Path) -> None:
    given = plan(world, "torn", seconds=0.3)
    whole = run(given, tmp_path)
    text = (tmp_path / "clients.jsonl").read_text()
    (tmp_path / "torn.jsonl").write_text(text[:-9])
    torn = read_log(tmp_path / "torn.jsonl")
    assert not torn.is_whole
    assert torn.requests == whole.requests
    assert torn.plan == given


def test_clients_die_with_the_process_that_started_them(world: World, tmp_path: Path) -> None:
    given = plan(world, "orphans", seconds=60).model_dump_json()
    parent = (
        "import time; from pathlib import Path\n"
        "from resilience_cli.model.traffic import ClientPlan\n"
        "from resilience_cli.sandbox.client_process import Clients\n"
        f"clients = Clients(ClientPlan.model_validate_json({given!r}), Path({str(tmp_path)!r}))\n"
        "clients.start(); print(clients.pid, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
    assert soon(lambda: has_ended(pid))
    assert read_log(tmp_path / "clients.jsonl").is_whole


def has_ended(pid: int) -> bool:
    """Gone, or a zombie that whoever adopted it has not looked at yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_clients_follow_the_answers_when_a_region_is_lost_and_the_log_tells_how_long_it_took(
    world: World, tmp_path: Path
) -> None:
    with running(plan(world, "moved", seconds=7, keep_alive=0.5), tmp_path) as clients:
        time.sleep(1.0)
        lost_at = time.monotonic()
        world.application.behave(WEST, Serving(silent=True))
        assert clients.wait()
        log = clients.read()
    outages = traffic.outages(log)
    assert {outage.place for outage in outages} == {"near-west", "near-east"}
    assert all(outage.seconds is not None and outage.seconds > 0.5 for outage in outages)
    rto = traffic.rto(log, lost_at)
    assert rto is not None
    assert rto >= max(outage.seconds or 0 for outage in outages) - 0.1
    seconds = traffic.shares(log, REGIONS)
    assert seconds[0].shares == {WEST: 1.0}
    assert seconds[-1].shares == {EAST: 1.0}
    changed = min(r.mono for place in log.places for r in resolved(log, place) if r.addresses == ("127.0.1.1",)) - 0.3
    floor = traffic.floor(log, changed, 0.1)
    assert floor.ttl_left_s <= 1.0
    assert floor.total_s <= rto + 0.1
