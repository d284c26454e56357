"""What every role last said, for a process that shows it for as long as it runs."""

import time
from collections import deque
from collections.abc import Callable

from consumers.status_board import StatusBoard
from consumers.statuses import Statuses
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.status import CameraSums, Status, encode_status

S = 1_000_000_000


class Board(StatusBoard):
    """One whose reports come from here in place of a broker."""

    def __init__(self) -> None:
        super().__init__(KafkaSettings(bootstrap="127.0.0.1:1"))
        self.arrived: deque[list[bytes]] = deque()

    def poll(self, timeout_s: float) -> list[bytes]:
        if self.arrived:
            return self.arrived.popleft()
        time.sleep(0.005)
        return []


def report(instance: str, at_ns: int, captured: int) -> bytes:
    return encode_status(
        Status(
            role="producer",
            instance=instance,
            version="1",
            started_ns=0,
            reported_ns=at_ns,
            state="running",
            cameras={"gate-1": CameraSums(captured=captured)},
        )
    )


def test_reports_are_followed_and_old_ones_forgotten() -> None:
    board, now = Board(), [1000 * S]
    statuses = Statuses(board, now_ns=lambda: now[0])
    statuses.start()
    try:
        board.arrived.append([report("a", 998 * S, 0), report("a", 1000 * S, 20)])
        wait_for(lambda: "gate-1" in statuses.cameras())
        assert statuses.cameras()["gate-1"].captured_fps == 10
        (only,) = statuses.reports()
        assert (only.status.instance, only.state) == ("a", "running")
        now[0] += 60 * S
        assert statuses.reports()[0].state == "silent"
        now[0] += 3600 * S
        assert statuses.reports() == []
        board.arrived.append([report("b", now[0], 1)])
        wait_for(lambda: [each.status.instance for each in statuses.reports()] == ["b"])
        assert [status.instance for status, _ in board.last()] == ["b"]
    finally:
        statuses.stop()
        statuses.stop()


def wait_for(case: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not case():
        assert time.monotonic() < end
        time.sleep(0.005)
