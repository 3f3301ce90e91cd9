"""A profile with a role: STS over real HTTP, its Regions told apart by what each request is signed for."""

import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from resilience_cli.adapters.aws import write_guard
from resilience_cli.adapters.aws.bounded import Patience
from resilience_cli.adapters.aws.caller import caller, sts_order
from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.adapters.aws.world import AwsWorld
from resilience_cli.errors import UsageError
from resilience_cli.model.facts import Topic
from resilience_cli.observe import gather

from .conftest import EAST, NOW, OBSERVER, WEST, make_app, now
from .test_bounded import SHORT

ROLE = "arn:aws:iam::123456789012:role/oncall"
ASSUMED = "arn:aws:sts::123456789012:assumed-role/oncall/kim"
EXPIRES = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)


class Sts(ThreadingHTTPServer):
    """STS in every Region: ``hanging`` and ``refusing`` Regions, and who was asked for what."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hanging: set[str] = set()
        self.refusing: dict[str, tuple[int, str]] = {}
        self.asked: list[tuple[str, str]] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def asked_for(self, operation: str) -> list[str]:
        return [region for asked, region in self.asked if asked == operation]


class _Handler(BaseHTTPRequestHandler):
    server: Sts

    def do_POST(self) -> None:
        body = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/", self.headers.get("Authorization", ""))
        region = scope.group(1) if scope else ""
        operation = body.get("Action", [""])[0]
        self.server.asked.append((operation, region))
        if region in self.server.hanging:
            self.server.over.wait(20)
            return
        status, code = self.server.refusing.get(region, (200, ""))
        self._answer(status, _refusal(code) if code else _ANSWERS[operation])

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


def _refusal(code: str) -> str:
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>said {code}</Message></Error></ErrorResponse>"


_ANSWERS = {
    "AssumeRole": f"""<AssumeRoleResponse><AssumeRoleResult>
        <AssumedRoleUser><Arn>{ASSUMED}</Arn><AssumedRoleId>AROA1:kim</AssumedRoleId></AssumedRoleUser>
        <Credentials><AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId><SecretAccessKey>not-a-secret</SecretAccessKey>
        <SessionToken>token</SessionToken><Expiration>{EXPIRES:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>
        </AssumeRoleResult></AssumeRoleResponse>""",
    "GetCallerIdentity": f"""<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{ASSUMED}</Arn>
        <UserId>AROA1:kim</UserId><Account>123456789012</Account></GetCallerIdentityResult>
        </GetCallerIdentityResponse>""",
}


@pytest.fixture
def sts() -> Iterator[Sts]:
    with Sts() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def role(sts: Sts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment of an operator whose profile assumes a role."""
    config = tmp_path / "config"
    config.write_text(f"[profile oncall]\nrole_arn = {ROLE}\nsource_profile = keys\nregion = {WEST}\n[profile keys]\n")
    keys = tmp_path / "credentials"
    keys.write_text("[keys]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = not-a-secret\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    settings = {"AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": keys, "AWS_PROFILE": "oncall"}
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)


class RealClock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


APP = make_app()
ORDER = sts_order(APP)


def sessions(patience: Patience = SHORT, regions: tuple[str, ...] = ORDER) -> Sessions:
    return Sessions(sts_regions=regions, patience=patience)


def test_the_order_is_what_is_preferred_then_standby_primary_observer() -> None:
    assert ORDER == (EAST, WEST, OBSERVER)
    assert sts_order(APP, (WEST, "eu-west-1")) == (WEST, EAST, OBSERVER)


def test_a_role_is_assumed_in_the_preferred_region_not_the_profile_s(role: None, sts: Sts) -> None:
    who = caller(APP, sessions())
    assert (who.arn, who.expires_at) == (ASSUMED, EXPIRES)
    assert sts.asked == [("AssumeRole", EAST), ("GetCallerIdentity", EAST)]


def test_a_region_whose_sts_hangs_costs_its_silence_and_no_more(role: None, sts: Sts) -> None:
    sts.hanging = {EAST}
    began = time.monotonic()
    assert caller(APP, sessions(Patience(0.1, 8))).arn == ASSUMED
    assert time.monotonic() - began < 3
    assert sts.asked_for("AssumeRole") == [EAST, WEST]


def test_a_region_that_fails_leads_to_the_next_at_once(role: None, sts: Sts) -> None:
    sts.refusing = {EAST: (503, "ServiceUnavailable"), WEST: (403, "RegionDisabledException")}
    assert sessions(Patience(5, 8)).credentials().access_key == "ASIAIOSFODNN7EXAMPLE"
    assert sts.asked_for("AssumeRole") == [EAST, WEST, OBSERVER]


def test_a_refusal_is_the_operator_s_to_mend_and_asked_for_once(role: None, sts: Sts) -> None:
    sts.refusing = dict.fromkeys(ORDER, (403, "AccessDenied"))
    with pytest.raises(UsageError, match="AWS gives no credentials: sts AssumeRole in us-east-1: AccessDenied"):
        sessions().credentials()
    assert sts.asked_for("AssumeRole") == [EAST]


def test_no_sts_anywhere_ends_a_whole_look_at_once_and_is_named_as_the_cause(role: None, sts: Sts) -> None:
    """Every read needs the credentials; only one of them asks, and none of the others is blamed."""
    sts.hanging = set(ORDER)
    checked = {"endpoints": {region: {"health_check": f"c-{region}"} for region in (WEST, EAST)}}
    app = make_app({"kind": "alarm", "names": ["orders-*"], "from": [WEST, EAST]}, route=checked)
    world = AwsWorld(sessions(), app, now=now)
    topics = frozenset({Topic.CALLER, Topic.RECORDS, Topic.CHECKS, Topic.SIGNALS})
    began = time.monotonic()
    with pytest.raises(UsageError, match="STS gave no answer to AssumeRole in any Region: us-east-1") as told:
        gather(world, app, RealClock(), topics=topics)
    assert time.monotonic() - began < 3
    assert "AWS_PROFILE" in told.value.hint
    assert sts.asked == [("AssumeRole", region) for region in ORDER]


def test_a_failure_to_renew_is_not_asked_for_again_by_every_call(role: None, sts: Sts) -> None:
    known = sessions()
    known.credentials()
    sts.refusing = dict.fromkeys(ORDER, (503, "ServiceUnavailable"))
    _expire(known)
    for _ in range(3):
        with pytest.raises(UsageError, match="ServiceUnavailable"):
            known.reader("sts", EAST, elsewhere=True).ask("GetCallerIdentity")
    assert sts.asked_for("AssumeRole") == [EAST, *ORDER]


def _expire(known: Sessions) -> None:
    credentials: Any = known._session.get_credentials()
    credentials._expiry_time = datetime.now(UTC) - timedelta(seconds=1)
    credentials._refresh_using.__self__._cache.clear()


def test_roles_are_assumed_under_the_write_guard_too(role: None, sts: Sts) -> None:
    guard = write_guard.install()
    try:
        assert caller(APP, sessions()).arn == ASSUMED
    finally:
        guard.uninstall()
    assert guard.refused == []


def test_keys_that_do_not_expire_say_so(sts: Sts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
    assert caller(APP, sessions()).expires_at is None


def test_keys_of_the_environment_that_expire_say_when(sts: Sts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", EXPIRES.isoformat())
    assert caller(APP, sessions()).expires_at == EXPIRES


def test_a_web_identity_s_role_is_assumed_in_another_region_too(
    sts: Sts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Such a request is not signed, and so looks the same wherever it goes: here every Region is the one server."""
    token = tmp_path / "token"
    token.write_text("a.web.token")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    sts.refusing = {"": (503, "ServiceUnavailable")}
    with pytest.raises(UsageError, match=r"in us-east-1: .*us-west-2: .*us-east-2"):
        sessions().credentials()
    assert sts.asked == [("AssumeRoleWithWebIdentity", "")] * 3
