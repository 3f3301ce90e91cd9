"""What the guards of records make of what was read of the account, and of what was not."""

import pytest

from resilience_cli.model.facts import CheckUse, Facts
from resilience_cli.model.plan import Decision, Plan, Refusal, Says
from resilience_cli.planner import plan

from . import builders as b

CHECKED = b.weighted_app(levers=["health-check"])


def test_a_record_of_another_zone_on_the_check_to_be_forced_is_named() -> None:
    facts = b.facts(CHECKED, checks={b.WEST: "healthy", b.EAST: "healthy"})
    use = CheckUse(check_id=b.check_id(b.WEST), zone_id="Z9", zone="example.org.", name="www.example.org.", type="A")
    spare = use.model_copy(update={"check_id": b.check_id(b.EAST), "name": "spare.example.org."})
    refused = plan(CHECKED, b.runbook(), b.failover(), facts.model_copy(update={"check_uses": (use, spare)}))
    assert b.refusing(refused) == ["shared-health-check"]
    assert "also used by A www.example.org. in zone Z9" in b.told(refused)
    assert "spare" not in b.told(refused)


def test_protections_that_were_not_read_are_no_all_clear() -> None:
    """Planned, there is time to read them; an emergency goes on with a warning."""
    app = b.weighted_app()
    facts = unread_protections(b.facts(app))
    refused = plan(app, b.runbook(), b.failover(), facts)
    assert b.refusing(refused) == ["record-protection"]
    assert "could not be read" in b.told(refused)
    assert says(plan(app, b.runbook(), b.failover(mode="emergency"), facts), "record-protection") is Says.WARNS


def test_protections_do_not_matter_where_no_record_is_written() -> None:
    app = b.arc_app()
    decision = plan(app, b.runbook(), b.failover(), unread_protections(b.facts(app)))
    assert says(decision, "record-protection") is Says.YES


def test_users_of_a_check_that_could_not_be_looked_for_hold_back_what_is_planned_and_warn_in_an_emergency() -> None:
    facts = b.facts(CHECKED, checks={b.WEST: "healthy", b.EAST: "healthy"}).model_copy(update={"checks_whole": False})
    assert b.refusing(plan(CHECKED, b.runbook(), b.failover(), facts)) == ["shared-health-check"]
    emergency = plan(CHECKED, b.runbook(), b.failover(mode="emergency"), facts)
    assert says(emergency, "shared-health-check") is Says.WARNS


def test_a_record_of_the_same_name_that_carries_no_traffic_is_not_ours_to_take_away() -> None:
    checked = b.record("mail", rtype="TXT", health_check_id=b.check_id(b.WEST))
    facts = b.facts(CHECKED, checks={b.WEST: "healthy", b.EAST: "healthy"}, extra=(checked,))
    refused = plan(CHECKED, b.runbook(), b.failover(), facts)
    assert b.refusing(refused) == ["shared-health-check"]
    assert f"TXT {b.NAME} in zone ZPUBLIC" in b.told(refused)


@pytest.mark.parametrize("mode", ["planned", "emergency"])
@pytest.mark.parametrize("levers", [("routing-control",), ("health-check",)])
def test_a_lone_sibling_that_fails_open_would_stay_where_it_is(mode: str, levers: tuple[str, ...]) -> None:
    """An AAAA record in us-west-2 alone, behind the check that is turned: Route 53 answers with it all the same."""
    app = b.app("latency", levers=levers)
    lone = b.record(b.WEST, rtype="AAAA", region=b.WEST, health_check_id=b.check_id(b.WEST))
    checks = None if app.arc else {b.WEST: "healthy", b.EAST: "healthy"}
    refused = plan(app, b.runbook(), b.failover(mode=mode), b.facts(app, checks=checks, extra=(lone,)))
    assert b.refusing(refused) == ["trajectory"]
    assert f"AAAA {b.NAME} would still be answered with us-west-2" in b.told(refused)


def test_a_sibling_of_both_regions_behind_the_same_controls_moves_with_the_record() -> None:
    app = b.arc_app()
    twins = b.records("latency", b.TWO, {}, rtype="AAAA", checks=b.TWO)
    assert b.lines(plan(app, b.runbook(), b.failover(), b.facts(app, extra=twins)))


def test_a_siblings_ttl_counts_as_much_as_the_records_own() -> None:
    app = b.weighted_app()
    twins = b.records("weighted", b.TWO, {b.WEST: 100}, rtype="AAAA", ttl=3600)
    facts = b.facts(app, extra=twins)
    refused = plan(app, b.runbook(), b.failover(), facts)
    assert b.refusing(refused) == ["ttl"]
    assert f"AAAA {b.NAME} 3600 s" in b.told(refused)
    assert says(plan(app, b.runbook(), b.failover(mode="emergency"), facts), "ttl") is Says.WARNS


def test_switches_that_no_journal_tells_of_are_not_put_back_unsaid() -> None:
    app = b.app("latency", levers=["health-check"])
    facts = b.facts(app, checks={b.WEST: "forced", b.EAST: "healthy"})
    refused = plan(app, b.runbook(), b.failback(), facts)
    assert b.refusing(refused) == ["drift"]
    assert "check-us-west-2" in b.told(refused)
    assert "Disabled=False, Inverted=False" in b.told(refused)
    emergency = plan(app, b.runbook(), b.failover(b.WEST, mode="emergency"), facts)
    assert says(emergency, "drift") is Says.WARNS


def says(decision: Decision, guard: str) -> Says:
    assert isinstance(decision, Plan | Refusal), b.told(decision)
    (finding,) = [found for found in decision.guards if found.name == guard]
    return finding.says


def unread_protections(facts: Facts) -> Facts:
    zones = tuple(zone.model_copy(update={"protected": None}) for zone in facts.zones)
    return facts.model_copy(update={"zones": zones})
