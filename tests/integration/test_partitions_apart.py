"""Partitions do not wait for one another: an operator that hangs on one leaves the others going."""

import time
from itertools import pairwise
from pathlib import Path

from feed import camera_on_each
from scene import PARTITIONS, Scene, Setup

DEADLINE_MS = 3000
SILENCE_S = 0.5
# A machine that is busy with other things holds everything up now and then; a worker that stands still does so always.
TRIES = 3

BAD, *GOOD = camera_on_each(PARTITIONS)


def test_an_operator_that_hangs_on_one_partition_keeps_no_other_camera_waiting(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    silences = []
    for n in range(TRIES):
        silences.append(_longest_silence(kafka_bootstrap, tmp_path / str(n), variant="mended"))
        if silences[-1] < SILENCE_S:
            break
    assert min(silences) < SILENCE_S, silences


def test_without_relief_the_others_wait_for_its_deadline(kafka_bootstrap: str, tmp_path: Path) -> None:
    assert _longest_silence(kafka_bootstrap, tmp_path, variant="no-relief") > DEADLINE_MS / 1000 / 2


def _longest_silence(bootstrap: str, folder: Path, *, variant: str) -> float:
    """For how long a camera of another partition was dark, at most, while frames hung on one; by the broker's clock."""
    hang = f'op = "trial_operators:Misbehave", camera = "{BAD}", how = "hang"'
    setup = Setup(operators=(hang,), threads=2, frame_timeout_ms=DEADLINE_MS, variant=variant)
    with Scene(bootstrap, folder, setup=setup) as scene:
        scene.start_worker()
        scene.wait_for_workers(1)
        with scene.feed(GOOD):
            assert scene.reader.wait_for_count(150)
            began_s = time.time()
            # More than the lane takes in, so that its partition is held too; and through more than one deadline.
            with scene.feed([BAD]):
                assert scene.reader.wait_for(lambda arrivals: sum(arrival.is_letter for arrival in arrivals) >= 3)
            ended_s = time.time()
        arrivals = scene.reader.arrivals()
    times = {camera: [a.at_s for a in arrivals if a.name and a.name.camera_id == camera] for camera in GOOD}
    # A camera that has not come back is dark up to the end.
    silence_s = max(_longest([began_s, *(at for at in each if at > began_s), ended_s]) for each in times.values())
    usual_s = max(_longest([at for at in each[10:] if at <= began_s]) for each in times.values())
    print(f"{variant}: the longest silence of another camera {silence_s:.3f} s, {usual_s:.3f} s before anything hung")
    return silence_s


def _longest(times: list[float]) -> float:
    """The longest time between two of them, in seconds."""
    return max((after - before for before, after in pairwise(sorted(times))), default=0.0)
