"""Whether an operator stands where it can do something: behind what gives it what it goes by."""

from collections.abc import Sequence

from streams.operators import OPERATORS
from streams.operators.dwell import Dwell
from streams.operators.line_count import LineCount
from streams.operators.track import Track


def lacks_tracks(operator: type[object], before: Sequence[type[object]]) -> str:
    """What is wrong where it goes by the ids of tracks, and nothing before it can give any; else "".

    Operators of others may give ids, so where there is one before it nothing is known to be wrong.
    """
    if operator not in (LineCount, Dwell):
        return ""
    ours = OPERATORS.values()
    if any(each is Track or each not in ours for each in before):
        return ""
    return "goes by the ids of tracks, and nothing before it gives any, so it could tell nothing: put track before it"
