"""The live view's WebSocket against a real broker: a slow client holds up nobody, and skips to the newest."""

import asyncio
import itertools
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from kafka_support import create_topic, run_cli, unique
from view_support import View
from watch_support import Cameras, Shown, Watcher, watcher
from worker_support import JPEG, Topics

from streams.contract.images import decode

pytestmark = pytest.mark.kafka

FPS = 10
# What follows a picture is no part of it: large frames, which fill the buffers between server and client.
HEAVY = JPEG + bytes(400_000)
WAIT_S = 20.0
SPAN_S = 3.0


@pytest.fixture(scope="module")
def topics(kafka_bootstrap: str) -> Topics:
    made = Topics(*(unique(hint) for hint in ("raw", "processed", "events", "dead")))
    for topic in (made.raw, made.processed, made.events, made.dead_letter):
        create_topic(kafka_bootstrap, topic, partitions=4, config={})
    created = run_cli(["topics", "create", "frames.status", "--bootstrap", kafka_bootstrap])
    assert created.returncode == 0, created.stderr
    return made


@pytest.fixture(scope="module")
def view(kafka_bootstrap: str, topics: Topics, tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    folder: Path = tmp_path_factory.mktemp("view")
    with View(kafka_bootstrap, topics, folder) as started:
        yield started


async def frames_for(client: Watcher, span_s: float) -> list[Shown]:
    """What comes within some seconds."""
    shown: list[Shown] = []
    try:
        async with asyncio.timeout(span_s):
            while True:
                shown.append(await client.frame())
    except TimeoutError:
        return shown


def test_a_client_that_does_not_read_holds_up_nobody(kafka_bootstrap: str, topics: Topics, view: View) -> None:
    names = [f"{unique('yard')}-{number}" for number in range(8)]
    # What the slow one sees before it sleeps.
    early: list[Shown] = []

    async def both() -> tuple[list[Shown], list[Shown], dict[str, int], dict[str, int], list[Shown]]:
        async with watcher(view.address) as quick, watcher(view.address) as slow:
            await quick.watch(names)
            async with asyncio.timeout(WAIT_S):
                await quick.frame()
            before = await frames_for(quick, SPAN_S)
            await slow.watch(names)
            async with asyncio.timeout(WAIT_S):
                while {each.header["camera"] for each in early} != set(names):
                    early.append(await slow.frame())
            during = await frames_for(quick, SPAN_S)
            back = dict(cameras.sent)
            reading = asyncio.create_task(frames_for(quick, SPAN_S))
            after = await frames_for(slow, SPAN_S)
            await reading
            return before, during, back, dict(cameras.sent), after

    with Cameras(kafka_bootstrap, [topics.processed], names, fps=FPS, data=HEAVY, size=(320, 240)) as cameras:
        before, during, back, end, after = asyncio.run(both())
    for label, shown in (("before", before), ("during", during)):
        ages = [each.age_ms for each in shown]
        p95_ms = statistics.quantiles(ages, n=20)[-1]
        print(f"{label}: {len(shown) / SPAN_S:.1f} frames/s of {FPS * len(names)}, age p95 {p95_ms:.0f} ms")
    assert len(during) > 0.6 * len(before), "the other one gets its frames"
    waited = [each for each in after if each.header["sequence"] <= min(back.values()) - FPS]
    # In flight when it stopped: two of each camera at most.
    assert len(waited) <= 2 * len(names) + 1
    assert len(after) > len(waited)
    for name in names:
        own = [each.header["sequence"] for each in early + after if each.header["camera"] == name]
        assert own == sorted(set(own)), "none twice, none backwards"
        steps = [later - earlier for earlier, later in itertools.pairwise(own)]
        print(f"{name}: {max(steps) - 1} frames left out at once")
        assert max(steps) > FPS, "what came while it slept is left out"
        assert own[-1] > back[name], "and then it sees the newest"
        assert own[-1] <= end[name]


def test_who_watches_nothing_gets_figures_but_no_frame(kafka_bootstrap: str, topics: Topics, view: View) -> None:
    names = [unique("gate")]

    async def none_then_one() -> list[dict[str, object]]:
        async with watcher(view.address) as idle, watcher(view.address) as other:
            await other.watch(names)
            await idle.watch([])
            async with asyncio.timeout(WAIT_S):
                for _ in range(FPS):
                    await other.frame()
                while not any(names[0] in str(text) for text in idle.texts):
                    assert await idle.hear() is None
                await idle.watch(names)
                await idle.frame()
            return idle.texts

    with Cameras(kafka_bootstrap, [topics.processed], names, fps=FPS, data=JPEG, size=(320, 240)):
        texts = asyncio.run(none_then_one())
    assert {text["type"] for text in texts} >= {"hello", "cameras"}


def test_a_raw_frame_comes_with_what_was_made_of_it(kafka_bootstrap: str, topics: Topics, view: View) -> None:
    names = [unique("door"), unique("door")]

    async def pairs() -> list[tuple[Shown, Shown]]:
        found = []
        async with watcher(view.address) as client, asyncio.timeout(WAIT_S):
            await client.watch(names, raw=True)
            while len(found) < 10:
                first = await client.frame()
                if first.header.get("paired"):
                    found.append((first, await client.frame()))
        return found

    sending = [topics.raw, topics.processed]
    with Cameras(kafka_bootstrap, sending, names, fps=FPS, data=JPEG, size=(320, 240)):
        found = asyncio.run(pairs())
    for raw, processed in found:
        assert raw.name == processed.name
        assert (raw.header["kind"], processed.header["kind"]) == ("raw", "processed")
        assert raw.header["place"].startswith(f"{topics.raw}/")
        assert processed.header["place"].startswith(f"{topics.processed}/")


def test_clients_of_one_size_get_the_same_scaled_picture(kafka_bootstrap: str, topics: Topics, view: View) -> None:
    names = [unique("hall")]
    picture = cv2.resize(np.random.default_rng(1).integers(0, 255, (12, 16, 3), np.uint8), (1280, 720))
    large = cv2.imencode(".jpg", picture)[1].tobytes()

    async def both() -> list[dict[object, bytes]]:
        async with watcher(view.address) as one, watcher(view.address) as two:
            await one.watch(names, width=300)
            await two.watch(names, width=320)
            given: list[dict[object, bytes]] = [{}, {}]
            until = time.monotonic() + WAIT_S
            while len(given[0].keys() & given[1].keys()) < 3 and time.monotonic() < until:
                shown = await asyncio.gather(one.frame(), two.frame())
                for pictures, each in zip(given, shown, strict=True):
                    pictures[each.header["place"]] = each.data
            return given

    with Cameras(kafka_bootstrap, [topics.processed], names, fps=FPS, data=large, size=(1280, 720)):
        one, two = asyncio.run(both())
    both_have = one.keys() & two.keys()
    assert len(both_have) >= 3
    for place in both_have:
        assert one[place] == two[place]
        assert decode(one[place]).shape == (180, 320, 3)
