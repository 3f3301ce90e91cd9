"""(App, Facts) -> the one screen of ``resil status``: where traffic goes and why, and the next command. Pure."""

from collections.abc import Sequence

from . import planner, simulate
from .assess import assess, data_at_risk, verdict_on
from .model.app import App, Route
from .model.facts import Facts
from .model.readings import Judged, Verdict
from .model.records import Policy
from .model.status import RegionStatus, RouteStatus, Status
from .planner.found import records_of


def survey(app: App, facts: Facts, unfinished_run: str = "") -> Status:
    """What an operator needs to see. Raises UsageError where resil.yaml contradicts the records found."""
    verdicts = assess(app, facts)
    routes = tuple(_route(app, route, facts, verdicts) for route in app.routing)
    carrying = _carrying(app, facts)
    at_home = _all_at_home(routes)
    return Status(
        app=app.app,
        observed_at=facts.observed_at,
        caller=facts.caller,
        regions=tuple(_region(app, region, routes, verdicts) for region in app.regions.serving),
        routes=routes,
        verdicts=verdicts,
        readings=facts.readings,
        answers=facts.answers,
        unread=facts.unread,
        overrides=facts.overrides,
        data_at_risk=data_at_risk(app, facts.readings, carrying),
        at_home=at_home,
        recommendation=_recommend(app, facts, verdicts, at_home, unfinished_run),
        unfinished_run=unfinished_run,
    )


def _carrying(app: App, facts: Facts) -> tuple[str, ...]:
    found: set[str] = set()
    for route in app.routing:
        found |= simulate.receiving(app, route, facts)
    return tuple(region for region in app.regions.serving if region in found)


def _region(app: App, region: str, routes: Sequence[RouteStatus], verdicts: Sequence[Verdict]) -> RegionStatus:
    shares = {route.shares.get(region) for route in routes}
    return RegionStatus(
        name=region,
        role=app.regions.role(region),
        verdict=verdict_on(verdicts, region),
        share=shares.pop() if len(shares) == 1 else None,
        why=next((verdict.why for verdict in verdicts if verdict.region == region), ""),
    )


def _all_at_home(routes: Sequence[RouteStatus]) -> bool | None:
    states = {route.at_home for route in routes}
    return False if False in states else None if None in states else True


def _route(app: App, route: Route, facts: Facts, verdicts: Sequence[Verdict]) -> RouteStatus:
    records_of(route, facts)
    source, target = _next_move(app, route, facts, verdicts)
    lever, why = planner.lever_for(route, facts, source, target)
    return RouteStatus(
        name=route.record.name,
        type=route.record.type,
        policy=route.policy,
        shares=simulate.shares(app, route, facts),
        why=_why(app, route, facts),
        at_home=planner.is_home(app, route, facts),
        lever=lever or "none usable",
        lever_why=f"{source} to {target}: {why}",
    )


def _next_move(app: App, route: Route, facts: Facts, verdicts: Sequence[Verdict]) -> tuple[str, str]:
    """The move an operator would make now: out of the worst Region that carries, into the best that could."""
    rank = {Judged.HEALTHY: 0, Judged.UNKNOWN: 1, Judged.IMPAIRED: 2}
    serving = app.regions.serving
    receiving = simulate.receiving(app, route, simulate.recovered(facts))
    carrying = [region for region in serving if region in receiving] or list(serving)
    source = max(carrying, key=lambda region: (rank[verdict_on(verdicts, region)], -serving.index(region)))
    others = [region for region in serving if region != source]
    return source, min(others, key=lambda region: rank[verdict_on(verdicts, region)])


def _why(app: App, route: Route, facts: Facts) -> str:
    """The records and health behind the shares, in words."""
    found = simulate.zone_of(route, facts)
    if found is None:
        return "its zone could not be read: " + "; ".join(unread.why for unread in facts.unread)
    said = []
    for record in simulate.group(found.records, route.record.name, route.record.type):
        region = simulate.region_of(route, record) or record.set_identifier or "?"
        words = [f"weight {record.weight}"] if route.policy is Policy.WEIGHTED else []
        if record.health_check_id is not None:
            words.append(f"health check {simulate.health(facts, record.health_check_id)}")
        said.append(f"{region} {', '.join(words) or 'no health check'}")
    nobody = simulate.fails_open(app, route, facts)
    return "; ".join(said) + (f"; but {nobody.replace('would be', 'is')}" if nobody else "")


def _recommend(
    app: App,
    facts: Facts,
    verdicts: Sequence[Verdict],
    at_home: bool | None,
    unfinished_run: str,
) -> str:
    if unfinished_run:
        return f"resil runs resume {unfinished_run}  (a run is not finished)"
    carrying = _carrying(app, simulate.recovered(facts))  # what comes back by itself, once checks pass, counts too
    bad = [region for region in carrying if verdict_on(verdicts, region) is Judged.IMPAIRED]
    fit = [region for region in app.regions.serving if verdict_on(verdicts, region) is Judged.HEALTHY]
    if bad and fit:
        leave = f" --from {bad[0]}" if len(app.regions.serving) > 2 else ""
        return f"resil failover --to {fit[0]}{leave} --mode emergency"
    if bad:
        return f"{', '.join(bad)} impaired, and no other Region is healthy: look at what is unknown before moving"
    unfit = [region for region in planner.returning(app, facts) if region not in fit]
    if at_home is False and not unfit:
        return "resil failback"
    if at_home is False:
        return f"stay: traffic is away from home and {', '.join(unfit)} is not healthy yet"
    if at_home is None:
        return "resil status again: where traffic goes could not be read whole"
    unsure = [region for region in carrying if verdict_on(verdicts, region) is Judged.UNKNOWN]
    if unsure:
        return f"resil status --watch  ({', '.join(unsure)} is neither clearly healthy nor impaired)"
    return "nothing to do"
