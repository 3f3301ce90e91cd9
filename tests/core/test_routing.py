"""Route 53's answering rules: a table written from AWS's pages, and what holds for every table."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from resilience_cli.model.records import (
    FORCED_UNHEALTHY,
    AliasTarget,
    CheckSwitch,
    Health,
    HealthCheck,
    Policy,
    RecordSet,
)
from resilience_cli.routing import (
    answer,
    calculated,
    covering,
    effective_health,
    policy_of,
    records_at,
    switched,
)

ZONE = "Z1"
OUTSIDE = "Z2FDTNDATAQYW2"
VECTORS: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("routing_vectors.yaml").read_text())


def full(name: str) -> str:
    return f"{name}.example.com."


def record_of(row: Mapping[str, Any]) -> RecordSet:
    alias = None
    if "alias" in row:
        outside = "." in row["alias"]
        alias = AliasTarget(
            zone_id=OUTSIDE if outside else ZONE,
            dns_name=row["alias"] + "." if outside else full(row["alias"]),
            evaluate_target_health=row["eth"],
        )
    policied = {"weight", "region", "failover"} & set(row)
    return RecordSet(
        name=full(row.get("at", "www")),
        type="A",
        set_identifier=row["id"] if policied else None,
        weight=row.get("weight"),
        region=row.get("region"),
        failover=row.get("failover"),
        ttl=None if alias else 60,
        values=() if alias else (row["id"],),
        alias=alias,
        health_check_id=row.get("check"),
    )


@pytest.mark.parametrize("vector", VECTORS, ids=[v["case"] for v in VECTORS])
def test_answers_follow_the_published_rules(vector: dict[str, Any]) -> None:
    """Each row of the table, with records in the order written and reversed."""
    rows = vector["records"]
    ids = {record_of(row): row["id"] for row in rows}
    failing = set(vector.get("unhealthy", []))
    for records in (list(ids), list(reversed(ids))):
        shares = answer(
            {ZONE: records}, ZONE, full("www"), "A", lambda check: check not in failing, vector.get("nearest", [])
        )
        got = {ids[share.leaf]: share.fraction for share in shares}
        assert got == {leaf: Fraction(str(part)) for leaf, part in vector["answers"].items()}


def test_every_vector_names_its_page_and_no_case_is_told_twice() -> None:
    assert all(vector["page"] for vector in VECTORS)
    assert len({vector["case"] for vector in VECTORS}) == len(VECTORS)


def test_a_share_tells_the_whole_chain_from_the_name_asked_to_the_record_that_answers() -> None:
    top = record_of({"id": "top", "alias": "b", "eth": True})
    leaf = record_of({"id": "leaf", "at": "b"})
    (share,) = answer({ZONE: [leaf, top]}, ZONE, "WWW.example.com", "A", lambda _: True)
    assert share.path == (top, leaf)
    assert share.leaf == leaf


def test_an_alias_is_followed_into_another_zone_that_is_known() -> None:
    top = RecordSet(
        name=full("www"),
        type="A",
        alias=AliasTarget(zone_id="Z9", dns_name="x.example.net", evaluate_target_health=True),
    )
    leaf = RecordSet(name="x.example.net.", type="A", ttl=60, values=("192.0.2.1",))
    shares = answer({ZONE: [top], "Z9": [leaf]}, ZONE, full("www"), "A", lambda _: True)
    assert [share.leaf for share in shares] == [leaf]


def test_an_alias_follows_records_of_its_own_type_only() -> None:
    top = record_of({"id": "top", "alias": "b", "eth": False})
    other = RecordSet(name=full("b"), type="AAAA", ttl=60, values=("2001:db8::1",))
    (share,) = answer({ZONE: [top, other]}, ZONE, full("www"), "A", lambda _: True)
    assert share.leaf == top


def test_no_record_of_the_name_and_type_is_no_answer() -> None:
    records = [record_of({"id": "a"})]
    assert answer({ZONE: records}, ZONE, full("www"), "AAAA", lambda _: True) == ()
    assert answer({ZONE: records}, ZONE, full("nope"), "A", lambda _: True) == ()
    assert answer({ZONE: records}, "Z404", full("www"), "A", lambda _: True) == ()


def test_policies_that_resil_does_not_move_count_every_healthy_record_alike() -> None:
    records = [
        RecordSet(name=full("www"), type="A", set_identifier=i, ttl=60, values=(i,), health_check_id=i, rest="{}")
        for i in "abc"
    ]
    assert policy_of(records) is Policy.OTHER
    shares = answer({ZONE: records}, ZONE, full("www"), "A", lambda check: check != "b")
    assert [(s.leaf.set_identifier, s.fraction) for s in shares] == [("a", Fraction(1, 2)), ("c", Fraction(1, 2))]


def test_a_mixture_of_policies_is_no_policy() -> None:
    assert policy_of([record_of({"id": "a", "weight": 1}), record_of({"id": "b", "region": "us-east-1"})]) is (
        Policy.OTHER
    )


def test_a_name_exists_if_a_name_below_it_does_and_then_no_wildcard_answers_for_it() -> None:
    records = [record_of({"id": "any", "at": "*"}), record_of({"id": "deep", "at": "a.b"})]
    assert covering(records, full("b")) == full("b")
    assert records_at(records, full("b"), "A") == ()
    assert covering(records, full("x.y")) == full("*")
    assert covering(records, full("x.b")) is None, "the nearest existing name is b, and it has no wildcard"
    assert covering(records, "example.net.") is None


def test_a_wildcard_is_found_as_route_53_writes_it() -> None:
    escaped = record_of({"id": "any", "at": r"\052"})
    assert records_at([escaped], full("whatever"), "A") == (escaped,)


# --- What holds for every tree ---------------------------------------------------------------------------------------

CHECKS = ["c0", "c1", "c2"]
NAMES = ["www", "a", "b", "c"]
REGIONS = ["us-east-1", "us-west-2", "eu-west-1"]


@st.composite
def group(draw: st.DrawFn, name: str) -> list[RecordSet]:
    """The records of one name: one policy, distinct identifiers, aliases to anywhere (loops and dead ends included)."""
    policy = draw(st.sampled_from([Policy.SIMPLE, Policy.WEIGHTED, Policy.LATENCY, Policy.FAILOVER]))
    size = 1 if policy is Policy.SIMPLE else draw(st.integers(1, 2 if policy is Policy.FAILOVER else 3))
    rows = []
    for n in range(size):
        row: dict[str, Any] = {"id": f"{name}{n}", "at": name}
        if policy is Policy.WEIGHTED:
            row["weight"] = draw(st.sampled_from([0, 0, 1, 7, 255]))
        elif policy is Policy.LATENCY:
            row["region"] = REGIONS[n]
        elif policy is Policy.FAILOVER:
            row["failover"] = ["PRIMARY", "SECONDARY"][n]
        if draw(st.booleans()):
            row["check"] = draw(st.sampled_from(CHECKS))
        if draw(st.booleans()):
            row |= {"alias": draw(st.sampled_from([*NAMES, "elb.amazonaws.com"])), "eth": draw(st.booleans())}
        rows.append(record_of(row))
    return rows


zone = st.tuples(*(group(name) for name in NAMES)).map(lambda groups: [record for g in groups for record in g])
health = st.fixed_dictionaries({check: st.booleans() for check in CHECKS})
ranking = st.permutations(REGIONS)


@given(zone, health, ranking)
def test_the_shares_of_an_existing_name_are_positive_and_make_exactly_one(
    records: list[RecordSet], healthy: dict[str, bool], nearest: list[str]
) -> None:
    shares = answer({ZONE: records}, ZONE, full("www"), "A", healthy.__getitem__, nearest)
    assert sum(share.fraction for share in shares) == 1
    assert all(share.fraction > 0 for share in shares)


@given(zone, health, ranking, st.randoms(use_true_random=False))
def test_the_order_of_the_records_does_not_matter(
    records: list[RecordSet], healthy: dict[str, bool], nearest: list[str], random: Any
) -> None:
    shuffled = random.sample(records, len(records))
    one, other = (answer({ZONE: r}, ZONE, full("www"), "A", healthy.__getitem__, nearest) for r in (records, shuffled))
    assert one == other


@given(zone, health, ranking)
def test_no_path_enters_a_name_twice(records: list[RecordSet], healthy: dict[str, bool], nearest: list[str]) -> None:
    for share in answer({ZONE: records}, ZONE, full("www"), "A", healthy.__getitem__, nearest):
        names = [record.name for record in share.path]
        assert len(set(names)) == len(names)


weighted_leaves = st.lists(
    st.tuples(st.sampled_from([0, 0, 1, 3, 255]), st.sampled_from([None, *CHECKS])), min_size=1, max_size=6
)


@given(weighted_leaves, health)
def test_a_zero_weight_is_never_returned_while_a_healthy_record_has_weight(
    leaves: list[tuple[int, str | None]], healthy: dict[str, bool]
) -> None:
    records = [record_of({"id": f"r{n}", "weight": w, "check": check}) for n, (w, check) in enumerate(leaves)]
    shares = answer({ZONE: records}, ZONE, full("www"), "A", healthy.__getitem__)
    alive = [r for r in records if r.weight and (r.health_check_id is None or healthy[r.health_check_id])]
    if alive:
        assert {share.leaf for share in shares} == set(alive)


# --- What a health check says ----------------------------------------------------------------------------------------

H, U, Q = Health.HEALTHY, Health.UNHEALTHY, Health.UNKNOWN


@pytest.mark.parametrize(
    ("switch", "measured", "says"),
    [
        (CheckSwitch(), H, H),
        (CheckSwitch(), U, U),
        (CheckSwitch(), Q, Q),
        (CheckSwitch(inverted=True), H, U),
        (CheckSwitch(inverted=True), U, H),
        (CheckSwitch(inverted=True), Q, Q),
        (CheckSwitch(disabled=True), U, H),
        (CheckSwitch(disabled=True), Q, H),
        (FORCED_UNHEALTHY, H, U),
        (FORCED_UNHEALTHY, Q, U),
    ],
)
def test_disabled_reads_as_healthy_and_inverted_flips(switch: CheckSwitch, measured: Health, says: Health) -> None:
    assert switched(switch, measured) is says


@pytest.mark.parametrize(
    ("threshold", "children", "says"),
    [
        (0, [], H),
        (0, [U, Q], H),
        (1, [H, U], H),
        (2, [H, U], U),
        (2, [H, Q], Q),
        (1, [H, Q], H),
        (2, [U, Q], U),
        (3, [H, H], U),
        (3, [Q, Q], U),
        (None, [H], Q),
    ],
)
def test_a_calculated_check_counts_healthy_children_against_its_threshold(
    threshold: int | None, children: list[Health], says: Health
) -> None:
    assert calculated(threshold, children) is says


def test_a_calculated_check_asks_its_children_and_then_its_own_switches() -> None:
    check = HealthCheck(
        id="all", version=1, type="CALCULATED", children=("a", "b"), threshold=2, switch=CheckSwitch(inverted=True)
    )
    assert effective_health(check, Q, {"a": H, "b": H}.__getitem__) is U
    assert effective_health(check, Q, {"a": H, "b": U}.__getitem__) is H


def test_any_other_check_asks_what_was_measured() -> None:
    check = HealthCheck(id="west", version=1, type="RECOVERY_CONTROL")
    assert effective_health(check, U, lambda _: H) is U
