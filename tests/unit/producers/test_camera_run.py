import logging
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, cast

import pytest
from producer_support import scene_images

from producers.camera_producer import CameraProducer
from producers.camera_run import CameraRun, RunSettings
from producers.outbox import Policy
from producers.sources.base import Grab, LeftOut, Selection
from streams.contract.errors import FrameError, MessageTooLarge, SourceError, SourceLost
from streams.contract.images import encode

Step = bytes | LeftOut | Literal["lost", "end"]


class Impatient(random.Random):
    """Makes every wait a short one."""

    def uniform(self, a: float, b: float) -> float:
        return 0.0


@dataclass
class Script:
    """A source that does what is written; its pictures are selected already, so that they need be none."""

    steps: list[Step]
    live: bool = True
    fps: float = 0.0
    name: str = "script"
    closed: int = 0
    selected: bool = True

    def grab(self) -> Grab | LeftOut | None:
        step = self.steps.pop(0)
        if step == "lost":
            raise SourceLost("script: gone")
        if isinstance(step, LeftOut):
            return step
        return None if step == "end" else Grab(picture=step, captured_at_ns=len(self.steps))

    def close(self) -> None:
        self.closed += 1


@dataclass
class Notebook:
    """Writes down what is published, as a camera's producer would publish it."""

    camera_id: str = "c"
    epoch: int = 0
    published: list[tuple[int, bytes]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    tolerant: bool = False
    fails: dict[bytes, Exception] = field(default_factory=dict)
    reconnects: int = 0
    states: list[str] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)

    def publish(self, picture: bytes, *, captured_at_ns: int | None, media_time_ns: int | None) -> None:
        if picture in self.fails:
            raise self.fails[picture]
        self.published.append((self.epoch, picture))

    def skip(self, reason: str) -> None:
        self.skipped.append(reason)

    def tolerate_too_large(self) -> None:
        self.tolerant = True

    @property
    def begun(self) -> bool:
        return any(epoch == self.epoch for epoch, _ in self.published)

    def begin_epoch(self) -> str:
        self.epoch += 1
        return str(self.epoch)

    def reconnected(self) -> None:
        self.reconnects += 1

    def told(self, **about: object) -> None:
        self.states += [str(about["state"])] if "state" in about else []

    def change(self, *, policy: str) -> None:
        self.policies.append(policy)


def run_of(
    source: Script | None,
    notebook: Notebook,
    *,
    again: Sequence[Script | SourceError] = (),
    settings: RunSettings | None = None,
) -> CameraRun:
    openings = iter(again)

    def reopen() -> Script:
        opened = next(openings)
        if isinstance(opened, SourceError):
            raise opened
        return opened

    return CameraRun(
        camera=cast(CameraProducer, notebook),
        source=source,
        open_source=reopen,
        settings=settings or RunSettings(),
        stop=threading.Event(),
        rng=Impatient(),
    )


def test_a_file_is_published_to_its_end_and_closed() -> None:
    notebook, source = Notebook(), Script([b"a", b"b", "end"], live=False)
    run = run_of(source, notebook, settings=RunSettings(realtime=False))
    run.run()
    assert notebook.published == [(0, b"a"), (0, b"b")]
    assert (run.published, notebook.reconnects, source.closed) == (2, 0, 1)


def test_a_live_source_that_is_lost_comes_back_as_a_new_epoch() -> None:
    notebook, first, last = Notebook(), Script([b"a", "lost"]), Script([b"c", "end"])
    run = run_of(
        first, notebook, again=[SourceError("still away"), Script([b"b", "lost"]), SourceError("away again"), last]
    )
    run.run()
    assert notebook.published == [(0, b"a"), (1, b"b"), (2, b"c")]
    assert notebook.reconnects == 2
    assert [state.partition(":")[0] for state in notebook.states].count("lost") == 4
    assert first.closed >= 1
    assert last.closed == 1


def test_what_is_left_out_is_counted_by_its_reason_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    notebook = Notebook()
    broken = LeftOut(reason="undecodable", detail="it breaks off")
    run_of(Script([b"1", LeftOut(reason="no_motion"), broken, broken, b"2", "end"]), notebook).run()
    assert [picture for _, picture in notebook.published] == [b"1", b"2"]
    assert notebook.skipped == ["no_motion", "undecodable", "undecodable"]
    assert len([record for record in caplog.records if "left out: it breaks off" in record.getMessage()]) == 1


