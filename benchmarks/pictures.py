"""The frames that every contender gets: JPEGs of a moving scene with noise, or of a video file."""

from collections.abc import Iterator
from pathlib import Path

from producers.scene import Scene
from producers.sources import Grab, SourceOptions, open_source
from streams.contract.errors import SourceError
from streams.contract.images import decode, encode
from streams.contract.partitioner import partition_of

_SCENES = 8
_QUALITY = 80
_MAX_BYTES = 256 * 1024 * 1024


def synthetic(size: tuple[int, int], *, each: int = 24) -> list[list[bytes]]:
    """`each` JPEGs of some scenes; played forwards and backwards, their motion has no break."""
    made = []
    for number in range(_SCENES):
        scene = Scene(f"scene-{number}", size=size, fps=15.0, seed=number)
        made.append([encode(scene.draw(sequence), quality=_QUALITY) for sequence in range(each)])
    return made


def of_video(path: Path) -> tuple[list[list[bytes]], tuple[int, int]]:
    """The first frames of a video file as JPEGs, one list, and their (width, height); SourceError when it has none."""
    source = open_source(str(path), SourceOptions(camera_id="video"))
    pictures: list[bytes] = []
    size, total = (0, 0), 0
    try:
        while total < _MAX_BYTES and isinstance(grab := source.grab(), Grab):
            image = decode(grab.picture) if isinstance(grab.picture, bytes) else grab.picture
            size = (image.shape[1], image.shape[0])
            pictures.append(encode(image, quality=_QUALITY))
            total += len(pictures[-1])
    finally:
        source.close()
    if not pictures:
        raise SourceError(f"source {str(path)!r}: the video has no frame")
    return [pictures], size


def there_and_back(pictures: list[bytes], *, start: int = 0) -> Iterator[bytes]:
    """The pictures without end, forwards and backwards in turn, from number `start` on."""
    turn = [*pictures, *pictures[-2:0:-1]]
    at = start % len(turn)
    while True:
        yield turn[at]
        at = (at + 1) % len(turn)


def camera_ids(count: int, *, partitions: int) -> list[str]:
    """Names of cameras whose keys fall on the partitions evenly: a fact of the benchmark, not of hashing."""
    wanted = [count // partitions + (partition < count % partitions) for partition in range(partitions)]
    found: list[str] = []
    number = 0
    while len(found) < count:
        name = f"camera-{number}"
        partition = partition_of(name.encode(), partitions)
        if wanted[partition]:
            wanted[partition] -= 1
            found.append(name)
        number += 1
    return found
