"""TOML that tomllib, or Python, has no error of its own kind for."""

import tomllib
from pathlib import Path

import pytest

from streams.contract.errors import SettingError
from streams.contract.settings_file import SettingsFile
from streams.contract.toml_text import read_toml


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("[" * 1500 + "]" * 1500, "nested too deeply"),
        ("{a=" * 1500 + "1" + "}" * 1500, "nested too deeply"),
        ("9" * 5000, "more than 64 bits"),
        ("0x" + "f" * 5000, "more than 64 bits"),
        ("9223372036854775808", "more than 64 bits"),
        ("[1, { a = -9223372036854775809 }]", "more than 64 bits"),
        ("[1", "Unclosed array"),
    ],
)
def test_what_is_refused(value: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(tomllib.TOMLDecodeError, match=says):
        read_toml(f"key = {value}")
    path = tmp_path / "file.toml"
    path.write_text(f"key = {value}")
    with pytest.raises(SettingError, match=rf"file\.toml.*: is not TOML: .*{says}"):
        SettingsFile(path)


def test_what_is_read() -> None:
    text = "a = 9223372036854775807\nb = [-9223372036854775808, 0x7f]\nc = { d = [1979-05-27, true] }\n[e]\n"
    assert read_toml(text) == tomllib.loads(text)
