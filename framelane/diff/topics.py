"""Which topics of events and dead letters belong to the two."""

from collections.abc import Collection

from framelane.diff.asked import LETTERS, Asked
from streams.contract.errors import SettingError
from streams.contract.topics import DEAD_LETTER, EVENTS

Pair = tuple[str, str]


def events_topics(asked: Asked, known: Collection[str]) -> tuple[Pair | None, str]:
    """Where the events of both lie, and "", or None and why they cannot be compared.

    known: the topics that there are. Raises SettingError where a side's was named, and the other's is not known.
    """
    found = [side.events or _named_after(side.topic, "events", EVENTS, known) for side in asked.sides]
    lacking = [letter for letter, topic in zip(LETTERS, found, strict=True) if topic is None]
    if not lacking:
        return (found[0] or "", found[1] or ""), ""
    named = any(side.events for side in asked.sides)
    mend = " and ".join(f"--events-{letter.lower()}" for letter in lacking)
    why = f"no topic of events is known of {' and '.join(lacking)}: name it with {mend}"
    if named or not asked.frames:
        raise SettingError(why)
    return None, f"events were not compared: {why}"


def dead_letter_topics(asked: Asked, known: Collection[str]) -> tuple[str | None, str | None]:
    """Where the dead letters of either lie; None where that is not known."""
    a, b = (side.dead_letter or _named_after(side.topic, "dead-letter", DEAD_LETTER, known) for side in asked.sides)
    return a, b


def _named_after(topic: str, kind: str, live: str, known: Collection[str]) -> str | None:
    """That of a replay, or else the one that all pipelines share unless told otherwise."""
    own = f"{topic}.{kind}"
    return own if own in known else live if live in known else None
