"""`sweep`: how the hand-written loop is tuned: each setting varied by itself, around what all contenders use."""

from dataclasses import replace

from benchmarks.bench import Bench
from benchmarks.outputs import Outputs
from benchmarks.race import Entrant, race
from benchmarks.section import Section
from benchmarks.suites import rows
from streams.contract.topics import MIB


def run(bench: Bench) -> Section:
    """Race the hand-written loop against itself under other settings."""
    with bench.preloaded() as given:
        job = bench.new_job(given)
        outputs = Outputs(job)
        jobs = {"as it is": job}
        jobs |= {f"in flight {count}": replace(job, in_flight=count) for count in (4, 8, 32, 64)}
        jobs |= {f"linger {linger:g} ms": replace(job, linger_ms=linger) for linger in (1.0, 5.0)}
        jobs |= {f"batch {size // 1000} kB": replace(job, batch_bytes=size) for size in (100_000, 4_000_000)}
        jobs |= {f"fetch {size} MiB": replace(job, fetch_bytes=size * MIB) for size in (1, 2, 32)}
        jobs["one thread more"] = replace(job, threads=job.threads + 1)
        entrants = [
            Entrant(label=label, contender="hand_written", given=given, job=each, outputs=outputs)
            for label, each in jobs.items()
        ]
        found = race(bench, entrants, title="sweep")
    table = rows.rows(found)
    by_speed = sorted(table, key=lambda row: -rows.fps_ratio(found, row[0], "as it is"))
    return Section(
        name="sweep",
        title="The hand-written loop, one setting varied at a time",
        header=(*rows.HEADER, "by as it is"),
        rows=[(*row, f"{rows.fps_ratio(found, row[0], 'as it is'):.3f}") for row in by_speed],
        notes=(
            f"As it is: in flight {job.in_flight}, linger {job.linger_ms:g} ms, batch {job.batch_bytes // 1000} kB, "
            f"fetch {job.fetch_bytes // MIB} MiB a partition, {job.threads} threads.",
        ),
        data=rows.data(found),
    )
