"""librdkafka's own log lines, sent where ours go: it prints nothing by itself."""

import logging
from collections import deque
from typing import Any

_log = logging.getLogger("librdkafka")
# Said several times a second for each connection while a broker is away; whoever uses the client says it once.
_ROUTINE = ("FAIL", "ERROR", "CLOSE")
_KEPT = 20
# "Disconnected ... (after 2994ms in state UP)": one that only could not be made was in another state.
_STOOD = "in state UP"


class ClientLog:
    """What a confluent-kafka client takes for its `logger`.

    quiet: every line is for debugging only, for what is worth telling stands in the errors that are raised.
    lines: the last ones, for who has to tell why nobody answers. lost: how many connections that stood have broken; the
    client's own statistics forget them together with the broker.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self.lines: deque[str] = deque(maxlen=_KEPT)
        self.lost = 0

    def log(self, level: int, message: str, facility: str, *texts: Any) -> None:
        """One line: the client calls it from within `poll`, with the pattern `message` for the texts."""
        self.lines.append(message % (facility, *texts))
        self.lost += facility == "FAIL" and _STOOD in self.lines[-1]
        routine = self._quiet or facility in _ROUTINE
        _log.log(logging.DEBUG if routine else level, message, facility, *texts)
