"""`partitions`: one, a few, many."""

from benchmarks.bench import Bench
from benchmarks.figures import Sample
from benchmarks.section import Section
from benchmarks.suites import rows
from benchmarks.suites.beside_hand import race_both

_COUNTS = (1, 4, 24)
_CAMERAS = 24


def run(bench: Bench) -> Section:
    """Race ours against the hand-written loop over the same cameras on 1, 4 and 24 partitions."""
    found: dict[str, list[Sample]] = {}
    for count in _COUNTS:
        with bench.preloaded(cameras=_CAMERAS, partitions=count) as given:
            found |= race_both(bench, given, f"{count} partition{'s' if count > 1 else ''}")
    return Section(
        name="partitions",
        title=f"Partitions: {_CAMERAS} cameras on 1, 4 and 24",
        header=rows.HEADER,
        rows=rows.rows(found),
        bars=rows.bars(found),
        data=rows.data(found),
    )
