"""The verify step: what name servers and endpoints say of a change, asked from outside until they agree or time is up.

Nothing seen is nothing verified: a step that had neither an answer nor an endpoint to go by does not reach its end.
"""

from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import NamedTuple

from .. import simulate
from ..model.app import App, Endpoints, Route
from ..model.facts import Answer, Facts, Topic
from ..model.plan import GuardName, Mode
from ..model.readings import Level, SignalKind
from ..model.runbook import Verify
from ..observe import Enough, gather
from ..planner.found import siblings
from ..simulate import Standing, standing
from .effects import lasting
from .steps import Stage, StepFailed

ASKED = ("A", "AAAA")  # the types that clients ask for side by side; the guards look at the others
CONTROL_PLANE_S = 2.0
SEEN_FROM_OUTSIDE = frozenset({Topic.RECORDS, Topic.CHECKS, Topic.CONTROLS, Topic.ANSWERS})


class Means(StrEnum):
    """What one line seen means. ASIDE is told and proves nothing. UNDONE: what was read back is as it was before."""

    RIGHT = "right"
    WRONG = "wrong"
    UNDONE = "undone"
    UNREAD = "unread"
    ASIDE = "aside"


class Line(NamedTuple):
    means: Means
    says: str


MEANS = {Level.OK: Means.RIGHT, Level.BAD: Means.WRONG, Level.UNKNOWN: Means.UNREAD}


def verify(stage: Stage, step: Verify) -> str:
    """Ask until it is seen: every place's answer as the records now say, none of a Region that was left.

    What reads as it was before may be a stale read, and is asked for again; to the end, someone took it back.
    """
    more = stage.waits(step.timeout)
    while True:
        seen = list(_look(stage, step))
        wrong = [line.says for line in seen if line.means in (Means.WRONG, Means.UNDONE)]
        unread = [line.says for line in seen if line.means is Means.UNREAD]
        if not wrong and not unread:
            return _told(seen)
        if not more():
            taken_back = any(line.means is Means.UNDONE for line in seen)
            raise StepFailed("; ".join(wrong + unread), uncertain=not wrong, stale=taken_back)


def _told(seen: list[Line]) -> str:
    told = "; ".join(line.says for line in seen)
    if not any(line.means is Means.RIGHT for line in seen):
        raise StepFailed(f"there was nothing to verify by ({told or 'no answers asked, no endpoints'})", uncertain=True)
    return told


def _look(stage: Stage, step: Verify) -> Iterator[Line]:
    if step.answers:
        enough = _enough(stage) if stage.plan.mode is Mode.EMERGENCY else None
        facts = gather(stage.world, stage.app, stage.clock, topics=SEEN_FROM_OUTSIDE, enough=enough)
        yield from _what_was_set(stage, facts)
        for route in stage.app.routing:
            yield from _answers(stage, route, facts)
    if step.endpoints:
        yield from _endpoints(stage)


def _what_was_set(stage: Stage, facts: Facts) -> Iterator[Line]:
    """Answers are samples; what this run set must stand as well. Someone else's change ends the step at once."""
    for effect in lasting(stage.plan.effects):
        stands = standing(effect, facts)
        if stands is Standing.OTHER:
            raise StepFailed("someone else changed what this run had set; their change was left as it is", stale=True)
        if stands is Standing.BEFORE:
            yield Line(Means.UNDONE, "what this run set reads as it was before: someone took it back")


def _enough(stage: Stage) -> Enough:
    """An emergency waits for Route 53's control plane, which may be what is down, no longer than ``CONTROL_PLANE_S``
    once everything else has answered."""
    end = stage.clock.monotonic() + CONTROL_PLANE_S

    def enough(facts: Facts) -> bool:
        waiting_for = {unread.topic for unread in facts.unread if unread.hanging}
        return stage.clock.monotonic() >= end and waiting_for <= {Topic.RECORDS, Topic.CHECKS}

    return enough


def _answers(stage: Stage, route: Route, facts: Facts) -> Iterator[Line]:
    yield from _of_type(stage, route, facts, route.record.type)
    overridden = any(override.guard is GuardName.SIBLING_RECORDS for override in stage.plan.intent.overrides)
    for rtype in _twins(stage.app, route, facts):
        if overridden:
            yield Line(Means.ASIDE, f"{rtype} {route.record.name}: not looked at, sibling-records was overridden")
        else:
            yield from _of_type(stage, route, facts, rtype)


