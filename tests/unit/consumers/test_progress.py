"""How far a group is on a partition, and what is written beside its place."""

import threading

from consumers.progress import PlaceNote, Progress, read_note
from consumers.received import Receipt


def held(progress: Progress, offset: int, at_ms: int) -> Receipt:
    progress.hold(offset, at_ms)
    return progress.receipt(offset)


def note_of(progress: Progress, *, more: bool) -> tuple[int, PlaceNote]:
    position, text = progress.note(more=more)
    return position, read_note(text)


def test_the_place_is_behind_all_that_is_done_with_without_a_break() -> None:
    progress = Progress(start=10, resume=10)
    receipts = [held(progress, offset, 1000 + offset) for offset in (10, 11, 12)]
    progress.passed(13)
    assert progress.position == 10
    receipts[1].done()
    assert progress.position == 10
    receipts[0].done()
    assert progress.position == 12
    receipts[0].done()
    receipts[2].done()
    assert progress.position == 14


def test_what_is_read_again_does_not_move_the_place_back() -> None:
    progress = Progress(start=5, resume=10)
    for offset in range(5, 10):
        assert progress.position == 10
        progress.passed(offset)
    progress.hold(10, 0)
    assert progress.position == 10


def test_the_order_of_receipts_does_not_matter_to_what_is_held_again() -> None:
    progress = Progress(start=0, resume=0)
    progress.hold(0, 0)
    progress.hold(1, 0)
    progress.passed(0)
    progress.hold(0, 0)
    assert progress.position == 0


def test_a_clean_end_says_that_only_what_is_in_hand_was_handed_out() -> None:
    progress = Progress(start=0, resume=0)
    receipt = held(progress, 0, 5)
    progress.hold(1, 6)
    receipt.done()
    assert note_of(progress, more=False) == (1, PlaceNote(upto=2, at_ms=5))
    progress.done(1)
    assert note_of(progress, more=False) == (2, PlaceNote(upto=0, at_ms=6))


def test_while_it_goes_on_the_reserve_follows_the_rate() -> None:
    progress = Progress(start=0, resume=0)
    reserves, at = [], 0
    for second, rate in enumerate((0, 100, 100, 1000, 1000, 1000, 10, 0), start=1):
        for _ in range(rate):
            progress.handed()
            held(progress, at, 0).done()
            at += 1
        progress.wrote(progress.note(more=True), float(second))
        _, note = note_of(progress, more=True)
        reserves.append(note.upto - at)
    assert reserves == [16, 64, 200, 800, 2000, 2000, 20, 16]


def test_more_is_asked_for_before_it_is_needed_and_nothing_goes_out_without() -> None:
    progress = Progress(start=0, resume=0)
    assert progress.needs(0) == (True, True)
    place = progress.note(more=True)
    progress.wrote(place, 1.0)
    assert progress.needs(0) == (False, True)
    progress.has(place)
    assert [progress.needs(offset) for offset in (7, 8, 15, 16)] == [
        (False, False),
        (True, False),
        (True, False),
        (True, True),
    ]
    assert progress.free_until == 8


def test_what_the_one_before_may_have_handed_out_stays_marked_until_it_is_passed() -> None:
    progress = Progress(start=0, resume=3, upto=40, at_ms=7)
    held(progress, 3, 8).done()
    assert note_of(progress, more=False) == (4, PlaceNote(upto=40, at_ms=8))
    for offset in range(4, 40):
        progress.passed(offset)
    assert note_of(progress, more=False) == (40, PlaceNote(upto=0, at_ms=8))


def test_a_note_of_another_client_says_nothing() -> None:
    assert read_note(None) == read_note("") == read_note("rack-a") == read_note('{"upto": "x"}') == PlaceNote()


def test_done_may_be_called_in_other_threads() -> None:
    progress = Progress(start=0, resume=0)
    receipts = [held(progress, offset, 0) for offset in range(20_000)]
    threads = [threading.Thread(target=lambda each=each: [r.done() for r in receipts[each::4]]) for each in range(4)]
    for thread in threads:
        thread.start()
    seen = [progress.position for _ in range(200)]
    for thread in threads:
        thread.join()
    assert seen == sorted(seen)
    assert progress.position == 20_000
