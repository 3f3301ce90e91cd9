"""One app's moment, built by hand: the values that renderers are shown."""

from datetime import UTC, datetime, timedelta

from resilience_cli.model.app import LeverKind
from resilience_cli.model.effects import CheckChange, CheckEffect, ControlChange, ControlsEffect, Receipt, WeightsEffect
from resilience_cli.model.facts import Answer, Caller, EndpointOverride, Topic, Unread
from resilience_cli.model.plan import (
    Finding,
    GuardName,
    Intent,
    Mode,
    NothingToDo,
    Override,
    Plan,
    PlannedStep,
    Refusal,
    Says,
)
from resilience_cli.model.readings import Judged, Level, Reading, SignalKind, Verdict
from resilience_cli.model.records import FORCED_UNHEALTHY, CheckSwitch, RecordSet
from resilience_cli.model.run import EffectState, Outcome, Run, StepRun, StepState, Timings
from resilience_cli.model.runbook import Bake, Check, ShiftTraffic
from resilience_cli.model.status import RegionStatus, RouteStatus, Status
from resilience_cli.render.text_run import Ending

WEST, EAST = "us-west-2", "us-east-1"
AT = datetime(2026, 7, 30, 3, 0, 5, 120_000, tzinfo=UTC)
OVERRIDES = (EndpointOverride(service="route53", url="http://127.0.0.1:4566"),)
WHY_WEST = "2 kinds of signal bad (canary, endpoint), one seen from outside"
VERDICTS = (
    Verdict(region=WEST, verdict=Judged.IMPAIRED, why=WHY_WEST, bad=2),
    Verdict(region=EAST, verdict=Judged.HEALTHY, why="2 kinds of signal ok (canary, endpoint)", ok=2),
)


def record(region: str, weight: int) -> RecordSet:
    return RecordSet(name="api.example.com.", type="A", set_identifier=region, weight=weight, ttl=60)


WEIGHTS = WeightsEffect(
    zone_id="Z1",
    zone_name="example.com.",
    before=(record(WEST, 100), record(EAST, 0)),
    after=(record(WEST, 0), record(EAST, 100)),
)
CHECK = CheckEffect(
    check=CheckChange(id="hc-west", region=WEST, version=7, before=CheckSwitch(), after=FORCED_UNHEALTHY)
)
CONTROLS = ControlsEffect(
    controls=(
        ControlChange(arn="arn:aws:r:::controlpanel/p/routingcontrol/west", region=WEST, before="On", after="Off"),
        ControlChange(arn="arn:aws:r:::controlpanel/p/routingcontrol/east", region=EAST, before="Off", after="On"),
    )
)


def status() -> Status:
    return Status(
        app="orders",
        observed_at=AT,
        caller=Caller(account="123456789012", arn="arn:aws:sts::123456789012:assumed-role/ops/kim"),
        regions=(
            RegionStatus(name=WEST, role="primary", verdict=Judged.IMPAIRED, share=1.0, why=WHY_WEST),
            RegionStatus(name=EAST, role="standby", verdict=Judged.UNKNOWN, share=None, why="no signal was read"),
        ),
        routes=(
            RouteStatus(
                name="api.example.com.",
                type="A",
                policy="weighted",
                shares={WEST: 1.0, EAST: None},
                why="us-west-2 weight 100, us-east-1 weight 0",
                at_home=None,
                lever="weights",
                lever_why="the first usable one",
            ),
        ),
        verdicts=VERDICTS,
        readings=_readings(),
        answers=(
            Answer(name="api.example.com.", type="A", near=WEST, server="ns", addresses=("192.0.2.1",), region=WEST),
            Answer(name="api.example.com.", type="A", near=None, server="ns", addresses=("192.0.2.9",), region=None),
        ),
        unread=(Unread(topic=Topic.SIGNALS, subject="alarms", region=EAST, why="no answer in 10 s", hanging=True),),
        overrides=OVERRIDES,
        data_at_risk="writes of about the last 1.2 s in us-west-2",
        at_home=None,
        recommendation="resil failover --to us-east-1",
        unfinished_run="20260730T025000Z-failover-00ff",
    )


