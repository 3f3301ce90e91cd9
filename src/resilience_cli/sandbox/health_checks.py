"""The health of Route 53 health checks in the sandbox: real probes of endpoints, and what the switches make of them.

``evaluate`` is pure: a configuration as the API gives it and what was observed make the health. ``HealthChecks``
observes: a background thread probes every endpoint check at one short interval, whatever RequestInterval asks, so that
a drill shows in a second what takes AWS three probes of 10 or 30 seconds. Rules: ``HealthCheckConfig`` in the API
reference; developer guide, "How Amazon Route 53 determines whether a health check is healthy".
"""

import http.client
import ipaddress
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, NamedTuple, Self

from ..model.records import CheckSwitch, Health
from ..routing import calculated, switched

Config = Mapping[str, Any]  # the members of HealthCheckConfig by their model names
AlarmState = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Locate = Callable[[str, int], tuple[str, int] | None]
"""Where, on this machine, a check's IPAddress (or else its domain name) and port are. None: does not resolve."""

ENDPOINT_TYPES = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")
_SEARCHED = 5120  # bytes of the body that the ..._STR_MATCH types look at
_WORKERS = 8


class Result(NamedTuple):
    """One probe, in the words of GetHealthCheckStatus."""

    ok: bool
    words: str


class Endpoint(NamedTuple):
    """What the probes of one endpoint add up to. A new check is healthy until it has failed often enough."""

    healthy: bool = True
    against: int = 0  # probes in a row that contradict ``healthy``
    words: str = "Success: not probed yet"

    def after(self, result: Result, threshold: int) -> "Endpoint":
        """FailureThreshold probes in a row change the status, in either direction."""
        against = 0 if result.ok == self.healthy else self.against + 1
        if against >= threshold:
            return Endpoint(result.ok, 0, result.words)
        return Endpoint(self.healthy, against, result.words)


def evaluate(
    check_id: str, configs: Mapping[str, Config], measured: Callable[[str], Health], above: frozenset[str] = frozenset()
) -> Health:
    """A check's health. ``measured``: what a check's endpoint, alarm or routing control says, before its switches.

    A check that does not exist, or is its own descendant, is unhealthy: AWS calls a deleted check's influence
    unpredictable, and a drill should show it.
    """
    config = configs.get(check_id)
    if config is None or check_id in above:
        return Health.UNHEALTHY
    if config["Type"] == "CALCULATED":
        children = config.get("ChildHealthChecks", ())
        below = [evaluate(child, configs, measured, above | {check_id}) for child in children]
        health = calculated(config.get("HealthThreshold", len(below)), below)
    else:
        health = measured(check_id)
    return switched(CheckSwitch(disabled=_is_on(config, "Disabled"), inverted=_is_on(config, "Inverted")), health)


def alarm_health(state: AlarmState, when_insufficient: str, last_known: Health) -> Health:
    """A CLOUDWATCH_METRIC check's health by its alarm's metric. ``last_known`` of a new check is healthy."""
    match state:
        case "OK":
            return Health.HEALTHY
        case "ALARM":
            return Health.UNHEALTHY
        case "INSUFFICIENT_DATA":
            return {"Healthy": Health.HEALTHY, "Unhealthy": Health.UNHEALTHY}.get(when_insufficient, last_known)


def loopback_only(host: str, port: int) -> tuple[str, int] | None:
    """The default place of endpoints: as configured if that is this machine, else nowhere. A sandbox calls no other."""
    if host.rstrip(".").lower() == "localhost":
        return "127.0.0.1", port
    try:
        return (host, port) if ipaddress.ip_address(host).is_loopback else None
    except ValueError:
        return None


