"""What the guards of records make of what was read of the account, and of what was not."""

from resilience_cli.model.facts import CheckUse, Facts
from resilience_cli.model.plan import GuardName, Plan, Says
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


def test_protections_that_were_not_read_are_a_warning_and_not_an_all_clear() -> None:
    app = b.weighted_app()
    decision = plan(app, b.runbook(), b.failover(), unread_protections(b.facts(app)))
    assert isinstance(decision, Plan)
    (finding,) = [found for found in decision.guards if found.name is GuardName.RECORD_PROTECTION]
    assert (finding.says, "could not be read" in finding.why) == (Says.WARNS, True)


def unread_protections(facts: Facts) -> Facts:
    zones = tuple(zone.model_copy(update={"protected": None}) for zone in facts.zones)
    return facts.model_copy(update={"zones": zones})
