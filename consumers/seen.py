"""Which frames have been seen, in bounded memory."""

from array import array
from bisect import bisect_right
from collections import OrderedDict

from streams.contract.frame import Frame

MAX_EPOCHS = 4096
MAX_RUNS = 1024
MAX_NAMES = 50_000


class SeenSequences:
    """The sequences seen of one epoch, as runs of neighbours.

    A stream without gaps is a single run however long it grows, so a repeat is known even after a rewind of hours.
    Each gap costs a run (16 bytes); above max_runs the lowest is forgotten, and a repeat from there comes through
    again: a frame twice is a nuisance, a frame lost is a fault.
    """

    def __init__(self, *, max_runs: int = MAX_RUNS) -> None:
        self._max_runs = max_runs
        self._starts, self._ends = array("Q"), array("Q")
        self._floor = -1
        self.missing = 0
        self.newest_ns = 0

    def add(self, sequence: int) -> bool:
        """Note a sequence (0 or more); False when it has been seen already.

        Keeps `missing`: how many between the lowest and the highest have not come. A late one takes itself off again.
        """
        if self._ends and sequence == self._ends[-1] + 1:
            # The next one, as it nearly always is.
            self._ends[-1] = sequence
            return True
        at = bisect_right(self._starts, sequence) - 1
        if at >= 0 and sequence <= self._ends[at]:
            return False
        self._count_missing(sequence)
        self._insert(at, sequence)
        if len(self._starts) > self._max_runs:
            self._floor = max(self._floor, self._ends[0])
            del self._starts[0], self._ends[0]
        return True

    @property
    def highest(self) -> int:
        """The highest sequence that has come; -1 before the first."""
        return self._ends[-1] if self._ends else -1

    def _count_missing(self, sequence: int) -> None:
        if not self._starts or sequence <= self._floor:
            return
        if sequence > self._ends[-1]:
            self.missing += sequence - self._ends[-1] - 1
        elif sequence > self._starts[0] or self._floor >= 0:
            self.missing -= 1
        else:
            self.missing += self._starts[0] - sequence - 1

    def _insert(self, at: int, sequence: int) -> None:
        joins_left = at >= 0 and self._ends[at] + 1 == sequence
        joins_right = at + 1 < len(self._starts) and self._starts[at + 1] == sequence + 1
        if joins_left and joins_right:
            self._ends[at] = self._ends[at + 1]
            del self._starts[at + 1], self._ends[at + 1]
        elif joins_left:
            self._ends[at] = sequence
        elif joins_right:
            self._starts[at + 1] = sequence
        else:
            self._starts.insert(at + 1, sequence)
            self._ends.insert(at + 1, sequence)


class SeenFrames:
    """The identities (`ce_source` + `ce_id`) seen, kept per source, camera and epoch.

    Above max_epochs the epoch that was silent the longest is forgotten: each reconnect of a camera begins a new one.
    An epoch "@topic-partition" counts offsets, and a topic that is deleted and made again counts from 0 again: what
    goes back in sequence and yet is newer than all before begins the epoch anew. A rewind goes back in both.
    """

    def __init__(self, *, max_epochs: int = MAX_EPOCHS, max_runs: int = MAX_RUNS) -> None:
        self._max_epochs, self._max_runs = max_epochs, max_runs
        self._epochs: OrderedDict[tuple[str, str, str], SeenSequences] = OrderedDict()

    def add(self, frame: Frame) -> tuple[bool, int, int]:
        """Note a frame.

        Returns whether it is new, by how much the camera's missing frames have changed with it, and the highest
        sequence of its epoch before it (-1: none).
        """
        key = (frame.source, frame.camera_id, frame.epoch)
        epoch = self._epochs.get(key)
        if epoch is None:
            epoch = self._epochs[key] = SeenSequences(max_runs=self._max_runs)
            if len(self._epochs) > self._max_epochs:
                self._epochs.popitem(last=False)
        else:
            self._epochs.move_to_end(key)
            if frame.epoch.startswith("@") and _begins_anew(frame, epoch):
                epoch = self._epochs[key] = SeenSequences(max_runs=self._max_runs)
        epoch.newest_ns = max(epoch.newest_ns, frame.captured_at_ns)
        missing, highest = epoch.missing, epoch.highest
        new = epoch.add(frame.sequence)
        return new, epoch.missing - missing, highest


class SeenNames:
    """Identities that are no numbers of a sequence, such as those of events: the last `limit` of them."""

    def __init__(self, *, limit: int = MAX_NAMES) -> None:
        self._limit = limit
        self._names: OrderedDict[tuple[str, str], None] = OrderedDict()

    def add(self, source: str, name: str) -> bool:
        """Note an identity (`ce_source`, `ce_id`); False when it has been seen already."""
        if (source, name) in self._names:
            self._names.move_to_end((source, name))
            return False
        self._names[source, name] = None
        if len(self._names) > self._limit:
            self._names.popitem(last=False)
        return True


def _begins_anew(frame: Frame, epoch: SeenSequences) -> bool:
    # Of a bare record, and of all that is made of it, the capture time is the record's timestamp.
    return frame.sequence <= epoch.highest and frame.captured_at_ns > epoch.newest_ns
