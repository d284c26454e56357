"""What a worker tells of its pipeline's settings: all that makes a frame come out as it does, and nothing secret."""

import dataclasses
import re
from typing import Any

from streams.contract.redact import redact
from streams.pipeline_settings import PipelineSettings

HIDDEN = "***"
# As parameters of others' operators may be called.
_SECRET_NAME = re.compile(r"passw|passphrase|pwd|secret|token|credential|api_?key|auth", re.IGNORECASE)
# The label and the group of a report say these.
_SAID = ("name", "group", "operators")


def told_settings(settings: PipelineSettings) -> dict[str, Any]:
    """The settings as they would stand in a file, but for name and group; each operator as a table with `op`.

    Addresses are without user, password and the values of their query, and parameters that are named as secrets are
    `***`.
    """
    told = {
        field.name: getattr(settings, field.name) for field in dataclasses.fields(settings) if field.name not in _SAID
    }
    told["operators"] = [
        {"op": entry.op} | {name: _shown(name, value) for name, value in entry.parameters.items()}
        for entry in settings.operators
    ]
    return told


def _shown(name: str, value: Any) -> Any:
    if _SECRET_NAME.search(name):
        return HIDDEN
    if isinstance(value, str):
        return redact(value) if "://" in value else value
    if isinstance(value, dict):
        return {key: _shown(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_shown("", each) for each in value]
    return value
