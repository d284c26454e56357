"""The page of the pipelines and the try-out, in the system's browser, beside a real worker."""

import base64
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser_support import axe, chromium, new_page
from kafka_support import create_topic, run_cli, start_cli, unique
from playwright.sync_api import Browser, Page, expect
from view_support import View
from worker_support import Fleet, Topics

from streams.contract.images import decode

CAMERA = "gate-1"
WAIT_MS = 15_000


@dataclass
class Scene:
    """What runs: a producer, a worker, and the view."""

    view: View
    group: str
    folder: Path


@pytest.fixture(scope="module")
def scene(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("view-pipelines")
    topics = Topics(*(unique(hint) for hint in ("raw", "processed", "events", "dead")))
    for topic in (topics.raw, topics.processed, topics.events, topics.dead_letter):
        create_topic(kafka_bootstrap, topic, partitions=2, config={})
    created = run_cli(["topics", "create", "frames.status", "--bootstrap", kafka_bootstrap])
    assert created.returncode == 0, created.stderr
    produce = ["produce", "synthetic:?size=320x240&fps=8", "--camera", CAMERA, "--topic", topics.raw]
    with Fleet(kafka_bootstrap, folder, topics, status=True) as fleet, View(kafka_bootstrap, topics, folder) as view:
        fleet.start("--op", "motion:min_area=0.001", "--op", "blur:kernel=5")
        with start_cli([*produce, "--bootstrap", kafka_bootstrap]) as producer:
            try:
                yield Scene(view, fleet.group, folder)
            finally:
                producer.kill()


@pytest.fixture(scope="module")
def browser(scene: Scene) -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with new_page(browser) as (opened, _):
        yield opened


def test_the_page_shows_what_runs(scene: Scene, page: Page) -> None:
    page.goto(f"{scene.view.address}pipelines")
    card = page.locator("li.pipeline", has_text=scene.group)
    expect(card.locator(".stages .fill").first).to_be_attached(timeout=30_000)
    expect(card.locator(".panel-head .state")).to_have_text("running")
    expect(card.locator(".hashes code")).to_have_text(re.compile(r"^@[0-9a-f]{8}$"))
    expect(card.locator(".rollout")).to_be_hidden()
    expect(card.locator(".chips code")).to_have_text(["motion:min_area=0.001", "blur:kernel=5"])
    expect(card.locator(".stages th")).to_contain_text(["decode", "0:motion", "1:blur", "encode"])
    expect(card.get_by_role("group", name="Lag by partition").locator("tbody tr")).to_have_count(2)
    expect(page.locator("#others")).to_contain_text(CAMERA)
    assert axe(page) == []


def test_the_try_out_starts_from_what_runs_and_leaves_it_alone(scene: Scene, page: Page) -> None:
    running = hash_of(scene, page)
    open_try(scene, page, f"?from={scene.group}&camera={CAMERA}")
    expect(page.locator("#operators h3")).to_have_text(["1 · motion", "2 · blur"])
    expect(page.locator("#hash")).to_have_text(f"@{running} as running", timeout=WAIT_MS)
    expect(page.locator("#times th")).to_contain_text(["decode", "0:motion", "1:blur", "encode"])
    # What moves is found at once, for the frames that were seen before are shown to it again.
    expect(page.locator("#found li").first).to_contain_text("motion", timeout=WAIT_MS)
    expect(page.locator(".after .overlay polygon").first).to_be_attached()
    assert axe(page) == []

    sharp = detail(page, "after")
    field(page, "blur", "kernel").fill("31")
    expect(page.locator("#hash")).to_contain_text(", running: @", timeout=WAIT_MS)
    # It is the tried picture that has changed, not the raw one beside it.
    assert detail(page, "after") < sharp / 2
    assert detail(page, "before") > sharp / 2
    assert hash_of(scene, page) == running


def test_what_is_wrong_stands_at_its_field_and_the_toml_is_sound(scene: Scene, page: Page) -> None:
    open_try(scene, page, f"?camera={CAMERA}")
    page.locator("#op").select_option("blur")
    page.get_by_role("button", name="Add").click()
    kernel = field(page, "blur", "kernel")
    kernel.fill("4")
    error = page.locator('.operator .field[data-name="kernel"] .error')
    expect(error).to_have_text("kernel = 4: expected an odd number from 3 to 255", timeout=WAIT_MS)
    expect(kernel).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#copy")).to_be_disabled()
    assert axe(page) == []
    kernel.fill("9")
    expect(error).to_be_hidden(timeout=WAIT_MS)
    page.locator("#op").select_option("motion")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("button", name="Draw areas").click()
    expect(page.locator("#before-kind")).to_contain_text("as motion sees it", timeout=WAIT_MS)
    for x, y in ((10, 10), (200, 10), (200, 100)):
        page.locator("#before").click(position={"x": x, "y": y})
    page.locator("#draw-done").click()
    expect(page.locator("#toml")).to_contain_text("zones = [[[", timeout=WAIT_MS)
    file = scene.folder / "tried.toml"
    file.write_text(page.locator("#toml").inner_text())
    checked = run_cli(["pipelines", "check", str(file), "--json"])
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)["pipeline"] == f"try@{page.locator('#hash').inner_text().removeprefix('@')}"


