"""A TOML file of settings, and the mistakes in it by file, line and key."""

import re
import tomllib
from pathlib import Path
from typing import Any

from streams.contract.errors import SettingError
from streams.contract.settings_lines import key_lines
from streams.contract.settings_values import Mistake
from streams.contract.toml_text import read_toml


class SettingsFile:
    """What a file holds, and what is found wrong with it; all of it is told at once by `raise_if_wrong`."""

    def __init__(self, path: Path) -> None:
        """Read the file; SettingError when it cannot be read or is not TOML."""
        self.path = path
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise SettingError(f"cannot read {path}: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise SettingError(f"{path}: is not UTF-8 text") from error
        try:
            self.content: dict[str, Any] = read_toml(text)
        except tomllib.TOMLDecodeError as error:
            raise SettingError(_located(path, error, text)) from error
        self._lines = key_lines(text)
        self._mistakes: list[tuple[int, str]] = []

    def refuse(self, key: str, message: str) -> None:
        """Note a mistake. key: such as pipeline[0].operators[2].kernel. message: completes "<key> ..."."""
        line = self._line(key)
        self._mistakes.append((line, f"{self.path}:{line}: {key} {message}"))

    def refuse_all(self, prefix: str, mistakes: list[Mistake]) -> None:
        """Note the mistakes in the values of a table."""
        for mistake in mistakes:
            self.refuse(f"{prefix}.{mistake.key}" if mistake.key else prefix, mistake.message)

    def raise_if_wrong(self) -> None:
        """Raise SettingError with one line for each mistake, in the order of the file."""
        if self._mistakes:
            raise SettingError("\n".join(text for _, text in sorted(self._mistakes, key=lambda mistake: mistake[0])))

    def _line(self, key: str) -> int:
        """The line of the key, or, where it is missing, of the nearest thing that would hold it."""
        while key and key not in self._lines:
            key = re.sub(r"(\.[^.\[]*|\[\d+\]|^[^.\[]*)$", "", key)
        return self._lines.get(key, 1)


def _located(path: Path, error: tomllib.TOMLDecodeError, text: str) -> str:
    found = re.search(r"^(.*) \(at line (\d+), column (\d+)\)$", str(error), re.DOTALL)
    if found:
        return f"{path}:{found[2]}: is not TOML: {found[1]} (column {found[3]})"
    if "end of document" not in str(error):
        return f"{path}: is not TOML: {error}"
    # As in half a file.
    return f"{path}:{len(text.splitlines()) or 1}: is not TOML: {error}"
