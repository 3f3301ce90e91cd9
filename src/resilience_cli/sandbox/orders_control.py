"""The reference world's switches, as one JSON object each: what ``POST /_resil/world`` takes.

    {"impair": "us-west-2", "share": 0.3}   that share of the Region's requests fails (1 without a share)
    {"recover": "us-west-2"}                none does
    {"service": {"region": R, "silent": true}}   a moving world's order service behaves so: ``model.traffic.Serving``
    {"health_plan": false}                  AWS Health asks for a support plan
    {"health_event": {"region": R, "service": "DYNAMODB"}}   an issue opens;  {"health_close": ARN} closes it
    {"lag_ms": 90000}  [600, 1200]  null    replication takes this long; null: no datapoints
    {"lag_ms": {"from": R, "to": S, "ms": 90000}}    the same for one direction
    {"stall": {"from": R, "to": S}}         writes of R are held back from S; {"resume": ...} lets them through
    {"isolate": "us-west-2"}                the Region's replication is cut off both ways; {"rejoin": R} ends it
    {"background": false}                   the world writes no items of its own: only clients' writes are replicated
    {"canaries": "stop"}                    all canaries; "start" again, or "broken": EXECUTION_FAILURE every time
    {"endpoints_down": ["us-east-1"]}       ARC cluster endpoints that do not answer
    {"wait_period_ms": 5000}                the safety rule's wait period
    {"evaluation_state": {"region": R, "alarm": NAME, "state": "EVALUATION_FAILURE"}}   state null: evaluated again
    {"replica_status": {"table": T, "region": R, "status": "ACTIVE"}}
    {"fault": {"kind": "throttle", ...}}    a fault of model.fault, from now on;  {"faults": [...]} a timeline of them
    {"remove_fault": ID}                    ends it;  {"clear_faults": true} ends all

Several keys may stand in one object. The answer is what is switched now.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..model.traffic import Serving
from .arc import ENDPOINT_REGIONS
from .arc_cluster import ArcCluster
from .cloudwatch import CloudWatch
from .faults import Faults, fault_of
from .health import Health
from .orders_signals import CANARY_MODES, Signals
from .replication import Replication
from .replication_links import Pair, Range
from .tables import GlobalTables


@dataclass(frozen=True)
class Parts:
    """What the switches turn. ``impair``: Region and share of failing requests."""

    cloudwatch: CloudWatch
    health: Health
    tables: GlobalTables
    arc_cluster: ArcCluster
    signals: Signals
    replication: Replication
    faults: Faults
    serving: tuple[str, ...]
    impair: Callable[[str, float], None]
    behave: Callable[[str, Serving], None]
    now: Callable[[], float]


class Switches:
    """Turns switches under the sandbox's lock. A key that is not known, or a value that makes no sense, is refused."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._turns: dict[str, Callable[[Any], None]] = {
            "recover": lambda region: parts.impair(self._serving(region), 0.0),
            "service": self._service,
            "health_plan": self._health_plan,
            "health_event": self._health_event,
            "health_close": parts.health.close,
            "lag_ms": self._lag,
            "stall": self._stall,
            "resume": lambda wish: parts.replication.resume(self._pair(wish)),
            "isolate": self._isolate,
            "rejoin": lambda region: parts.replication.rejoin(self._serving(region)),
            "background": self._background,
            "canaries": self._canaries,
            "endpoints_down": self._endpoints_down,
            "wait_period_ms": self._wait_period,
            "evaluation_state": self._evaluation_state,
            "replica_status": self._replica_status,
            "fault": lambda fault: self._schedule([fault]),
            "faults": self._schedule,
            "remove_fault": parts.faults.remove,
            "clear_faults": self._clear_faults,
        }

    def turn(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Every key is known before the first is acted on."""
        rest = dict(wish)
        share = float(rest.pop("share", 1.0))
        impaired = rest.pop("impair", None)
        if unknown := [key for key in rest if key not in self._turns]:
            raise ValueError(f"no switch {unknown[0]!r}; there are impair, {', '.join(self._turns)}")
        if impaired is not None:
            self._parts.impair(self._serving(impaired), share)
        for key, value in rest.items():
            self._turns[key](value)
        return self.state()

    def state(self) -> dict[str, Any]:
        parts = self._parts
        return {
            "failing": dict(parts.signals.failing),
            "canaries": parts.signals.canaries,
            "health_plan": parts.health.support_plan,
            "lag_ms": list(parts.tables.lag_ms) if parts.tables.lag_ms else None,
            "stalled": sorted(list(pair) for pair in parts.tables.links.stalled),
            "isolated": sorted(parts.tables.links.isolated),
            "background": parts.replication.background,
            "endpoints_down": sorted(parts.arc_cluster.down),
            "faults": parts.faults.as_json(),
        }

    def _service(self, wish: dict[str, Any]) -> None:
        region = self._serving(wish["region"])
        self._parts.behave(region, Serving.model_validate({name: wish[name] for name in wish if name != "region"}))

    def _health_plan(self, there: bool) -> None:
        self._parts.health.support_plan = bool(there)

    def _health_event(self, event: dict[str, str]) -> None:
        words = event.get("description", "We are investigating increased error rates.")
        self._parts.health.open(event["region"], event["service"], words)

    def _lag(self, lag: float | list[float] | dict[str, Any] | None) -> None:
        pair = self._pair(lag) if isinstance(lag, dict) else None
        if isinstance(lag, dict):
            self._parts.tables.links.set_lag(_range(lag["ms"]), pair)
        elif lag is None:
            self._parts.tables.set_lag(None)
        else:
            self._parts.tables.set_lag(*_range(lag))
        self._parts.replication.hurry()
        self._parts.signals.tell_lag(self._parts.now(), pair)

    def _stall(self, wish: dict[str, str]) -> None:
        pair = self._pair(wish)
        self._parts.replication.stall(pair)
        self._parts.signals.tell_lag(self._parts.now(), pair)

    def _isolate(self, region: str) -> None:
        self._parts.replication.isolate(self._serving(region))
        for other in self._parts.serving:
            for pair in ((region, other), (other, region)):
                self._parts.signals.tell_lag(self._parts.now(), pair)

    def _background(self, on: bool) -> None:
        self._parts.replication.background = bool(on)

    def _canaries(self, mode: str) -> None:
        if mode not in CANARY_MODES:
            raise ValueError(f"canaries can be told to {', '.join(CANARY_MODES)}, not {mode!r}")
        self._parts.signals.set_canaries(mode, self._parts.now())

    def _endpoints_down(self, regions: list[str]) -> None:
        if unknown := [region for region in regions if region not in ENDPOINT_REGIONS]:
            raise ValueError(f"no cluster endpoint in {unknown[0]}; there are {', '.join(ENDPOINT_REGIONS)}")
        self._parts.arc_cluster.down = set(regions)

    def _wait_period(self, milliseconds: int) -> None:
        rules = self._parts.arc_cluster.routing.rules
        rules |= {arn: replace(rule, wait_period_ms=int(milliseconds)) for arn, rule in rules.items()}

    def _evaluation_state(self, wish: dict[str, Any]) -> None:
        self._parts.cloudwatch.alarms.force_evaluation_state(wish["region"], wish["alarm"], wish["state"])

    def _schedule(self, faults: list[Any]) -> None:
        self._parts.faults.timeline([fault_of(fault) for fault in faults])

    def _clear_faults(self, all_of_them: bool) -> None:
        if all_of_them:
            self._parts.faults.clear()

    def _replica_status(self, wish: dict[str, str]) -> None:
        self._parts.tables.tables[wish["table"]].status[self._serving(wish["region"])] = wish["status"]

    def _serving(self, region: str) -> str:
        if region not in self._parts.serving:
            raise ValueError(f"{region!r} is not a serving Region; there are {', '.join(self._parts.serving)}")
        return region

    def _pair(self, wish: dict[str, Any]) -> Pair:
        source, target = self._serving(wish["from"]), self._serving(wish["to"])
        if source == target:
            raise ValueError(f"{source!r} does not replicate to itself")
        return source, target


def _range(lag: float | list[float]) -> Range:
    low, high = lag if isinstance(lag, list) else (lag, lag)
    return float(low), float(high)
