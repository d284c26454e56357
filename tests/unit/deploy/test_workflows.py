"""The workflows of CI and of releases: they run what anyone types, and no action of others."""

import re
from typing import Any

import pytest
import yaml
from prometheus_support import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def steps() -> list[dict[str, Any]]:
    files = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in WORKFLOWS]
    return [step for file in files for job in file["jobs"].values() for step in job["steps"]]


def test_there_are_both() -> None:
    assert [file.name for file in WORKFLOWS] == ["ci.yml", "release.yml"]


def test_what_they_make_can_be_made() -> None:
    made = {each for step in steps() for each in re.findall(r"\bmake ([a-z-]+)", step.get("run", ""))}
    assert made >= {"wheel", "wheel-test", "sbom", "audit"}
    assert made <= TARGETS
    assert any(step.get("run") == ".ci/run" for step in steps())
    assert (ROOT / ".ci" / "run").exists()


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_may_only_read_unless_a_job_says_so(file: Any) -> None:
    assert yaml.safe_load(file.read_text(encoding="utf-8"))["permissions"] == {"contents": "read"}


def test_actions_are_githubs_own_by_major_version() -> None:
    used = {step["uses"] for step in steps() if "uses" in step}
    assert used
    assert [each for each in used if not re.fullmatch(r"actions/[a-z-]+@v\d+", each)] == []
