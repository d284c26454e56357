"""The try-outs that are open: a process each, so many at once, so often, and no longer than somebody looks."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from consumers.view.pipelines.tryout import Picture, Tried, TryOutsBusy, TryRequest, Wrong
from framelane.view.tryout.files import Files
from framelane.view.tryout.forms import operator_forms, pipeline_fields
from framelane.view.tryout.messages import Entry, Made, Make, Ran, Run
from framelane.view.tryout.process import COMMAND, TryOutEnded, TryProcess
from framelane.view.tryout.toml import pipeline_toml
from streams.contract.errors import FrameError
from streams.contract.frame import Frame
from streams.contract.geometry import WHOLE
from streams.contract.images import inspect
from streams.operators import OPERATORS

_log = logging.getLogger(__name__)
MAX_OPERATORS = 20
_CLOSED = "the try-out has been closed"
_SWEEP_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TryLimits:
    """sessions: at once. every_s: between two tries of one. idle_s: without a try, after which it is ended.

    make_s: for operators to be made, which may load networks. frame_s: for a frame, and those that are shown again.
    """

    sessions: int = 4
    every_s: float = 0.1
    idle_s: float = 15.0
    make_s: float = 10.0
    frame_s: float = 4.0


@dataclass(slots=True, eq=False)
class _Session:
    """process: of its operators. made: what it runs, None before and when it is gone. ended: what has ended it."""

    process: TryProcess
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    made: Make | None = None
    hash: str = ""
    used: float = 0.0
    ended: tuple[Make, Wrong] | None = None


class TryOuts:
    """The try-outs of all who look (`consumers.view.pipelines.tryout.TryOut`)."""

    def __init__(
        self,
        files: Files,
        limits: TryLimits = TryLimits(),
        *,
        command: Sequence[str] = COMMAND,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """files: that operators may open. command: of the process. clock: seconds."""
        self._files, self._limits, self._command, self._clock = files, limits, command, clock
        self._sessions: dict[str, _Session] = {}
        self._forms = {"pipeline": pipeline_fields(), "operators": operator_forms()}
        self._sweeping: asyncio.Task[None] | None = None

    def forms(self) -> dict[str, Any]:
        """The fields of the pipeline and of each operator, and the files that there are to choose from."""
        return self._forms | {"files": self._files.names()}

    async def start(self) -> None:
        """Begin to end those that nobody looks at."""
        self._sweeping = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        """End all."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeping
        for name in list(self._sessions):
            await self.end(name)

    async def end(self, session: str) -> None:
        """End the session, unless it is gone already."""
        found = self._sessions.pop(session, None)
        if found is None:
            return
        await found.process.end()
        async with found.lock:
            # What was under way may just have begun another.
            await found.process.end()

    async def check(self, request: TryRequest) -> Tried:
        """Whether the settings can run, and how they stand in a file; waits where the session asks too often."""
        session = self._session(request.session)
        async with session.lock:
            await asyncio.sleep(max(0.0, session.used + self._limits.every_s - self._clock()))
            self._still_open(request.session, session)
            session.used = self._clock()
            return await self._checked(session, request)

    async def run(self, request: TryRequest, frame: Frame) -> Tried:
        """What becomes of the frame."""
        session = self._sessions.get(request.session)
        if session is None:
            raise TryOutsBusy(_CLOSED)
        async with session.lock:
            self._still_open(request.session, session)
            session.used = self._clock()
            checked = await self._checked(session, request)
            if checked.wrong or checked.halted:
                return checked
            asked = Run(
                camera_id=frame.camera_id,
                epoch=frame.epoch,
                sequence=frame.sequence,
                captured_at_ns=frame.captured_at_ns,
                data=frame.data,
                see=request.see,
            )
            try:
                answer = await session.process.ask(asked, limit_s=self._limits.frame_s)
            except TryOutEnded as error:
                return self._halted(session, checked, error, "the frame")
            assert isinstance(answer, Ran)
            tried = answer.tried
            tried.hash, tried.toml, tried.notes = checked.hash, checked.toml, checked.notes + tried.notes
            tried.before = tried.before or _raw_picture(frame)
            return tried

    def _still_open(self, name: str, session: _Session) -> None:
        """Its page may have been closed while this waited: nothing is begun for nobody."""
        if self._sessions.get(name) is not session:
            raise TryOutsBusy(_CLOSED)

    def _session(self, name: str) -> _Session:
        session = self._sessions.get(name)
        if session is None:
            if len(self._sessions) >= self._limits.sessions:
                raise TryOutsBusy(
                    f"{self._limits.sessions} try-outs are open, and there may be no more at once: close one, or wait "
                    f"{self._limits.idle_s:g} s after its page was closed"
                )
            session = self._sessions[name] = _Session(TryProcess(self._command), used=-self._limits.every_s)
        return session

    async def _checked(self, session: _Session, request: TryRequest) -> Tried:
        """The settings made ready in the session's process, unless they are already."""
        make, wrong, notes = self._asked(request)
        if wrong:
            return Tried(wrong=wrong, notes=notes)
        checked = Tried(hash=session.hash, notes=notes)
        if session.ended is not None and session.ended[0] == make and not request.again:
            checked.failed, checked.halted = session.ended[1], True
            return checked
        if session.made != make or not session.process.running:
            session.made = session.ended = None
            try:
                await session.process.start()
                answer = await session.process.ask(make, limit_s=self._limits.make_s)
            except TryOutEnded as error:
                session.made = make
                return self._halted(session, checked, error, "its operators' parameters")
            assert isinstance(answer, Made)
            if answer.wrong:
                return Tried(wrong=answer.wrong, notes=notes)
            session.made, session.hash = make, answer.hash
            checked.hash = answer.hash
        try:
            checked.toml = pipeline_toml({"name": "try"} | request.pipeline, _whole(request, make))
        except TypeError as error:
            checked.notes.append(f"no TOML: {error}")
        return checked

    def _asked(self, request: TryRequest) -> tuple[Make, list[Wrong], list[str]]:
        """What the process is to make of a request; what is wrong with it, and what is left out."""
        entries: list[Entry] = []
        wrong, notes = [], []
        if len(request.operators) > MAX_OPERATORS:
            wrong.append(Wrong(message=f"{len(request.operators)} operators: at most {MAX_OPERATORS} can be tried"))
        for place, table in enumerate(request.operators[:MAX_OPERATORS]):
            op = table.get("op")
            if not isinstance(op, str) or op not in OPERATORS:
                # Code of others, or what talks to other programs, is not for whoever sees the page.
                notes.append(f"{op} is left out: only operators that come with Framelane can be tried, remote not")
                continue
            parameters, mistakes = self._files.resolved(place, op, {k: v for k, v in table.items() if k != "op"})
            wrong += mistakes
            entries.append(Entry(place=place, op=op, parameters=parameters))
        whole = len(entries) == len(request.operators)
        return Make(pipeline=request.pipeline, operators=entries, whole=whole), wrong, notes

    def _halted(self, session: _Session, checked: Tried, error: TryOutEnded, over: str) -> Tried:
        """The process is gone: said once and again, but not begun again with what has ended it."""
        assert session.made is not None
        wrong = Wrong(operator=error.place, message=f"the try-out {error} over {over} and was stopped; {_MEND}")
        _log.warning("a try-out's process is gone: it %s over %s", error, over)
        session.ended, session.made = (session.made, wrong), None
        checked.failed, checked.halted = wrong, True
        return checked

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            now = self._clock()
            for name, session in list(self._sessions.items()):
                if now - session.used > self._limits.idle_s and not session.lock.locked():
                    await self.end(name)


_MEND = "nothing else is touched. Change a parameter, or try again"


def _whole(request: TryRequest, make: Make) -> list[dict[str, Any]]:
    """The page's operators, those that were left out included, with the paths that were found."""
    tables = [dict(table) for table in request.operators]
    for entry in make.operators:
        tables[entry.place] = {"op": entry.op} | entry.parameters
    return tables


def _raw_picture(frame: Frame) -> Picture | None:
    try:
        width, height = inspect(frame.data).upright
    except FrameError:
        return None
    return Picture(content_type=frame.content_type, width=width, height=height, data=frame.data, to_raw=list(WHOLE))
