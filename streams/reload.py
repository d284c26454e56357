"""A worker takes up its pipeline anew from the file, without losing a frame; whatever is wrong leaves the old one."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from streams.agents import FrameAgent
from streams.contract.errors import FramelaneError, SettingError, Stopped
from streams.pipeline import Pipeline, Run
from streams.reload_requests import ReloadRequests, in_thread
from streams.reload_rules import PipelineFile, changes

log = logging.getLogger(__name__)


class Reloader:
    """Has an agent go on with what the file says. file: None where the pipeline came from the command line."""

    def __init__(self, frames: FrameAgent, requests: ReloadRequests, file: PipelineFile | None) -> None:
        self._frames, self._requests, self._file = frames, requests, file

    async def run(self) -> None:
        """Reload whenever that is asked for, until cancelled."""
        while True:
            await self._requests.next()
            if self._file is None:
                log.warning("SIGHUP: there is nothing to reload, for the pipeline was given by --op; see --pipelines")
            else:
                await self._reload(self._file)

    async def _reload(self, file: PipelineFile) -> None:
        running = self._frames.pipeline
        try:
            # Beside the loop: an operator may take its time to open, and frames go on meanwhile.
            made = await in_thread(lambda: open_again(file, running, self._frames.shared))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - code of others is loaded there: it ends nothing here
            tell_mistakes(error, f"pipeline {running.label} goes on as it was")
            return
        if made is None:
            log.info("pipeline %s is unchanged in %s", running.label, file.path)
            return
        pipeline, shared = made
        self._frames.swap(pipeline, shared)
        changed = ", ".join(changes(running.settings, pipeline.settings))
        log.info("pipeline %s goes on as %s; changed: %s", running.label, pipeline.label, changed)


def open_again(file: PipelineFile, running: Pipeline, shared: Run) -> tuple[Pipeline, Run] | None:
    """The pipeline as the file has it now, and what it opened; None when nothing has changed.

    shared: what the running pipeline opened, which goes on where the operators are the same. Raises SettingError for
    every mistake in the file, and FramelaneError when an operator cannot be opened.
    """
    settings = file.read_again([running.settings])[0]
    if settings == running.settings:
        return None
    pipeline = Pipeline(settings)
    if pipeline.has_operators_of(running):
        return pipeline, pipeline.continued(shared)
    with opening(pipeline):
        return pipeline, pipeline.open()


@contextmanager
def opening(pipeline: Pipeline) -> Iterator[None]:
    """Within this block, whatever an operator's open() raises becomes a FramelaneError: it is anyone's code."""
    try:
        yield
    except (FramelaneError, Stopped):
        raise
    except (Exception, SystemExit) as error:
        raise FramelaneError(f"pipeline {pipeline.label} cannot be opened: {type(error).__name__}: {error}") from error


def tell_mistakes(error: BaseException, outcome: str) -> None:
    """Log what kept a reload from being done, a record for each mistake, and what comes of it."""
    if isinstance(error, SettingError):
        for mistake in str(error).splitlines():
            log.error("not reloaded: %s", mistake)
    elif isinstance(error, FramelaneError):
        log.error("not reloaded: %s", error)
    else:
        log.error("not reloaded: %s: %s", type(error).__name__, error, exc_info=error)
    log.warning("%s", outcome)
