"""The wheel: what is in it, and that it works where nothing of this checkout is."""

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import pytest
from kafka_support import cli_environ

ROOT = Path(__file__).parents[2]
PACKAGES = ("streams", "producers", "consumers", "framelane")
# Fetching and unpacking some sixty packages, on a slow line.
INSTALL_S = 540


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one that FRAMELANE_WHEEL names, as a release has built it; otherwise one that is built now."""
    if given := os.environ.get("FRAMELANE_WHEEL"):
        return Path(given).resolve()
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)])
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as opened:
        return opened.namelist()


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder outside the checkout with a new environment, in which the wheel is installed as a user does it."""
    folder = tmp_path_factory.mktemp("elsewhere")
    assert ROOT not in folder.parents
    run([sys.executable, "-m", "venv", str(folder / "venv")])
    constraints = folder / "constraints.txt"
    constraints.write_text(locked_versions())
    pip = [str(folder / "venv" / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--constraint", str(constraints), f"{wheel}[broker]"], timeout_s=INSTALL_S)
    yield folder


def run(
    command: list[str], *, timeout_s: float = 240, folder: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command without anything of this checkout on Python's path; fails the test where it fails."""
    environ = {name: value for name, value in cli_environ().items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=timeout_s, cwd=folder or Path("/"), env=environ, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done


def locked_versions() -> str:
    """What is locked, without the hashes, which pip would then ask of the wheel as well."""
    lock = (ROOT / "requirements.lock").read_text()
    found = re.findall(r"^([A-Za-z0-9._-]+==[^\s;\\]+(?: ; [^\\\n]+)?)", lock, re.MULTILINE)
    assert len(found) > 50
    return "\n".join(each.strip() for each in found) + "\n"


def test_it_has_our_packages_and_no_others(names: list[str]) -> None:
    top = {name.partition("/")[0] for name in names}
    (info,) = {name for name in top if name.endswith(".dist-info")}
    assert top == {*PACKAGES, info}
    assert info.startswith("framelane-")


def test_it_has_every_file_of_the_packages(names: list[str]) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    wanted = {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}
    assert {f"consumers/view/static/{page}" for page in ("index.html", "css/base.css", "js/grid.js")} <= wanted
    assert {name for name in names if ".dist-info/" not in name} == wanted


def test_its_metadata(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        (info,) = (name for name in opened.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(opened.read(info).decode())
        licences = [name for name in opened.namelist() if name.endswith("/licenses/LICENSE")]
    assert (metadata["Name"], metadata["License-Expression"]) == ("framelane", "Apache-2.0")
    assert len(licences) == 1
    assert {"broker", "pyav", "otel"} <= set(metadata.get_all("Provides-Extra") or [])


@pytest.mark.timeout(900)
def test_it_runs_the_demo_from_a_new_environment_elsewhere(elsewhere: Path) -> None:
    python, command = elsewhere / "venv" / "bin" / "python", elsewhere / "venv" / "bin" / "framelane"
    place = run([str(python), "-c", "import framelane; print(framelane.__file__)"], folder=elsewhere).stdout
    assert place.startswith(str(elsewhere))
    (elsewhere / "work").mkdir()
    demo = run([str(command), "demo", "--seconds", "10"], folder=elsewhere / "work", timeout_s=300)
    assert (elsewhere / "work" / "demo-output" / "contact-sheet.png").exists(), demo.stderr
    sums = re.search(r"^ camera-1 +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)", demo.stdout, re.MULTILINE)
    assert sums, demo.stdout + demo.stderr
    # That nothing is missing is for the demo's own test: a busy machine may not be done when the time is over.
    _captured, _dropped, _delivered, processed, dead, _missing = (int(count) for count in sums.groups())
    assert dead == 0
    assert processed > 30


def test_the_page_is_served_from_it(elsewhere: Path) -> None:
    look = (
        "from importlib.resources import files; root = files('consumers') / 'view' / 'static';"
        "print(len((root / 'index.html').read_text()), len((root / 'js' / 'grid.js').read_text()))"
    )
    done = run([str(elsewhere / "venv" / "bin" / "python"), "-c", look], folder=elsewhere)
    assert all(int(each) > 200 for each in done.stdout.split())
