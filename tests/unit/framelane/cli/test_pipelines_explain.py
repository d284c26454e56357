import json
import subprocess
import sys
from pathlib import Path

import pytest

FRAMELANE = [sys.executable, "-c", "from framelane.cli import main; main()"]
SUPPORT = Path(__file__).parents[3] / "support"

PIPELINES = """
[[pipeline]]
name = "small"
operators = [{ op = "resize", width = 320 }, { op = "annotate" }]
[[pipeline]]
name = "watch"
output = ""
operators = [{ op = "motion", downscale = 2 }]
[[pipeline]]
name = "pass"
format = "keep"
[[pipeline]]
name = "whole"
plan = false
operators = [{ op = "grayscale" }]
"""


def explain(tmp_path: Path, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "p.toml"
    file.write_text(text)
    return subprocess.run(
        [*FRAMELANE, "pipelines", "explain", str(file), "--size", "640x360", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(SUPPORT)},
    )


def test_in_plain_words(tmp_path: Path) -> None:
    done = explain(tmp_path, PIPELINES)

    assert (done.returncode, done.stderr) == (0, "")
    small, watch, passed, whole = done.stdout.strip().split("\n\n")
    assert small.startswith("small@")
    assert "decodes  a JPEG of 640x360 at 1/2, 320x180, in colour, before 0:resize: 0.2 MB" in small
    assert "not to gray: 1:annotate needs colour" in small
    assert "encoded as jpeg, quality 80" in small
    assert "looks back on 200" in watch and "events alone" in watch
    assert "nothing of a JPEG" in passed and "the camera's bytes, as they came" in passed
    assert "whole in colour" in whole and "not at a reduced scale: plan = false" in whole


def test_as_json_with_each_stage_measured_with_and_without_the_plan(tmp_path: Path) -> None:
    done = explain(tmp_path, PIPELINES, "--json")

    assert (done.returncode, done.stderr) == (0, "")
    small, watch, passed, whole = map(json.loads, done.stdout.splitlines())
    assert small["decode"] == {
        "before": "0:resize",
        "scale": 2,
        "size": [320, 180],
        "mode": "color",
        "bytes": 320 * 180 * 3,
        "whole_because": "",
        "color_because": "1:annotate needs colour",
    }
    for measured in small["milliseconds"].values():
        assert list(measured) == ["decode", "0:resize", "1:annotate", "encode"]
        assert all(taken > 0 for taken in measured.values())
    assert list(watch["milliseconds"]["plan"]) == ["decode", "0:motion"]
    assert (passed["decode"]["before"], passed["keeps_bytes"]) == (None, True)
    # A look at its end, against decoding it.
    assert passed["milliseconds"]["plan"]["decode"] < passed["milliseconds"]["no_plan"]["decode"]
    assert (whole["plan"], whole["decode"]["mode"], whole["decode"]["scale"]) == (False, "color", 1)


def test_a_size_that_cannot_be_halved(tmp_path: Path) -> None:
    (told,) = explain(tmp_path, PIPELINES, "--json", "--size", "641x360").stdout.splitlines()[:1]

    assert json.loads(told)["decode"]["whole_because"] == "half of 641x360 is no whole number of pixels"


def test_an_operator_that_fails_is_told_and_the_others_are_explained(tmp_path: Path) -> None:
    text = '[[pipeline]]\nname = "a"\noperators = [{ op = "odd_operators:Raises" }]\n' + PIPELINES

    done = explain(tmp_path, text)

    assert done.returncode == 0
    assert "it fails on frame 0: 0:odd_operators:Raises: ZeroDivisionError" in done.stdout
    assert "small@" in done.stdout


@pytest.mark.parametrize(
    ("text", "arguments", "told"),
    [
        ('[[pipeline]]\nname = "a"\nplan = 1\n', [], "p.toml:3: pipeline[0].plan = 1: expected true | false"),
        (PIPELINES, ["--size", "64x36"], "--size 64x36: at least 160x120 is needed"),
        (PIPELINES, ["--size", "wide"], "--size 'wide': expected WIDTHxHEIGHT in pixels"),
        (PIPELINES, ["--size", "60000x60000"], "--size 60000x60000"),
    ],
)
def test_what_is_wrong(tmp_path: Path, text: str, arguments: list[str], told: str) -> None:
    done = explain(tmp_path, text, *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr and "Traceback" not in done.stderr
