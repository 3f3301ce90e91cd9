"""Faults in the reference world: turned on over HTTP, in the name server, and as the AWS adapters meet them."""

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import dns.exception
import dns.message
import dns.query
import dns.rcode
import pytest

from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.adapters.aws.world import AwsWorld
from resilience_cli.adapters.yaml_files import load_app
from resilience_cli.errors import AwsTrouble, Denied, Throttled, Uncertain, Unreachable
from resilience_cli.model.app import App
from resilience_cli.model.facts import Seen, Topic
from resilience_cli.model.fault import fault_of
from resilience_cli.model.readings import Level, SignalKind
from resilience_cli.ports import Read
from resilience_cli.sandbox.orders import World, build
from resilience_cli.sandbox.orders_files import LATENCY

Outcome = AwsTrouble | Seen


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = build(tmp_path_factory.mktemp("faults"), propagation=0.1, wait_period_ms=0)
    world.start()
    yield world
    world.stop()


@pytest.fixture(scope="module")
def sessions(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    """The SDK with the sandbox's own environment and nothing of the machine's."""
    none = str(tmp_path_factory.getbasetemp() / "no-such-file")
    ours = world.exports() | {"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none}
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "RESIL_"))]:
            patch.delenv(name)
        for name, value in ours.items():
            patch.setenv(name, value)
        yield Sessions()


@pytest.fixture(scope="module")
def app(world: World) -> App:
    return load_app(world.directory / LATENCY)


@pytest.fixture(autouse=True)
def _put_right(world: World) -> Iterator[None]:
    yield
    world.faults.clear()


def look(sessions: Sessions, app: App, topics: frozenset[Topic] = frozenset(Topic)) -> list[tuple[Read, Outcome]]:
    """Every read of an app, asked at once as ``observe`` does; what each brought, or its trouble."""
    aws = AwsWorld(sessions, app, now=lambda: datetime.now(UTC))
    with ThreadPoolExecutor(24) as pool:
        return list(pool.map(lambda read: (read, asked(read)), aws.reads(app, topics)))


def asked(read: Read) -> Outcome:
    try:
        return read.ask()
    except AwsTrouble as trouble:
        return trouble


def is_of_aws(read: Read) -> bool:
    """Name servers and the application's own endpoints are asked without AWS."""
    probes = {reading.kind for reading in read.unanswered("")} == {SignalKind.ENDPOINT}
    return read.topic is not Topic.ANSWERS and not probes


def test_without_faults_every_read_is_answered(sessions: Sessions, app: App) -> None:
    troubles = [outcome for _, outcome in look(sessions, app) if isinstance(outcome, AwsTrouble)]
    assert troubles == []


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "refuse"}, (Uncertain, Unreachable)),
        ({"kind": "error-5xx"}, (Uncertain, Unreachable)),
        ({"kind": "access-denied"}, (Denied,)),
        ({"kind": "throttle"}, (Throttled,)),
        ({"kind": "malformed-body"}, (Uncertain,)),
        ({"kind": "cut-page", "how": "body"}, (Uncertain,)),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_a_fault_of_all_of_aws_leaves_nothing_known_and_nothing_good_or_bad(
    world: World, sessions: Sessions, app: App, fault: dict[str, Any], expected: tuple[type[AwsTrouble], ...]
) -> None:
    world.faults.add(fault_of(fault))
    # Who one is, is left out: GetCallerIdentity needs no permission, and so a denial means that the keys are wrong.
    for read, outcome in look(sessions, app, frozenset(Topic) - {Topic.CALLER}):
        if not is_of_aws(read):
            continue
        if isinstance(outcome, AwsTrouble):
            assert isinstance(outcome, expected), (read.subject, outcome)
        else:
            assert {reading.level for reading in outcome.readings} <= {Level.UNKNOWN}, (read.subject, outcome)
            assert outcome.zone is None, read.subject
            assert not outcome.controls, read.subject


def test_a_page_that_does_not_come_makes_the_whole_list_unknown(world: World, sessions: Sessions, app: App) -> None:
    world.faults.add(fault_of({"kind": "cut-page", "service": ["route53", "cloudwatch"]}))
    records = [outcome for read, outcome in look(sessions, app) if read.topic is Topic.RECORDS]
    assert [type(outcome) for outcome in records] == [Uncertain]


