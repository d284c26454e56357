"""What the runner is asked for: faults by commas or spaces, or those of the short form."""

from types import SimpleNamespace

import pytest
import runner
from faults import FAULTS, Fault
from runner import chosen_of


def numbers(faults: list[Fault]) -> list[str]:
    return list(dict.fromkeys(fault.number for fault in faults))


@pytest.mark.parametrize("words", [["F9,F1"], ["f1", "F9"], ["F1,", "F9"]])
def test_faults_are_named_with_commas_or_spaces(words: list[str]) -> None:
    assert numbers(chosen_of(words, short=False)) == ["F1", "F9"]


def test_without_a_name_all_run_and_in_the_short_form_fewer() -> None:
    assert chosen_of([], short=False) == list(FAULTS)
    assert numbers(chosen_of([], short=True)) == ["F1", "F2", "F3", "F6", "F9", "F10", "F12", "F14", "F18"]
    # Told which, the short form runs those.
    assert numbers(chosen_of(["F5"], short=True)) == ["F5"]


def test_a_fault_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main(["F1,F99"]) == 2
    assert "there is no F99" in capsys.readouterr().err


def test_faults_on_one_kind_of_cluster_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    ran: list[str] = []

    class Opens:
        def __init__(self, kind: str) -> None:
            opened.append(kind)

        def __enter__(self) -> SimpleNamespace:
            return SimpleNamespace()

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(runner, "cluster_of", Opens)
    monkeypatch.setattr(runner, "run_once", lambda fault, *_, seed: ran.append(f"{fault.number}/{seed}"))
    options = SimpleNamespace(seed=7, repeats=2, short=False)
    list(runner.run_all(chosen_of(["F1,F3,F10,F18"], short=False), options))
    assert opened == ["one", "three", "secure"]
    assert ran == ["F1/7", "F1/8", "F3/7", "F3/8", "F10/7", "F10/8", "F3/7", "F3/8", "F18/7", "F18/8", "F18/7", "F18/8"]
