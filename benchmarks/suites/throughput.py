"""`throughput`: decode, blur, encode; against no Kafka, a hand-written loop, Quix Streams and a plain agent."""

from dataclasses import replace

from benchmarks.bench import Bench
from benchmarks.figures import paired_difference
from benchmarks.outputs import Outputs
from benchmarks.race import Entrant, race
from benchmarks.section import Section, Target
from benchmarks.suites import rows

LIMIT, HAND, OURS, PLAIN = "in-process limit (no Kafka)", "hand-written loop", "Framelane", "plain Faust agent"
QUIX = "Quix Streams"
QUIX_OPENCV, QUIXES = f"{QUIX}, OpenCV's threads on", f"{QUIX}, several processes"


def run(bench: Bench) -> Section:
    """Race all contenders for the same frames."""
    with bench.preloaded() as given:
        job = bench.new_job(given)
        outputs = Outputs(job)
        contenders = {
            LIMIT: ("in_process", job),
            HAND: ("hand_written", job),
            OURS: ("ours", job),
            QUIX: ("quix", job),
            QUIX_OPENCV: ("quix", replace(job, opencv_threads=job.threads)),
            QUIXES: ("quix", replace(job, processes=job.threads)),
            PLAIN: ("plain_agent", job),
        }
        entrants = [
            Entrant(label=label, contender=name, given=given, job=each, outputs=outputs)
            for label, (name, each) in contenders.items()
        ]
        found = race(bench, entrants, title="throughput")
    more = paired_difference([each.cpu_ms for each in found[OURS]], [each.cpu_ms for each in found[HAND]]).median
    width, height = given.size
    return Section(
        name="throughput",
        title=f"Throughput: decode, blur 5x5, encode at {width}x{height}",
        header=rows.HEADER,
        rows=rows.rows(found),
        targets=(
            Target("frames/s, Framelane by hand-written loop", rows.fps_ratio(found, OURS, HAND), ">=", 0.95),
            Target("CPU a frame, Framelane more than hand-written loop", more, "<=", 0.6, " ms"),
            Target("frames/s, Framelane by Quix Streams", rows.fps_ratio(found, OURS, QUIX), ">=", 1.5),
            Target("frames/s, Framelane by plain agent", rows.fps_ratio(found, OURS, PLAIN), ">=", 1.7),
            Target("frames/s, Framelane by in-process limit", rows.fps_ratio(found, OURS, LIMIT), ">=", 0.75),
        ),
        notes=(
            f"Each of {bench.settings.rounds} rounds ran every contender once over the same {given.frames} frames of "
            f"{bench.settings.cameras} cameras on {given.partitions} partitions, with {job.threads} threads, linger "
            f"{job.linger_ms:g} ms and fetches of {job.fetch_bytes // 2**20} MiB a partition, in turns that moved on. "
            "Medians, with smallest and largest in brackets; ratios are medians of those within a round. "
            "Broker and worker share the processors.",
            "OpenCV's own threads are off for all but one. Framelane by Quix Streams with them on: "
            f"{rows.fps_ratio(found, OURS, QUIX_OPENCV):.2f} x the frames/s; with {job.threads} processes: "
            f"{rows.fps_ratio(found, OURS, QUIXES):.2f} x.",
            "The pixels of every 25th frame were the same for all, and no frame was missing.",
        ),
        bars=rows.bars(found),
        data=rows.data(found),
    )
