"""A folder of images through the cluster: each file is a request, its reply a file of the same name.

What is there already is not asked for again, so a run that was cut off goes on where it stopped.
"""

import asyncio
import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from framelane.gateway.answers import Route, Unanswered
from framelane.gateway.exchange import Exchange
from streams.contract.errors import SinkError, SourceError
from streams.contract.images import EXTENSIONS

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
FAILURES = "failures.jsonl"
_PART = ".part"
_ALIKE = {".jpeg": ".jpg"}
# What is wrong with one name, and not with the folder.
_OF_THIS_FILE = (errno.EEXIST, errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EINVAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A file without a result. file: its path below the input folder.

    reason: as in dead letters, or no_reply, unavailable, unreadable, unwritable, other_pipeline.
    """

    file: str
    reason: str
    error: str


@dataclass(slots=True)
class BatchSums:
    """found = there + done + failed, once all are through. there: had a result before."""

    found: int = 0
    there: int = 0
    done: int = 0
    failed: int = 0


def images_in(folder: Path) -> list[Path]:
    """The images below a folder, as paths relative to it, in the order of their names; links are not followed.

    Raises SourceError for a folder that cannot be read.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder}: not a folder")

    def refuse(error: OSError) -> None:
        raise SourceError(f"{error.filename}: cannot be read: {error.strerror}") from error

    found = (Path(place, name) for place, _, names in os.walk(folder, onerror=refuse) for name in names)
    return sorted(path.relative_to(folder) for path in found if path.suffix.lower() in SUFFIXES)


class Batch:
    """One run over a folder."""

    def __init__(self, source: Path, target: Path, exchange: Exchange, route: Route) -> None:
        self.sums = BatchSums()
        self.failures: list[Failure] = []
        self._source, self._target, self._exchange, self._route = source, target, exchange, route

    async def run(self, *, at_once: int, moved: Callable[[BatchSums], None], stop: asyncio.Event) -> None:
        """Go through all files. at_once: requests under way. moved: is called after each. stop: begin no more.

        Raises SourceError and SinkError for folders that cannot be read or written; single files are failures.
        """
        files = images_in(self._source)
        self.sums.found = len(files)
        missing = iter(self._missing(files))
        moved(self.sums)

        async def work() -> None:
            for file in missing:
                if stop.is_set():
                    return
                await self._process(file)
                moved(self.sums)

        workers = [asyncio.ensure_future(work()) for _ in range(at_once)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            self._write_failures()

    def _missing(self, files: Sequence[Path]) -> Iterator[Path]:
        for file in files:
            if any((self._target / name).exists() for name in _names(file)):
                self.sums.there += 1
            else:
                yield file

    async def _process(self, file: Path) -> None:
        try:
            data = await asyncio.to_thread((self._source / file).read_bytes)
        except OSError as error:
            self._fail(file, "unreadable", str(error.strerror or error))
            return
        try:
            reply = await self._exchange.ask(data, self._route)
        except Unanswered as error:
            self._fail(file, error.failure, str(error))
            return
        if not self._route.made(reply):
            self._fail(file, "other_pipeline", f"made by {reply.pipeline}, and not by {self._route.label}")
            return
        try:
            await asyncio.to_thread(self._write, file, reply.data, reply.content_type)
        except OSError as error:
            if error.errno not in _OF_THIS_FILE:
                raise SinkError(f"{self._target / file}: cannot be written: {error.strerror or error}") from error
            self._fail(file, "unwritable", str(error.strerror or error))
            return
        self.sums.done += 1

    def _write(self, file: Path, data: bytes, content_type: str) -> None:
        suffix = EXTENSIONS[content_type]
        same = _ALIKE.get(file.suffix.lower(), file.suffix.lower()) == suffix
        target = self._target / (file if same else _renamed(file, suffix))
        # Short, however long the file's own name is.
        part = target.with_name(f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}{_PART}")
        target.parent.mkdir(parents=True, exist_ok=True)
        # Under its own name it is whole: a run that is killed leaves nothing that looks done.
        part.write_bytes(data)
        try:
            part.replace(target)
        except OSError:
            part.unlink()
            raise

    def _fail(self, file: Path, reason: str, error: str) -> None:
        self.sums.failed += 1
        self.failures.append(Failure(file=str(file), reason=reason, error=error))

    def _write_failures(self) -> None:
        """The list of this run's failures, none left over from the run before."""
        path = self._target / FAILURES
        if not self.failures:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                path.unlink()
            return
        lines = [json.dumps(asdict(failure)) for failure in self.failures]
        try:
            self._target.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        except OSError as error:
            raise SinkError(f"{path}: cannot be written: {error.strerror or error}") from error


def _names(file: Path) -> Iterator[Path]:
    """The names that a file's result may have."""
    yield file
    yield from (_renamed(file, suffix) for suffix in EXTENSIONS.values())


def _renamed(file: Path, suffix: str) -> Path:
    # Behind its own ending, for a.jpg and a.png are two images.
    return file.with_name(file.name + suffix)


def check_folders(source: Path, target: Path) -> None:
    """SourceError or SinkError for folders that will not do."""
    if not source.is_dir():
        raise SourceError(f"{source}: not a folder")
    if target.exists() and not target.is_dir():
        raise SinkError(f"{target}: not a folder")
    if os.path.commonpath([source.resolve(), target.resolve()]) == str(source.resolve()):
        raise SinkError(
            f"{target}: lies in {source}, and its images would be taken for more input: name another folder"
        )
