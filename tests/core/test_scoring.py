"""What a drill's evidence comes to: hand-made commands, logs and ledgers, results worked out by hand."""

from typing import Any

import pytest

from resilience_cli.model.drill import Asked, CommandRun, DrillEvent, DrillResult
from resilience_cli.model.ledger import Ledger, Moment
from resilience_cli.model.scenario import Scenario
from resilience_cli.model.traffic import Began, ClientPlace, ClientPlan, Ended, TrafficEvent, TrafficLog
from resilience_cli.scoring import Evidence, score

from .test_traffic import EAST, REGIONS, WEST, E, W, request, resolved, steadily

ZERO = 100.0
TYPED_S, CHANGED_S = 5.0, 3.0  # typed at 105, answers changed at 108
BEGAN = Began(
    at=ZERO,
    mono=ZERO,
    plan=ClientPlan(
        url="http://api.example.com:80",
        resolver="127.0.0.1:53",
        places=(ClientPlace(name="a", subnet="198.51.100.0/24", rate=10),),
        seconds=60,
    ),
)
FAILOVER = ("resil", "failover", "--to", EAST, "--yes")


def scenario(**more: Any) -> Scenario:
    """The ledger of these tests is empty, so that of lost orders nothing is demanded."""
    given = {"version": 1, "name": "made", "title": "made by hand", "commands": [{"run": FAILOVER[1:]}]}
    holds = {"lost_at_most": None} | more.pop("holds", {})
    return Scenario.model_validate(given | {"world": {"propagation": 1}, "holds": holds} | more)


def command(*argv: str, exits: int = 0, **more: Any) -> CommandRun:
    told = {"argv": argv or FAILOVER, "exit_code": exits, "stdout": "", "stderr": "", "seconds": 4.0, "writes": ()}
    return CommandRun.model_validate(told | {"typed_s": TYPED_S, "changed_s": CHANGED_S} | more)


def outage() -> list[TrafficEvent]:
    """West fails from 103 to 110, when the last cache has let go of it; the answer changed at 108."""
    before = steadily(ZERO, 110.0, failing=(103.0, 110.0))
    after = [request(at / 10, address=E) for at in range(1100, 1150)]
    return [BEGAN, *before, *after, resolved(105.0, W, ttl=5.0), resolved(110.0, E, ttl=5.0), Ended(at=115, mono=115)]


def evidence(*events: DrillEvent, log: list[TrafficEvent] | None = None) -> Evidence:
    return Evidence(
        events=events or (command(),),
        log=TrafficLog.of(outage() if log is None else log),
        ledger=Ledger(now=Moment(wall=ZERO, mono=ZERO), writes=()),
        runs=(),
        faults=(),
        zero=ZERO,
        regions=REGIONS,
    )


def test_rto_counts_from_the_typing_and_the_floor_from_caches_alone() -> None:
    result = score(scenario(), evidence())
    assert result.rto_s == 5.0  # 105 to 110
    assert result.floor_s == 3.0  # propagation 1 s, and 2 s that a cache still held the old answer
    assert result.ratio == pytest.approx(1.667)
    assert result.seen.takeover_s == TYPED_S + CHANGED_S
    assert result.seen.traffic[-1].shares == {EAST: 1.0}


def test_routing_controls_have_no_propagation_in_their_floor() -> None:
    assert score(scenario(world={"shape": "latency", "propagation": 1}), evidence()).floor_s == 2.0


def test_where_no_client_felt_anything_there_is_no_ratio() -> None:
    quiet: list[TrafficEvent] = [BEGAN, *steadily(ZERO, 115.0), resolved(105.0, W, ttl=5.0), Ended(at=115, mono=115)]
    result = score(scenario(), evidence(log=quiet))
    assert (result.rto_s, result.ratio, result.passed) == (0.0, None, True)


def test_a_failover_that_did_not_move_or_did_not_succeed_has_no_rto() -> None:
    refused = score(scenario(commands=[{"run": FAILOVER[1:], "exits": 3}]), evidence(command(exits=3, changed_s=None)))
    assert (refused.rto_s, refused.floor_s, refused.ratio, refused.passed) == (None, None, None, True)


def test_the_failover_that_moved_traffic_is_the_one_measured() -> None:
    """An edit of someone else's may change the answers while a failover runs that changes nothing."""
    first = command(exits=8, typed_s=1.0, changed_s=1.0)
    twice = scenario(commands=[{"run": FAILOVER[1:], "exits": 8}, {"run": FAILOVER[1:]}])
    assert score(twice, evidence(first, command())).rto_s == 5.0


@pytest.mark.parametrize(
    ("wanted", "ran", "says"),
    [
        ({"exits": 3}, {"exits": 0}, "exited 0, expected 3"),
        ({"says": ["replication"]}, {"stdout": "REFUSED"}, "did not say 'replication'"),
        ({"writes": 1}, {"writes": ("route53 ChangeResourceRecordSets",) * 2}, "made 2 writes"),
        ({"writes": 0}, {"writes": ("s3 PutObject",)}, "made 1 writes (s3 PutObject), expected 0"),
    ],
)
def test_a_command_that_did_otherwise_is_named(wanted: dict[str, Any], ran: dict[str, Any], says: str) -> None:
    result = score(scenario(commands=[{"run": FAILOVER[1:], **wanted}]), evidence(command(**ran)))
    assert not result.passed
    assert says in " ".join(result.failures)


def test_words_are_found_though_a_screen_folds_them() -> None:
    told = command(stdout="configure\n    a data-plane lever")
    result = score(scenario(commands=[{"run": FAILOVER[1:], "says": ["configure a data-plane lever"]}]), evidence(told))
    assert result.passed


def held(result: DrillResult) -> str:
    return "; ".join(result.failures)


def test_what_must_hold_is_held_to_what_was_measured() -> None:
    assert "70 requests failed, at most 0" in held(score(scenario(holds={"failed_at_most": 0}), evidence()))
    assert "1.67 times the floor" in held(score(scenario(holds={"ratio_at_most": 1.15}), evidence()))
    asked = Asked(name="api.example.com.", when="in the end", answers={WEST: WEST})
    wrong = score(scenario(holds={"answers": {WEST: EAST}}), evidence(command(), asked))
    assert "the name server answers" in held(wrong)


def test_a_ratio_that_must_hold_and_was_not_measured_does_not_hold() -> None:
    result = score(scenario(holds={"ratio_at_most": 1.15}), evidence(command(changed_s=None)))
    assert "RTO is not measured" in held(result)


def test_a_log_that_is_cut_proves_nothing() -> None:
    result = score(scenario(), evidence(log=outage()[:-1]))
    assert "the clients' log is not whole" in held(result)


def test_a_ratio_can_be_demanded_of_a_failover_only() -> None:
    with pytest.raises(ValueError, match="needs a failover"):
        scenario(commands=[{"run": ["status"]}], holds={"ratio_at_most": 1.15})


def test_a_scenario_that_needs_something_or_takes_long_is_run_by_name_only() -> None:
    assert scenario().is_default
    assert not scenario(needs="a ramp that goes back").is_default
    assert not scenario(by_name_only="takes minutes").is_default


def test_the_shortened_form_keeps_what_must_hold_but_for_the_quickness() -> None:
    short = scenario(
        world={"ttl": 60, "propagation": 5, "rate": 200}, holds={"ratio_at_most": 1.05, "failed_at_most": 7}
    ).shortened()
    assert (short.world.ttl, short.world.propagation, short.world.rate) == (1, 0.5, 10.0)
    assert (short.holds.ratio_at_most, short.holds.failed_at_most) == (None, 7)
