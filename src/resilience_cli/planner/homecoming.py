"""Whether traffic is where the levers at home would have it: by the records and health as simulated, and by what the
name servers answered. Pure.

Levers at home are not traffic at home: a failing health check moves traffic without anybody pulling a lever.
"""

from fractions import Fraction

from .. import simulate
from ..model.app import App, Route
from ..model.facts import Answer, Facts

Shares = dict[str, Fraction]


def traffic_home(app: App, route: Route, facts: Facts) -> bool | None:
    """Asked of a route whose levers are at home. None where neither health nor answers can tell.

    Home is what the same records give once every endpoint answers again.
    """
    places = simulate.places(app, facts)
    states = {_home_near(app, route, facts, place, alone=len(places) == 1) for place in places}
    return False if False in states else None if None in states else True


def _home_near(app: App, route: Route, facts: Facts, place: str, *, alone: bool) -> bool | None:
    """For askers nearest ``place``; ``alone``: every asker is answered alike.

    Health that is unknown is taken both ways; what was answered may rule one of them out.
    """
    home = simulate.shares_near(app, route, simulate.recovered(facts), place)
    views = [simulate.shares_near(app, route, facts, place, unknown_is=is_) for is_ in (True, False)]
    if not home:
        return None
    seen = [answer.region for answer in facts.answers if _is_about(route, answer, place, alone=alone)]
    known = {region for region in seen if region is not None}
    if not known <= {region for region, share in home.items() if share}:
        return False
    if None in seen:
        return None
    possible = [view for view in views if all(view.get(region) for region in known)]
    states = {view == home for view in possible}
    return states.pop() if len(states) == 1 else None


def _is_about(route: Route, answer: Answer, place: str, *, alone: bool) -> bool:
    """An answer given for this route to askers here. One asked from nowhere in particular tells of all alike only."""
    ours = (answer.name, answer.type) == (route.record.name, route.record.type)
    return ours and (alone or answer.near == place)


def kept_away(app: App, route: Route, facts: Facts) -> tuple[str, ...]:
    """What failing health checks keep from Regions that the levers give traffic to: Route 53 passes them by."""
    now = simulate.receiving(app, route, facts)
    meant = simulate.receiving(app, route, simulate.recovered(facts)) - {""}
    at = ", ".join(sorted(now - {""})) or "no Region of this app"
    return tuple(f"Route 53's health check of {region} fails: traffic is at {at}" for region in sorted(meant - now))
