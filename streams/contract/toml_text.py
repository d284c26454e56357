"""TOML as a person may write it: tomllib, but with one kind of error for all that is wrong."""

import tomllib
from typing import Any

_INTEGERS = range(-(2**63), 2**63)


def read_toml(text: str) -> dict[str, Any]:
    """What a text holds; tomllib.TOMLDecodeError where it is not TOML, or has integers of more than 64 bits."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise tomllib.TOMLDecodeError("lists or tables are nested too deeply") from None
    except ValueError:
        # Python refuses to convert so many digits; that is no error of tomllib's.
        raise tomllib.TOMLDecodeError("an integer has more than 64 bits") from None
    _check_integers(content)
    return content


def _check_integers(content: dict[str, Any]) -> None:
    # Whoever shows a larger one may fail of it: hexadecimal ones have no limit in Python, decimal ones have.
    left: list[Any] = [content]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
        elif isinstance(value, int) and value not in _INTEGERS:
            raise tomllib.TOMLDecodeError("an integer has more than 64 bits")