def _readings() -> tuple[Reading, ...]:
    def reading(kind: SignalKind, level: Level, evidence: str, age_s: float | None, **more: object) -> Reading:
        base = {"subject": f"orders-{kind}", "region": WEST, "seen_from": "us-east-2", "source": "s"}
        return Reading.model_validate(
            base | {"kind": kind, "level": level, "evidence": evidence, "age_s": age_s} | more
        )

    return (
        reading(SignalKind.ALARM, Level.OK, "OK since 02:50, and more words than a line can take", 12.0),
        reading(SignalKind.CANARY, Level.BAD, "FAILED: 503 from the endpoint, three times in a row, as of now", 40.0),
        reading(SignalKind.METRIC, Level.UNKNOWN, "AccessDenied \x1b[31mred\x1b[0m", None, flag="muted", counts=False),
        reading(SignalKind.ENDPOINT, Level.OK, "200 in 4 ms", 0.2, region=EAST, seen_from="here"),
    )


def plan(proposed: bool = True) -> Plan:
    return Plan(
        app="orders",
        intent=Intent(verb="failover", to=EAST, exercise=True, overrides=(Override(guard=GuardName.TTL, reason="x"),)),
        mode=Mode.EMERGENCY,
        proposed=proposed,
        target=(EAST,),
        source=(WEST,),
        steps=_steps(),
        guards=_guards(Says.WARNS),
        verdicts=VERDICTS,
        observed_at=AT,
        data_at_risk="writes of about the last 1.2 s in us-west-2",
    )


def _steps() -> tuple[PlannedStep, ...]:
    return (
        PlannedStep(
            id="fit", kind="check", why="the target must stand", spec=Check(id="fit", step="check"), best_effort=True
        ),
        PlannedStep(
            id="shift",
            kind="shift-traffic",
            why="the first usable lever",
            spec=ShiftTraffic(id="shift", step="shift-traffic"),
            effects=(WEIGHTS, CHECK, CONTROLS),
            lever=LeverKind.WEIGHTS,
            plane="control",
            needs_regions=(EAST,),
            undo="weights back to us-west-2 100, us-east-1 0",
            expected_s=61.0,
        ),
        PlannedStep(
            id="bake",
            kind="bake",
            why="see the target carry the traffic",
            spec=Bake.model_validate({"id": "bake", "step": "bake", "for": 30}),
            skipped="an emergency does not wait",
        ),
    )


def _guards(replication: Says) -> tuple[Finding, ...]:
    return (
        Finding(name=GuardName.ACCOUNT, says=Says.YES, why="the caller is in 123456789012, as pinned"),
        Finding(
            name=GuardName.TTL, says=Says.OVERRIDDEN, why="a TTL of 300 s: clients stay that long", cure="lower it"
        ),
        Finding(
            name=GuardName.REPLICATION, says=replication, why="lag of 9 s, 100% over 5 s", cure="wait, or override"
        ),
    )


def refusal() -> Refusal:
    return Refusal(
        app="orders",
        intent=Intent(verb="failover", to=EAST, mode=Mode.PLANNED),
        mode=Mode.PLANNED,
        guards=_guards(Says.NO),
        verdicts=VERDICTS,
        observed_at=AT,
        next_command="resil failover --to us-east-1 --mode emergency",
    )


def nothing() -> NothingToDo:
    return NothingToDo(
        app="orders", intent=Intent(verb="failback"), why="every route is at home on every lever", observed_at=AT
    )


def ending() -> Ending:
    """A run that stopped half-way: one effect confirmed, one uncertain, one untouched."""
    steps = (
        StepRun(
            id="fit",
            state=StepState.FINISHED,
            started_at=AT,
            finished_at=AT + timedelta(seconds=1.5),
            evidence="us-east-1 healthy",
        ),
        StepRun(
            id="shift",
            state=StepState.FAILED,
            started_at=AT + timedelta(seconds=2),
            finished_at=AT + timedelta(seconds=92),
            evidence="no answer from UpdateHealthCheck | <b>",
            effects=(EffectState.CONFIRMED, EffectState.UNCERTAIN, EffectState.UNTOUCHED),
            receipts=(Receipt(), None, None),
        ),
        StepRun(id="bake"),
    )
    run = Run(
        run="20260730T030000Z-failover-00ff",
        plan=plan(),
        digest="ab" * 32,
        caller="kim",
        host="ops-1",
        outcome=Outcome.UNKNOWN,
        why="shift: no answer",
        started_at=AT,
        steps=steps,
        timings=Timings(detect_s=1.2, decide_s=75.0, act_s=3800.0),
        last_seq=9,
    )
    return Ending(run, 6, f"resil runs resume {run.run}")
