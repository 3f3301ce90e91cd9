import socket
from collections.abc import Iterator

import botocore.session
import pytest

from resilience_cli.adapters.aws import write_guard
from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.adapters.aws.write_guard import CREDENTIAL_OPERATIONS, READ_OPERATIONS, WriteGuard, WriteRefused
from resilience_cli.errors import AwsTrouble, Unreachable

READ_PREFIXES = ("Get", "List", "Describe", "TestDNSAnswer")


@pytest.fixture
def guard() -> Iterator[WriteGuard]:
    guard = write_guard.install()
    yield guard
    guard.uninstall()


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A server that would notice any connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        yield server


def url(server: socket.socket) -> str:
    return f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("service", sorted(READ_OPERATIONS))
def test_every_allowed_operation_exists_and_is_named_as_a_read(service: str) -> None:
    known = botocore.session.get_session().get_service_model(service).operation_names
    for operation in READ_OPERATIONS[service]:
        assert operation in known
        assert operation.startswith(READ_PREFIXES)


@pytest.mark.parametrize("service", sorted(CREDENTIAL_OPERATIONS))
def test_every_credential_operation_exists_and_no_list_holds_it_twice(service: str) -> None:
    known = botocore.session.get_session().get_service_model(service).operation_names
    assert set(known) >= CREDENTIAL_OPERATIONS[service]
    assert not CREDENTIAL_OPERATIONS[service] & READ_OPERATIONS.get(service, frozenset())


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        (
            "route53",
            "ChangeResourceRecordSets",
            {
                "HostedZoneId": "Z1",
                "ChangeBatch": {
                    "Changes": [{"Action": "DELETE", "ResourceRecordSet": {"Name": "a.example.com", "Type": "A"}}]
                },
            },
        ),
        ("route53", "UpdateHealthCheck", {"HealthCheckId": "c1", "Inverted": True}),
        ("cloudwatch", "SetAlarmState", {"AlarmName": "a", "StateValue": "OK", "StateReason": "x"}),
        ("dynamodb", "DeleteItem", {"TableName": "Orders", "Key": {"id": {"S": "1"}}}),
        (
            "route53-recovery-cluster",
            "UpdateRoutingControlStates",
            {"UpdateRoutingControlStateEntries": [{"RoutingControlArn": "arn", "RoutingControlState": "On"}]},
        ),
    ],
)
def test_a_write_is_refused_before_a_connection_is_opened(
    guard: WriteGuard, listening: socket.socket, service: str, operation: str, params: dict[str, object]
) -> None:
    api = Sessions().writer(service, "us-east-1", endpoint=url(listening))
    with pytest.raises(WriteRefused, match=f"{service} {operation}"):
        api.ask(operation, **params)
    assert guard.refused == [(service, operation)]
    with pytest.raises(TimeoutError):
        listening.accept()


def test_an_operation_nobody_has_looked_at_is_a_write() -> None:
    assert not write_guard.is_read("cloudwatch", "GetSomethingNew")
    assert not write_guard.is_read("a-new-service", "DescribeThings")


def test_reads_go_through(guard: WriteGuard, listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    listening.close()
    api = Sessions().reader("route53", "us-east-1", endpoint=f"http://127.0.0.1:{port}")
    with pytest.raises(Unreachable):
        api.ask("ListHostedZones")
    assert guard.refused == []


def test_uninstalled_it_stands_aside_for_old_and_new_sessions(listening: socket.socket) -> None:
    guard = write_guard.install()
    older = Sessions()
    guard.uninstall()
    port = listening.getsockname()[1]
    listening.close()
    for sessions in (older, Sessions()):
        api = sessions.writer("route53", "us-east-1", endpoint=f"http://127.0.0.1:{port}")
        with pytest.raises(AwsTrouble) as refused:
            api.ask("UpdateHealthCheck", HealthCheckId="c1", Inverted=True)
        assert isinstance(refused.value, Unreachable)
