"""The parameters of an operator, from TOML: names and types checked, every mistake reported."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from streams.contract.settings_values import Mistake, convert, default_text, parameters_of
from streams.operators.base import Operator
from streams.operators.checks import ParameterError, refusal


def make_operator(operator: type[Operator], values: Mapping[str, Any]) -> tuple[Operator | None, list[Mistake]]:
    """The operator with these parameters, or what is wrong with them."""
    sound, mistakes = convert(operator, values)
    if mistakes:
        return None, mistakes
    try:
        return cast(Callable[..., Operator], operator)(**sound), []
    except ParameterError as error:
        return None, [Mistake(error.parameter, refusal(error.value, error.expected))]
    except Exception as error:  # noqa: BLE001 - an operator of others may refuse a value in its own way
        return None, [Mistake("", f"cannot be made: {type(error).__name__}: {error}")]


def takes(op: str, operator: type[Operator]) -> str:
    """A sentence that lists an operator's parameters with types and defaults."""
    listed = [
        f"{parameter.name} ({parameter.type}, {'required' if parameter.required else default_text(parameter)})"
        for parameter in parameters_of(operator)
    ]
    return f"{op} takes {', '.join(listed)}" if listed else f"{op} takes no parameters"
