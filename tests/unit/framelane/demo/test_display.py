"""What the demo shows: a live table on a terminal, plain lines elsewhere."""

import io
import re

from rich.console import Console

from consumers.status_board import CameraRow
from framelane.demo.display import Display, closing_table
from streams.contract.status import CameraSums

ROW = CameraRow(
    "gate-1",
    captured_fps=15.04,
    processed_fps=14.96,
    produced=CameraSums(captured=103, produced=101, dropped={"buffer_full": 2}),
    worked=CameraSums(processed=97, dead_lettered={"undecodable": 3}),
    age_p50_ms=18.4,
    age_p99_ms=41.6,
)


def shown(*, terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, color_system=None, legacy_windows=False)
    with Display(console, title="synthetic cameras") as display:
        display.show([ROW], note="4 s left")
    return out.getvalue()


def test_a_terminal_gets_a_live_table() -> None:
    text = shown(terminal=True)
    assert "synthetic cameras" in text and "4 s left" in text
    heads = r"captured +processed +age p50 +age p99 +dead-.*\n.*camera +fps +fps +ms +ms +dropped +lettered"
    assert re.search(heads, text), text
    assert re.search(r"gate-1 +15\.0 +15\.0 +18 +42 +2 +3", text), text
    assert "\x1b[" in text, "it is drawn again in place"


def test_everything_else_gets_plain_lines() -> None:
    assert shown(terminal=False) == (
        "gate-1: captured 15.0 fps, processed 15.0 fps, age p50 18 ms p99 42 ms, dropped 2, dead-lettered 3\n"
    )


def test_the_closing_sums_show_what_is_missing() -> None:
    out = io.StringIO()
    Console(file=out, width=100, color_system=None).print(closing_table([ROW]))
    assert re.search(r"captured +dropped +delivered +processed +dead letters +missing", out.getvalue())
    assert re.search(r"gate-1 +103 +2 +101 +97 +3 +1", out.getvalue())
