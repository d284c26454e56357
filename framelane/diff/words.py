"""What a comparison has come to, in words and as values."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from framelane.diff.asked import LETTERS, Asked
from framelane.diff.outcome import KINDS, CameraOutcome, Mark, Outcome, SideOutcome
from streams.contract.headers import rfc3339

HEADS = (
    "camera",
    "frames A",
    "frames B",
    "missing",
    "extra",
    "changed pictures",
    "mean PSNR",
    "lowest PSNR",
    "changed events",
    "events A",
    "events B",
)
# Which of them say that something differs, by their place.
DIFFERING = {3: "missing", 4: "extra", 5: "pictures", 8: "events"}


def row(name: str, camera: CameraOutcome) -> list[str]:
    """A camera's figures, as the table has them."""
    return [
        name,
        *(f"{count}" for count in camera.frames),
        with_letters(camera.count("missing"), camera.letters[1]),
        with_letters(camera.count("extra"), camera.letters[0]),
        f"{camera.count('pictures')}",
        decibels(camera.likenesses.mean),
        decibels(camera.likenesses.lowest),
        f"{camera.count('events')}",
        *(f"{count}" for count in camera.events),
    ]


def verdict(outcome: Outcome) -> str:
    """The whole in a sentence."""
    if outcome.empty:
        return "nothing to compare: neither side holds a frame or an event that is meant"
    frames = [sum(camera.frames[which] for camera in outcome.cameras.values()) for which in (0, 1)]
    size = f"{frames[0]} and {frames[1]} frames of {len(outcome.cameras)} camera{'s' * (len(outcome.cameras) != 1)}"
    if not outcome.differs:
        return f"the same: {size}"
    return f"different: {size}: {', '.join(f'{outcome.count(kind)} {_NAMES[kind]}' for kind in KINDS)}"


_NAMES = {"missing": "missing", "extra": "extra", "pictures": "changed pictures", "events": "with changed events"}
# As JSON has them, beside the counts of all frames and events.
_JSON_NAMES = {"missing": "missing", "extra": "extra", "pictures": "changed_pictures", "events": "changed_events"}


def remarks(outcome: Outcome, asked: Asked) -> list[str]:
    """What a reader has to know besides the figures."""
    found = list(outcome.notes)
    if not asked.frames:
        found.append("frames were not compared, as asked")
    if not asked.events:
        found.append("events were not compared, as asked")
    if asked.frames and asked.psnr == 0:
        found.append("pictures were not compared, as asked")
    elif asked.psnr < math.inf:
        alike = sum(camera.likenesses.alike for camera in outcome.cameras.values())
        found.append(f"{alike} pictures differ by so little that their PSNR is {asked.psnr:g} dB or more: the same")
    if recoded := sum(camera.likenesses.same for camera in outcome.cameras.values()):
        found.append(f"{recoded} pictures have other bytes, but the same pixels: the same")
    if untold := sum(camera.likenesses.untold for camera in outcome.cameras.values()):
        found.append(f"{untold} changed pictures have no PSNR: another size, or they cannot be decoded")
    if outcome.outside:
        found.append(f"{outcome.outside} frames lie outside the time that both sides have, and were left out")
    for letter, side in zip(LETTERS, outcome.sides, strict=True):
        parts = [f"{side.repeats} repeats, counted once"] * bool(side.repeats)
        parts += [f"{side.unlike} of them with other bytes than the first"] * bool(side.unlike)
        parts += [f"{side.others} of other pipelines, left out"] * bool(side.others)
        parts += [f"{count} refused ({reason})" for reason, count in sorted(side.refused.items())]
        if parts:
            found.append(f"{letter}: {', '.join(parts)}")
    return found


