import math

import pytest

from framelane.diff.asked import Asked, Side
from framelane.diff.topics import dead_letter_topics, events_topics
from streams.contract.errors import SettingError

LIVE = ("frames.processed", "frames.events", "frames.dead-letter")


def asked(a: Side, b: Side, *, frames: bool = True) -> Asked:
    return Asked(sides=(a, b), frames=frames)


def test_a_replay_has_topics_of_its_own_and_what_is_live_shares_them() -> None:
    wanted = asked(Side(topic="frames.processed"), Side(topic="night"))
    known = (*LIVE, "night", "night.events", "night.dead-letter")

    assert events_topics(wanted, known) == (("frames.events", "night.events"), "")
    assert dead_letter_topics(wanted, known) == ("frames.dead-letter", "night.dead-letter")


def test_what_is_named_is_taken() -> None:
    wanted = asked(Side(topic="a", events="x", dead_letter="y"), Side(topic="b", events="z"))

    assert events_topics(wanted, LIVE) == (("x", "z"), "")
    assert dead_letter_topics(wanted, ()) == ("y", None)


def test_without_topics_of_events_it_is_told_that_none_were_compared() -> None:
    topics, why = events_topics(asked(Side(topic="a"), Side(topic="b")), ("a", "b", "a.events"))

    assert topics is None
    assert why == "events were not compared: no topic of events is known of B: name it with --events-b"


@pytest.mark.parametrize("frames", [True, False])
def test_where_events_were_asked_for_that_is_wrong_use(frames: bool) -> None:
    side = Side(topic="a", events="x") if frames else Side(topic="a")
    with pytest.raises(SettingError, match="name it with"):
        events_topics(asked(side, Side(topic="b"), frames=frames), ())


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"frames": False, "events": False}, "nothing is left"),
        ({"since_ns": 5, "until_ns": 5}, "nothing lies between"),
        ({"psnr": -1.0}, "--psnr"),
        ({"psnr": math.nan}, "--psnr"),
        ({"tolerance": math.inf}, "--event-tolerance"),
    ],
)
def test_wrong_use_is_refused(wrong: dict[str, float], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        Asked(sides=(Side(topic="a"), Side(topic="b")), **wrong)  # type: ignore[arg-type]
