import pytest

from framelane.diff.letters import key_of_letter
from streams.contract.headers import Record


def letter(key: bytes | None, place: str = "frames.raw/3/17", **headers: bytes) -> Record:
    return Record("dead", 0, 0, 0, key, b"", [("dl_input", place.encode()), *headers.items()])


@pytest.mark.parametrize(
    ("record", "key"),
    [
        (letter(b"gate-1", ce_id=b"gate-1/e1/5"), ("gate-1", "e1", 5)),
        # A frame without headers.
        (letter(b"gate-1"), ("gate-1", "@frames.raw-3", 17)),
        (letter(b"gate-1", "nowhere"), None),
        (letter(b"gate-1", "frames.raw/3/x"), None),
        (letter(b"\xff", ce_id=b"gate-1/e1/5"), None),
        (letter(None), None),
    ],
)
def test_a_letter_is_of_the_frame_that_it_names(record: Record, key: tuple[str, str, int] | None) -> None:
    assert key_of_letter(record) == key
