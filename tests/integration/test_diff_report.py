"""The report of `framelane diff` in the system's Chromium."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_support import PHONE, axe, chromium, new_page
from diff_support import Wire, all_frames, changed, side
from playwright.sync_api import Browser, Route


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def report(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    wire = Wire(kafka_bootstrap)
    path = tmp_path_factory.mktemp("diff") / "report.html"
    done = wire.diff(side(wire, all_frames()), side(wire, changed(all_frames())), "--html", str(path))
    assert done.returncode == 1, done.stderr
    assert f"report: {path}" in done.stderr
    return path


@pytest.mark.parametrize("dark", [True, False])
def test_the_report_stands_alone_and_can_be_read_by_everybody(browser: Browser, report: Path, dark: bool) -> None:
    asked_for: list[str] = []

    def note(route: Route) -> None:
        asked_for.append(route.request.url)
        route.continue_()

    with new_page(browser, dark=dark) as (page, _):
        page.route(re.compile(r"^(?!data:)"), note)
        page.goto(report.as_uri())
        pictures = page.locator("img")
        page.evaluate("() => Promise.all([...document.images].map((each) => each.decode()))")

        assert asked_for == [report.as_uri()]
        assert axe(page) == []
        # Three changed pictures, of which one has another size, and two frames with other events and the same picture.
        assert page.locator("section.pair").count() == 5
        assert pictures.count() == 2 * 5 + 2
        assert page.locator("svg.timeline").count() == 3
        assert page.locator("svg.timeline g.missing title").all_text_contents()[0].startswith("missing: ")
        assert page.get_by_text("e1/10-12 (3)").count() == 1
        assert page.get_by_text("only in A: motion").count() == 2


def test_the_report_fits_a_phone_and_can_be_walked_by_keyboard(browser: Browser, report: Path) -> None:
    with new_page(browser, size=PHONE) as (page, _):
        page.goto(report.as_uri())

        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the figures"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Figures of each camera"
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.url.endswith("#camera-0")
