"""An HTTP(S) probe of each Regional endpoint, from the machine resil runs on.

Here silence is the signal: an endpoint that refuses, hangs, fails its TLS handshake or has no address does to clients
what it does to the probe, and is bad. What says more about the prober than about the endpoint is unknown: no route
from here, a resolver that does not answer, a refusal of our own signature, or a rate limit. Should this machine's
network be at fault, every Region looks bad from here, and the assessment discards a vantage that sees that.

``host`` is sent as Host and as the TLS server name to the Regional address, as a client behind DNS would (RFC 9110
§7.2, RFC 6066 §3). Certificates are verified for it. Redirects are answers, not followed.
"""

import errno
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import get_cert_path

from .... import __version__
from ....model.app import HERE, App, Endpoints
from ....model.readings import Level, Reading, SignalKind
from ....ports import Read
from ..reading import Now, shortened, signal_read
from ..session import Sessions

BODY_READ = 65_536
OUR_OWN_NETWORK = (errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL)
NO_RESOLVER = (socket.EAI_AGAIN, socket.EAI_FAIL)


@dataclass(frozen=True)
class Answered:
    """What came back, and how long it took until the body was there."""

    status: int
    body: bytes
    seconds: float


@dataclass(frozen=True)
class _Probe:
    """One probe of one Region."""

    spec: Endpoints
    sessions: Sessions
    region: str
    url: str

    def readings(self) -> Iterable[Reading]:
        headers = self._headers()  # without credentials there is no probe, and no reading of the endpoint
        try:
            answered = self._get(headers)
        except urllib3.exceptions.HTTPError as error:
            return (self.reading(*_silence(error)),)
        return (self.reading(*_judge(self.spec, answered)),)

    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": f"resil/{__version__}", "Accept": "*/*"}
        if self.spec.host:
            headers["Host"] = self.spec.host
        if self.spec.auth == "none":
            return headers
        request = AWSRequest(method="GET", url=self.url, headers=headers)
        SigV4Auth(self.sessions.credentials(), self.spec.service, self.region).add_auth(request)
        return {name: _text(value) for name, value in request.headers.items()}

    def _get(self, headers: dict[str, str]) -> Answered:
        target = urllib3.util.parse_url(self.url)
        began = time.monotonic()
        with self._pool(target.scheme or "http", str(target.host), target.port) as pool:
            response = pool.urlopen(
                "GET", target.request_uri, headers=headers, redirect=False, retries=False, preload_content=False
            )
            with response:
                body = response.read(BODY_READ, decode_content=True)
                return Answered(response.status, body, time.monotonic() - began)

    def _pool(self, scheme: str, host: str, port: int | None) -> urllib3.HTTPConnectionPool:
        limit = urllib3.Timeout(total=self.spec.timeout)
        address = host.strip("[]")
        if scheme == "http":
            return urllib3.HTTPConnectionPool(address, port, timeout=limit, maxsize=1)
        name = self.spec.host.partition(":")[0] if self.spec.host else None
        return urllib3.HTTPSConnectionPool(
            address,
            port,
            timeout=limit,
            maxsize=1,
            ssl_context=_trust(self.sessions.ca_bundle()),
            server_hostname=name,
            assert_hostname=name,
        )

    def reading(self, level: Level, evidence: str) -> Reading:
        return Reading(
            kind=SignalKind.ENDPOINT,
            subject=self.url,
            region=self.region,
            seen_from=HERE,
            level=level,
            evidence=shortened(evidence),
            age_s=None if level is Level.UNKNOWN else 0.0,
            source=f"endpoint:{self.url}",
        )


def reads(spec: Endpoints, app: App, sessions: Sessions, now: Now) -> list[Read]:
    """One probe a Region."""
    del app, now  # a probe's answer is of the moment it is made
    return [_read(_Probe(spec, sessions, region, url)) for region, url in spec.urls.items()]


def _read(probe: _Probe) -> Read:
    def unanswered(why: str) -> tuple[Reading, ...]:
        return (probe.reading(Level.UNKNOWN, why),)

    return signal_read(f"probe of {probe.url}", probe.region, probe.readings, unanswered)


def _judge(spec: Endpoints, answered: Answered) -> tuple[Level, str]:
    expect, took = spec.expect, f"in {answered.seconds * 1000:.0f} ms"
    if answered.status == 429 and expect.status != 429:
        return Level.UNKNOWN, f"429 {took}: the probe is rate limited"
    if spec.auth == "sigv4" and answered.status in (401, 403) and expect.status != answered.status:
        return Level.UNKNOWN, f"{answered.status} {took}: the probe's own signature was refused"
    if answered.status != expect.status:
        return Level.BAD, f"{answered.status} {took}, {expect.status} expected"
    if expect.body is not None and expect.body not in answered.body.decode("utf-8", "replace"):
        return Level.BAD, f"{answered.status} {took}, without {expect.body!r} in the body"
    if expect.within is not None and answered.seconds > expect.within:
        return Level.BAD, f"{answered.status} {took}, slower than {expect.within:g} s"
    return Level.OK, f"{answered.status} {took}"


def _silence(error: urllib3.exceptions.HTTPError) -> tuple[Level, str]:
    """No answer: bad, unless the cause lies on this side."""
    if isinstance(error, urllib3.exceptions.LocationParseError):
        return Level.UNKNOWN, f"not a URL that can be asked: {error}"
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            ours = cause.errno in NO_RESOLVER
            return (Level.UNKNOWN if ours else Level.BAD), f"no address: {cause.strerror}"
        if isinstance(cause, OSError) and cause.errno in OUR_OWN_NETWORK:
            return Level.UNKNOWN, f"no network from here: {cause.strerror}"
    return Level.BAD, f"no answer: {_said(error)}"


def _causes(error: BaseException) -> Iterable[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _said(error: urllib3.exceptions.HTTPError) -> str:
    """The reason in words, without the object addresses that urllib3's own messages carry."""
    match error:
        case urllib3.exceptions.NewConnectionError():  # for urllib3 a kind of timeout, whatever its cause
            return str(error).rpartition(": ")[2]
        case urllib3.exceptions.TimeoutError():
            return "timed out"
        case _:
            return f"{type(error).__name__}: {error}"


def _trust(bundle: str | None) -> ssl.SSLContext:
    """The operator's CA bundle, else the system's authorities together with those the SDK ships."""
    if bundle:
        return ssl.create_default_context(cafile=bundle)
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=get_cert_path(True))
    return context


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
