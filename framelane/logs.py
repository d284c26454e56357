"""Logging: lines for a person on a terminal, JSON everywhere else; always on stderr."""

import logging
import sys
import time
from collections.abc import Callable

import structlog

from consumers.log_throttle import LogThrottle
from streams.contract.errors import SettingError

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
# aiokafka tells of a broker that is away by some thirty lines a second, all the same.
_REPEATS_S = 10.0
_MOST_KEPT = 1000


class FewerRepeats(logging.Filter):
    """Lets a client's line through once in ten seconds; the next one says how many were held back (`held_back`)."""

    def __init__(self, logger: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """logger: whose lines, with those of all below it. clock: in seconds."""
        super().__init__()
        self._logger, self._clock = logger, clock
        self._throttles: dict[tuple[str, int, str], LogThrottle] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is logged."""
        if record.name.partition(".")[0] != self._logger:
            return True
        if len(self._throttles) > _MOST_KEPT:
            self._throttles.clear()
        # The same text with other values is the same line: which node it was changes all the time.
        key = record.name, record.levelno, str(record.msg)
        held = self._throttles.setdefault(key, LogThrottle(_REPEATS_S, clock=self._clock)).admit()
        if held:
            record.held_back = held
        return held is not None


def set_up_logging(level: str) -> None:
    """Send every logger's lines to stderr through structlog.

    Faust, aiokafka and asyncio stay at warning at the least: Faust at debug logs the frames' bytes.
    """
    if level not in _LEVELS:
        raise SettingError(f"--log-level {level!r}: expected one of {', '.join(_LEVELS)}")
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    terminal = sys.stderr.isatty()
    renderer: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if terminal
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer]
        )
    )
    handler.addFilter(FewerRepeats("aiokafka"))
    logging.basicConfig(level=_LEVELS[level], handlers=[handler], force=True)
    for name in ("faust", "mode", "aiokafka", "asyncio"):
        logging.getLogger(name).setLevel(max(_LEVELS[level], logging.WARNING))
