"""F20: cameras are unplugged and come back, an RTSP server is restarted, a camera hangs without closing, one is shut.

`framelane produce --cameras` reads them all; no worker has a part in it. Times are those at which frames were captured,
by the clock that this and the producer share.
"""

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import figures as fig
from camera_servers import WebCameras
from confluent_kafka import Consumer, TopicPartition
from figures import Figure, Injury
from kafka_support import cli_environ, unique
from producer_support import frames_of
from rtsp_support import has_rtsp_server, start_rtsp_server
from scene import PARTITIONS, Scene

from streams.contract.frame import Frame

STEADY, FPS, SILENCE_S = ("steady-0", "steady-1", "steady-2", "steady-3"), 10, 2
AWAY_S, ROUNDS, ROUNDS_SHORT = 6.0, 2, 1
# The waits before a camera is tried again double from half a second, each up to a quarter shorter or longer: the one
# that a return falls into is as long as all before it, and half a second. RTSP takes a while, and so may the machine.
FIRST_S, LONGEST_S, QUARTER, OPEN_S = 0.5, 30.0, 0.25, 12.0
# One that hangs is missed after its silence.
HUNG_S = SILENCE_S + 10.0
SHORT_OF_RATE = 0.1


def unplugged(scene: Scene, *, short: bool) -> list[Figure]:
    """Unplug a web camera and kill an RTSP server, and plug them in again; meanwhile others hang, or are shut."""
    assert has_rtsp_server(), "this fault needs GStreamer's RTSP server (Debian: see .ci/run)"
    with ExitStack() as stack:
        # Two servers: one is unplugged.
        still, gate = stack.enter_context(WebCameras()), stack.enter_context(WebCameras())
        shut = stack.enter_context(_shut_door())
        yard = stack.enter_context(_RtspCamera())
        sources = {name: still.address(f"good/{name}?fps={FPS}") for name in STEADY}
        sources |= {"gate": gate.address(f"good/gate?fps={FPS}"), "yard": yard.address}
        # It gives pictures for long enough that it is waited for from the shortest wait again.
        sources |= {"hung": still.address("good/hung?fps=20&hang=240"), "shut": f"http://127.0.0.1:{shut.port}/"}
        seen = stack.enter_context(closing(_Seen(scene.bootstrap, scene.topics.raw)))
        began_s, cameras = time.time(), stack.enter_context(_cameras(scene, sources))
        seen.wait_for(lambda frames: {*STEADY, "gate", "yard", "hung"} <= {frame.camera_id for frame in frames})
        from_s = time.time()
        for _ in range(ROUNDS_SHORT if short else ROUNDS):
            for name, camera in (("gate", gate), ("yard", yard)):
                _unplug(scene, name, camera, seen)
        seen.wait_for(lambda frames: len(_epochs(frames, "hung")) > 1)
        until_s = time.time()
        cameras.send_signal(signal.SIGTERM)
        code = cameras.wait(60)
        sums = _log(scene).read_text()
        frames = seen.to_the_end()
    return [
        fig.shown("produced", len(frames)),
        # Its sums: what has been confirmed, where nothing was dropped.
        fig.exactly("lost", sum(map(int, re.findall(r"produced (\d+), dropped 0", sums))) - len(frames), 0),
        *_of_those_that_came_back(scene, frames),
        *_of_the_hung_one(frames),
        *_of_the_shut_one(shut.knocked_s, until_s - began_s),
        *_of_the_others(frames, from_s, until_s),
        fig.exactly("frames missing within an epoch", _missing(frames), 0),
        fig.exactly("exit code", code, 0),
    ]


class _RtspCamera:
    """GStreamer's RTSP server, to be stopped and started again on its port; a context manager."""

    def __enter__(self) -> "_RtspCamera":
        self._process, self._port = start_rtsp_server()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def address(self) -> str:
        return f"rtsp://127.0.0.1:{self._port}/camera"

    def start(self) -> None:
        self._process, _ = start_rtsp_server(self._port)

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


class _Door:
    """A port that hangs up on whoever comes. knocked_s: when they came, s since 1970."""

    def __init__(self) -> None:
        self.knocked_s: list[float] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                self._listening.accept()[0].close()
                self.knocked_s.append(time.time())

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@contextmanager
def _shut_door() -> Iterator[_Door]:
    door = _Door()
    thread = threading.Thread(target=door.serve, name="door")
    thread.start()
    try:
        yield door
    finally:
        door.close()
        thread.join()


