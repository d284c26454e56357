from streams.operators.lasting import Lasting, State


def told(lasting: Lasting, says: str) -> dict[int, State]:
    """What is told, by second; each letter is one second's frame: x is the case, . is not, ? cannot tell."""
    cases = {"x": True, ".": False, "?": None}
    found = {at: lasting.see(cases[letter], at * 10**9) for at, letter in enumerate(says)}
    return {at: state for at, state in found.items() if state}


def three_seconds(repeat_frames: int = 100) -> Lasting:
    return Lasting(begins_after_s=3, ends_after_s=3, repeat_frames=repeat_frames)


def test_it_begins_and_ends_once_it_has_lasted() -> None:
    assert told(three_seconds(), "..xxxxxxx......") == {5: "begun", 12: "ended"}


def test_what_comes_and_goes_is_not_told() -> None:
    assert told(three_seconds(), "xxx.xxx.xxx.xxx.") == {}
    assert told(three_seconds(), "xxxx...x...x...x") == {3: "begun"}


def test_a_frame_that_cannot_tell_breaks_a_row_and_ends_nothing() -> None:
    assert told(three_seconds(), "xxx?xxx?") == {}
    assert told(three_seconds(), "xxxx????????..?..") == {3: "begun"}


def test_it_is_told_again_while_it_lasts() -> None:
    assert told(three_seconds(repeat_frames=4), "xxxxxxxx????....") == {
        3: "begun",
        7: "ongoing",
        11: "ongoing",
        15: "ended",
    }


def test_without_a_wait_it_is_told_at_once() -> None:
    lasting = Lasting(begins_after_s=0, ends_after_s=0, repeat_frames=100)

    assert told(lasting, ".x.x") == {1: "begun", 2: "ended", 3: "begun"}


def test_it_can_be_turned() -> None:
    lasting = three_seconds()
    told(lasting, "xxxx")

    assert lasting.on and lasting.turn(False) == "ended" and not lasting.on
