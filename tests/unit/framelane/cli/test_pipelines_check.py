import json
import subprocess
import sys
from pathlib import Path

FRAMELANE = [sys.executable, "-c", "from framelane.cli import main; main()"]


def framelane(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*FRAMELANE, *arguments], capture_output=True, text=True, check=False)


def test_says_what_would_run(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(
        '[[pipeline]]\nname = "a"\noperators = [{ op = "flip" }, { op = "edges" }]\n'
        '[[pipeline]]\nname = "b"\noutput = ""\n'
    )

    done = framelane("pipelines", "check", str(file))

    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert first.startswith("a@") and first.endswith("  framelane.a  frames.raw -> frames.processed  flip, edges")
    assert second.endswith("  framelane.b  frames.raw -> frames.events (events only)  no operators")


def test_tells_every_mistake_on_stderr(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text('[[pipeline]]\nname = "a"\nquality = 0\noperators = [{ op = "blur", kernel = 4 }]\n')

    done = framelane("pipelines", "check", str(file))

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"{file}:3: pipeline[0].quality = 0: expected a number from 1 to 100",
        f"{file}:4: pipeline[0].operators[0].kernel = 4: expected an odd number from 3 to 255",
    ]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    done = framelane("pipelines", "check", str(tmp_path / "none.toml"))

    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot read" in done.stderr and "Traceback" not in done.stderr


def test_as_json_a_line_for_each_pipeline(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text('[[pipeline]]\nname = "a"\noperators = [{ op = "flip" }]\n[[pipeline]]\nname = "b"\n')

    done = framelane("pipelines", "check", str(file), "--json")

    assert (done.returncode, done.stderr) == (0, "")
    first, second = map(json.loads, done.stdout.splitlines())
    assert first.pop("pipeline").startswith("a@")
    assert first == {
        "name": "a",
        "group": "framelane.a",
        "input": "frames.raw",
        "output": "frames.processed",
        "events": "frames.events",
        "dead_letter": "frames.dead-letter",
        "operators": ["flip"],
    }
    assert second["name"] == "b"


def test_the_table_that_says_how_to_reach_the_broker_is_checked_too(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text('[kafka]\nbootstrapp = "x"\n[[pipeline]]\nname = "a"\n')

    done = framelane("pipelines", "check", str(file))

    assert (done.returncode, done.stdout) == (2, "")
    assert "kafka.bootstrapp: there is no such setting; did you mean bootstrap?" in done.stderr
