"""One thing that was looked at."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that was looked at. found: what it is. mend: what to do about a warning or what has failed."""

    what: str
    found: str
    state: State = "ok"
    mend: str = ""
