"""`viewing`: the live view in Chromium: how many of the frames are drawn, how old they are then, and what it costs."""

import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.bench import Bench
from benchmarks.feed import Feed
from benchmarks.figures import percentile, spread, turns
from benchmarks.job import Job
from benchmarks.page import Chromium, chromium_page
from benchmarks.processes import Contender
from benchmarks.section import Bar, Section, Target
from streams.contract.errors import FramelaneError

_WARM_UP_S, _MEASURE_S = 5.0, 30.0
# Pictures as wide in the page; windows, (width, height) in pixels by columns, that hold them all.
_TILE = 320
_WINDOWS = {4: (1336, 1300), 8: (2656, 2300)}
_LEAST_DRAWN, _MOST_P95_MS = 0.9, 500.0


@dataclass(frozen=True, slots=True)
class Wall:
    """What is shown. size: (width, height) of the frames in pixels. wanted: whether the figures are a target."""

    cameras: int
    fps: float
    size: tuple[int, int]
    columns: int
    wanted: bool = True

    def __str__(self) -> str:
        return f"{self.cameras} cameras x {self.fps:g} fps, {self.size[0]}x{self.size[1]}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a page has seen. drawn: by those offered. Ages in ms when drawn. server, browser: processors used."""

    offered_per_s: float
    drawn: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    server: float
    browser: float


_WALLS = (
    Wall(64, 5, (320, 180), 8),
    Wall(16, 15, (320, 180), 4),
    Wall(16, 5, (1280, 720), 4, wanted=False),
)
_COUNTS = """(({drawn, ages}) => [Object.values(drawn).reduce((sum, each) => sum + each, 0), ages.length])(
  globalThis.framelaneFigures
)"""
_WIDTHS = "[...document.querySelectorAll('.processed canvas')].map((canvas) => canvas.clientWidth)"


def run(bench: Bench) -> Section:
    """Each wall in turn, for half a minute after it has warmed up; every round shows all of them."""
    found: dict[Wall, list[Seen]] = {wall: [] for wall in _WALLS}
    for number, wall in turns(_WALLS, bench.settings.rounds):
        seen = _look(bench, wall)
        found[wall].append(seen)
        bench.say(
            f"viewing {number + 1}/{bench.settings.rounds}  {wall}: {seen.drawn:.1%} of {seen.offered_per_s:.0f}/s "
            f"drawn, age p95 {seen.p95_ms:.0f} ms, server {seen.server:.2f}, Chromium {seen.browser:.2f} processors"
        )
    return section(found)


def section(found: dict[Wall, list[Seen]]) -> Section:
    """The table and the targets; what was seen by wall, one a round."""
    return Section(
        name="viewing",
        title="Viewing: the live view's wall of cameras in Chromium without a window",
        header=("wall", "drawn of offered", "age p50 ms", "age p95 ms", "age p99 ms", "server", "Chromium"),
        rows=[_row(wall, rounds) for wall, rounds in found.items()],
        targets=[target for wall, rounds in found.items() if wall.wanted for target in _targets(wall, rounds)],
        notes=(
            f"Frames are published to the processed topic at a pace, and drawn 320 pixels wide; {_MEASURE_S:g} s are "
            "measured, in the page. The age is from capture to drawing. Server and Chromium: processors used, 1 is "
            "one of them; publisher, broker and driver share the machine with them. Frames of 1280x720 are scaled "
            "down by the server.",
        ),
        unit="ms, age p95",
        bars=[
            Bar(str(wall), across.median, across.low, across.high)
            for wall, rounds in found.items()
            for across in (spread([seen.p95_ms for seen in rounds]),)
        ],
        data={str(wall): [asdict(seen) for seen in rounds] for wall, rounds in found.items()},
    )


def _row(wall: Wall, rounds: Sequence[Seen]) -> tuple[str, ...]:
    ages = (f"{spread([getattr(seen, name) for seen in rounds]):.0f}" for name in ("p50_ms", "p95_ms", "p99_ms"))
    used = (f"{spread([getattr(seen, name) for seen in rounds]):.2f}" for name in ("server", "browser"))
    return str(wall), f"{spread([seen.drawn for seen in rounds]):.1%}", *ages, *used


def _targets(wall: Wall, rounds: Sequence[Seen]) -> list[Target]:
    drawn, p95_ms = (spread([getattr(seen, name) for seen in rounds]).median for name in ("drawn", "p95_ms"))
    return [
        Target(f"{wall}: drawn of offered", drawn, ">=", _LEAST_DRAWN),
        Target(f"{wall}: age at drawing, p95", p95_ms, "<=", _MOST_P95_MS, " ms"),
    ]


def _look(bench: Bench, wall: Wall) -> Seen:
    partitions, end = bench.settings.partitions, threading.Event()
    feed = bench.feed(cameras=wall.cameras, partitions=partitions, size=wall.size)
    with bench.topic("raw", partitions=1) as raw, bench.topic("status", partitions=1) as status:
        model = Job(bootstrap=bench.kafka.bootstrap, input=raw, extra=(("status", status),))
        with bench.job(model, partitions=partitions) as job, Contender("view", job) as server:
            address = server.wait_for("address ")
            pace = {"fps": wall.cameras * wall.fps, "go_on": lambda: not end.is_set()}
            sender = threading.Thread(target=feed.paced, args=(job.output,), kwargs=pace)
            sender.start()
            try:
                with chromium_page(address, size=_WINDOWS[wall.columns]) as browser:
                    _wait_for_all(browser, wall)
                    return _measure(browser, server, feed)
            finally:
                end.set()
                sender.join()


def _wait_for_all(browser: Chromium, wall: Wall) -> None:
    """Every camera is drawn, as wide as it is said, and the page is warm."""
    browser.wait_for(f"Object.keys(globalThis.framelaneFigures.drawn).length === {wall.cameras}")
    widths = browser.evaluate(_WIDTHS)
    if not all(abs(width - _TILE) < 4 for width in widths):
        raise FramelaneError(f"the pictures are {min(widths)} to {max(widths)} pixels wide, not {_TILE}")
    time.sleep(_WARM_UP_S)


def _measure(browser: Chromium, server: Contender, feed: Feed) -> Seen:
    """What happens within the time measured. Frames on their way at its beginning stand for those at its end."""
    began, sent, used = time.monotonic(), feed.sent, (server.cpu_s(), browser.cpu_s())
    drawn, ages = browser.evaluate(_COUNTS)
    time.sleep(_MEASURE_S)
    took_s, offered = time.monotonic() - began, feed.sent - sent
    now_drawn, _ = browser.evaluate(_COUNTS)
    after = server.cpu_s(), browser.cpu_s()
    seen: list[float] = browser.evaluate(f"globalThis.framelaneFigures.ages.slice({ages})") or [float("inf")]
    return Seen(
        offered_per_s=offered / took_s,
        drawn=(now_drawn - drawn) / offered,
        p50_ms=percentile(seen, 50),
        p95_ms=percentile(seen, 95),
        p99_ms=percentile(seen, 99),
        server=(after[0] - used[0]) / took_s,
        browser=(after[1] - used[1]) / took_s,
    )
