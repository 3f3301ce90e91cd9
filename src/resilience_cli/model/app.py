"""resil.yaml: the app, its Regions, how its traffic is routed, what is observed. The schema is this file.

Shapes only: whether names exist in AWS is the planner's and the guards' business.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from .base import Number, Region, Seconds, Value
from .records import Policy, fqdn

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
AccountId = Annotated[str, StringConstraints(pattern=r"^\d{12}$")]
Spec = TypeVar("Spec", bound=Value)
LONGEST_NAME, LONGEST_LABEL = 255, 63  # RFC 1035, section 2.3.4
HERE = "here"  # the vantage of the machine resil runs on, beside the Regions


class LeverKind(StrEnum):
    """A way to move traffic."""

    ROUTING_CONTROL = "routing-control"
    HEALTH_CHECK = "health-check"
    WEIGHTS = "weights"


class Regions(Value):
    """The serving Regions by role, and one that only observes."""

    primary: Region
    standby: tuple[Region, ...] = Field(min_length=1)
    observer: Region | None = None

    @property
    def serving(self) -> tuple[str, ...]:
        return (self.primary, *self.standby)

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.serving, self.observer) if self.observer else self.serving

    def role(self, region: str) -> str:
        if region == self.primary:
            return "primary"
        return "standby" if region in self.standby else "observer"

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.all)) != len(self.all):
            raise ValueError("a Region is named twice; each has one role")
        return self


class Endpoint(Value):
    """What one Region contributes to a record: its record set, its health check, its routing control.

    ``client_subnet``: an address block near this Region, sent as EDNS client subnet when asking what clients there get.
    """

    set_identifier: str | None = None
    health_check: str | None = None
    routing_control: str | None = None
    client_subnet: str | None = None

    @field_validator("client_subnet")
    @classmethod
    def _is_a_network(cls, text: str | None) -> str | None:
        import ipaddress

        return text if text is None else str(ipaddress.ip_network(text))


class RecordName(Value):
    """The public name whose answers decide where traffic goes."""

    name: str
    type: Literal["A", "AAAA", "CNAME"] = "A"

    @field_validator("name")
    @classmethod
    def _absolute(cls, name: str) -> str:
        """In the form Route 53 keeps names: lower case, absolute, ``*`` as ``\\052``."""
        labels = name.rstrip(".").split(".")
        if len(name) > LONGEST_NAME or any(not 0 < len(label) <= LONGEST_LABEL for label in labels):
            raise ValueError(f"{name!r} is no domain name: labels of 1 to {LONGEST_LABEL} characters, 255 in all")
        return fqdn(name).replace("*", "\\052")


Home = dict[Region, Annotated[int, Field(ge=0, le=100)]] | Literal["latency", "failover"]


class Route(Value):
    """One routed name. ``home``: shares in percent, or the policy's own choice (every Region allowed)."""

    zone: str
    private: bool = False
    record: RecordName
    policy: Literal[Policy.WEIGHTED, Policy.LATENCY, Policy.FAILOVER]
    endpoints: dict[Region, Endpoint] = Field(min_length=2)
    levers: tuple[LeverKind, ...] = Field(min_length=1)
    home: Home

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if LeverKind.WEIGHTS in self.levers and self.policy is not Policy.WEIGHTED:
            raise ValueError(f"the lever weights serves weighted records only; this record's policy is {self.policy}")
        if self.policy is Policy.WEIGHTED and isinstance(self.home, str):
            raise ValueError("home of weighted records is a share per Region, such as {us-west-2: 100, us-east-1: 0}")
        if isinstance(self.home, dict):
            self._check_shares(self.home)
        missing = [
            r for r, e in self.endpoints.items() if LeverKind.ROUTING_CONTROL in self.levers and not e.routing_control
        ]
        if missing:
            raise ValueError(f"the lever routing-control needs a routing_control for {', '.join(missing)}")
        return self

    def _check_shares(self, home: dict[str, int]) -> None:
        if set(home) != set(self.endpoints):
            raise ValueError(f"home names {', '.join(sorted(home))}; endpoints are {', '.join(sorted(self.endpoints))}")
        if sum(home.values()) != 100:
            raise ValueError(f"home's shares add up to {sum(home.values())}; they must make 100")


class ClusterEndpoint(Value):
    region: Region
    endpoint: str


class Arc(Value):
    """The ARC cluster's five Regional endpoints: data plane, kept here so that nothing need be looked up on the day."""

    cluster: tuple[ClusterEndpoint, ...] = Field(min_length=1, max_length=5)
    control_panel: str | None = None


class HealthEvents(Value):
    """AWS Health: open issues of these services in the serving Regions (DescribeEvents)."""

    kind: Literal["health-events"]
    services: tuple[str, ...] = Field(min_length=1)


class Alarms(Value):
    """CloudWatch alarms, metric and composite, read in the Regions ``from``. A name that ends in ``*`` is a prefix.

    An alarm is about the Region it lives in, unless ``of`` maps its name to another.
    """

    kind: Literal["alarm"]
    names: tuple[str, ...] = Field(min_length=1)
    from_: tuple[Region, ...] = Field(default=(), alias="from")
    of: dict[str, Region] = Field(default_factory=dict)


class CanaryName(Value):
    """A canary: where it runs (``region``) and which serving Region it watches (``of``; default the same)."""

    name: str
    region: Region
    of: Region | None = None


class Canaries(Value):
    """CloudWatch Synthetics canaries; a last run older than ``max_age`` says nothing."""

    kind: Literal["canary"]
    canaries: tuple[CanaryName, ...] = Field(min_length=1)
    max_age: Seconds = Field(default=180.0, gt=0)


