"""Verdicts: a table of readings and what they add up to. Unknown is a value, and a partial view is never an outage."""

from collections.abc import Sequence
from itertools import permutations

import pytest

from resilience_cli.assess import assess, data_at_risk
from resilience_cli.model.app import Judgement
from resilience_cli.model.readings import Judged, Level, Reading, SignalKind, Verdict

from . import builders as b

HALF = {b.WEST: 50, b.EAST: 50}


def r(words: str) -> Reading:
    """``canary west bad from observer [source=x] [uncounted]``; without ``from``, from the observer."""
    kind, region, level, *rest = words.split()
    names = {"west": b.WEST, "east": b.EAST, "observer": b.OBSERVER, "here": "here"}
    seen_from = names[rest[rest.index("from") + 1]] if "from" in rest else b.OBSERVER
    source = next((word.removeprefix("source=") for word in rest if word.startswith("source=")), "")
    return b.reading(kind, names[region], level, seen_from, source=source, counts="uncounted" not in rest)


def verdicts(readings: Sequence[str], weights: dict[str, int] = HALF, **judgement: object) -> dict[str, Verdict]:
    app = b.weighted_app(judgement=judgement)
    facts = b.facts(app, weights=weights).model_copy(update={"readings": tuple(map(r, readings))})
    return {verdict.region: verdict for verdict in assess(app, facts)}


CASES: list[tuple[str, list[str], Judged]] = [
    ("no reading at all", [], Judged.UNKNOWN),
    ("one kind ok, none else known of", ["canary west ok"], Judged.HEALTHY),
    ("two kinds ok", ["canary west ok", "endpoint west ok from here"], Judged.HEALTHY),
    ("four kinds ok", ["canary west ok", "endpoint west ok", "metric west ok", "alarm west ok"], Judged.HEALTHY),
    ("one ok and one unknown kind", ["canary west ok", "endpoint west unknown"], Judged.UNKNOWN),
    ("two kinds ok and one unknown", ["canary west ok", "endpoint west ok", "metric west unknown"], Judged.HEALTHY),
    (
        "two readings of one kind ok, another kind unknown",
        ["canary west ok"] * 2 + ["metric west unknown"],
        Judged.UNKNOWN,
    ),
    ("all unknown", ["canary west unknown", "endpoint west unknown"], Judged.UNKNOWN),
    ("two kinds bad from outside", ["canary west bad", "endpoint west bad from here"], Judged.IMPAIRED),
    ("two kinds bad, one of them from outside", ["canary west bad", "metric west bad from west"], Judged.IMPAIRED),
    ("two kinds bad, none from outside", ["alarm west bad from west", "metric west bad from west"], Judged.UNKNOWN),
    (
        "three kinds bad, none from outside",
        [f"{k} west bad from west" for k in ("alarm", "metric", "canary")],
        Judged.UNKNOWN,
    ),
    ("one kind bad alone", ["canary west bad"], Judged.UNKNOWN),
    ("one kind bad five times", ["canary west bad"] * 5, Judged.UNKNOWN),
    ("one kind bad, all others ok", ["canary west bad", "endpoint west ok", "metric west ok"], Judged.UNKNOWN),
    (
        "a grey failure: two kinds bad, two ok",
        ["canary west bad", "endpoint west bad", "metric west ok", "alarm west ok"],
        Judged.IMPAIRED,
    ),
    (
        "one bad and all others unknown",
        ["canary west bad", "endpoint west unknown", "metric west unknown"],
        Judged.UNKNOWN,
    ),
    ("two kinds bad, the rest unknown", ["canary west bad", "metric west bad", "alarm west unknown"], Judged.IMPAIRED),
    (
        "an alarm on the canary's own metric counts with it once",
        ["canary west bad source=c", "alarm west bad source=c"],
        Judged.UNKNOWN,
    ),
    ("an alarm of its own counts", ["canary west bad source=c", "alarm west bad source=d"], Judged.IMPAIRED),
    (
        "a stale canary whose alarm is bad counts as the alarm",
        ["canary west unknown source=c", "alarm west bad source=c", "metric west bad"],
        Judged.IMPAIRED,
    ),
    (
        "a canary that is ok outweighs the alarm on it",
        ["canary west ok source=c", "alarm west bad source=c", "metric west ok"],
        Judged.HEALTHY,
    ),
    (
        "one source seen from inside and outside was seen from outside",
        ["metric west bad from west source=m", "metric west bad source=m", "alarm west bad from west"],
        Judged.IMPAIRED,
    ),
    ("replication never makes a Region impaired", ["replication west bad", "canary west bad"], Judged.UNKNOWN),
    (
        "replication that is bad beside signals that are ok",
        ["replication west bad", "canary west ok", "endpoint west ok"],
        Judged.HEALTHY,
    ),
    ("replication alone says nothing about health", ["replication west ok"], Judged.UNKNOWN),
    ("health events support and do not decide", ["health-events west bad", "canary west bad"], Judged.UNKNOWN),
    ("health events alone", ["health-events west bad"], Judged.UNKNOWN),
    ("no health event is no health", ["health-events west ok"], Judged.UNKNOWN),
    (
        "health events beside two bad kinds",
        ["health-events west bad", "canary west bad", "metric west bad"],
        Judged.IMPAIRED,
    ),
    (
        "what is shown but must not decide does not",
        ["canary west bad uncounted", "endpoint west bad uncounted"],
        Judged.UNKNOWN,
    ),
    (
        "what must not decide does not spoil what is ok",
        ["canary west bad uncounted", "endpoint west ok"],
        Judged.HEALTHY,
    ),
    ("signals of the other Region say nothing", ["canary east bad", "endpoint east bad"], Judged.UNKNOWN),
    (
        "a vantage that sees every Region bad says more about itself",
        ["endpoint west bad from here", "endpoint east bad from here", "canary west ok", "canary east ok"],
        Judged.UNKNOWN,
    ),
    (
        "and is not one of the two kinds",
        ["endpoint west bad from here", "endpoint east bad from here", "canary west bad", "canary east ok"],
        Judged.UNKNOWN,
    ),
    (
        "a vantage that sees one Region well is believed about the other",
        ["endpoint west bad from here", "endpoint east ok from here", "canary west bad"],
        Judged.IMPAIRED,
    ),
    (
        "two blind vantages are no outage either",
        ["endpoint west bad from here", "endpoint east bad from here", "canary west bad", "canary east bad"],
        Judged.UNKNOWN,
    ),
    (
        "a vantage is not blind for seeing some of every Region bad",
        ["canary west bad", "canary east bad", "metric east ok", "metric west bad"],
        Judged.IMPAIRED,
    ),
]


