import random

import pytest

from framelane.latency import HopTimes, Latencies
from framelane.latency_chart import Axis, decade_text, duration_text, latency_chart
from streams.contract.frame import Frame

AT_NS = 1_778_311_800_000_000_000


def frame(camera: str = "gate-1", *, pipeline: str = "demo@1f3a", **hops_ms: float) -> Frame:
    """Captured at AT_NS; hops in ms after that."""
    hops = {name: AT_NS + round(ms * 1e6) for name, ms in hops_ms.items()}
    return Frame(
        camera_id=camera, epoch="e", sequence=0, captured_at_ns=AT_NS, width=8, height=8, pipeline=pipeline, hops=hops
    )


def latencies(*ms: float) -> Latencies:
    times = Latencies()
    for each in ms:
        times.add(each / 1000)
    return times


def test_quantiles_are_right_to_one_part_in_a_hundred() -> None:
    rng = random.Random(1)
    all_s = sorted(rng.lognormvariate(-4, 1.5) for _ in range(10_001))
    times = latencies(*(each * 1000 for each in all_s))
    for share in (0.01, 0.5, 0.95, 0.99):
        assert times.quantile(share) == pytest.approx(all_s[int(share * 10_000)], rel=0.015)
    assert times.quantile(1.0) == times.max_s == all_s[-1]


def test_nothing_has_no_quantile() -> None:
    assert latencies().quantile(0.5) is None
    assert latencies(-3.0).quantile(0.5) is None


def test_what_is_below_zero_is_counted_apart() -> None:
    times = latencies(10, 10, -5, -45)
    assert (times.count, times.negative, times.least_s) == (2, 2, -0.045)
    assert times.quantile(0.01) == pytest.approx(0.01, rel=0.012)


def test_counts_lie_between_their_edges_and_none_is_lost() -> None:
    times = latencies(0.5, 2, 20, 20, 200, 90_000_000_000)
    assert times.counts([0.001, 0.01, 0.1, 1.0]) == [2, 2, 2]


def test_a_live_frame_passes_every_hop() -> None:
    times = HopTimes(live=True)
    times.add(frame(received=4, started=5, processed=12), read_ns=AT_NS + 15_000_000)
    expected = {
        "captured -> received": 4,
        "received -> started": 1,
        "started -> processed": 7,
        "processed -> read": 3,
        "captured -> processed": 12,
        "captured -> read": 15,
    }
    assert {hop.name: round(hop.times.max_s * 1000) for hop in times.shown()} == expected


def test_of_the_past_the_moment_of_reading_tells_nothing() -> None:
    times = HopTimes(live=False)
    times.add(frame(received=4, started=5, processed=12), read_ns=AT_NS + 10**12)
    times.add(frame("raw", pipeline=""), read_ns=AT_NS)
    assert [hop.name for hop in times.shown()][-1] == "captured -> processed"
    assert (times.frames, times.cameras) == (2, 1)


def test_the_worst_cameras_come_first() -> None:
    times = HopTimes(live=False)
    for number in range(20):
        times.add(frame(f"gate-{number}", received=1, started=1, processed=10 + number), read_ns=0)
    times.add(frame("gate-3", pipeline="other@1", received=1, started=1, processed=99), read_ns=0)
    worst = [(pipeline, camera) for pipeline, camera, _ in times.worst_cameras(3)]
    assert worst == [("other@1", "gate-3"), ("demo@1f3a", "gate-19"), ("demo@1f3a", "gate-18")]
    assert list(times.by_pipeline) == ["demo@1f3a", "other@1"]


def test_the_axis_holds_all_in_whole_decades() -> None:
    assert Axis.over([latencies(2.5, 30), latencies(800)]) == Axis(-3, 0)
    assert Axis.over([latencies(5)]) == Axis(-4, -2)
    assert Axis.over([latencies()]).place(0) == 0


def test_a_taller_bar_means_more_frames() -> None:
    times = HopTimes(live=False)
    for ms in (*[10.0] * 9, *[100.5] * 3):
        times.add(frame(received=ms, started=ms + 0.1, processed=ms + 1), read_ns=0)
    chart = latency_chart(times.shown()[:1], title="t", subtitle="s")
    bars = (chart == (196, 148, 82)).all(axis=2).sum(axis=0)
    # The highest has the line of the median in it; 82 pixels, and a third of that.
    assert sorted(set(bars.tolist())) == [0, 27, 82]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.000042, "0.04 ms"),
        (0.01734, "17.3 ms"),
        (0.9996, "1.00 s"),
        (1.25, "1.25 s"),
        (720.0, "12.0 min"),
    ],
)
def test_lengths_are_short(seconds: float | None, text: str) -> None:
    assert duration_text(seconds) == text


def test_decades_have_their_units() -> None:
    assert [decade_text(each) for each in (-5, -4, -3, -1, 0, 2)] == [
        "10 µs",
        "0.1 ms",
        "1 ms",
        "100 ms",
        "1 s",
        "100 s",
    ]
