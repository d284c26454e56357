"""Fetching the bytes of many frames from both sides again, and comparing them, in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from confluent_kafka import Message

from framelane.diff.asked import Key, Which
from framelane.diff.frame_index import Pair
from framelane.diff.likeness import GONE, Likeness, likeness
from framelane.lookup.reader import PlaceReader
from streams.contract.topics import MIB

# Of the one side so many bytes are held at a time; of the other, a few frames for each thread.
BUDGET_BYTES = 64 * MIB
_AHEAD = 3
# Reading over so many records takes no longer than asking anew.
_GAP = 32

Readers = tuple[PlaceReader, PlaceReader]
Compare = Callable[[bytes, bytes], Likeness]


def compare_pictures(
    readers: Readers,
    pairs: Mapping[Key, Pair],
    *,
    threads: int,
    budget_bytes: int = BUDGET_BYTES,
    compare: Compare = likeness,
) -> Iterator[tuple[Key, Likeness]]:
    """Each pair with how alike its pictures are. pairs: frames that both sides have. Raises KafkaError.

    By time of capture, for then both topics are read from their beginnings to their ends once, whatever partitions
    their cameras lie in.
    """
    in_order = sorted(pairs.items(), key=lambda item: item[1].captured_at_ns)
    with ThreadPoolExecutor(threads, "compare") as pool:
        for chunk in chunks(in_order, budget_bytes=budget_bytes):
            yield from _compare(readers, chunk, pool, compare, ahead=_AHEAD * threads)


def chunks(pairs: Iterable[tuple[Key, Pair]], *, budget_bytes: int) -> Iterator[list[tuple[Key, Pair]]]:
    """Parts of them, of which the first side's bytes fit into the budget; one pair at least."""
    chunk: list[tuple[Key, Pair]] = []
    size = 0
    for key, pair in pairs:
        more = pair.a.size if pair.a is not None else 0
        if chunk and size + more > budget_bytes:
            yield chunk
            chunk, size = [], 0
        chunk.append((key, pair))
        size += more
    if chunk:
        yield chunk


def fetch(reader: PlaceReader, which: Which, pairs: Iterable[tuple[Key, Pair]]) -> Iterator[tuple[Key, Message]]:
    """These frames from one side, in its own order; what has been deleted since is left out."""
    wanted: dict[int, dict[int, Key]] = {}
    for key, pair in pairs:
        sighting = pair.of(which)
        if sighting is not None:
            wanted.setdefault(sighting.partition, {})[sighting.offset] = key
    for partition, keys in sorted(wanted.items()):
        for start, end in stretches(sorted(keys)):
            for message in reader.span(partition, start, end):
                key_there = keys.get(message.offset() or 0)
                if key_there is not None:
                    yield key_there, message


def stretches(offsets: Sequence[int]) -> Iterator[tuple[int, int]]:
    """From where to where to read, the end excluded, so that all of these offsets, in order, are met."""
    start = last = offsets[0]
    for offset in offsets[1:]:
        if offset - last > _GAP:
            yield start, last + 1
            start = offset
        last = offset
    yield start, last + 1


def _compare(
    readers: Readers, chunk: list[tuple[Key, Pair]], pool: ThreadPoolExecutor, compare: Compare, *, ahead: int
) -> Iterator[tuple[Key, Likeness]]:
    of_a = {key: message.value() or b"" for key, message in fetch(readers[0], 0, chunk)}
    gone = {key for key, _ in chunk}
    running: deque[tuple[Key, Future[Likeness]]] = deque()
    for key, message in fetch(readers[1], 1, [(key, pair) for key, pair in chunk if key in of_a]):
        gone.discard(key)
        running.append((key, pool.submit(compare, of_a.pop(key), message.value() or b"")))
        if len(running) > ahead:
            done, future = running.popleft()
            yield done, future.result()
    for key, future in running:
        yield key, future.result()
    for key in gone:
        yield key, GONE
