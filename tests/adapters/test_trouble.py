import pytest
from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from resilience_cli.adapters.aws.trouble import trouble
from resilience_cli.errors import (
    AwsTrouble,
    Conflicting,
    Denied,
    Malformed,
    NotFound,
    Throttled,
    Uncertain,
    Unreachable,
    UsageError,
)

WHAT = "route53 GetChange in us-east-1"


def refused(code: str, status: int = 400, message: str = "words") -> sdk.ClientError:
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return sdk.ClientError(answer, "GetChange")  # type: ignore[arg-type]  # as much of an answer as is read


@pytest.mark.parametrize(
    ("code", "status", "means"),
    [
        ("AccessDenied", 403, Denied),
        ("AccessDeniedException", 400, Denied),
        ("SubscriptionRequiredException", 400, Denied),
        ("UnrecognizedClientException", 400, Denied),
        ("InvalidClientTokenId", 403, Denied),
        ("Throttling", 400, Throttled),
        ("ThrottlingException", 429, Throttled),
        ("PriorRequestNotComplete", 400, Throttled),
        ("SomethingNew", 429, Throttled),
        ("NoSuchHostedZone", 404, NotFound),
        ("NoSuchHealthCheck", 404, NotFound),
        ("NoSuchChange", 404, NotFound),
        ("ResourceNotFoundException", 400, NotFound),
        ("InvalidChangeBatch", 400, Conflicting),
        ("HealthCheckVersionMismatch", 409, Conflicting),
        ("ConflictException", 409, Conflicting),
        ("ValidationException", 400, Malformed),
        ("InvalidInput", 400, Malformed),
        ("SomethingNew", 400, Malformed),
        ("InternalFailure", 500, Uncertain),
        ("ServiceUnavailable", 503, Uncertain),
        ("EndpointTemporarilyUnavailableException", 503, Uncertain),
        ("RequestTimeout", 408, Uncertain),
        ("502", 502, Uncertain),
        ("SomethingNew", 500, Uncertain),
        ("403", 403, Denied),
        ("ExpiredToken", 403, UsageError),
        ("ExpiredTokenException", 400, UsageError),
    ],
)
def test_a_refusal_means_what_its_code_says_and_else_what_its_status_says(
    code: str, status: int, means: type[Exception]
) -> None:
    told = trouble(refused(code, status), WHAT)
    assert type(told) is means
    assert code in str(told)
    if isinstance(told, AwsTrouble):
        assert told.code == code


@pytest.mark.parametrize(
    ("error", "means"),
    [
        (sdk.EndpointConnectionError(endpoint_url="https://x"), Unreachable),
        (sdk.ConnectTimeoutError(endpoint_url="https://x"), Unreachable),
        (sdk.ProxyConnectionError(proxy_url="http://p"), Unreachable),
        (sdk.ReadTimeoutError(endpoint_url="https://x"), Uncertain),
        (sdk.ConnectionClosedError(endpoint_url="https://x"), Uncertain),
        (sdk.SSLError(endpoint_url="https://x", error=OSError("bad certificate")), Uncertain),
        (sdk.HTTPClientError(error="reset"), Uncertain),
        (sdk.IncompleteReadError(actual_bytes=1, expected_bytes=2), Uncertain),
        (ResponseParserError("not xml"), Uncertain),
        (ConnectionResetError(104, "reset"), Uncertain),
        (KeyError("Id"), Uncertain),
        (sdk.ParamValidationError(report="Weight"), Malformed),
        (sdk.NoRegionError(), Malformed),
        (sdk.NoCredentialsError(), UsageError),
        (sdk.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), UsageError),
        (sdk.ProfileNotFound(profile="nobody"), UsageError),
        (sdk.UnauthorizedSSOTokenError(), UsageError),
        (sdk.TokenRetrievalError(provider="sso", error_msg="expired"), UsageError),
        (sdk.CredentialRetrievalError(provider="process", error_msg="failed"), UsageError),
    ],
)
def test_without_an_answer_only_what_was_surely_not_sent_is_certain(error: Exception, means: type[Exception]) -> None:
    assert type(trouble(error, WHAT)) is means


def test_our_own_errors_pass_through_unchanged() -> None:
    ours = Denied("no")
    assert trouble(ours, WHAT) is ours


def test_what_is_told_is_one_line_with_a_cure_for_credentials() -> None:
    told = trouble(sdk.ProfileNotFound(profile="nobody"), WHAT)
    assert isinstance(told, UsageError)
    assert "\n" not in told.message
    assert "AWS_PROFILE" in told.hint


def test_the_list_of_messages_of_a_change_batch_is_kept() -> None:
    answer = {"Error": {"Code": "InvalidChangeBatch", "Message": ""}, "messages": ["first", "second"]}
    error = sdk.ClientError(answer, "ChangeResourceRecordSets")  # type: ignore[arg-type]
    assert "first; second" in str(trouble(error, WHAT))
