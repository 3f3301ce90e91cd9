"""``resil drill`` at the command line: what is run, what is shown, and which exit code comes of it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from resilience_cli.adapters.memory import MemoryWorld
from resilience_cli.errors import ResilError
from resilience_cli.model.drill import CommandRun, DrillEvent, DrillResult, FaultTold, Note, Orders, Seen
from resilience_cli.model.traffic import Floor, Outage, TrafficSecond

from .offline import Offline, facts

FAILOVER = CommandRun(
    argv=("resil", "failover", "--to", "us-east-1", "--yes"),
    exit_code=0,
    stdout="DONE",
    stderr="",
    seconds=9.0,
    writes=("route53 ChangeResourceRecordSets",),
    typed_s=5.0,
    changed_s=6.0,
)


def result(name: str, seed: int, failures: tuple[str, ...] = ()) -> DrillResult:
    shares = [{"us-west-2": 1.0}, {"us-west-2": 1.0}, {"us-east-1": 1.0}]
    seconds = [
        TrafficSecond(second=n, requests=40, failed=40 * (n == 1), shares=share) for n, share in enumerate(shares)
    ]
    seen = Seen(
        traffic=tuple(seconds),
        outages=(Outage(place="us-west-2", began=3.0, steady=15.0, failed=240),),
        faults=(FaultTold(what="us-west-2 cut off", from_s=3.0),),
        floor=Floor(propagation_s=5.0, ttl_left_s=4.0, drain_s=0.0),
        guards=("replication warns: at risk: unknown",),
    )
    return DrillResult(
        scenario=name,
        title="made up",
        passed=not failures,
        rto_s=10.0 + seed,
        floor_s=9.0,
        ratio=round((10.0 + seed) / 9.0, 3),
        orders=Orders(acknowledged=200, failed=240, held=34, lost=0, duplicated=0),
        failures=failures,
        seen=seen,
        events=(FAILOVER,),
    )


class Drilled(Offline):
    """Drills that are over at once; ``failing`` says what does not hold in which."""

    failing: Mapping[str, str] = {}

    def drill(self, name: str, seed: int, files: object) -> Iterator[DrillEvent | DrillResult]:  # type: ignore[override]
        yield Note(text=f"{name} with seed {seed}")
        yield FAILOVER
        yield result(name, seed, tuple(why for which, why in self.failing.items() if which == name))


@pytest.fixture
def drilled(tmp_path: Path) -> Drilled:
    return Drilled(tmp_path, MemoryWorld(facts()))


def test_a_result_is_shown_with_its_parts_and_a_chart(drilled: Drilled) -> None:
    shown = drilled.resil("drill", "region-lost")
    told = " ".join(shown.out.split())
    assert shown.code == 0
    assert "PASSED region-lost" in told
    assert "us-west-2 cut off, from 3 s" in told
    assert "RTO 10.00 s as clients felt it; floor 9.00 s (5.00 s propagation + 4.00 s TTL left in a cache)" in told
    assert "outage near us-west-2: 12.0 s, 240 requests failed" in told
    assert "200 acknowledged, 240 failed, 34 held, 0 lost, 0 duplicated" in told
    assert "guard replication warns" in told
    assert [line.split("|")[1] for line in shown.out.splitlines() if "|" in line] == ["..@", "@@.", ".@."]
    assert "the name server's answers moved after 6.0 s" in shown.err


def test_what_did_not_hold_is_said_and_is_no_success(drilled: Drilled) -> None:
    drilled.failing = {"region-lost": "3 orders lost, at most 0 may be"}
    shown = drilled.resil("drill", "planned", "region-lost")
    assert shown.code not in (0, 1, 2)
    assert "NOT PASSED region-lost" in shown.out
    assert "3 orders lost, at most 0 may be" in " ".join(shown.out.split())


def test_json_is_one_object_a_drill_with_the_keys_that_are_kept(drilled: Drilled) -> None:
    shown = drilled.resil("drill", "region-lost", "planned", "--output", "json")
    first, second = map(json.loads, shown.out.splitlines())
    assert {"schema", "scenario", "passed", "rto_s", "floor_s", "ratio", "orders"} <= set(first)
    assert {"acknowledged", "missing_at_takeover", "lost", "duplicated"} <= set(first["orders"])
    assert (first["scenario"], second["scenario"]) == ("region-lost", "planned")
    assert first["seen"]["floor"] == {"propagation_s": 5.0, "ttl_left_s": 4.0, "drain_s": 0.0}


def test_repeated_drills_have_seeds_that_follow_one_another_and_a_spread(drilled: Drilled) -> None:
    shown = drilled.resil("drill", "region-lost", "--repeat", "3", "--seed", "7")
    assert [seed for seed in range(20) if f"with seed {seed}\n" in shown.err] == [7, 8, 9]
    told = " ".join(shown.out.split())
    assert "region-lost: 3 drills" in told
    assert "RTO, s 3 17.00 18.00 19.00" in told


def test_without_a_name_all_are_run_but_those_that_are_run_by_name_only(drilled: Drilled) -> None:
    shown = drilled.resil("drill", "--output", "json")
    names = [json.loads(line)["scenario"] for line in shown.out.splitlines()]
    assert len(names) >= 11
    assert {"planned", "region-lost", "target-impaired"} <= set(names)
    assert not {"region-lost-ttl60", "failback-fails-again"} & set(names)
    assert "by name only: failback-fails-again, region-lost-ttl60" in shown.err


def test_the_list_shows_every_scenario_and_what_one_needs(offline: Offline) -> None:
    shown = offline.resil("drill", "--list")
    told = " ".join(shown.out.split())
    assert shown.code == 0
    assert all(name in told for name in ("planned", "region-lost-ttl60", "control-plane-down-weights-only"))
    assert "(needs a ramp that goes back by itself; run by name only)" in told
    assert "(by name only: takes a minute or two, for the caches to run out)" in told


@pytest.fixture
def offline(tmp_path: Path) -> Offline:
    return Offline(tmp_path, MemoryWorld(facts()))


SCENARIO = """\
version: 1
name: own
title: a user's own
faults: [{FAULT}]
commands: [{run: [status]}]
"""


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("kind: throtle", "did you mean throttle?"),
        ("kind: throttle, service: rute53", "did you mean route53"),
        ("kind: throttle, service: route53, operation: ListHostedZone", "did you mean ListHostedZones"),
    ],
)
def test_a_scenario_of_one_s_own_with_a_wrong_name_is_told_the_near_ones(
    offline: Offline, tmp_path: Path, fault: str, says: str
) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(SCENARIO.replace("FAULT", fault))
    shown = offline.resil("drill", str(file))
    assert (shown.code, shown.out) == (2, "")
    assert says in shown.err


def test_an_unknown_scenario_and_a_file_that_is_not_there_are_usage(offline: Offline) -> None:
    unknown = offline.resil("drill", "region-los")
    assert (unknown.code, "did you mean region-lost" in unknown.err) == (2, True)
    missing = offline.resil("drill", "none/such.yaml")
    assert (missing.code, "there is no such file" in missing.err) == (2, True)


class Broken(Offline):
    def drill(self, name: str, seed: int, files: object) -> Iterator[DrillEvent]:  # type: ignore[override]
        raise ResilError("order_service ended: no memory", hint="order-service-us-west-2.log")


def test_a_world_that_does_not_start_is_no_success_and_names_the_part(tmp_path: Path) -> None:
    shown = Broken(tmp_path, MemoryWorld(facts())).resil("drill", "planned")
    assert (shown.code, shown.out) == (1, "")
    assert "order_service ended: no memory" in shown.err
