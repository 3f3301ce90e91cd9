"""What holds for every plan, over generated Regions, weights, health checks, routing controls and signals.

The invariants are checked by an oracle of this file's own: Route 53's answering rules for flat records, written again
in a few lines. ``routing`` and ``trajectory`` are not asked whether they agree with themselves.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import cycle, permutations
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resilience_cli.adapters.memory import MemoryWorld
from resilience_cli.assess import assess
from resilience_cli.model.app import App
from resilience_cli.model.effects import CheckEffect, ControlsEffect, Effect, WeightsEffect
from resilience_cli.model.facts import Facts
from resilience_cli.model.plan import Intent, NothingToDo, Plan, Refusal
from resilience_cli.model.readings import Judged
from resilience_cli.model.records import FORCED_UNHEALTHY, RecordSet
from resilience_cli.model.runbook import Runbook
from resilience_cli.planner import plan
from resilience_cli.planner.weights import climb, moved, shares_of, weights_of
from resilience_cli.simulate import apply

from . import builders as b

ALL = (b.WEST, b.EAST, b.NORTH, "ap-south-1")
BOOKS = (b.runbook(), b.runbook(ramp=[10, 50, 100]), b.runbook(ramp=[25, 100]))
ENOUGH = 10_000


class Case(NamedTuple):
    app: App
    facts: Facts
    book: Runbook


# The oracle ---------------------------------------------------------------------------------------------------------


def is_up(record: RecordSet, facts: Facts, *, recovered: bool = False) -> bool:
    """``recovered``: every endpoint answers again, so that only what someone switched keeps a record down."""
    check = next((check for check in facts.checks if check.id == record.health_check_id), None)
    if check is None:
        return True
    if check.switch.disabled:
        return not check.switch.inverted
    if check.routing_control_arn is not None:
        return any(c.arn == check.routing_control_arn and c.state == "On" for c in facts.controls)
    return recovered or check.health.value != "unhealthy"


def routed(facts: Facts) -> list[RecordSet]:
    return [record for record in facts.zones[0].records if record.type == "A"]


def answered(facts: Facts, *, recovered: bool = False) -> set[str]:
    """The Regions that somebody, somewhere, is answered with."""
    records = routed(facts)
    fit = [record for record in records if is_up(record, facts, recovered=recovered)] or records
    if any(record.weight is not None for record in records):
        fit = [record for record in fit if record.weight] or fit
    if any(record.failover for record in records):
        fit = [record for record in fit if record.failover == "PRIMARY"] or fit
    return {record.set_identifier or "" for record in fit}


def nobody_decides(facts: Facts) -> bool:
    records = routed(facts)
    all_zero = all(record.weight == 0 for record in records)
    return all_zero or not any(is_up(record, facts, recovered=True) for record in records)


def at_home(app: App, facts: Facts) -> bool:
    home = app.routing[0].home
    switched = any(c.switch == FORCED_UNHEALTHY for c in facts.checks) or any(c.state == "Off" for c in facts.controls)
    if not isinstance(home, dict):
        return not switched
    weights = {record.set_identifier: record.weight or 0 for record in routed(facts)}
    total = sum(weights.values())
    return not switched and total > 0 and all(Fraction(weights[r], total) == Fraction(home[r], 100) for r in home)


# The worlds ---------------------------------------------------------------------------------------------------------


def shares(regions: Sequence[str], draw: Any) -> dict[str, int]:
    cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=len(regions) - 1, max_size=len(regions) - 1)))
    return {r: end - start for r, start, end in zip(regions, [0, *cuts], [*cuts, 100], strict=True)}


@st.composite
def cases(draw: Any) -> Case:
    regions = ALL[: draw(st.sampled_from([2, 2, 2, 3, 3, 4]))]
    policy = draw(st.sampled_from(["weighted", "weighted", "latency", "failover"])) if len(regions) == 2 else "weighted"
    policy = "latency" if policy == "weighted" and draw(st.integers(0, 3)) == 0 else policy
    levers = [["weights"], ["weights", "health-check"], ["health-check", "weights"], ["routing-control", "weights"]]
    if policy != "weighted":
        levers = [["health-check"], ["routing-control"], ["routing-control", "health-check"]]
    chosen = draw(st.sampled_from(levers))
    home = shares(regions, draw) if policy == "weighted" else policy
    app = b.app(policy, regions=regions, levers=chosen, home=home)
    word = st.sampled_from([*["ok"] * 12, "failing", "silent"])
    switch = st.sampled_from([*["healthy"] * 8, "unhealthy", "forced", "disabled"])
    weight = st.sampled_from([0, 1, 10, 50, 90, 100, 255])
    facts = b.facts(
        app,
        weights={region: draw(weight) for region in regions},
        well={region: draw(word) for region in regions},
        checks={region: draw(switch) for region in regions} if "health-check" in chosen and not app.arc else None,
        controls={region: draw(st.sampled_from(["On", "On", "Off"])) for region in regions} if app.arc else None,
        prior={region: "disabled" for region in regions if draw(st.booleans())},
        extra=b.records("weighted", regions, {r: draw(weight) for r in regions}, rtype="AAAA")
        if policy == "weighted" and draw(st.booleans())
        else (),
    )
    return Case(app, facts, draw(st.sampled_from(BOOKS)))


def intents(app: App) -> Iterator[Intent]:
    """The way home, and every way out, the modes taken in turn."""
    yield b.failback(override=["drift"])  # a forced check of which no journal tells is put back knowingly
    modes = cycle(["auto", "emergency", "emergency"])
    for (source, target), mode in zip(permutations(app.regions.serving, 2), modes, strict=False):
        yield b.failover(target, source=source, mode=mode)


# The properties -----------------------------------------------------------------------------------------------------


def test_every_plan_keeps_the_invariants_and_can_be_gone_on_with_from_any_point_of_it() -> None:
    counted: Counter[str] = Counter()

    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(cases())
    def holds(case: Case) -> None:
        for intent in intents(case.app):
            decision = plan(case.app, case.book, intent, case.facts)
            counted[type(decision).__name__] += 1
            match decision:
                case Plan():
                    keeps_the_invariants(case, decision)
                    goes_on_from_every_point(case, decision)
                    survives_json(decision, by_digest=intent.verb == "failback")
                case NothingToDo():
                    is_there_already(case, intent)
                case Refusal():
                    assert b.refusing(decision)

    while counted["Plan"] < ENOUGH:  # each round draws worlds of its own
        holds()
    assert all(counted[kind] > ENOUGH / 10 for kind in ("Refusal", "NothingToDo")), counted
    print(f"\n{dict(counted)}")


def keeps_the_invariants(case: Case, decision: Plan) -> None:
    bad = {verdict.region for verdict in decision.verdicts if verdict.verdict is Judged.IMPAIRED}
    facts = case.facts
    for effect in decision.effects:
        touches_only_what_it_says(effect, facts)
        facts = apply(effect, facts)
        assert not nobody_decides(facts)
        assert answered(facts) - bad
    assert set(decision.target) <= answered(facts) | answered(facts, recovered=True)
    if decision.intent.verb == "failover":
        assert not set(decision.source) & (answered(facts) | answered(facts, recovered=True))
        assert set(decision.target) <= answered(facts)
    else:
        assert at_home(case.app, facts)


def touches_only_what_it_says(effect: Effect, facts: Facts) -> None:
    """Whole groups, weights alone, in range; never ARC's own checks; at most ten controls."""
    match effect:
        case WeightsEffect():
            types = {record.type for record in effect.before}
            assert set(effect.before) == {r for r in facts.zones[0].records if r.type in types}
            for before, after in zip(effect.before, effect.after, strict=True):
                assert after.model_copy(update={"weight": before.weight}) == before
                assert 0 <= (after.weight or 0) <= 255
        case CheckEffect():
            check = next(check for check in facts.checks if check.id == effect.check.id)
            assert (check.version, check.switch) == (effect.check.version, effect.check.before)
            assert check.type != "RECOVERY_CONTROL"
        case ControlsEffect():
            assert 0 < len(effect.controls) <= 10
            assert any(change.before != change.after for change in effect.controls)


