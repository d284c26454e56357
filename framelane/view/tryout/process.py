"""The process of a try-out, from outside: started when it is needed, ended at a deadline."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping, Sequence

import msgspec

from consumers.view.framing import LENGTH
from framelane.view.tryout.messages import Asked, At, Made, Ran, Ready, Told, packed
from streams.contract.errors import FramelaneError

# The libraries are loaded meanwhile, on a machine that may be busy.
START_S = 30.0
COMMAND = (sys.executable, "-m", "framelane.view.tryout.child")
# What an interpreter and its libraries need; of Kafka and its secrets the operators are to know nothing.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


class TryOutEnded(FramelaneError):
    """The process ended, or had to be. place: of the operator that had the frame, None before the first."""

    def __init__(self, message: str, place: int | None) -> None:
        super().__init__(message)
        self.place = place


class TryProcess:
    """One process. It is asked one thing at a time."""

    def __init__(self, command: Sequence[str] = COMMAND, *, environ: Mapping[str, str] = os.environ) -> None:
        self._command = command
        self._environ = {name: environ[name] for name in _KEPT if name in environ}
        self._process: asyncio.subprocess.Process | None = None
        self._decoder = msgspec.msgpack.Decoder(Told)

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self._process.pid if self._process is not None else None

    @property
    def running(self) -> bool:
        """Whether there is a process that can be asked."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it, unless it runs. Raises TryOutEnded where it cannot be."""
        if self.running:
            return
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
            env=self._environ,
        )
        await self._answer(START_S)

    async def ask(self, message: Asked, *, limit_s: float) -> Made | Ran:
        """Its answer. Raises TryOutEnded: it has crashed, or was ended for it did not answer in time."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(packed(message))
        answer = await self._answer(limit_s)
        assert isinstance(answer, Made | Ran)
        return answer

    async def end(self) -> None:
        """End it, whatever it does."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        # Its pipes are read by nobody any more.
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None

    async def _answer(self, limit_s: float) -> Ready | Made | Ran:
        place = None
        try:
            async with asyncio.timeout(limit_s):
                while isinstance(told := await self._next(), At):
                    place = told.place
                return told
        except TimeoutError:
            await self.end()
            raise TryOutEnded(f"took longer than {limit_s:g} s", place) from None
        except (asyncio.IncompleteReadError, ConnectionError):
            assert self._process is not None
            code = await self._process.wait()
            await self.end()
            how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise TryOutEnded(how, place) from None
        except asyncio.CancelledError:
            # Its answer would be taken for that to the next question.
            await self.end()
            raise

    async def _next(self) -> Told:
        assert self._process is not None
        assert self._process.stdout is not None
        head = await self._process.stdout.readexactly(LENGTH.size)
        told: Told = self._decoder.decode(await self._process.stdout.readexactly(LENGTH.unpack(head)[0]))
        return told
