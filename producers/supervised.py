"""One camera of a fleet: a thread that runs it, and begins anew after what may pass."""

import logging
import random
import threading
import time
import traceback
from collections.abc import Callable, Sequence

from producers.backoff import delays
from producers.camera_opening import run_settings
from producers.camera_producer import CameraProducer
from producers.camera_run import STEADY_S, CameraRun
from producers.cameras_file import CameraSettings
from producers.sources import Source
from streams.contract.errors import ClientFailed, FramelaneError, SettingError, SourceLost

logger = logging.getLogger(__name__)
_LOOK_S = 1.0


class SupervisedCamera:
    """Runs a camera, as long as its settings stay as they are, until it is stopped, or has come to its end.

    What a setting is to blame for ends it, and so does a file that breaks in the midst: from its beginning it would be
    published twice. All else is tried again. failure: what has ended it, where that has to be mended. client_failure:
    Kafka's client cannot go on, and with it no camera. stop: ends it, whatever it waits for.
    """

    def __init__(
        self,
        settings: CameraSettings,
        producer: CameraProducer,
        open_source: Callable[[], Source],
        *,
        stop: threading.Event,
        before: Sequence[threading.Thread] = (),
    ) -> None:
        """before: threads that had the camera until now; they are waited for. `start` begins."""
        self.settings, self.producer, self.stop = settings, producer, stop
        self.failure: FramelaneError | None = None
        self.client_failure: ClientFailed | None = None
        self._open_source, self._before = open_source, before
        self._live: bool | None = None
        self._lost_before = producer.lost
        self.thread = threading.Thread(target=self._run, name=settings.id, daemon=True)

    def start(self) -> None:
        """Begin. Where the system has no thread to spare, that is its failure."""
        try:
            self.thread.start()
        except RuntimeError as error:
            self._fail(FramelaneError(f"camera {self.settings.id}: {error}; let this user have more threads"))

    @property
    def ended(self) -> bool:
        """Whether it does nothing more."""
        return not self.thread.is_alive()

    @property
    def lost(self) -> dict[str, int]:
        """What was dropped, by reason, where it is a file, and so could have waited."""
        if self._live is not False:
            return {}
        lost = {reason: count - self._lost_before.get(reason, 0) for reason, count in self.producer.lost.items()}
        return {reason: count for reason, count in lost.items() if count}

    def _run(self) -> None:
        if not self._has_it_alone():
            return
        waits = delays(rng=random.Random())
        while not self.stop.is_set():
            began = time.monotonic()
            why = self._run_once()
            if not why:
                return
            if time.monotonic() - began > STEADY_S:
                waits = delays(rng=random.Random())
            self.producer.told(state=f"failed, and tried again: {why}")
            logger.warning("camera %s: %s; it is tried again", self.settings.id, why)
            self.stop.wait(next(waits))

    def _has_it_alone(self) -> bool:
        """Wait for who had it before, as a camera may have but one reader, and its frames one order."""
        for thread in self._before:
            while thread.is_alive() and not self.stop.is_set():
                self.producer.told(state="waits until what it read before lets go")
                thread.join(_LOOK_S)
        return not self.stop.is_set()

    def _run_once(self) -> str:
        """Run it to its end; why it has to be tried again, "" when it has not."""
        try:
            CameraRun(
                camera=self.producer,
                open_source=self._open,
                settings=run_settings(self.settings),
                stop=self.stop,
            ).run()
        except ClientFailed as error:
            self.client_failure = error
            self.producer.told(state=f"failed: {error}")
        except SettingError as error:
            self._fail(error)
        except SourceLost as error:
            if self._live is not False or not self.producer.begun:
                return str(error)
            self._fail(error)
        except FramelaneError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - a mistake of ours with one camera must not stop the others
            # What it says may hold the address, and so a password; where it happened does not.
            place = "".join(traceback.format_tb(error.__traceback__))
            logger.error("camera %s: %s\n%s", self.settings.id, type(error).__name__, place)  # noqa: TRY400
            return f"unexpected {type(error).__name__}; see the log"
        else:
            self.producer.told(state="stopped" if self.stop.is_set() else "ended")
        return ""

    def _open(self) -> Source:
        source = self._open_source()
        self._live = source.live
        return source

    def _fail(self, error: FramelaneError) -> None:
        self.failure = error
        self.producer.told(state=f"failed: {error}")
        logger.error("camera %s: %s", self.settings.id, error)
