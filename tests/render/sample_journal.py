"""A run's journal built by hand: an exercise that left a failing Region, with everything a report can show."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from resilience_cli.journal import fold
from resilience_cli.model.app import Objectives
from resilience_cli.model.effects import Receipt, WeightsEffect
from resilience_cli.model.facts import Answer, Topic, Unread
from resilience_cli.model.plan import Finding, GuardName, Intent, Mode, Override, Plan, PlannedStep, Says
from resilience_cli.model.readings import Level, Reading, SignalKind
from resilience_cli.model.report import Clients, Command, Fault, Moment, OutageTold
from resilience_cli.model.run import (
    EXIT_CODES,
    Approved,
    Closed,
    Confirmed,
    Entry,
    Finished,
    Noted,
    Outcome,
    Performed,
    Performing,
    Planned,
    Run,
    Started,
)
from resilience_cli.model.runbook import Bake, Check, ShiftTraffic, Verify
from resilience_cli.render.report import Source

from .sample import AT, EAST, VERDICTS, WEST, record

RUN = "20260730T030003Z-failover-1f2e"
REGIONS = {WEST: WEST, EAST: EAST}
HOSTILE = "<script>alert(1)</script> & \u202egnp.exe"


def explain(run: Run) -> tuple[int, str]:
    return EXIT_CODES.get(run.outcome, 130), f"resil runs resume {run.run}"


def source(entries: Sequence[Entry], **more: object) -> Source:
    fields: dict[str, object] = {
        "run": RUN,
        "app": "orders",
        "entries": entries,
        "explain": explain,
        "objectives": Objectives(rto=300.0, rpo=5.0),
        "regions": REGIONS,
        "serving": (WEST, EAST),
    }
    make: Callable[..., Source] = Source
    return make(**(fields | more))


def _weights(before: int, after: int) -> WeightsEffect:
    """Of 100, what the west has before and after."""
    return WeightsEffect(
        zone_id="Z1",
        zone_name="example.com.",
        before=(record(WEST, before), record(EAST, 100 - before)),
        after=(record(WEST, after), record(EAST, 100 - after)),
    )


def plan(reason: str = "the pager rang twice; lag is known") -> Plan:
    shift = ShiftTraffic(id="shift", step="shift-traffic")
    return Plan(
        app="orders",
        intent=Intent(
            verb="failover",
            to=EAST,
            exercise=True,
            overrides=(Override(guard=GuardName.REPLICATION, reason=reason),),
        ),
        mode=Mode.EMERGENCY,
        source=(WEST,),
        target=(EAST,),
        verdicts=VERDICTS,
        observed_at=AT + timedelta(seconds=2.4),
        data_at_risk="writes of about the last 1.2 s in us-west-2 (worst: Orders)",
        steps=(
            PlannedStep(
                id="target-fit",
                kind="check",
                why="the Region that is to take the traffic must not be failing itself",
                spec=Check(id="target-fit", step="check"),
            ),
            PlannedStep(
                id="shift-half",
                kind="shift-traffic",
                why="weights: the first usable lever of this route",
                spec=shift,
                effects=(_weights(100, 50),),
                lever="weights",
                plane="control",
                undo="resil failback",
            ),
            PlannedStep(
                id="shift",
                kind="shift-traffic",
                why="the rest",
                spec=shift,
                effects=(_weights(50, 0),),
                lever="weights",
                plane="control",
                undo="resil failback",
            ),
            PlannedStep(
                id="verify",
                kind="verify",
                why="the name server must answer with the target",
                spec=Verify(id="verify", step="verify"),
            ),
            PlannedStep(
                id="bake",
                kind="bake",
                why="see the target carry the traffic",
                spec=Bake.model_validate({"id": "bake", "step": "bake", "for": 30}),
            ),
        ),
        guards=(
            Finding(name=GuardName.ACCOUNT, says=Says.YES, why="the caller's account is 123456789012"),
            Finding(name=GuardName.TTL, says=Says.WARNS, why="a TTL of 120 s", cure="lower it a day before"),
            Finding(
                name=GuardName.REPLICATION,
                says=Says.OVERRIDDEN,
                why="Orders lags 9.0 s, over the 5 s that max_lag allows",
                cure="wait until the lag is under 5 s",
            ),
        ),
    )


def readings() -> tuple[Reading, ...]:
    def reading(kind: SignalKind, level: Level, evidence: str, **more: object) -> Reading:
        base = {"kind": kind, "level": level, "evidence": evidence, "region": WEST, "seen_from": "us-east-2"}
        return Reading.model_validate(base | {"subject": "orders", "age_s": 42.0} | more)

    return (
        reading(
            SignalKind.CANARY, Level.BAD, "FAILED: 503 from the endpoint, 3 runs in a row", subject="orders-w-usw2"
        ),
        reading(SignalKind.ENDPOINT, Level.BAD, "no answer in 3 s", seen_from="here", subject="api-west.example.com"),
        reading(SignalKind.ALARM, Level.UNKNOWN, "no answer in 10 s", seen_from=WEST, subject="orders-5xx", age_s=None),
        reading(
            SignalKind.HEALTH_EVENTS, Level.UNKNOWN, "no support plan", counts=False, flag="needs Business support"
        ),
        reading(SignalKind.REPLICATION, Level.OK, "ReplicationLatency 1.2 s", subject="Orders", lag_s=1.2),
        reading(SignalKind.CANARY, Level.OK, "PASSED", region=EAST, seen_from=EAST, subject="orders-use1"),
        reading(SignalKind.ENDPOINT, Level.OK, "200 in 41 ms", region=EAST, seen_from="here", subject="api-east"),
    )


ANSWERS = (
    Answer(
        name="api.example.com.",
        type="A",
        near=WEST,
        server="ns-1.example.net",
        addresses=("192.0.2.1",),
        region=WEST,
        ttl=60,
    ),
    Answer(
        name="api.example.com.", type="A", near=None, server="ns-1.example.net", addresses=("192.0.2.9",), region=None
    ),
)
UNREAD = (
    Unread(topic=Topic.SIGNALS, subject="alarms of orders-*", region=WEST, why="no answer in 10 s", hanging=True),
)


class Writer:
    """Entries in order, each so many seconds after the command's typing."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def write(self, second: float, kind: Callable[..., Entry], **fields: object) -> None:
        entry = kind(seq=len(self.entries) + 1, at=AT + timedelta(seconds=second), **fields)
        self.entries.append(entry)