class Metric(Value):
    """One CloudWatch metric per Region, judged against a threshold over its newest complete period.

    ``{region}`` in a dimension's value stands for the Region it is read for. ``missing``: what no datapoint means.
    """

    kind: Literal["metric"]
    name: Name
    namespace: str
    metric: str
    dimensions: dict[str, str] = Field(default_factory=dict)
    statistic: Literal["Average", "Sum", "Maximum", "Minimum", "SampleCount"] = "Average"
    period: Seconds = Field(default=60.0, ge=1)
    above: Number | None = None
    below: Number | None = None
    regions: tuple[Region, ...] = ()
    seen_from: Region | None = None
    missing: Literal["unknown", "ok", "bad"] = "unknown"

    @model_validator(mode="after")
    def _one_threshold(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("a metric needs a threshold: bad when above: N, or below: N, or both")
        return self


class Expect(Value):
    """What a good answer of an endpoint is."""

    status: int = Field(default=200, ge=100, le=599)
    body: str | None = None
    within: Seconds | None = None


class Endpoints(Value):
    """An HTTP(S) probe of each Regional endpoint, from the machine resil runs on.

    ``host``: the public name to send as Host (and SNI) to the Regional address.
    """

    kind: Literal["endpoint"]
    urls: dict[Region, str] = Field(min_length=1)
    host: str | None = None
    auth: Literal["none", "sigv4"] = "none"
    service: str = "execute-api"
    expect: Expect = Expect()
    timeout: Seconds = Field(default=5.0, gt=0, le=10)

    @field_validator("urls")
    @classmethod
    def _web(cls, urls: dict[str, str]) -> dict[str, str]:
        for url in urls.values():
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"a probe's URL starts with http:// or https://, not {url!r}")
        return urls


class Replication(Value):
    """DynamoDB global tables: replicas' status, and ReplicationLatency as each *source* Region publishes it."""

    kind: Literal["replication"]
    tables: tuple[str, ...] = Field(min_length=1)
    max_lag: Seconds = Field(default=5.0, gt=0)
    window: Seconds = Field(default=300.0, ge=60)


SignalSpec = Annotated[HealthEvents | Alarms | Canaries | Metric | Endpoints | Replication, Field(discriminator="kind")]


class Judgement(Value):
    """How many kinds of signal must be bad, and whether one must be seen from outside, before a Region is impaired."""

    kinds: int = Field(default=2, ge=1)
    outside: bool = True


class Dns(Value):
    """Whom to ask for authoritative answers; default the zone's own name servers. ``host:port`` or ``host``."""

    resolver: str | None = None


class Objectives(Value):
    rto: Seconds | None = None
    rpo: Seconds | None = None
    ttl: Seconds = Field(default=120.0, gt=0)


FilePath = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\x00]+$")]


class State(Value):
    """Where runs are journalled. ``path`` is taken from the config file's folder; default a folder of the user's."""

    store: Literal["file"] = "file"
    path: FilePath | None = None


class Runbooks(Value):
    """Runbook files, taken from the config file's folder; default those shipped with resil."""

    failover: FilePath | None = None
    failback: FilePath | None = None


def _check_regions(number: int, signal: SignalSpec, regions: Regions) -> None:
    """Every Region a signal names is one of the app's: a mistyped one would watch nothing, and say nothing."""
    seen_from: set[str] = set()
    about: set[str] = set()
    match signal:
        case Alarms():
            seen_from, about = set(signal.from_), set(signal.of.values())
        case Canaries():
            seen_from = {canary.region for canary in signal.canaries}
            about = {canary.of for canary in signal.canaries if canary.of is not None}
        case Metric():
            seen_from, about = {signal.seen_from} if signal.seen_from else set(), set(signal.regions)
        case Endpoints():
            about = set(signal.urls)
        case HealthEvents() | Replication():
            pass
    for stray, known in ((seen_from, regions.all), (about, regions.serving)):
        if unknown := sorted(stray - set(known)):
            raise ValueError(f"signals.{number} names {', '.join(unknown)}; the Regions there are {', '.join(known)}")


class App(Value):
    """What is failed over: the whole of resil.yaml."""

    version: Literal[1]
    app: Name
    account: AccountId
    regions: Regions
    routing: tuple[Route, ...] = Field(min_length=1)
    arc: Arc | None = None
    signals: tuple[SignalSpec, ...] = ()
    judgement: Judgement = Judgement()
    dns: Dns = Dns()
    objectives: Objectives = Objectives()
    state: State = State()
    runbooks: Runbooks = Runbooks()

    def signals_of(self, spec: type[Spec]) -> Iterator[Spec]:
        return (signal for signal in self.signals if isinstance(signal, spec))

    @field_validator("signals")
    @classmethod
    def _in_our_regions(cls, signals: tuple[SignalSpec, ...], info: ValidationInfo) -> tuple[SignalSpec, ...]:
        regions = info.data.get("regions")
        if isinstance(regions, Regions):
            for number, signal in enumerate(signals):
                _check_regions(number, signal, regions)
        return signals

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        serving = set(self.regions.serving)
        for route in self.routing:
            if set(route.endpoints) != serving:
                raise ValueError(
                    f"{route.record.name} has endpoints for {', '.join(sorted(route.endpoints))};"
                    f" the serving Regions are {', '.join(sorted(serving))}"
                )
            if LeverKind.ROUTING_CONTROL in route.levers and self.arc is None:
                raise ValueError("the lever routing-control needs arc.cluster: the five endpoints of the ARC cluster")
        return self
