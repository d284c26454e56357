"""A camera that is not there: `synthetic:` or `synthetic:?size=1280x720&fps=15&seed=1`."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from producers.pictures import check_size
from producers.scene import Scene
from producers.sources.base import Grab, SourceOptions
from producers.stamp import MIN_HEIGHT, MIN_WIDTH
from streams.contract.errors import SettingError
from streams.contract.redact import redact

DEFAULT_SIZE = (1280, 720)
DEFAULT_SYNTHETIC_FPS = 15.0
_EXPECTED = "expected synthetic: or synthetic:?size=WIDTHxHEIGHT&fps=N&seed=N"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticSettings:
    """size: (width, height) in pixels. fps: pictures a second of the scene's time. seed: of the noise."""

    size: tuple[int, int] = DEFAULT_SIZE
    fps: float = DEFAULT_SYNTHETIC_FPS
    seed: int = 0


class Synthetic:
    """Draws a scene; the camera's id and the picture's number are in it, as text and as a stamp.

    The pictures are numbered from 0 when it is opened, as the frames of an epoch are.
    """

    live = False
    codec = "drawn"
    decoder = ""

    def __init__(self, settings: SyntheticSettings, options: SourceOptions) -> None:
        self.name = "synthetic:"
        self.fps = settings.fps
        self._clock = options.clock
        self._scene = Scene(options.camera_id, size=settings.size, fps=settings.fps, seed=settings.seed)
        self._sequence = 0

    def grab(self) -> Grab:
        """Draw the next picture; there is no last one."""
        image = self._scene.draw(self._sequence)
        media_time_ns = round(self._sequence * 1_000_000_000 / self.fps)
        self._sequence += 1
        return Grab(picture=image, captured_at_ns=self._clock(), media_time_ns=media_time_ns)

    def close(self) -> None:
        """Nothing is held."""


def open_synthetic(text: str, options: SourceOptions) -> Synthetic:
    """Open `synthetic:`; the options' fps and size go before those in the text."""
    settings = _settings(text)
    size = check_size(options.size or settings.size, setting=f"source {redact(text)!r}: size")
    if size[0] < MIN_WIDTH or size[1] < MIN_HEIGHT:
        raise SettingError(
            f"source {redact(text)!r}: size {size[0]}x{size[1]}: at least {MIN_WIDTH}x{MIN_HEIGHT} is needed"
        )
    fps = options.fps or settings.fps
    return Synthetic(SyntheticSettings(size=size, fps=fps, seed=settings.seed), options)


def _settings(text: str) -> SyntheticSettings:
    address, _, query = text.partition("?")
    if address not in ("synthetic:", "synthetic://"):
        raise SettingError(f"source {redact(text)!r}: {_EXPECTED}")
    given = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(set(given) - {"size", "fps", "seed"})
    if unknown:
        raise SettingError(f"source {redact(text)!r}: unknown option {unknown[0]!r}; {_EXPECTED}")
    size = re.fullmatch(r"([1-9][0-9]{1,4})x([1-9][0-9]{1,4})", given.get("size", "1280x720"))
    fps, seed = given.get("fps", str(DEFAULT_SYNTHETIC_FPS)), given.get("seed", "0")
    if size is None:
        raise SettingError(f"source {redact(text)!r}: size={given['size']!r}; expected WIDTHxHEIGHT such as 640x480")
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]+)?", fps) or not 0 < float(fps) <= 1000:
        raise SettingError(f"source {redact(text)!r}: fps={fps!r}; expected a number above 0, 1000 at the most")
    if not re.fullmatch(r"[0-9]{1,9}", seed):
        raise SettingError(f"source {redact(text)!r}: seed={seed!r}; expected a whole number")
    return SyntheticSettings(size=(int(size[1]), int(size[2])), fps=float(fps), seed=int(seed))
