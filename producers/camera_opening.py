"""From a camera's settings to its source, and to the way in which it is run."""

import os
import threading
from collections.abc import Callable, Mapping

from producers.camera_run import RunSettings
from producers.cameras_file import CameraSettings
from producers.sources.base import Selection, Source, SourceOptions

Opening = Callable[[str, SourceOptions], Source]


def source_options(
    settings: CameraSettings,
    *,
    stop: threading.Event,
    clock: Callable[[], int],
    memory: dict[str, object] | None = None,
) -> SourceOptions:
    """How the camera's source is opened. stop: ends its waits. clock: ns since 1970. memory: as in SourceOptions."""
    keys = settings.keys
    return SourceOptions(
        camera_id=keys.id,
        fps=keys.fps or None,
        size=settings.size,
        loop=keys.loop,
        clock=clock,
        stop=stop,
        decoder=keys.decoder,
        silence_s=keys.silence_s,
        watch=keys.watch,
        memory={} if memory is None else memory,
        apart=True,
        selection=_selection(settings),
    )


def run_settings(settings: CameraSettings, *, count: int | None = None) -> RunSettings:
    """How the camera is run. count: frames to publish."""
    keys = settings.keys
    return RunSettings(
        realtime=keys.realtime,
        fps=keys.fps or None,
        count=count,
        selection=_selection(settings),
        policy=settings.policy,
    )


def open_camera(
    settings: CameraSettings,
    opening: Opening,
    *,
    stop: threading.Event,
    clock: Callable[[], int],
    memory: dict[str, object],
    environ: Mapping[str, str] = os.environ,
) -> Source:
    """Open the camera's source, with its secrets as they are now. Raises as `opening` and `Address.resolve` do."""
    options = source_options(settings, stop=stop, clock=clock, memory=memory)
    return opening(settings.address.resolve(environ), options)


def _selection(settings: CameraSettings) -> Selection:
    keys = settings.keys
    return Selection(
        fps=keys.fps or None,
        max_fps=keys.max_fps or None,
        only_motion=keys.only_motion,
        keep_alive_s=keys.keep_alive_s,
        quality=keys.quality,
        size=settings.size,
    )
