"""A folder of images, or one image: their bytes pass untouched."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from producers.sources.base import DEFAULT_FPS, Grab, SourceOptions
from producers.sources.decoders import UNTOUCHED
from producers.sources.image_files import EXPECTED, is_image, is_image_name, natural_key
from producers.sources.watched_folder import WatchedFolder
from streams.contract.errors import SourceError, SourceLost

__all__ = ["ImageFolder", "is_image_name", "natural_key", "open_folder", "open_image"]

logger = logging.getLogger(__name__)


class ImageFolder:
    """Gives the files in natural order of their names (frame2 before frame10); what is no image is named and skipped.

    A file is read when its turn comes, so a folder may be larger than the memory.
    """

    live = False
    codec = "images"
    decoder = UNTOUCHED

    def __init__(self, name: str, files: Sequence[Path], options: SourceOptions) -> None:
        self.name = name
        self.fps = options.fps or DEFAULT_FPS
        self._files, self._options = files, options
        self._images: Iterator[bytes] = self._read()
        self._index = 0

    def grab(self) -> Grab | None:
        """The next image; None after the last one unless it loops."""
        data = next(self._images, None)
        if data is None and self._options.loop:
            if self._index == 0:
                raise SourceLost(f"source {self.name!r}: none of its files is an image any more")
            self._images, self._index = self._read(), 0
            return self.grab()
        if data is None:
            return None
        media_time_ns = round(self._index * 1_000_000_000 / self.fps)
        self._index += 1
        return Grab(picture=data, captured_at_ns=self._options.clock(), media_time_ns=media_time_ns)

    def close(self) -> None:
        """End here."""
        self._images = iter(())

    def _read(self) -> Iterator[bytes]:
        for file in self._files:
            try:
                data = file.read_bytes()
            except OSError as error:
                logger.warning("skipped %s: %s", file, error, extra={"source": self.name})
                continue
            if not is_image(data):
                logger.warning("skipped %s: expected %s", file, EXPECTED, extra={"source": self.name})
                continue
            # One that is damaged or too large is a frame that was captured: it is counted where it is refused.
            yield data


def open_folder(path: Path, options: SourceOptions) -> ImageFolder | WatchedFolder:
    """Open a folder; SourceError when it is empty or no file in it is an image, unless it is to be watched."""
    if options.watch:
        return WatchedFolder(path, options)
    try:
        files = sorted(
            (entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith(".")),
            key=lambda entry: (natural_key(entry.name), entry.name),
        )
    except OSError as error:
        raise SourceError(f"source {str(path)!r}: the folder cannot be read: {error.strerror}") from error
    if not files:
        raise SourceError(f"source {str(path)!r}: the folder is empty; expected {EXPECTED} files in it")
    if not any(_is_image_file(file) for file in files):
        raise SourceError(
            f"source {str(path)!r}: none of the {len(files)} files in the folder is an image; expected {EXPECTED}"
        )
    return ImageFolder(str(path), files, options)


def open_image(path: Path, options: SourceOptions) -> ImageFolder:
    """Open one image as a source of one frame; SourceError when it is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"source {str(path)!r}: cannot be read: {error.strerror}") from error
    if not is_image(data):
        raise SourceError(f"source {str(path)!r}: is not a {EXPECTED}")
    return ImageFolder(str(path), [path], options)


def _is_image_file(file: Path) -> bool:
    try:
        return is_image(file.read_bytes())
    except OSError:
        return False
