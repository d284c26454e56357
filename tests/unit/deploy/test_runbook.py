"""What the runbook tells people to type exists, and its links lead somewhere."""

import re

import pytest
import typer
from prometheus_support import ROOT

from framelane.cli import app

RUNBOOK = ROOT / "docs" / "runbook.md"
TEXT = RUNBOOK.read_text(encoding="utf-8")
# In blocks, and in the text between backquotes.
COMMANDS = sorted({found.partition("#")[0].strip() for found in re.findall(r"framelane [a-z][^`\n]*", TEXT)})
IN_CODE = [each for each in COMMANDS if re.search(rf"(?:^|`){re.escape(each)}", TEXT, re.MULTILINE)]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_there_are_commands() -> None:
    assert len(IN_CODE) > 15


@pytest.mark.parametrize("line", IN_CODE)
def test_a_command_exists_with_its_options(line: str) -> None:
    command = typer.main.get_command(app)
    for word in line.split()[1:]:
        if not hasattr(command, "commands"):
            break
        assert word in command.commands, f"{line}: there is no {word}"
        command = command.commands[word]
    known = {name for parameter in command.params for name in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", line)) <= known


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert links
    for link in links:
        path, _, anchor = link.partition("#")
        page = RUNBOOK.parent / path if path else RUNBOOK
        assert page.exists(), link
        assert not anchor or anchor in anchors(page.read_text(encoding="utf-8")), link
