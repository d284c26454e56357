"""Rows on Python, the machine and the packages."""

import pytest

from framelane.checks import environment
from framelane.checks.environment import check_environment
from framelane.checks.row import Row
from framelane.doctor import has_failed


def test_nothing_has_failed_in_this_environment() -> None:
    rows = {row.what: row for row in check_environment()}
    assert not has_failed(list(rows.values()))
    assert {"Python", "machine", "faust-streaming", "librdkafka", "aiokafka's C extension"} <= rows.keys()


def test_another_minor_version_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "version", lambda name: "9.9.9")
    rows = {row.what: row for row in check_environment()}
    assert rows["aiokafka"].state == "warning"
    assert "0.14" in rows["aiokafka"].mend
    assert rows["numpy"].state == "ok"


def test_a_warning_is_no_failure() -> None:
    assert not has_failed([Row(what="a", found=""), Row(what="b", found="", state="warning")])
    assert has_failed([Row(what="a", found="", state="failed")])
