"""Apps of several routed names: what they share is changed once, and none is left behind unsaid."""

from typing import Any

import pytest

from resilience_cli.errors import UsageError
from resilience_cli.model.app import App
from resilience_cli.model.facts import Facts
from resilience_cli.model.plan import Intent
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


def test_everything_in_which_resil_yaml_and_the_records_differ_is_told_at_once() -> None:
    app = with_route(b.weighted_app(regions=b.THREE), record={"name": WEB})
    first = b.records("weighted", (b.WEST, b.EAST), {b.WEST: 100})
    second = b.records("latency", b.THREE, {}, name=WEB)
    facts = b.facts(b.weighted_app(regions=b.THREE))
    zone = facts.zones[0].model_copy(update={"records": (*first, *second)})
    with pytest.raises(UsageError) as caught:
        plan(app, b.runbook(), b.failover(source=b.WEST), facts.model_copy(update={"zones": (zone,)}))
    first_line, *points = caught.value.message.splitlines()
    assert "differ in 2 points" in first_line
    assert "no record stands for eu-north-1 (give its endpoint" in points[0]
    assert "web.example.com. in zone ZPUBLIC (example.com.): the policy is latency" in points[1]


def test_an_emergency_by_routing_controls_alone_is_not_held_up_by_records_that_differ() -> None:
    app = b.arc_app()
    facts = b.facts(app, policy="failover")
    assert b.lines(plan(app, b.runbook(), b.failover(mode="emergency", override=["trajectory"]), facts))
    with pytest.raises(UsageError, match="the policy is failover"):
        plan(app, b.runbook(), b.failover(), facts)


@pytest.mark.parametrize("intent", [b.failback(), b.failover(b.WEST)])
def test_nothing_to_do_is_not_said_of_another_account(intent: Intent) -> None:
    app = b.weighted_app()
    assert b.refusing(plan(app, b.runbook(), intent, b.facts(app, account="999999999999"))) == ["account"]
    assert b.refusing(plan(app, b.runbook(), intent, b.facts(app, account=None))) == ["account"]


def test_records_of_another_account_are_refused_and_not_taken_for_a_mistake_in_resil_yaml() -> None:
    app = b.weighted_app()
    facts = b.facts(app, account="999999999999", policy="latency")
    assert b.refusing(plan(app, b.runbook(), b.failover(), facts)) == ["account"]


def test_home_on_every_lever_while_a_failing_check_keeps_traffic_away_is_told() -> None:
    app = b.weighted_app(levers=["weights", "health-check"])
    told = b.told(plan(app, b.runbook(), b.failback(), b.facts(app, checks={b.WEST: "unhealthy", b.EAST: "healthy"})))
    assert "health check of us-west-2 fails: traffic is at us-east-1" in told
