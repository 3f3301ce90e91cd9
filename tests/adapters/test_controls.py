"""The five endpoints of an ARC cluster, each with its own Stubber: which are asked, in what order, and when to stop."""

import random
from typing import Any

import pytest
from botocore.stub import Stubber

from resilience_cli.adapters.aws.controls import CLUSTER, Cluster
from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.errors import (
    AwsTrouble,
    Conflicting,
    Denied,
    Malformed,
    SafetyRule,
    Throttled,
    Uncertain,
    Unreachable,
    UsageError,
)
from resilience_cli.model.app import Arc
from resilience_cli.model.effects import ControlChange, ControlsEffect

from .conftest import EAST, EAST_CONTROL, PANEL, WEST, WEST_CONTROL, Stub

REGIONS = (WEST, EAST, "eu-west-1")
URLS = {region: f"https://cluster.{region}.example.com" for region in REGIONS}
ARC = Arc.model_validate({"cluster": [{"region": region, "endpoint": url} for region, url in URLS.items()]})
RULE = f"{PANEL}/safetyrule/abcdef0123456789"
LIST, SET = "list_routing_controls", "update_routing_control_states"
DONE = {"ResponseMetadata": {"RequestId": "1"}}  # all there is in ARC's answer


class InOrder(random.Random):
    """Leaves the endpoints in the order of the config."""

    def shuffle(self, x: Any) -> None:
        pass


@pytest.fixture
def cluster(sessions: Sessions) -> Cluster:
    return Cluster(ARC, sessions, InOrder())


@pytest.fixture
def reads(stub: Stub) -> dict[str, Stubber]:
    return {region: stub(CLUSTER, region, endpoint=url, elsewhere=True) for region, url in URLS.items()}


@pytest.fixture
def writes(stub: Stub) -> dict[str, Stubber]:
    return {region: stub(CLUSTER, region, endpoint=url, writes=True) for region, url in URLS.items()}


def states(west: str = "On", east: str = "On") -> dict[str, Any]:
    found = ((WEST_CONTROL, west), (EAST_CONTROL, east))
    return {"RoutingControls": [{"RoutingControlArn": arn, "RoutingControlState": state} for arn, state in found]}


def effect(avoid: str | None = None, rules: tuple[str, ...] = ()) -> ControlsEffect:
    """West Off, East stays On, in one call."""
    west = ControlChange(arn=WEST_CONTROL, region=WEST, before="On", after="Off")
    east = ControlChange(arn=EAST_CONTROL, region=EAST, before="On", after="On")
    return ControlsEffect(controls=(west, east), avoid=avoid, override_rules=rules)


ENTRIES = [
    {"RoutingControlArn": WEST_CONTROL, "RoutingControlState": "Off"},
    {"RoutingControlArn": EAST_CONTROL, "RoutingControlState": "On"},
]


def test_states_are_read_in_one_list_and_say_who_told(cluster: Cluster, reads: dict[str, Stubber]) -> None:
    reads[WEST].add_response(LIST, states(west="Off"), {"ControlPanelArn": PANEL})
    west, east = cluster.read([WEST_CONTROL, EAST_CONTROL])
    assert (west.state, east.state, west.read_at) == ("Off", "On", URLS[WEST])


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("EndpointTemporarilyUnavailableException", 503),
        ("InternalServerException", 500),
        ("ThrottlingException", 429),
    ],
)
def test_an_endpoint_that_gives_no_answer_leads_to_the_next(
    sessions: Sessions, reads: dict[str, Stubber], code: str, status: int
) -> None:
    reads[WEST].add_client_error(LIST, code, http_status_code=status)
    reads[EAST].add_response(LIST, states())
    found = Cluster(ARC, sessions, InOrder()).read([WEST_CONTROL])
    assert found[0].read_at == URLS[EAST]


def test_the_region_being_left_is_asked_last(cluster: Cluster, reads: dict[str, Stubber]) -> None:
    reads[EAST].add_response(LIST, states())
    assert cluster.read([WEST_CONTROL], avoid=WEST)[0].read_at == URLS[EAST]


def test_where_listing_is_denied_each_control_is_asked_for(cluster: Cluster, reads: dict[str, Stubber]) -> None:
    reads[WEST].add_client_error(LIST, "AccessDeniedException", http_status_code=403)
    answer = {"RoutingControlArn": WEST_CONTROL, "RoutingControlState": "On", "RoutingControlName": "west"}
    reads[WEST].add_response("get_routing_control_state", answer, {"RoutingControlArn": WEST_CONTROL})
    assert cluster.read([WEST_CONTROL])[0].name == "west"


