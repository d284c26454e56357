"""The report: one page that needs nothing else, and runs nothing."""

import base64
import math
from collections.abc import Iterator, Sequence
from hashlib import sha256

from framelane.diff.asked import LETTERS, Asked
from framelane.diff.found_events import Found
from framelane.diff.markup import Markup, element, joined
from framelane.diff.outcome import KINDS, CameraOutcome, Outcome
from framelane.diff.shown import GAIN, Shown
from framelane.diff.style import CSS
from framelane.diff.timeline import legend, timeline
from framelane.diff.words import DIFFERING, HEADS, decibels, described, moment, remarks, row, stretches, total, verdict
from streams.contract.identity import frame_name

_MOST_STRETCHES = 20
_MOST_EVENTS = 6
_LONGEST_EVENT = 300
_PICTURES = ("A", "B", f"difference, {GAIN} times as strong")


def report(asked: Asked, outcome: Outcome, shown: Sequence[Shown], *, made: str) -> str:
    """The page. made: when, and by what, in words."""
    title = f"framelane diff: {outcome.sides[0].topic} and {outcome.sides[1].topic}"
    state = "differs" if outcome.differs or outcome.empty else "same"
    facts = [joined(element("dt", name), element("dd", told)) for name, told in described(asked, outcome).items()]
    head = element(
        "header",
        element("h1", title),
        element("p", verdict(outcome), class_=f"verdict {state}"),
        element("dl", *facts),
        *(element("p", remark, class_="dim") for remark in remarks(outcome, asked)),
    )
    main = element("main", *_tables(outcome), *_timelines(outcome), *_pairs(shown), id="content")
    body = element("body", element("a", "To the figures", href="#content", class_="skip"), head, main, _footer(made))
    page = element("html", _head(title), body, lang="en")
    return f"<!doctype html>\n{page}\n"


def _head(title: str) -> Markup:
    # Whatever a topic's records hold: a browser is told to run nothing, and to ask nobody for anything.
    styles = base64.b64encode(sha256(CSS.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{styles}'; base-uri 'none'; form-action 'none'"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        # Or it would be asked for.
        element("link", rel="icon", href="data:,"),
        element("title", title),
        element("style", Markup(CSS)),
    )


def _footer(made: str) -> Markup:
    return element("footer", element("p", f"A is what B is held against. PSNR: of the pixels, in colour. Made {made}."))


def _tables(outcome: Outcome) -> Iterator[Markup]:
    yield element("h2", "Cameras", id="cameras")
    heads = element("tr", *(element("th", name, scope="col") for name in HEADS))
    rows = [_row(name, camera, f"#camera-{number}") for number, (name, camera) in enumerate(outcome.in_order())]
    if len(rows) > 1:
        rows.append(_row("all", total(outcome), None))
    table = element("table", element("thead", heads), element("tbody", *rows))
    yield _scrolling(table, "Figures of each camera")


def _row(name: str, camera: CameraOutcome, link: str | None) -> Markup:
    first, *figures = row(name, camera)
    cells = [element("th", element("a", first, href=link) if link else first, scope="row")]
    for place, figure in enumerate(figures, 1):
        kind = DIFFERING.get(place)
        cells.append(element("td", figure, class_="differs" if kind and camera.count(kind) else None))
    return element("tr", *cells)


def _timelines(outcome: Outcome) -> Iterator[Markup]:
    yield element("h2", "Timelines")
    yield element("p", "By the time of capture, in UTC; the bars are frames of either side.", class_="dim")
    yield legend()
    for number, (name, camera) in enumerate(outcome.in_order()):
        yield element("h3", name, id=f"camera-{number}")
        yield _scrolling(timeline(name, camera, number=number), f"Timeline of {name}")
        for kind, told in KINDS.items():
            if camera.count(kind):
                yield element("p", _listed(told, stretches(camera.marks[kind])), class_="dim")


def _listed(told: str, names: Sequence[str]) -> Markup:
    more = f", and {len(names) - _MOST_STRETCHES} more stretches" if len(names) > _MOST_STRETCHES else ""
    return joined(f"{told}: ", element("code", ", ".join(names[:_MOST_STRETCHES])), more)


def _scrolling(inner: Markup, name: str) -> Markup:
    # With a stop for the keyboard, for on a phone's width it has to be scrolled.
    return element("div", inner, class_="scroll", role="region", tabindex=0, aria_label=name)


def _pairs(shown: Sequence[Shown]) -> Iterator[Markup]:
    if not shown:
        return
    yield element("h2", "The worst")
    yield element(
        "p",
        "The pictures that are least alike, then the frames of which most events differ; what was found is drawn on.",
        class_="dim",
    )
    for pair in shown:
        yield _pair(pair)


def _pair(pair: Shown) -> Markup:
    name = frame_name(*pair.key)
    figures = []
    for label, data in zip(_PICTURES, (*pair.pictures, pair.difference), strict=True):
        if data is None:
            continue
        address = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
        image = element("img", src=address, alt=f"{name}: {label}")
        figures.append(element("figure", image, element("figcaption", label)))
    lines = [
        element("li", f"only in {letter}: ", element("code", _event(found)))
        for letter, each in zip(LETTERS, pair.only, strict=True)
        for found in each[:_MOST_EVENTS]
    ]
    more = sum(max(0, len(each) - _MOST_EVENTS) for each in pair.only)
    lines += [element("li", f"and {more} more")] * bool(more)
    return element(
        "section",
        element("h3", name),
        element("p", f"{moment(pair.captured_at_ns)}; {_told(pair)}", class_="dim"),
        element("div", *figures, class_="pictures-of"),
        element("ul", *lines, class_="only") if lines else "",
        class_="pair",
        aria_label=name,
    )


def _told(pair: Shown) -> str:
    if pair.likeness is None:
        picture = "pictures were not compared"
    elif pair.likeness.psnr is None:
        picture = pair.likeness.note
    else:
        picture = "the same picture" if pair.likeness.psnr == math.inf else f"PSNR {decibels(pair.likeness.psnr)}"
    changed = sum(map(len, pair.only))
    return f"{picture}; {changed} event{'s' * (changed != 1)} on one side only" if changed else picture


def _event(found: Found) -> str:
    text = f"{found.type} {found.data.decode(errors='replace')}"
    return text if len(text) <= _LONGEST_EVENT else f"{text[:_LONGEST_EVENT]}..."
