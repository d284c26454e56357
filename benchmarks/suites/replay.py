"""`replay`: how fast the past is run again, beside a worker."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmarks.bench import Bench
from benchmarks.figures import Sample
from benchmarks.outputs import Outputs
from benchmarks.race import Entrant, race
from benchmarks.section import Section, Target
from benchmarks.suites import rows

WORKER, REPLAY, SHARED = "framelane work", "framelane replay", "framelane replay, several processes"


def run(bench: Bench) -> Section:
    """Race a worker, a replay, and one that processes of a thread each share, over the same frames."""
    with bench.preloaded() as given:
        job = bench.new_job(given)
        outputs = Outputs(job)
        contenders = {
            WORKER: ("ours", job),
            REPLAY: ("replay", job),
            SHARED: ("replay", replace(job, threads=1, processes=job.threads)),
        }
        entrants = [
            Entrant(label=label, contender=name, given=given, job=each, outputs=outputs, ends=name == "replay")
            for label, (name, each) in contenders.items()
        ]
        found = race(bench, entrants, title="replay")
    return section(found, size=given.size, frames=given.frames)


def section(found: Mapping[str, Sequence[Sample]], *, size: tuple[int, int], frames: int) -> Section:
    """The table, and how fast a replay is beside a worker; samples by label, one a round."""
    return Section(
        name="replay",
        title=f"Replay: {frames} frames of {size[0]}x{size[1]} run again, decode, blur 5x5, encode",
        header=rows.HEADER,
        rows=rows.rows(found),
        targets=[Target("frames/s, replay by worker", rows.fps_ratio(found, REPLAY, WORKER), ">=", 0.9)],
        notes=(
            "The worker begins at the topic's beginning, too. A replay publishes in transactions, of 500 frames of a "
            "partition or of a second's, and writes how far it is with them. The pixels of every 25th frame were the "
            "same for all, and no frame was missing.",
        ),
        bars=rows.bars(found),
        data=rows.data(found),
    )
