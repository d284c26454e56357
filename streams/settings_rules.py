"""What the values of a pipeline's settings must be like, beyond their types."""

import re
from collections.abc import Callable, Mapping
from typing import Any

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}", re.ASCII)
_NAME = re.compile(r"[a-z0-9-]{1,100}", re.ASCII)
_MAX_TIMEOUT_MS = 600_000
_MAX_AGE_MS = 86_400_000

Rule = tuple[Callable[[Any], bool], str]


def _is_topic(value: str) -> bool:
    return _TOPIC.fullmatch(value) is not None and value not in (".", "..")


_TOPIC_RULE: Rule = (_is_topic, "a topic's name: 1 to 249 of A-Z a-z 0-9 . _ -")
_RULES: dict[str, Rule] = {
    "name": (lambda value: _NAME.fullmatch(value) is not None, "1 to 100 of a-z 0-9 -"),
    "group": (lambda value: len(value) <= 255 and value.isprintable(), "a consumer group's name, up to 255 characters"),
    "input": _TOPIC_RULE,
    "output": (lambda value: value == "" or _is_topic(value), f'{_TOPIC_RULE[1]}; or "" for events only'),
    "events": _TOPIC_RULE,
    "dead_letter": _TOPIC_RULE,
    "cameras": (lambda value: all(glob.removeprefix("!") for glob in value), 'globs such as "gate-*" or "!gate-9"'),
    "freshness": (lambda value: value in ("every_frame", "freshest"), '"every_frame" or "freshest"'),
    "max_age_ms": (lambda value: 0 <= value <= _MAX_AGE_MS, f"milliseconds up to {_MAX_AGE_MS}, or 0 for no limit"),
    "max_fps": (lambda value: 0 <= value <= 1000, "frames a second up to 1000, or 0 for no limit"),
    "frame_timeout_ms": (lambda value: 1 <= value <= _MAX_TIMEOUT_MS, f"milliseconds from 1 to {_MAX_TIMEOUT_MS}"),
    "max_pixels": (lambda value: 1 <= value <= 2**30, f"pixels from 1 to {2**30}"),
    "format": (lambda value: value in ("jpeg", "png", "webp", "keep"), '"jpeg", "png", "webp" or "keep"'),
    "quality": (lambda value: 1 <= value <= 100, "a number from 1 to 100"),
}
_TOPIC_KEYS = ("input", "output", "events", "dead_letter")


def wrong_values(values: Mapping[str, Any]) -> dict[str, str]:
    """For each key with a value that cannot be used: what was expected. Keys that are not there are not looked at."""
    wrong = {key: expected for key, (fits, expected) in _RULES.items() if key in values and not fits(values[key])}
    taken: dict[str, str] = {}
    for key in _TOPIC_KEYS:
        topic = values.get(key)
        if not topic or key in wrong:
            continue
        # Frames that come back to where they were read from would be processed for ever.
        if topic in taken:
            wrong[key] = f"a topic of its own, {taken[topic]} has this one already"
        taken.setdefault(topic, key)
    return wrong