def test_it_is_opened_first_however_often_that_has_to_be_tried() -> None:
    notebook = Notebook()
    run_of(None, notebook, again=[SourceError("away"), SourceError("away"), Script([b"a", "end"])]).run()
    # The epoch is the one that it has begun with: nothing was published in it before.
    assert notebook.published == [(0, b"a")]
    assert notebook.reconnects == 0


def test_an_epoch_without_a_frame_is_not_left() -> None:
    notebook = Notebook()
    run_of(Script(["lost"]), notebook, again=[Script([b"a", "lost"]), Script([b"b", "end"])]).run()
    assert notebook.published == [(0, b"a"), (1, b"b")]
    assert notebook.reconnects == 2


class Patient(Script):
    waits = True


@pytest.mark.parametrize(
    ("source", "wanted", "policy"),
    [
        (Script(["end"]), None, "drop_oldest"),
        (Script(["end"], live=False), None, "block"),
        (Patient(["end"]), None, "block"),
        (Script(["end"]), "block", "block"),
        (Script(["end"], live=False), "drop_oldest", "drop_oldest"),
    ],
)
def test_which_policy_a_source_gets(source: Script, wanted: Policy | None, policy: str) -> None:
    notebook = Notebook()
    run_of(source, notebook, settings=RunSettings(policy=wanted)).run()
    assert notebook.policies == [policy]


def test_a_file_that_breaks_off_is_an_error() -> None:
    with pytest.raises(SourceLost):
        run_of(Script([b"a", "lost"], live=False), Notebook(), settings=RunSettings(realtime=False)).run()


def test_it_stops_at_the_count() -> None:
    notebook = Notebook()
    run_of(Script([b"a", b"b", b"c", "end"]), notebook, settings=RunSettings(count=2)).run()
    assert notebook.published == [(0, b"a"), (0, b"b")]


def test_stopping_ends_the_wait_for_a_source_that_is_away() -> None:
    notebook = Notebook()
    run = run_of(Script(["lost"]), notebook)
    run.stop.set()
    run.run()
    assert notebook.reconnects == 0


def test_frames_above_the_limit_are_skipped_and_counted() -> None:
    notebook, picture = Notebook(), encode(scene_images(1)[0])
    source = Script([picture, picture, picture, "end"], selected=False)
    run_of(source, notebook, settings=RunSettings(selection=Selection(fps=0.01))).run()
    assert notebook.published == [(0, picture)]
    assert notebook.skipped == ["paced", "paced"]


def test_a_picture_that_cannot_be_used_is_left_out_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    broken = FrameError("cannot be decoded", reason="undecodable", stage="decode")
    notebook = Notebook(fails={b"x": broken})
    with caplog.at_level(logging.WARNING):
        run_of(Script([b"a", b"x", b"x", b"b", "end"]), notebook).run()
    assert notebook.published == [(0, b"a"), (0, b"b")]
    assert len([record for record in caplog.records if "left out" in record.getMessage()]) == 1


def test_what_kafka_refuses_ends_the_run() -> None:
    notebook, source = Notebook(fails={b"x": MessageTooLarge("too large")}), Script([b"x", "end"])
    with pytest.raises(MessageTooLarge):
        run_of(source, notebook).run()
    assert source.closed == 1


@pytest.mark.parametrize("live", [True, False])
def test_a_frame_that_is_too_large_ends_no_live_camera(live: bool) -> None:
    notebook = Notebook()
    run_of(Script([b"a", "end"], live=live), notebook, settings=RunSettings(realtime=False)).run()
    assert notebook.tolerant is live


def test_a_clock_that_is_set_back_begins_an_epoch() -> None:
    @dataclass
    class Clocked(Script):
        times: list[int] = field(default_factory=list)

        def grab(self) -> Grab | LeftOut | None:
            grab = super().grab()
            return replace(grab, captured_at_ns=self.times.pop(0)) if isinstance(grab, Grab) else grab

    second = 1_000_000_000
    times = [100 * second, 99 * second, 95 * second, 96 * second]
    notebook = Notebook()
    source = Clocked([b"a", b"b", b"c", b"d", "end"], times=list(times))
    run = run_of(source, notebook)
    # This host's clock is the one that is set, so it says the same.
    run.clock = lambda: times[len(notebook.published)]
    run.run()
    # Two seconds are what a clock is put right by; more than that is another time.
    assert notebook.published == [(0, b"a"), (0, b"b"), (1, b"c"), (1, b"d")]
