"""Rows of shadows in a status, made of reports."""

from typing import Any

from consumers.reported import Reported
from framelane.shadow_line import shadow_lines
from framelane.status_report import build_report
from streams.contract.status import CameraSums, ShadowFigures, Status

S = 1_000_000_000
NOW = 1_000 * S


def reported(
    *, instance: str = "host-1", ago_s: float = 1.0, state: str = "running", role: str = "shadow", **figures: Any
) -> Reported:
    given: dict[str, Any] = {"live": "gate@1", "shadow": "gate-shadow@2", "seconds": 60.0} | figures
    status = Status(
        role=role,  # type: ignore[arg-type]
        instance=instance,
        version="1",
        started_ns=0,
        reported_ns=NOW - int(ago_s * S),
        state=state,  # type: ignore[arg-type]
        pipeline="gate-shadow@2",
        group="framelane-shadow.gate",
        lag={"raw/0": 2},
        cameras={"a": CameraSums(stale=3)},
        shadow=ShadowFigures(**given),
    )
    return Reported(status, None, now_ns=NOW)


def test_processes_that_share_the_partitions_are_one_row() -> None:
    first = reported(
        frames=100, changed_events=3, changed_events_per_minute=3.0, pictures=10, psnr_mean_db=40.0, psnr_lowest_db=30.0
    )
    second = reported(
        instance="host-2",
        seconds=30.0,
        frames=50,
        only_live=7,
        changed_events=1,
        changed_events_per_minute=2.0,
        pictures=30,
        psnr_mean_db=36.0,
        psnr_lowest_db=33.0,
    )

    (line,) = shadow_lines([first, second])

    assert (line.pipeline, line.live, line.shadow, line.state) == ("gate", "gate@1", "gate-shadow@2", "running")
    assert (line.processes, line.frames, line.only_live, line.changed_events) == (2, 150, 7, 4)
    assert (line.changed_events_per_minute, line.seconds) == (5.0, 60.0)
    assert (line.pictures, line.psnr_mean_db, line.psnr_lowest_db) == (40, 37.0, 30.0)
    assert (line.lag, line.skipped) == (4, 6)


def test_what_compares_something_else_is_left_out() -> None:
    old = reported(frames=100)
    new = reported(instance="host-2", ago_s=0.5, frames=2, shadow="gate-shadow@3")
    ended = reported(instance="host-3", ago_s=0.1, state="stopped", frames=9)

    (line,) = shadow_lines([old, new, ended])

    assert (line.shadow, line.frames, line.processes) == ("gate-shadow@3", 2, 1)


def test_one_that_has_ended_is_told_of() -> None:
    (line,) = shadow_lines([reported(state="stopped", ago_s=30, frames=5)])

    assert (line.state, line.seen_s, line.processes, line.frames) == ("stopped", 30.0, 0, 5)
    assert line.psnr_mean_db is None


def test_a_shadow_is_no_worker_of_the_report() -> None:
    report = build_report([reported(frames=5), reported(role="worker", instance="host-2")], {}, now_ns=NOW)

    assert [each.instance for each in report.workers] == ["host-2"]
    assert [(each.pipeline, each.frames) for each in report.shadows] == [("gate", 5)]
    assert len(report.cameras) == 1
