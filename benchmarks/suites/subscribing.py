"""`subscribing`: how fast frames are read, by `subscribe()` and by a hand-written loop."""

from collections.abc import Mapping, Sequence

from benchmarks.bench import Bench, Input
from benchmarks.contenders.timed_reading import SAID
from benchmarks.figures import Sample, turns
from benchmarks.processes import Contender
from benchmarks.section import Section, Target
from benchmarks.suites import rows

_SIZES = ((1920, 1080), (1280, 720), (320, 180))
_OURS, _THEIRS = "subscribe()", "hand-written loop"
_CONTENDERS = {_OURS: "subscribing", _THEIRS: "read_by_hand"}
# Reading is faster than all else that is measured: so many times the frames of a round.
_MORE = 8
Found = Mapping[tuple[str, str], Sequence[Sample]]


def run(bench: Bench) -> Section:
    """Each reads the whole topic in a new group, in turn, at three sizes of the frames; nothing is decoded."""
    found: dict[tuple[str, str], list[Sample]] = {}
    for size in _SIZES:
        title = f"{size[0]}x{size[1]}"
        with bench.preloaded(size=size, frames=_MORE * bench.settings.frames) as given:
            for number, label in turns(list(_CONTENDERS), bench.settings.rounds):
                sample = _run_once(bench, given, _CONTENDERS[label])
                found.setdefault((title, label), []).append(sample)
                bench.say(f"subscribing {number + 1}/{bench.settings.rounds}  {title}, {label}: {sample.fps:.0f}/s")
    titles = [f"{width}x{height}" for width, height in _SIZES]
    return section({(title, label): found[title, label] for title in titles for label in _CONTENDERS})


def section(found: Found) -> Section:
    """The table, and how fast `subscribe()` is beside the loop; samples by size and way, one a round."""
    labelled = {f"{title}: {label}": samples for (title, label), samples in found.items()}
    return Section(
        name="subscribing",
        title="Subscribing: frames read from a topic, without decoding them",
        header=rows.HEADER,
        rows=rows.rows(labelled),
        targets=[
            Target(f"{title}: frames/s of {_OURS} by those of the loop", _ratio(labelled, title), ">=", 0.9)
            for title in dict.fromkeys(title for title, _ in found)
        ],
        notes=(
            "Both are alone in a new group, and read the topic from its beginning. The loop takes key, value and "
            "headers of each message and stores its offset; subscribe() also reads and checks the headers and the "
            "image's size, drops what was seen, counts what is missing, and writes what may come again after a kill.",
        ),
        bars=rows.bars(labelled),
        data=rows.data(labelled),
    )


def _ratio(labelled: Mapping[str, Sequence[Sample]], title: str) -> float:
    return rows.fps_ratio(labelled, f"{title}: {_OURS}", f"{title}: {_THEIRS}")


def _run_once(bench: Bench, given: Input, contender: str) -> Sample:
    with bench.job(bench.new_job(given), partitions=1) as job:
        before_s = bench.broker_cpu_s()
        with Contender(contender, job) as running:
            fps, cpu_ms = running.wait_for(SAID, timeout_s=120.0).split()
            after_s = bench.broker_cpu_s()
    used = None if before_s is None or after_s is None else 1000 * (after_s - before_s) / given.frames
    return Sample(fps=float(fps), cpu_ms=float(cpu_ms), broker_cpu_ms=used)
