"""Frames and events as a subscription hands them out, and a recorder that is killed again and again."""

import math
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from consumer_support import frame_of
from kafka_support import cli_environ, run_cli

from consumers.received import ReceivedEvent, ReceivedFrame


class Ticket:
    """A receipt that tells whether it was handed in."""

    def __init__(self) -> None:
        self.is_done = False

    def done(self) -> None:
        """Note it."""
        self.is_done = True


def received(camera_id: str = "gate-1", sequence: int = 0, **fields: Any) -> ReceivedFrame:
    """`frame_of` as a subscription hands it out, with a Ticket as its receipt."""
    frame = frame_of(camera_id, sequence, **fields)
    values = {name: getattr(frame, name) for name in frame.__struct_fields__}
    return ReceivedFrame(**values, place=f"frames.processed/0/{sequence}", receipt=Ticket())


def event_of(
    camera_id: str = "gate-1", sequence: int = 0, *, number: int = 0, redelivered: bool = False
) -> ReceivedEvent:
    """An event that a pipeline has published, with a Ticket as its receipt."""
    return ReceivedEvent(
        type="motion",
        camera_id=camera_id,
        epoch="20260509T073000000-ab12",
        sequence=sequence,
        captured_at_ns=1_778_312_000_000_000_000,
        pipeline="demo@1f3a",
        input=f"frames.raw/0/{sequence}",
        data=msgspec.Raw(b'{"zone":"0","boxes":[]}'),
        name=f"{camera_id}/20260509T073000000-ab12/{sequence}/0/{number}",
        source="/pipelines/demo",
        place=f"frames.events/0/{sequence}",
        receipt=Ticket(),
        redelivered=redelivered,
    )


def is_done(*items: ReceivedFrame | ReceivedEvent) -> bool:
    """Whether a sink has said so of each of them."""
    tickets = [item.receipt for item in items]
    assert all(isinstance(ticket, Ticket) for ticket in tickets)
    return all(isinstance(ticket, Ticket) and ticket.is_done for ticket in tickets)


# The process ends as if it were killed at the worst of times: all is written, and the group's place is not.
_DIES_BEFORE_ITS_PLACE_IS_WRITTEN = """
import os, signal
from consumers.recording import Recorder

def die(self, *, wait):
    if self._sink.written:
        os.kill(os.getpid(), signal.SIGKILL)

Recorder._commit = die
from framelane.__main__ import main
main()
"""


def kill_again_and_again(
    arguments: Sequence[str], *, seed: int, feed: Callable[[], None], progress: Callable[[], int]
) -> "subprocess.CompletedProcess[str]":
    """Run `framelane record ...` while frames come, and kill it: between flush and commit, anywhere, and there again.

    feed: publishes a few more; called again and again. progress: how much of the output is there; a run is killed only
    once it has grown. Then runs it to the end of what was published, and returns that last run.
    """
    dice = random.Random(seed)
    for code in (_DIES_BEFORE_ITS_PLACE_IS_WRITTEN, None, _DIES_BEFORE_ITS_PLACE_IS_WRITTEN):
        before, kill_at = progress(), math.inf
        begin = ["-c", code] if code else ["-m", "framelane"]
        with (
            tempfile.TemporaryFile() as errors,
            subprocess.Popen([sys.executable, *begin, *arguments], stderr=errors, env=cli_environ()) as process,
        ):
            try:
                give_up = time.monotonic() + 40
                while process.poll() is None and time.monotonic() < min(kill_at, give_up):
                    feed()
                    if code is None and kill_at == math.inf and progress() > before:
                        kill_at = time.monotonic() + dice.uniform(0, 1.2)
                    time.sleep(0.05)
            finally:
                process.kill()
            errors.seek(0)
            assert process.wait() == -signal.SIGKILL, errors.read().decode()
        assert progress() > before, "nothing was written"
    return run_cli([*arguments, "--until", "now"])
