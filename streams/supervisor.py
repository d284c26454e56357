"""One process for each pipeline of a file; what changes in the file is taken up while they run."""

import asyncio
import logging
import signal
from collections.abc import Mapping, Sequence

from streams.child_process import ChildProcess, Command
from streams.pipeline_settings import PipelineSettings
from streams.reload import tell_mistakes
from streams.reload_requests import ReloadRequests, in_thread
from streams.reload_rules import PipelineFile
from streams.shadow_processes import ShadowProcesses

log = logging.getLogger(__name__)


class Supervisor:
    """Runs a command for each pipeline until SIGTERM or SIGINT, or until one of them says that its settings are wrong.

    command: that of a pipeline, by its name. On SIGHUP, or when the file changes and is watched, pipelines that are new
    in it are started, those that are gone are stopped, and the others are told to read it again. A file in which
    anything is wrong changes nothing. file: None where the pipeline came from the command line. shadows: run beside
    them, and are taken up anew at the same times.
    """

    def __init__(
        self,
        pipelines: Sequence[PipelineSettings],
        command: Command,
        *,
        file: PipelineFile | None,
        environ: Mapping[str, str],
        shadows: ShadowProcesses | None = None,
    ) -> None:
        self._pipelines, self._command, self._file, self._environ = tuple(pipelines), command, file, environ
        self._shadows = shadows
        self._children: dict[str, ChildProcess] = {}
        # By name, those that are being stopped included: a pipeline that comes back waits for its former process.
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stop = asyncio.Event()
        self._signal: signal.Signals | None = None
        self._exit_code = 0

    async def run(self) -> int:
        """Run until stopped; the exit code of the whole."""
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._stopped_by, signum)
        requests = ReloadRequests(self._file.watch if self._file else None)
        with requests.listening():
            for settings in self._pipelines:
                self._start(settings.name, sound=False)
            if self._shadows:
                self._shadows.start()
            reloading = asyncio.ensure_future(self._reload_on(requests))
            stopped = asyncio.ensure_future(self._stop.wait())
            await asyncio.wait([stopped, reloading], return_when=asyncio.FIRST_COMPLETED)
            reloading.cancel()
            for child in self._children.values():
                child.stop()
            if self._shadows:
                self._shadows.stop()
            await asyncio.gather(*self._tasks.values(), *(self._shadows.tasks if self._shadows else ()))
        if not reloading.cancelled():
            reloading.result()
        return 130 if self._signal == signal.SIGINT else self._exit_code

    def _stopped_by(self, signum: signal.Signals) -> None:
        self._signal = signum
        self._stop.set()

    def _start(self, name: str, *, sound: bool) -> None:
        child = self._children[name] = ChildProcess(name, self._command(name), environ=self._environ)
        self._tasks[name] = asyncio.ensure_future(self._keep(child, self._tasks.get(name), sound=sound))

    async def _keep(self, child: ChildProcess, before: "asyncio.Task[None] | None", *, sound: bool) -> None:
        try:
            if before is not None:
                await before
            self._exit_code = await child.keep(sound=sound) or self._exit_code
        finally:
            # It has ended by itself: with wrong settings, or because it cannot even be started.
            if self._children.get(child.name) is child:
                self._stop.set()

    async def _reload_on(self, requests: ReloadRequests) -> None:
        while True:
            await requests.next()
            if self._file is not None and not await self._reload(self._file):
                continue
            if self._shadows:
                await self._shadows.reload(self._pipelines)

    async def _reload(self, file: PipelineFile) -> bool:
        """Take up what the file says; whether all of it is sound."""
        try:
            read = await in_thread(lambda: file.read_again(self._pipelines))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - code of others is loaded there: it ends nothing
            tell_mistakes(error, "all pipelines go on as they were")
            return False
        self._take_up(read, file)
        return True

    def _take_up(self, read: Sequence[PipelineSettings], file: PipelineFile) -> None:
        running, wanted = list(self._children), [settings.name for settings in read]
        self._pipelines = tuple(read)
        for name in running:
            if name in wanted:
                self._children[name].reload()
            else:
                log.info("pipeline %s is no longer in %s; its worker is stopped", name, file.path)
                self._children.pop(name).stop()
        for name in wanted:
            if name not in running:
                log.info("pipeline %s is new in %s; its worker is started", name, file.path)
                self._start(name, sound=True)
