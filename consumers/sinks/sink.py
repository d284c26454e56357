"""What a sink is: where frames or events go that leave Kafka."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol, TypeVar

from consumers.received import ReceivedEvent, ReceivedFrame

Item = ReceivedFrame | ReceivedEvent
Kind = Literal["frames", "events"]
T_contra = TypeVar("T_contra", bound=Item, contravariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkOptions:
    """What a sink may be told beyond its place.

    fps: constant rate of a video in frames per second; None: each picture at its capture time.
    rotate_s: a video ends after so many seconds of capture time; None: at the end of the recording.
    resumes: a group goes on after a kill, so what comes again must be known; without, a repeat is what was asked for.
    headers: names and values, for the requests of a webhook.
    """

    fps: float | None = None
    rotate_s: float | None = None
    resumes: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class Sink(Protocol[T_contra]):
    """Writes frames or events somewhere. One thread calls it, in this order: setup, (add | flush | settle)*, close.

    It says `done()` of an item once that survives the kill of this process; a group resumes behind what is done. So
    after a kill some of what was added comes again: a sink knows it, replaces it, or tells why it cannot.
    `item.receipt` says the same and holds no picture: keep that one.
    """

    takes: ClassVar[frozenset[Kind]]
    # The fields of SinkOptions that it heeds; another one that is set is an error of the user.
    options: ClassVar[frozenset[str]]

    @property
    def name(self) -> str:
        """How it is shown: the path, or an address without secrets."""

    @property
    def written(self) -> int:
        """How many items are safe."""

    @property
    def left_out(self) -> Mapping[str, int]:
        """How many items were added and are done, but not written, by reason."""

    @property
    def waiting(self) -> bool:
        """Whether nothing may be added for now: a receiver is away. `flush` goes on being called, and tries again."""

    def setup(self) -> None:
        """Called once, before anything is read from Kafka: make folders, open files, mend what a kill left behind.

        Raises SinkError, naming the place and the mend, when writing there cannot work; nothing is read then.
        """

    def add(self, item: T_contra, /) -> None:
        """Called for each item, in order for each camera. May keep it; the item is never changed.

        Raises FrameError when this frame's picture cannot be used: it is counted and skipped, and the next one follows.
        Raises SinkError when writing does not work any more: recording ends, and what is not done comes again.
        """

    def flush(self) -> None:
        """Called every second or so, before the group's place is written: say `done()` of what can be made safe now.

        Raises SinkError as `add` does.
        """

    def settle(self) -> None:
        """Make all that was added safe now, even where that ends files early: others take over its partitions.

        Raises SinkError as `add` does.
        """

    def close(self) -> None:
        """Called once at the end, after an error as well, but not when setup failed: settle, and close the files.

        Raises SinkError as `add` does.
        """
