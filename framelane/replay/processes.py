"""A run by several processes of this machine: each is the same command once more, and joins the run."""

import logging
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from framelane.replay.begin import Run
from framelane.replay.book import RunBook
from framelane.replay.places import Place
from framelane.stopping import Stop
from streams.contract.errors import BrokerUnavailable, FramelaneError
from streams.contract.kafka_settings import KafkaSettings

log = logging.getLogger(__name__)

_LOOK_S = 0.5
_END_S = 60.0


def run_processes(
    kafka: KafkaSettings,
    run: Run,
    command: Sequence[str],
    *,
    count: int,
    environ: Mapping[str, str],
    stop: Stop,
    moved: Callable[[Mapping[int, Place]], None],
) -> None:
    """Run so many processes until the run is done, or until it is to stop. moved: is told how far it is.

    Those that are left take over from one that ends; FramelaneError when none is left before the run is done.
    """
    # A session of its own: Ctrl-C reaches us alone, and we stop them in order.
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, env=environ) for _ in range(count)
    ]
    places = dict(run.places)
    try:
        with RunBook(kafka, run.replay) as book:
            running = list(children)
            while running and not stop.wait(_LOOK_S):
                running = [child for child in running if not _ended(child, left=len(running) - 1)]
                places |= _places(book, places)
                moved(places)
            _stop(children)
            places |= _places(book, places)
            moved(places)
    finally:
        _stop(children)
    if not stop.requested and not all(place.done for place in places.values()):
        raise FramelaneError(
            f"run {run.replay.run_id}: its processes have ended before it was done: see what they said, and give the "
            "same command once more to go on"
        )


def _ended(child: "subprocess.Popen[bytes]", *, left: int) -> bool:
    code = child.poll()
    if code:
        log.warning("a process of the replay has ended with %d; %d are left, and go on with its partitions", code, left)
    return code is not None


def _places(book: RunBook, known: Mapping[int, Place]) -> dict[int, Place]:
    try:
        return book.places(list(known))
    except BrokerUnavailable as error:
        log.warning("%s", error)
        return {}


def _stop(children: Sequence["subprocess.Popen[bytes]"]) -> None:
    running = [child for child in children if child.poll() is None]
    for child in running:
        child.terminate()
    give_up = time.monotonic() + _END_S
    for child in running:
        try:
            child.wait(max(0.1, give_up - time.monotonic()))
        except subprocess.TimeoutExpired:
            # Nothing that it has not committed counts.
            child.kill()
            child.wait()
