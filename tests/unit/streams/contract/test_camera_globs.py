import pytest

from streams.contract.camera_globs import CameraGlobs
from streams.contract.errors import SettingError

CAMERAS = ["gate-1", "gate-9", "yard"]


@pytest.mark.parametrize(
    ("globs", "expected"),
    [
        (None, ["gate-1", "gate-9", "yard"]),
        ([], ["gate-1", "gate-9", "yard"]),
        (["gate-*"], ["gate-1", "gate-9"]),
        (["gate-*", "!gate-9"], ["gate-1"]),
        (["!gate-9", "gate-*"], ["gate-1"]),
        (["!gate-*"], ["yard"]),
        (["yard", "gate-1"], ["gate-1", "yard"]),
        (["GATE-1"], []),
    ],
)
def test_matches(globs: list[str] | None, expected: list[str]) -> None:
    assert [camera for camera in CAMERAS if CameraGlobs.of(globs).match(camera)] == expected


@pytest.mark.parametrize("globs", [["!"], [""]])
def test_refuses_an_empty_glob(globs: list[str]) -> None:
    with pytest.raises(SettingError, match="expected a camera's id or a glob"):
        CameraGlobs.of(globs)


def test_refuses_a_text_in_place_of_a_list() -> None:
    with pytest.raises(SettingError, match="expected a list"):
        CameraGlobs.of("gate-1")
