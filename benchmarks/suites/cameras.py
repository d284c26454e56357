"""`cameras`: what more cameras cost when they bring no more frames."""

from contextlib import ExitStack

from benchmarks.bench import Bench
from benchmarks.outputs import Outputs
from benchmarks.race import Entrant, race
from benchmarks.section import Section, Target
from benchmarks.suites import rows

_COUNTS = (8, 64, 512)


def run(bench: Bench) -> Section:
    """Race ours against itself over as many frames of 8, 64 and 512 cameras."""
    with ExitStack() as stack:
        entrants = []
        for count in _COUNTS:
            given = stack.enter_context(bench.preloaded(cameras=count))
            job = bench.new_job(given)
            label = f"Framelane, {count} cameras"
            entrants.append(Entrant(label=label, contender="ours", given=given, job=job, outputs=Outputs(job)))
        found = race(bench, entrants, title="cameras")
    first = entrants[0].label
    return Section(
        name="cameras",
        title="Cameras: the same frames of 8, 64 and 512",
        header=rows.HEADER,
        rows=rows.rows(found),
        targets=[
            Target(f"frames/s, {each.label} by 8", rows.fps_ratio(found, each.label, first), ">=", 0.9)
            for each in entrants[1:]
        ],
        bars=rows.bars(found),
        data=rows.data(found),
    )
