"""The planner, scenario by scenario: ``scenarios/*.yaml``, written to be read by an SRE.

A scenario says what was found (``facts``), what was typed (``do``), and what must come of it: ``plan`` (the effects,
one a line), ``refused`` (the guards that say no), ``nothing`` (words of the reason) or ``usage`` (words of the error).
Beside a plan: its ``mode``, whether it is ``proposed``, its step ids, its ``target``, guards that ``warns`` or are
``overridden``, ``why`` (words of the shift's reason), ``data_at_risk``, ``verdicts``.

Defaults: the weighted app, us-west-2 100 and us-east-1 0, every signal ok, the caller in the pinned account.
"""

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from resilience_cli.errors import UsageError
from resilience_cli.model.app import App
from resilience_cli.model.facts import Facts, ZoneRecords
from resilience_cli.model.plan import Decision, Intent, NothingToDo, Plan, Says
from resilience_cli.model.records import HealthCheck, Zone
from resilience_cli.planner import plan

from . import builders as b

SCENARIOS: list[dict[str, Any]] = [
    scenario
    for file in sorted(Path(__file__).with_name("scenarios").glob("*.yaml"))
    for scenario in yaml.safe_load(file.read_text())
]
NAMES = {"west": b.WEST, "east": b.EAST, "north": b.NORTH}


def test_there_are_scenarios_enough_and_no_case_is_told_twice() -> None:
    cases = [scenario["case"] for scenario in SCENARIOS]
    assert len(cases) >= 40
    assert len(set(cases)) == len(cases)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario["case"] for scenario in SCENARIOS])
def test_the_planner_decides_as_the_scenario_says(scenario: dict[str, Any]) -> None:
    """Keys left over are an error: a typo must not make a scenario pass."""
    scenario = dict(scenario)
    scenario.pop("case")
    found = dict(scenario.pop("facts", {}) or {})
    app = app_of(scenario.pop("app", {}), found)
    book = b.runbook(ramp=scenario.pop("ramp", ()))
    intent = intent_of(scenario.pop("do"))
    facts = facts_of(app, found)
    if "usage" in scenario:
        with pytest.raises(UsageError) as caught:
            plan(app, book, intent, facts)
        assert scenario.pop("usage") in f"{caught.value.message} ({caught.value.hint})"
    else:
        compare(plan(app, book, intent, facts), scenario)
    assert not scenario, f"not understood: {', '.join(scenario)}"


def compare(decision: Decision, expected: dict[str, Any]) -> None:
    if "nothing" in expected:
        assert isinstance(decision, NothingToDo), b.told(decision)
        assert expected.pop("nothing") in decision.why
    elif "refused" in expected:
        assert b.refusing(decision) == expected.pop("refused"), b.told(decision)
        why = " ".join(f"{f.why} {f.cure}" for f in getattr(decision, "guards", ()) if f.says is Says.NO)
        for words in expected.pop("because", []):
            assert words in why
    else:
        assert b.lines(decision) == [short_to_long(line) for line in expected.pop("plan")], b.told(decision)
        assert isinstance(decision, Plan)
        compare_plan(decision, expected)


def compare_plan(found: Plan, expected: dict[str, Any]) -> None:
    shifts = "; ".join(step.why for step in found.steps if step.effects)
    says = {word: sorted(f.name.value for f in found.guards if f.says is word) for word in Says}
    seen: dict[str, Any] = {
        "mode": found.mode.value,
        "proposed": found.proposed,
        "steps": [step.id for step in found.steps],
        "target": [region for region in found.target],
        "warns": says[Says.WARNS],
        "overridden": says[Says.OVERRIDDEN],
        "plane": next(step.plane for step in found.steps if step.effects),
        "verdicts": {verdict.region: verdict.verdict.value for verdict in found.verdicts},
    }
    for key in [key for key in expected if key in seen]:
        wanted = expected.pop(key)
        wanted = [NAMES[r] for r in wanted] if key == "target" else by_region(wanted) if key == "verdicts" else wanted
        assert seen[key] == wanted, key
    assert expected.pop("why", "") in shifts
    assert expected.pop("data_at_risk", "") in found.data_at_risk


def by_region(short: dict[str, Any]) -> dict[str, Any]:
    return {NAMES[region]: value for region, value in short.items()}


def short_to_long(line: str) -> str:
    return " ".join(NAMES.get(word, word) for word in line.split(" "))


