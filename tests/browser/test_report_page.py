"""The page of a run in a real Chromium: it fetches nothing, complains of nothing, and fits a phone.

Debian's own ``chromium`` is driven by Playwright's Python package; where it is not installed these tests are skipped.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, Playwright, Route, sync_playwright

from render import sample_journal as sample
from resilience_cli.model.run import Entry
from resilience_cli.render.report import build, page

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH: apt-get install chromium")

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE, DESK = 390, 1200
Scheme = Literal["light", "dark"]

PAGES: dict[str, Callable[[], str]] = {
    "whole": lambda: _page(sample.journal()),
    "drill": lambda: _page(
        sample.journal(endpoints=("every service http://127.0.0.1:4566",)), clients=sample.clients()
    ),
    "hostile": lambda: _page(sample.journal(sample.HOSTILE)),
    "half-written": lambda: _page(sample.journal(readings=(), answers=(), unread=())[:8]),
    "without a plan": lambda: _page([], trouble="line 1 is torn"),
    "long words": lambda: _page(sample.journal("x" * 400, caller="k" * 200)),
}


def _page(entries: list[Entry], **more: object) -> str:
    return page(build(sample.source(entries, **more)))


@dataclass
class Seen:
    """What the browser did and said while the page was open."""

    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def watch(self, tab: Page) -> None:
        tab.on("console", lambda message: self.said.append(message.text))
        tab.on("pageerror", lambda error: self.said.append(str(error)))
        tab.on("dialog", lambda dialog: self.said.append(dialog.message))
        tab.route("**/*", self._only_files)

    def _only_files(self, route: Route) -> None:
        if route.request.url.startswith("file://"):
            route.continue_()
        else:
            self.asked.append(route.request.url)
            route.abort()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
    yield browser
    browser.close()


@dataclass(frozen=True)
class Screen:
    """Opens pages in the browser, each in a tab of its own."""

    browser: Browser
    folder: Path

    def open(self, html: str, width: int, scheme: Scheme = "light") -> tuple[Page, Seen]:
        file = self.folder / "run.html"
        file.write_text(html, encoding="utf-8")
        tab = self.browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        seen = Seen()
        seen.watch(tab)
        tab.goto(file.as_uri())
        return tab, seen


@pytest.fixture
def screen(browser: Browser, tmp_path: Path) -> Iterator[Screen]:
    yield Screen(browser, tmp_path)
    for context in browser.contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_the_page_fits_fetches_nothing_and_complains_of_nothing(screen: Screen, name: str, scheme: Scheme) -> None:
    tab, seen = screen.open(PAGES[name](), DESK, scheme)
    for width in (DESK, PHONE):
        tab.set_viewport_size({"width": width, "height": 800})
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, "it scrolls sideways"
    assert (seen.said, seen.asked) == ([], [])
    assert tab.locator("h1").count() == 1


def test_a_script_in_a_reason_is_shown_as_text(screen: Screen) -> None:
    tab, seen = screen.open(PAGES["hostile"](), DESK)
    assert "<script>alert(1)</script>" in tab.locator(".overrides").inner_text()
    assert tab.locator("script").count() == 0
    assert seen.said == []


def test_the_page_s_own_policy_stops_a_script_that_got_in(screen: Screen) -> None:
    html = PAGES["whole"]().replace("</main>", "<script>document.title='owned'</script></main>")
    tab, seen = screen.open(html, DESK)
    assert "owned" not in tab.title()
    assert any("Content Security Policy" in said for said in seen.said)


def test_dark_and_light_differ_and_text_stands_out_in_both(screen: Screen) -> None:
    papers = set()
    for scheme in ("light", "dark"):
        tab, _ = screen.open(PAGES["drill"](), DESK, scheme)
        papers.add(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert tab.evaluate(FAINTEST) >= 4.5, f"text is too faint in {scheme} (WCAG 2.2, 1.4.3)"
    assert len(papers) == 2


def test_paper_is_light_whatever_the_screen_was_and_shows_what_was_folded(screen: Screen) -> None:
    tab, _ = screen.open(PAGES["whole"](), DESK, "dark")
    assert not tab.locator(".journal li").first.is_visible()
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.locator(".journal li").first.evaluate("item => item.getBoundingClientRect().height") > 0
    assert tab.pdf(format="A4").startswith(b"%PDF")


def test_a_reader_without_sight_gets_named_pictures_and_real_tables(screen: Screen) -> None:
    tab, _ = screen.open(PAGES["drill"](), PHONE)
    assert tab.get_by_role("img").count() >= 8
    assert tab.locator("svg:not([aria-label])").count() == 0
    assert tab.get_by_role("table").count() >= 7
    assert tab.get_by_role("columnheader", name="what would change it").count() == 1
    assert tab.get_by_role("heading", level=2, name="What to do next").count() == 1


# The lowest contrast of any text with the colour painted beneath it (WCAG 2.2, "relative luminance").
FAINTEST = """() => {
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => {
    const part = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const paper = element => {
    for (; element; element = element.parentElement) {
      const color = parse(getComputedStyle(element).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll("main *, footer *")].filter(
    element => element.closest("svg") === null && [...element.childNodes].some(n => n.nodeType === 3 && n.data.trim()));
  return Math.min(...texts.map(element => {
    const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(paper(element))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  }));
}"""
