"""Rows on Python, the machine and the packages."""

import pytest

from framelane.checks import environment
from framelane.checks.environment import check_environment
from framelane.checks.row import Row
from framelane.doctor import has_fault


def test_this_environment_has_no_fault() -> None:
    rows = {row.what: row for row in check_environment()}
    assert not has_fault(list(rows.values()))
    assert {"Python", "machine", "faust-streaming", "librdkafka", "aiokafka's C extension"} <= rows.keys()


def test_another_minor_version_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "version", lambda name: "9.9.9")
    rows = {row.what: row for row in check_environment()}
    assert rows["aiokafka"].state == "warning"
    assert "0.14" in rows["aiokafka"].mend
    assert rows["numpy"].state == "ok"


def test_only_a_fault_is_a_fault() -> None:
    assert not has_fault([Row(what="a", found=""), Row(what="b", found="", state="warning")])
    assert has_fault([Row(what="a", found="", state="fault")])