def test_what_takes_too_long_or_dies_harms_nothing(scene: Scene, page: Page) -> None:
    # A browser that is closed need not say so; those children end when they have been idle.
    before = set(children(scene.view.process.pid))

    def own() -> set[int]:
        return set(children(scene.view.process.pid)) - before

    open_try(scene, page, f"?camera={CAMERA}")
    wait_until(lambda: len(own()) == 1)
    # Minutes of work for one core: it is stopped.
    ask_for(page, "resize", {"width": "6000"})
    ask_for(page, "denoise", {})
    page.locator(".operator", has_text="denoise").locator("select").select_option("nlmeans")
    expect(page.locator("#failed")).to_contain_text("2 · denoise: the try-out took longer than", timeout=WAIT_MS)
    page.get_by_role("button", name="Remove denoise").click()
    field(page, "resize", "width").fill("200")
    expect(page.locator("#after-kind")).to_have_text(re.compile(r"^tried 200.150$"), timeout=WAIT_MS)
    expect(page.locator("#failed")).to_be_hidden()
    # It dies as by the system's want of memory; asked for again, it begins anew.
    (child,) = own()
    os.kill(child, signal.SIGKILL)
    sequence = page.locator("#after").get_attribute("data-frame")
    again = page.get_by_role("button", name="Try again")
    wait_until(lambda: again.is_visible() or page.locator("#after").get_attribute("data-frame") != sequence)
    if again.is_visible():
        again.click()
    expect(page.locator("#failed")).to_be_hidden(timeout=WAIT_MS)
    wait_until(lambda: page.locator("#after").get_attribute("data-frame") != sequence)
    assert scene.view.process.poll() is None
    # A page that is left leaves nothing behind.
    page.goto(f"{scene.view.address}pipelines")
    wait_until(lambda: not own(), timeout_s=25)


def test_what_a_visitor_may_not_try(scene: Scene, page: Page) -> None:
    page.goto(f"{scene.view.address}pipelines")
    tried = post(page, {"operators": [{"op": "faces", "model": "/etc/passwd"}]})
    assert tried["wrong"][0]["key"] == "model"
    for op in ("remote", "os:system", "subprocess:Popen"):
        tried = post(page, {"operators": [{"op": op, "listen": "127.0.0.1:1"}]})
        assert (tried["wrong"], tried["notes"]) == (
            [],
            [f"{op} is left out: only operators that come with Framelane can be tried, remote not"],
        )
    assert post(page, {"session": "../x"})["error"].startswith("session: expected")


def open_try(scene: Scene, page: Page, query: str) -> None:
    page.goto(f"{scene.view.address}pipelines/try{query}")
    page.wait_for_selector("#after[data-frame]", timeout=WAIT_MS)


def ask_for(page: Page, op: str, values: dict[str, str]) -> None:
    page.locator("#op").select_option(op)
    page.get_by_role("button", name="Add").click()
    for name, value in values.items():
        field(page, op, name).fill(value)


def field(page: Page, op: str, name: str) -> Any:
    return page.locator(".operator", has_text=op).locator(f'.field[data-name="{name}"] input').first


def detail(page: Page, which: str) -> float:
    """How much detail a canvas shows: the mean step from pixel to pixel."""
    shown = page.locator(f"#{which}").evaluate("canvas => canvas.toDataURL('image/png').split(',')[1]")
    image = decode(base64.b64decode(shown), mode="gray").astype(np.int16)
    return float(np.abs(np.diff(image, axis=1)).mean())


def hash_of(scene: Scene, page: Page) -> str:
    """The hash of what runs, by its worker's own word."""
    found: list[str] = []

    def running() -> bool:
        answer = page.request.get(f"{scene.view.address}api/pipelines").json()
        cards = [card for card in answer["pipelines"] if card["group"] == scene.group]
        found[:] = [label["hash"] for card in cards for label in card["hashes"]]
        return len(found) == 1

    wait_until(running, timeout_s=30)
    return found[0]


def post(page: Page, request: dict[str, Any]) -> Any:
    """What the server answers to a try: its header, or the error."""
    url = page.url.replace("/pipelines", "/api/try")
    origin = page.url.removesuffix("/pipelines")
    answer = page.request.post(url, data={"session": "visitor-1"} | request, headers={"Origin": origin})
    body = answer.body()
    if not answer.ok:
        return json.loads(body)
    return json.loads(body[4 : 4 + int.from_bytes(body[:4], "big")])


def children(pid: int) -> list[int]:
    """Processes that this one has started and that still run."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def wait_until(case: Callable[[], bool], *, timeout_s: float = 15.0) -> None:
    end = time.monotonic() + timeout_s
    while not case():
        assert time.monotonic() < end
        time.sleep(0.1)