def test_the_table_is_long_enough_and_tells_no_case_twice() -> None:
    assert len(CASES) >= 30
    assert len({case for case, _, _ in CASES}) == len(CASES)


@pytest.mark.parametrize(("readings", "judged"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_verdict_is_what_the_readings_add_up_to(readings: list[str], judged: Judged) -> None:
    found = verdicts(readings)[b.WEST]
    assert found.verdict is judged, found.why


@pytest.mark.parametrize(("readings", "judged"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_order_of_the_readings_does_not_matter(readings: list[str], judged: Judged) -> None:
    found = {verdicts(order)[b.WEST].verdict for order in permutations(readings)}
    assert found == {judged}


NO_TRAFFIC: list[tuple[str, list[str], Judged]] = [
    ("metrics without traffic say nothing", ["metric west ok", "alarm west ok"], Judged.UNKNOWN),
    ("metrics without traffic are not bad", ["metric west bad", "alarm west bad"], Judged.UNKNOWN),
    ("canaries and probes decide", ["canary west bad", "endpoint west bad from here"], Judged.IMPAIRED),
    ("canaries and probes that are ok", ["canary west ok", "endpoint west ok from here"], Judged.HEALTHY),
    (
        "a bad metric beside them is passed over",
        ["canary west ok", "endpoint west ok", "metric west bad"],
        Judged.HEALTHY,
    ),
    ("a bad canary and a bad metric", ["canary west bad", "metric west bad"], Judged.UNKNOWN),
]


@pytest.mark.parametrize(("readings", "judged"), [c[1:] for c in NO_TRAFFIC], ids=[c[0] for c in NO_TRAFFIC])
def test_a_region_without_traffic_is_judged_by_canaries_and_probes(readings: list[str], judged: Judged) -> None:
    found = verdicts(readings, {b.WEST: 0, b.EAST: 100})[b.WEST]
    assert found.verdict is judged, found.why
    assert "no traffic" in found.why


def test_a_region_of_unread_traffic_is_judged_by_everything() -> None:
    app = b.weighted_app()
    readings = (r("metric west bad from west"), r("alarm west bad"))
    facts = b.facts(app).model_copy(update={"zones": (), "readings": readings})
    assert assess(app, facts)[0].verdict is Judged.IMPAIRED


@pytest.mark.parametrize(
    ("kinds", "outside", "judged"),
    [(1, True, Judged.UNKNOWN), (1, False, Judged.IMPAIRED), (2, False, Judged.UNKNOWN)],
)
def test_how_much_it_takes_is_configured(kinds: int, outside: bool, judged: Judged) -> None:
    found = verdicts(["metric west bad from west"], kinds=kinds, outside=outside)
    assert found[b.WEST].verdict is judged


def test_the_default_takes_two_kinds_and_one_from_outside() -> None:
    assert Judgement() == Judgement(kinds=2, outside=True)


def test_the_arithmetic_is_shown() -> None:
    found = verdicts(["canary west bad", "metric west bad from west", "alarm west ok", "endpoint west unknown"])[b.WEST]
    assert found.why == "2 kinds of signal bad (canary, metric), 2 needed; 1 seen from outside"
    assert (found.bad, found.ok, found.unknown) == (2, 1, 1)
    assert found.bad_kinds == (SignalKind.CANARY, SignalKind.METRIC)


def test_a_health_event_is_told_beside_the_verdict() -> None:
    found = verdicts(["canary west bad", "metric west bad", "health-events west bad"])[b.WEST]
    assert found.why.endswith("; AWS Health agrees: health-events says bad")


def test_all_but_known_levels_leave_a_region_unknown_whatever_the_kind() -> None:
    for kind in SignalKind:
        assert verdicts([f"{kind} west {Level.UNKNOWN}"])[b.WEST].verdict is Judged.UNKNOWN


def test_data_at_risk_is_the_worst_known_and_what_is_not_known() -> None:
    app = b.weighted_app()
    lags = [
        b.lag(b.WEST, 0.4),
        b.lag(b.WEST, 1.2).model_copy(update={"subject": "Products"}),
        b.lag(b.WEST, "throttled").model_copy(update={"subject": "Customers"}),
        b.lag(b.EAST, 60.0),
    ]
    told = data_at_risk(app, lags, (b.WEST,))
    assert told == "writes of about the last 1.2 s in us-west-2 (worst: Products); unknown for Customers"
    assert data_at_risk(app, [], (b.WEST,)) == "not measured: no replication signal for us-west-2"
    assert data_at_risk(app, [], ()) == "none"