def described(asked: Asked, outcome: Outcome) -> dict[str, str]:
    """What was compared, by name."""
    found = {}
    for letter, side in zip(LETTERS, outcome.sides, strict=True):
        made = side.source.removeprefix("/pipelines/")
        by = "raw frames" if made == "/cameras" else f"by {made}" if made else ""
        events = f"events {side.events}" if side.events else ""
        told = ", ".join(part for part in (by, events) if part)
        found[letter] = (side.topic if asked.frames else "") + (f" ({told})" if told else "")
    if asked.cameras.globs:
        found["cameras"] = " ".join(asked.cameras.globs)
    if asked.since_ns is not None or asked.until_ns is not None:
        since = "the beginning" if asked.since_ns is None else moment(asked.since_ns)
        found["captured"] = f"{since} to {'the end' if asked.until_ns is None else moment(asked.until_ns)}"
    if asked.psnr < math.inf:
        found["pictures"] = f"the same from {asked.psnr:g} dB on" if asked.psnr else "not compared"
    return found


def stretches(marks: Sequence[Mark]) -> list[str]:
    """Frames in words: `EPOCH/FIRST-LAST (COUNT)` for each run of sequences, in order."""
    found = []
    for epoch, of_epoch in groupby(sorted((mark.key[1], mark.key[2]) for mark in marks), key=lambda name: name[0]):
        # What follows one upon the other is as far from its place in the list.
        for _, run in groupby(enumerate(sequence for _, sequence in of_epoch), key=lambda item: item[1] - item[0]):
            numbers = [number for _, number in run]
            last = f"-{numbers[-1]} ({len(numbers)})" if len(numbers) > 1 else ""
            found.append(f"{epoch}/{numbers[0]}{last}")
    return found


def values(asked: Asked, outcome: Outcome) -> dict[str, Any]:
    """The whole as values for JSON."""
    return {
        "differs": outcome.differs,
        "empty": outcome.empty,
        **{letter.lower(): _side(side) for letter, side in zip(LETTERS, outcome.sides, strict=True)},
        "psnr": None if asked.psnr == math.inf else asked.psnr,
        **{name: outcome.count(kind) for kind, name in _JSON_NAMES.items()},
        "outside": outcome.outside,
        "notes": remarks(outcome, asked),
        "cameras": {name: _camera(camera) for name, camera in outcome.in_order()},
    }


def _side(side: SideOutcome) -> dict[str, Any]:
    return {
        "topic": side.topic,
        "events_topic": side.events,
        "source": side.source,
        "repeats": side.repeats,
        "unlike_repeats": side.unlike,
        "others": side.others,
        "refused": dict(sorted(side.refused.items())),
    }


def _camera(camera: CameraOutcome) -> dict[str, Any]:
    likenesses = camera.likenesses
    return {
        "frames": camera.frames,
        "events": camera.events,
        **{name: camera.count(kind) for kind, name in _JSON_NAMES.items()},
        "same_pixels": likenesses.same,
        "alike": likenesses.alike,
        "no_psnr": likenesses.untold,
        "mean_psnr": _rounded(likenesses.mean),
        "lowest_psnr": _rounded(likenesses.lowest),
        "dead_letters": {
            letter.lower(): dict(sorted(each.items())) for letter, each in zip(LETTERS, camera.letters, strict=True)
        },
    }


def with_letters(count: int, letters: Mapping[str, int]) -> str:
    """A count, and how many of those are dead letters, by reason."""
    if not letters:
        return f"{count}"
    return f"{count} (dead letters: {', '.join(f'{reason} {n}' for reason, n in sorted(letters.items()))})"


def decibels(psnr: float | None) -> str:
    """A PSNR for people."""
    return "-" if psnr is None else "same pixels" if psnr == math.inf else f"{psnr:.1f} dB"


def moment(at_ns: int) -> str:
    """A time for people, in UTC, to the millisecond."""
    return f"{rfc3339(at_ns)[:23].replace('T', ' ')} UTC"


def _rounded(psnr: float | None) -> float | None:
    return None if psnr is None else round(psnr, 2)


def total(outcome: Outcome) -> CameraOutcome:
    """All cameras as if they were one, but for when."""
    found = CameraOutcome()
    letters: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for camera in outcome.cameras.values():
        for which in (0, 1):
            found.frames[which] += camera.frames[which]
            found.events[which] += camera.events[which]
            letters[which].update(camera.letters[which])
        for kind in KINDS:
            found.marks[kind] += camera.marks[kind]
        found.likenesses.merge(camera.likenesses)
    found.letters = letters
    return found
