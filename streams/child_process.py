"""A process that is kept running: started again when it ends by itself, each time after a longer while."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable, Mapping, Sequence

from streams.reload_requests import hangup_held

log = logging.getLogger(__name__)

# What to run for a pipeline, by its name.
Command = Callable[[str], Sequence[str]]

USAGE = 2
FIRST_DELAY_S = 1.0
MAX_DELAY_S = 30.0
# A process that ran for so long had overcome its trouble; the next one is waited for as briefly as the first.
STEADY_S = 60.0
STOP_S = 60.0


class ChildProcess:
    """The worker of a pipeline, as a process.

    Its standard input is a pipe that closes with this process, so that it need not outlive it. It is started with
    SIGHUP held back, and takes it when it can. stop_s: how long it may take to end in order.
    """

    def __init__(
        self, name: str, command: Sequence[str], *, environ: Mapping[str, str], stop_s: float = STOP_S
    ) -> None:
        self.name, self._stop_s = name, stop_s
        self._command, self._environ = command, environ
        self._stop = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None

    def stop(self) -> None:
        """Have it end, in order; `keep` then returns."""
        self._stop.set()

    def reload(self) -> None:
        """Have it read its file again; one that is about to be started does so by itself."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGHUP)

    async def keep(self, *, sound: bool) -> int:
        """Keep it running until it is told to stop; returns 0.

        sound: what it was started with is known to be so. Else it ends the whole: USAGE is returned when the first
        process says that its settings are wrong. Later ones may find a file that is being changed.
        """
        delay = FIRST_DELAY_S
        while not self._stop.is_set():
            started = time.monotonic()
            code = await self._run()
            if self._stop.is_set():
                break
            if code == USAGE and not sound:
                return USAGE
            sound = True
            delay = FIRST_DELAY_S if time.monotonic() - started > STEADY_S else min(delay * 2, MAX_DELAY_S)
            log.error("worker of pipeline %s ended with %s; starting again in %.0f s", self.name, code, delay)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), delay)
        return 0

    async def _run(self) -> int:
        """Run one process to its end, its own or ours; its exit code."""
        with hangup_held():
            # A session of its own: Ctrl-C reaches us alone, and we stop the children in order.
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.PIPE, start_new_session=True, env=self._environ
            )
        ended, asked = asyncio.ensure_future(process.wait()), asyncio.ensure_future(self._stop.wait())
        await asyncio.wait([ended, asked], return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not ended.done():
            process.terminate()
            try:
                return await asyncio.wait_for(ended, self._stop_s)
            except TimeoutError:
                process.kill()
                return await process.wait()
        return ended.result()
