"""How an operator refuses a value."""

import re

from streams.contract.errors import SettingError
from streams.contract.settings_values import shown


class ParameterError(SettingError):
    """A parameter has a value that cannot be used.

    parameter, value, expected: what is wrong, for whoever knows where it was written.
    """

    def __init__(self, operator: str, parameter: str, value: object, expected: str) -> None:
        super().__init__(f"{operator}: {parameter} {refusal(value, expected)}")
        self.operator = operator
        self.parameter = parameter
        self.value = value
        self.expected = expected


def require(condition: bool, operator: object, parameter: str, expected: str) -> None:
    """Raise ParameterError unless the condition holds.

    operator: the settings themselves, from which name and value are read. expected: completes "expected ...".
    """
    if not condition:
        raise ParameterError(name_of(operator), parameter, getattr(operator, parameter), expected)


def name_of(operator: object) -> str:
    """An operator's name, by that of its class: "line_count" for LineCount."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(operator).__name__).lower()


def refusal(value: object, expected: str) -> str:
    """What is said of a value that cannot be used, after its name."""
    return f"is missing: expected {expected}" if value is None else f"= {shown(value)}: expected {expected}"
