"""Health checks: the rules on their own, then probes of real sockets."""

import datetime
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from resilience_cli.model.records import Health
from resilience_cli.sandbox.health_checks import (
    AlarmState,
    Config,
    Endpoint,
    HealthChecks,
    Result,
    alarm_health,
    evaluate,
    loopback_only,
    probe,
)

H, U = Health.HEALTHY, Health.UNHEALTHY
FAST = 0.01


def health_of(check_id: str, configs: Mapping[str, Config], **measured: Health) -> Health:
    return evaluate(check_id, configs, lambda known: measured.get(known, H))


# --- The rules -------------------------------------------------------------------------------------------------------


def test_disabled_is_healthy_and_disabled_and_inverted_unhealthy_whatever_was_measured() -> None:
    off: Config = {"Type": "HTTP", "Disabled": True}
    for said in (H, U):
        assert health_of("c", {"c": off}, c=said) is H
        assert health_of("c", {"c": {**off, "Inverted": True}}, c=said) is U


def test_inverted_flips_what_was_measured() -> None:
    config: dict[str, Config] = {"c": {"Type": "RECOVERY_CONTROL", "Inverted": True}}
    assert health_of("c", config, c=H) is U
    assert health_of("c", config, c=U) is H


@pytest.mark.parametrize(("threshold", "health"), [(0, H), (1, H), (2, U), (3, U)])
def test_a_calculated_check_counts_its_children_after_their_own_switches(threshold: int, health: Health) -> None:
    configs: dict[str, Config] = {
        "all": {"Type": "CALCULATED", "ChildHealthChecks": ["a", "b"], "HealthThreshold": threshold},
        "a": {"Type": "TCP"},
        "b": {"Type": "TCP", "Inverted": True},
    }
    assert health_of("all", configs) is health


def test_a_check_that_does_not_exist_or_contains_itself_is_unhealthy() -> None:
    loop = {"a": {"Type": "CALCULATED", "ChildHealthChecks": ["a"], "HealthThreshold": 1}}
    assert health_of("nope", {}) is U
    assert health_of("a", loop) is U


@pytest.mark.parametrize(
    ("state", "when_insufficient", "last", "health"),
    [
        ("OK", "Unhealthy", U, H),
        ("ALARM", "Healthy", H, U),
        ("INSUFFICIENT_DATA", "Healthy", U, H),
        ("INSUFFICIENT_DATA", "Unhealthy", H, U),
        ("INSUFFICIENT_DATA", "LastKnownStatus", H, H),
        ("INSUFFICIENT_DATA", "LastKnownStatus", U, U),
    ],
)
def test_an_alarm_without_enough_data_reads_as_configured(
    state: AlarmState, when_insufficient: str, last: Health, health: Health
) -> None:
    assert alarm_health(state, when_insufficient, last) is health


def test_a_status_changes_only_after_the_threshold_in_a_row() -> None:
    bad, good = Result(False, "Failure"), Result(True, "Success")
    endpoint = Endpoint()
    seen = []
    for result in (bad, bad, good, bad, bad, bad, good, good, good):
        endpoint = endpoint.after(result, 3)
        seen.append(endpoint.healthy)
    assert seen == [True, True, True, True, True, False, False, False, True]


def test_a_sandbox_looks_for_endpoints_on_this_machine_only() -> None:
    assert loopback_only("127.0.0.2", 80) == ("127.0.0.2", 80)
    assert loopback_only("localhost", 80) == ("127.0.0.1", 80)
    assert loopback_only("192.0.2.44", 80) is None
    assert loopback_only("api.example.com", 80) is None


# --- Probes of a real server -----------------------------------------------------------------------------------------


class Site(ThreadingHTTPServer):
    """An endpoint whose answer a test can change, and that remembers the last request's path and headers."""

    status = 200
    body = b"all is well"
    last: tuple[str, str | None] = ("", None)


