from pathlib import Path

import pytest

from producers.cameras_file import CameraKeys, check_camera, read_cameras
from streams.contract.errors import SettingError

WHOLE = """
[kafka]
bootstrap = "kafka:9092"

[defaults]
fps = 10
quality = 70

[[camera]]
id = "gate-1"
source = "rtsp://cam1.example/stream"
username_env = "GATE1_USER"
password_file = "secrets/gate1"
size = "1280x720"
policy = "drop_oldest"

[[camera]]
id = "tape"
source = "tape.mp4"
fps = 25
loop = true
"""


@pytest.fixture
def cameras(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "gate1").write_text("p@ss/word\n")
    return tmp_path / "cameras.toml"


def mistakes(path: Path, text: str) -> list[str]:
    path.write_text(text)
    with pytest.raises(SettingError) as raised:
        read_cameras(path, environ={})
    return [line.removeprefix(f"{path}:") for line in str(raised.value).splitlines()]


def test_a_file_of_cameras(cameras: Path) -> None:
    cameras.write_text(WHOLE)
    environ = {"GATE1_USER": "admin"}
    gate, tape = read_cameras(cameras, environ=environ)
    assert (gate.id, gate.keys.fps, gate.keys.quality, gate.size, gate.policy) == (
        "gate-1",
        10.0,
        70,
        (1280, 720),
        "drop_oldest",
    )
    assert gate.address.resolve(environ) == "rtsp://admin:p%40ss%2Fword@cam1.example/stream"
    # What a camera says goes before the defaults; files are beside the file.
    assert (tape.keys.fps, tape.keys.loop, tape.policy) == (25.0, True, None)
    assert tape.address.resolve(environ) == str(cameras.parent / "tape.mp4")


def test_no_secret_is_in_a_repr(cameras: Path) -> None:
    cameras.write_text('[[camera]]\nid = "a"\nsource = "rtsp://admin:hunter2@cam/live?token=hunter2"\n')
    [camera] = read_cameras(cameras, environ={})
    assert "hunter2" in camera.address.resolve({})
    assert "hunter2" not in repr(camera)
    assert "hunter2" not in camera.address.name


def test_every_mistake_is_told_with_its_line(cameras: Path) -> None:
    found = mistakes(
        cameras,
        '[defaults]\nid = "x"\nfbs = 3\n[[camera]]\nid = "a"\nsource = "synthetic:"\nfps = -1\nquality = 0\n'
        '[[camera]]\nid = "a"\nsource = "stdin:"\nsize = "12"\n[[camera]]\nid = "b/c"\n[other]\n',
    )
    assert found == [
        "2: defaults.id belongs to one camera: write it into its [[camera]]",
        "3: defaults.fbs is unknown; did you mean fps?",
        "7: camera[0].fps = -1.0: expected a number from 0 (its own) to 1000",
        "8: camera[0].quality = 0: expected a whole number from 1 to 100",
        "12: camera[1].size is wrong: size '12': expected WIDTHxHEIGHT in pixels, such as 1280x720",
        "13: camera[2].source is missing: give one of source, source_env and source_file",
        "14: camera[2].id is wrong: camera id 'b/c': expected 1 to 128 of A-Z a-z 0-9 . _ -, beginning with "
        "a letter or a digit",
        "15: other is unknown; there are [[camera]], [defaults] and [kafka]",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: camera is missing: expected a [[camera]] with an id and a source"),
        ("camera = 3", "1: camera has to be written as [[camera]], once for each"),
        ("[[camera]]\nid = 'a'\nsource = ", "3: is not TOML: Invalid value (at end of document)"),
        ("[[camera]]\nsource = 'synthetic:'", "1: camera[0].id is missing: expected text"),
        (
            "[[camera]]\nid = 'a'\nsource = 'synthetic:'\n[[camera]]\nid = 'a'\nsource = 'synthetic:'",
            '5: camera[1].id = "a": camera[0] has that id already',
        ),
        (
            "[[camera]]\nid = 'a'\nsource = 'stdin:'\n[[camera]]\nid = 'b'\nsource = 'stdin:'",
            "6: camera[1].source = stdin:: camera[0] reads standard input already",
        ),
        (
            "[[camera]]\nid = 'a'\nsource = 'rtsp://cam/'\npassword_env = 'NOT_THERE'",
            "4: camera[0].password_env cannot be used: password_env: the environment has no variable 'NOT_THERE'",
        ),
        (
            # The password in place of the variable's name.
            "[[camera]]\nid = 'a'\nsource = 'rtsp://cam/'\npassword_env = 'hunter2'",
            "4: camera[0].password_env cannot be used: password_env: the environment has no variable of that name",
        ),
        (
            "[[camera]]\nid = 'a'\nsource = 'rtsp://u:hunter2@cam/'\nusername = 'v'",
            "3: camera[0].source cannot be used: source 'rtsp://***@cam/': it holds a user already",
        ),
        (
            "[[camera]]\nid = 'a'\nsource = 'video.mp4'\nusername = 'v'",
            "3: camera[0].source cannot be used: source 'video.mp4': a user and a password are for addresses",
        ),
        (
            "[[camera]]\nid = 'a'\nsource = 'rtsp://cam/'\nusername = 'v'\nusername_env = 'V'",
            "5: camera[0].username_env is one too many: username is given as well",
        ),
        (
            "[[camera]]\nid = 'a'\nsource = 'rtsp://cam/'\npassword = 'hunter2'",
            "4: camera[0].password is unknown; did you mean password_env?",
        ),
    ],
)
def test_a_mistake(cameras: Path, text: str, message: str) -> None:
    [found] = mistakes(cameras, text)
    assert found.startswith(message)
    assert "hunter2" not in found


