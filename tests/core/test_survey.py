"""The one screen: what is recommended next, and what is left unsaid because it was not measured."""

from typing import Any

import pytest

from resilience_cli.errors import UsageError
from resilience_cli.model.facts import Answer, Topic, Unread
from resilience_cli.model.status import Status
from resilience_cli.survey import survey

from . import builders as b

HOME = {b.WEST: 100, b.EAST: 0}
AWAY = {b.WEST: 0, b.EAST: 100}
HALF = {b.WEST: 50, b.EAST: 50}


def status(*, weights: dict[str, int] = HOME, west: str = "ok", east: str = "ok", **more: Any) -> Status:
    app = b.weighted_app(**more.pop("app", {}))
    facts = b.facts(app, weights=weights, well={b.WEST: west, b.EAST: east}, **more)
    return survey(app, facts)


@pytest.mark.parametrize(
    ("found", "recommended"),
    [
        ({}, "nothing to do"),
        ({"west": "failing"}, "resil failover --to us-east-1 --mode emergency"),
        ({"west": "failing", "east": "silent"}, "us-west-2 impaired, and no other Region is healthy"),
        ({"west": "failing", "east": "unclear"}, "us-west-2 impaired, and no other Region is healthy"),
        ({"west": "unclear"}, "resil status --watch  (us-west-2 is neither clearly healthy nor impaired)"),
        ({"west": "silent"}, "resil status --watch"),
        ({"east": "silent"}, "nothing to do"),
        ({"east": "failing"}, "nothing to do"),
        ({"weights": AWAY}, "resil failback"),
        ({"weights": AWAY, "west": "failing"}, "stay: traffic is away from home and us-west-2 is not healthy yet"),
        ({"weights": AWAY, "west": "silent"}, "stay: traffic is away from home and us-west-2 is not healthy yet"),
        ({"weights": AWAY, "east": "failing"}, "resil failover --to us-west-2 --mode emergency"),
        ({"weights": HALF}, "resil failback"),
        ({"weights": HALF, "west": "failing"}, "resil failover --to us-east-1 --mode emergency"),
        ({"weights": {b.WEST: 0, b.EAST: 0}}, "resil failback"),
    ],
)
def test_the_next_command_is_the_one_an_operator_needs(found: dict[str, Any], recommended: str) -> None:
    assert status(**found).recommendation.startswith(recommended)


RUN = "20260301T120000Z-failover-beef"


def test_a_run_that_is_not_finished_comes_before_what_can_wait() -> None:
    app = b.weighted_app()
    told = survey(app, b.facts(app, weights=AWAY), RUN)
    assert told.recommendation.startswith(f"resil runs resume {RUN}")


def test_a_region_that_fails_users_comes_before_a_run_that_is_not_finished() -> None:
    app = b.weighted_app()
    told = survey(app, b.facts(app, well={b.WEST: "failing"}), RUN)
    assert told.recommendation.startswith("resil failover --to us-east-1 --mode emergency")
    assert RUN in told.recommendation


def test_another_account_is_said_first_and_nothing_is_recommended_in_it() -> None:
    app = b.weighted_app()
    told = survey(app, b.facts(app, account="999999999999", well={b.WEST: "failing"}), RUN)
    assert told.account_problem.startswith("WRONG ACCOUNT: the caller is in account 999999999999")
    assert told.recommendation == told.account_problem


def test_whose_account_it_is_not_being_known_is_said_with_what_would_be_next() -> None:
    app = b.weighted_app()
    told = survey(app, b.facts(app, account=None, well={b.WEST: "failing"}))
    assert told.account_problem.startswith("ACCOUNT UNKNOWN")
    assert told.recommendation.endswith("; then resil failover --to us-east-1 --mode emergency")


def test_what_another_account_holds_does_not_contradict_resil_yaml() -> None:
    app = b.weighted_app()
    facts = b.facts(app, account="999999999999", policy="latency")
    told = survey(app, facts)
    assert told.account_problem.startswith("WRONG ACCOUNT")
    assert told.at_home is None
    with pytest.raises(UsageError, match="the policy is latency"):
        survey(app, b.facts(app, policy="latency"))