class HealthChecks:
    """Observes and answers for all health checks of the sandbox.

    configs        the checks that exist now, by id: HealthCheckConfig by its members' model names
    metric_state   (Region, alarm name) -> what the alarm's metric says now, not what SetAlarmState said;
                   None for an alarm that does not exist, which reads as insufficient data
    control_on     routing control ARN -> whether it is On; False for one that does not exist
    locate         where a configured address is on this machine; by default loopback addresses are themselves
    interval       seconds between two probes of one endpoint; a status changes after FailureThreshold of them
    timeout        seconds for connecting, and again for the answer (AWS: 4 and 2)

    The callables are called from the probing thread and from whoever asks, and never under a lock of this class.
    """

    def __init__(
        self,
        configs: Callable[[], Mapping[str, Config]],
        *,
        metric_state: Callable[[str, str], AlarmState | None],
        control_on: Callable[[str], bool],
        locate: Locate = loopback_only,
        interval: float = 0.25,
        timeout: float = 1.0,
    ) -> None:
        self._configs, self._metric_state, self._control_on = configs, metric_state, control_on
        self._locate, self._interval, self._timeout = locate, interval, timeout
        self._guard = threading.Lock()
        self._endpoints: dict[str, Endpoint] = {}
        self._last_alarm: dict[str, Health] = {}
        self._in_flight: set[str] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health-checks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when no probe is under way: at most about two timeouts. A second call does nothing."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def healthy(self, check_id: str) -> bool:
        """Whether Route 53 considers the check healthy now."""
        configs = self._configs()
        return evaluate(check_id, configs, lambda known: self._measured(known, configs[known])) is Health.HEALTHY

    def observation(self, check_id: str) -> str:
        """The last probe in the words of GetHealthCheckStatus: ``Success: ...`` or ``Failure: ...``."""
        with self._guard:
            return self._endpoints.get(check_id, Endpoint()).words

    def _measured(self, check_id: str, config: Config) -> Health:
        match config["Type"]:
            case "RECOVERY_CONTROL":
                return _health(self._control_on(config["RoutingControlArn"]))
            case "CLOUDWATCH_METRIC":
                return self._by_alarm(check_id, config)
            case _:
                with self._guard:
                    return _health(self._endpoints.get(check_id, Endpoint()).healthy)

    def _by_alarm(self, check_id: str, config: Config) -> Health:
        """Asked by every round too, so that what was last known is from the last time there was enough data."""
        alarm = config["AlarmIdentifier"]
        state = self._metric_state(alarm["Region"], alarm["Name"]) or "INSUFFICIENT_DATA"
        with self._guard:
            last = self._last_alarm.get(check_id, Health.HEALTHY)
            if state != "INSUFFICIENT_DATA":
                self._last_alarm[check_id] = alarm_health(state, "", last)
        return alarm_health(state, config.get("InsufficientDataHealthStatus", "LastKnownStatus"), last)

    def _run(self) -> None:
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="health-probe") as pool:
            while not self._stopping.wait(self._interval):
                try:
                    self._round(pool)
                except Exception:  # one bad configuration must not end all health checking
                    logging.getLogger(__name__).exception("a round of health checks failed")

    def _round(self, pool: ThreadPoolExecutor) -> None:
        configs = self._configs()
        self._forget_all_but(configs)
        for check_id, config in configs.items():
            if _is_on(config, "Disabled"):
                continue
            if config["Type"] == "CLOUDWATCH_METRIC":
                self._by_alarm(check_id, config)
            elif config["Type"] in ENDPOINT_TYPES and check_id not in self._in_flight:
                self._in_flight.add(check_id)  # a slow endpoint has one probe under way, and holds up no other's
                pool.submit(self._probe, check_id, config)

    def _forget_all_but(self, configs: Mapping[str, Config]) -> None:
        with self._guard:
            for memory in (self._endpoints, self._last_alarm):
                for gone in memory.keys() - configs.keys():
                    del memory[gone]

    def _probe(self, check_id: str, config: Config) -> None:
        try:
            result = probe(config, self._locate, self._timeout)
            with self._guard:
                before = self._endpoints.get(check_id, Endpoint())
                self._endpoints[check_id] = before.after(result, int(config.get("FailureThreshold") or 3))
        finally:
            self._in_flight.discard(check_id)


def probe(config: Config, locate: Locate, timeout: float) -> Result:
    """Asks the endpoint once, for real."""
    secure = config["Type"].startswith("HTTPS")
    name = config.get("IPAddress") or config.get("FullyQualifiedDomainName") or ""
    place = locate(name, int(config.get("Port") or (443 if secure else 80)))
    if place is None:
        return Result(False, "Failure: DNS resolution failed: no such endpoint on this machine")
    try:
        with socket.create_connection(place, timeout=timeout) as connection:
            if config["Type"] == "TCP":
                return Result(True, "Success: TCP connection established")
            return _ask(config, _secured(connection, config) if secure else connection, timeout)
    except TimeoutError:
        return Result(False, "Failure: the health checker had no answer within the timeout limit")
    except (OSError, http.client.HTTPException, ValueError) as trouble:
        return Result(False, f"Failure: {type(trouble).__name__}: {trouble}")


def _ask(config: Config, connection: socket.socket, timeout: float) -> Result:
    """One HTTP request. Healthy is 2xx or 3xx and, for the ..._STR_MATCH types, the string early in the body."""
    client = http.client.HTTPConnection("endpoint", timeout=timeout)
    client.sock = connection
    try:
        path = config.get("ResourcePath") or "/"
        headers = {"Host": _host_header(config), "User-Agent": "Amazon-Route53-Health-Check-Service (sandbox)"}
        client.request("GET", path if path.startswith("/") else "/" + path, headers=headers)
        with client.getresponse() as response:
            words = f"HTTP Status Code {response.status}, {response.reason}"
            if not 200 <= response.status < 400:
                return Result(False, f"Failure: {words}")
            wanted = str(config.get("SearchString") or "").encode()
            if config["Type"].endswith("_STR_MATCH") and wanted not in _start_of(response, timeout):
                return Result(False, f"Failure: {words}, but the response body does not contain the search string")
            return Result(True, f"Success: {words}")
    finally:
        client.close()


def _start_of(response: http.client.HTTPResponse, timeout: float) -> bytes:
    """The part of the body that counts, as far as it came in time."""
    body, until = b"", time.monotonic() + timeout
    while len(body) < _SEARCHED and time.monotonic() < until:
        piece = response.read1(_SEARCHED - len(body))
        if not piece:
            break
        body += piece
    return body


def _host_header(config: Config) -> str:
    """``FullyQualifiedDomainName`` in the API reference: name:port, but for port 80 of HTTP and 443 of HTTPS."""
    name = config.get("FullyQualifiedDomainName") or config.get("IPAddress") or ""
    usual = 443 if config["Type"].startswith("HTTPS") else 80
    port = config.get("Port") or usual
    return str(name) if port == usual else f"{name}:{port}"


def _secured(connection: socket.socket, config: Config) -> ssl.SSLSocket:
    """TLS without validating the certificate, as Route 53 does; the name is sent only if EnableSNI says so."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    name = config.get("FullyQualifiedDomainName") if config.get("EnableSNI") else None
    return context.wrap_socket(connection, server_hostname=name)


def _is_on(config: Config, switch: str) -> bool:
    """Booleans as the parsed API gives them, or as their XML text."""
    return config.get(switch) in (True, "true")


def _health(ok: bool) -> Health:
    return Health.HEALTHY if ok else Health.UNHEALTHY