def test_all_controls_are_set_in_one_call_with_the_rules_overridden_by_name(
    cluster: Cluster, reads: dict[str, Stubber], writes: dict[str, Stubber]
) -> None:
    reads[WEST].add_response(LIST, states())
    asked = {"UpdateRoutingControlStateEntries": ENTRIES, "SafetyRulesToOverride": [RULE]}
    writes[WEST].add_response(SET, DONE, asked)
    assert cluster.set(effect(rules=(RULE,))).endpoint == URLS[WEST]


def test_a_control_someone_else_switched_is_a_conflict_and_nothing_is_set(
    cluster: Cluster, reads: dict[str, Stubber]
) -> None:
    reads[WEST].add_response(LIST, states(east="Off"))
    with pytest.raises(Conflicting, match=EAST_CONTROL):
        cluster.set(effect())


@pytest.mark.parametrize(
    ("message", "waiting"),
    [
        (f"The update was refused by the safety rule {RULE}.", False),
        (f"The safety rule {RULE} is in its wait period. Try again.", True),
        (f"Safety rule {RULE} was evaluated a moment ago; retry later", True),
    ],
)
def test_a_safety_rules_refusal_names_the_rule_is_asked_nowhere_else_and_tells_waiting_from_no(
    cluster: Cluster, reads: dict[str, Stubber], writes: dict[str, Stubber], message: str, waiting: bool
) -> None:
    reads[WEST].add_response(LIST, states())
    writes[WEST].add_client_error(SET, "ConflictException", message, http_status_code=409)
    with pytest.raises(SafetyRule) as refused:
        cluster.set(effect())
    assert (refused.value.rules, refused.value.waiting) == ((RULE,), waiting)


@pytest.mark.parametrize(("code", "means"), [("AccessDeniedException", Denied), ("ValidationException", Malformed)])
def test_a_refusal_is_the_same_everywhere_and_ends_the_search(
    cluster: Cluster, reads: dict[str, Stubber], writes: dict[str, Stubber], code: str, means: type[AwsTrouble]
) -> None:
    reads[WEST].add_response(LIST, states())
    writes[WEST].add_client_error(SET, code)
    with pytest.raises(means):
        cluster.set(effect())


def test_an_uncertain_set_that_is_seen_to_hold_elsewhere_is_done(
    cluster: Cluster, reads: dict[str, Stubber], writes: dict[str, Stubber]
) -> None:
    reads[WEST].add_response(LIST, states())
    writes[WEST].add_client_error(SET, "InternalServerException", http_status_code=500)
    reads[EAST].add_response(LIST, states(west="Off"))
    assert cluster.set(effect()).endpoint == URLS[WEST]


def test_an_uncertain_set_that_is_not_seen_is_asked_for_at_the_next_endpoint(
    cluster: Cluster, reads: dict[str, Stubber], writes: dict[str, Stubber]
) -> None:
    reads[WEST].add_response(LIST, states())
    writes[WEST].add_client_error(SET, "InternalServerException", http_status_code=500)
    reads[EAST].add_response(LIST, states())  # settling: not there
    reads[EAST].add_response(LIST, states())  # the look before setting
    writes[EAST].add_response(SET, DONE)
    assert cluster.set(effect()).endpoint == URLS[EAST]


def test_a_refusal_after_an_uncertain_set_is_settled_by_reading_not_taken_for_a_no(
    cluster: Cluster, reads: dict[str, Stubber], writes: dict[str, Stubber]
) -> None:
    """The first set arrives late: the wait period it started refuses the second."""
    reads[WEST].add_response(LIST, states())
    writes[WEST].add_client_error(SET, "InternalServerException", http_status_code=500)
    reads[EAST].add_response(LIST, states())
    reads[EAST].add_response(LIST, states())
    writes[EAST].add_client_error(SET, "ConflictException", f"{RULE} is in its wait period", http_status_code=409)
    reads["eu-west-1"].add_response(LIST, states(west="Off"))
    assert cluster.set(effect()).endpoint == URLS[EAST]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("AccessDeniedException", 403),
        ("ConflictException", 409),
        ("ExpiredTokenException", 403),
        ("ResourceNotFoundException", 404),
        ("ValidationException", 400),
    ],
)
def test_whatever_is_told_after_an_uncertain_set_does_not_make_it_a_refusal(
    cluster: Cluster, reads: dict[str, Stubber], writes: dict[str, Stubber], code: str, status: int
) -> None:
    reads[WEST].add_response(LIST, states())
    writes[WEST].add_client_error(SET, "InternalServerException", http_status_code=500)
    reads[EAST].add_response(LIST, states())  # settling: not there yet
    reads[EAST].add_response(LIST, states())  # the look before setting
    writes[EAST].add_client_error(SET, code, http_status_code=status)
    reads["eu-west-1"].add_response(LIST, states())
    with pytest.raises(Uncertain, match=code):
        cluster.set(effect())


