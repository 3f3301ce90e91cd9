"""The real commands, wiring, planner and executor over a world in memory: what a terminal would see, without AWS."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from resilience_cli import wiring
from resilience_cli.adapters.memory import MemoryWorld, RehearsalClock
from resilience_cli.cli.entry import run_main
from resilience_cli.cli.terminal import Terminal
from resilience_cli.model.facts import Caller, Facts, ZoneRecords
from resilience_cli.model.readings import Level, Reading, SignalKind
from resilience_cli.model.records import RecordSet, Zone

WEST, EAST = "us-west-2", "us-east-1"
NOW = datetime(2026, 7, 30, 3, 0, tzinfo=UTC)
CONFIG = """\
version: 1
app: orders
account: "123456789012"
regions: {primary: us-west-2, standby: [us-east-1], observer: us-east-2}
routing:
  - zone: example.com
    record: {name: api.example.com, type: A}
    policy: weighted
    endpoints:
      us-west-2: {set_identifier: west}
      us-east-1: {set_identifier: east}
    levers: [weights]
    home: {us-west-2: 100, us-east-1: 0}
signals:
  - {kind: canary, canaries: [{name: c, region: us-west-2}, {name: c, region: us-east-1}]}
  - {kind: endpoint, urls: {us-west-2: "https://west.test/", us-east-1: "https://east.test/"}}
state: {path: state}
"""


def facts(west: Level = Level.OK, east: Level = Level.OK, weights: tuple[int, int] = (100, 0)) -> Facts:
    """One look: two weighted records, and a canary and a probe for each Region."""
    return Facts(
        observed_at=NOW,
        caller=Caller(account="123456789012", arn="arn:aws:sts::123456789012:assumed-role/ops/kim"),
        zones=(
            ZoneRecords(
                zone=Zone(id="Z1", name="example.com."),
                records=tuple(map(_record, ("west", "east"), weights)),
                whole=True,
                protected=(),
            ),
        ),
        checks_whole=True,
        readings=tuple(
            _reading(region, kind, level)
            for region, level in ((WEST, west), (EAST, east))
            for kind in (SignalKind.CANARY, SignalKind.ENDPOINT)
        ),
    )


def _record(name: str, weight: int) -> RecordSet:
    return RecordSet(
        name="api.example.com.", type="A", set_identifier=name, weight=weight, ttl=60, values=(f"192.0.2.{len(name)}",)
    )


def _reading(region: str, kind: SignalKind, level: Level) -> Reading:
    words = {Level.OK: "PASSED", Level.BAD: "FAILED: 503", Level.UNKNOWN: "AccessDenied"}[level]
    vantage = "us-east-2" if kind is SignalKind.CANARY else "here"
    return Reading(
        kind=kind,
        subject="c",
        region=region,
        seen_from=vantage,
        level=level,
        evidence=words,
        age_s=40,
        source=kind + region,
    )


class Screen(io.StringIO):
    """A stream that may be a terminal, and may have lost its reader."""

    def __init__(
        self, text: str = "", *, terminal: bool = False, broken: bool = False, encoding: str = "utf-8"
    ) -> None:
        super().__init__(text)
        self._terminal, self._broken, self._encoding = terminal, broken, encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        if self._broken:
            raise BrokenPipeError
        return super().write(text)


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


class Offline:
    """wiring, except that the world is in memory and keeps what was done to it from one command to the next."""

    validate = staticmethod(wiring.validate)
    status = staticmethod(wiring.status)
    decide = staticmethod(wiring.decide)
    run = staticmethod(wiring.run)
    rehearse = staticmethod(wiring.rehearse)
    save_plan = staticmethod(wiring.save_plan)
    load_plan = staticmethod(wiring.load_plan)
    recheck = staticmethod(wiring.recheck)
    resume = staticmethod(wiring.resume)
    list_runs = staticmethod(wiring.list_runs)
    damaged_runs = staticmethod(wiring.damaged_runs)
    newest_run = staticmethod(wiring.newest_run)
    show_run = staticmethod(wiring.show_run)
    report = staticmethod(wiring.report)
    drill_report = staticmethod(wiring.drill_report)
    keep_page = staticmethod(wiring.keep_page)
    explain_exit = staticmethod(wiring.explain_exit)
    scenarios = staticmethod(wiring.scenarios)
    drill = staticmethod(wiring.drill)
    sandbox_up = staticmethod(wiring.sandbox_up)
    sandbox_down = staticmethod(wiring.sandbox_down)
    sandbox_calls = staticmethod(wiring.sandbox_calls)

    def __init__(self, folder: Path, world: MemoryWorld) -> None:
        self.folder, self.world = folder, world
        self.config = folder / "resil.yaml"
        self.config.write_text(CONFIG)
        self.opened: list[wiring.Access] = []
        self.preferred: list[tuple[str, ...]] = []

    def open_app(self, config: Path | None, access: wiring.Access, prefer: Sequence[str] = ()) -> wiring.Setup:
        self.opened.append(access)
        self.preferred.append(tuple(prefer))
        clock = RehearsalClock(NOW)
        return replace(
            wiring.open_app(config or self.config, access, prefer), clock=clock, typed_at=NOW, world=lambda: self.world
        )

    def resil(self, *arguments: str, terminal: Terminal | None = None, env: Mapping[str, str] | None = None) -> Result:
        """One command, as typed."""
        terminal = terminal or Terminal(Screen(), Screen(), Screen(), env or {})
        code = run_main(arguments, terminal, self)
        return Result(code, _text(terminal.stdout), _text(terminal.stderr))


def at_a_terminal(typed: str, env: Mapping[str, str] | None = None) -> Terminal:
    return Terminal(
        Screen(typed, terminal=True), Screen(terminal=True), Screen(terminal=True), {"NO_COLOR": "1"} | dict(env or {})
    )


def _text(stream: Any) -> str:
    return stream.getvalue() if isinstance(stream, io.StringIO) else ""
