"""YAML files: what is right loads, what is wrong is told with its line and what to write instead."""

from pathlib import Path

import pytest

from resilience_cli.adapters.yaml_files import load_app, load_runbook
from resilience_cli.adapters.yaml_problems import PATTERN_OF
from resilience_cli.errors import InvalidFile
from resilience_cli.model.app import App
from resilience_cli.model.runbook import Runbook

CHECKOUT = Path(__file__).parents[2]
GOOD = """\
version: 1
app: orders
account: "123456789012"
regions: {primary: us-west-2, standby: [us-east-1]}
routing:
  - zone: example.com
    record: {name: api.example.com, type: A}
    policy: weighted
    endpoints:
      us-west-2: {set_identifier: west}
      us-east-1: {set_identifier: east}
    levers: [weights]
    home: {us-west-2: 100, us-east-1: 0}
"""


def problems(folder: Path, text: str | bytes, load: type[App] | type[Runbook] = App) -> list[str]:
    """The problems found in a file of this text, without its path."""
    path = folder / "f.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InvalidFile) as caught:
        (load_app if load is App else load_runbook)(path)
    return [str(problem).removeprefix(str(path)) for problem in caught.value.problems]


def test_the_shipped_examples_and_runbooks_load() -> None:
    for path in (CHECKOUT / "examples" / "orders").glob("*.yaml"):
        assert load_app(path).app == "orders"
    for path in (CHECKOUT / "runbooks").glob("*.yaml"):
        assert load_runbook(path).steps


def test_a_good_file_loads_whatever_its_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "resil.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_app(path).routing[0].home == {"us-west-2": 100, "us-east-1": 0}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("app: orders", "apps: orders", ":2: apps is not a key here (did you mean app?)"),
        ("app: orders\n", "", ":1: app: is missing (app: orders)"),
        ('"123456789012"', "123456789012", ':3: account: must be text, not 123456789012 (write it in quotes: "1'),
        ('"123456789012"', '"12"', ":3: account: 12 is not an AWS account's id (an account's id has twelve digits"),
        ("us-west-2, standby", "us-west2, standby", ":4: regions.primary: us-west2 is not a Region's name (one looks"),
        ("[us-east-1]", "us-east-1", ":4: regions.standby: must be a list, not the text 'us-east-1' (standby: [us-eas"),
        ("policy: weighted", "policy: weigthed", ":8: routing[0].policy: weigthed is not known here (did you mean wei"),
        ("type: A", "type: MX", ":7: routing[0].record.type: MX is not known here (one of A, AAAA, CNAME)"),
        ("{set_identifier: west}", "{set_identifer: w}", ":10: routing[0].endpoints.us-west-2: set_identifer is not "),
        ("levers: [weights]", "levers: []", ":12: routing[0].levers: needs at least 1 item (levers: [weights])"),
        ("levers: [weights]", "levers: [weight]", ":12: routing[0].levers[0]: weight is not known here (did you mean "),
        ("100, us-east-1: 0}", "90, us-east-1: 0}", ":6: routing[0]: home's shares add up to 90; they must make 100"),
        ("100, us-east-1: 0}", "x, us-east-1: 0}", ":13: routing[0].home.us-west-2: must be a whole number, not the t"),
        ("{us-west-2: 100, us-east-1: 0}", "latncy", ":13: routing[0].home: latncy is not known here (did you mean l"),
        ("version: 1", "version: 2", ":1: version: must be 1, not 2"),
        ("app: orders", "app: or ders", ":2: app: or ders cannot be a name (letters, digits, dots, dashes"),
        ("app: orders", "app: a\napp: b", ":3: the key app is given twice (first on line 2; remove one of the two)"),
        ("app: orders", "app: !!python/name:os.system ''", ":2: the tag !!python/name:os.system is not taken here"),
        ("app: orders", "\tapp: orders", ":2: not valid YAML: "),
        ("app: orders", "app: [", ":4: not valid YAML: "),
        ("app: orders", "app: *x", ":2: not valid YAML: found undefined alias (an alias *name needs its anchor"),
        ("app: orders", "app: orders\non: 1", ':3: the key on is read by YAML as yes or no (a boolean) (write it in '),
        ("app: orders", "app: orders\n? [a]\n: 1", ":3: a key must be text, not a list or a mapping"),
    ],
)  # fmt: skip
def test_one_mistake_is_told_at_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in GOOD
    found = problems(tmp_path, GOOD.replace(old, new))
    assert [problem[: len(told)] for problem in found] == [told]


