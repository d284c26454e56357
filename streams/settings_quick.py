"""The quick form of an operator: `resize:width=640`, `blur:kind=median,kernel=5`."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from streams.contract.errors import SettingError
from streams.contract.toml_text import read_toml
from streams.operators import OPERATORS
from streams.operators.find import BY_MODULE

_BARE_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PIECE = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|[\[{]|[\]}]|,|[^"\'\[\]{},]+|.', re.DOTALL)


def parse_op(text: str) -> tuple[str, dict[str, Any]]:
    """Name and parameters of an operator. Values are TOML values, or bare words, which are texts.

    Raises SettingError where the text is not NAME or NAME:key=value,key=value; whether name and keys exist is another's
    question.
    """
    op, rest = _split_name(text.strip())
    if not op:
        raise _refused(text, "it has no name")
    values: dict[str, Any] = {}
    for pair in _split_pairs(rest) if rest else ():
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not _KEY.fullmatch(key):
            raise _refused(text, f"{pair.strip()!r} is not key=value")
        if key in values:
            raise _refused(text, f"{key} is given twice")
        values[key] = _value(value, text)
    return op, values


def _split_name(text: str) -> tuple[str, str]:
    """The name and what follows its colon; a custom operator's name has a colon of its own."""
    first, _, rest = text.partition(":")
    second, _, more = rest.partition(":")
    if first not in OPERATORS and BY_MODULE.fullmatch(f"{first}:{second}"):
        return f"{first}:{second}", more
    return first, rest


def _split_pairs(text: str) -> Iterator[str]:
    """The text between those commas that stand in no list, table or string."""
    depth, pair = 0, ""
    for match in _PIECE.finditer(text):
        piece = match[0]
        if piece == "," and depth == 0:
            yield pair
            pair = ""
            continue
        depth += (piece in ("[", "{")) - (piece in ("]", "}"))
        pair += piece
    yield pair


def _value(value: str, text: str) -> Any:
    try:
        table = read_toml(f"value = {value}")
    except tomllib.TOMLDecodeError as error:
        if _BARE_WORD.fullmatch(value):
            return value
        raise _refused(text, f"{value!r} is not a TOML value: a number, a word, true, false, or a list") from error
    if len(table) != 1:
        raise _refused(text, f"{value!r} is more than one value")
    return table["value"]


def _refused(text: str, why: str) -> SettingError:
    return SettingError(f"--op {text!r}: {why}; expected NAME or NAME:key=value,key=value, such as resize:width=640")