def goes_on_from_every_point(case: Case, decision: Plan) -> None:
    """Planned again after each effect there is left exactly what was left; at the end there is nothing to do.

    Exactly, where the shares are whole percents; else the same number of changes or fewer, to the same end.
    """
    facts = case.facts
    for number, effect in enumerate(decision.effects, 1):
        facts = apply(effect, facts)
        rest = plan(case.app, case.book, decision.intent, facts)
        left = decision.effects[number:]
        if not left:
            assert isinstance(rest, NothingToDo), b.told(rest)
        else:
            assert isinstance(rest, Plan), b.told(rest)
            if all(is_exact(effect) for effect in decision.effects):
                assert rest.effects == left
            else:
                assert len(rest.effects) <= len(left)


def is_exact(effect: Any) -> bool:
    weights = [record.weight or 0 for record in getattr(effect, "after", ()) if record.type == "A"]
    return not weights or sum(weights) == 100


def survives_json(decision: Plan, *, by_digest: bool) -> None:
    """``by_digest``: taken twice only where asked, as it costs as much as planning does."""
    again = Plan.model_validate_json(decision.model_dump_json())
    assert again == decision
    assert not by_digest or again.digest == decision.digest


def is_there_already(case: Case, intent: Intent) -> None:
    if intent.verb == "failback":
        assert at_home(case.app, case.facts)
    else:
        assert intent.source not in answered(case.facts) | answered(case.facts, recovered=True)
        assert intent.to in answered(case.facts)


