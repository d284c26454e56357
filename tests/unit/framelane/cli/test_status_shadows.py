"""How shadows are shown."""

import io
import re
from dataclasses import replace

from rich.console import Console

from framelane.cli.status_tables import tables
from framelane.shadow_line import ShadowLine
from framelane.status_report import StatusReport

LINE = ShadowLine(
    pipeline="privacy",
    live="privacy@1f3a90c2",
    shadow="privacy-shadow@77b01e4d",
    state="running",
    seen_s=1.0,
    processes=1,
    seconds=60.0,
    frames=1800,
    changed_events_per_minute=12.0,
    only_live=3,
    only_shadow=4,
    pictures=60,
    psnr_mean_db=38.24,
    psnr_lowest_db=29.96,
    skipped=5,
)


def shown(line: ShadowLine) -> str:
    report = StatusReport(at_ns=0, bootstrap="", pipelines=(), workers=(), producers=(), cameras=(), shadows=(line,))
    out = io.StringIO()
    Console(file=out, width=80, color_system=None).print(tables(report))
    return out.getvalue()


def test_a_shadow_has_its_row_at_80_columns() -> None:
    text = shown(LINE)

    assert re.search(r"1800 +12\.0 +3 +4 +38\.2 / 30\.0 +5 *$", text, re.M), text
    assert "privacy@1f3a90c2" in text and "77b01e4d" in text, text
    assert max(map(len, text.splitlines())) <= 80


def test_one_that_is_gone_and_pictures_that_are_not_compared_are_told_of() -> None:
    assert "other size" in shown(replace(LINE, psnr_mean_db=None, psnr_lowest_db=None, resized=9))
    assert re.search(r" - +5 *$", shown(replace(LINE, psnr_mean_db=None, psnr_lowest_db=None)), re.M)
    assert "stopped" in shown(replace(LINE, state="stopped", seen_s=90))
    assert "running" not in shown(LINE)
