import sys
from types import ModuleType

import av
import pytest

from producers.sources.base import SourceOptions
from producers.sources.decoders import chosen, pyav_version
from producers.sources.network import open_stream_here
from streams.contract.errors import SettingError


def test_pyav_is_chosen_where_it_is_there() -> None:
    assert pyav_version() == av.__version__
    assert [chosen("auto"), chosen("pyav"), chosen("opencv")] == ["pyav", "pyav", "opencv"]


@pytest.mark.parametrize("there", [None, "17.0.1"], ids=["missing", "too old"])
def test_without_it_opencv_is_chosen_unless_pyav_is_named(there: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    old = ModuleType("av")
    old.__dict__["__version__"] = there
    monkeypatch.setitem(sys.modules, "av", old if there else None)
    assert pyav_version() == ""
    assert [chosen("auto"), chosen("opencv")] == ["opencv", "opencv"]
    with pytest.raises(SettingError, match=r"pip install 'framelane\[pyav\]'"):
        chosen("pyav")
    with pytest.raises(SettingError, match="decoder 'pyav'"):
        open_stream_here("rtsp://127.0.0.1:1/x", SourceOptions(camera_id="a", decoder="pyav"))
