"""Tells of an input topic that is gone while the worker runs, and of its return; the worker itself only waits."""

import asyncio
import logging

from streams.contract.topics import create_command
from streams.progress import Progress

log = logging.getLogger(__name__)

LOOK_S = 1.0
# A broker that has just come back may not know a topic at once.
LOOKS = 3


class InputWatch:
    """Looks whether the input topic is there, as far as the worker's client knows, and says once when that changes."""

    def __init__(self, progress: Progress, *, reach: str) -> None:
        """reach: `KafkaSettings.reach`, for the mend."""
        self._progress, self._reach = progress, reach
        self._seen, self._missed = False, 0

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """Look once."""
        topic = self._progress.frames.pipeline.settings.input
        if self._progress.input_partitions:
            if self._missed >= LOOKS:
                log.info("the input topic %s is there again", topic)
            self._seen, self._missed = True, 0
        elif self._seen:
            self._missed += 1
            if self._missed == LOOKS:
                # Made again too soon, it would be read from where the old one was left.
                log.warning(
                    "the input topic %s is gone; once its partitions are given up, in 10 s or so, make it: %s",
                    topic,
                    create_command([topic], reach=self._reach),
                )
