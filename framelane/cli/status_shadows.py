"""How shadows are shown in `framelane status`: at 80 columns."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from framelane.shadow_line import ShadowLine
from framelane.status_words import seconds_text


def shadow_table(lines: Sequence[ShadowLine]) -> Table:
    """A row for each pipeline whose new settings are tried: what differs from those that are live, in a minute."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False, collapse_padding=True, show_edge=False)
    table.add_column("shadow: live -> new", overflow="fold", min_width=8)
    for heading in (
        "frames\nin time",
        "events changed\na minute",
        "only\nlive",
        "only\nnew",
        "PSNR in dB\nmean / lowest",
        "skip-\nped",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(
            _name(line),
            f"{line.frames}\n{line.seconds:.0f} s",
            f"{line.changed_events_per_minute:.1f}",
            str(line.only_live),
            str(line.only_shadow),
            _likeness(line),
            str(line.skipped),
        )
    return table


def _name(line: ShadowLine) -> str:
    text = escape(f"{line.live} -> {line.shadow.partition('@')[2]}")
    seen = seconds_text(line.seen_s)
    since = {"silent": f" for {seen}", "stopped": f" {seen} ago"}.get(line.state, "")
    return text if line.state == "running" else f"{text} [yellow]{line.state}{since}[/]"


def _likeness(line: ShadowLine) -> str:
    if line.psnr_mean_db is None or line.psnr_lowest_db is None:
        return "other size" if line.resized else "-"
    return f"{line.psnr_mean_db:.1f} / {line.psnr_lowest_db:.1f}"
