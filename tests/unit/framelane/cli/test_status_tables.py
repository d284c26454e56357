"""How a status is shown."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from consumers.reported import ProcessLine
from framelane.cli.status_tables import tables, worst_first
from framelane.group_report import Member, PartitionState
from framelane.status_report import StatusReport
from framelane.status_rows import CameraLine, PipelineLine

MEMBER = Member(member_id="m", client_id="faust", host="10.0.0.1", partitions=("frames.raw/0",))
PART = PartitionState(topic="frames.raw", partition=0, member="m", committed=90, end=96, lag=6, lag_s=0.4)
PIPELINE = PipelineLine(
    group="framelane.blur",
    name="blur",
    state="stable",
    members=(MEMBER,),
    partitions=(PART, replace(PART, partition=1, member="")),
    lag=6,
    lag_s=0.4,
    fps=29.96,
    age_p50_ms=18.2,
    age_p99_ms=41.7,
)
WORKER = ProcessLine(
    instance="host-1",
    state="running",
    seen_s=1.0,
    version="1",
    pipeline="blur@1",
    group="framelane.blur",
    partitions=("frames.raw/0",),
    fps=29.96,
)


def camera(
    name: str, *, pipeline: str = "blur", losing: float = 0.0, fps: float = 5.0, age: float = 10.0
) -> CameraLine:
    return CameraLine(
        camera=name,
        pipeline=pipeline,
        captured_fps=5.0,
        processed_fps=fps,
        age_p50_ms=9.0,
        age_p99_ms=age,
        losing=losing,
    )


def shown(
    *cameras: CameraLine, pipelines: tuple[PipelineLine, ...] = (PIPELINE,), width: int = 80, **options: bool
) -> str:
    report = StatusReport(
        at_ns=0, bootstrap="", pipelines=pipelines, workers=(WORKER,), producers=(), cameras=tuple(cameras)
    )
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(tables(report, **options))
    return out.getvalue()


def test_a_pipeline_is_one_line_at_80_columns() -> None:
    text = shown(camera("gate-1"))
    assert re.search(r"^blur +1 +2 +6 +0\.4 s +30\.0 +18 / 42 +0 *$", text, re.M), text
    assert re.search(r"^host-1 +blur +running +frames\.raw 0 +30\.0 *$", text, re.M), text
    assert re.search(r"^gate-1 +5\.0 +5\.0 +9 / 10 +0 +0 +0 +0 *$", text, re.M), text
    assert max(map(len, text.splitlines())) <= 80


def test_long_names_are_folded_and_never_cut() -> None:
    names = [f"{'building-7-north-' * 3}{n}" for n in range(3)]
    long = replace(PIPELINE, name="hide-all-that-moves-in-the-yard", group="a.group.with.a.name-of-its-own")
    text = shown(
        *(camera(name, pipeline=p) for name in names for p in ("one-pipeline", "another-one")), pipelines=(long,)
    )
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    squeezed = re.sub(r"\s", "", text)
    assert "30.0" in squeezed and "9/10" in squeezed


def test_with_a_hundred_cameras_the_worst_ten_are_shown_unless_all_are_asked_for() -> None:
    cameras = [camera(f"cam-{n:03}", age=float(n)) for n in range(100)]
    few = shown(*cameras)
    assert len(re.findall(r"^cam-", few, re.M)) == 10
    assert "cam-099" in few and "cam-005" not in few
    assert "the worst 10 of 100; --cameras lists them all" in few
    assert len(re.findall(r"^cam-", shown(*cameras, all_cameras=True), re.M)) == 100


def test_the_worst_lose_frames_then_stand_still_then_are_late() -> None:
    lines = [camera("well"), camera("late", age=900.0), camera("still", fps=0.0), camera("losing", losing=1.0)]
    assert [line.camera for line in worst_first(lines)] == ["losing", "still", "late", "well"]


def test_ages_of_minutes_have_a_unit_of_their_own() -> None:
    assert re.search(r"^blur .* 99999 / 29 min +0$", shown(pipelines=(late(99_999.0, 1_754_457.0),)), re.M)


def late(p50_ms: float, p99_ms: float) -> PipelineLine:
    return replace(PIPELINE, age_p50_ms=p50_ms, age_p99_ms=p99_ms)


def test_partitions_name_their_worker_or_nobody() -> None:
    text = shown(all_partitions=True)
    assert re.search(r"^frames\.raw/0 +90 +96 +6 +0\.4 s +host-1", text, re.M), text
    assert re.search(r"^frames\.raw/1 .* nobody", text, re.M), text


def test_what_the_broker_does_not_tell_is_unknown_and_not_none() -> None:
    hidden = PipelineLine(group="framelane.blur", name="blur", trouble="ann may not describe it")
    text = shown(pipelines=(hidden,))
    assert re.search(r"^blur unknown +\? +\? +\? +\? ", text, re.M), text
    assert "ann may not describe it" in text


@pytest.mark.parametrize(("line", "word"), [(PIPELINE, "nobody has frames.raw 1"), (None, "no group is known")])
def test_the_last_lines_say_what_is_wrong(line: PipelineLine | None, word: str) -> None:
    pipelines = (replace(line, unowned=("frames.raw/1",)),) if line else ()
    report = StatusReport(at_ns=0, bootstrap="", pipelines=pipelines, workers=(), producers=(), cameras=())
    out = io.StringIO()
    Console(file=out, width=200, color_system=None).print(tables(report))
    assert word in out.getvalue().splitlines()[-1]


def test_names_that_look_like_markup_are_shown_as_they_are() -> None:
    assert "[red]x" in shown(camera("[red]x"))
