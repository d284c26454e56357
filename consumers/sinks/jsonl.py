"""Metadata of frames, or events, as a file of JSON lines."""

from collections import Counter
from pathlib import Path
from typing import ClassVar

from consumers.metadata import event_json, metadata_json
from consumers.received import Receipt, ReceivedEvent
from consumers.sinks.failed_write import failed_write
from consumers.sinks.known_lines import Identity, KnownLines
from consumers.sinks.shared_lines import SharedLines
from consumers.sinks.sink import Item, Kind, SinkOptions


class JsonlSink:
    """Appends one JSON object a frame or event (`consumers.metadata`) to a file, each once.

    What comes again after a kill is found among the last 64 MiB of the file and not written twice; half a line at its
    end is cut off. Several may append to the same file.
    """

    takes: ClassVar[frozenset[Kind]] = frozenset({"frames", "events"})
    options: ClassVar[frozenset[str]] = frozenset()
    waiting = False

    def __init__(self, to: str, _: SinkOptions) -> None:
        self.name, self._path = to, Path(to)
        self.written = 0
        self.left_out: Counter[str] = Counter()
        self._known = KnownLines()
        self._lines = SharedLines(self._path, self._known.read)
        self._added: list[tuple[Identity, bytes, Receipt]] = []

    def setup(self) -> None:
        """Make the folders, open the file, mend its end, and read which lines are there."""
        try:
            self._lines.open()
        except OSError as error:
            self._lines.close()
            raise failed_write(self._path, error) from error

    def add(self, item: Item, /) -> None:
        """Keep the line until the next flush."""
        line = event_json(item) if isinstance(item, ReceivedEvent) else metadata_json(item)
        identity = Identity(source=item.source, name=item.name, captured_at_ns=item.captured_at_ns)
        self._added.append((identity, line + b"\n", item.receipt))

    def flush(self) -> None:
        """Write what is new, and see that the disk has it."""
        added, self._added = self._added, []
        if not added:
            return
        try:
            with self._lines.locked():
                new = [line for identity, line, _ in added if self._known.add(identity)]
                self._lines.append(new)
        except OSError as error:
            raise failed_write(self._path, error) from error
        self.written += len(new)
        if len(new) < len(added):
            self.left_out["there already"] += len(added) - len(new)
        for _, _, receipt in added:
            receipt.done()

    def settle(self) -> None:
        """Write what is new."""
        self.flush()

    def close(self) -> None:
        """Write what is left, and close the file."""
        try:
            self.flush()
        finally:
            self._lines.close()
