"""A pytest plugin: with FRAMELANE_REQUIRE_ALL=1 a skip is a failure, unless pyproject.toml allows it.

`[tool.framelane] allowed_skips` lists node ids; the list is printed at the end, so that nobody overlooks it.
"""

import os
import tomllib
from collections.abc import Generator, Sequence

import pytest

REQUIRE_ALL = "FRAMELANE_REQUIRE_ALL"


def allowed_skips(config: pytest.Config) -> list[str]:
    """The node ids that may be skipped, from pyproject.toml."""
    text = config.rootpath.joinpath("pyproject.toml").read_text(encoding="utf-8")
    return list(tomllib.loads(text).get("tool", {}).get("framelane", {}).get("allowed_skips", []))


def refusal(nodeid: str, allowed: Sequence[str], *, required: bool) -> str:
    """Why this test must not be skipped, or ""; an entry allows a test, and all its parameters."""
    if not required or nodeid in allowed or nodeid.partition("[")[0] in allowed:
        return ""
    return f"skipped, though {REQUIRE_ALL}=1 and it is not in [tool.framelane] allowed_skips of pyproject.toml"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip that is not allowed into a failure; an expected failure (xfail) is no skip."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        why = refusal(item.nodeid, allowed_skips(item.config), required=os.environ.get(REQUIRE_ALL) == "1")
        if why:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid}: {why}\n{report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips itself, as importorskip does."""
    report = yield
    if report.skipped:
        why = refusal(collector.nodeid, allowed_skips(collector.config), required=os.environ.get(REQUIRE_ALL) == "1")
        if why:
            report.outcome = "failed"
            report.longrepr = f"{collector.nodeid}: {why}\n{report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what may be skipped."""
    if os.environ.get(REQUIRE_ALL) != "1":
        return
    allowed = allowed_skips(config)
    terminalreporter.section("allowed skips")
    terminalreporter.write_line("\n".join(allowed) or "none: every test has run")