@pytest.mark.parametrize(
    ("signal", "told"),
    [
        ("{kind: alrm}", "signals[0].kind: alrm is not known here (did you mean alarm? one of health-events, alarm,"),
        ("{names: [x]}", "signals[0]: kind is missing: it says which kind this is (kind: alarm)"),
        ("{kind: alarm, name: [x]}", "signals[0]: name is not a key here (did you mean names?)"),
        ("{kind: alarm, names: x}", "signals[0].names: must be a list, not the text 'x' (names: [\"orders-*\"])"),
        ("{kind: canary, canaries: [{}]}", "signals[0].canaries[0].name: is missing"),
        ("{kind: canary, max_age: 3 min, canaries: [{name: a, region: us-west-2}]}", "signals[0].max_age: a duration "),
        ("{kind: metric, name: a, namespace: b, metric: c}", "signals[0]: a metric needs a threshold: bad when above"),
        ("{kind: metric, name: a, namespace: b, metric: [c], above: 1}", "signals[0].metric: must be text, not a list"),
        ("{kind: endpoint, urls: {us-west-2: ftp://x}}", "signals[0].urls: a probe's URL starts with http:// or http"),
        ("x", "signals[0]: must be a mapping of keys, not the text 'x'"),
    ],
)  # fmt: skip
def test_a_signal_that_is_wrong_is_told_by_its_place_in_the_list(tmp_path: Path, signal: str, told: str) -> None:
    found = problems(tmp_path, f"{GOOD}signals:\n  - {signal}\n")
    assert found[0].startswith(f":15: {told}")


def test_all_the_mistakes_of_a_file_are_told_together_in_the_order_of_their_lines(tmp_path: Path) -> None:
    text = GOOD.replace("us-west-2, standby", "us-west2, standby").replace("weighted", "weigted") + "dns: []\n"
    assert [problem.split(":")[1] for problem in problems(tmp_path, text)] == ["4", "8", "14"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ": the file is empty (start with version: 1)"),
        ("# only a comment\n", ": the file is empty (start with version: 1)"),
        ("- a\n", ":1: the file must be a mapping of keys (start with version: 1)"),
        (b"\xff\xfe", ":1: is not UTF-8 text (save it as UTF-8)"),
        ("a: 1\n---\nb: 2\n", ":2: not valid YAML: a second document starts here"),
        ("a: &a [*a]\n", ":1: aliases expand to too much"),
        ("a: " + "{b: " * 100, ":1: nested more than 60 levels deep"),
        ("[" * 100_000, ":1: n"),
        ("a: " + "x" * 1_000_001, ": is larger than 1,000,000 bytes"),
    ],
)
def test_a_file_that_cannot_be_a_config_is_told_so(tmp_path: Path, text: str | bytes, told: str) -> None:
    found = problems(tmp_path, text)
    assert [problem[: len(told)] for problem in found] == [told]


def test_aliases_that_blow_up_are_refused_and_never_expanded(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
    )
    assert "aliases expand to too much" in problems(tmp_path, bomb)[0]


def test_a_merged_mapping_may_be_overridden_by_the_keys_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "resil.yaml"
    path.write_text(
        GOOD.replace("{set_identifier: west}", "&w {set_identifier: west, health_check: hc}").replace(
            "{set_identifier: east}", "{<<: *w, set_identifier: east}"
        )
    )
    east = load_app(path).routing[0].endpoints["us-east-1"]
    assert (east.set_identifier, east.health_check) == ("east", "hc")


def test_a_file_that_is_not_there_or_is_a_folder_is_told_so(tmp_path: Path) -> None:
    for path, told in ((tmp_path / "no.yaml", "there is no such file"), (tmp_path, "is a folder, not a file")):
        with pytest.raises(InvalidFile, match=told):
            load_app(path)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ("{id: a, step: chek}", ":4: steps[0].step: chek is not known here (did you mean check? one of check, app"),
        ("{id: A, step: shift-traffic}", ":4: steps[0].id: A cannot be a step's id (lower-case letters, digits and"),
        ("{id: a, step: check}", ":1: a runbook has one shift-traffic step, not 0"),
        ("{id: a, step: shift-traffic, ramp: {shares: [9, 5]}}", ":4: steps[0].ramp: a ramp's shares rise and end at"),
        ("{id: a, step: shift-traffic, needs: [b]}", ":1: step a needs b, which is no step of this runbook"),
        ("{id: a, step: parallel, steps: [{id: b, step: approve}]}", ":4: steps[0].steps[0].step: approve is not kno"),
    ],
)  # fmt: skip
def test_a_runbook_with_a_mistake_is_told_at_its_line(tmp_path: Path, steps: str, told: str) -> None:
    found = problems(tmp_path, f"version: 1\nname: x\nsteps:\n  - {steps}\n", Runbook)
    assert found[0].startswith(told)


def test_every_pattern_of_the_models_has_words_of_its_own() -> None:
    def patterns(node: object) -> set[str]:
        if isinstance(node, dict):
            own = {node["pattern"]} if isinstance(node.get("pattern"), str) else set()
            return own.union(*map(patterns, node.values()))
        return set().union(*map(patterns, node)) if isinstance(node, list) else set()

    assert patterns([App.model_json_schema(), Runbook.model_json_schema()]) == set(PATTERN_OF)