@contextmanager
def _cameras(scene: Scene, sources: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """`framelane produce --cameras` of these, running."""
    file = scene.folder / "cameras.toml"
    tables = [f'[[camera]]\nid = "{name}"\nsource = "{source}"\n' for name, source in sources.items()]
    file.write_text("\n".join([f"[defaults]\nsilence_s = {SILENCE_S}\n", *tables]))
    command = [sys.executable, "-m", "framelane", "produce", "--cameras", str(file), "--topic", scene.topics.raw]
    command += ["--bootstrap", scene.bootstrap, "--no-status", "--metrics-port", "0"]
    with _log(scene).open("wb") as out, subprocess.Popen(command, stderr=out, env=cli_environ()) as process:
        try:
            yield process
        finally:
            process.kill()


class _Seen:
    """The frames on a topic, as they come."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.frames: list[Frame] = []
        self._consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": unique("seen"), "log_level": 0})
        self._places = [TopicPartition(topic, number, 0) for number in range(PARTITIONS)]
        self._consumer.assign(self._places)

    def wait_for(self, reached: Callable[[list[Frame]], bool]) -> None:
        """Read until it says so of all that has come; fails where it does not for a minute."""
        give_up = time.monotonic() + 60
        while not reached(self.frames):
            assert time.monotonic() < give_up, "the frames that are waited for do not come"
            self.frames += frames_of(self._consumer.consume(500, timeout=0.1))

    def to_the_end(self) -> list[Frame]:
        """All that is there."""
        ends = [self._consumer.get_watermark_offsets(place, timeout=30) for place in self._places]
        count = sum(each[1] for each in ends if each)
        self.wait_for(lambda frames: len(frames) >= count)
        return self.frames

    def close(self) -> None:
        self._consumer.close()


def _log(scene: Scene) -> Path:
    return scene.folder / "cameras.log"


def _unplug(scene: Scene, name: str, camera: "WebCameras | _RtspCamera", seen: _Seen) -> None:
    """Take a camera away after a random time, bring it back, and wait until its new epoch has begun."""
    time.sleep(scene.random.uniform(1.0, 3.0))
    injury = Injury(time.time(), frozenset(), name)
    camera.stop()
    # That it lasts is the fault.
    time.sleep(AWAY_S)
    camera.start()
    back_s = time.time()
    scene.injuries.append(Injury(injury.at_s, injury.partitions, name, back_s))
    seen.wait_for(lambda frames: any(f.camera_id == name and _at_s(f) > back_s for f in frames))


def _of_those_that_came_back(scene: Scene, frames: Sequence[Frame]) -> list[Figure]:
    found, away = [], defaultdict(list)
    for injury in scene.injuries:
        away[injury.what].append(injury)
        firsts = [_at_s(f) for f in frames if f.camera_id == injury.what and _at_s(f) > injury.until_s]
        wait_s = (injury.until_s - injury.at_s + FIRST_S) * (1 + QUARTER) / (1 - QUARTER)
        found.append(fig.at_most("recovery s", min(firsts, default=float("inf")) - injury.until_s, wait_s + OPEN_S))
    for name, injuries in away.items():
        # One at the start, and one for each time that it came back.
        found.append(_epochs_are(frames, name, len(injuries) + 1))
    return found


def _of_the_hung_one(frames: Sequence[Frame]) -> list[Figure]:
    times = [_at_s(frame) for frame in frames if frame.camera_id == "hung"]
    longest_s = max(after - before for before, after in pairwise(times))
    return [
        fig.at_most("hung camera dark s", longest_s, HUNG_S),
        fig.at_most("hung camera without a new epoch", float(len(_epochs(frames, "hung")) < 2), 0),
    ]


def _of_the_shut_one(knocked_s: Sequence[float], lasted_s: float) -> list[Figure]:
    """How often it was tried, and how often it may be in that time when the waits double."""
    allowed, wait_s, left_s = 1, FIRST_S, lasted_s
    while (left_s := left_s - wait_s * (1 - QUARTER)) > 0:
        allowed, wait_s = allowed + 1, min(2 * wait_s, LONGEST_S)
    waits_s = [after - before for before, after in pairwise(knocked_s)]
    # The HTTP client asks once more at once where it has been hung up on.
    tries = 1 + sum(each > FIRST_S / 2 for each in waits_s)
    return [
        fig.at_most("tries at a camera that hangs up", tries, allowed),
        fig.shown("longest wait s", max(waits_s, default=0.0)),
    ]


def _of_the_others(frames: Sequence[Frame], from_s: float, until_s: float) -> list[Figure]:
    """Those that nothing was done to."""
    found, silences_s = [], []
    for name in STEADY:
        times = [_at_s(f) for f in frames if f.camera_id == name and from_s <= _at_s(f) < until_s]
        found.append(fig.at_most("short of its rate", 1 - len(times) / (FPS * (until_s - from_s)), SHORT_OF_RATE))
        found.append(_epochs_are(frames, name, 1))
        silences_s.append(max((after - before for before, after in pairwise(times)), default=float("inf")))
    return [*found, fig.shown("darkest of the others s", max(silences_s))]


def _missing(frames: Sequence[Frame]) -> int:
    """Numbers that are not there, or not in their order, in any epoch of any camera."""
    epochs: dict[tuple[str, str], list[int]] = defaultdict(list)
    for frame in frames:
        epochs[frame.camera_id, frame.epoch].append(frame.sequence)
    return sum(number != place for numbers in epochs.values() for place, number in enumerate(numbers))


def _epochs_are(frames: Sequence[Frame], camera: str, wanted: int) -> Figure:
    return fig.exactly("epochs too few or many", len(_epochs(frames, camera)) - wanted, 0)


def _epochs(frames: Sequence[Frame], camera: str) -> set[str]:
    return {frame.epoch for frame in frames if frame.camera_id == camera}


def _at_s(frame: Frame) -> float:
    return frame.captured_at_ns / 1e9
