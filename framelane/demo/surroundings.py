"""What the demo finds: a Kafka that the environment names, the source that it is to show, and a port for the view."""

import socket
from collections.abc import Mapping

from producers.sources import SourceOptions, open_source

_BOOTSTRAP = ("KAFKA_BOOTSTRAP_SERVERS", "FRAMELANE_KAFKA__BOOTSTRAP")
_SETTINGS = "FRAMELANE_KAFKA__"
# Opening them takes a while, and a camera may serve one reader only: `framelane produce` tells what is wrong.
_LIVE = ("device:", "rtsp:", "rtsps:", "http:", "https:")


def names_kafka(environ: Mapping[str, str]) -> bool:
    """Whether the environment says where a Kafka is."""
    return any(environ.get(name) for name in _BOOTSTRAP)


def without_kafka(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without anything that says how to reach a Kafka."""
    return {name: value for name, value in environ.items() if name not in _BOOTSTRAP and not name.startswith(_SETTINGS)}


def port_for_the_view(wanted: int) -> int:
    """That port of 127.0.0.1 where it is free; -1, for any free one, where it is taken."""
    try:
        socket.create_server(("127.0.0.1", wanted)).close()
    except OSError:
        return -1
    return wanted


def check_source(text: str) -> None:
    """Raise SourceError or SettingError, before anything is started, when the source cannot be shown.

    Cameras and streams are not opened here.
    """
    if not text.startswith(_LIVE):
        open_source(text, SourceOptions(camera_id="camera-1")).close()
