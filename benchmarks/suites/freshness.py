"""`freshness`: offered twice what it can do, one group stays fresh while another loses nothing."""

import time
from dataclasses import replace

from benchmarks.ages import AgeReader
from benchmarks.bench import Bench
from benchmarks.figures import percentile
from benchmarks.job import Job
from benchmarks.outputs import Outputs
from benchmarks.processes import Contender
from benchmarks.race import Entrant, run_once
from benchmarks.section import Bar, Section, Target

# Slow enough that feeding twice as many frames costs little beside it.
_OPERATORS = '{ op = "denoise" }, { op = "blur", kernel = 31 }'
_OFFER_S, _SETTLE_S, _STILL_S = 20.0, 5.0, 60.0
_CALIBRATION_FRAMES = 200


def run(bench: Bench) -> Section:
    """Two groups on one topic that gets twice what one worker alone can do: `freshest` and `every_frame`."""
    partitions = bench.settings.partitions
    fps = 2 * _capacity(bench)
    bench.say(f"freshness: offering {fps:.0f} frames/s for {_OFFER_S:g} s, twice what a worker alone can do")
    with bench.topic("live", partitions=partitions) as topic:
        model = Job(
            bootstrap=bench.kafka.bootstrap,
            input=topic,
            threads=bench.settings.threads,
            extra=(("operators", _OPERATORS),),
        )
        fresh = replace(model, extra=(*model.extra, ("freshness", "freshest")))
        with (
            bench.job(fresh, partitions=partitions) as fresh_job,
            bench.job(model, partitions=partitions) as every_job,
            Contender("ours", fresh_job) as freshest,
            Contender("ours", every_job) as every,
            AgeReader(model.bootstrap, fresh_job.output, partitions=partitions) as fresh_reader,
            AgeReader(model.bootstrap, every_job.output, partitions=partitions) as every_reader,
        ):
            sent, settled_ns = _offer(bench, topic, fps=fps, workers=(freshest, every), reader=fresh_reader)
            _drain(every, every_reader, wanted=sent)
            end_ns = time.time_ns()
            ages = fresh_reader.between(settled_ns, end_ns)
            all_ages = every_reader.between(settled_ns, end_ns)
            lost = sent - len(every_reader.names)
            skipped = sent - len(fresh_reader.names)
    return _section(fps, sent, ages=ages, every=all_ages, lost=lost, skipped=skipped)


def _capacity(bench: Bench) -> float:
    with bench.preloaded(frames=_CALIBRATION_FRAMES) as given:
        plain = bench.new_job(given)
        job = replace(plain, extra=(("operators", _OPERATORS),))
        entrant = Entrant(label="capacity", contender="ours", given=given, job=job, outputs=Outputs(plain), exact=False)
        return run_once(bench, entrant).fps


def _offer(
    bench: Bench, topic: str, *, fps: float, workers: tuple[Contender, ...], reader: AgeReader
) -> tuple[int, int]:
    """Send for some seconds once the worker is there; how many frames, and from when on (ns) all had settled."""
    feed = bench.feed(cameras=bench.settings.cameras, partitions=bench.settings.partitions)
    feed.preload(topic, bench.settings.cameras)
    reader.wait_until(0, worker=workers[0], timeout_s=_STILL_S)
    settled_ns, end = time.time_ns() + int(_SETTLE_S * 1e9), time.monotonic() + _OFFER_S
    feed.paced(topic, fps=fps, go_on=lambda: time.monotonic() < end)
    for worker in workers:
        worker.check()
    return feed.delivered, settled_ns


def _drain(worker: Contender, reader: AgeReader, *, wanted: int) -> None:
    """Wait until every frame has come, or none for a minute."""
    last, since = -1, time.monotonic()
    while len(reader.names) < wanted and time.monotonic() - since < _STILL_S:
        worker.check()
        if len(reader.names) > last:
            last, since = len(reader.names), time.monotonic()
        time.sleep(0.2)


def _section(fps: float, sent: int, *, ages: list[float], every: list[float], lost: int, skipped: int) -> Section:
    def row(label: str, found: list[float], missing: int) -> tuple[str, ...]:
        p50, p99 = percentile(found, 50), percentile(found, 99)
        return (f"Framelane, {label}", f"{p50:.0f}", f"{p99:.0f}", str(sent), str(sent - missing), str(missing))

    p99 = percentile(ages, 99)
    return Section(
        name="freshness",
        title=f"Freshness: {fps:.0f} frames/s offered, twice what a worker alone can do, to two groups at once",
        header=("pipeline", "age p50 ms", "age p99 ms", "sent", "out", "not out"),
        rows=[row("freshest", ages, skipped), row("every_frame", every, lost)],
        targets=(
            Target("age p99 of freshest", p99, "<=", 500, " ms"),
            Target("frames that every_frame lost", float(lost), "<=", 0),
        ),
        notes=("Both workers share the processors, so each can do less than half of what is offered.",),
        unit="age p99, ms",
        bars=[Bar("Framelane, freshest", p99, p99, p99)],
        data={"offered_fps": fps, "sent": sent, "lost": lost, "skipped": skipped, "freshest_ages_ms": ages},
    )
