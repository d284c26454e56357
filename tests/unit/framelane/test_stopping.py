"""Ending on a signal."""

import os
import signal
import subprocess
import sys

import pytest

from framelane.stopping import stop_on_signals
from streams.contract.errors import Stopped
from streams.pipeline import Pipeline
from streams.pipeline_settings import quick_pipeline
from streams.reload import opening


def raise_signal(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(("number", "interrupted"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_the_first_signal_asks_for_the_end(number: signal.Signals, interrupted: bool) -> None:
    with stop_on_signals() as stop:
        assert not stop.requested
        raise_signal(number)
        assert stop.wait(5)
        assert (stop.requested, stop.interrupted) == (True, interrupted)


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_the_second_one_ends_at_once(number: signal.Signals, error: type[BaseException]) -> None:
    with stop_on_signals():
        raise_signal(number)
        with pytest.raises(error):
            raise_signal(number)


def test_the_handlers_of_before_are_put_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with stop_on_signals():
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


SCRIPT = """
import os, signal, sys
from framelane.stopping import exit_on
# Whatever whoever runs the tests has set, as nohup does.
signal.signal(signal.SIGHUP, signal.SIG_IGN if "ignore" in sys.argv else signal.SIG_DFL)
exit_on(signal.SIGTERM, signal.SIGHUP)
try:
    os.kill(os.getpid(), getattr(signal, sys.argv[1]))
    print("goes on")
finally:
    print("cleans up")
"""


def test_a_signal_while_an_operator_opens_is_no_mistake_of_the_operator() -> None:
    with pytest.raises(Stopped), opening(Pipeline(quick_pipeline(["flip"], input="raw", output="out"))):
        raise Stopped(0)


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (["SIGTERM"], "cleans up\n"),
        (["SIGHUP"], "cleans up\n"),
        (["SIGHUP", "ignore"], "goes on\ncleans up\n"),
    ],
)
def test_a_signal_exits_cleanly_unless_it_is_ignored(arguments: list[str], output: str) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, output), done.stderr


FORGETFUL = """
import os, signal, sys, time, weakref
from framelane.stopping import exit_on
exit_on(signal.SIGTERM)

class Thing:
    pass

def forget(_):
    # Its handler runs before the next line does.
    os.kill(os.getpid(), signal.SIGTERM)
    print("not reached")

thing = Thing()
reference = weakref.ref(thing, forget)
try:
    del thing
    print("goes on", flush=True)
    time.sleep(60)
    print("has gone on")
finally:
    print("cleans up")
"""


def test_a_signal_that_python_forgets_within_a_callback_comes_again() -> None:
    """As the import system has them: it would be ignored for good."""
    done = subprocess.run([sys.executable, "-c", FORGETFUL], capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "goes on\ncleans up\n", "")


def test_what_else_is_forgotten_is_told_as_ever() -> None:
    script = """
from framelane.stopping import exit_on
import signal, weakref
exit_on(signal.SIGTERM)
class Thing:
    def __del__(self):
        raise ValueError("lost")
Thing()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "ValueError: lost" in done.stderr
