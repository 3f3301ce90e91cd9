"""The account's other zones, looked at within bounds; what was not looked at is said."""

from typing import Any

import pytest
from botocore.stub import Stubber

from resilience_cli.adapters.aws.check_uses import Bounds, CheckUses
from resilience_cli.adapters.aws.route53 import Records
from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.adapters.aws.zones import Zones
from resilience_cli.errors import Denied

from .conftest import EAST, Stub, make_app
from .test_world import all_zones, records

APP = make_app(route={"levers": ["health-check"]})


@pytest.fixture
def answers(stub: Stub) -> Stubber:
    return stub("route53", EAST)


def uses(sessions: Sessions, **bounds: Any) -> CheckUses:
    return CheckUses(Zones(sessions), Records(sessions), Bounds(**bounds))


def test_zones_are_listed_page_by_page_and_the_app_s_own_is_left_out(sessions: Sessions, answers: Stubber) -> None:
    more = {"IsTruncated": True, "NextMarker": "Z3"}
    answers.add_response("list_hosted_zones", all_zones("Z1", "Z2") | more, {"MaxItems": "100"})
    answers.add_response("list_resource_record_sets", records("c1", None), {"HostedZoneId": "Z2", "MaxItems": "300"})
    answers.add_response("list_hosted_zones", all_zones("Z3"), {"MaxItems": "100", "Marker": "Z3"})
    answers.add_response("list_resource_record_sets", records("c2", "c3"), {"HostedZoneId": "Z3", "MaxItems": "300"})
    found = uses(sessions).elsewhere(APP, {"c1", "c2"})
    assert [(use.zone, use.check_id, use.type) for use in found.uses] == [
        ("z2.example.org.", "c1", "A"),
        ("z3.example.org.", "c2", "A"),
    ]
    assert found.missed == ""


def test_a_private_zone_of_the_same_name_is_another_zone(sessions: Sessions, answers: Stubber) -> None:
    listed = all_zones("Z1")
    listed["HostedZones"][0] |= {"Id": "/hostedzone/Z7", "Config": {"PrivateZone": True}}
    answers.add_response("list_hosted_zones", listed)
    answers.add_response("list_resource_record_sets", records("c1"), {"HostedZoneId": "Z7", "MaxItems": "300"})
    assert [use.zone_id for use in uses(sessions).elsewhere(APP, {"c1"}).uses] == ["Z7"]


def test_more_zones_than_are_looked_at_are_said(sessions: Sessions, answers: Stubber) -> None:
    answers.add_response("list_hosted_zones", all_zones("Z1", "Z2", "Z3"))
    answers.add_response("list_resource_record_sets", records("c1"))
    found = uses(sessions, zones=1).elsewhere(APP, {"c1"})
    assert ([use.zone_id for use in found.uses], found.missed) == (["Z2"], "more than 1 other hosted zones")


@pytest.mark.parametrize(("bounds", "said"), [({"records": 1}, "more than 1 records"), ({"look_s": -1}, "not within")])
def test_more_records_or_time_than_a_look_has_are_said(
    sessions: Sessions, answers: Stubber, bounds: dict[str, Any], said: str
) -> None:
    answers.add_response("list_hosted_zones", all_zones("Z2", "Z3"))
    answers.add_response("list_resource_record_sets", records("c1", "c1"))
    assert said in uses(sessions, **bounds).elsewhere(APP, {"c1"}).missed


def test_a_zone_that_may_not_be_read_is_said_and_the_others_are_read(sessions: Sessions, answers: Stubber) -> None:
    answers.add_response("list_hosted_zones", all_zones("Z2", "Z3"))
    answers.add_client_error("list_resource_record_sets", "AccessDenied", http_status_code=403)
    answers.add_response("list_resource_record_sets", records("c1"))
    found = uses(sessions).elsewhere(APP, {"c1"})
    assert [use.zone_id for use in found.uses] == ["Z3"]
    assert "zone z2.example.org. Z2: " in found.missed


def test_a_zone_deleted_meanwhile_uses_nothing(sessions: Sessions, answers: Stubber) -> None:
    answers.add_response("list_hosted_zones", all_zones("Z2"))
    answers.add_client_error("list_resource_record_sets", "NoSuchHostedZone", http_status_code=404)
    assert uses(sessions).elsewhere(APP, {"c1"}) == ((), "")


def test_zones_that_may_not_be_listed_are_not_taken_for_none(sessions: Sessions, answers: Stubber) -> None:
    answers.add_client_error("list_hosted_zones", "AccessDenied", http_status_code=403)
    with pytest.raises(Denied):
        uses(sessions).elsewhere(APP, {"c1"})


def test_what_was_found_whole_is_good_for_a_while_and_what_was_not_is_asked_for_again(
    sessions: Sessions, answers: Stubber
) -> None:
    account = uses(sessions, zones=1)
    answers.add_response("list_hosted_zones", all_zones("Z2", "Z3"))
    answers.add_response("list_resource_record_sets", records("c1"))
    assert account.elsewhere(APP, {"c1"}).missed
    answers.add_response("list_hosted_zones", all_zones("Z2"))
    answers.add_response("list_resource_record_sets", records("c1"))
    whole = account.elsewhere(APP, {"c1"})
    assert account.elsewhere(APP, {"c1"}) is whole
    answers.add_response("list_hosted_zones", all_zones())
    assert account.elsewhere(APP, {"c1", "c2"}).uses == ()