class Page(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.last = (self.path, self.headers["Host"])
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def endpoint_of(site: Site, **more: Any) -> dict[str, Any]:
    return {"Type": "HTTP", "IPAddress": "127.0.0.1", "Port": site.server_port, "FailureThreshold": 1, **more}


def asked(config: dict[str, Any]) -> Result:
    return probe(config, loopback_only, 1.0)


@pytest.mark.parametrize(("status", "ok"), [(200, True), (302, True), (404, False), (503, False)])
def test_an_http_endpoint_is_healthy_with_2xx_and_3xx(site: Site, status: int, ok: bool) -> None:
    site.status = status
    result = asked(endpoint_of(site))
    assert result.ok is ok
    assert f"HTTP Status Code {status}" in result.words


def test_the_path_and_the_host_header_are_those_configured(site: Site) -> None:
    assert asked(endpoint_of(site, ResourcePath="/ping?x=1", FullyQualifiedDomainName="api.example.com")).ok
    assert site.last == ("/ping?x=1", f"api.example.com:{site.server_port}")


def test_a_string_must_be_in_the_first_5120_bytes_of_the_body(site: Site) -> None:
    config = endpoint_of(site, Type="HTTP_STR_MATCH", SearchString="well")
    assert asked(config).ok
    site.body = b"x" * 5120 + b"well"
    assert not asked(config).ok


def test_a_tcp_endpoint_is_healthy_if_it_accepts(site: Site) -> None:
    assert asked(endpoint_of(site, Type="TCP")).ok
    assert not asked(endpoint_of(site, Type="TCP", IPAddress="127.0.0.9")).ok, "nothing listens there"


def test_an_endpoint_that_does_not_speak_tls_fails_an_https_check(site: Site) -> None:
    assert not asked(endpoint_of(site, Type="HTTPS", FullyQualifiedDomainName="api.example.com", EnableSNI=True)).ok


@pytest.fixture
def secure_site(site: Site, tmp_path: Path) -> Site:
    """The site with a certificate that no one would trust, as Route 53 does not ask."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "someone.example.net")])
    born = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=1)
        .not_valid_before(born)
        .not_valid_after(born + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "site.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    site.socket = context.wrap_socket(site.socket, server_side=True)
    return site


def test_an_https_endpoint_is_asked_without_validating_its_certificate(secure_site: Site) -> None:
    config = endpoint_of(secure_site, Type="HTTPS", FullyQualifiedDomainName="api.example.com", EnableSNI=True)
    assert asked(config).words == "Success: HTTP Status Code 200, OK"


def test_an_address_that_is_not_here_fails_without_a_call() -> None:
    result = asked({"Type": "HTTP", "FullyQualifiedDomainName": "api.example.com"})
    assert not result.ok
    assert "DNS resolution failed" in result.words


def test_a_configured_address_can_be_placed_elsewhere_on_this_machine(site: Site) -> None:
    config = endpoint_of(site, IPAddress="203.0.113.10", Port=80)
    assert probe(config, lambda host, port: ("127.0.0.1", site.server_port), 1.0).ok


# --- The whole of it -------------------------------------------------------------------------------------------------


def checks(configs: dict[str, dict[str, Any]], **more: Any) -> HealthChecks:
    given: dict[str, Any] = {"metric_state": lambda region, name: "OK", "control_on": lambda arn: True}
    return HealthChecks(lambda: dict(configs), **given | more, interval=FAST)


def soon(holds: Callable[[], bool], within: float = 3.0) -> bool:
    until = time.monotonic() + within
    while not holds() and time.monotonic() < until:
        time.sleep(FAST)
    return holds()


def test_an_endpoint_that_dies_turns_unhealthy_and_recovers(site: Site) -> None:
    with checks({"c": endpoint_of(site, FailureThreshold=3)}) as health:
        assert health.healthy("c"), "a new check starts healthy"
        site.status = 503
        assert soon(lambda: not health.healthy("c"))
        assert health.observation("c").startswith("Failure: HTTP Status Code 503")
        site.status = 200
        assert soon(lambda: health.healthy("c"))


def test_a_disabled_check_is_not_probed(site: Site) -> None:
    with checks({"off": endpoint_of(site, Disabled=True), "on": endpoint_of(site)}) as health:
        assert soon(lambda: "HTTP Status" in health.observation("on"))
        assert health.observation("off") == Endpoint().words


def test_a_routing_control_decides_without_a_probe() -> None:
    states = {"arn:west": True}
    health = checks(
        {"west": {"Type": "RECOVERY_CONTROL", "RoutingControlArn": "arn:west"}}, control_on=states.__getitem__
    )
    assert health.healthy("west")
    states["arn:west"] = False
    assert not health.healthy("west")


def test_last_known_status_is_what_the_alarm_said_while_no_one_asked() -> None:
    state: dict[tuple[str, str], AlarmState] = {("us-east-1", "stop"): "INSUFFICIENT_DATA"}
    rounds = []

    def metric_state(region: str, name: str) -> AlarmState:
        rounds.append(name)
        return state[region, name]

    config = {
        "Type": "CLOUDWATCH_METRIC",
        "AlarmIdentifier": {"Region": "us-east-1", "Name": "stop"},
        "InsufficientDataHealthStatus": "LastKnownStatus",
    }
    with checks({"c": config}, metric_state=metric_state) as health:
        assert health.healthy("c"), "new: healthy"
        state["us-east-1", "stop"] = "ALARM"
        before = len(rounds)
        assert soon(lambda: len(rounds) > before + 1)
        state["us-east-1", "stop"] = "INSUFFICIENT_DATA"
        assert not health.healthy("c")


def test_an_alarm_that_does_not_exist_is_insufficient_data() -> None:
    config: Config = {
        "Type": "CLOUDWATCH_METRIC",
        "AlarmIdentifier": {"Region": "us-east-1", "Name": "gone"},
        "InsufficientDataHealthStatus": "Unhealthy",
    }
    health = HealthChecks(lambda: {"c": config}, metric_state=lambda region, name: None, control_on=lambda arn: True)
    assert not health.healthy("c")


def test_a_check_that_is_gone_is_forgotten(site: Site) -> None:
    site.status = 503
    configs = {"c": endpoint_of(site)}
    with checks(configs) as health:
        assert soon(lambda: not health.healthy("c"))
        del configs["c"]
        assert soon(lambda: health.observation("c") == Endpoint().words)


def test_a_broken_configuration_does_not_end_the_checking_of_others(site: Site, caplog: Any) -> None:
    configs: dict[str, dict[str, Any]] = {"broken": {}}
    with checks(configs) as health:
        assert soon(lambda: bool(caplog.records))
        del configs["broken"]
        configs["c"] = endpoint_of(site)
        assert soon(lambda: "HTTP Status" in health.observation("c"))


def test_stopping_leaves_no_thread_behind(site: Site) -> None:
    with checks({"c": endpoint_of(site)}) as health:
        assert soon(lambda: "HTTP Status" in health.observation("c"))
    assert not [t for t in threading.enumerate() if t.name.startswith("health-")]
    health.stop()
