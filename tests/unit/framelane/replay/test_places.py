"""What is written beside a run's position, and whether a run is gone on with as it was begun."""

from dataclasses import replace

import pytest

from framelane.replay.places import Place, Sums, Terms, check_terms, frames_of, read_place, terms_of, total
from framelane.replay.settings import Period, Replay, replayed
from streams.contract.camera_globs import CameraGlobs
from streams.contract.errors import SettingError
from streams.pipeline_settings import quick_pipeline

PERIOD = Period(since="-2h", until="", since_ns=10, until_ns=20)
REPLAY = Replay(
    pipeline=replayed(quick_pipeline(["flip"]), output="out"), period=PERIOD, cameras=CameraGlobs(), run_id="out"
)


def terms(replay: Replay = REPLAY, label: str = "quick@1") -> Terms:
    return terms_of(replay, label=label)


def place(**fields: object) -> Place:
    return Place(terms=terms(), start=3, end=9, **fields)  # type: ignore[arg-type]


def test_a_place_is_read_as_it_was_written() -> None:
    written = place(warm=1, sums=Sums(processed=4, letters={"empty": 2}))

    found = read_place(7, written.note())

    assert found is not None
    assert (found.start, found.end, found.warm, found.next, found.done) == (3, 9, 1, 7, False)
    assert (found.sums.processed, found.sums.letters) == (4, {"empty": 2})
    assert found.terms == written.terms


@pytest.mark.parametrize(("offset", "note"), [(5, None), (5, ""), (5, "{}"), (5, "upto=7"), (-1001, place().note())])
def test_what_is_no_place_of_ours(offset: int, note: str | None) -> None:
    assert read_place(offset, note) is None


def test_a_place_of_another_version_is_none() -> None:
    assert read_place(5, place(version=2).note()) is None


def test_a_note_is_short_enough_for_the_broker() -> None:
    names = [letter * 249 for letter in "wxyz"]
    settings = replayed(
        quick_pipeline(["flip"], name="n" * 100, cameras=[f"camera-{n}" for n in range(500)]),
        output=names[0],
        events=names[1],
        dead_letter=names[2],
        input=names[3],
    )
    replay = replace(REPLAY, pipeline=settings, cameras=CameraGlobs(tuple("c" * 100 for _ in range(50))))
    sums = Sums(letters=dict.fromkeys((f"reason_number_{n}" for n in range(11)), 10**9), processed=10**12)

    note = Place(terms=terms(replay, label=f"{'n' * 100}@12345678"), start=10**15, end=10**15, sums=sums).note()

    assert len(note.encode()) < 4096


def test_the_same_terms_are_gone_on_with() -> None:
    check_terms(terms(), terms(), run_id="out")


def test_times_written_alike_are_alike() -> None:
    later = replace(REPLAY, period=replace(PERIOD, since_ns=15, until_ns=25))

    check_terms(terms(later), terms(), run_id="out")


def test_times_that_mean_the_same_are_alike() -> None:
    check_terms(terms(replace(REPLAY, period=replace(PERIOD, since="1970"))), terms(), run_id="out")


@pytest.mark.parametrize(
    ("replay", "label", "told"),
    [
        (REPLAY, "quick@2", "pipeline 'quick@1', and now 'quick@2'"),
        (replace(REPLAY, cameras=CameraGlobs(("gate-*",))), "quick@1", "--cameras '', and now 'gate-\\*'"),
        (replace(REPLAY, pipeline=replace(REPLAY.pipeline, max_fps=5)), "quick@1", "max_fps '0', and now '5'"),
        (replace(REPLAY, period=replace(PERIOD, since="-3h", since_ns=5)), "quick@1", "--since '-2h', and now '-3h'"),
        (replace(REPLAY, period=replace(PERIOD, until="-1h", until_ns=15)), "quick@1", "--until '', and now '-1h'"),
    ],
)
def test_other_terms_are_refused(replay: Replay, label: str, told: str) -> None:
    with pytest.raises(SettingError, match=f"run out: was begun with {told}: .* another --output"):
        check_terms(terms(replay, label), terms(), run_id="out")


def test_a_long_list_of_cameras_that_differs_at_its_end_is_refused() -> None:
    def of(last: str) -> Terms:
        cameras = tuple(f"camera-{n:04}" for n in range(200))
        return terms(replace(REPLAY, cameras=CameraGlobs((*cameras, last))))

    with pytest.raises(SettingError, match="--cameras"):
        check_terms(of("a"), of("b"), run_id="out")


def test_the_sums_of_all_partitions() -> None:
    places = {
        0: place(next=5, sums=Sums(processed=1, events=3, letters={"empty": 1})),
        1: place(next=9, sums=Sums(processed=2, filtered=1, others=1, redriven=1, deleted=1, letters={"empty": 1})),
    }

    found = total(places.values())

    assert (found.processed, found.filtered, found.events) == (3, 1, 3)
    assert (found.others, found.redriven, found.deleted, found.letters) == (1, 1, 1, {"empty": 2})
    assert frames_of(places) == (8, 12)
