"""Small things said as one would say them."""

import pytest

from resilience_cli.model.readings import Level, Reading, SignalKind
from resilience_cli.render.screen import Look
from resilience_cli.render.text_status import status_screen
from resilience_cli.render.words import about

from . import sample


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (1.5, "1.5 s"),
        (5.0, "5 s"),
        (30.0, "30 s"),
        (59.7, "1 min"),
        (60.0, "1 min"),
        (90.0, "1 min 30 s"),
        (600.0, "10 min"),
        (3600.0, "1 h"),
        (3660.0, "1 h 1 min"),
    ],
)
def test_what_is_only_expected_is_not_told_to_the_tenth_of_a_second(span: float, words: str) -> None:
    assert about(span) == words


def line_of(subject: str, evidence: str, kind: SignalKind = SignalKind.ALARM) -> str:
    """How one good reading is told at 80 columns."""
    ok = Reading(
        kind=kind, subject=subject, region="us-west-2", seen_from="us-west-2", level=Level.OK, evidence=evidence
    )
    shown = status_screen(sample.status().model_copy(update={"readings": (ok,)}), Look(width=80))
    (line,) = (line for line in shown.splitlines() if line.startswith("    ok"))
    return line


def test_good_evidence_in_one_line_shows_its_useful_part_even_beside_a_long_name() -> None:
    today = f"{sample.status().observed_at:%Y-%m-%d}"
    evidence = f"OK since {today} 02:50:42Z: Threshold Crossed: 3 datapoints were not greater than the threshold (0.0)."
    assert "OK since 02:50:42Z" in line_of("orders-canary-of-us-west-2-seen-from-the-observer-and-more", evidence)
    assert "orders-5xx: OK since 02:50:42Z" in line_of("orders-5xx", evidence)


def test_a_date_that_is_not_today_s_is_kept() -> None:
    assert "OK since 2026-01-02 02:50:42Z" in line_of("orders-5xx", "OK since 2026-01-02 02:50:42Z")
