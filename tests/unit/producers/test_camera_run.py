import logging
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

import pytest

from producers.camera_producer import CameraProducer
from producers.camera_run import CameraRun, RunSettings
from producers.sources.base import Grab
from streams.contract.errors import FrameError, MessageTooLarge, SourceError, SourceLost

Step = bytes | Literal["lost", "end"]


class Impatient(random.Random):
    """Makes every wait a short one."""

    def uniform(self, a: float, b: float) -> float:
        return 0.0


@dataclass
class Script:
    """A source that does what is written."""

    steps: list[Step]
    live: bool = True
    fps: float = 0.0
    name: str = "script"
    closed: int = 0

    def grab(self) -> Grab | None:
        step = self.steps.pop(0)
        if step == "lost":
            raise SourceLost("script: gone")
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

    def publish(self, picture: bytes, *, captured_at_ns: int | None, media_time_ns: int | None) -> None:
        if picture in self.fails:
            raise self.fails[picture]
        self.published.append((self.epoch, picture))

    def skip(self, reason: str) -> None:
        self.skipped.append(reason)

    def tolerate_too_large(self) -> None:
        self.tolerant = True

    def begin_epoch(self) -> str:
        self.epoch += 1
        return str(self.epoch)


def run_of(
    source: Script,
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
        reopen=reopen,
        settings=settings or RunSettings(),
        stop=threading.Event(),
        rng=Impatient(),
    )


def test_a_file_is_published_to_its_end_and_closed() -> None:
    notebook, source = Notebook(), Script([b"a", b"b", "end"], live=False)
    run = run_of(source, notebook, settings=RunSettings(realtime=False))
    run.run()
    assert notebook.published == [(0, b"a"), (0, b"b")]
    assert (run.published, run.reconnects, source.closed) == (2, 0, 1)


def test_a_live_source_that_is_lost_comes_back_as_a_new_epoch() -> None:
    notebook, first, last = Notebook(), Script([b"a", "lost"]), Script([b"c", "end"])
    run = run_of(
        first, notebook, again=[SourceError("still away"), Script([b"b", "lost"]), SourceError("away again"), last]
    )
    run.run()
    assert notebook.published == [(0, b"a"), (1, b"b"), (2, b"c")]
    assert run.reconnects == 2
    assert first.closed >= 1
    assert last.closed == 1


def test_damaged_pictures_are_counted_as_dropped() -> None:
    class Damaging(Script):
        damaged = 0

        def grab(self) -> Grab | None:
            self.damaged += 2
            return super().grab()

    notebook = Notebook()
    run_of(Damaging([b"1", "lost"]), notebook, again=[Damaging([b"2", "end"])]).run()
    assert [picture for _, picture in notebook.published] == [b"1", b"2"]
    # Two before each picture, before the loss, and before the end.
    assert notebook.skipped == ["undecodable"] * 8


def test_a_file_that_breaks_off_is_an_error() -> None:
    with pytest.raises(SourceLost):
        run_of(Script([b"a", "lost"], live=False), Notebook(), settings=RunSettings(realtime=False)).run()


def test_it_stops_at_the_count() -> None:
    notebook = Notebook()
    run_of(Script([b"a", b"b", b"c", "end"]), notebook, settings=RunSettings(count=2)).run()
    assert notebook.published == [(0, b"a"), (0, b"b")]


def test_stopping_ends_the_wait_for_a_source_that_is_away() -> None:
    run = run_of(Script(["lost"]), Notebook())
    run.stop.set()
    run.run()
    assert run.reconnects == 0


def test_frames_above_the_limit_are_skipped_and_counted() -> None:
    notebook = Notebook()
    run_of(Script([b"a", b"b", b"c", "end"]), notebook, settings=RunSettings(fps=0.01)).run()
    assert notebook.published == [(0, b"a")]
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
