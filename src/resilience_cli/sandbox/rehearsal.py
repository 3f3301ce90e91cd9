"""One drill from end to end: a world with clients in it, a timeline, the commands as an operator types them.

Nothing the commands say is believed: the name server is asked from a client subnet near each Region, the sandbox's
call log tells what was written, and what clients felt is read from their own log.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from ..adapters.journal_file import FileJournal
from ..adapters.yaml_files import load_app
from ..journal import fold
from ..loopback import LOOPBACK_ONLY
from ..model.app import App
from ..model.drill import Asked, CommandRun, DrillEvent, DrillResult, Note
from ..model.ledger import Ledger
from ..model.run import Entry
from ..model.scenario import Command, Scenario
from ..model.traffic import ClientPlace, ClientPlan
from ..scoring import Evidence, score
from ..traffic import STEADY_S
from .client_process import Clients
from .eyes import Eyes
from .faults.names import check
from .staging import WATCHING_PACE, Staged, stage
from .timeline import Timeline, told
from .twin import Own, stage_twin

COMMAND_TIMEOUT_S = 600.0
LONGEST_S = 900.0
REPLICATION_S = 4.0
MARGIN_S = 0.5


def rehearse(
    scenario: Scenario, runbooks: Mapping[str, Path], seed: int = 0, app: App | None = None
) -> Iterator[DrillEvent | DrillResult]:
    """Events as they happen, the DrillResult last. Equal seeds give equal fault timelines and equal orders.

    ``runbooks`` by verb. ``app``: a user's own, rehearsed in its twin; else the reference application.
    Raises UsageError for a scenario that the app cannot play, or whose faults name what there is not.
    """
    for fault in scenario.faults:
        check(fault)
    with tempfile.TemporaryDirectory(prefix="resil-drill-") as name, ExitStack() as undo:
        folder = Path(name)
        staged = stage(scenario, folder, runbooks) if app is None else stage_twin(scenario, Own(app, runbooks), folder)
        undo.callback(staged.world.stop)
        staged.world.faults.seed = seed
        staged.world.start()
        drill = _Drill(staged, folder, seed)
        undo.callback(drill.stop)
        yield from drill.events()
        yield drill.result()


class _Drill:
    """One drill going on; keeps what it saw."""

    def __init__(self, staged: Staged, folder: Path, seed: int) -> None:
        self.scenario, self.world, self.config, self.name, self.notes, self.look = staged
        self.folder, self.places, self.layout = folder, staged.places, self.world.layout
        self.exports = self.world.exports()
        self.eyes = Eyes(self.exports["RESIL_DNS"], self.name, self.places, self.layout.addresses)
        self.clients = Clients(self._client_plan(seed), folder)
        self.timeline = Timeline(self.scenario, self.world)
        self.zero = 0.0
        self.seen: list[DrillEvent] = []

    def events(self) -> Iterator[DrillEvent]:
        for event in self._story():
            self.seen.append(event)
            yield event

    def _story(self) -> Iterator[DrillEvent]:
        yield Note(text=f"{self.scenario.name}: {self.scenario.title}")
        yield from (Note(text=text) for text in self.notes)
        yield Note(text=f"the runbooks' watching times run at {WATCHING_PACE:g} of their length")
        self.clients.start()
        self.zero = time.monotonic()
        self.timeline.start(self.zero)
        yield self._ask("at first")
        for command in self.scenario.commands:
            time.sleep(max(0.0, self.zero + command.at - time.monotonic()))
            yield self._run(command)
            if command.run[0] != "status":
                yield self._ask(f"after {command.run[0]}")
        time.sleep(max(self.scenario.settle, self._steady_by() - time.monotonic()))
        yield self._ask("in the end")
        self.clients.stop()
        self._let_replicate()

    def _steady_by(self) -> float:
        """When (monotonic) the last client has let go of the last change's old answer, and then a steady second is
        over: sooner there is no recovery to be measured."""
        staging = self.scenario.world
        moved = [e.typed_s + e.changed_s for e in self.seen if isinstance(e, CommandRun) and e.changed_s is not None]
        held = max(staging.ttl, staging.keep_alive)
        return self.zero + moved[-1] + held + staging.request_timeout + STEADY_S + MARGIN_S if moved else 0.0

    def _let_replicate(self) -> None:
        """What is under way arrives; what is held back by a loss that is not over stays pending."""
        self.world.control({"background": False})  # or there would be always something on its way
        end = time.monotonic() + REPLICATION_S
        while self.world.replication.under_way and time.monotonic() < end:
            time.sleep(0.1)

    def stop(self) -> None:
        self.timeline.stop()
        self.clients.stop()

    def result(self) -> DrillResult:
        self.timeline.stop()
        evidence = Evidence(
            events=tuple(self.seen),
            log=self.clients.read(),
            ledger=self._ledger(),
            runs=tuple(map(fold, self._journals())),
            faults=told(self.scenario),
            zero=self.zero,
            regions={address: region for region, address in self.layout.addresses.items()},
        )
        result = score(self.scenario, evidence)
        problems = tuple(f"the timeline failed {problem}" for problem in self.timeline.problems)
        held = {"failures": result.failures + problems, "passed": result.passed and not problems}
        return result.model_copy(update=held | {"app": self._app(), "journal": next(self._journals(), ())})

    def _client_plan(self, seed: int) -> ClientPlan:
        staging = self.scenario.world
        port = self.world.endpoints[self.layout.primary].port
        return ClientPlan(
            url=f"http://{self.name.rstrip('.')}:{port}",
            resolver=self.exports["RESIL_DNS"],
            places=tuple(ClientPlace(name=p.region, subnet=p.subnet, rate=staging.rate) for p in self.places),
            seconds=LONGEST_S,
            keep_alive=staging.keep_alive,
            timeout=staging.request_timeout,
            seed=seed,
        )

    def _ask(self, when: str) -> Asked:
        return Asked(name=self.name, when=when, answers=self.eyes.ask())

    def _run(self, command: Command) -> CommandRun:
        before = len(self._writes())
        typed = time.monotonic()
        with self.eyes.watching(self.look) as watched:
            done = subprocess.run(
                (sys.executable, "-m", "resilience_cli", *command.run),
                env=self._environment(),
                cwd=self.folder,
                capture_output=True,
                text=True,
                timeout=COMMAND_TIMEOUT_S,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        return CommandRun(
            argv=("resil", *command.run),
            exit_code=done.returncode,
            stdout=done.stdout,
            stderr=done.stderr,
            seconds=round(time.monotonic() - typed, 2),
            writes=tuple(self._writes()[before:]),
            typed_s=round(typed - self.zero, 3),
            changed_s=None if watched.changed is None else round(watched.changed - typed, 3),
        )

    def _writes(self) -> list[str]:
        """Mutating calls of the commands: the application's own (orders, metrics) are made under other keys."""
        key = self.exports["AWS_ACCESS_KEY_ID"]
        calls = self.world.sandbox.calls.entries(writes_only=True)
        return [f"{call.service} {call.operation}" for call in calls if call.caller == key]

    def _environment(self) -> dict[str, str]:
        """The caller's environment without anything of AWS's or resil's, and the sandbox's in its place.

        No profile is read and no proxy asked, and a connection that leaves this machine is refused. Its screens are
        as wide as the caller's, where they are shown.
        """
        kept = {key: value for key, value in os.environ.items() if not _is_foreign(key)}
        kept |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, LOOPBACK_ONLY: "1"}
        config = {"RESIL_CONFIG": str(self.config), "RESIL_POLL_S": "0.2"}
        width = str(shutil.get_terminal_size((80, 24)).columns)
        return {**kept, **self.exports, **config, "AWS_EC2_METADATA_DISABLED": "true", "COLUMNS": width}

    def _ledger(self) -> Ledger:
        with self.world.sandbox.lock:
            extract = self.world.replication.extract("Orders")
        return Ledger.model_validate(extract.as_json())

    def _app(self) -> App:
        return load_app(self.config)

    def _journals(self) -> Iterator[tuple[Entry, ...]]:
        app = self._app()
        kept = FileJournal(self.folder / (app.state.path or "") / app.account, app.app)
        return (tuple(kept.entries(run)) for run in kept.runs())


def _is_foreign(variable: str) -> bool:
    return variable.startswith(("AWS_", "RESIL_", "BOTO_")) or variable.lower().endswith("_proxy")
