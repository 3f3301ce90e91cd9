"""(App, Facts) -> the one screen of ``resil status``: where traffic goes and why, and the next command. Pure."""

from collections.abc import Sequence

from . import planner, simulate
from .assess import assess, data_at_risk, verdict_on
from .model.app import App, Route
from .model.facts import Facts, Topic, Unread
from .model.plan import Says
from .model.readings import Judged, Verdict
from .model.records import Policy
from .model.status import RegionStatus, RouteStatus, Status
from .planner.found import contradictions
from .planner.guards import pinned_account
from .planner.homecoming import kept_away, traffic_home


def survey(app: App, facts: Facts, unfinished_run: str = "") -> Status:
    """What an operator needs to see. Raises UsageError where resil.yaml contradicts the records found, unless they
    were found in another account than resil.yaml pins: then they are not this app's records, and are left out."""
    account_problem = _account_problem(app, facts)
    if differs := contradictions(app, app.routing, facts):
        if not account_problem:
            raise differs
        facts = _without_records(facts, differs.message)
    verdicts = assess(app, facts)
    routes = tuple(_route(app, route, facts, verdicts) for route in app.routing)
    at_home = _all([route.at_home for route in routes])
    return Status(
        app=app.app,
        observed_at=facts.observed_at,
        caller=facts.caller,
        account_problem=account_problem,
        regions=tuple(_region(app, region, routes, verdicts) for region in app.regions.serving),
        routes=routes,
        verdicts=verdicts,
        readings=facts.readings,
        answers=facts.answers,
        unread=facts.unread,
        overrides=facts.overrides,
        data_at_risk=_data_at_risk(app, facts, verdicts),
        at_home=at_home,
        recommendation=_recommend(app, facts, routes, verdicts, unfinished_run),
        unfinished_run=unfinished_run,
    )


def _account_problem(app: App, facts: Facts) -> str:
    """What is wrong with the account these facts come from, or "": the same question that every plan is asked."""
    found = pinned_account(app, facts)
    if found.says is not Says.NO:
        return ""
    return f"{'ACCOUNT UNKNOWN' if facts.caller is None else 'WRONG ACCOUNT'}: {found.why}; {found.cure}"


def _without_records(facts: Facts, why: str) -> Facts:
    unread = Unread(topic=Topic.RECORDS, subject="records", region="route53", why=why)
    return facts.model_copy(update={"zones": (), "unread": (*facts.unread, unread)})


def _carrying(app: App, facts: Facts) -> tuple[str, ...]:
    found: set[str] = set()
    for route in app.routing:
        found |= simulate.receiving(app, route, facts)
    return tuple(region for region in app.regions.serving if region in found)


def _data_at_risk(app: App, facts: Facts, verdicts: Sequence[Verdict]) -> str:
    """Of the Regions that carry traffic; and first of those that health checks took it from and that are not well:
    their last writes may be nowhere else."""
    now = _carrying(app, facts)
    at_risk = data_at_risk(app, facts.readings, now)
    meant = _carrying(app, simulate.recovered(facts))
    left = [r for r in meant if r not in now and verdict_on(verdicts, r) is not Judged.HEALTHY]
    if not left:
        return at_risk
    stranded = f"{', '.join(left)} lost its traffic to health checks and may hold writes that no other Region has"
    return f"{stranded}: {data_at_risk(app, facts.readings, left)}; where traffic is now: {at_risk}"


def _region(app: App, region: str, routes: Sequence[RouteStatus], verdicts: Sequence[Verdict]) -> RegionStatus:
    shares = {route.shares.get(region) for route in routes}
    return RegionStatus(
        name=region,
        role=app.regions.role(region),
        verdict=verdict_on(verdicts, region),
        share=shares.pop() if len(shares) == 1 else None,
        why=next((verdict.why for verdict in verdicts if verdict.region == region), ""),
    )


def _all(states: Sequence[bool | None]) -> bool | None:
    return False if False in states else None if None in states else True


