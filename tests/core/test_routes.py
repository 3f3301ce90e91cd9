"""Apps of several routed names: what they share is changed once, and none is left behind unsaid."""

from typing import Any

from resilience_cli.model.app import App
from resilience_cli.model.facts import Facts
from resilience_cli.planner import plan

from . import builders as b

WEB = "web.example.com."


def with_route(app: App, **update: Any) -> App:
    """The app with a second route like its first, but for what is told."""
    route = app.routing[0]
    record = route.record.model_copy(update=update.pop("record", {}))
    return app.model_copy(update={"routing": (route, route.model_copy(update={"record": record, **update}))})


def with_records(facts: Facts, *records: Any) -> Facts:
    zone = facts.zones[0]
    return facts.model_copy(update={"zones": (zone.model_copy(update={"records": (*zone.records, *records)}),)})


def test_names_behind_the_same_routing_controls_are_moved_by_one_call() -> None:
    app = with_route(b.arc_app(), record={"name": WEB})
    facts = with_records(b.facts(b.arc_app()), *b.records("latency", b.TWO, {}, name=WEB, checks=b.TWO))
    assert b.lines(plan(app, b.runbook(), b.failover(), facts)) == ["controls us-east-1 On>On, us-west-2 On>Off"]


def test_a_and_aaaa_that_are_both_routed_move_in_one_batch() -> None:
    app = with_route(b.weighted_app(), record={"type": "AAAA"})
    facts = with_records(b.facts(b.weighted_app()), *b.records("weighted", b.TWO, {b.WEST: 100}, rtype="AAAA"))
    assert b.lines(plan(app, b.runbook(), b.failover(), facts)) == [
        "weights A us-east-1 0>100, A us-west-2 100>0, AAAA us-east-1 0>100, AAAA us-west-2 100>0"
    ]


def test_two_names_of_their_own_are_two_changes() -> None:
    app = with_route(b.weighted_app(), record={"name": WEB})
    facts = with_records(b.facts(b.weighted_app()), *b.records("weighted", b.TWO, {b.WEST: 100}, name=WEB))
    assert len(b.lines(plan(app, b.runbook(), b.failover(), facts))) == 2


def test_a_name_that_was_moved_already_is_not_moved_again() -> None:
    app = with_route(b.weighted_app(), record={"name": WEB})
    facts = with_records(b.facts(b.weighted_app()), *b.records("weighted", b.TWO, {b.EAST: 100}, name=WEB))
    assert len(b.lines(plan(app, b.runbook(), b.failover(), facts))) == 1


def test_one_name_that_cannot_be_moved_refuses_the_whole_unless_it_is_named() -> None:
    app = with_route(b.weighted_app(levers=["health-check"]), record={"name": WEB})
    alone = b.facts(app, checks={b.WEST: "healthy", b.EAST: "healthy"})
    facts = with_records(alone, *b.records("weighted", b.TWO, {b.WEST: 100}, name=WEB))
    refused = plan(app, b.runbook(), b.failover(), facts)
    assert b.refusing(refused) == ["trajectory"]
    assert "web.example.com. would still be answered with us-west-2" in b.told(refused)


def test_homes_of_their_own_are_reached_each_for_itself() -> None:
    app = with_route(b.weighted_app(), record={"name": WEB}, home={b.WEST: 0, b.EAST: 100})
    facts = with_records(
        b.facts(b.weighted_app(), weights={b.EAST: 100}), *b.records("weighted", b.TWO, {b.WEST: 100}, name=WEB)
    )
    decision = plan(app, b.runbook(), b.failback(), facts)
    assert b.lines(decision) == [
        "weights A us-east-1 100>0, A us-west-2 0>100",
        "weights A us-east-1 0>100, A us-west-2 100>0",
    ]
