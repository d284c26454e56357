"""Rows of a status, made of reports and of what the broker says."""

from consumers.reported import Reported
from framelane.group_report import GroupState, Member, PartitionState
from framelane.status_rows import camera_lines, pipeline_line
from streams.contract.status import CameraSums, Role, Status

S = 1_000_000_000
NOW = 1_000 * S


def reported(
    *,
    ago_s: float = 1.0,
    role: Role = "worker",
    state: str = "running",
    instance: str = "host-1",
    pipeline: str = "blur@1",
    group: str = "framelane.blur",
    before: dict[str, CameraSums] | None = None,
    **cameras: CameraSums,
) -> Reported:
    """A report from so long ago, and the one two seconds before it."""

    def status(at_ns: int, sums: dict[str, CameraSums], state: str) -> Status:
        return Status(
            role=role,
            instance=instance,
            version="1",
            started_ns=0,
            reported_ns=at_ns,
            state=state,  # type: ignore[arg-type]
            pipeline=pipeline if role == "worker" else "",
            group=group if role == "worker" else "",
            partitions=["raw/0"],
            cameras=sums,
        )

    at_ns = NOW - int(ago_s * S)
    earlier = None if before is None else status(at_ns - 2 * S, before, "running")
    return Reported(status(at_ns, cameras, state), earlier, now_ns=NOW)


def partition(number: int, *, lag: int = 0, lag_s: float | None = 0.0, member: str = "m") -> PartitionState:
    return PartitionState(topic="raw", partition=number, member=member, committed=0, end=lag, lag=lag, lag_s=lag_s)


def group(*partitions: PartitionState, state: str = "stable") -> GroupState:
    names = tuple(f"{each.topic}/{each.partition}" for each in partitions if each.member)
    member = Member(member_id="m", client_id="faust", host="10.0.0.1", partitions=names)
    return GroupState(group="framelane.blur", state=state, members=(member,), partitions=partitions)


def test_rates_are_those_between_two_reports() -> None:
    worker = reported(before={"a": CameraSums(processed=10)}, a=CameraSums(processed=40), b=CameraSums(processed=6))
    assert worker.line().fps == 18.0
    assert worker.rate(lambda sums: sums.processed, "b") == 3.0


def test_one_report_alone_has_no_rate() -> None:
    assert reported(a=CameraSums(processed=40)).line().fps == 0.0


def test_who_is_silent_for_more_than_three_intervals_is_neither_running_nor_stopped() -> None:
    early = {"a": CameraSums(processed=1)}
    assert reported(ago_s=5.9).state == "running"
    silent = reported(ago_s=6.1, before=early, a=CameraSums(processed=9))
    assert (silent.state, silent.running, silent.line().fps) == ("silent", False, 0.0)
    assert reported(ago_s=60, state="stopped").state == "stopped"


def test_a_report_from_a_clock_ahead_is_from_now() -> None:
    ahead = reported(ago_s=-30)
    assert (ahead.state, ahead.seen_s) == ("running", 0.0)


def test_a_pipeline_is_as_late_as_its_last_partition_and_lag_adds_up() -> None:
    line = pipeline_line(group(partition(0, lag=3, lag_s=1.5), partition(1, lag=4, lag_s=9.0), partition(2)), [])
    assert (line.lag, line.lag_s, line.unowned) == (7, 9.0, ())


def test_lag_without_a_member_counts_and_is_named() -> None:
    line = pipeline_line(group(partition(0), partition(1, lag=4, lag_s=9.0, member="")), [])
    assert (line.lag, line.lag_s, line.unowned) == (4, 9.0, ("raw/1",))


def test_an_age_that_could_not_be_read_is_not_taken_for_none() -> None:
    assert pipeline_line(group(partition(0, lag=3, lag_s=None), partition(1, lag=1, lag_s=2.0)), []).lag_s is None


def test_a_pipeline_sums_its_workers_and_takes_rates_and_ages_of_those_that_run() -> None:
    one = reported(
        before={"a": CameraSums(), "b": CameraSums()},
        a=CameraSums(processed=20, age_p50_ms=10, age_p99_ms=20, dead_lettered={"undecodable": 2}),
        b=CameraSums(processed=4, age_p50_ms=30, age_p99_ms=90),
    )
    gone = reported(ago_s=99, instance="host-2", a=CameraSums(processed=5, age_p50_ms=500, age_p99_ms=900))
    line = pipeline_line(group(partition(0)), [one, gone])
    assert (line.name, line.labels) == ("blur", ("blur@1",))
    assert (line.processed, line.fps, line.dead_letter_fps) == (29, 12.0, 1.0)
    assert (line.age_p50_ms, line.age_p99_ms) == (20, 90)
    assert line.dead_lettered == {"undecodable": 2}


def test_a_group_of_which_nobody_reports_has_its_own_name() -> None:
    assert pipeline_line(group(partition(0)), []).name == "framelane.blur"


def test_a_camera_has_a_row_in_each_pipeline() -> None:
    producer = reported(
        role="producer",
        before={"a": CameraSums(captured=10)},
        a=CameraSums(captured=30, produced=28, dropped={"buffer_full": 1, "paced": 1}),
    )
    blur = reported(before={"a": CameraSums()}, a=CameraSums(consumed=9, processed=8, stale=1, age_p99_ms=12.0))
    gray = reported(instance="host-2", pipeline="gray@2", group="g", a=CameraSums(dead_lettered={"empty": 3}))
    lines = camera_lines([producer], {"framelane.blur": [blur], "g": [gray]})
    assert [(line.camera, line.pipeline) for line in lines] == [("a", "blur"), ("a", "gray")]
    first = lines[0]
    assert (first.captured_fps, first.processed_fps, first.age_p99_ms) == (10.0, 4.0, 12.0)
    assert (first.captured, first.produced, first.stale) == (30, 28, 1)
    assert first.dropped == {"buffer_full": 1, "paced": 1}
    assert lines[1].dead_lettered == {"empty": 3}


def test_what_is_thinned_out_on_purpose_is_not_lost() -> None:
    early = {"a": CameraSums(dropped={"paced": 1, "buffer_full": 1})}
    late = CameraSums(dropped={"paced": 99, "buffer_full": 5})
    lines = camera_lines([reported(role="producer", before=early, a=late)], {})
    assert [(line.pipeline, line.losing) for line in lines] == [("", 2.0)]


def test_a_camera_that_no_producer_reports_has_no_rate_of_capture() -> None:
    lines = camera_lines([], {"framelane.blur": [reported(a=CameraSums(processed=1))]})
    assert lines[0].captured_fps is None