def _twins(app: App, route: Route, facts: Facts) -> list[str]:
    """The sibling types that name servers are asked for: those there are records of, or answers where records could
    not be read. One that is routed itself is verified as such."""
    name, found = route.record.name, simulate.zone_of(route, facts)
    routed = {each.record.type for each in app.routing if (each.zone, each.record.name) == (route.zone, name)}
    there = siblings(route, found) if found else {answer.type for answer in facts.answers if answer.name == name}
    return [rtype for rtype in ASKED if rtype in there and rtype not in routed]


def _of_type(stage: Stage, route: Route, facts: Facts, rtype: str) -> Iterator[Line]:
    name = route.record.name if rtype == route.record.type else f"{rtype} {route.record.name}"
    answers = [answer for answer in facts.answers if (answer.name, answer.type) == (route.record.name, rtype)]
    if not answers:
        yield _no_answer(stage.app, route, facts, name)
        return
    right = _right(stage, route, facts, rtype)
    if right is None:
        yield Line(Means.UNREAD, f"{name}: its records could not be read ({_whys(facts, Topic.RECORDS)})")
        return
    if simulate.zone_of(route, facts) is None:
        yield Line(Means.ASIDE, f"{name}: its records could not be read, so judged by its answers alone")
    for answer in answers:
        given = answer.region or ", ".join(answer.addresses) or "nothing"
        line = f"{name} asked from {answer.near or 'anywhere'} answers {given}"
        if answer.region is None:
            yield Line(Means.UNREAD, f"{line}, which is no Region's address as far as could be resolved")
        else:
            yield Line(Means.RIGHT if answer.region in _at(right, answer) else Means.WRONG, line)


def _no_answer(app: App, route: Route, facts: Facts, name: str) -> Line:
    """A private name is asked of a configured resolver only; one that was asked and did not answer is unread."""
    asked = [each for each in facts.unread if each.topic is Topic.ANSWERS and route.record.name in each.subject]
    if route.private and not asked and app.dns.resolver is None:
        return Line(Means.ASIDE, f"{name}: private zone, and no resolver is configured to ask from here")
    whys = "; ".join(dict.fromkeys(each.why for each in asked)) or _whys(facts, *Topic)
    return Line(Means.UNREAD, f"{name}: no answer to verify by ({whys})")


def _whys(facts: Facts, *topics: Topic) -> str:
    whys = dict.fromkeys(each.why for each in facts.unread if each.topic in topics)
    return "; ".join(whys) or "nothing more is known"


def _right(stage: Stage, route: Route, facts: Facts, rtype: str) -> dict[str, frozenset[str]] | None:
    """The Regions that may be answered, by place: by the records as they are now and never a Region that was left.

    After a failover whose records can't be read, in an emergency the control plane that failed with the Region, any
    serving Region that was not left is right. None: nothing to judge by.
    """
    failover = stage.plan.intent.verb == "failover"
    left = frozenset(stage.plan.source) - frozenset(stage.plan.target) if failover else frozenset()
    reachable = simulate.reachable(stage.app, route, facts, rtype)
    if any(reachable.values()):
        return {place: at - left for place, at in reachable.items()}
    serving = stage.app.regions.serving
    return dict.fromkeys(serving, frozenset(serving) - left) if failover else None


def _at(right: dict[str, frozenset[str]], answer: Answer) -> frozenset[str]:
    if answer.near is not None and answer.near in right:
        return right[answer.near]
    return frozenset[str]().union(*right.values())


def _endpoints(stage: Stage) -> Iterator[Line]:
    """The target's probes, where there are any: nothing is asked in a Region that was left."""
    probes = _only_endpoints(stage.app, stage.plan.target)
    if not any(probes.signals_of(Endpoints)):
        return
    facts = gather(stage.world, probes, stage.clock, topics=frozenset({Topic.SIGNALS}))
    for region in stage.plan.target:
        found = [r for r in facts.readings if r.kind is SignalKind.ENDPOINT and r.region == region]
        for reading in found:
            yield Line(MEANS[reading.level], f"{region} endpoint: {reading.evidence}")
        if not found and any(region in probe.urls for probe in probes.signals_of(Endpoints)):
            yield Line(Means.UNREAD, f"{region} endpoint: no reading of it")


def _only_endpoints(app: App, regions: Collection[str]) -> App:
    """The app with no signal but the probes of these Regions."""
    kept = [(spec, {r: url for r, url in spec.urls.items() if r in regions}) for spec in app.signals_of(Endpoints)]
    probes = tuple(spec.model_copy(update={"urls": urls}) for spec, urls in kept if urls)
    return app.model_copy(update={"signals": probes})