def test_traffic_that_a_failing_check_took_away_is_not_at_home_though_every_lever_is() -> None:
    app = b.weighted_app(levers=["weights", "health-check"])
    told = survey(app, b.facts(app, checks={b.WEST: "unhealthy", b.EAST: "healthy"}))
    assert (told.routes[0].levers_home, told.at_home) == (True, False)
    assert told.recommendation.startswith(
        "Route 53's health check of us-west-2 fails: traffic is at us-east-1 though every lever is at home"
    )


def test_a_latency_region_that_its_failing_check_keeps_from_its_own_clients_is_not_at_home() -> None:
    app = b.app("latency", levers=["health-check"])
    told = survey(app, b.facts(app, checks={b.WEST: "healthy", b.EAST: "unhealthy"}))
    assert told.at_home is False
    assert survey(app, b.facts(app, checks={b.WEST: "healthy", b.EAST: "healthy"})).at_home is True


def test_an_impaired_region_that_only_a_failing_check_gave_the_traffic_has_no_lever_to_leave_it_by() -> None:
    app = b.weighted_app(levers=["weights", "health-check"])
    checks = {b.WEST: "unhealthy", b.EAST: "healthy"}
    told = survey(app, b.facts(app, checks=checks, well={b.EAST: "failing"}))
    assert told.recommendation.startswith("us-east-1 impaired, and no lever gave it the traffic")


@pytest.mark.parametrize(
    ("region", "checks", "at_home"),
    [
        (b.WEST, "healthy", True),
        (b.EAST, "healthy", False),  # the records say home, the name servers do not
        (None, "healthy", None),  # nobody's address
        (b.WEST, "unknown", True),  # health that is not measured: what is answered tells
        (b.EAST, "unknown", False),
    ],
)
def test_what_the_name_servers_answer_counts_beside_what_the_records_say(
    region: str | None, checks: str, at_home: bool | None
) -> None:
    app = b.weighted_app(levers=["weights", "health-check"])
    facts = b.facts(app, checks={b.WEST: checks, b.EAST: "healthy"})
    answer = Answer(name=b.NAME, type="A", near=None, server="ns", addresses=("192.0.2.1",), region=region)
    assert survey(app, facts.model_copy(update={"answers": (answer,)})).at_home is at_home


def test_health_that_is_not_known_and_answers_that_are_not_there_leave_home_unknown() -> None:
    app = b.weighted_app(levers=["weights", "health-check"])
    assert survey(app, b.facts(app, checks={b.WEST: "unknown", b.EAST: "healthy"})).at_home is None


def test_the_lever_shown_in_an_emergency_is_the_one_an_emergency_pulls_first() -> None:
    app = b.app("weighted", levers=["weights", "routing-control"])
    assert survey(app, b.facts(app)).routes[0].lever == "weights"
    assert survey(app, b.facts(app, well={b.WEST: "failing"})).routes[0].lever == "routing-control"


def test_with_three_regions_the_source_is_spelt_out() -> None:
    app = b.weighted_app(regions=b.THREE)
    told = survey(app, b.facts(app, well={b.WEST: "failing"}))
    assert told.recommendation == "resil failover --to us-east-1 --from us-west-2 --mode emergency"


def test_an_impaired_region_whose_check_fails_is_still_to_be_left_as_it_comes_back_by_itself() -> None:
    app = b.weighted_app(levers=["weights", "health-check"])
    facts = b.facts(app, well={b.WEST: "failing"}, checks={b.WEST: "unhealthy", b.EAST: "healthy"})
    assert survey(app, facts).recommendation == "resil failover --to us-east-1 --mode emergency"


def test_home_is_not_recommended_while_the_region_it_returns_to_is_unwell() -> None:
    """The standby is the one that is away here, and the primary's health says nothing about it."""
    app = b.arc_app()
    facts = b.facts(app, controls={b.EAST: "Off"}, well={b.EAST: "failing"})
    told = survey(app, facts)
    assert told.at_home is False
    assert told.recommendation == "stay: traffic is away from home and us-east-1 is not healthy yet"


