"""A page in the system's Chromium without a window, and what it and the browser say of themselves."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
from playwright.sync_api import Page, sync_playwright

from benchmarks.processes import cpu_s
from streams.contract.errors import FramelaneError

_PATIENCE_MS = 60_000.0


@dataclass(frozen=True, slots=True)
class Chromium:
    """A page that is open. processes: of the browser; what drives it is none of them."""

    page: Page
    processes: list[psutil.Process]

    def cpu_s(self) -> float:
        """Processor seconds that the browser has used."""
        return cpu_s(self.processes)


@contextmanager
def chromium_page(address: str, *, size: tuple[int, int]) -> Iterator[Chromium]:
    """Open a page, (width, height) in pixels, for as long as the block lasts."""
    path = shutil.which("chromium")
    if not path:
        raise FramelaneError("chromium is missing: install Debian's package chromium")
    with sync_playwright() as playwright:
        before = set(psutil.Process(os.getpid()).children(recursive=True))
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport={"width": size[0], "height": size[1]})
            page.set_default_timeout(_PATIENCE_MS)
            page.goto(address)
            started = set(psutil.Process(os.getpid()).children(recursive=True)) - before
            yield Chromium(page, [process for process in started if "chrom" in process.name()])
        finally:
            browser.close()
