"""One camera, back in time, in the system's browser: the frame that was asked for is the one that is seen."""

import base64
import json
import re
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import cv2
import numpy as np
import pytest
from browser_support import PHONE, axe, chromium, new_page
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from kafka_support import create_topic, run_cli, unique
from playwright.sync_api import Browser, Page, expect
from view_support import View
from worker_support import Topics

from producers.stamp import camera_hash, read_stamp, stamp
from streams.contract.dead_letters import dead_letter
from streams.contract.errors import FrameError
from streams.contract.events import encode_event
from streams.contract.frame import Event, Frame
from streams.contract.headers import Record, to_headers
from streams.contract.identity import new_epoch, pipeline_source
from streams.contract.images import decode, encode

CAMERA, OTHER = "gate-1", "yard-2"
COUNT, GONE, EVERY_NS = 60, 10, 200_000_000
WITH_EVENT, DEAD = (20, 21, 40), 30


@dataclass
class Scene:
    """A view of topics with one partition, which two cameras share, and the frames of the first by sequence."""

    view: View
    topics: Topics
    epoch: str
    frames: dict[int, Frame]
    places: dict[int, str]

    def link(self, sequence: int) -> str:
        """The address of the page that shows this frame."""
        return f"{self.view.address}camera/{CAMERA}?at={self.epoch}/{sequence}"

    def get(self, path: str) -> HTTPResponse:
        """What the server answers; raises HTTPError for an error."""
        answer: HTTPResponse = urllib.request.urlopen(self.view.address + path, timeout=15)
        return answer

    def json(self, path: str) -> Any:
        """The answer as JSON."""
        with self.get(path) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def scene(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    topics = Topics(*(unique(hint) for hint in ("raw", "processed", "events", "dead")))
    for topic in (topics.raw, topics.processed, topics.events, topics.dead_letter):
        create_topic(kafka_bootstrap, topic, partitions=1, config={})
    created = run_cli(["topics", "create", "frames.status", "--bootstrap", kafka_bootstrap])
    assert created.returncode == 0, created.stderr
    began_ns = time.time_ns() - 60_000_000_000
    epoch, frames, places = new_epoch(began_ns), {}, {}
    producer = Producer({"bootstrap.servers": kafka_bootstrap, "linger.ms": 0})
    lies_at = 0
    for sequence in range(COUNT):
        at_ns = began_ns + sequence * EVERY_NS
        for camera in (CAMERA, *[OTHER] * (sequence % 3)):
            raw = _frame(camera, epoch, sequence, at_ns, gray=200)
            _send(producer, topics.raw, raw)
            made = _frame(camera, epoch, sequence, at_ns, gray=60, input=f"{topics.raw}/0/{lies_at}")
            if camera == CAMERA and sequence == DEAD:
                _send_letter(producer, topics, raw, lies_at)
            if camera == CAMERA:
                frames[sequence], places[sequence] = made, f"{topics.processed}/0/{lies_at}"
            _send(producer, topics.processed, made)
            lies_at += 1
        if sequence in WITH_EVENT:
            _send_event(producer, topics, frames[sequence])
    assert producer.flush(10) == 0
    first_kept = int(places[GONE].rpartition("/")[2])
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    admin.delete_records([TopicPartition(topics.processed, 0, first_kept)])[
        TopicPartition(topics.processed, 0, first_kept)
    ].result(10)
    with View(kafka_bootstrap, topics, tmp_path_factory.mktemp("view-past")) as view:
        yield Scene(view, topics, epoch, frames, places)


@pytest.fixture(scope="module")
def browser(scene: Scene) -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with new_page(browser) as (opened, _):
        yield opened


def test_the_link_opens_the_very_frame_and_steps_go_from_frame_to_frame(scene: Scene, page: Page) -> None:
    page.goto(scene.link(25))
    _shown(page, 25)
    for key, sequence in ((".", 26), ("ArrowRight", 27), (",", 26), ("ArrowLeft", 25), ("ArrowLeft", 24)):
        page.keyboard.press(key)
        _shown(page, sequence)
    assert page.url == scene.link(24)
    expect(page.locator("#identity")).to_have_text(f"{scene.epoch}/24")
    expect(page.locator("#state")).to_have_text(re.compile("past"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == f"{CAMERA}_{scene.epoch}_24.jpg"
    assert Path(download.value.path()).read_bytes() == scene.frames[24].data
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#copy")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == scene.link(24)
    assert axe(page) == []


def test_it_plays_on_in_order_at_the_frames_own_pace(scene: Scene, page: Page) -> None:
    page.goto(scene.link(25))
    _shown(page, 25)
    page.evaluate(
        """() => { const canvas = document.querySelector(".processed canvas");
        globalThis.seen = [];
        globalThis.enough = new Promise((done) => new MutationObserver(() => {
          seen.push([Number(canvas.dataset.sequence), performance.now()]);
          if (seen.length === 8) done();
        }).observe(canvas, { attributeFilter: ["data-sequence"] })); }"""
    )
    page.keyboard.press("Space")
    page.evaluate("() => globalThis.enough")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    seen = page.evaluate("globalThis.seen")
    numbers = [number for number, _ in seen]
    assert numbers == sorted(set(numbers)) and numbers[0] <= 28
    paces = (seen[-1][1] - seen[0][1]) / (numbers[-1] - numbers[0])
    assert 0.6 * EVERY_NS / 1e6 < paces < 1.6 * EVERY_NS / 1e6
    page.keyboard.press(".")
    _shown(page, numbers[-1] + 1)


def test_events_and_dead_letters_are_marks_and_lead_to_their_frame(scene: Scene, page: Page) -> None:
    page.goto(scene.link(22))
    _shown(page, 22)
    expect(page.locator("#marks .mark.event")).to_have_count(len(WITH_EVENT))
    expect(page.locator("#marks .mark.dead_letter")).to_have_count(1)
    page.locator("#mark-count").click()
    page.get_by_role("button", name=re.compile("Dead letter decode_failed.*broken on purpose")).click()
    _shown(page, DEAD)
    page.get_by_role("button", name=re.compile("Event motion")).last.click()
    _shown(page, WITH_EVENT[0])
    expect(page.locator(".processed .overlay polygon")).to_have_count(1)
    page.get_by_label("Events", exact=True).uncheck()
    expect(page.locator(".processed .overlay polygon")).to_have_count(0)
    assert axe(page) == []


def test_raw_is_of_the_same_identity(scene: Scene, page: Page) -> None:
    page.goto(scene.link(33))
    _shown(page, 33)
    page.get_by_text("Beside", exact=True).click()
    expect(page.locator(".raw canvas")).to_have_attribute("data-sequence", "33")
    picture = _canvas(page, ".raw canvas")
    assert picture[5, 5].mean() > 150
    page.keyboard.press(".")
    expect(page.locator(".raw canvas")).to_have_attribute("data-sequence", "34")


def test_the_bar_is_dragged_and_what_is_gone_is_told(scene: Scene, browser: Browser) -> None:
    with new_page(browser, size=PHONE, dark=False) as (page, errors):
        errors.expected = ("410",)
        page.goto(scene.link(3))
        message = page.locator("#message")
        expect(message).to_contain_text("is not in topic")
        message.get_by_role("button").click()
        _shown(page, GONE)
        expect(message).to_be_hidden()
        page.keyboard.press(",")
        expect(message).to_contain_text("oldest frame that is retained")
        at_ms = (scene.frames[44].captured_at_ns - scene.frames[GONE].captured_at_ns) // 1_000_000
        page.locator("#scrub").fill(str(at_ms))
        _shown(page, 44)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert axe(page) == []


def test_what_the_server_answers(scene: Scene) -> None:
    path = f"api/cameras/{CAMERA}"
    span = scene.json(f"{path}/span")
    assert (span["oldest"]["sequence"], span["newest"]["sequence"]) == (GONE, COUNT - 1)
    at_ns = scene.frames[31].captured_at_ns
    (found,) = scene.json(f"{path}/frames?at={at_ns - 1_000_000}")["frames"]
    assert (found["place"], found["captured_at_ns"]) == (scene.places[31], str(at_ns))
    later = scene.json(f"{path}/frames?after={scene.places[31]}&count=5")["frames"]
    assert [each["sequence"] for each in later] == [32, 33, 34, 35, 36]
    earlier = scene.json(f"{path}/frames?before={scene.places[31]}&count=60")["frames"]
    assert [each["sequence"] for each in earlier] == list(range(GONE, 31))
    with scene.get(f"api/frames/{scene.places[31]}") as answer:
        assert (answer.read(), answer.headers["content-type"]) == (scene.frames[31].data, "image/jpeg")
    for wrong, status in (
        (f"api/frames/{scene.topics.events}/0/0", 404),
        (f"api/frames/{scene.places[GONE - 1]}", 410),
        (f"{path}/frames?at=yesterday", 400),
        (f"{path}/frames?at=1&count=1000", 400),
        (f"api/cameras/{OTHER}/frames?after={scene.places[31]}", 400),
        ("api/cameras/nobody/span", 410),
    ):
        with pytest.raises(HTTPError) as refused:
            scene.get(wrong)
        assert refused.value.code == status, wrong
        assert json.load(refused.value)["error"]


def _frame(camera: str, epoch: str, sequence: int, at_ns: int, *, gray: int, input: str = "") -> Frame:
    image = np.full((180, 320, 3), gray, np.uint8)
    cv2.putText(image, f"{camera} {sequence}", (20, 90), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (40, 180, 220), 2)
    stamp(image, camera, sequence)
    made = {"pipeline": "watch@1f3a", "source": pipeline_source("watch@1f3a"), "input": input} if input else {}
    return Frame(
        camera_id=camera,
        epoch=epoch,
        sequence=sequence,
        captured_at_ns=at_ns,
        width=320,
        height=180,
        data=encode(image, "image/jpeg"),
        **made,
    )


def _send(producer: Producer, topic: str, frame: Frame) -> None:
    at_ms = frame.captured_at_ns // 1_000_000
    producer.produce(topic, frame.data, frame.camera_id, headers=to_headers(frame), timestamp=at_ms)


def _send_event(producer: Producer, topics: Topics, frame: Frame) -> None:
    data = {"boxes": [{"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4, "label": "", "score": 0.0}], "area": 0.12}
    value, headers = encode_event(
        Event(type="motion", data=data), frame, pipeline="watch@1f3a", operator_index=0, number=0
    )
    producer.produce(
        topics.events, value, frame.camera_id, headers=headers, timestamp=frame.captured_at_ns // 1_000_000
    )


def _send_letter(producer: Producer, topics: Topics, raw: Frame, offset: int) -> None:
    at_ms = raw.captured_at_ns // 1_000_000
    record = Record(topics.raw, 0, offset, at_ms, raw.camera_id.encode(), raw.data, to_headers(raw))
    error = FrameError("broken on purpose", reason="decode_failed", stage="decode")
    letter = dead_letter(record, error, pipeline="other@22aa", failed_ns=raw.captured_at_ns)
    producer.produce(topics.dead_letter, letter.value, letter.key, headers=letter.headers, timestamp=at_ms)


def _canvas(page: Page, selector: str) -> Any:
    address = page.locator(selector).evaluate("canvas => canvas.toDataURL('image/png')")
    return decode(base64.b64decode(address.partition(",")[2]))


def _shown(page: Page, sequence: int) -> None:
    """The frame is shown, and its picture is what the canvas has: its stamp says so."""
    expect(page.locator(".processed canvas")).to_have_attribute("data-sequence", str(sequence))
    found = read_stamp(_canvas(page, ".processed canvas"))
    assert found is not None
    assert (found.camera_hash, found.sequence) == (camera_hash(CAMERA), sequence)
