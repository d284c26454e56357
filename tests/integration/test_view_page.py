"""The page of all cameras in the system's browser: it shows what the cameras took, and says where it does not."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from browser_support import DESKTOP, PHONE, axe, chromium, new_page
from kafka_support import unique
from playwright.sync_api import Browser, Locator, Page, WebSocket, expect
from view_cameras import running_cameras
from view_support import View
from worker_support import Topics, send

from producers.stamp import Stamp, camera_hash, read_stamp
from streams.contract.images import Image

PREFIX = unique("yard")
CAMERAS = [f"{PREFIX}-{number}" for number in range(1, 17)]
FPS = 3
# All sixteen are in sight.
LARGE = (1680, 1300)
WAIT_MS = 20_000
_SHOWN = """(camera) => Object.fromEntries(["processed", "raw"].map((kind) => {
  const canvas = document.querySelector(`[data-camera="${camera}"] .${kind} canvas`);
  return [kind, { ...canvas.dataset, png: canvas.toDataURL("image/png").split(",")[1] }];
}))"""
_NEWER = """([camera, kind, than]) => {
  const canvas = document.querySelector(`[data-camera="${camera}"] .${kind} canvas`);
  return Number(canvas?.dataset.sequence ?? -1) > than;
}"""
_SET_HIDDEN = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@dataclass
class Scene:
    """What runs: cameras, a worker, and the view of them."""

    bootstrap: str
    topics: Topics
    view: View
    folder: Path

    def address(self, view: View | None = None, *, cameras: str = PREFIX) -> str:
        """The page, of these cameras only: the broker may have others."""
        return f"{(view or self.view).address}?filter={cameras}-*"


@dataclass(frozen=True)
class Shown:
    """What a canvas shows, and what it says that this is."""

    epoch: str
    sequence: int
    picture: Image


@dataclass
class Wire:
    """What goes over a page's WebSocket: the cameras it asked for last, the cameras of the frames that came."""

    watched: dict[str, Any] = field(default_factory=dict)
    frames: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """From here on; before the page is opened."""
        page.on("websocket", self._open)

    def _open(self, socket: WebSocket) -> None:
        socket.on("framesent", self._sent)
        socket.on("framereceived", self._received)

    def _sent(self, payload: str | bytes) -> None:
        message = json.loads(payload)
        if message["type"] == "watch":
            self.watched = message["cameras"]

    def _received(self, payload: str | bytes) -> None:
        if isinstance(payload, bytes):
            length = int.from_bytes(payload[:4], "big")
            self.frames.append(json.loads(payload[4 : 4 + length])["camera"])
        elif (message := json.loads(payload))["type"] == "event":
            self.events.append(message["event"])


