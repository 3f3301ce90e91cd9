"""The data plane of ARC routing control (route53-recovery-cluster): five Regional endpoints, one shared truth.

A call's endpoint is the one it came in by, or on the common port the Region it was signed for.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .arc import OFF, ON, RoutingControls
from .operations import Answer, Operation, page, paged, perform
from .service import AwsError, Call

MOST_ENTRIES = 10  # routing controls per UpdateRoutingControlStates (developer guide, "Quotas")
MUTATIONS_PER_SECOND = 3  # mutating calls a second per endpoint (same page)


class ArcCluster:
    """The Service. ``down`` holds the Regions whose endpoint is switched off."""

    name = "route53-recovery-cluster"

    def __init__(self, routing: RoutingControls, now: Callable[[], float]) -> None:
        self.routing = routing
        self._now = now
        self.down: set[str] = set()
        self._mutations: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=MUTATIONS_PER_SECOND))
        self._operations: dict[str, Operation] = {
            "GetRoutingControlState": self._get,
            "ListRoutingControls": self._list,
            "UpdateRoutingControlState": self._update,
            "UpdateRoutingControlStates": self._update_all,
        }

    def handle(self, call: Call) -> Answer:
        if (call.endpoint or call.region) in self.down:
            raise AwsError(
                "EndpointTemporarilyUnavailableException",
                "The cluster endpoint isn't available. Try another cluster endpoint.",
            )
        return perform(self._operations, call)

    def _get(self, call: Call) -> Answer:
        control = self.routing.control(call.params["RoutingControlArn"])
        return {
            "RoutingControlArn": control.arn,
            "RoutingControlName": control.name,
            "RoutingControlState": control.state,
        }

    def _list(self, call: Call) -> Answer:
        panel = call.params.get("ControlPanelArn")
        if panel is not None and panel not in self.routing.panels:
            raise AwsError(
                "ResourceNotFoundException",
                f"Control panel {panel} does not exist",
                resourceId=panel,
                resourceType="AWS::Route53RecoveryControl::ControlPanel",
            )
        controls = [
            {
                "ControlPanelArn": control.panel,
                "ControlPanelName": self.routing.panels[control.panel],
                "RoutingControlArn": control.arn,
                "RoutingControlName": control.name,
                "RoutingControlState": control.state,
                "Owner": self.routing.account,
            }
            for control in self.routing.controls.values()
            if panel in (None, control.panel)
        ]
        limit = min(int(call.params.get("MaxResults") or 500), 500)
        invalid = AwsError("ValidationException", "NextToken is not valid")
        part, following = page(controls, limit, call.params.get("NextToken"), invalid)
        return paged("RoutingControls", part, following)

    def _update(self, call: Call) -> Answer:
        self._change(call, [call.params])
        return {}

    def _update_all(self, call: Call) -> Answer:
        entries = call.params["UpdateRoutingControlStateEntries"]
        if not entries:
            raise AwsError("ValidationException", "UpdateRoutingControlStateEntries must not be empty")
        if len(entries) > MOST_ENTRIES:
            raise AwsError(
                "ServiceLimitExceededException",
                f"At most {MOST_ENTRIES} routing controls can be updated in one request",
                limitCode="RoutingControlStatesPerUpdate",
                serviceCode="route53-recovery-cluster",
            )
        self._change(call, entries)
        return {}

    def _change(self, call: Call, entries: Iterable[Mapping[str, Any]]) -> None:
        self._throttle(call.endpoint or call.region)
        wanted: dict[str, str] = {}
        for entry in entries:
            arn, state = entry["RoutingControlArn"], entry["RoutingControlState"]
            if state not in (ON, OFF):
                raise AwsError("ValidationException", f"RoutingControlState must be On or Off, not {state}")
            if arn in wanted:
                raise AwsError("ValidationException", f"Routing control {arn} is named twice")
            wanted[arn] = state
        overridden = call.params.get("SafetyRulesToOverride") or ()
        if unknown := [arn for arn in overridden if arn not in self.routing.rules]:
            raise AwsError("ValidationException", f"Safety rule {unknown[0]} does not exist")
        self.routing.change(wanted, overridden)

    def _throttle(self, endpoint: str) -> None:
        recent, now = self._mutations[endpoint], self._now()
        if len(recent) == MUTATIONS_PER_SECOND and now - recent[0] < 1.0:
            raise AwsError(
                "ThrottlingException", "The request was denied because of request throttling.", retryAfterSeconds=1
            )
        recent.append(now)
