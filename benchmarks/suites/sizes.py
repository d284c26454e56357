"""`sizes`: frames from small to large."""

from benchmarks.bench import Bench
from benchmarks.figures import Sample
from benchmarks.section import Section
from benchmarks.suites import rows
from benchmarks.suites.beside_hand import race_both

_SIZES = ((640, 360), (1280, 720), (1920, 1080), (3840, 2160))
_USUAL_PIXELS = 1280 * 720
_LEAST = 200


def run(bench: Bench) -> Section:
    """Race ours against the hand-written loop at each size, with frames for about as long."""
    found: dict[str, list[Sample]] = {}
    for size in _SIZES:
        frames = max(_LEAST, bench.settings.frames * _USUAL_PIXELS // (size[0] * size[1]))
        with bench.preloaded(size=size, frames=frames) as given:
            found |= race_both(bench, given, f"{size[0]}x{size[1]}")
    return Section(
        name="sizes",
        title="Sizes: 640x360 to 3840x2160",
        header=rows.HEADER,
        rows=rows.rows(found),
        bars=rows.bars(found),
        data=rows.data(found),
    )
