"""Fields made from the operators' settings classes."""

from typing import Any

import pytest

from framelane.view.tryout.forms import BEGINNINGS, operator_forms, pipeline_fields
from streams.operators import OPERATORS
from streams.operators.parameters import make_operator

FORMS: dict[str, Any] = {form["op"]: {field["name"]: field for field in form["fields"]} for form in operator_forms()}


def test_a_number_has_its_limits_from_what_the_operator_says() -> None:
    kernel = FORMS["blur"]["kernel"]
    assert (kernel["kind"], kernel["default"], kernel["low"], kernel["high"], kernel["odd"]) == (
        "integer",
        5,
        3,
        255,
        1,
    )
    assert kernel["expected"] == "an odd number from 3 to 255"
    assert (FORMS["motion"]["min_area"]["low"], FORMS["motion"]["min_area"]["high"]) == (0, 1)
    # What depends on another parameter is no limit.
    assert "high" not in FORMS["edges"]["low"]


@pytest.mark.parametrize(
    ("op", "name", "kind"),
    [
        ("motion", "zones", "zones"),
        ("perspective", "corners", "points"),
        ("flip", "direction", "choice"),
        ("health", "problems", "choices"),
        ("annotate", "boxes", "boolean"),
        ("faces", "model", "file"),
        ("timestamp", "format", "text"),
        ("detect", "size", "value"),
    ],
)
def test_kinds(op: str, name: str, kind: str) -> None:
    assert FORMS[op][name]["kind"] == kind


def test_docstrings_are_the_help() -> None:
    assert FORMS["motion"]["history"]["help"] == "frames that the background is learnt from."
    assert FORMS["rotate"]["angle"]["help"] == "degrees clockwise."


def test_every_operator_can_be_made_of_what_it_begins_with() -> None:
    needs_file = {op for op in OPERATORS if getattr(OPERATORS[op], "files", ())}
    for op in OPERATORS.keys() - needs_file:
        assert make_operator(OPERATORS[op], BEGINNINGS.get(op, {}))[0] is not None, op


def test_the_pipeline_has_fields_too() -> None:
    fields = {field["name"]: field for field in pipeline_fields()}
    assert fields["name"]["expected"] == "1 to 100 of a-z 0-9 -"
    assert (fields["quality"]["low"], fields["quality"]["high"]) == (1, 100)