def journal(reason: str = "the pager rang twice; lag is known", **planned: object) -> list[Entry]:
    """The whole run: half of the traffic, then the rest, verified, watched, closed."""
    told = Writer()
    chosen = plan(reason)
    who = {"run": RUN, "caller": "kim", "host": "ops-7", "typed_at": AT, "decided_at": chosen.observed_at}
    evidence = {"readings": readings(), "answers": ANSWERS, "unread": UNREAD}
    told.write(9.1, Planned, plan=chosen, digest=chosen.digest, **(who | evidence | planned))
    told.write(9.2, Approved, how="typed")
    told.write(9.3, Started, step="target-fit")
    told.write(10.0, Finished, step="target-fit", evidence="us-east-1 healthy")
    _shift(told, "shift-half", 10.1, "1d0e3a52-7c1b-4e0f-9f65-0c8c6f1a2b3c")
    told.write(17.0, Noted, step="shift-half", text="PENDING after 6 s; Route 53 answers INSYNC within 60 s as a rule")
    told.write(18.2, Finished, step="shift-half", evidence="1 change(s) confirmed")
    _shift(told, "shift", 18.4, "5b6f0c11-93f1-4d7e-8a68-6f2f6f7f1a90")
    told.write(26.2, Finished, step="shift", evidence="1 change(s) confirmed")
    told.write(26.3, Started, step="verify")
    told.write(28.9, Finished, step="verify", evidence="api.example.com asked from anywhere answers us-east-1")
    told.write(29.0, Started, step="bake")
    told.write(59.0, Finished, step="bake", evidence="us-east-1 healthy at the last of 4 looks over 30 s")
    told.write(59.1, Closed, outcome=Outcome.DONE, why="done and verified")
    return sorted_by_seq(told.entries)


def sorted_by_seq(entries: Sequence[Entry]) -> list[Entry]:
    assert fold(entries).last_seq == len(entries), "a journal counts without gaps"
    return list(entries)


def _shift(told: Writer, step: str, second: float, request_id: str) -> None:
    receipt = Receipt(change_id="C0123456789ABC", request_id=request_id, endpoint="https://route53.amazonaws.com")
    told.write(second, Started, step=step)
    told.write(second + 0.1, Performing, step=step, effect=0)
    told.write(second + 0.5, Performed, step=step, effect=0, receipt=receipt)
    told.write(second + 7.7, Confirmed, step=step, effect=0, evidence="INSYNC and read back")


def clients() -> Clients:
    """A drill's view: a Region fails ten seconds before the command is typed."""
    east = [0.0] * 27 + [0.35, 0.6, 0.85, *([1.0] * 10)]
    failed = [0.0] * 11 + [1.0] * 16 + [0.65, 0.4, 0.15] + [0.0] * 10
    seconds = range(-20, 20)
    return Clients(
        scenario="region-black-holed",
        passed=True,
        rto_s=11.2,
        floor_s=10.4,
        ratio=1.08,
        orders={"acknowledged": 4120, "missing_at_takeover": 9, "lost": 0, "duplicated": 0},
        floor_why="5.0 s until the answer could change, 5.4 s left in the caches then, 0.0 s until connections drained",
        rpo_s=0.9,
        takeover_s=6.1,
        outages=(OutageTold(place=WEST, lasted_s=18.4, failed=371), OutageTold(place=EAST, lasted_s=None, failed=12)),
        rpo="9 acknowledged orders were missing at takeover; all of them arrived later.",
        traffic=tuple(
            Moment(second=second, shares={WEST: 1.0 - moved, EAST: moved}, failed=lost)
            for second, moved, lost in zip(seconds, east, failed, strict=True)
        ),
        faults=(Fault(what="us-west-2: every service black-holed", from_s=-9.0),),
        commands=(
            Command(line="resil failover --to us-east-1 --mode emergency --yes", exit_code=0, seconds=12.1, writes=1),
        ),
    )
