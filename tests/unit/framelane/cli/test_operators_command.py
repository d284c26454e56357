import json

from typer.testing import CliRunner

from framelane.cli import app
from streams.operators import OPERATORS


def test_as_json_a_line_for_each_operator() -> None:
    result = CliRunner().invoke(app, ["operators", "--json"])

    assert result.exit_code == 0
    listed = {entry["name"]: entry for entry in map(json.loads, result.stdout.splitlines())}
    assert list(listed) == [*OPERATORS, "remote"]
    assert listed["blur"] == {
        "name": "blur",
        "description": "Soften, so that detail and noise go.",
        "parameters": [
            {"name": "kind", "type": '"gaussian" | "median"', "required": False, "default": "gaussian"},
            {"name": "kernel", "type": "integer", "required": False, "default": 5},
        ],
    }


def test_as_a_table() -> None:
    result = CliRunner().invoke(app, ["operators"], env={"COLUMNS": "160"})

    assert result.exit_code == 0
    for name, operator in OPERATORS.items():
        assert name in result.stdout
        assert (operator.__doc__ or "").partition("\n")[0][:20] in result.stdout
    assert "[[[x, y], ...], ...]" in result.stdout
