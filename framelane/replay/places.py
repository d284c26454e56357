"""How far a run is with a partition: it lies in the group's position there, beside the offset, and moves with it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib.metadata import version

import msgspec

from framelane.replay.settings import Period, Replay
from streams.contract.errors import SettingError

_VERSION = 1
# Brokers keep 4096 bytes beside an offset, unless told otherwise.
_LONGEST = 300
# What the pixels of an output may depend on.
_LIBRARIES = ("framelane", "opencv-python-headless", "simplejpeg", "numpy")


class Sums(msgspec.Struct, kw_only=True):
    """What became of the frames so far.

    processed, filtered: as of a worker; events: found in them. letters: by reason. others: of cameras that are not
    meant. redriven: sent through again, and so repeats. deleted: by the topic's retention, before they were read.
    """

    processed: int = 0
    filtered: int = 0
    events: int = 0
    letters: dict[str, int] = {}
    others: int = 0
    redriven: int = 0
    deleted: int = 0


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is of. same: name and value of what must not change while it lasts, for people to read."""

    since: str
    until: str
    since_ns: int
    until_ns: int
    same: dict[str, str]

    @property
    def period(self) -> Period:
        """From when to when."""
        return Period(since=self.since, until=self.until, since_ns=self.since_ns, until_ns=self.until_ns)


class Place(msgspec.Struct, kw_only=True):
    """A run's place in one partition: the offsets `start` up to `end`, without it; `next` is the one to go on from.

    warm: the first offset that memories have seen, where there are any.
    """

    terms: Terms
    start: int
    end: int
    warm: int | None = None
    sums: Sums = msgspec.field(default_factory=Sums)
    version: int = _VERSION
    next: int = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self.next >= self.end

    def note(self) -> str:
        """What stands beside the offset."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__ if name != "next"}
        return msgspec.json.encode(fields).decode()


def read_place(offset: int, note: str | None) -> Place | None:
    """A place as it was written; None where there is none, or none of ours."""
    try:
        place = msgspec.json.decode(note or "", type=Place)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    place.next = offset
    return place if place.version == _VERSION and offset >= 0 else None


def terms_of(replay: Replay, *, label: str) -> Terms:
    """What a replay is of. label: `name@hash` of its pipeline."""
    settings, period = replay.pipeline, replay.period
    same = {
        "pipeline": label,
        "input": settings.input,
        "output": settings.output,
        "events": settings.events,
        "dead_letter": settings.dead_letter,
        "cameras": " ".join(settings.cameras),
        "--cameras": " ".join(replay.cameras.globs),
        "max_fps": f"{settings.max_fps:g}",
        "max_pixels": str(settings.max_pixels),
        "plan": str(settings.plan).lower(),
        "versions": " ".join(f"{name}/{version(name)}" for name in _LIBRARIES),
    }
    return Terms(
        since=period.since,
        until=period.until,
        since_ns=period.since_ns,
        until_ns=period.until_ns,
        same={name: _short(text) for name, text in same.items()},
    )


def check_terms(asked: Terms, begun: Terms, *, run_id: str) -> None:
    """Raise SettingError where a run was begun with other terms than it is now asked to go on with.

    Times that are written alike are alike: `-8h` stays what it was when the run was begun.
    """
    differing = {
        name: (text, asked.same.get(name, "")) for name, text in begun.same.items() if asked.same.get(name) != text
    }
    for name in ("since", "until"):
        before, now = getattr(begun, name), getattr(asked, name)
        if before != now and getattr(begun, f"{name}_ns") != getattr(asked, f"{name}_ns"):
            differing[f"--{name}"] = before, now
    if differing:
        told = "; ".join(f"{name} {before!r}, and now {now!r}" for name, (before, now) in differing.items())
        raise SettingError(
            f"run {run_id}: was begun with {told}: go on with what it was begun with, or begin another one with "
            "another --output"
        )


def total(places: Iterable[Place]) -> Sums:
    """The sums of all partitions."""
    found, letters = Sums(letters={}), Counter[str]()
    for place in places:
        sums = place.sums
        letters.update(sums.letters)
        for name in ("processed", "filtered", "events", "others", "redriven", "deleted"):
            setattr(found, name, getattr(found, name) + getattr(sums, name))
    found.letters = dict(sorted(letters.items()))
    return found


def frames_of(places: Mapping[int, Place]) -> tuple[int, int]:
    """How many frames are done, of how many."""
    each = places.values()
    return sum(place.next - place.start for place in each), sum(place.end - place.start for place in each)


def _short(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}... {sha256(text.encode()).hexdigest()[:16]}"
