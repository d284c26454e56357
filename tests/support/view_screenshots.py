"""Pictures of the live view for the documentation, `make screenshots`: docs/images/view-*.png, synthetic cameras."""

import sys
import tempfile
from pathlib import Path

from browser_support import chromium, new_page
from playwright.sync_api import Browser
from view_cameras import running_cameras
from view_support import View

from framelane.embedded import EmbeddedKafka

FOLDER = Path(__file__).parents[2] / "docs" / "images"
CAMERAS = (
    *("dock-1", "dock-2", "dock-3", "gate-north", "gate-south", "hall-a"),
    *("hall-b", "lobby", "parking-1", "parking-2", "roof", "yard"),
)
SIZE, FPS = "400x225", 2
DESKTOP, PHONE = (1440, 900), (390, 844)
# So that the line of ages is one.
SETTLE_MS = 25_000
_DRAWN = "(tiles) => document.querySelectorAll('.tile[data-processed]').length >= tiles"
_ALL_LIVE = "() => !document.querySelector('.tile:not([data-state=live])')"


def main() -> None:
    """Start everything, wait until every camera is drawn, and take the pictures."""
    sources = {name: f"synthetic:?size={SIZE}&fps={FPS}&seed={seed}" for seed, name in enumerate(CAMERAS)}
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made, EmbeddedKafka() as kafka:
        folder = Path(made)
        with (
            running_cameras(kafka.bootstrap, folder, sources, "motion:min_area=0.004") as topics,
            View(kafka.bootstrap, topics, folder) as view,
            chromium() as browser,
        ):
            take(browser, view.address, "view-grid.png", size=DESKTOP, dark=True, tiles=len(CAMERAS))
            take(browser, view.address, "view-grid-light-phone.png", size=PHONE, dark=False, tiles=2)


def take(browser: Browser, address: str, name: str, *, size: tuple[int, int], dark: bool, tiles: int) -> None:
    """One picture of the page, when so many tiles have been drawn and all cameras are well."""
    with new_page(browser, size=size, dark=dark) as (page, _):
        page.set_default_timeout(90_000)
        page.goto(address)
        page.wait_for_function(_DRAWN, arg=tiles)
        page.wait_for_timeout(SETTLE_MS if dark else 2000)
        page.wait_for_function(_ALL_LIVE)
        page.screenshot(path=FOLDER / name)
    print(f"{FOLDER / name}: {(FOLDER / name).stat().st_size / 1000:.0f} kB", file=sys.stderr)


if __name__ == "__main__":
    main()