@pytest.fixture(scope="module")
def scene(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("view-page")
    sources = {name: f"synthetic:?size=320x240&fps={FPS}&seed={seed}" for seed, name in enumerate(CAMERAS)}
    with (
        running_cameras(kafka_bootstrap, folder, sources, "motion:min_area=0.001") as topics,
        View(kafka_bootstrap, topics, folder) as view,
    ):
        yield Scene(kafka_bootstrap, topics, view, folder)


@pytest.fixture(scope="module")
def browser(scene: Scene) -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def tile(page: Page, camera: str) -> Locator:
    return page.locator(f'.tile[data-camera="{camera}"]')


def shown(page: Page, camera: str) -> dict[str, Shown]:
    """Both canvases of a camera at one moment."""
    found = {}
    for kind, canvas in page.evaluate(_SHOWN, camera).items():
        data = np.frombuffer(base64.b64decode(canvas["png"]), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert picture is not None
        found[kind] = Shown(canvas.get("epoch", ""), int(canvas.get("sequence", -1)), picture)
    return found


def wait_for_drawing(page: Page, camera: str, *, kind: str = "processed", than: int = -1) -> None:
    page.wait_for_function(_NEWER, arg=[camera, kind, than], timeout=WAIT_MS)


def wait_until(page: Page, holds: Callable[[], bool], what: str) -> None:
    """Wait for something that the wire says; Playwright hears of it while it waits."""
    for _ in range(WAIT_MS // 50):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{what}: not after {WAIT_MS} ms")


@pytest.mark.parametrize("decoder", [True, False])
def test_a_canvas_shows_the_very_frame_that_it_says(scene: Scene, browser: Browser, decoder: bool) -> None:
    with new_page(browser, size=LARGE) as (page, _):
        if not decoder:
            # As on http from another machine.
            page.add_init_script("delete globalThis.ImageDecoder")
        page.goto(scene.address())
        for camera in CAMERAS[::5]:
            last: Shown | None = None
            for _ in range(3):
                wait_for_drawing(page, camera, than=last.sequence if last else -1)
                now = shown(page, camera)["processed"]
                assert now.picture.shape == (240, 320, 3)
                assert read_stamp(now.picture) == Stamp(camera_hash(camera), now.sequence)
                assert last is None or (now.picture != last.picture).any()
                last = now


def test_sixteen_cameras_are_live_at_once(scene: Scene, browser: Browser) -> None:
    with new_page(browser, size=LARGE) as (page, _):
        page.goto(scene.address())
        live = page.locator('.tile[data-state="live"]:not([hidden])')
        expect(live).to_have_count(len(CAMERAS), timeout=WAIT_MS)
        assert live.locator("h2").all_inner_texts() == CAMERAS
        expect(live.first.locator(".word")).to_have_text("live")
        drawn = "(cameras) => cameras.every((camera) => globalThis.framelaneFigures.drawn[camera] >= 3)"
        page.wait_for_function(drawn, arg=CAMERAS, timeout=WAIT_MS)
        expect(live.first.locator('[data-figure="fps"]')).to_have_text(re.compile(r"^[1-9]"), timeout=WAIT_MS)


def test_raw_beside_processed_is_the_same_frame(scene: Scene, browser: Browser) -> None:
    camera = CAMERAS[0]
    with new_page(browser) as (page, _):
        page.goto(scene.address())
        wait_for_drawing(page, camera)
        page.get_by_text("Beside", exact=True).click()
        before = -1
        for _ in range(3):
            wait_for_drawing(page, camera, kind="raw", than=before)
            both = shown(page, camera)
            raw, processed = both["raw"], both["processed"]
            assert (raw.epoch, raw.sequence) == (processed.epoch, processed.sequence)
            assert read_stamp(raw.picture) == read_stamp(processed.picture) == Stamp(camera_hash(camera), raw.sequence)
            before = raw.sequence
        expect(tile(page, camera).locator(".raw canvas")).to_be_visible()
        page.get_by_text("Off", exact=True).click()
        expect(tile(page, camera).locator(".raw canvas")).to_be_hidden()


def test_what_was_found_is_drawn_over_the_picture_and_can_be_switched_off(scene: Scene, browser: Browser) -> None:
    camera, wire = CAMERAS[0], Wire()
    with new_page(browser) as (page, _):
        wire.listen(page)
        page.goto(scene.address())
        marks = tile(page, camera).locator(".processed .overlay polygon.motion")
        expect(marks.first).to_be_visible(timeout=WAIT_MS)
        corner = marks.first.get_attribute("points", timeout=WAIT_MS)
        boxes = [box for event in wire.events if event["camera_id"] == camera for box in event["data"]["boxes"]]
        found = [tuple(map(float, (corner or "").split(" ")[0].split(",")))]
        assert found[0] in [pytest.approx((box["x"], box["y"]), abs=1e-6) for box in boxes]
        expect(tile(page, camera).locator(".processed .labels text").first).to_contain_text("motion")

        page.get_by_label("Events", exact=True).uncheck()
        off_at = shown(page, camera)["processed"].sequence
        wait_for_drawing(page, camera, than=off_at + 1)
        assert page.locator(".overlay polygon").count() == 0
        page.get_by_label("Events", exact=True).check()
        expect(marks.first).to_be_visible(timeout=WAIT_MS)


def test_what_is_out_of_sight_is_not_sent(scene: Scene, browser: Browser) -> None:
    first, last, wire = CAMERAS[0], CAMERAS[-1], Wire()
    with new_page(browser, size=PHONE) as (page, _):
        wire.listen(page)
        page.goto(scene.address())
        wait_for_drawing(page, first)
        assert first in wire.watched
        assert last not in wire.watched
        assert last not in wire.frames
        tile(page, last).scroll_into_view_if_needed()
        wait_for_drawing(page, last)
        assert first not in wire.watched


def test_a_hidden_page_gets_no_frames(scene: Scene, browser: Browser) -> None:
    camera, wire = CAMERAS[0], Wire()
    with new_page(browser) as (page, _):
        wire.listen(page)
        page.goto(scene.address())
        wait_for_drawing(page, camera)
        page.evaluate(_SET_HIDDEN, True)
        wait_until(page, lambda: wire.watched == {}, "the page watches nothing")
        # What was on its way.
        page.wait_for_timeout(300)
        so_far = len(wire.frames)
        # Two frames of each camera.
        page.wait_for_timeout(2000 / FPS)
        assert len(wire.frames) == so_far
        page.evaluate(_SET_HIDDEN, False)
        wait_for_drawing(page, camera, than=shown(page, camera)["processed"].sequence)


def test_it_connects_again_by_itself(scene: Scene, browser: Browser) -> None:
    camera = CAMERAS[0]
    with new_page(browser) as (page, errors):
        errors.expected = ("ERR_CONNECTION_REFUSED", "WebSocket")
        with View(scene.bootstrap, scene.topics, scene.folder) as first:
            page.goto(scene.address(first))
            wait_for_drawing(page, camera)
            page.evaluate("globalThis.neverReloaded = true")
        expect(page.get_by_role("status").first).to_contain_text("Connection to the server lost")
        expect(tile(page, camera).locator(".word")).to_have_text("not connected")
        before = shown(page, camera)["processed"].sequence
        with View(scene.bootstrap, scene.topics, scene.folder, port=first.port):
            wait_for_drawing(page, camera, than=before)
            expect(page.get_by_text("Connection to the server lost")).to_have_count(0)
            expect(tile(page, camera).locator(".word")).to_have_text("live", timeout=WAIT_MS)
            assert page.evaluate("globalThis.neverReloaded")


def test_a_camera_that_stops_is_marked_by_a_word_and_a_shape(scene: Scene, browser: Browser) -> None:
    names = unique("odd")
    halted, broken = f"{names}-halted", f"{names}-broken"
    send(scene.bootstrap, scene.topics.raw, [broken], 2, data=b"no picture")
    with new_page(browser) as (page, _):
        page.goto(scene.address(cameras=names))
        send(scene.bootstrap, scene.topics.raw, [halted], 5)
        stopped = tile(page, halted)
        expect(stopped).to_have_attribute("data-state", "live", timeout=WAIT_MS)
        live_fill = stopped.locator(".state").evaluate("(element) => getComputedStyle(element).color")
        expect(stopped.locator(".word")).to_have_text("stale", timeout=WAIT_MS)
        expect(stopped.locator(".shape use")).to_have_attribute("href", "#shape-stale")
        expect(stopped.locator(".notice")).to_contain_text("stale · last frame")
        assert stopped.locator(".state").evaluate("(element) => getComputedStyle(element).color") != live_fill

        failed = tile(page, broken)
        expect(failed.locator(".word")).to_have_text("silent", timeout=WAIT_MS)
        expect(failed.locator(".shape use")).to_have_attribute("href", "#shape-silent")
        expect(failed.locator(".notice")).to_have_text("silent · no processed frame yet")
        expect(failed.locator('[data-figure="dead_lettered"]')).to_have_text("2", timeout=WAIT_MS)
        assert axe(page) == []


@pytest.mark.parametrize(
    ("size", "dark"), [(DESKTOP, True), (DESKTOP, False), (PHONE, False)], ids=["dark", "light", "phone"]
)
def test_it_is_accessible(scene: Scene, browser: Browser, size: tuple[int, int], dark: bool) -> None:
    with new_page(browser, size=size, dark=dark) as (page, _):
        page.goto(scene.address())
        wait_for_drawing(page, CAMERAS[0])
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_keys_go_from_camera_to_camera_and_are_explained(scene: Scene, browser: Browser) -> None:
    with new_page(browser) as (page, _):
        page.goto(scene.address())
        tile(page, CAMERAS[0]).get_by_role("link").focus()
        page.keyboard.press("ArrowRight")
        expect(tile(page, CAMERAS[1]).get_by_role("link")).to_be_focused()
        page.keyboard.press("End")
        expect(tile(page, CAMERAS[-1]).get_by_role("link")).to_be_focused()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        assert axe(page) == []
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        page.keyboard.press("/")
        expect(page.get_by_label("Filter cameras by name")).to_be_focused()


def test_with_a_token_the_page_asks_for_it_first(scene: Scene, browser: Browser) -> None:
    view, secret = View(scene.bootstrap, scene.topics, scene.folder), "let-me-look-please"
    view.environ["FRAMELANE_VIEW_TOKEN"] = secret
    with view, new_page(browser) as (page, errors):
        errors.expected = ("403",)
        page.goto(scene.address(view))
        token = page.get_by_label("Token")
        expect(token).to_be_focused()
        assert page.locator("canvas").count() == 0
        assert axe(page) == []
        token.fill("a guess")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("That is not the token.")
        assert axe(page) == []
        token.fill(secret)
        page.get_by_role("button", name="Sign in").click()
        wait_for_drawing(page, CAMERAS[0])
        expect(page.locator(".tile:not([hidden])")).to_have_count(len(CAMERAS))
