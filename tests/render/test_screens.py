"""What is shown, word for word. RESIL_UPDATE_EXPECTED=1 rewrites the expected texts; read the difference."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from resilience_cli.render.formats import decision_payload, ending_payload
from resilience_cli.render.json_out import status_json
from resilience_cli.render.screen import Look
from resilience_cli.render.text_run import runs_screen
from resilience_cli.render.text_status import status_screen

from . import sample

EXPECTED = Path(__file__).parent / "expected"
WIDE, NARROW = Look(width=80), Look(width=40)
SCREENS: dict[str, Callable[[], str]] = {
    "status.txt": lambda: status_screen(sample.status(), WIDE),
    "status-narrow.txt": lambda: status_screen(sample.status(), NARROW),
    "status-color.txt": lambda: status_screen(sample.status(), Look(width=80, color=True)).replace("\x1b", "<ESC>"),
    "status.json": lambda: json.dumps(status_json(sample.status()), indent=2) + "\n",
    "plan.txt": lambda: decision_payload(sample.plan(), "text", WIDE, sample.OVERRIDES),
    "plan-narrow.txt": lambda: decision_payload(sample.plan(), "text", NARROW),
    "plan.json": lambda: decision_payload(sample.plan(), "json", WIDE, sample.OVERRIDES),
    "plan.md": lambda: decision_payload(sample.plan(), "markdown", WIDE, sample.OVERRIDES),
    "plan.junit.xml": lambda: decision_payload(sample.plan(), "junit", WIDE, sample.OVERRIDES),
    "plan.github.txt": lambda: decision_payload(sample.plan(), "github", WIDE, sample.OVERRIDES),
    "refusal.txt": lambda: decision_payload(sample.refusal(), "text", WIDE),
    "refusal.json": lambda: decision_payload(sample.refusal(), "json", WIDE),
    "refusal.md": lambda: decision_payload(sample.refusal(), "markdown", WIDE),
    "refusal.junit.xml": lambda: decision_payload(sample.refusal(), "junit", WIDE),
    "refusal.github.txt": lambda: decision_payload(sample.refusal(), "github", WIDE),
    "nothing.txt": lambda: decision_payload(sample.nothing(), "text", WIDE),
    "run.txt": lambda: ending_payload(sample.ending(), "text", WIDE, sample.OVERRIDES),
    "run.json": lambda: ending_payload(sample.ending(), "json", WIDE),
    "run.md": lambda: ending_payload(sample.ending(), "markdown", WIDE),
    "run.junit.xml": lambda: ending_payload(sample.ending(), "junit", WIDE),
    "run.github.txt": lambda: ending_payload(sample.ending(), "github", WIDE),
    "rehearsal.txt": lambda: decision_payload(sample.plan(), "text", WIDE, (), sample.ending()),
    "runs.txt": lambda: runs_screen([sample.ending().run], WIDE),
}


def without_digest(shown: str) -> str:
    """A digest changes with every word of the models; it is not what these texts are about."""
    digest = sample.plan().digest
    for part in (digest, digest[:32], digest[32:]):
        shown = shown.replace(part, "d" * len(part))
    return shown


@pytest.mark.parametrize("name", SCREENS)
def test_the_screen_reads_as_expected(name: str) -> None:
    shown, file = without_digest(SCREENS[name]()), EXPECTED / name
    if os.environ.get("RESIL_UPDATE_EXPECTED"):
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [20, 33, 40, 71, 72, 80, 132])
@pytest.mark.parametrize("name", ["status", "plan", "refusal", "run"])
def test_no_line_is_wider_than_the_screen_and_no_word_of_a_reason_is_lost(name: str, width: int) -> None:
    look = Look(width=width)
    shown = {
        "status": lambda: status_screen(sample.status(), look),
        "plan": lambda: decision_payload(sample.plan(), "text", look),
        "refusal": lambda: decision_payload(sample.refusal(), "text", look),
        "run": lambda: ending_payload(sample.ending(), "text", look),
    }[name]()
    assert max(map(len, shown.splitlines())) <= width
    if name == "status":
        assert "threetimesinarow" in "".join(c for c in shown if c.isalpha())


def test_without_colour_nothing_but_printable_ascii_is_shown() -> None:
    for name in ("status.txt", "plan.txt", "run.txt", "refusal.txt"):
        assert all(char == "\n" or 32 <= ord(char) < 127 for char in SCREENS[name]())


@pytest.mark.parametrize("hostile", ["\x1b[2J\x1b[31m", "a\r\nb", "[bold]x[/bold]", "\u202egnp.exe", "\x9b31m", "\x00"])
def test_text_from_elsewhere_cannot_move_the_cursor_or_reverse_a_line(hostile: str) -> None:
    status = sample.status().model_copy(update={"data_at_risk": f"<{hostile}>"})
    shown = status_screen(status, WIDE)
    assert all(char == "\n" or char.isprintable() for char in shown)
    assert "<a b>" in shown or "a\r\nb" not in hostile
    assert "[bold]" in shown or "bold" not in hostile


def test_a_screen_that_has_no_unicode_still_tells_the_rest() -> None:
    status = sample.status().model_copy(update={"data_at_risk": "Zürich 東京"})
    assert "Z\\xfcrich \\u6771\\u4eac" in status_screen(status, Look(unicode=False))
    assert "Zürich 東京" in status_screen(status, Look())


def test_xml_from_hostile_text_is_still_xml() -> None:
    refused = sample.refusal().model_copy(
        update={"guards": tuple(g.model_copy(update={"why": "\x00\x1b ]]> & <x>"}) for g in sample.refusal().guards)}
    )
    root = ElementTree.fromstring(decision_payload(refused, "junit", WIDE).split("\n", 1)[1])
    assert root.find(".//failure").attrib["message"] == "]]> & <x>"  # type: ignore[union-attr]


def test_markdown_from_hostile_text_stays_in_its_cell() -> None:
    refused = sample.refusal().model_copy(
        update={"guards": tuple(g.model_copy(update={"why": "a|b\n# c `d` <img>"}) for g in sample.refusal().guards)}
    )
    assert r"| a\|b \# c \`d\` \<img> |" in decision_payload(refused, "markdown", WIDE)


def test_a_github_annotation_is_one_line_whatever_its_text() -> None:
    refused = sample.refusal().model_copy(
        update={"guards": tuple(g.model_copy(update={"why": "50%\n::error::x"}) for g in sample.refusal().guards)}
    )
    lines = decision_payload(refused, "github", WIDE).splitlines()
    assert all(line.startswith("::") for line in lines)
    assert any("50%25 ::error::x" in line for line in lines)


def test_the_keys_that_programs_rely_on_are_there() -> None:
    status = status_json(sample.status())
    assert status.keys() >= {"schema", "app", "observed_at", "regions", "signals", "data_at_risk", "lever"}
    assert status["regions"][1].keys() == {"name", "role", "verdict", "share", "why"}
    assert status["regions"][1]["share"] is None
    assert status["signals"][0].keys() >= {"kind", "subject", "region", "seen_from", "reading", "age_s", "evidence"}
    for decision in (sample.plan(), sample.refusal(), sample.nothing()):
        told = json.loads(decision_payload(decision, "json", WIDE))
        assert told.keys() >= {"schema", "digest", "intent", "mode", "steps", "guards"}
    step = json.loads(decision_payload(sample.plan(), "json", WIDE))["steps"][1]
    assert step.keys() >= {"id", "kind", "why", "effects", "plane", "needs_regions", "undo"}
    assert step["effects"][0].keys() >= {"before", "after"}
    run = json.loads(ending_payload(sample.ending(), "json", WIDE))
    assert run.keys() >= {"schema", "run", "plan_digest", "outcome", "exit_code", "steps", "timings"}
    assert run["steps"][0].keys() >= {"id", "state", "started_at", "finished_at"}
    assert run["timings"].keys() == {"detect_s", "decide_s", "act_s", "propagate_s", "settle_s"}
