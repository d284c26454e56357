"""The system's Chromium for tests of pages: a browser, a page that keeps what went wrong in it, axe-core."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

DESKTOP = (1280, 800)
PHONE = (360, 740)
# Pages are told of violations by an event; those of before it could be listened to are in the console anyway.
_NOTE_VIOLATIONS = """
globalThis.cspViolations = [];
document.addEventListener("securitypolicyviolation",
  (event) => globalThis.cspViolations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}`));
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, without a window; fails the test where it is not installed.

    For a fixture of one module: while it is open, the thread has a running event loop, and asyncio.run() fails there.
    """
    path = shutil.which("chromium")
    assert path, "chromium is missing: install Debian's package chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class PageErrors:
    """What went wrong in a page: errors and warnings of the console, exceptions that nobody caught.

    expected: parts of texts that a test provokes itself, such as a server that is gone for a while.
    """

    page: Page
    texts: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def all(self) -> list[str]:
        """Everything that was not expected, violations of the content security policy included."""
        violations: list[str] = self.page.evaluate("globalThis.cspViolations")
        texts = [*self.texts, *(f"CSP: {violation}" for violation in violations)]
        return [text for text in texts if not any(part in text for part in self.expected)]

    def note(self, message: ConsoleMessage) -> None:
        """Keep a message of the console where it is an error or a warning."""
        if message.type in ("error", "warning"):
            self.texts.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")


@contextmanager
def page_errors(page: Page) -> Iterator[PageErrors]:
    """Keep what goes wrong in a page from here on, and fail the test at the end when that is anything.

    To be entered before the page is opened.
    """
    errors = PageErrors(page)
    page.add_init_script(_NOTE_VIOLATIONS)
    page.on("console", errors.note)
    page.on("pageerror", lambda error: errors.texts.append(f"exception: {error}"))
    yield errors
    assert errors.all() == []


@contextmanager
def new_page(
    browser: Browser, *, size: tuple[int, int] = DESKTOP, dark: bool = True, **more: Any
) -> Iterator[tuple[Page, PageErrors]]:
    """A page in a context of its own (storage, cookies); see `page_errors`. more: of Browser.new_context."""
    width, height = size
    scheme = "dark" if dark else "light"
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **more)
    try:
        page = context.new_page()
        page.set_default_timeout(15_000)
        with page_errors(page) as errors:
            yield page, errors
    finally:
        context.close()


def axe(page: Page) -> list[str]:
    """The violations that axe-core finds in the page as it is now: rule, impact, and where."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {node['target']} {node.get('failureSummary', '')}"
        for rule in found
        for node in rule["nodes"]
    ]
