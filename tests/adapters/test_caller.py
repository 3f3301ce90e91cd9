import pytest

from resilience_cli.adapters.aws.caller import caller
from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.errors import Uncertain, UsageError

from .conftest import EAST, WEST, Stub, make_app

WHO = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/oncall", "UserId": "AIDA1"}


def test_the_standby_region_is_asked_first(sessions: Sessions, stub: Stub) -> None:
    stub("sts", EAST, elsewhere=True).add_response("get_caller_identity", WHO)
    assert caller(make_app(), sessions).account == "123456789012"


def test_a_region_that_does_not_answer_does_not_hide_the_caller(sessions: Sessions, stub: Stub) -> None:
    stub("sts", EAST, elsewhere=True).add_client_error("get_caller_identity", "InternalFailure", http_status_code=500)
    stub("sts", WEST, elsewhere=True).add_response("get_caller_identity", WHO)
    assert caller(make_app(), sessions).arn == WHO["Arn"]


def test_credentials_that_every_region_refuses_are_a_usage_error(sessions: Sessions, stub: Stub) -> None:
    for region in (EAST, WEST):
        answers = stub("sts", region, elsewhere=True)
        answers.add_client_error("get_caller_identity", "InvalidClientTokenId", http_status_code=403)
    with pytest.raises(UsageError, match="refuses these credentials"):
        caller(make_app(), sessions)


def test_no_answer_anywhere_is_no_answer(sessions: Sessions, stub: Stub) -> None:
    for region in (EAST, WEST):
        answers = stub("sts", region, elsewhere=True)
        answers.add_client_error("get_caller_identity", "ServiceUnavailable", http_status_code=503)
    with pytest.raises(Uncertain):
        caller(make_app(), sessions)
