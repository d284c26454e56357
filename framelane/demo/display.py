"""How the demo shows what goes on: a live table on a terminal, plain lines elsewhere."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table

from consumers.status_board import CameraRow

_PLAIN_EVERY_S = 2.0
_RATES_KNOWN_S = 3.0


class Display:
    """Shows rows as they change. Use as a context manager."""

    def __init__(self, console: Console, *, title: str) -> None:
        self._console, self._title = console, title
        self._live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None
        self._plain_next = 0.0
        self._known_by: float | None = None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, rows: Sequence[CameraRow], *, note: str) -> None:
        """Show how things stand."""
        if self._live:
            self._live.update(_table(rows, title=self._title, caption=note))
            return
        if rows and self._known_by is None:
            self._known_by = time.monotonic() + _RATES_KNOWN_S
        # Rates are known when a producer and a worker have reported twice; a camera without frames hides no others.
        known = all(row.captured_fps and row.processed_fps for row in rows)
        now = time.monotonic()
        if self._known_by and (known or now >= self._known_by) and now >= self._plain_next:
            self._plain_next = time.monotonic() + _PLAIN_EVERY_S
            for row in rows:
                self._console.print(_line(row), highlight=False, soft_wrap=True)


def closing_table(rows: Sequence[CameraRow]) -> Table:
    """The closing sums of each camera."""
    columns = {
        "captured": [row.produced.captured for row in rows],
        "dropped": [row.dropped for row in rows],
        "delivered": [row.produced.produced for row in rows],
        "processed": [row.worked.processed for row in rows],
        "filtered": [row.worked.filtered for row in rows],
        "dead letters": [row.dead_lettered for row in rows],
        "missing": [row.produced.produced - row.finished for row in rows],
    }
    if not any(columns["filtered"]):
        # Most pipelines filter nothing, and the table should fit a terminal.
        del columns["filtered"]
    table = _new_table("Closing sums", tuple(columns))
    for index, row in enumerate(rows):
        table.add_row(row.camera, *(str(counts[index]) for counts in columns.values()))
    return table


def _table(rows: Sequence[CameraRow], *, title: str, caption: str) -> Table:
    columns = ("captured\nfps", "processed\nfps", "age p50\nms", "age p99\nms", "dropped", "dead-\nlettered")
    table = _new_table(title, columns, caption=caption)
    for row in rows:
        table.add_row(
            row.camera,
            f"{row.captured_fps:.1f}",
            f"{row.processed_fps:.1f}",
            _ms(row.age_p50_ms),
            _ms(row.age_p99_ms),
            str(row.dropped),
            str(row.dead_lettered),
        )
    return table


def _new_table(title: str, columns: Sequence[str], *, caption: str | None = None) -> Table:
    table = Table(
        title=title,
        caption=caption,
        title_justify="left",
        caption_justify="left",
        box=SIMPLE_HEAD,
        title_style="bold",
        padding=(0, 1),
        pad_edge=False,
    )
    table.add_column("camera", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right")
    return table


def _line(row: CameraRow) -> str:
    return (
        f"{row.camera}: captured {row.captured_fps:.1f} fps, processed {row.processed_fps:.1f} fps, "
        f"age p50 {_ms(row.age_p50_ms)} ms p99 {_ms(row.age_p99_ms)} ms, "
        f"dropped {row.dropped}, dead-lettered {row.dead_lettered}"
    )


def _ms(age: float | None) -> str:
    return "-" if age is None else f"{age:.0f}"
