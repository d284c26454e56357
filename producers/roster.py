"""The cameras of a connection: those that publish, and those that are gone and may have frames under way."""

import threading
from collections.abc import Callable

from producers.camera_state import CameraState
from streams.contract.errors import SettingError


class Roster:
    """Who is here, by id. Used by any thread.

    A camera that is forgotten is kept, for what it published is still sent; and it is kept for good, as sums only grow:
    an id that comes back goes on with those that it had.
    """

    def __init__(self, *, reports: bool) -> None:
        """reports: whether somebody calls `mark_told`, so that a forgotten camera has to wait for it."""
        self._reports = reports
        self._here: dict[str, CameraState] = {}
        self._forgotten: dict[str, CameraState] = {}
        # Forgotten, and their last sums are in no report yet.
        self._untold: set[str] = set()
        self._lock = threading.Lock()

    def add(self, camera_id: str, make: Callable[[], CameraState]) -> tuple[CameraState, bool]:
        """Take a camera in, and say whether it was here before. Raises SettingError for a second one of the same id."""
        with self._lock:
            if camera_id in self._here:
                raise SettingError(
                    f"camera {camera_id}: this connection has a CameraProducer of that id already; use that one again "
                    "(begin_epoch() begins a new run), forget(...) it first, or give the other camera an id of its own"
                )
            former = self._forgotten.pop(camera_id, None)
            self._untold.discard(camera_id)
            self._here[camera_id] = camera = former or make()
            return camera, former is not None

    def forget(self, camera_id: str) -> None:
        """Let a camera go. Raises SettingError for one that never was here."""
        with self._lock:
            camera = self._here.pop(camera_id, None)
            if camera is not None:
                self._forgotten[camera_id] = camera
                if self._reports:
                    self._untold.add(camera_id)
            elif camera_id not in self._forgotten:
                raise SettingError(f"camera {camera_id}: this connection has no CameraProducer of that id to forget")

    def all(self) -> list[CameraState]:
        """Every camera, the forgotten ones as well."""
        with self._lock:
            return [*self._here.values(), *self._forgotten.values()]

    def to_tell(self) -> list[CameraState]:
        """The cameras that belong into a report: those that are here, and the forgotten ones until their sums close."""
        with self._lock:
            leaving = [
                camera for name, camera in self._forgotten.items() if name in self._untold or camera.outbox.pending
            ]
            return [*self._here.values(), *leaving]

    def closed(self) -> set[str]:
        """Forgotten cameras whose sums do not change any more; to be asked before a report is made, for `mark_told`."""
        with self._lock:
            return {name for name in self._untold if not self._forgotten[name].outbox.pending}

    def mark_told(self, closed: set[str]) -> None:
        """A report tells the last sums of these."""
        with self._lock:
            self._untold -= closed
