"""Bad images through gate and decoder: `python bad_images_trial.py SEED COUNT MEMORY_MB INDEX_FILE`.

It may take no more memory than that beyond what the process has at the start, and prints what came of it as JSON. The
file holds the number of the image that is being tried, for whoever has to find out on which one the process died.
"""

import json
import mmap
import resource
import struct
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
from bad_images import Good, bad_images, good_images

from streams.contract.errors import FrameError
from streams.contract.images import decode, inspect

WAYS = (("color", 1), ("gray", 1), ("color", 4))


def tried(seed: int, count: int, good: Good, index: Callable[[int], None]) -> dict[str, object]:
    """Give each to gate and decoder, and count what came of it. Times are those of the processor, in ms."""
    refused: Counter[str] = Counter()
    kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
    escaped, wrong, decoded = list[str](), list[str](), 0
    slowest, largest = (0.0, "", 0), (0, "", 0)
    begin_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, image in enumerate(bad_images(seed, count, good)):
        index(number)
        mode, scale = WAYS[number % len(WAYS)]
        # What the corpus itself has taken to be made is not the decoder's.
        before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.process_time()
        try:
            header = inspect(image.data)
            picture = decode(image.data, mode=mode, scale=scale, header=header)  # type: ignore[arg-type]
            assert picture.size
            decoded += 1
            kinds[image.kind]["decoded"] += 1
            if image.hopeless:
                wrong.append(f"{number}: {image.kind}, {picture.shape}")
        except FrameError as error:
            refused[error.reason] += 1
            kinds[image.kind]["refused"] += 1
        except BaseException as error:  # noqa: BLE001 - what must not be
            escaped.append(f"{number}: {image.kind}, {type(error).__name__}: {error}")
        slowest = max(slowest, ((time.process_time() - began) * 1000, image.kind, number))
        grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
        largest = max(largest, (grown_kb, image.kind, number)) if grown_kb else largest
    return {
        "tried": count,
        "refused": dict(refused),
        "decoded": decoded,
        "kinds": {kind: dict(counts) for kind, counts in kinds.items()},
        "escaped": escaped,
        "decoded though hopeless": wrong,
        "worst ms": slowest,
        "grew by kB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - begin_kb,
        "most by one": largest,
    }


def main(seed: str, count: str, memory_mb: str, index_file: str) -> None:
    """Try them all with so much memory, and print what came of it."""
    cv2.setNumThreads(1)
    good = good_images(Path(index_file).parent)
    for each in good.images.values():
        decode(each)
    with Path("/proc/self/statm").open() as statm:
        has = int(statm.read().split()[0]) * mmap.PAGESIZE
    resource.setrlimit(resource.RLIMIT_AS, (has + int(memory_mb) * 2**20,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with Path(index_file).open("r+b") as file, mmap.mmap(file.fileno(), 8) as place:

        def index(number: int) -> None:
            place[:8] = struct.pack("<q", number)

        print(json.dumps(tried(int(seed), int(count), good, index)))


if __name__ == "__main__":
    main(*sys.argv[1:])
