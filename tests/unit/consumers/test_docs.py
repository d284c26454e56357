"""docs/subscribers.md tells of every option, and of no other."""

import re
from pathlib import Path

from consumers.subscribing import FrameOptions

PAGE = (Path(__file__).parents[3] / "docs" / "subscribers.md").read_text()


def test_the_table_has_every_option_and_no_other() -> None:
    table = PAGE.partition("| option | means |")[2].partition("\n\n")[0]
    told = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert told == {"topic"} | set(FrameOptions.__annotations__)