def test_two_arc_endpoints_down_are_passed_over_and_five_are_no_answer(
    world: World, sessions: Sessions, app: App
) -> None:
    controls = frozenset({Topic.CONTROLS})
    world.faults.add(fault_of({"kind": "arc-endpoints-down", "endpoints": 4, "id": "four"}))
    ((_, found),) = look(sessions, app, controls)
    assert isinstance(found, Seen)
    assert len(found.controls) == 2
    world.faults.add(fault_of({"kind": "arc-endpoints-down", "endpoints": 5}))
    ((_, found),) = look(sessions, app, controls)
    assert isinstance(found, Unreachable)


def test_a_fault_of_one_operation_leaves_the_other_reads_as_they_are(
    world: World, sessions: Sessions, app: App
) -> None:
    world.faults.add(fault_of({"kind": "error-5xx", "service": "route53", "operation": "ListResourceRecordSets"}))
    found = look(sessions, app)
    assert {read.topic for read, outcome in found if isinstance(outcome, AwsTrouble)} == {Topic.RECORDS}
    assert {type(outcome) for read, outcome in found if read.topic is Topic.RECORDS} == {Uncertain}


# Over HTTP


def turn(world: World, **wish: Any) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(f"{world.sandbox.url}/_resil/world", data=json.dumps(wish).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status), json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_faults_are_turned_on_and_off_over_http(world: World) -> None:
    status, state = turn(world, fault={"kind": "throttle", "service": "route53", "id": "slow", "for": "1m"})
    assert (status, state["faults"]) == (200, [{"id": "slow", "kind": "throttle", "on": True, "struck": 0}])
    more = [{"kind": "black-hole", "region": "us-west-2", "at": "1h"}, {"kind": "refuse", "service": "sts"}]
    _, state = turn(world, faults=more)
    assert [(fault["kind"], fault["on"]) for fault in state["faults"]] == [
        ("throttle", True),
        ("black-hole", False),
        ("refuse", True),
    ]
    _, state = turn(world, remove_fault="slow")
    assert [fault["kind"] for fault in state["faults"]] == ["black-hole", "refuse"]
    assert turn(world, clear_faults=True)[1]["faults"] == []


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"fault": {"kind": "throtle"}}, "did you mean throttle"),
        ({"fault": {"kind": "throttle", "service": "dynamo"}}, "dynamodb"),
        ({"fault": {"kind": "throttle", "shares": 0.5}}, "shares"),
        ({"remove_fault": "none"}, "no fault 'none'"),
    ],
)
def test_a_fault_that_does_not_exist_is_refused_over_http(world: World, wish: dict[str, Any], says: str) -> None:
    status, answer = turn(world, **wish)
    assert status == 400
    assert says in answer["error"]


# The service's clock


def test_an_alarm_judged_by_a_wrong_clock_finds_no_data(world: World, sessions: Sessions) -> None:
    api = sessions.reader("cloudwatch", "us-west-2")

    def states() -> set[str]:
        return {alarm["StateValue"] for alarm in api.ask("DescribeAlarms")["MetricAlarms"]}

    assert "INSUFFICIENT_DATA" not in states()
    world.faults.add(fault_of({"kind": "clock-skew", "service": "cloudwatch", "by": "4m"}))
    assert soon(lambda: "INSUFFICIENT_DATA" in states())


# The name server


def query(world: World, rtype: str = "A", timeout: float = 0.3) -> dns.message.Message:
    asked = dns.message.make_query("api.example.com", rtype)
    return dns.query.udp(asked, world.nameserver.host, port=world.nameserver.port, timeout=timeout)


def test_the_name_server_can_be_made_silent_refuse_fail_and_be_late(world: World) -> None:
    def only(kind: str, **more: Any) -> None:
        world.faults.clear()
        world.faults.add(fault_of({"kind": kind, "service": "dns"} | more))

    only("black-hole")
    with pytest.raises(dns.exception.Timeout):
        query(world)
    only("refuse")
    assert query(world).rcode() == dns.rcode.REFUSED
    only("error-5xx", operation="AAAA")
    assert query(world, "AAAA").rcode() == dns.rcode.SERVFAIL
    assert query(world).rcode() == dns.rcode.NOERROR
    only("latency", delay="150ms")
    started = time.monotonic()
    assert query(world, timeout=2).rcode() == dns.rcode.NOERROR
    assert time.monotonic() - started > 0.14


def test_a_fault_of_all_services_leaves_the_name_server_alone(world: World) -> None:
    world.faults.add(fault_of({"kind": "black-hole"}))
    assert query(world).answer


def test_a_kind_the_name_server_does_not_have_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="the name server knows no throttle"):
        world.faults.add(fault_of({"kind": "throttle", "service": "dns"}))


def soon(holds: Callable[[], bool], within: float = 5.0) -> bool:
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
