"""One process for each pipeline, started again when it ends by itself."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Mapping, Sequence

log = logging.getLogger(__name__)

USAGE = 2
FIRST_DELAY_S = 1.0
MAX_DELAY_S = 30.0
# A process that ran for so long had overcome its trouble; the next one is waited for as briefly as the first.
STEADY_S = 60.0
STOP_S = 60.0


class Supervisor:
    """Runs commands side by side until SIGTERM or SIGINT, or until one of them says that its settings are wrong.

    A child's standard input is a pipe that closes with this process, so that no child need outlive it.
    """

    def __init__(self, commands: Mapping[str, Sequence[str]], *, environ: Mapping[str, str]) -> None:
        self._commands, self._environ = commands, environ
        self._stop = asyncio.Event()
        self._signal: signal.Signals | None = None
        self._exit_code = 0

    async def run(self) -> int:
        """Run until stopped; the exit code of the whole."""
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._stopped_by, signum)
        await asyncio.gather(*(self._keep(name, command) for name, command in self._commands.items()))
        return 130 if self._signal == signal.SIGINT else self._exit_code

    def _stopped_by(self, signum: signal.Signals) -> None:
        self._signal = signum
        self._stop.set()

    async def _keep(self, name: str, command: Sequence[str]) -> None:
        delay = FIRST_DELAY_S
        while not self._stop.is_set():
            started = time.monotonic()
            # A session of its own: Ctrl-C reaches us alone, and we stop the children in order.
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.PIPE, start_new_session=True, env=self._environ
            )
            code = await self._until_ended(process)
            if self._stop.is_set():
                return
            if code == USAGE:
                self._exit_code = USAGE
                self._stop.set()
                return
            delay = FIRST_DELAY_S if time.monotonic() - started > STEADY_S else min(delay * 2, MAX_DELAY_S)
            log.error("worker of pipeline %s ended with %s; starting again in %.0f s", name, code, delay)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), delay)

    async def _until_ended(self, process: asyncio.subprocess.Process) -> int:
        ended, asked = asyncio.ensure_future(process.wait()), asyncio.ensure_future(self._stop.wait())
        await asyncio.wait([ended, asked], return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not ended.done():
            process.terminate()
            try:
                return await asyncio.wait_for(ended, STOP_S)
            except TimeoutError:
                process.kill()
                return await process.wait()
        return ended.result()
