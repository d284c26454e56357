"""A [[pipeline]] as text, read back by what reads files of pipelines."""

from pathlib import Path
from typing import Any

import pytest

from framelane.view.tryout.toml import pipeline_toml
from streams.pipeline_settings import load_pipelines
from streams.told_settings import told_settings

OPERATORS: list[dict[str, Any]] = [
    {"op": "motion", "zones": [[[0, 0.5], [1, 0.5], [1, 1]]], "min_area": 0.01, "shadows": True},
    {"op": "timestamp", "format": '%H:%M "UTC" \\'},
    {"op": "resize", "width": 320},
]


@pytest.mark.parametrize(
    "pipeline",
    [
        {"name": "try"},
        {
            "name": "gates",
            "group": "g-1",
            "output": "",
            "cameras": ["gate-*", "!gate-9"],
            "max_fps": 2.5,
            "plan": False,
        },
    ],
)
def test_it_reads_back_as_it_was(pipeline: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "pipelines.toml"
    file.write_text(pipeline_toml(pipeline, OPERATORS))
    (read,) = load_pipelines(file)
    told = told_settings(read) | {"name": read.name, "group": read.group}
    assert told["operators"] == OPERATORS
    for name, value in pipeline.items():
        assert told[name] == (tuple(value) if isinstance(value, list) else value)


def test_what_a_worker_tells_gives_the_same_pipeline(tmp_path: Path) -> None:
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    first.write_text(pipeline_toml({"name": "gates", "quality": 55, "format": "webp"}, OPERATORS))
    (read,) = load_pipelines(first)
    told = told_settings(read)
    second.write_text(pipeline_toml({**told, "name": "gates", "group": read.group}, told["operators"]))
    assert load_pipelines(second) == (read,)


def test_what_has_its_default_is_left_out() -> None:
    text = pipeline_toml({"name": "gates", "group": "framelane.gates", "quality": 80}, [])
    assert text == '[[pipeline]]\nname = "gates"\ninput = "frames.raw"\noutput = "frames.processed"\noperators = []\n'
