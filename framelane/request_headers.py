"""Headers of requests, whose values the environment or files hold: what stands on a command line is for all to see."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from streams.contract.errors import SettingError


def request_headers(
    by_env: Iterable[str], by_file: Iterable[str], *, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Names and values from `NAME=VAR` and `NAME=FILE`. Raises SettingError, which shows no value."""
    headers: dict[str, str] = {}
    for name, variable in _pairs(by_env, option="--header-env", expected="NAME=VAR"):
        if variable not in environ:
            # Some write the value itself there.
            raise SettingError(f"--header-env {name}=...: the environment has no variable of that name")
        headers[name] = environ[variable].strip()
    for name, file in _pairs(by_file, option="--header-file", expected="NAME=FILE"):
        try:
            headers[name] = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise SettingError(f"--header-file {name}=...: cannot read that file: {reason}") from None
    return headers


def _pairs(texts: Iterable[str], *, option: str, expected: str) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, equals, where = text.partition("=")
        if not (name and equals and where):
            raise SettingError(f"{option}: expected {expected}, such as Authorization={expected.partition('=')[2]}")
        yield name, where
