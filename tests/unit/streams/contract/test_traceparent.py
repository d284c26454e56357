"""W3C Trace Context: which traceparent is sound, and which is as good as none."""

import pytest

from streams.contract.traceparent import TraceParent, parse_traceparent, sound_traceparent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SOUND = f"00-{TRACE}-{SPAN}-01"


def test_a_sound_one_is_read_and_written_the_same() -> None:
    assert parse_traceparent(SOUND) == TraceParent(int(TRACE, 16), int(SPAN, 16), 1)
    assert sound_traceparent(SOUND) == SOUND
    assert sound_traceparent(f"00-{TRACE}-{SPAN}-00") == f"00-{TRACE}-{SPAN}-00"


def test_one_of_a_later_version_is_passed_on_in_the_version_known_here() -> None:
    assert sound_traceparent(f"cc-{TRACE}-{SPAN}-01-what.comes") == SOUND
    assert sound_traceparent(f"cc-{TRACE}-{SPAN}-01") == SOUND


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"cc-{TRACE}-{SPAN}-01more",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01\n",
        f" {SOUND}",
        f"00-{TRACE[:-1]}\u0661-{SPAN}-01",
    ],
)
def test_an_invalid_one_is_as_good_as_none(text: str) -> None:
    assert parse_traceparent(text) is None
    assert sound_traceparent(text) == ""
