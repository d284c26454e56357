from dataclasses import dataclass

import odd_operators
import pytest

from streams.contract.settings_values import Mistake, convert, parameters_of
from streams.operators import OPERATORS
from streams.operators.blur import Blur
from streams.operators.parameters import make_operator, takes


@dataclass(frozen=True)
class Everything:
    """One field of each kind."""

    needed: str
    count: int = 1
    share: float = 0.5
    maybe: int | None = None
    on: bool = False
    names: tuple[str, ...] = ()


def test_parameters_and_defaults() -> None:
    found = {
        parameter.name: (parameter.type, parameter.default, parameter.required) for parameter in parameters_of(Blur)
    }

    assert found == {"kind": ('"gaussian" | "median"', "gaussian", False), "kernel": ("integer", 5, False)}
    assert takes("blur", Blur) == 'blur takes kind ("gaussian" | "median", "gaussian"), kernel (integer, 5)'


def test_sound_values_become_the_fields_types() -> None:
    given = {"needed": "x", "count": 2, "share": 1, "maybe": 3, "on": True, "names": ["a", "b"]}

    sound, mistakes = convert(Everything, given)

    assert mistakes == []
    assert sound == {"needed": "x", "count": 2, "share": 1.0, "maybe": 3, "on": True, "names": ("a", "b")}
    assert type(sound["share"]) is float


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("count", True, "= true: expected integer"),
        ("count", 1.0, "= 1.0: expected integer"),
        ("count", "1", '= "1": expected integer'),
        ("share", True, "= true: expected number"),
        ("maybe", "x", '= "x": expected integer'),
        ("on", 1, "= 1: expected true | false"),
        ("names", "a", '= "a": expected [text, ...]'),
        ("names", ["a", 1], '= ["a", 1]: expected [text, ...]'),
        ("shar", 1, "is unknown; did you mean share?"),
    ],
)
def test_a_mistake(key: str, value: object, message: str) -> None:
    sound, mistakes = convert(Everything, {"needed": "x", key: value})

    assert mistakes == [Mistake(key, message)]
    assert sound == {"needed": "x"}


def test_what_is_needed_and_missing() -> None:
    assert convert(Everything, {})[1] == [Mistake("needed", "is missing: expected text")]


def test_an_operator_that_refuses_in_its_own_way() -> None:
    made, mistakes = make_operator(odd_operators.Touchy, {})

    assert made is None
    assert mistakes == [Mistake("", "cannot be made: ValueError: not in the mood")]


@pytest.mark.parametrize("name", OPERATORS)
def test_every_parameter_of_ours_is_told_of_in_the_docstring(name: str) -> None:
    text = OPERATORS[name].__doc__ or ""

    assert text.partition("\n")[0].endswith(".")
    for parameter in parameters_of(OPERATORS[name]):
        assert parameter.name in text
