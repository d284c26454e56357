"""A section as Markdown, as JSON and as a picture."""

import json
import math
from pathlib import Path

import cv2

from benchmarks.chart import draw
from benchmarks.figures import Sample
from benchmarks.section import Section, Target
from benchmarks.suites import rows
from benchmarks.table import to_json, to_markdown

MACHINE = {"cores": "2", "processor": "a processor"}
FOUND = {
    "Framelane": [Sample(fps=180.0, cpu_ms=7.0, broker_cpu_ms=1.0), Sample(fps=200.0, cpu_ms=8.0, broker_cpu_ms=2.0)],
    "hand-written loop": [Sample(fps=200.0, cpu_ms=6.0), Sample(fps=400.0, cpu_ms=7.0)],
}


def section() -> Section:
    return Section(
        name="throughput",
        title="Throughput",
        header=rows.HEADER,
        rows=rows.rows(FOUND),
        targets=[
            Target("frames/s, by the loop", rows.fps_ratio(FOUND, "Framelane", "hand-written loop"), ">=", 0.95),
            Target("CPU a frame, more", 0.5, "<=", 0.6, " ms"),
        ],
        notes=["Two rounds."],
        bars=rows.bars(FOUND),
        data=rows.data(FOUND),
    )


def test_the_table_has_medians_ranges_and_targets_met_or_not() -> None:
    text = to_markdown(section(), MACHINE)

    lines = text.splitlines()
    assert lines[0] == "## Throughput"
    assert "cores 2, processor a processor." in lines
    assert "| Framelane         | 190 (180 to 200) | 7.50 (7.00 to 8.00) | 1.50 (1.00 to 2.00)   |" in lines
    assert "| hand-written loop | 300 (200 to 400) | 6.50 (6.00 to 7.00) | not ours              |" in lines
    assert "- frames/s, by the loop: 0.70, wanted >= 0.95: **not met**" in lines
    assert "- CPU a frame, more: 0.50 ms, wanted <= 0.6 ms: met" in lines
    assert lines[-1] == "Two rounds."
    assert len({len(line) for line in lines if line.startswith("|")}) == 1


def test_json_holds_every_measurement_and_is_json() -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    found = json.loads(to_json(section(), MACHINE), parse_constant=refuse)

    assert [each["fps"] for each in found["measured"]["Framelane"]] == [180.0, 200.0]
    assert found["measured"]["Framelane"][0]["fidelity_db"] is None and math.isinf(FOUND["Framelane"][0].fidelity_db)
    assert [each["met"] for each in found["targets"]] == [False, True]
    assert found["machine"] == MACHINE


def test_the_chart_is_a_picture(tmp_path: Path) -> None:
    draw(section(), tmp_path / "chart.png")

    image = cv2.imread(str(tmp_path / "chart.png"))
    assert image is not None and image.std() > 10