@settings(max_examples=200, deadline=None)
@given(cases())
def test_memory_performs_what_was_planned_and_its_verdicts_stay_verdicts(case: Case) -> None:
    world = MemoryWorld(case.facts)
    decision = plan(case.app, case.book, b.failback(override=["drift"]), case.facts)
    if isinstance(decision, Plan):
        for effect in decision.effects:
            world.perform(effect)
        assert at_home(case.app, world.facts)
    assert [verdict.region for verdict in assess(case.app, world.facts)] == list(case.app.regions.serving)


@st.composite
def fractions(draw: Any) -> dict[str, Fraction]:
    parts = draw(st.lists(st.integers(0, 10_000), min_size=2, max_size=6).filter(any))
    return {f"r{number}": Fraction(part, sum(parts)) for number, part in enumerate(parts)}


@settings(max_examples=1_000)
@given(fractions())
def test_weights_add_up_stay_in_range_and_are_zero_only_for_nothing(given: dict[str, Fraction]) -> None:
    weights = weights_of(given)
    assert sum(weights.values()) in (100, 255)
    assert all(0 <= weight <= 255 for weight in weights.values())
    assert all((weights[region] == 0) is (share == 0) for region, share in given.items())


@settings(max_examples=1_000)
@given(fractions())
def test_weights_stand_for_their_shares_within_a_step_a_region(given: dict[str, Fraction]) -> None:
    stood_for = shares_of(weights_of(given))
    assert all(abs(stood_for[region] - share) <= Fraction(len(given), 255) for region, share in given.items())


@settings(max_examples=500)
@given(st.dictionaries(st.sampled_from(ALL), st.integers(0, 255), min_size=2))
def test_shares_moved_are_all_of_the_source_s_and_nobody_else_s(weights: dict[str, int]) -> None:
    start = shares_of(weights)
    source, target, *others = start
    after = moved(start, source, target)
    assert sum(after.values()) == sum(start.values()) == 1
    assert after[source] == 0
    assert all(after[other] == start[other] for other in others)


@settings(max_examples=500)
@given(fractions(), st.sets(st.integers(1, 99), max_size=4), st.data())
def test_a_climb_rises_to_its_end_and_keeps_the_whole(end: dict[str, Fraction], percents: set[int], data: Any) -> None:
    parts = data.draw(st.lists(st.integers(0, 50), min_size=len(end), max_size=len(end)).filter(any))
    start = {region: Fraction(part, sum(parts)) for region, part in zip(end, parts, strict=True)}
    stages = [stage for _, stage in climb(start, end, (*sorted(percents), 100))]
    assert stages[-1] == end
    assert all(sum(stage.values()) == 1 for stage in stages)
    for before, after in zip([start, *stages], stages, strict=False):
        for region in end:
            rises = end[region] >= start[region]
            assert (after[region] >= before[region]) if rises else (after[region] <= before[region])
