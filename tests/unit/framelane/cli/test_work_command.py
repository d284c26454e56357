"""`framelane work`: what is settled before anything starts."""

import pytest

from framelane.cli.work import name_of_group
from streams.pipeline_settings import quick_pipeline


@pytest.mark.parametrize(
    ("group", "name"),
    [
        (None, "quick"),
        ("framelane.blur", "blur"),
        ("inv", "inv"),
        ("team-a", "team-a"),
        ("Team_A.Night shift", "team-a-night-shift-d879"),
        ("___", "bda2"),
    ],
)
def test_a_quick_pipeline_has_its_groups_name(group: str | None, name: str) -> None:
    assert name_of_group(group) == name
    assert quick_pipeline(["flip"], name=name, group=group).name == name


def test_outputs_of_two_groups_are_told_apart() -> None:
    assert (
        len({name_of_group(group) for group in ("framelane.blur", "framelane.gray", "team-a", "team.a", "Team.a")}) == 5
    )
