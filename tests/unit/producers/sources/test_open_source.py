import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest
from producer_support import scene_images, write_images, write_video

import producers.sources as sources
from producers.sources import SourceOptions, open_source
from producers.sources.base import Decoder
from producers.sources.folder import ImageFolder
from producers.sources.pyav_file import PyavFile
from producers.sources.synthetic import Synthetic
from streams.contract.errors import FramelaneError, SettingError, SourceError

OPTIONS = SourceOptions(camera_id="gate-1")


def test_the_text_says_which_source(tmp_path: Path) -> None:
    write_images(tmp_path / "pictures", 1)
    video = write_video(tmp_path / "video.mp4", scene_images(3))
    assert isinstance(open_source("synthetic:", OPTIONS), Synthetic)
    assert isinstance(open_source(str(video), OPTIONS), PyavFile)
    assert isinstance(open_source(str(tmp_path / "pictures"), OPTIONS), ImageFolder)
    assert isinstance(open_source(str(tmp_path / "pictures" / "frame0.jpg"), OPTIONS), ImageFolder)


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("", SourceError, "no such file"),
        ("nowhere.mp4", SourceError, "'nowhere.mp4': no such file or folder"),
        ("ftp://me:secret@host/x", SourceError, "no source is called 'ftp'.*synthetic:, device:, rtsp:"),
        ("FTP://me:secret@host/x", SourceError, "no source is called 'ftp'"),
        ("cam.example/user=me_password=secret", SourceError, r"password=\*\*\*': no such file or folder"),
        ("//me:secret@cam/" + "x" * 5000, SourceError, r"//\*\*\*@cam/x{1,200}\.\.\.': no file or folder: "),
        ("rtsps+x://me:secret@cam/" + "x" * 5000, SourceError, "no source is called"),
        ("DEVICE:first", SettingError, "device:0"),
        ("synthetic://me:secret@host", SettingError, "expected synthetic:"),
        ("synthetic:?size=99999x99999", SettingError, "size 99999x99999: a picture has 25000000 pixels"),
        ("RTSP://me:secret@127.0.0.1:1/x", SourceError, r"'rtsp://\*\*\*@127.0.0.1:1/x': no stream"),
        ("device:", SettingError, "device:0"),
        ("device:first", SettingError, "device:0"),
        ("device:99", SourceError, "'device:99': no camera"),
        ("synthetic:fast", SettingError, "expected synthetic:"),
        ("synthetic:?colour=red", SettingError, "unknown option 'colour'"),
        ("synthetic:?size=10", SettingError, "size='10'"),
        ("synthetic:?size=100x100", SettingError, "at least 160x120"),
        ("synthetic:?fps=0", SettingError, "fps='0'"),
        ("synthetic:?seed=x", SettingError, "seed='x'"),
        ("rtsp://me:secret@127.0.0.1:1/x", SourceError, r"'rtsp://\*\*\*@127.0.0.1:1/x': no stream"),
    ],
)
def test_a_wrong_source_is_named_with_what_was_expected(
    text: str, error: type[FramelaneError], says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(error, match=says) as raised:
        open_source(text, OPTIONS)
    assert "secret" not in str(raised.value)
    assert "secret" not in capfd.readouterr().err


@pytest.mark.parametrize("decoder", ["pyav", "opencv"])
def test_opencv_and_ffmpeg_say_nothing_beside_the_error(decoder: str) -> None:
    # In a process of its own: FFmpeg's level is fixed when anything in the process first uses it.
    code = f"""
from producers.sources import SourceOptions, open_source
from streams.contract.errors import SourceError
for text in ("rtsp://me:secret@127.0.0.1:1/x", "http://me:secret@127.0.0.1:1/x", "pyproject.toml", "device:99"):
    try:
        open_source(text, SourceOptions(camera_id="a", decoder="{decoder}"))
    except SourceError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 4
    assert done.stderr == ""


@pytest.mark.parametrize("decoder", ["pyav", "opencv"])
def test_a_text_file_is_no_video(decoder: Decoder, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a video\n" * 100)
    with pytest.raises(SourceError, match=r"notes.txt': is not a video"):
        open_source(str(file), SourceOptions(camera_id="a", decoder=decoder))


def test_another_distribution_can_bring_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("sources_from_elsewhere")
    module.__dict__["open_scope"] = lambda text, options: Synthetic(sources.synthetic.SyntheticSettings(), options)
    monkeypatch.setitem(sys.modules, "sources_from_elsewhere", module)
    found = {
        "scope": EntryPoint("scope", "sources_from_elsewhere:open_scope", sources.ENTRY_POINTS),
        "broken": EntryPoint("broken", "sources_from_elsewhere:nothing", sources.ENTRY_POINTS),
    }
    monkeypatch.setattr(sources, "entry_points", lambda group, name: [found[name]] if name in found else [])
    assert isinstance(open_source("scope:1", OPTIONS), Synthetic)
    with pytest.raises(SourceError, match=r"'broken'.*sources_from_elsewhere:nothing"):
        open_source("broken:1", OPTIONS)
