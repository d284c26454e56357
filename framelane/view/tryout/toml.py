"""A [[pipeline]] as it stands in a file."""

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from streams.pipeline_settings import PipelineSettings

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_FIELDS = [field for field in dataclasses.fields(PipelineSettings) if field.name != "operators"]


def pipeline_toml(pipeline: Mapping[str, Any], operators: Sequence[Mapping[str, Any]]) -> str:
    """The text of one [[pipeline]]; what has its default is left out, but for what says where frames go.

    operators: tables with `op`. Raises TypeError for a value that TOML has none for.
    """
    lines = ["[[pipeline]]"]
    for field in _FIELDS:
        value = pipeline.get(field.name, field.default)
        if field.name == "group" and value in ("", f"framelane.{pipeline.get('name', '')}"):
            continue
        if field.name in ("input", "output") or (field.name in pipeline and _plain(value) != _plain(field.default)):
            lines.append(f"{_key(field.name)} = {value_text(value)}")
    entries = [table_text(entry) for entry in operators]
    lines += ["operators = [", *(f"  {entry}," for entry in entries), "]"] if entries else ["operators = []"]
    return "\n".join(lines) + "\n"


def table_text(table: Mapping[str, Any]) -> str:
    """An inline table, on one line."""
    pairs = (f"{_key(name)} = {value_text(value)}" for name, value in table.items() if value is not None)
    return "{ " + ", ".join(pairs) + " }"


def value_text(value: Any) -> str:
    """A value as TOML has it."""
    if isinstance(value, bool | str):
        # JSON's strings are TOML's, but for the one control character that JSON leaves as it is.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(value_text, value)) + "]"
    if isinstance(value, Mapping):
        return table_text(value)
    raise TypeError(f"{type(value).__name__} has no place in TOML")


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
