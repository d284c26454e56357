"""Values from TOML into the fields of a settings class: names and types checked, every mistake reported."""

import dataclasses
import json
import types
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

_MAX_SHOWN = 80


@dataclasses.dataclass(frozen=True, slots=True)
class Parameter:
    """One field of a settings class. type: for people. default: None where there is none and it is required."""

    name: str
    hint: Any
    type: str
    default: Any
    required: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Mistake:
    """Something wrong with a value. key: the field's name, or "" for the whole. message: completes "<key> ..."."""

    key: str
    message: str


def parameters_of(settings: type[Any]) -> list[Parameter]:
    """The fields of a dataclass as parameters, in their order."""
    hints = get_type_hints(settings)
    return [
        Parameter(field.name, hints[field.name], type_text(hints[field.name]), *_default(field))
        for field in dataclasses.fields(settings)
        if field.init
    ]


def type_text(hint: Any) -> str:
    """A type as a person would say it."""
    if get_origin(hint) is Literal:
        return " | ".join(shown(value) for value in get_args(hint))
    if get_origin(hint) in (Union, types.UnionType):
        return " | ".join(type_text(part) for part in get_args(hint) if part is not types.NoneType)
    if get_args(hint) == (float, float):
        return "[x, y]"
    if get_origin(hint) in (tuple, list):
        return f"[{type_text(get_args(hint)[0])}, ...]" if get_args(hint) else "[...]"
    return {int: "integer", float: "number", str: "text", bool: "true | false"}.get(
        hint, getattr(hint, "__name__", str(hint))
    )


def convert(settings: type[Any], values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Mistake]]:
    """The values that are sound, as the fields' types, and a mistake for each that is not.

    A whole number does for a float; true and false are no numbers; a TOML list becomes a tuple.
    """
    parameters = {parameter.name: parameter for parameter in parameters_of(settings)}
    sound: dict[str, Any] = {}
    mistakes = []
    for key, value in values.items():
        if key not in parameters:
            mistakes.append(Mistake(key, f"is unknown; {unknown_hint(key, parameters)}"))
            continue
        try:
            sound[key] = msgspec.convert(value, parameters[key].hint)
        except msgspec.ValidationError:
            mistakes.append(Mistake(key, f"= {shown(value)}: expected {parameters[key].type}"))
    lacking = [name for name, parameter in parameters.items() if parameter.required and name not in values]
    mistakes += [Mistake(name, f"is missing: expected {parameters[name].type}") for name in lacking]
    return sound, mistakes


def default_text(parameter: Parameter) -> str:
    """A default as a person would write it; "-" for none."""
    return "-" if parameter.required or parameter.default is None else shown(parameter.default)


def shown(value: Any) -> str:
    """A value as a person would write it in TOML, cut where it is long."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."


def unknown_hint(key: str, known: Mapping[str, Any]) -> str:
    """What a person may have meant by a key that is not known."""
    near = get_close_matches(key, known, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"there are {', '.join(known)}" if known else "there are none"


def _default(field: "dataclasses.Field[Any]") -> tuple[Any, bool]:
    if field.default is not dataclasses.MISSING:
        return field.default, False
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory(), False
    return None, True
