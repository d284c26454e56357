"""A process for each shadow, beside those that are live; whatever becomes of one ends, delays or restarts none of them.

Nothing is lost with a shadow: where its settings or the live ones change it is started anew, and begins with the newest
frames.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from streams.child_process import ChildProcess, Command
from streams.pipeline_settings import PipelineSettings
from streams.reload import tell_mistakes
from streams.reload_requests import in_thread
from streams.shadow_settings import Shadow, ShadowFile

log = logging.getLogger(__name__)

# Nobody waits for what a shadow has in hand, and the live workers are not to end later because of it.
STOP_S = 5.0


class ShadowProcesses:
    """Keeps a command running for each shadow. shadows: what the file says at the start.

    command: that of a shadow, by the name of its pipeline.
    """

    def __init__(
        self, file: ShadowFile, shadows: Sequence[Shadow], command: Command, *, environ: Mapping[str, str]
    ) -> None:
        self._file, self._command, self._environ = file, command, environ
        self._shadows = _by_name(shadows)
        self._children: dict[str, ChildProcess] = {}
        # By name, those that are being stopped included.
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def tasks(self) -> list["asyncio.Task[None]"]:
        """What ends when the processes have ended, which `stop` brings about."""
        return list(self._tasks.values())

    def start(self) -> None:
        """Start all of them, on the running loop."""
        for name in self._shadows:
            self._start(name)

    def stop(self) -> None:
        """Have all of them end."""
        for child in self._children.values():
            child.stop()

    async def reload(self, live: Sequence[PipelineSettings]) -> None:
        """Read the file again, and start anew what is not as it was. live: the pipelines as they run now."""
        try:
            read = _by_name(await in_thread(lambda: self._file.read(live)))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - code of others is loaded there: it ends nothing
            running = {settings.name for settings in live}
            read = {name: shadow for name, shadow in self._shadows.items() if name in running}
            tell_mistakes(error, "the shadows go on as they were")
        before, self._shadows = self._shadows, read
        for name in [name for name in self._children if read.get(name) != before.get(name)]:
            log.info("the shadow of pipeline %s is stopped: its settings, or those that are live, have changed", name)
            self._children.pop(name).stop()
        for name in read:
            if name not in self._children:
                self._start(name)

    def _start(self, name: str) -> None:
        log.info("the shadow of pipeline %s is started", name)
        child = ChildProcess(f"{name}-shadow", self._command(name), environ=self._environ, stop_s=STOP_S)
        self._children[name] = child
        self._tasks[name] = asyncio.ensure_future(self._keep(child, self._tasks.get(name)))

    async def _keep(self, child: ChildProcess, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await before
        try:
            # Its settings have been read here: should they be wrong by now, it is started again when they are mended.
            await child.keep(sound=True)
        except OSError as error:
            log.error("%s cannot be started, and the live pipelines go on without it: %s", child.name, error)  # noqa: TRY400


def _by_name(shadows: Sequence[Shadow]) -> dict[str, Shadow]:
    return {shadow.live.name: shadow for shadow in shadows}
