"""A frame's name, taken apart: whose it is, and when about it was taken."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from streams.contract.errors import SettingError
from streams.contract.identity import frame_name, is_camera_id, is_epoch

_TIMED = re.compile(r"([0-9]{8}T[0-9]{6})([0-9]{3})-[0-9a-z]{4}", re.ASCII)
_BARE = re.compile(r"@(.+)-([0-9]{1,9})", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FrameName:
    """`<camera>/<epoch>/<sequence>`."""

    camera_id: str
    epoch: str
    sequence: int

    @classmethod
    def parse(cls, text: str) -> "FrameName":
        """From what a person types; SettingError when it is no frame's name."""
        camera_id, _, rest = text.strip().partition("/")
        epoch, _, number = rest.rpartition("/")
        if not (is_camera_id(camera_id) and is_epoch(epoch) and _NUMBER.fullmatch(number)):
            raise SettingError(
                f"frame {text!r}: expected CAMERA/EPOCH/SEQUENCE, such as gate-1/20260509T073000000-ab12/812; "
                "`framelane tail --json` has these, and events name theirs"
            )
        return cls(camera_id, epoch, int(number))

    def __str__(self) -> str:
        return frame_name(self.camera_id, self.epoch, self.sequence)

    @property
    def began_ms(self) -> int | None:
        """When the epoch began, in ms since 1970; None where its name does not tell."""
        return epoch_ms(self.epoch)

    @property
    def bare_place(self) -> tuple[str, int] | None:
        """Topic and partition of a frame that came without headers: its sequence is its offset there."""
        found = _BARE.fullmatch(self.epoch)
        return (found[1], int(found[2])) if found else None


def epoch_ms(epoch: str) -> int | None:
    """When an epoch began, in ms since 1970; None where its name is not `<YYYYMMDDTHHMMSSmmm>-<4 characters>`."""
    found = _TIMED.fullmatch(epoch)
    if not found:
        return None
    try:
        second = datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(second.timestamp()) * 1000 + int(found[2])
