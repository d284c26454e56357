import threading
from concurrent.futures import Future

import pytest

from producers.camera_state import CameraState
from producers.deliveries import Outgoing
from producers.outbox import Done
from producers.roster import Roster
from producers.sums import Sums
from producers.topic_limits import TopicLimits
from streams.contract.errors import SettingError

RECORD = Outgoing(topic="t", camera_id="a", name="a/e/0", value=b"x", headers=[], captured_at_ns=0)


class Connection:
    """Takes records and answers when told."""

    def __init__(self) -> None:
        self.held: list[Done] = []

    def camera(self) -> CameraState:
        return CameraState(
            "a",
            lambda _, done: self.held.append(done),
            sums=Sums(clock=lambda: 0),
            limits=TopicLimits(lambda _: Future()),
            policy="block",
            stop=threading.Event(),
        )


def test_a_forgotten_camera_is_told_of_until_its_last_sums_are() -> None:
    connection, roster = Connection(), Roster(reports=True)
    camera, was_here = roster.add("a", connection.camera)
    camera.outbox.put(RECORD)
    roster.forget("a")
    roster.mark_told(roster.closed())
    assert (roster.to_tell(), was_here) == ([camera], False)
    connection.held.pop()(None)
    assert roster.to_tell() == [camera]
    roster.mark_told(roster.closed())
    assert (roster.to_tell(), roster.all()) == ([], [camera])


def test_where_nobody_reports_it_is_gone_once_all_is_sent() -> None:
    connection, roster = Connection(), Roster(reports=False)
    camera, _ = roster.add("a", connection.camera)
    camera.outbox.put(RECORD)
    roster.forget("a")
    assert roster.to_tell() == [camera]
    connection.held.pop()(None)
    assert roster.to_tell() == []


def test_who_comes_back_has_what_it_had() -> None:
    connection, roster = Connection(), Roster(reports=True)
    camera, _ = roster.add("a", connection.camera)
    roster.forget("a")
    roster.forget("a")
    assert roster.add("a", connection.camera) == (camera, True)
    assert (roster.to_tell(), roster.closed()) == ([camera], set())
    with pytest.raises(SettingError, match=r"camera a: .* already"):
        roster.add("a", connection.camera)


def test_who_never_was_here_cannot_be_forgotten() -> None:
    with pytest.raises(SettingError, match="camera b: "):
        Roster(reports=True).forget("b")
