"""How cameras, epochs and frames are named."""

import re
import secrets
from datetime import UTC, datetime
from functools import lru_cache

from streams.contract.errors import SettingError

CAMERA_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)
EPOCH = re.compile(r"[A-Za-z0-9@._-]{1,300}", re.ASCII)
_EPOCH_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def is_camera_id(text: str) -> bool:
    """Whether the text can be a camera's id, and so a record's key."""
    return CAMERA_ID.fullmatch(text) is not None


def check_camera_id(text: str) -> str:
    """Return the text, or raise SettingError when it cannot be a camera's id."""
    if not is_camera_id(text):
        raise SettingError(
            f"camera id {text!r}: expected 1 to 128 of A-Z a-z 0-9 . _ -, beginning with a letter or a digit"
        )
    return text


# Asked for every frame, of a few epochs.
@lru_cache(maxsize=4096)
def is_epoch(text: str) -> bool:
    """Whether the text can be an epoch."""
    return EPOCH.fullmatch(text) is not None


def new_epoch(now_ns: int) -> str:
    """Name a new run of a camera's producer: UTC time in ms and four random characters.

    now_ns: ns since 1970. The time makes an epoch findable, the characters keep two starts in one ms apart.
    """
    at = datetime.fromtimestamp(now_ns // 1_000_000 / 1000, tz=UTC)
    tail = "".join(secrets.choice(_EPOCH_ALPHABET) for _ in range(4))
    return f"{at:%Y%m%dT%H%M%S}{at.microsecond // 1000:03d}-{tail}"


def frame_name(camera_id: str, epoch: str, sequence: int) -> str:
    """The frame's `ce_id`: with `ce_source` it names a record once and for all."""
    return f"{camera_id}/{epoch}/{sequence}"


def camera_source(camera_id: str) -> str:
    """`ce_source` of a raw frame."""
    return f"/cameras/{camera_id}"


def pipeline_source(pipeline: str) -> str:
    """`ce_source` of what a pipeline publishes; takes its name or `name@hash`."""
    return f"/pipelines/{pipeline.partition('@')[0]}"
