"""The soak's report: a sound outcome meets every figure, and each of them can fail."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from figures import Injury, at_most, exactly, shown
from ledger import Confirmed, FrameName, Ledger, Place
from reader import Arrival
from soak_processes import Trend
from soak_report import Happened, Outcome, figures, table, write

FRAMES = 20


def output(n: int, *, camera: str = "a", offset: int | None = None) -> Arrival:
    at_s = 100 + n / 10
    place = Place(0, n if offset is None else offset)
    return Arrival(name=FrameName(camera, "e", n), source=place, at_s=at_s, taken_s=at_s - 0.02)


def letter(n: int, reason: str = "empty") -> Arrival:
    return Arrival(name=FrameName("a", "e", n), source=Place(0, n), at_s=100 + n / 10, reason=reason, stage="gate")


def sound() -> Outcome:
    """Twenty frames, the sixth of them bad, one of the gateway's, and a worker that was killed after 1 s."""
    ledger = Ledger()
    for n in range(FRAMES):
        reason = "empty" if n == 5 else ""
        ledger.confirm(Confirmed(name=FrameName("a", "e", n), place=Place(0, n), sent_s=99.9 + n / 10, reason=reason))
    arrivals = [letter(n) if n == 5 else output(n) for n in range(FRAMES)]
    arrivals.append(output(3, camera="gate-7", offset=100))
    injury = Injury(101.0, frozenset({0}), "kill -9")
    return Outcome(
        ledger,
        happened=[Happened("worker killed", 30.0, injury, 2.0, 3.0)],
        arrivals=arrivals,
        names=[(a.name.camera_id, a.name.sequence) for a in arrivals if a.name and not a.is_letter],
        asked=Counter({"asked": 7, "picture": 4, "refused": 1, "empty": 1, "problem 503 unavailable": 1}),
        watched={"frames": 50, "wrong": 0, "late": 0, "ended": 0},
        trends=[Trend("view", 300, 120.0, 0.1, 1.0, 0, 0)],
        codes={"workers": 0, "gateway": 0, "view": 0},
    )


def unmet(outcome: Outcome) -> set[str]:
    return {figure.name for figure in figures(outcome, "gate") if not figure.met}


def happened(outcome: Outcome, **changes: float) -> None:
    outcome.happened[0] = replace(outcome.happened[0], **changes)


def counts(outcome: Outcome, **changes: int) -> None:
    outcome.asked.update(changes)


def trend(outcome: Outcome, **changes: float) -> None:
    outcome.trends[0] = replace(outcome.trends[0], **changes)


def watched(outcome: Outcome, **changes: int) -> None:
    outcome.watched = {**outcome.watched, **changes}


def test_a_sound_outcome_meets_every_figure() -> None:
    assert unmet(sound()) == set()


WRONG: dict[str, Callable[[Outcome], object]] = {
    "lost": lambda o: o.arrivals.pop(9),
    "out of order": lambda o: o.arrivals.insert(0, o.arrivals.pop(9)),
    "answers to what was not asked": lambda o: o.arrivals.append(output(70)),
    "duplicates on the wire": lambda o: o.arrivals.extend([replace(output(1), at_s=300)] * 30),
    "duplicates at the subscriber": lambda o: o.names.append(o.names[-1]),
    "missing at the subscriber": lambda o: o.names.pop(9),
    "out of order at the subscriber": lambda o: o.names.insert(0, o.names.pop(9)),
    "dead letters": lambda o: o.arrivals.append(letter(7)),
    "wrong dead letters": lambda o: o.arrivals.__setitem__(5, letter(5, "undecodable")),
    "faults that could not be done, or after which the group was not whole": lambda o: o.troubles.append("no group"),
    "worker killed: cameras go on after s": lambda o: o.arrivals.__delitem__(slice(10, None)),
    "worker killed: view goes on after s": lambda o: happened(o, view_s=float("inf")),
    "worker killed: gateway goes on after s": lambda o: happened(o, gateway_s=1000.0),
    "gateway: another picture": lambda o: counts(o, asked=1, stranger=1),
    "gateway: no answer at all": lambda o: counts(o, asked=1, unanswered=1),
    "gateway: asked, and not counted": lambda o: counts(o, asked=1),
    "view: another camera's picture": lambda o: watched(o, wrong=1),
    "view: no newer than the one before": lambda o: watched(o, late=1),
    "view: connections that it ended": lambda o: watched(o, ended=1),
    "workers that ended by themselves": lambda o: o.ended.append("worker-0: 1"),
    "exit code: gateway": lambda o: o.codes.update(gateway=1),
    "view: memory grew by MiB": lambda o: trend(o, mb_growth=30.0),
    "view: descriptors grew by": lambda o: trend(o, descriptors_growth=17),
    "view: threads grew by": lambda o: trend(o, threads_growth=9),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_figure_can_fail(name: str) -> None:
    outcome = sound()
    WRONG[name](outcome)
    assert name in unmet(outcome)


def test_none_is_left_out() -> None:
    limited = {figure.name for figure in figures(sound(), "gate") if figure.limit is not None}
    assert limited - WRONG.keys() == {"exit code: workers", "exit code: view"}


def test_a_pause_may_last_as_long_as_it_lasts_and_what_has_piled_up_once_more_and_then_its_limit() -> None:
    outcome = sound()
    paused = replace(outcome.happened[0], what="worker paused", view_s=20.9)
    outcome.happened = [replace(paused, injury=Injury(101.0, frozenset({0}), "paused", 104.0))]
    assert unmet(outcome) == set()
    happened(outcome, view_s=21.1)
    assert unmet(outcome) == {"worker paused: view goes on after s"}


def test_nobody_says_how_much_may_be_doubled_by_what_was_broken_off() -> None:
    outcome = sound()
    outcome.interrupted = True
    outcome.arrivals += [replace(output(1), at_s=300)] * 30
    assert unmet(outcome) == set()


def test_the_table_has_a_line_for_each_name() -> None:
    found = [at_most("back after s", 1.5, 4), at_most("back after s", float("inf"), 9), exactly("lost", 0, 0)]
    lines = table([*found, at_most("back after s", 3.0, 4), shown("produced", 12345)]).splitlines()
    assert " ".join(lines[1].split()) == "back after s 1.5 / 3 / inf (of 3) <= 9 NOT MET"
    assert lines[2].split() == ["lost", "0", "0"]
    assert lines[3].split() == ["produced", "12345"]


def test_it_is_written_as_json_without_infinities(tmp_path: Path) -> None:
    outcome = sound()
    happened(outcome, view_s=float("inf"))
    write(outcome, figures(outcome, "gate"), tmp_path / "soak.json", seed=7, minutes=6)
    found = json.loads((tmp_path / "soak.json").read_text(), parse_constant=pytest.fail)
    assert (found["seed"], found["minutes"], found["pass"]) == (7, 6, False)
    assert found["faults"][0]["view_s"] is None
    assert found["faults"][0]["injury"]["partitions"] == [0]
