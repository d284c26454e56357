"""One worker process: it serves one pipeline until it is told to stop, and reports itself."""

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version

import cv2
import uvloop
from aiokafka.errors import KafkaError as AiokafkaError

from streams.accounts import Accounts
from streams.app import FrameApp, build_app
from streams.contract.errors import FramelaneError
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.status import INTERVAL_S, Status, encode_status
from streams.input_watch import InputWatch
from streams.lanes import Partition
from streams.pages import new_registry
from streams.pipeline import Pipeline
from streams.pipeline_settings import PipelineSettings
from streams.progress import Progress
from streams.reload import Reloader, opening
from streams.reload_requests import ReloadRequests
from streams.reload_rules import PipelineFile
from streams.settings import WorkerSettings
from streams.shadow_pipeline import ShadowPipeline
from streams.shadow_settings import Shadow
from streams.told_settings import told_settings
from streams.traces import close_tracing
from streams.watching import start_watching

log = logging.getLogger(__name__)

# How long everything beyond the frames in flight may take to stop: leaving the group, closing connections.
STOP_GRACE_S = 10.0
CRASH_GRACE_S = 5.0
ASSIGNMENT_CHECK_S = 0.1


def run_worker(
    pipeline: PipelineSettings,
    kafka: KafkaSettings,
    settings: WorkerSettings,
    accounts: Accounts,
    *,
    file: PipelineFile | None = None,
    shadow: Shadow | None = None,
) -> signal.Signals:
    """Serve a pipeline until SIGTERM or SIGINT, which is returned; `accounts` then holds the closing sums.

    file: where the pipeline stands; it is read again on SIGHUP, and when it changes, where it is watched. shadow: where
    the pipeline is the shadow of one that is live; then it is `shadow.settings`.
    Raises FramelaneError when the worker cannot go on: it ends without committing what is not delivered.
    """
    # Frames run side by side; OpenCV's own threads would only get in each other's way.
    cv2.setNumThreads(1)

    async def run(until: ExitStack) -> signal.Signals:
        made = ShadowPipeline(shadow) if shadow else Pipeline(pipeline)
        with opening(made):
            app = build_app(made, kafka, settings, accounts)
        progress = Progress(app)
        watchdog = start_watching(
            progress, kafka, settings.watching, accounts=accounts, registry=new_registry(), until=until
        )
        requests = ReloadRequests(file.watch if file else None)
        reporter = Reporter(progress, settings, accounts)
        with requests.listening():
            reloader, inputs = Reloader(app.frames, requests, file), InputWatch(progress, reach=kafka.reach)
            jobs = (app.frames.watch_deadlines(), watchdog.run(), reloader.run(), inputs.run())
            return await _serve(app, settings, reporter, [asyncio.ensure_future(job) for job in jobs])

    # Watched until the loop is closed, for it may hang while it ends, too.
    with ExitStack() as until, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run(until))


async def _serve(
    app: FrameApp, settings: WorkerSettings, reporter: "Reporter", jobs: "Sequence[asyncio.Future[None]]"
) -> signal.Signals:
    asked: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()
    _listen(asked)
    deadlines, *others = jobs
    try:
        await _start(app, jobs)
        pipeline = app.frames.pipeline
        log.info("worker of pipeline %s in group %s is running", pipeline.label, pipeline.settings.group)
        await _run_until(asked, app, reporter, jobs)
    except Exception as error:
        # Given up before it leaves the group, so that nothing more is published or committed.
        app.frames.kill_all(for_good=True)
        await _leave(app, CRASH_GRACE_S)
        await _close(app, reporter)
        if not isinstance(error, AiokafkaError | FramelaneError):
            raise
        raise FramelaneError(f"worker of pipeline {app.frames.pipeline.label} cannot go on: {error}") from error
    for job in others:
        job.cancel()
    log.info("stopping: %d frames in flight", app.frames.in_flight)
    # Frames that hang have their deadline while it leaves, too.
    await _leave(app, settings.drain_s * 2 + STOP_GRACE_S)
    deadlines.cancel()
    app.frames.kill_all()
    await _close(app, reporter)
    return asked.result()


