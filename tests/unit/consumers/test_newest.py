"""The newest of each camera, of what a client has at hand."""

from confluent_kafka import Message
from consumer_support import frame_of

from consumers.newest import Fetched, Newest
from consumers.progress import Progress
from consumers.tally import CameraSums, Tally
from streams.contract.camera_globs import CameraGlobs
from streams.contract.headers import to_headers


class Client:
    """What is needed of the consumer: batches of what is there."""

    def __init__(self, *batches: list[Message]) -> None:
        self.batches = list(batches)

    def consume(self, number: int, timeout: float) -> list[Message]:
        return self.batches.pop(0) if self.batches else []

    def poll(self, timeout_s: float) -> Message | None:
        return None


def message(camera: str, offset: int, *, captured_ns: int | None = None) -> Message:
    frame = frame_of(camera, offset, captured_at_ns=offset if captured_ns is None else captured_ns)
    headers = to_headers(frame)
    return Message(
        topic="t", partition=0, offset=offset, key=camera.encode(), value=b"x", headers=headers, timestamp=(1, 5)
    )


def taken(newest: Newest, client: Client, progress: Progress | None = None) -> list[tuple[bytes | None, int | None]]:
    found: list[Fetched] = []
    while (fetched := newest.fetch(client, 0.0, lambda _: progress)) is not None:  # type: ignore[arg-type]
        found.append(fetched)
    return [(each[0].key(), each[0].offset()) for each in found]


def test_the_newest_of_each_and_the_one_that_waits_longest_first() -> None:
    tally, progress = Tally(), Progress(start=0, resume=0)
    newest = Newest(tally, CameraGlobs())
    batches = [message("a", 0), message("b", 1), message("a", 2)], [message("b", 3), message("c", 4)]
    assert taken(newest, Client(*batches), progress) == [(b"a", 2), (b"b", 3), (b"c", 4)]
    assert tally.cameras["a"] == CameraSums(skipped=1)
    # What was left out is done with, what was handed out is not.
    assert progress.position == 2


def test_a_frame_that_was_sent_again_does_not_replace_a_newer_one() -> None:
    tally = Tally()
    newest = Newest(tally, CameraGlobs())
    client = Client([message("a", 0, captured_ns=900), message("a", 1, captured_ns=100)])
    assert taken(newest, client) == [(b"a", 0)]
    assert tally.cameras["a"].skipped == 1


def test_what_is_not_wanted_or_only_remembered_comes_through_and_is_not_counted() -> None:
    tally, progress = Tally(), Progress(start=0, resume=2)
    newest = Newest(tally, CameraGlobs(("a",)))
    client = Client([message("a", 0), message("a", 1), message("b", 2), message("a", 3)])
    assert taken(newest, client, progress) == [(b"a", 0), (b"a", 1), (b"b", 2), (b"a", 3)]
    assert tally.cameras == {}


def test_partitions_that_are_gone_are_forgotten() -> None:
    newest = Newest(Tally(), CameraGlobs())
    client = Client([message("a", 0), message("b", 1)])
    assert newest.fetch(client, 0.0, lambda _: None) is not None  # type: ignore[arg-type]
    newest.forget({0})
    assert len(newest) == 0
