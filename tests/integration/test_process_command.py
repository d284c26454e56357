"""`framelane process`: a folder through the cluster."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

from gateway_support import PipelineFile, number_of, numbered
from kafka_support import run_cli, start_cli

MakeTopic = Callable[..., str]


def folder_of(count: int, folder: Path) -> Path:
    """Images in two folders, in several formats."""
    for number in range(count):
        suffix, content_type = ((".jpg", "image/jpeg"), (".png", "image/png"), (".jpeg", "image/jpeg"))[number % 3]
        path = folder / ("a" if number % 2 else "b") / f"{number:04d}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(numbered(number, content_type=content_type))
    return folder


def numbers_in(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder)): number_of(path.read_bytes())
        for path in folder.rglob("*.*")
        if path.suffix in (".jpg", ".jpeg", ".png")
    }


def test_a_folder_comes_back_with_its_names_and_the_failures_are_listed(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    file = PipelineFile(make_topic, tmp_path, '{ op = "blur" }')
    source, target = folder_of(30, tmp_path / "in"), tmp_path / "out"
    (source / "broken.jpg").write_bytes(b"this is no image")
    (source / "notes.txt").write_text("no image, and not asked for")
    command = ["process", str(source), str(target), "--pipelines", str(file.path), "--with-worker"]
    done = run_cli([*command, "--bootstrap", kafka_bootstrap], timeout_s=120)
    assert done.returncode == 1
    assert "31 images: 30 done, 0 were there, 1 failed" in done.stderr
    assert "Traceback" not in done.stderr
    assert numbers_in(target) == numbers_in(source / "a").__class__(
        {str(path.relative_to(source)): number_of(path.read_bytes()) for path in source.rglob("0*")}
    )
    failures = [json.loads(line) for line in (target / "failures.jsonl").read_text().splitlines()]
    assert [(failure["file"], failure["reason"]) for failure in failures] == [("broken.jpg", "not_an_image")]
    # Mended, and once more: only that one is asked for.
    (source / "broken.jpg").write_bytes(numbered(77))
    done = run_cli([*command, "--bootstrap", kafka_bootstrap], timeout_s=120)
    assert done.returncode == 0, done.stderr
    assert "31 images: 1 done, 30 were there, 0 failed" in done.stderr
    assert number_of((target / "broken.jpg").read_bytes()) == 77
    assert not (target / "failures.jsonl").exists()


def test_a_run_that_is_killed_goes_on_where_it_was(kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    file = PipelineFile(make_topic, tmp_path, '{ op = "blur" }')
    source, target = folder_of(300, tmp_path / "in"), tmp_path / "out"
    command = ["process", str(source), str(target), "--pipelines", str(file.path), "--bootstrap", kafka_bootstrap]
    work = ["work", "--pipelines", str(file.path), "--bootstrap", kafka_bootstrap, "--no-status"]
    with start_cli(work) as worker:
        try:
            with start_cli([*command, "--at-once", "4"]) as run:
                while not target.exists() or len(numbers_in(target)) < 40:
                    assert run.poll() is None
                os.kill(run.pid, signal.SIGKILL)
                run.communicate()
            there = len(numbers_in(target))
            assert there < 300
            done = run_cli(command, timeout_s=120)
        finally:
            worker.kill()
            worker.communicate()
    assert done.returncode == 0, done.stderr
    assert f"300 images: {300 - there} done, {there} were there, 0 failed" in done.stderr
    assert sorted(numbers_in(target).values()) == list(range(300))
    assert not list(target.rglob("*.part"))


def test_folders_that_will_not_do_are_said(tmp_path: Path) -> None:
    done = run_cli(["process", str(tmp_path / "none"), str(tmp_path / "out"), "--op", "blur"])
    assert (done.returncode, "none: not a folder" in done.stderr) == (1, True)
    done = run_cli(["process", str(tmp_path), str(tmp_path / "out"), "--op", "blur"])
    assert done.returncode == 1
    assert "name another folder" in done.stderr
