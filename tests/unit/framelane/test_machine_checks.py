"""Rows on decoders, memory, disk and the broker's clock."""

import shutil
from pathlib import Path

import pytest

from framelane.checks import machine
from framelane.checks.cluster import clock_row
from framelane.checks.machine import check_machine
from framelane.checks.row import Row

MIB = 1024**2


def found(folder: Path) -> dict[str, Row]:
    return {row.what: row for row in check_machine(folder)}


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with 8 GiB free, in no container, as its files tell."""
    monkeypatch.setattr(machine, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    (tmp_path / "meminfo").write_text(f"MemTotal: 1 kB\nMemAvailable:   {8 * 1024 * 1024} kB\n")
    return tmp_path


def test_this_machine_decodes(tmp_path: Path) -> None:
    rows = found(tmp_path)
    assert {row.state for row in rows.values()} == {"ok"}
    assert "JPEG" in rows["decoder OpenCV"].found


def test_an_opencv_without_a_decoder_has_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import cv2

    told = "    JPEG:                        libjpeg (ver 62)\n    PNG:    NO\n    WEBP:    build (ver 1)\n"
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: told)
    row = found(tmp_path)["decoder OpenCV"]
    assert (row.state, "without PNG" in row.found, bool(row.mend)) == ("failed", True, True)


@pytest.mark.parametrize(
    ("limit", "used", "told", "state"),
    [
        (None, None, "8.0 GiB", "ok"),
        ("max", "1", "8.0 GiB", "ok"),
        (str(2048 * MIB), str(1024 * MIB), "1.0 GiB", "ok"),
        (str(512 * MIB), str(256 * MIB), "0.2 GiB", "warning"),
    ],
)
def test_a_containers_limit_counts_where_it_is_less(
    system: Path, limit: str | None, used: str | None, told: str, state: str
) -> None:
    for name, text in (("memory.max", limit), ("memory.current", used)):
        if text is not None:
            (system / name).write_text(f"{text}\n")
    row = found(system)["memory"]
    assert (row.found, row.state, bool(row.mend)) == (f"{told} free", state, state == "warning")


def test_a_system_that_does_not_tell_its_memory(system: Path) -> None:
    (system / "meminfo").unlink()
    assert found(system)["memory"].found == "not told by this system"


def test_a_disk_that_is_nearly_full_is_warned_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usage = type(shutil.disk_usage(tmp_path))(100, 99, 500 * MIB)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    row = found(tmp_path)[f"disk at {tmp_path}"]
    assert (row.state, row.found, bool(row.mend)) == ("warning", "0.5 GiB free", True)


@pytest.mark.parametrize(
    ("ahead", "state", "told"),
    [
        (0.02, "ok", "within 1 s"),
        (-0.9, "ok", "within 1 s"),
        (3600.0, "warning", "3600.0 s ahead of"),
        (-2.5, "warning", "2.5 s behind"),
        (None, "ok", "not told"),
    ],
)
def test_the_brokers_clock(ahead: float | None, state: str, told: str) -> None:
    row = clock_row(ahead)
    assert (row.state, told in row.found, bool(row.mend)) == (state, True, state == "warning")
