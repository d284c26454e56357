"""A camera's timeline: when frames were captured, and when those were that differ."""

from bisect import bisect_right
from collections.abc import Callable, Sequence

from framelane.diff.markup import Markup, element
from framelane.diff.outcome import CameraOutcome, Mark
from streams.contract.headers import rfc3339

_LEFT, _WIDTH, _RIGHT = 104, 720, 16
_BARS, _LANE, _AXIS = 30, 22, 26
# As many marks at the most lie side by side; what falls into one is counted.
BINS = 120
_TICKS = 4
# Seconds between ticks, of which the smallest is taken that leaves few of them.
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)

Shape = Callable[[float, float], Markup]
_LANES = ("missing", "extra", "pictures", "events")
_MEANING = {
    "missing": "missing: in A, not in B",
    "extra": "extra: in B, not in A",
    "pictures": "picture changed",
    "events": "events changed",
}


def timeline(camera_id: str, camera: CameraOutcome, *, number: int) -> Markup:
    """The drawing, as SVG with its name and what it says in words. number: of it on the page."""
    times = sorted(camera.times_ns)
    first, last = (times[0], times[-1]) if times else (0, 0)
    lanes = [kind for kind in _LANES if camera.count(kind)]
    height = _BARS + len(lanes) * _LANE + _AXIS
    told = ", ".join(f"{camera.count(kind)} {kind}" for kind in _LANES)
    parts = [
        element("title", f"Timeline of {camera_id}", id=f"timeline-{number}"),
        element("desc", f"From {_moment(first)} to {_moment(last)} UTC: {told}.", id=f"timeline-{number}-told"),
        *_bars(times, first, last),
    ]
    for row, kind in enumerate(lanes):
        middle = _BARS + row * _LANE + _LANE / 2
        parts.append(element("text", kind, x=_LEFT - 8, y=middle + 4, class_="lane"))
        parts.append(element("line", x1=_LEFT, x2=_LEFT + _WIDTH, y1=middle, y2=middle, class_="rule"))
        parts += _marks(kind, camera.marks[kind], first, last, middle)
    parts += _axis(first, last, height - _AXIS)
    return element(
        "svg",
        *parts,
        viewBox=f"0 0 {_LEFT + _WIDTH + _RIGHT} {height}",
        role="img",
        aria_labelledby=f"timeline-{number} timeline-{number}-told",
        class_="timeline",
    )


def ticks(first_ns: int, last_ns: int) -> list[int]:
    """Round times between the two, ns since 1970; a few, or one where they are the same."""
    span_s = (last_ns - first_ns) / 1e9
    step_s = next((step for step in _STEPS_S if span_s / step <= _TICKS), _STEPS_S[-1])
    while span_s / step_s > _TICKS:
        step_s *= 2
    step = round(step_s * 1e9)
    found = list(range(-(-first_ns // step) * step, last_ns + 1, step))
    return found or [first_ns]


def _bin(at_ns: int, first: int, last: int) -> int:
    return min(BINS - 1, (at_ns - first) * BINS // max(1, last - first))


def _middle(number: int) -> float:
    return _LEFT + (number + 0.5) * _WIDTH / BINS


def _bars(times: Sequence[int], first: int, last: int) -> list[Markup]:
    """How many frames were captured, as bars that are as high as there are many."""
    counts = [0] * BINS
    for at_ns in times:
        counts[_bin(at_ns, first, last)] += 1
    most = max(counts, default=0)
    bars = [element("text", "frames", x=_LEFT - 8, y=_BARS - 6, class_="lane")]
    wide = _WIDTH / BINS
    for number, count in enumerate(counts):
        if count:
            tall = max(2.0, count / most * (_BARS - 6))
            bars.append(
                element(
                    "rect",
                    x=_short(_LEFT + number * wide),
                    y=_short(_BARS - tall),
                    width=_short(wide - 0.5),
                    height=_short(tall),
                    class_="bar",
                )
            )
    return bars


def _marks(kind: str, marks: Sequence[Mark], first: int, last: int, y: float) -> list[Markup]:
    """One shape for all that lie together, with what it stands for as its tip."""
    starts = sorted(marks, key=lambda mark: mark.at_ns)
    bins = [_bin(mark.at_ns, first, last) for mark in starts]
    drawn = []
    done = 0
    while done < len(starts):
        end = bisect_right(bins, bins[done], done)
        count, began, ended = end - done, starts[done].at_ns, starts[end - 1].at_ns
        when = _moment(began) if began == ended else f"{_moment(began)} to {_moment(ended)}"
        shape = _SHAPES[kind](_middle(bins[done]), y)
        drawn.append(element("g", element("title", f"{kind}: {count}, {when}"), shape, class_=kind))
        done = end
    return drawn


def _axis(first: int, last: int, y: float) -> list[Markup]:
    parts = [element("line", x1=_LEFT, x2=_LEFT + _WIDTH, y1=y + 4, y2=y + 4, class_="axis")]
    wanted = ticks(first, last)
    with_millis = len(wanted) > 1 and wanted[1] - wanted[0] < 1_000_000_000
    for at_ns in wanted:
        x = _short(_LEFT + (at_ns - first) / max(1, last - first) * _WIDTH)
        text = rfc3339(at_ns)[11 : 21 if with_millis else 19]
        parts.append(element("line", x1=x, x2=x, y1=y + 4, y2=y + 9, class_="axis"))
        parts.append(element("text", text, x=x, y=y + 21, class_="tick"))
    return parts


def _moment(at_ns: int) -> str:
    return rfc3339(at_ns)[:23].replace("T", " ")


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _polygon(*points: tuple[float, float]) -> Markup:
    return element("polygon", points=" ".join(f"{_short(x)},{_short(y)}" for x, y in points))


def _down(x: float, y: float) -> Markup:
    return _polygon((x - 5, y - 5), (x + 5, y - 5), (x, y + 5))


def _up(x: float, y: float) -> Markup:
    return _polygon((x - 5, y + 5), (x + 5, y + 5), (x, y - 5))


def _square(x: float, y: float) -> Markup:
    return element("rect", x=_short(x - 4), y=_short(y - 4), width=8, height=8)


def _diamond(x: float, y: float) -> Markup:
    return _polygon((x, y - 6), (x + 6, y), (x, y + 6), (x - 6, y))


_SHAPES: dict[str, Shape] = {"missing": _down, "extra": _up, "pictures": _square, "events": _diamond}


def legend() -> Markup:
    """What the shapes stand for, as a list."""
    entries = []
    for kind in _LANES:
        icon = element("svg", element("g", _SHAPES[kind](8, 8), class_=kind), viewBox="0 0 16 16", aria_hidden="true")
        entries.append(element("li", icon, f" {_MEANING[kind]}"))
    return element("ul", *entries, class_="legend")
