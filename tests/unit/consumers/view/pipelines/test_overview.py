"""What the page of the pipelines shows."""

from typing import Any

import pytest

from consumers.reported import Reported
from consumers.view.pipelines.overview import overview
from streams.contract.status import CameraSums, Status

S = 1_000_000_000
NOW = 1_000 * S


def worker(
    instance: str, *, hash: str = "aaaa1111", ago_s: float = 1.0, state: str = "running", **more: Any
) -> Reported:
    def status(at_ns: int, done: int, seconds: float) -> Status:
        return Status(
            role="worker",
            instance=instance,
            version="1.2",
            started_ns=0,
            reported_ns=at_ns,
            state=state,  # type: ignore[arg-type]
            pipeline=f"gates@{hash}",
            group="framelane.gates",
            cameras={"gate-1": CameraSums(processed=done)},
            stage_seconds={"publish": 5 * seconds, "10:b": seconds, "2:a": seconds, "decode": 2 * seconds},
            **more,
        )

    at_ns = NOW - round(ago_s * S)
    return Reported(status(at_ns, 20, 0.2), status(at_ns - 2 * S, 0, 0.0), now_ns=NOW)


def test_two_hashes_at_once_are_both_told() -> None:
    workers = [worker("a"), worker("b", hash="bbbb2222"), worker("c"), worker("d", hash="cccc3333", ago_s=60)]
    (card,) = overview(workers).pipelines
    assert [(label.hash, label.workers) for label in card.hashes] == [("aaaa1111", 2), ("bbbb2222", 1)]
    assert card.state == "running"
    assert [(each.instance, each.state) for each in card.workers][-1] == ("d", "silent")


def test_stages_in_the_order_of_a_frame_with_its_time() -> None:
    (card,) = overview([worker("a")]).pipelines
    assert [(stage.name, stage.waits) for stage in card.stages] == [
        ("decode", False),
        ("2:a", False),
        ("10:b", False),
        ("publish", True),
    ]
    # 10 frames a second, 0.1 s of work a second.
    assert card.fps == 10
    assert [stage.ms for stage in card.stages] == pytest.approx([20, 10, 10, 50])


def test_lag_by_partition() -> None:
    one = worker("a", partitions=["raw/10", "raw/2"], lag={"raw/2": 7}, lag_s={"raw/2": 1.5})
    (card,) = overview([one]).pipelines
    assert [(lag.partition, lag.frames, lag.seconds) for lag in card.partitions] == [
        ("raw/2", 7, 1.5),
        ("raw/10", None, None),
    ]
    assert (card.lag, card.lag_s) == (7, 1.5)


def test_those_that_are_gone_go_last_and_count_nothing() -> None:
    gone = worker("z", state="stopped")
    gone.status.group = "framelane.a"
    found = overview([gone, worker("a")]).pipelines
    assert [(card.group, card.state, card.fps) for card in found] == [
        ("framelane.gates", "running", 10),
        ("framelane.a", "stopped", 0),
    ]


def test_settings_are_those_of_the_newest_worker() -> None:
    (card,) = overview([worker("a", settings={"threads": 2, "input": "raw", "operators": [{"op": "blur"}]})]).pipelines
    assert card.settings == {"input": "raw", "operators": [{"op": "blur"}]}
    assert card.workers[0].threads == 2


def test_producers_in_short() -> None:
    status = Status(
        role="producer", instance="p", version="1", started_ns=0, reported_ns=NOW, state="running",
        cameras={"gate-1": CameraSums(captured=5)}, settings={"gate-1": {"state": "lost: no route"}},
    )  # fmt: skip
    (process,) = overview([Reported(status, now_ns=NOW)]).processes
    assert (process.role, process.cameras, process.away) == ("producer", ["gate-1"], {"gate-1": "lost: no route"})
