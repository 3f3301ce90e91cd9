"""The guard of every read-only command: inside the SDK, whatever code calls it, nothing but reads leaves.

It is installed before the first session is made (``botocore.register_initializer`` runs for every new session) and
sits first on the event ``before-call``, which the SDK emits for every request after it is built and before a
connection is opened. What is not on the list of reads is a write: an operation AWS adds tomorrow is refused until
someone has looked at it.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

import botocore

from ...errors import Denied

READ_OPERATIONS: dict[str, frozenset[str]] = {
    "cloudwatch": frozenset(
        {
            "DescribeAlarmHistory",
            "DescribeAlarms",
            "DescribeAlarmsForMetric",
            "GetAlarmMuteRule",
            "GetMetricData",
            "GetMetricStatistics",
            "ListAlarmMuteRules",
            "ListMetrics",
        }
    ),
    "dynamodb": frozenset({"DescribeTable", "ListTables"}),
    "health": frozenset({"DescribeAffectedEntities", "DescribeEventDetails", "DescribeEvents"}),
    "route53": frozenset(
        {
            "GetChange",
            "GetHealthCheck",
            "GetHealthCheckStatus",
            "GetHostedZone",
            "ListHealthChecks",
            "ListHostedZones",
            "ListHostedZonesByName",
            "ListResourceRecordSetProtections",
            "ListResourceRecordSets",
            "TestDNSAnswer",
        }
    ),
    "route53-recovery-cluster": frozenset({"GetRoutingControlState", "ListRoutingControls"}),
    "route53-recovery-control-config": frozenset(
        {
            "DescribeCluster",
            "DescribeControlPanel",
            "DescribeRoutingControl",
            "DescribeSafetyRule",
            "ListAssociatedRoute53HealthChecks",
            "ListClusters",
            "ListControlPanels",
            "ListRoutingControls",
            "ListSafetyRules",
        }
    ),
    "sts": frozenset({"GetCallerIdentity"}),
    "synthetics": frozenset({"DescribeCanaries", "DescribeCanariesLastRun", "GetCanary", "GetCanaryRuns"}),
}
"""By the SDK's service names and the models' operation names."""

CREDENTIAL_OPERATIONS: dict[str, frozenset[str]] = {
    "signin": frozenset({"CreateOAuth2Token"}),
    "sso": frozenset({"GetRoleCredentials"}),
    "sso-oidc": frozenset({"CreateToken"}),
    "sts": frozenset({"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "GetSessionToken"}),
}
"""What the SDK's credential providers call to become the caller. They make a session, and change nothing of the app."""


class WriteRefused(Denied):
    """A write was attempted where only reads are allowed. It was not sent."""

    def __init__(self, service: str, operation: str) -> None:
        super().__init__(f"{service} {operation} is not a read, and this command may only read; nothing was sent")
        self.service = service
        self.operation = operation


@dataclass
class WriteGuard:
    """Refuses what is not a read while it is installed, and remembers what it refused."""

    refused: list[tuple[str, str]] = field(default_factory=list)
    _active: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self, session: Any) -> None:
        """Stand first on every call of every client this session will make."""
        session.get_component("event_emitter").register_first("before-call", self._check)

    def uninstall(self) -> None:
        """Stand aside, in sessions that were made meanwhile too."""
        if self._active:
            self._active = False
            botocore.unregister_initializer(self.watch)

    def _check(self, model: Any, **kwargs: Any) -> None:
        service, operation = str(model.service_model.service_name), str(model.name)
        if not self._active or is_read(service, operation):
            return
        with self._lock:
            self.refused.append((service, operation))
        raise WriteRefused(service, operation)


def install() -> WriteGuard:
    """From here on, sessions can only read. Install it before the first session is made: older ones are not guarded."""
    guard = WriteGuard()
    botocore.register_initializer(guard.watch)
    return guard


def is_read(service: str, operation: str) -> bool:
    """Whether the operation is on one of the two lists."""
    allowed = READ_OPERATIONS.get(service, frozenset()) | CREDENTIAL_OPERATIONS.get(service, frozenset())
    return operation in allowed