async def _start(app: FrameApp, jobs: "Sequence[asyncio.Future[None]]") -> None:
    """Start Faust, which may stand still already while it joins the group; raise what keeps it from going on."""
    starting = asyncio.ensure_future(app.start())
    await asyncio.wait([starting, *jobs], return_when=asyncio.FIRST_COMPLETED)
    for job in jobs:
        if job.done():
            starting.cancel()
            job.result()
    await starting


async def _run_until(
    asked: "asyncio.Future[signal.Signals]", app: FrameApp, reporter: "Reporter", jobs: "Sequence[asyncio.Future[None]]"
) -> None:
    """Return when the worker is asked to stop; raise what keeps it from going on, be it a job that ends."""
    reporting = asyncio.ensure_future(reporter.run())
    ended = asyncio.ensure_future(app.wait_until_stopped())
    try:
        await asyncio.wait([asked, ended, reporting, *jobs], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (ended, reporting):
            task.cancel()
    for job in (reporting, *jobs):
        if job.done() and not job.cancelled():
            job.result()
    if app.crashed or not asked.done():
        raise FramelaneError(str(app.crash_reason or "Faust has stopped")) from app.crash_reason


async def _leave(app: FrameApp, limit_s: float) -> None:
    """Leave the group and stop Faust."""
    try:
        await asyncio.wait_for(app.stop(), limit_s)
    except TimeoutError:
        log.warning("the worker did not leave its group within %.0f s", limit_s)


async def _close(app: FrameApp, reporter: "Reporter") -> None:
    """Report for the last time, and hand over what is still on its way."""
    reporter.report("stopped")
    await asyncio.to_thread(app.frames.outbox.publisher.close)
    await close_tracing(app.frames.outbox.tracing)


def _listen(asked: "asyncio.Future[signal.Signals]") -> None:
    def ask(signum: signal.Signals) -> None:
        if not asked.done():
            asked.set_result(signum)

    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, ask, signum)


class Reporter:
    """Puts the worker's status on its topic, every two seconds."""

    def __init__(self, progress: Progress, settings: WorkerSettings, accounts: Accounts) -> None:
        self._progress, self._settings, self._accounts = progress, settings, accounts
        self._instance = f"{socket.gethostname()}-{os.getpid()}"
        self._started_ns = time.time_ns()

    async def run(self) -> None:
        """Report until cancelled: every two seconds, and at once when partitions come or go."""
        reported, last = set[object](), 0.0
        while True:
            assigned = set[object](self._progress.partitions)
            if assigned != reported or time.monotonic() - last >= INTERVAL_S:
                self.report("running")
                reported, last = assigned, time.monotonic()
            await asyncio.sleep(ASSIGNMENT_CHECK_S)

    def report(self, state: str) -> None:
        """Report once."""
        if not self._settings.status_topic:
            return
        status = self._status(state)
        self._progress.frames.outbox.publisher.publish_unconfirmed(
            self._settings.status_topic, value=encode_status(status), key=status.key.encode()
        )

    def _status(self, state: str) -> Status:
        frames, progress, now_ns = self._progress.frames, self._progress, time.time_ns()
        running = state == "running"
        shadow = frames.pipeline if isinstance(frames.pipeline, ShadowPipeline) else None
        return Status(
            role="shadow" if shadow else "worker",
            instance=self._instance,
            version=version("framelane"),
            started_ns=self._started_ns,
            reported_ns=now_ns,
            state=state,  # type: ignore[arg-type]
            pipeline=frames.pipeline.label,
            group=frames.pipeline.settings.group,
            partitions=[_name(each) for each in progress.partitions] if running else [],
            lag={_name(each): behind for each, behind in progress.lag().items()} if running else {},
            lag_s={_name(each): behind for each, behind in progress.lag_s(now_ns=now_ns).items()} if running else {},
            rebalances=frames.rebalances,
            stage_seconds=frames.times.totals(),
            cameras=self._accounts.snapshot(now_ns),
            settings={"threads": self._settings.threads} | told_settings(frames.pipeline.settings),
            shadow=shadow.figures() if shadow else None,
        )


def _name(partition: Partition) -> str:
    return f"{partition.topic}/{partition.partition}"
