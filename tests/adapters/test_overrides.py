from pathlib import Path

import pytest

from resilience_cli.adapters.aws.overrides import configured_endpoint, is_aws_own, overrides
from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.errors import UsageError

LOCAL = "http://127.0.0.1:4566"


def told() -> dict[str, str]:
    return {found.service: found.url for found in overrides(Sessions())}


def with_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    config = tmp_path / "config"
    config.write_text(text)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))


def test_without_configuration_there_is_nothing_to_tell() -> None:
    assert told() == {}


def test_the_environments_endpoints_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", LOCAL)
    monkeypatch.setenv("AWS_ENDPOINT_URL_ROUTE_53", "http://localhost:1")
    assert told() == {"every service": LOCAL, "route-53": "http://localhost:1"}


def test_the_profiles_endpoints_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = (
        f"[default]\nservices = mine\nendpoint_url = {LOCAL}\n[services mine]\nhealth =\n  endpoint_url = {LOCAL}/h\n"
    )
    with_profile(monkeypatch, tmp_path, text)
    assert told() == {"health": LOCAL + "/h", "every service": LOCAL}
    assert configured_endpoint(Sessions(), "health") == LOCAL + "/h"
    assert configured_endpoint(Sessions(), "sts") == LOCAL


def test_the_environment_wins_over_the_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with_profile(monkeypatch, tmp_path, "[default]\nendpoint_url = http://localhost:1\n")
    monkeypatch.setenv("AWS_ENDPOINT_URL", LOCAL)
    assert told() == {"every service": LOCAL}
    assert configured_endpoint(Sessions(), "health") == LOCAL


def test_ignored_endpoints_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", LOCAL)
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert told() == {}
    assert configured_endpoint(Sessions(), "health") is None


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ROUTE53", "AWS_ENDPOINT_URL_ROUTE_53"])
@pytest.mark.parametrize(
    "url", ["http://[bad", "http://[::1", "garbage", "127.0.0.1:4566", "ftp://localhost", "http://", "http://host:port"]
)
def test_what_is_no_url_is_told_with_the_variable_it_is_in(
    monkeypatch: pytest.MonkeyPatch, variable: str, url: str
) -> None:
    monkeypatch.setenv(variable, url)
    with pytest.raises(UsageError, match=f"^{variable}=") as refused:
        told()
    assert url in refused.value.message
    with pytest.raises(UsageError, match=f"^{variable}="):
        configured_endpoint(Sessions(), "health")


def test_a_profiles_endpoint_that_is_no_url_is_told_as_the_profiles(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with_profile(monkeypatch, tmp_path, "[default]\nendpoint_url = garbage\n")
    with pytest.raises(UsageError, match="endpoint_url in the profile=garbage"):
        told()


@pytest.mark.parametrize("url", ["http://[::1]:4566", "http://localhost", "https://vpce-1.sts.us-east-1.example.com/x"])
def test_any_host_may_be_an_endpoint(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    assert told() == {"every service": url}


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://sts.us-east-1.amazonaws.com", True),
        ("https://vpce-1.sts.us-east-1.vpce.amazonaws.com", True),
        ("https://sts.us-east-1.api.aws", True),
        ("https://amazonaws.com.example.org", False),
        ("https://evilamazonaws.com", False),
        ("http://127.0.0.1:4566", False),
        ("nonsense", False),
    ],
)
def test_only_hosts_in_aws_domains_are_aws_own(url: str, own: bool) -> None:
    assert is_aws_own(url) is own
