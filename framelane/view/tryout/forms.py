"""The fields of the try-out's page, made from the settings classes of the operators."""

import inspect
import math
import re
import types
from collections.abc import Mapping
from typing import Any, Final, Literal, Union, get_args, get_origin

from streams.contract.settings_values import Parameter, parameters_of
from streams.operators import OPERATORS
from streams.operators.base import Operator
from streams.operators.checks import ParameterError
from streams.operators.parameters import make_operator
from streams.pipeline_settings import PipelineSettings
from streams.settings_rules import wrong_values

# What an operator begins with in the page, where its defaults alone are not enough, or show nothing.
BEGINNINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "resize": {"width": 320},
    "crop": {"x": 0.25, "y": 0.25, "w": 0.5, "h": 0.5},
    "perspective": {"corners": [[0.1, 0.1], [0.9, 0.0], [1.0, 1.0], [0.0, 0.9]]},
    "undistort": {"fx": 0.8, "k1": -0.2},
    "line_count": {"lines": [[[0.1, 0.5], [0.9, 0.5]]]},
    "dwell": {"zones": [[[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]]]},
}
# Of the pipeline's own settings, those that change what is seen.
_OF_PIPELINE = {
    "name": "of the pipeline",
    "format": "of the picture as it is published",
    "quality": "of JPEG and WebP",
    "plan": "decode no more of a frame than its operators need",
}
_FAR = 10**9
_NUMBER = r"-?\d+(?:\.\d+)?"
_RANGES = (
    re.compile(rf"(?P<low>{_NUMBER}) (?:up )?to (?P<high>{_NUMBER})(?![\w.]*\d)"),
    re.compile(rf"above (?P<above>{_NUMBER}),? up to (?P<high>{_NUMBER})"),
)


def operator_forms() -> list[dict[str, Any]]:
    """A form for each of our operators: name, summary, begins (parameters to begin with), fields."""
    return [
        {
            "op": op,
            "summary": inspect.getdoc(operator).partition("\n")[0] if operator.__doc__ else "",  # type: ignore[union-attr]
            "begins": BEGINNINGS.get(op, {}),
            "memory": op in _REMEMBERING,
            "fields": [_field(parameter, op, operator) for parameter in parameters_of(operator)],
        }
        for op, operator in OPERATORS.items()
    ]


def pipeline_fields() -> list[dict[str, Any]]:
    """The fields of the pipeline itself."""
    parameters = {parameter.name: parameter for parameter in parameters_of(PipelineSettings)}
    return [
        _described(parameters[name], expected=_pipeline_expects(parameters[name])) | {"help": about}
        for name, about in _OF_PIPELINE.items()
    ]


def _field(parameter: Parameter, op: str, operator: type[Operator]) -> dict[str, Any]:
    expected = "" if parameter.name in getattr(operator, "files", ()) else _expects(parameter, op, operator)
    described = _described(parameter, expected=expected)
    described["help"] = _helps(inspect.getdoc(operator) or "").get(parameter.name, "")
    if parameter.name in getattr(operator, "files", ()):
        described["kind"] = "file"
    return described


def _described(parameter: Parameter, *, expected: str) -> dict[str, Any]:
    kind, choices = _kind(parameter)
    field = {
        "name": parameter.name,
        "kind": kind,
        "type": parameter.type,
        "required": parameter.required,
        "default": parameter.default,
        "choices": choices,
        "expected": expected,
    }
    if kind in ("integer", "number"):
        field |= _limits(expected)
    return field


def _kind(parameter: Parameter) -> tuple[str, list[Any]]:
    """What is shown: "boolean", "integer", "number", "text", "choice", "choices", "zones", "points" or "value"."""
    hint = _without_none(parameter.hint)
    plain = {bool: "boolean", int: "integer", float: "number", str: "text"}.get(hint)
    if plain:
        return plain, []
    if get_origin(hint) is Literal:
        return "choice", list(get_args(hint))
    inner = get_args(hint)[0] if get_origin(hint) is tuple and get_args(hint) else None
    if get_origin(inner) is Literal:
        return "choices", list(get_args(inner))
    if _is_points(inner):
        return "points", []
    if get_origin(inner) is tuple and _is_points(get_args(inner)[0]):
        return "zones", []
    return "value", []


def _is_points(inner: Any) -> bool:
    return get_args(inner) == (float, float)


def _without_none(hint: Any) -> Any:
    if get_origin(hint) not in (Union, types.UnionType):
        return hint
    parts = [part for part in get_args(hint) if part is not types.NoneType]
    return parts[0] if len(parts) == 1 else hint


def _expects(parameter: Parameter, op: str, operator: type[Operator]) -> str:
    """What the operator itself says that it expects, asked by a value that none can have; "" where it takes that."""
    kind, _ = _kind(parameter)
    absurd = {"integer": _FAR, "number": float(_FAR), "zones": [[[2.0, 2.0]]], "text": "\n"}.get(kind)
    if absurd is None:
        return ""
    lacking = {each.name: "" for each in parameters_of(operator) if each.required}
    values = lacking | dict(BEGINNINGS.get(op, {})) | {parameter.name: absurd}
    _, mistakes = make_operator(operator, values)
    told = [mistake.message for mistake in mistakes if mistake.key == parameter.name]
    return told[0].partition(": expected ")[2] if told else ""


def _pipeline_expects(parameter: Parameter) -> str:
    if parameter.name not in ("name", "quality"):
        return ""
    absurd: Any = "\n" if parameter.name == "name" else _FAR
    try:
        return wrong_values({parameter.name: absurd}).get(parameter.name, "")
    except ParameterError as error:
        return error.expected


def _limits(expected: str) -> dict[str, float]:
    """Lowest and highest, as the sentence has them; `above` where the lowest itself is left out."""
    for pattern in _RANGES:
        if found := pattern.search(expected):
            bounds = {name: float(text) for name, text in found.groupdict().items() if text is not None}
            low = bounds.get("low", bounds.get("above", -math.inf))
            return {"low": low, "high": bounds["high"]} | ({"odd": 1.0} if "odd number" in expected else {})
    return {}


def _helps(text: str) -> dict[str, str]:
    """What the docstring says of each parameter: the sentences that begin with `name:` or `name, other:`."""
    helps: dict[str, str] = {}
    body = " ".join(text.split())
    starts = list(re.finditer(r"(?:(?<=[.:] )|^)((?:[a-z_0-9]+, )*[a-z_0-9]+(?: \([^)]*\))?): ", body))
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        words = body[start.end() : following.start() if following else len(body)].strip()
        for name in re.findall(r"[a-z_0-9]+", start[1].partition(" (")[0]):
            helps.setdefault(name, words)
    return helps


def _remembers(op: str, operator: type[Operator]) -> bool:
    made, _ = make_operator(operator, BEGINNINGS.get(op, {}))
    return made is not None and made.memory_frames > 0


_REMEMBERING = frozenset(op for op, operator in OPERATORS.items() if _remembers(op, operator))
