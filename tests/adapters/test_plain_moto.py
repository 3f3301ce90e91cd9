"""The adapters against moto as it comes, in a process of its own: another's idea of AWS, where it serves the call.

It is kinder than Route 53 (it takes a DELETE of what is not there, and a stale health check's version), so it proves
questions and answers, and the sandbox's strict stores prove refusals.
"""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from resilience_cli import simulate
from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.adapters.aws.world import AwsWorld
from resilience_cli.adapters.terminal import SystemClock
from resilience_cli.model.app import App
from resilience_cli.model.effects import CheckChange, CheckEffect, WeightsEffect
from resilience_cli.model.facts import Facts, Topic
from resilience_cli.model.readings import Level, SignalKind
from resilience_cli.model.records import FORCED_UNHEALTHY
from resilience_cli.observe import gather, look_at
from resilience_cli.simulate import Standing, standing

from .conftest import EAST, WEST, make_app

CLOCK = SystemClock()
START_S = 30.0


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a moto server; it ends with the module."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with (tmp_path_factory.mktemp("moto") / "log").open("wb") as log:
        server = subprocess.Popen(
            (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", port), stdout=log, stderr=log
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _await(url, Path(log.name))
            yield url
        finally:
            server.terminate()
            server.wait(10)


def _await(url: str, log: Path) -> None:
    end = time.monotonic() + START_S
    while True:
        try:
            urllib.request.urlopen(f"{url}/moto-api/", timeout=1).close()
        except OSError as error:
            if time.monotonic() > end:
                raise AssertionError(f"moto does not answer: {log.read_text()}") from error
            time.sleep(0.1)
        else:
            return


@pytest.fixture
def app(moto: str, monkeypatch: pytest.MonkeyPatch) -> App:
    """Weighted records with health checks, an alarm, a metric and a table in each serving Region, made afresh."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", method="POST"), timeout=5).close()
    checks = _routing(boto3.client("route53", region_name=EAST))
    for region in (WEST, EAST):
        _signals(region)
    endpoints = {
        region: {"set_identifier": f"orders-{region}", "health_check": checks[region]} for region in (WEST, EAST)
    }
    signals: list[dict[str, Any]] = [
        {"kind": "alarm", "names": ["orders-*"], "from": [WEST, EAST]},
        {"kind": "metric", "name": "errors", "namespace": "Orders", "metric": "Errors", "above": 5, "statistic": "Sum"},
        {"kind": "replication", "tables": ["Orders"]},
    ]
    return make_app(*signals, route={"endpoints": endpoints})


def _routing(route53: Any) -> dict[str, str]:
    """The zone is found by its name: moto's ids do not look like Route 53's."""
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="orders")["HostedZone"]["Id"]
    checks: dict[str, str] = {}
    changes = []
    for region, weight, address in ((WEST, 100, "192.0.2.1"), (EAST, 0, "192.0.2.2")):
        config = {"Type": "HTTP", "IPAddress": address, "Port": 80, "ResourcePath": "/health"}
        made = route53.create_health_check(CallerReference=region, HealthCheckConfig=config)
        checks[region] = made["HealthCheck"]["Id"]
        record = {
            "Name": "api.example.com",
            "Type": "A",
            "SetIdentifier": f"orders-{region}",
            "Weight": weight,
            "TTL": 60,
            "ResourceRecords": [{"Value": address}],
            "HealthCheckId": checks[region],
        }
        changes.append({"Action": "CREATE", "ResourceRecordSet": record})
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    return checks


def _signals(region: str) -> None:
    cloudwatch = boto3.client("cloudwatch", region_name=region)
    cloudwatch.put_metric_alarm(
        AlarmName="orders-errors",
        Namespace="Orders",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName="orders-errors", StateValue="OK", StateReason="for the test")
    ago = datetime.now(UTC) - timedelta(minutes=2)
    cloudwatch.put_metric_data(
        Namespace="Orders", MetricData=[{"MetricName": "Errors", "Timestamp": ago, "Value": 1.0, "Unit": "Count"}]
    )
    boto3.client("dynamodb", region_name=region).create_table(
        TableName="Orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture
def world(app: App) -> AwsWorld:
    return AwsWorld(Sessions(), app, now=CLOCK.now)


def facts(world: AwsWorld, app: App, *topics: Topic) -> Facts:
    return gather(world, app, CLOCK, topics=frozenset(topics))


def swapped(seen: Facts) -> WeightsEffect:
    (zone,) = seen.zones
    before = simulate.group(zone.records, "api.example.com.", "A")
    after = tuple(record.model_copy(update={"weight": 100 - (record.weight or 0)}) for record in before)
    return WeightsEffect(zone_id=zone.zone.id, zone_name=zone.zone.name, before=before, after=after)


def test_records_and_checks_are_read_as_they_were_made(world: AwsWorld, app: App) -> None:
    seen = facts(world, app, Topic.RECORDS, Topic.CHECKS)
    assert {record.set_identifier: record.weight for record in swapped(seen).before} == {
        f"orders-{WEST}": 100,
        f"orders-{EAST}": 0,
    }
    assert {check.id for check in seen.checks} == {e.health_check for e in app.routing[0].endpoints.values()}


def test_weights_are_swapped_settled_and_read_back(world: AwsWorld, app: App) -> None:
    effect = swapped(facts(world, app, Topic.RECORDS))
    assert standing(effect, look_at(world, app, effect, CLOCK, 10)) is Standing.BEFORE
    assert world.in_sync(world.perform(effect)) == "yes"
    assert standing(effect, look_at(world, app, effect, CLOCK, 10)) is Standing.AFTER


def test_a_health_check_is_forced_and_read_back(world: AwsWorld, app: App) -> None:
    check = facts(world, app, Topic.CHECKS).checks[0]
    change = CheckChange(id=check.id, region=WEST, version=check.version, before=check.switch, after=FORCED_UNHEALTHY)
    effect = CheckEffect(check=change)
    world.perform(effect)
    assert standing(effect, look_at(world, app, effect, CLOCK, 10)) is Standing.AFTER


def test_alarms_and_metrics_are_read_and_a_table_without_replicas_is_unknown(world: AwsWorld, app: App) -> None:
    seen = facts(world, app, Topic.SIGNALS, Topic.CALLER)
    levels = {(reading.kind, reading.region): reading.level for reading in seen.readings}
    for region in (WEST, EAST):
        assert levels[SignalKind.ALARM, region] is Level.OK
        assert levels[SignalKind.METRIC, region] is Level.OK
        assert levels[SignalKind.REPLICATION, region] is Level.UNKNOWN
    assert seen.caller is not None
    assert seen.caller.account == "123456789012"