def app_of(words: dict[str, Any] | str, found: dict[str, Any]) -> App:
    words = {"policy": words} if isinstance(words, str) else dict(words)
    policy = words.pop("policy", "weighted")
    regions = [NAMES[r] for r in words.pop("regions", ["west", "east"])]
    default = ["routing-control"] if policy == "latency" else ["weights"] if policy == "weighted" else ["health-check"]
    home = words.pop("home", None)
    app = b.app(
        policy,
        regions=regions,
        levers=words.pop("levers", default),
        home=by_region(home) if isinstance(home, dict) else home,
        **({"objectives": words.pop("objectives")} if "objectives" in words else {}),
    )
    if "replication" in found:
        app = App.model_validate(
            {**app.model_dump(by_alias=True), "signals": [{"kind": "replication", "tables": ["Orders"]}]}
        )
    route = app.routing[0].model_copy(update=words.pop("route", {}))
    if words.pop("one_check", False):
        one = {r: e.model_copy(update={"health_check": b.check_id(b.WEST)}) for r, e in route.endpoints.items()}
        route = route.model_copy(update={"endpoints": one})
    assert not words, f"not understood: {', '.join(words)}"
    return app.model_copy(update={"routing": (route,)})


def intent_of(typed: str) -> Intent:
    verb, *words = shlex.split(typed)
    options: dict[str, list[str]] = {}
    for name, value in zip(words[::2], words[1::2], strict=True):
        options.setdefault(name, []).append(NAMES.get(value, value))
    one = {name: values[0] for name, values in options.items()}
    override = [value.replace("=west", "=" + b.control_arn(b.WEST)) for value in options.get("--override", [])]
    mode = one.get("--mode", "auto")
    if verb == "failback":
        return b.failback(mode=mode, override=override)
    return b.failover(one.get("--to", b.EAST), source=one.get("--from"), mode=mode, override=override)


def facts_of(app: App, found: dict[str, Any]) -> Facts:
    words: dict[str, Any] = {}
    for key in ("weights", "well", "checks", "controls", "prior"):
        if key in found:
            words[key] = by_region(found.pop(key))
    if "controls" in words:  # YAML reads On and Off as booleans
        words["controls"] = {region: "On" if state else "Off" for region, state in words["controls"].items()}
    for key in ("account", "ttl", "protected", "whole", "alias", "policy"):
        if key in found:
            words[key] = found.pop(key)
    if "replication" in found:
        words["readings"] = [b.lag(region, lag) for region, lag in by_region(found.pop("replication") or {}).items()]
    words["extra"] = [record for row in found.pop("extra", []) for record in extra_of(app, row)]
    dropped = [NAMES[region] for region in found.pop("drop", [])]
    parents, zones, unread = found.pop("parents", []), found.pop("zones", []), found.pop("unread", [])
    assert not found, f"not understood: {', '.join(found)}"
    return also(without(b.facts(app, **words), dropped), parents, zones, unread)


def without(facts: Facts, dropped: list[str]) -> Facts:
    zone = facts.zones[0]
    kept = tuple(record for record in zone.records if record.set_identifier not in dropped)
    return facts.model_copy(update={"zones": (zone.model_copy(update={"records": kept}),)})


def extra_of(app: App, row: dict[str, Any]) -> list[Any]:
    """A record beside the routed ones: a sibling group (``type`` with ``weights``), or one record of its own."""
    row = dict(row)
    rtype = row.pop("type", "A")
    if "weights" in row:
        weights = by_region(row.pop("weights"))
        return list(b.records("weighted", weights, weights, rtype=rtype))
    if "checks" in row:
        checks = [NAMES[r] for r in row.pop("checks")]
        return list(b.records(app.routing[0].policy, app.regions.serving, {}, rtype=rtype, checks=checks))
    own: dict[str, Any] = {"name": row.pop("name", b.NAME), "set_identifier": row.pop("id", None)}
    if "check" in row:
        own["health_check_id"] = b.check_id(NAMES[row.pop("check")])
    return [b.record("elsewhere", rtype=rtype, weight=row.pop("weight", None), **own)]


def also(facts: Facts, parents: list[str], zones: list[dict[str, Any]], unread: list[str]) -> Facts:
    """Calculated parents of a Region's check, other zones, and what could not be read."""
    calculated = tuple(
        HealthCheck(id=f"parent-{r}", version=1, type="CALCULATED", children=(b.check_id(NAMES[r]),), threshold=1)
        for r in parents
    )
    others = []
    for row in zones:
        zone = Zone(id=row["id"], name="example.com.", private=row.get("private", False))
        weights = by_region(row["weights"])
        checks = [NAMES[r] for r in row.get("checks", [])]
        own = b.records("weighted", weights, weights, checks=checks)
        others.append(ZoneRecords(zone=zone, records=own, whole=True, protected=()))
    update: dict[str, Any] = {"checks": facts.checks + calculated, "zones": (*others, *facts.zones)}
    for topic in unread:
        update[{"records": "zones"}.get(topic, topic)] = ()
    return facts.model_copy(update=update)