def test_a_secret_file_that_is_missing_is_named(cameras: Path) -> None:
    [found] = mistakes(cameras, "[[camera]]\nid='a'\nsource_file = 'secrets/nowhere'")
    assert found == (
        f"3: camera[0].source_file cannot be used: source_file: cannot read {cameras.parent / 'secrets/nowhere'}: "
        "No such file or directory"
    )


@pytest.mark.parametrize(
    "text",
    [
        "source_file = 'rtsp://admin:hunter2@cam/live'",
        "source = 'rtsp://cam/'\npassword_file = 'hunter2'",
        "source = 'rtsp://cam/'\npassword_env = ['hunter2']",
        "source = ['rtsp://admin:hunter2@cam/']",
        "source_env = 'rtsp://admin:hunter2@cam/'",
    ],
)
def test_a_secret_in_the_place_of_its_file_or_variable_is_not_shown(cameras: Path, text: str) -> None:
    assert "hunter2" not in "".join(mistakes(cameras, f"[[camera]]\nid='a'\n{text}"))


def test_secrets_are_read_each_time(cameras: Path) -> None:
    secret = cameras.parent / "secrets" / "gate1"
    settings = check_camera(
        CameraKeys(id="a", source="http://cam/", username="u", password_file=str(secret)), environ={}
    )
    assert settings.address.resolve({}) == "http://u:p%40ss%2Fword@cam/"
    secret.write_text("new")
    assert settings.address.resolve({}) == "http://u:new@cam/"


def test_the_first_mistake_of_a_camera_by_flags() -> None:
    with pytest.raises(SettingError, match=r"^camera a: keep_alive_s = -1: expected seconds from 0 \(none\) to 86400$"):
        check_camera(CameraKeys(id="a", source="synthetic:", keep_alive_s=-1))


def test_a_login_of_the_defaults_is_for_addresses_that_have_none(cameras: Path) -> None:
    cameras.write_text(
        '[defaults]\nusername = "u"\npassword_env = "P"\n'
        '[[camera]]\nid = "a"\nsource = "rtsp://cam/"\n'
        '[[camera]]\nid = "b"\nsource = "rtsp://v:q@cam/"\n'
        '[[camera]]\nid = "c"\nsource = "tape.mp4"\n'
        '[[camera]]\nid = "d"\nsource = "rtsp://cam/"\nusername_env = "U"\n'
        '[[camera]]\nid = "e"\nsource_env = "E"\n'
    )
    environ = {"P": "p", "U": "w", "E": "rtsp://cam/e"}
    found = [camera.address.resolve(environ) for camera in read_cameras(cameras, environ=environ)]
    folder = cameras.parent
    assert found == [
        "rtsp://u:p@cam/",
        "rtsp://v:q@cam/",
        f"{folder}/tape.mp4",
        "rtsp://w:p@cam/",
        "rtsp://u:p@cam/e",
    ]