def test_records_that_were_not_read_leave_shares_and_home_unknown() -> None:
    app = b.weighted_app()
    told = survey(app, b.facts(app).model_copy(update={"zones": ()}))
    assert [region.share for region in told.regions] == [None, None]
    assert told.at_home is None
    assert told.recommendation.startswith("resil status again")


def test_latency_shares_hang_on_the_askers_and_are_not_guessed() -> None:
    app = b.arc_app()
    assert [region.share for region in survey(app, b.facts(app)).regions] == [None, None]
    away = survey(app, b.facts(app, controls={b.WEST: "Off"}))
    assert [region.share for region in away.regions] == [0.0, 1.0]


def test_health_checks_that_were_not_read_leave_home_unknown() -> None:
    app = b.weighted_app(levers=["weights", "health-check"])
    facts = b.facts(app, checks={b.WEST: "healthy", b.EAST: "healthy"})
    assert survey(app, facts).at_home is True
    assert survey(app, facts.model_copy(update={"checks": ()})).at_home is None


def test_weights_that_leave_the_choice_to_nobody_are_told() -> None:
    told = status(weights={b.WEST: 0, b.EAST: 0})
    assert "every weight is 0, which Route 53 answers as equal shares" in told.routes[0].why
    assert [region.share for region in told.regions] == [0.5, 0.5]


def test_data_at_risk_is_about_the_region_that_carries_traffic() -> None:
    told = status(readings=[b.lag(b.WEST, 0.7), b.lag(b.EAST, 99.0)])
    assert told.data_at_risk == "writes of about the last 0.7 s in us-west-2 (worst: Orders)"


def test_the_lever_shown_is_the_one_that_would_be_pulled_and_why() -> None:
    app = b.weighted_app(levers=["health-check", "weights"])
    facts = b.facts(app).model_copy(update={"checks": ()})
    route = survey(app, facts).routes[0]
    assert route.lever == "weights"
    assert route.lever_why.startswith("us-west-2 to us-east-1: weighted records")
    assert "health-check passed over" in route.lever_why


def at_risk(west: str, checks: dict[str, str]) -> str:
    """Latency records with health checks, and each Region's replication lag."""
    signals = [*b.signals(b.TWO), {"kind": "replication", "tables": ["Orders"]}]
    app = b.app("latency", levers=["health-check"], signals=signals)
    lags = (b.lag(b.WEST, 3.0), b.lag(b.EAST, 1.0))
    return survey(app, b.facts(app, checks=checks, well={b.WEST: west}, readings=lags)).data_at_risk


UNWELL = {b.WEST: "unhealthy", b.EAST: "healthy"}


@pytest.mark.parametrize("west", ["failing", "silent"])
def test_a_region_that_health_checks_took_the_traffic_from_is_named_for_the_writes_it_may_hold(west: str) -> None:
    told = at_risk(west, UNWELL)
    assert told.startswith("us-west-2 lost its traffic to health checks and may hold writes that no other Region has")
    assert "the last 3.0 s in us-west-2" in told
    assert "where traffic is now: writes of about the last 1.0 s in us-east-1" in told


def test_a_region_that_is_well_or_still_has_its_traffic_holds_nothing_back() -> None:
    assert "lost its traffic" not in at_risk("ok", UNWELL)
    assert at_risk("failing", {b.WEST: "healthy", b.EAST: "healthy"}).startswith("writes of about the last 3.0 s")


def test_where_traffic_goes_is_unread_for_its_own_reasons_and_not_for_every_other() -> None:
    app = b.weighted_app()
    unread = tuple(
        Unread(topic=topic, subject="x", region=b.EAST, why=why)
        for topic, why in ((Topic.RECORDS, "denied"), (Topic.RECORDS, "denied"), (Topic.SIGNALS, "throttled"))
    )
    (route,) = survey(app, b.facts(app).model_copy(update={"zones": (), "unread": unread})).routes
    assert route.why == "its zone could not be read: denied"
