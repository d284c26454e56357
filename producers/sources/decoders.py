"""What decodes streams and videos: PyAV where it is installed (the extra `pyav`), else OpenCV."""

from typing import Literal

from producers.sources.base import Decoder
from streams.contract.errors import SettingError

# Before it, FFmpeg gave each picture the time of the next one out of sender reports.
_OLDEST = 18
# Of sources whose pictures pass as they come.
UNTOUCHED = "byte for byte"


def pyav_version() -> str:
    """The version of PyAV, such as "18.1.0"; "" where it is not installed, or too old."""
    # It is an extra, and not loaded before something is to be decoded.
    try:
        import av
    except ImportError:
        return ""
    return av.__version__ if int(av.__version__.partition(".")[0]) >= _OLDEST else ""


def chosen(decoder: Decoder) -> Literal["pyav", "opencv"]:
    """What is to be used; SettingError for PyAV where it is not installed."""
    if decoder == "opencv":
        return "opencv"
    if pyav_version():
        return "pyav"
    if decoder == "pyav":
        raise SettingError(
            f"decoder 'pyav': no PyAV {_OLDEST} is installed; install it with: pip install 'framelane[pyav]'"
        )
    return "opencv"
