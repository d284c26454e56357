"""`framelane process`."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from framelane.cli import options
from framelane.cli.gateway import Quick, chosen_routes, positive
from streams.contract.errors import KafkaError

if TYPE_CHECKING:
    from framelane.batch import Batch
    from framelane.gateway.answers import Route
    from streams.contract.kafka_settings import KafkaSettings


def process(
    source: Annotated[Path, typer.Argument(metavar="IN_DIR", help="A folder of JPEG, PNG and WebP files.")],
    target: Annotated[Path, typer.Argument(metavar="OUT_DIR", help="Where the results go, under the same names.")],
    op: Annotated[
        list[str] | None, typer.Option("--op", metavar="OP", help="An operator, as in `framelane work`.")
    ] = None,
    pipelines: Annotated[
        Path | None, typer.Option("--pipelines", metavar="FILE.toml", help="Pipelines, one of which is asked.")
    ] = None,
    pipeline: Annotated[str | None, typer.Option("--pipeline", metavar="NAME", help="This one of the file.")] = None,
    with_worker: Annotated[
        bool,
        typer.Option("--with-worker/--no-worker", help="Run a worker while it lasts. With --op that is so anyway."),
    ] = False,
    at_once: Annotated[int, typer.Option(min=1, max=1000, help="Images under way at the same time.")] = 32,
    name: Annotated[str, typer.Option(help="Of this run, and so of its cameras NAME-0 to NAME-15.")] = "process",
    group: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the workers of --op. Default: framelane.process.")
    ] = None,
    requests: Annotated[str | None, typer.Option(metavar="TOPIC", help="Default: frames.requests.")] = None,
    replies: Annotated[str | None, typer.Option(metavar="TOPIC", help="Default: frames.replies.")] = None,
    timeout: Annotated[str, typer.Option(metavar="TIME", help="How long each image is waited for.")] = "60s",
    bootstrap: options.Bootstrap = None,
    config: options.Config = None,
    wait: options.Wait = options.DEFAULT_WAIT,
    log_level: options.LogLevel = "error",
) -> None:
    """Send a folder of images through the cluster, and collect the results.

    Names are kept. What OUT_DIR has already is not asked for again, so the same command goes on where it was cut off.
    Failures are listed in OUT_DIR/failures.jsonl; with any, the exit code is 1.

    **Examples**

    - `framelane process photos/ blurred/ --op blur:kernel=5`
    - `framelane process photos/ small/ --pipelines pipelines.toml --pipeline thumbnails`
    """
    from framelane.batch import FAILURES, check_folders
    from framelane.logs import set_up_logging
    from framelane.waiting import wait_for_kafka

    set_up_logging(log_level)
    timeout_s = positive(timeout, "--timeout")
    wait_s = options.seconds(wait, option="--wait")
    check_folders(source, target)
    with_worker = with_worker or bool(op)
    quick = Quick(op=op or (), group=group or (_GROUP if op else None), requests=requests, replies=replies)
    route = chosen_routes(quick, pipelines, [pipeline] if pipeline else (), with_worker=with_worker)[0]
    config = options.config_or(config, pipelines)
    kafka = options.kafka_settings(bootstrap, config)
    worker: list[str] = []
    if with_worker:
        worker = quick.worker(pipelines, route, timeout_s=timeout_s)
        worker += options.reach_flags(bootstrap, config, wait=wait, log_level=log_level)
    answers = [route.replies, route.dead_letter]
    wait_for_kafka(kafka, [route.requests, *answers], wait_s=wait_s, write=[route.requests], read=answers)
    run = _Run(source, target, route, worker=worker, at_once=at_once)
    batch = asyncio.run(run.run(kafka, name=name, timeout_s=timeout_s))
    sums = batch.sums
    print(
        f"{sums.found} images: {sums.done} done, {sums.there} were there, {sums.failed} failed"
        + (f", {left} not begun" if (left := sums.found - sums.done - sums.there - sums.failed) > 0 else ""),
        file=sys.stderr,
    )
    for failure in batch.failures[:10]:
        print(f"framelane: {failure.file}: {failure.reason}: {failure.error}", file=sys.stderr)
    if batch.failures:
        print(f"framelane: all {len(batch.failures)} failures: {target / FAILURES}", file=sys.stderr)
    if run.interrupted:
        raise typer.Exit(options.INTERRUPTED)
    if batch.failures:
        raise typer.Exit(1)


# Not the gateway's: each gets the replies of its own pipeline only.
_GROUP = "framelane.process"


class _Run:
    """A batch with its worker and its progress bar."""

    def __init__(self, source: Path, target: Path, route: "Route", *, worker: list[str], at_once: int) -> None:
        self._source, self._target, self._route = source, target, route
        self._worker, self._at_once = worker, at_once
        self.interrupted = False

    async def run(self, kafka: "KafkaSettings", *, name: str, timeout_s: float) -> "Batch":
        """Run it to its end; the first signal lets what is under way come home."""
        from framelane.batch import Batch
        from framelane.gateway.beside import worker_beside
        from framelane.gateway.exchange import Exchange
        from framelane.progress_bar import progress_bar

        stop = asyncio.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signum, self._stopped_by, signum, stop)
        exchange = Exchange(kafka, [self._route], name=name, timeout_s=timeout_s)
        batch = Batch(self._source, self._target, exchange, self._route)
        await exchange.start()
        broken = asyncio.create_task(exchange.ended.wait())
        broken.add_done_callback(lambda _: stop.set())
        try:
            async with worker_beside(self._worker, self._route.name, ended=stop.set):
                with progress_bar("images") as moved:
                    await batch.run(
                        at_once=self._at_once,
                        moved=lambda sums: moved(sums.there + sums.done + sums.failed, sums.found),
                        stop=stop,
                    )
        finally:
            broken.cancel()
            await exchange.close()
        if exchange.broken:
            raise KafkaError(exchange.broken)
        return batch

    def _stopped_by(self, signum: signal.Signals, stop: asyncio.Event) -> None:
        if stop.is_set():
            os._exit(options.INTERRUPTED)
        self.interrupted = signum == signal.SIGINT
        stop.set()
