"""The report as one self-contained HTML file: inline CSS and SVG, no script, nothing fetched.

Every value is escaped by Jinja2 and freed of control and bidirectional characters; the page's own policy forbids
scripts and the network besides, should either fail.
"""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ...model.report import Report
from ..plain import clean
from ..words import age, clock, host, seconds, share, utc
from . import charts

# How the model's words are shown: a mark, so that colour never speaks alone, and a tone of the stylesheet.
_GOOD = ("done", "finished", "confirmed", "ok", "healthy", "yes", "kept", "passed")
_BAD = ("incomplete", "failed", "bad", "impaired", "no", "missed", "not passed")
_WARN = ("running", "interrupted", "overridden", "warns", "stale", "refused")
_UNSURE = ("unknown", "uncertain", "started")
_TONES = {
    **dict.fromkeys(_GOOD, ("✓", "good")),
    **dict.fromkeys(_BAD, ("✕", "bad")),
    **dict.fromkeys(_WARN, ("!", "warn")),
    **dict.fromkeys(_UNSURE, ("?", "warn")),
}
_QUIET = ("·", "quiet")
_WORDS = {
    "running": "not finished",
    "started": "not finished",
    "pending": "not reached",
    "untouched": "not touched",
}


def page(report: Report) -> str:
    """The whole file."""
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            phases=charts.phases(report),
            bars=charts.step_bars(report),
            ticks=charts.ticks(0.0, report.total_s) if report.total_s else (),
            shares=charts.share_charts(report),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("resilience_cli.render.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "utc": utc,
        "clock": clock,
        "took": seconds,
        "target": _target,
        "age": age,
        "share": share,
        "host": host,
        "mark": _mark,
        "tone": _tone,
        "word": _word,
    }
    return environment


def _visible(value: object) -> object:
    """Text of others is cleaned before it is escaped; what the templates made themselves passes."""
    return value if isinstance(value, Markup) else clean(value)


def _target(span: float) -> str:
    """An objective as it would be written: ``5 min``, not ``5 min 0 s``."""
    return seconds(span).removesuffix(" 0 s").replace(".0 s", " s")


def _mark(word: str) -> str:
    return _TONES.get(word, _QUIET)[0]


def _tone(word: str) -> str:
    return _TONES.get(word, _QUIET)[1]


def _word(word: str) -> str:
    return _WORDS.get(word, word)
