"""Operators by name: ours, those of installed packages, and any class by `module:Class`."""

import importlib
import re
from dataclasses import is_dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast, get_args

from streams.contract.errors import SettingError
from streams.operators import OPERATORS
from streams.operators.base import Needs, Operator

ENTRY_POINTS = "framelane.operators"
BY_MODULE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_SHAPE = ("memory_frames", "needs", "changes_image", "open")


def find_operator(op: str) -> type[Operator]:
    """The class of an operator; SettingError when there is none, or it has not an operator's shape."""
    if op in OPERATORS:
        return OPERATORS[op]
    if BY_MODULE.fullmatch(op):
        return _checked(_load(EntryPoint(name=op, value=op, group=ENTRY_POINTS), op), op)
    installed = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if op in installed:
        return _checked(_load(installed[op], op), op)
    known = sorted({*OPERATORS, *installed})
    near = get_close_matches(op, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}, or module:Class"
    raise SettingError(f"there is no operator {op!r}; {hint}")


def all_operators() -> dict[str, type[Operator]]:
    """Every operator that has a name: ours first, then those of installed packages."""
    installed = sorted(point.name for point in entry_points(group=ENTRY_POINTS))
    return OPERATORS | {name: find_operator(name) for name in installed if name not in OPERATORS}


def _load(point: EntryPoint, op: str) -> Any:
    try:
        # The module may be new since the interpreter last looked.
        importlib.invalidate_caches()
        return point.load()
    except ModuleNotFoundError as error:
        raise SettingError(
            f"the operator {op!r} cannot be loaded: {error}; its package must be installed beside framelane, "
            "or its folder be in PYTHONPATH"
        ) from error
    except Exception as error:
        # The code of others runs here, and may raise anything.
        raise SettingError(f"the operator {op!r} cannot be loaded: {type(error).__name__}: {error}") from error


def _checked(found: Any, op: str) -> type[Operator]:
    lacking = [name for name in _SHAPE if not hasattr(found, name)]
    # Where these two are properties or fields, only an instance can tell.
    needs, memory = getattr(found, "needs", None), getattr(found, "memory_frames", None)
    if not isinstance(found, type):
        wrong = f"it is a {type(found).__name__}, not a class"
    elif lacking:
        wrong = f"it lacks {', '.join(lacking)}"
    elif not is_dataclass(found):
        wrong = "it is not a dataclass, whose fields would be its parameters"
    elif isinstance(needs, str) and needs not in get_args(Needs):
        wrong = f"its needs is {needs!r}, not 'color', 'gray', 'any' or 'none'"
    elif isinstance(memory, int) and memory < 0:
        wrong = f"its memory_frames is {memory}, below 0"
    elif not callable(getattr(found, "open")):  # noqa: B009 - the type is not known to have it
        wrong = "its open is not a method"
    else:
        return cast(type[Operator], found)
    raise SettingError(
        f"{op!r} is not an operator: {wrong}; an operator is a frozen dataclass with memory_frames, needs, "
        "changes_image and open(), see streams/operators/base.py"
    )
