"""What a status says in words."""

from dataclasses import replace

import pytest

from consumers.reported import ProcessLine
from framelane.group_report import Member, PartitionState
from framelane.status_report import StatusReport
from framelane.status_rows import CameraLine, PipelineLine
from framelane.status_words import findings, names_text, partitions_text, seconds_text

MEMBER = Member(member_id="m", client_id="faust", host="10.0.0.1", partitions=("raw/0", "raw/1"))
PARTS = tuple(PartitionState(topic="raw", partition=n, member="m", committed=9, end=9) for n in range(2))
WELL = PipelineLine(
    group="framelane.blur",
    name="blur",
    labels=("blur@1",),
    state="stable",
    members=(MEMBER,),
    partitions=PARTS,
    fps=30.0,
)
WORKER = ProcessLine(instance="host-1", state="running", seen_s=1.0, version="1", group="framelane.blur")
PRODUCER = ProcessLine(instance="cam-1", state="running", seen_s=1.0, version="1", cameras=("a",))
CAMERA = CameraLine(camera="a", pipeline="blur", captured_fps=15.0, processed_fps=15.0, captured=100)


def report(
    *pipelines: PipelineLine,
    workers: tuple[ProcessLine, ...] = (WORKER,),
    producers: tuple[ProcessLine, ...] = (PRODUCER,),
    cameras: tuple[CameraLine, ...] = (CAMERA,),
    no_reports: str = "",
) -> StatusReport:
    return StatusReport(
        at_ns=0,
        bootstrap="kafka:9092",
        pipelines=pipelines,
        workers=workers,
        producers=producers,
        cameras=cameras,
        no_reports=no_reports,
    )


def test_nothing_is_said_when_all_is_well() -> None:
    assert findings(report(WELL)) == []


EMPTY = replace(WELL, state="empty", members=(), lag=40, lag_s=125.0)
UNOWNED = replace(WELL, partitions=(PARTS[0], replace(PARTS[1], member="", lag=7)), unowned=("raw/1",))


@pytest.mark.parametrize(
    ("line", "told", "mend"),
    [
        (EMPTY, "group framelane.blur has no worker, and 40 frames wait, the oldest for 2 min", "framelane work"),
        (replace(WELL, state="absent", members=()), "the broker knows no group framelane.blur", "mend the name"),
        (UNOWNED, "nobody has raw 1, where 7 frames wait", "start its workers again"),
        (replace(WELL, state="rebalancing"), "is sharing out its partitions", "ask again"),
        (replace(WELL, lag=900, lag_s=31.0), "is late, and 900 frames wait, the oldest for 31 s", "start more workers"),
        (
            replace(WELL, lag=900, lag_s=31.0, members=(MEMBER, replace(MEMBER, member_id="n"))),
            "is late",
            "a worker for each partition",
        ),
        (replace(WELL, lag=900, lag_s=31.0, fps=0.0), "is late", "see their logs"),
        (replace(WELL, members=(MEMBER, replace(MEMBER, partitions=()))), "1 of 2 workers", "only stand by"),
        (
            replace(WELL, dead_letter_fps=1.5, dead_lettered={"empty": 9}),
            "1.5 dead letters a second",
            "dead-letters list --pipeline blur",
        ),
        (replace(WELL, labels=("blur@1", "blur@2")), "different pipelines: blur@1, blur@2", "same settings"),
        (replace(WELL, absent_topics=("raw",)), "reads raw, which does not exist", "topics create raw"),
        (replace(WELL, partitions=(replace(PARTS[0], expired=12),)), "lost 12 frames that were deleted", "longer"),
        (
            replace(WELL, partitions=(PARTS[0], replace(PARTS[1], leaderless=True, lag_s=None)), lag_s=None),
            "no broker leads raw 1",
            "start it again",
        ),
        (replace(WELL, lag=3, lag_s=None), "how old the frames are", "Read on the topic"),
        (
            replace(
                WELL, state="unknown", members=(), trouble="ann may not describe it; add the ACL: Describe on group g"
            ),
            "cannot be seen",
            "Describe on group g",
        ),
    ],
)
def test_what_is_wrong_with_a_pipeline_is_told_once_with_its_mend(line: PipelineLine, told: str, mend: str) -> None:
    found = findings(report(line))
    assert len(found) == 1, found
    assert told in found[0].what
    assert mend in found[0].mend


def test_a_new_group_that_reads_from_the_oldest_frame_has_lost_none() -> None:
    assert findings(report(replace(WELL, partitions=(replace(PARTS[0], committed=None, expired=5),)))) == []


@pytest.mark.parametrize(("line", "over"), [(WELL, True), (EMPTY, False)])
def test_a_silent_worker_is_named_with_how_long_and_whether_others_took_over(line: PipelineLine, over: bool) -> None:
    silent = replace(WORKER, state="silent", seen_s=47.0)
    found = next(each for each in findings(report(line, workers=(silent,))) if "silent" in each.what)
    assert "host-1 of framelane.blur (47 s)" in found.what
    assert ("others have its partitions now" in found.mend) == over


def test_a_worker_that_stopped_is_nothing_wrong_by_itself() -> None:
    assert findings(report(WELL, workers=(WORKER, replace(WORKER, instance="host-0", state="stopped")))) == []


def test_a_silent_producer_is_told_of_unless_another_has_its_camera() -> None:
    silent = replace(PRODUCER, instance="cam-0", state="silent", seen_s=30.0)
    found = findings(report(WELL, producers=(silent,)))
    assert [each.what for each in found] == ["the producer of a has been silent"]
    assert findings(report(WELL, producers=(silent, PRODUCER))) == []


def test_cameras_that_stand_still_or_lose_frames_are_named() -> None:
    still = replace(CAMERA, captured_fps=0.0)
    assert "no frame comes from a" in findings(report(WELL, cameras=(still,)))[0].what
    losing = replace(CAMERA, losing=3.0, dropped={"buffer_full": 8})
    assert "producers drop frames of a" in findings(report(WELL, cameras=(losing,)))[0].what


def test_a_camera_that_is_lost_is_named_with_what_its_producer_says() -> None:
    lost = replace(PRODUCER, away={"a": "lost: source 'rtsp://***@cam/': no answer in time"})
    [found] = findings(report(WELL, producers=(lost,), cameras=(replace(CAMERA, captured_fps=0.0),)))
    assert str(found) == "camera a gives nothing: lost: source 'rtsp://***@cam/': no answer in time"


def test_without_reports_that_is_said_with_the_mend() -> None:
    found = findings(
        report(WELL, workers=(), producers=(), cameras=(), no_reports="no topic frames.status; make it: x")
    )
    assert [str(each) for each in found] == [
        "what workers and cameras report is not known: no topic frames.status; make it: x"
    ]


def test_where_nothing_runs_the_first_step_is_named() -> None:
    assert "no worker runs" in findings(report(workers=(), producers=(), cameras=()))[0].what


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "?"), (0.0, "0 s"), (0.44, "0.4 s"), (12.3, "12 s"), (119, "119 s"), (300, "5 min"), (200_000, "2 d")],
)
def test_times_are_short(seconds: float | None, text: str) -> None:
    assert seconds_text(seconds) == text


def test_names_and_partitions_are_short() -> None:
    assert names_text(list("abcdefg")) == "a, b, c, d, e and 2 more"
    assert partitions_text(["raw/3", "raw/0", "raw/1", "raw/2", "raw/7", "more/0"]) == "more 0; raw 0-3,7"