def test_credentials_that_expire_after_an_uncertain_set_leave_it_uncertain(
    cluster: Cluster, reads: dict[str, Stubber], writes: dict[str, Stubber]
) -> None:
    reads[WEST].add_response(LIST, states())
    writes[WEST].add_client_error(SET, "InternalServerException", http_status_code=500)
    for region in (EAST, EAST, "eu-west-1"):  # settling, the look before setting, settling again
        reads[region].add_client_error(LIST, "ExpiredTokenException", http_status_code=403)
    with pytest.raises(Uncertain, match="ExpiredTokenException"):
        cluster.set(effect())


def test_credentials_that_expire_before_anything_was_sent_are_told_as_they_are(
    cluster: Cluster, reads: dict[str, Stubber]
) -> None:
    reads[WEST].add_client_error(LIST, "ExpiredTokenException", http_status_code=403)
    with pytest.raises(UsageError):
        cluster.set(effect())


def test_a_control_that_stands_otherwise_after_an_uncertain_set_leaves_it_uncertain(
    cluster: Cluster, reads: dict[str, Stubber], writes: dict[str, Stubber]
) -> None:
    reads[WEST].add_response(LIST, states())
    writes[WEST].add_client_error(SET, "InternalServerException", http_status_code=500)
    reads[EAST].add_response(LIST, states())
    reads[EAST].add_response(LIST, states(east="Off"))
    reads["eu-west-1"].add_response(LIST, states(east="Off"))
    with pytest.raises(Uncertain, match=EAST_CONTROL):
        cluster.set(effect())


def test_an_answer_to_a_set_that_is_not_arcs_is_settled_at_another_endpoint(
    cluster: Cluster, reads: dict[str, Stubber], writes: dict[str, Stubber]
) -> None:
    """A proxy's page with status 200: the SDK reads it as an answer without members."""
    reads[WEST].add_response(LIST, states())
    writes[WEST].add_response(SET, {})
    reads[EAST].add_response(LIST, states())
    reads[EAST].add_response(LIST, states())
    writes[EAST].add_response(SET, DONE)
    assert cluster.set(effect()).endpoint == URLS[EAST]


def test_when_no_endpoint_answers_before_setting_nothing_was_sent(cluster: Cluster, reads: dict[str, Stubber]) -> None:
    for answers in reads.values():
        answers.add_client_error(LIST, "InternalServerException", http_status_code=500)
    with pytest.raises(Unreachable):
        cluster.set(effect())


def test_when_one_attempt_was_uncertain_and_nobody_can_tell_the_whole_is_uncertain(
    cluster: Cluster, reads: dict[str, Stubber], writes: dict[str, Stubber]
) -> None:
    reads[WEST].add_response(LIST, states())
    writes[WEST].add_client_error(SET, "InternalServerException", http_status_code=500)
    for region in (EAST, "eu-west-1", EAST, "eu-west-1"):  # settling, then the looks before setting
        reads[region].add_client_error(LIST, "InternalServerException", http_status_code=500)
    with pytest.raises(Uncertain):
        cluster.set(effect())


def test_a_throttled_set_goes_to_the_next_endpoint(
    cluster: Cluster, reads: dict[str, Stubber], writes: dict[str, Stubber]
) -> None:
    for region in REGIONS:
        reads[region].add_response(LIST, states())
        writes[region].add_client_error(SET, "ThrottlingException", http_status_code=429)
    with pytest.raises(Throttled):
        cluster.set(effect())


def test_more_than_ten_controls_in_one_change_are_not_sent(cluster: Cluster) -> None:
    change = ControlChange(arn=WEST_CONTROL, region=WEST, before="On", after="Off")
    with pytest.raises(Malformed):
        cluster.set(ControlsEffect(controls=(change,) * 11))


def test_the_order_is_by_chance_so_that_not_everyone_meets_the_endpoint_that_is_away(sessions: Sessions) -> None:
    orders = {
        tuple(endpoint.region for endpoint in Cluster(ARC, sessions, random.Random(seed))._order(WEST))
        for seed in range(20)
    }
    assert len(orders) == 2
    assert {order[-1] for order in orders} == {WEST}
