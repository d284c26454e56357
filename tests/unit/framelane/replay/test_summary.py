"""What a run is said to have come to."""

from framelane.replay.bar import Rate, replay_bar
from framelane.replay.begin import Run
from framelane.replay.places import Place, Sums, terms_of
from framelane.replay.settings import Period, Replay, replayed
from framelane.replay.summary import summary, told
from streams.contract.camera_globs import CameraGlobs
from streams.pipeline_settings import quick_pipeline

PERIOD = Period(since="-2h", until="", since_ns=10, until_ns=20)
REPLAY = Replay(
    pipeline=replayed(quick_pipeline(["flip"]), output="out"), period=PERIOD, cameras=CameraGlobs(), run_id="night"
)
TERMS = terms_of(REPLAY, label=REPLAY.pipeline.label)


def place(next_offset: int, **sums: int) -> Place:
    letters = {"empty": 2, "undecodable": 1}
    found = Sums(processed=5, filtered=2, events=7, letters=letters, **sums)
    return Place(terms=TERMS, start=10, end=30, sums=found, next=next_offset)


def run(places: dict[int, Place]) -> Run:
    return Run(replay=REPLAY, resumed=False, places=places, limits={})


def test_a_run_that_is_done() -> None:
    places = {0: place(30)}

    text = told(run(places), places, rate=12.34)

    assert text == (
        "run night: done: 20 frames, 5 processed, 2 filtered, 7 events, 3 dead letters (empty 2, undecodable 1); "
        "12.3 frames/s"
    )


def test_a_run_that_is_not_done() -> None:
    places = {0: place(30), 1: place(17, others=1, redriven=2, deleted=3)}

    text = told(run(places), places, rate=0)

    assert text.startswith("run night: 27 of 40 frames; ")
    assert "1 of other cameras, 2 redriven, left out, 3 deleted by retention before they were read" in text


def test_the_sums_as_values() -> None:
    places = {0: place(30), 1: place(17)}

    found = summary(run(places), places, rate=12.34)

    assert (found["frames"], found["of"], found["done"], found["partitions"]) == (27, 40, False, 2)
    assert (found["processed"], found["dead_letters"]) == (10, {"empty": 4, "undecodable": 2})
    assert (found["output"], found["events_topic"], found["rate"]) == ("out", "out.events", 12.3)


def test_a_rate_is_of_what_was_done_since() -> None:
    now = [100.0]
    rate = Rate(500, clock=lambda: now[0])
    now[0] = 104.0

    assert rate.of(700) == 50.0


def test_a_bar_that_nobody_sees_takes_what_a_bar_takes() -> None:
    with replay_bar("run", Rate(0), shown=False) as moved:
        moved({0: place(30)})
