"""The table of the fault runner: one row for each fault, and what is not met stands out."""

from figures import at_most, exactly, shown
from table import Run, table, unmet

GOOD = Run("F1", "killed", 1, (exactly("lost", 0, 0), at_most("recovery s", 4.0, 8.0), shown("kills", 3)))
SLOW = Run("F1", "killed", 2, (exactly("lost", 0, 0), at_most("recovery s", 9.0, 8.0), shown("kills", 3)))
FAILED = Run("F2", "restarted", 1, (), "AssertionError: the workers stand still")


def cells(text: str, row: int) -> dict[str, str]:
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    return dict(zip(lines[0], lines[2 + row], strict=True))


def test_runs_of_a_fault_share_a_row_with_min_median_and_max() -> None:
    row = cells(table([GOOD, SLOW, FAILED]), 0)
    assert (row["fault"], row["repeats"], row["lost"], row["and"]) == ("F1 killed", "2", "0", "kills 3")
    assert row["recovery s"] == "4 / 6.5 / 9 !"
    assert row["result"] == "falls short"


def test_a_run_that_gives_no_figures_is_not_met() -> None:
    assert cells(table([GOOD, FAILED]), 1)["result"] == "falls short"
    assert unmet(FAILED) == ["F2 restarted, seed 1: AssertionError: the workers stand still"]


def test_what_is_not_met_is_told_with_its_limit() -> None:
    assert unmet(GOOD) == []
    assert unmet(SLOW) == ["F1 killed, seed 2: recovery s is 9, must be at most 8"]
    wrong = Run("F9", "poison", 1, (exactly("dead letters", 3, 4),))
    assert unmet(wrong) == ["F9 poison, seed 1: dead letters is 3, must be 4"]


def test_a_partition_that_never_goes_on_falls_short_and_is_told() -> None:
    never = Run("F1", "killed", 3, (at_most("recovery s", float("inf"), 8.0),))
    assert cells(table([never]), 0)["recovery s"] == "inf !"
    assert unmet(never) == ["F1 killed, seed 3: recovery s is inf, must be at most 8"]