def _route(app: App, route: Route, facts: Facts, verdicts: Sequence[Verdict]) -> RouteStatus:
    source, target = _next_move(app, route, facts, verdicts)
    lever, why = planner.lever_for(route, facts, source, target, verdicts)
    levers_home = planner.levers_home(app, route, facts)
    return RouteStatus(
        name=route.record.name,
        type=route.record.type,
        policy=route.policy,
        shares=simulate.shares(app, route, facts),
        why=_why(app, route, facts),
        levers_home=levers_home,
        at_home=_all([levers_home, traffic_home(app, route, facts)]) if levers_home else levers_home,
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
        whys = dict.fromkeys(unread.why for unread in facts.unread if unread.topic is Topic.RECORDS)
        return "its zone could not be read: " + "; ".join(whys)
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
    app: App, facts: Facts, routes: Sequence[RouteStatus], verdicts: Sequence[Verdict], unfinished_run: str
) -> str:
    """The account first, for nothing is done in a wrong one; then a Region that fails users; then what was begun.

    Where it is not known whose account it is, what would be next is told all the same.
    """
    problem = _account_problem(app, facts)
    if problem and facts.caller is not None:
        return problem
    next_ = _next(app, facts, routes, verdicts, unfinished_run)
    return f"{problem}; then {next_}" if problem else next_


def _next(
    app: App, facts: Facts, routes: Sequence[RouteStatus], verdicts: Sequence[Verdict], unfinished_run: str
) -> str:
    if leave := _leave(app, facts, verdicts):
        also = f"  (run {unfinished_run} is not finished: if it is this move, resil runs resume {unfinished_run})"
        return leave + (also if unfinished_run else "")
    if unfinished_run:
        return f"resil runs resume {unfinished_run}  (a run is not finished)"
    fit = [region for region in app.regions.serving if verdict_on(verdicts, region) is Judged.HEALTHY]
    unfit = [region for region in planner.returning(app, facts) if region not in fit]
    if _all([route.levers_home for route in routes]) is False:
        if unfit:
            return f"stay: traffic is away from home and {', '.join(unfit)} is not healthy yet"
        return "resil failback"
    return _at_rest(app, facts, routes, verdicts)


def _leave(app: App, facts: Facts, verdicts: Sequence[Verdict]) -> str:
    """What to do about an impaired Region that carries traffic, or ""."""
    coming = _carrying(app, simulate.recovered(facts))  # what comes back by itself, once checks pass, counts too
    now = _carrying(app, facts)
    bad = [region for region in app.regions.serving if verdict_on(verdicts, region) is Judged.IMPAIRED]
    fit = [region for region in app.regions.serving if verdict_on(verdicts, region) is Judged.HEALTHY]
    leaving, kept = [r for r in bad if r in coming], [r for r in bad if r in now and r not in coming]
    if leaving and fit:
        source = f" --from {leaving[0]}" if len(app.regions.serving) > 2 else ""
        return f"resil failover --to {fit[0]}{source} --mode emergency"
    if leaving:
        return f"{', '.join(leaving)} impaired, and no other Region is healthy: look at what is unknown before moving"
    if kept:
        why = "; ".join(dict.fromkeys(why for route in app.routing for why in kept_away(app, route, facts)))
        return f"{', '.join(kept)} impaired, and no lever gave it the traffic: {why}: mend what that check asks"
    return ""


def _at_rest(app: App, facts: Facts, routes: Sequence[RouteStatus], verdicts: Sequence[Verdict]) -> str:
    """What to do when no lever is known to be away from home."""
    kept = [why for route in app.routing for why in kept_away(app, route, facts)]
    if kept:
        return f"{'; '.join(dict.fromkeys(kept))} though every lever is at home: mend what that check asks"
    at_home = _all([route.at_home for route in routes])
    if at_home is False:
        return "resil status again: the name servers do not answer with home though every lever is there"
    if at_home is None:
        return "resil status again: where traffic goes could not be read whole"
    carrying = _carrying(app, simulate.recovered(facts))
    unsure = [region for region in carrying if verdict_on(verdicts, region) is Judged.UNKNOWN]
    if unsure:
        return f"resil status --watch  ({', '.join(unsure)} is neither clearly healthy nor impaired)"
    return "nothing to do"
