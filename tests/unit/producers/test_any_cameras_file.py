"""Whatever a file of cameras says: cameras, or a SettingError that names the file; and never a secret."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from toml_texts import files

from producers.cameras_file import CameraKeys, read_cameras
from streams.contract.errors import SettingError

KEYS = [field.name for field in dataclasses.fields(CameraKeys)]
SOUND = 'id = "a"\nsource = "synthetic:"\n'
SECRET = "hunter2-and-more"
DEEP = "[" * 1500 + "]" * 1500
anything = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cameras.toml"


def read(path: Path, text: str) -> str:
    """What is to be seen of it: the cameras, or the error."""
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        return repr(read_cameras(path, environ={"CAMERA": f"rtsp://user:{SECRET}@cam", "PASSWORD": SECRET}))
    except SettingError as error:
        assert str(path) in str(error)
        return str(error)


@anything
@given(files("camera", KEYS, begin=SOUND))
@example(f"[[camera]]\nid = {DEEP}")
@example(f"[[camera]]\nid = 0x{'f' * 5000}")
@example('[[camera]]\nid = "a"\nsource = "rtsp://cam"\nusername = "x"\npassword_file = "\\u0000"\n')
@example('[[camera]]\nid = "a"\nsource_file = "\\u0000"\n')
@example("[camera]\n")
@example("defaults = 1\n")
def test_any_file(path: Path, text: str) -> None:
    read(path, text)


@anything
@given(files("camera", KEYS), st.sampled_from(["source_env", "password_env", "username_env", "source"]))
def test_no_secret_is_shown_whatever_else_is_wrong(path: Path, text: str, way: str) -> None:
    value = {"source": f"rtsp://user:{SECRET}@cam/live", "source_env": "CAMERA"}.get(way, "PASSWORD")
    assert SECRET not in read(path, f'[[camera]]\nid = "a"\n{way} = "{value}"\n{text}')
