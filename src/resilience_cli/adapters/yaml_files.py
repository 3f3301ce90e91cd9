"""resil.yaml and runbooks: read, and refused with file, line and a hint when they are not right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from ..errors import InvalidFile, Problem
from ..model.app import App
from ..model.runbook import Runbook
from .yaml_problems import problems_of
from .yaml_tree import parse

if TYPE_CHECKING:
    from ..model.scenario import Scenario

Model = TypeVar("Model", bound=BaseModel)
LARGEST = 1_000_000  # bytes; a config is a few kilobytes


def load_app(path: Path) -> App:
    """The app in ``path``. Raises InvalidFile with every problem found."""
    return _load(path, App)


def load_runbook(path: Path) -> Runbook:
    """The runbook in ``path``. Raises InvalidFile with every problem found."""
    return _load(path, Runbook)


def load_scenario(path: Path) -> Scenario:
    """The drill scenario in ``path``. Raises InvalidFile with every problem found."""
    from ..model.scenario import Scenario

    return _load(path, Scenario)


def _load(path: Path, model: type[Model]) -> Model:
    document = parse(str(path), _text(path))
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise InvalidFile(problems_of(error, document, model)) from error


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise _whole(path, "there is no such file", "name another with --config, or set RESIL_CONFIG") from error
    except IsADirectoryError as error:
        raise _whole(path, "is a folder, not a file") from error
    except OSError as error:
        raise _whole(path, f"cannot be read: {error.strerror}") from error
    if len(raw) > LARGEST:
        raise _whole(path, f"is larger than {LARGEST:,} bytes; no config is")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InvalidFile((Problem(str(path), line, "is not UTF-8 text", "save it as UTF-8"),)) from error


def _whole(path: Path, message: str, hint: str = "") -> InvalidFile:
    return InvalidFile((Problem(str(path), None, message, hint),))
