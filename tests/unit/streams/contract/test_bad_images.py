"""At least 10,000 bad images through gate and decoder, in a process of its own with little memory."""

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import bad_images
import pytest

SEED, COUNT = 7, 12_000
# Beyond what the process has at the start; the gate's 25 megapixels in colour are 75 MB, and progressive ones 225 MB.
MEMORY_MB = 512
# Nothing but a bound: that of a frame's deadline, of the processor's own time, which others cannot make longer.
DEADLINE_MS = 5000.0


def run(folder: Path, count: int, *, first: str = "") -> "tuple[subprocess.CompletedProcess[str], int]":
    """The corpus' process, and the number of the image that it tried last. first: what is run in it before."""
    index = folder / "index"
    index.write_bytes(bytes(8))
    given = [str(each) for each in (SEED, count, MEMORY_MB, index)]
    program = f"import os, bad_images_trial as trial\n{first}\ntrial.main(*{given!r})"
    support = str(Path(bad_images.__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {support!r})\n{program}"],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=280,
        check=False,
    )
    return done, struct.unpack("<q", index.read_bytes())[0]


def found_by(folder: Path, count: int, *, first: str = "") -> dict[str, Any]:
    done, number = run(folder, count, first=first)
    assert done.returncode == 0, (
        f"it ended with {done.returncode} at image {number} of seed {SEED}: {done.stderr[-2000:]}"
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_bad_images_are_refused_or_decoded_and_nothing_else(tmp_path: Path) -> None:
    found = found_by(tmp_path, COUNT)
    worst_ms, slowest, _ = found["worst ms"]
    grew_mb = found["grew by kB"] / 1024
    refused = ", ".join(f"{reason} {count}" for reason, count in sorted(found["refused"].items()))
    print(
        f"seed {SEED}: tried {found['tried']}, refused {sum(found['refused'].values())} ({refused}), "
        f"decoded {found['decoded']}, worst time {worst_ms:.0f} ms ({slowest}), "
        f"worst memory {grew_mb:.0f} MB, crashes 0"
    )
    print(f"by kind: {found['kinds']}")
    assert found["tried"] == COUNT >= 10_000
    assert found["escaped"] == []
    assert found["decoded though hopeless"] == []
    assert set(found["refused"]) == {"empty", "not_an_image", "too_many_pixels", "undecodable"}
    # A corpus of which everything is refused, or nothing, would prove little.
    assert set(found["kinds"]) == set(bad_images.KINDS)
    assert all(counts["refused"] > COUNT / 200 for counts in found["kinds"].values())
    assert found["decoded"] > COUNT / 20
    assert worst_ms < DEADLINE_MS
    assert grew_mb < MEMORY_MB / 2


def test_the_corpus_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    first, again, other = (
        [image.data for image in bad_images.bad_images(seed, 300, bad_images.good_images(tmp_path))]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_a_crash_is_found_with_the_image_that_it_was_on(tmp_path: Path) -> None:
    die = "real = trial.inspect\ntrial.inspect = lambda data: os.abort() if data == b'' else real(data)"
    done, number = run(tmp_path, 300, first=die)
    assert done.returncode == -6
    corpus = list(bad_images.bad_images(SEED, 300, bad_images.good_images(tmp_path)))
    assert number == [image.data for image in corpus].index(b"")


@pytest.mark.parametrize(
    ("first", "what"),
    [
        ("trial.inspect = lambda data: 1 / 0", "escaped"),
        ("import numpy\ntrial.decode = lambda *_, **__: numpy.ones(3)", "decoded though hopeless"),
    ],
)
def test_what_must_not_be_is_found(tmp_path: Path, first: str, what: str) -> None:
    assert found_by(tmp_path, 100, first=first)[what]


def test_memory_is_limited(tmp_path: Path) -> None:
    take = f"import numpy\ntrial.inspect = lambda data: numpy.ones({MEMORY_MB}, (numpy.void, 2**20))"
    assert "MemoryError" in found_by(tmp_path, 1, first=take)["escaped"][0]
