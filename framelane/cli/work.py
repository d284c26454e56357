"""`framelane work`."""

import asyncio
import hashlib
import os
import re
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framelane.cli import options
from streams.contract import topics
from streams.contract.errors import FramelaneError, SettingError
from streams.settings import WatchSettings, WorkerSettings

if TYPE_CHECKING:
    from streams.accounts import Accounts
    from streams.contract.kafka_settings import KafkaSettings
    from streams.pipeline_settings import PipelineSettings
    from streams.reload_rules import PipelineFile

# Flags that are not called as the setting is.
_FLAGS = {"max_age_ms": "max-age"}
# The defaults of the options below.
WORKER, WATCH = WorkerSettings(), WatchSettings()
# Threads that wait for programs elsewhere need no core.
_WAITING_THREADS = 32


def _quick(flag: str, metavar: str, text: str) -> Any:
    return typer.Option(flag, metavar=metavar, help=text, show_default=False, rich_help_panel="Quick form (--op)")


def _watched(flag: str, metavar: str, text: str, *, variable: str | None = None) -> Any:
    return typer.Option(flag, metavar=metavar, help=text, envvar=variable, rich_help_panel="Metrics, probes, watchdog")


def work(
    pipelines: Annotated[
        Path | None, typer.Option("--pipelines", metavar="FILE.toml", help="Pipelines; each is served by one process.")
    ] = None,
    pipeline: Annotated[
        str | None, typer.Option("--pipeline", metavar="NAME", help="Only this one of the file.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch/--no-watch", help="Reload by itself when the file changes, not only on SIGHUP.")
    ] = False,
    op: Annotated[
        list[str] | None,
        typer.Option("--op", metavar="OP", help="An operator, as NAME or NAME:key=value,...; once for each, in order."),
    ] = None,
    group: Annotated[str | None, _quick("--group", "NAME", "The consumer group. Default: framelane.quick.")] = None,
    input_topic: Annotated[str | None, _quick("--input", "TOPIC", f"Raw frames. Default: {topics.RAW}.")] = None,
    output: Annotated[
        str | None, _quick("--output", "TOPIC", f'Processed frames; "" is only events. Default: {topics.PROCESSED}.')
    ] = None,
    events: Annotated[str | None, _quick("--events", "TOPIC", f"What was found. Default: {topics.EVENTS}.")] = None,
    dead_letter: Annotated[
        str | None, _quick("--dead-letter", "TOPIC", f"What cannot be processed. Default: {topics.DEAD_LETTER}.")
    ] = None,
    quality: Annotated[int | None, _quick("--quality", "N", "JPEG quality, 1 to 100. Default: 80.")] = None,
    image_format: Annotated[
        str | None, _quick("--format", "FORMAT", "jpeg, png, webp, or keep: that of the input. Default: jpeg.")
    ] = None,
    max_age: Annotated[str | None, _quick("--max-age", "TIME", "Skip frames that are older. Default: none is.")] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            help="Frames processed at the same time. Default: the cores; 32 with a stage that waits, as remote."
        ),
    ] = None,
    metrics_port: Annotated[
        int, _watched("--metrics-port", "N", "Metrics and probes; another free port when it is taken. 0: off.")
    ] = WATCH.port,
    metrics_host: Annotated[
        str,
        _watched(
            "--metrics-host",
            "HOST",
            "Where that port is; 0.0.0.0: on every address of this machine.",
            variable=options.METRICS_HOST_VARIABLE,
        ),
    ] = WATCH.host,
    metrics_cameras: Annotated[
        int, _watched("--metrics-cameras", "N", "Cameras that metrics tell apart; the rest is counted together.")
    ] = WATCH.cameras,
    stall_limit: Annotated[
        str,
        _watched(
            "--stall-limit",
            "TIME",
            "End when frames wait, Kafka answers, and nothing is committed for so long. 0: never.",
        ),
    ] = f"{WATCH.stall_s:g}s",
    warmup_max: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="How long a partition that arrives waits for operators with memory to see the frames before; 0s: not.",
        ),
    ] = f"{WORKER.warmup_max_s:g}s",
    memory_cameras: Annotated[
        int, typer.Option(metavar="N", help="Cameras that operators with memory remember; 0: any number.")
    ] = WORKER.memory_cameras,
    bootstrap: options.Bootstrap = None,
    config: options.Config = None,
    wait: options.Wait = options.DEFAULT_WAIT,
    status: Annotated[bool, typer.Option(help=f"Report to {topics.STATUS}.")] = True,
    log_level: options.LogLevel = "info",
) -> None:
    """Run one worker: it takes raw frames, runs operators on them, and publishes the results, in order.

    A second worker is the same command once more: workers of a group share its partitions. Other operators need
    another group. A new group begins with the oldest frame. Ctrl-C and SIGTERM let a worker finish what it has begun,
    and leave the group. SIGHUP has it read the file of pipelines again, and take up their operators, cameras and limits
    without losing a frame; a file with a mistake changes nothing.

    **Examples**

    - `framelane work --op resize:width=640 --op grayscale`
    - `framelane work --op blur:kernel=5 --group framelane.blur --output frames.blurred --threads 2`
    - `framelane work --pipelines pipelines.toml --watch`
    """
    from framelane.logs import set_up_logging
    from framelane.waiting import wait_for_kafka
    from streams.contract.settings_file import SettingsFile
    from streams.file_watch import FileWatch
    from streams.pipeline_settings import load_pipelines, quick_pipeline, waits_for_others
    from streams.reload_rules import PipelineFile, Serves

    set_up_logging(log_level)
    watching = WatchSettings(
        port=metrics_port,
        host=metrics_host,
        cameras=metrics_cameras,
        stall_s=options.seconds(stall_limit, option="--stall-limit"),
    )
    wait_s = options.seconds(wait, option="--wait")
    worker = WorkerSettings(
        threads=WORKER.threads if threads is None else threads,
        memory_cameras=memory_cameras,
        warmup_max_s=options.seconds(warmup_max, option="--warmup-max"),
        watching=watching,
    )
    quick: dict[str, Any] = {
        "group": group,
        "input": input_topic,
        "output": output,
        "events": events,
        "dead_letter": dead_letter,
    }
    quick |= {"format": image_format, "quality": quality}
    given: dict[str, Any] = {name: value for name, value in quick.items() if value is not None}
    if max_age is not None:
        given["max_age_ms"] = round(1000 * options.seconds(max_age, option="--max-age"))
    # Before the file is read, so that no change is missed.
    file_watch = FileWatch(pipelines) if watch and pipelines is not None else None
    if pipelines is None:
        if not op:
            raise SettingError("work: expected --pipelines FILE, or at least one --op, such as --op resize:width=640")
        if pipeline is not None:
            raise SettingError(f"--pipeline {pipeline!r}: names one of the pipelines of a file: give --pipelines FILE")
        if watch:
            raise SettingError("--watch: the pipeline of --op has no file to be watched; give --pipelines FILE")
        chosen: tuple[PipelineSettings, ...] = (quick_pipeline(op, name=name_of_group(group), **given),)
    else:
        _refuse_with_file(op, given)
        chosen = _chosen(load_pipelines(pipelines), pipeline)
    config = options.config_or(config, pipelines)
    kafka = options.kafka_settings(bootstrap, config)
    file = None
    if pipelines is not None:
        serves: Serves = "one" if pipeline is not None else "all" if len(chosen) > 1 else "only"
        table = SettingsFile(pipelines).content.get("kafka") if config == pipelines else None
        file = PipelineFile(path=pipelines, serves=serves, kafka=table, watch=file_watch)
    kafka.for_faust()
    named = [topic for each in chosen for topic in (each.input, each.output, each.events, each.dead_letter) if topic]
    absent = wait_for_kafka(
        kafka,
        named,
        wait_s=wait_s,
        optional=[topics.STATUS] if status else (),
        read=[each.input for each in chosen],
        groups=[each.group for each in chosen],
        write=[topics.STATUS, *(topic for each in chosen for topic in (each.output, each.events, each.dead_letter))],
    )
    if file is not None and file.serves == "all":
        sys.exit(_supervise(chosen, file, metrics_port=metrics_port))
    if absent:
        create = topics.create_command(absent, reach=kafka.reach)
        print(f"framelane: no status is reported, as there is no topic {topics.STATUS}: {create}", file=sys.stderr)
    worker = replace(worker, status_topic="" if absent or not status else topics.STATUS)
    if threads is None and waits_for_others(chosen[0]):
        worker = replace(worker, threads=_WAITING_THREADS)
    _serve(chosen[0], kafka, worker, file)


def name_of_group(group: str | None) -> str:
    """The pipeline's name: its group's. Outputs are named by it, so two groups must not share one."""
    plain = (group or "quick").removeprefix("framelane.")
    name = re.sub(r"[^a-z0-9-]+", "-", plain.lower()).strip("-")
    # A name must tell team.a from team-a, which a pipeline's name cannot spell.
    return name if name == plain else f"{name}-{hashlib.sha256(plain.encode()).hexdigest()[:4]}".lstrip("-")


def _refuse_with_file(op: list[str] | None, given: Mapping[str, object]) -> None:
    names = (["op"] if op else []) + [_FLAGS.get(name, name) for name in given]
    flags = [f"--{name.replace('_', '-')}" for name in names]
    if flags:
        raise SettingError(f"{flags[0]}: with --pipelines, that is said in the file, for each pipeline")


def _chosen(pipelines: "tuple[PipelineSettings, ...]", name: str | None) -> "tuple[PipelineSettings, ...]":
    if name is None:
        return pipelines
    chosen = tuple(settings for settings in pipelines if settings.name == name)
    if not chosen:
        known = ", ".join(settings.name for settings in pipelines)
        raise SettingError(f"--pipeline {name!r}: the file has no such pipeline; it has {known}")
    return chosen


def _serve(
    pipeline: "PipelineSettings", kafka: "KafkaSettings", settings: "WorkerSettings", file: "PipelineFile | None"
) -> None:
    from streams.accounts import Accounts
    from streams.worker import run_worker

    accounts = Accounts()
    code = FramelaneError.exit_code
    try:
        ended_by = run_worker(pipeline, kafka, settings, accounts, file=file)
        code = options.INTERRUPTED if ended_by == signal.SIGINT else 0
    except FramelaneError as error:
        code = error.exit_code
        print(f"framelane: {error}", file=sys.stderr)
    except Exception:  # noqa: BLE001 - a defect of ours: told whole, and the process ends all the same
        traceback.print_exc()
    _print_sums(accounts)
    sys.stdout.flush()
    sys.stderr.flush()
    # A thread that hangs, in an operator or in Faust, would keep the interpreter from ending.
    os._exit(code)


def _print_sums(accounts: "Accounts") -> None:
    for camera, sums in sorted(accounts.snapshot(time.time_ns()).items()):
        dead = sum(sums.dead_lettered.values())
        reasons = "".join(f", {reason} {count}" for reason, count in sorted(sums.dead_lettered.items()))
        print(
            f"{camera}: consumed {sums.consumed}, processed {sums.processed}, filtered {sums.filtered}, "
            f"stale {sums.stale}, dead-lettered {dead}{reasons}, returned {sums.returned}, gaps {sums.gaps}",
            file=sys.stderr,
        )


def _supervise(pipelines: "tuple[PipelineSettings, ...]", file: "PipelineFile", *, metrics_port: int) -> int:
    from framelane.parent import child_environ
    from streams.supervisor import Supervisor

    # The same command once more for each, so that it means the same; but one of us watches the file.
    again = [sys.executable, "-m", "framelane", *sys.argv[1:], "--no-watch", "--pipeline"]
    numbers: dict[str, int] = {}

    def command(name: str) -> list[str]:
        # A port is for one of them; a pipeline that comes back has the one that it had.
        port = metrics_port and metrics_port + numbers.setdefault(name, len(numbers))
        return [*again, name, "--metrics-port", str(port)]

    async def run() -> int:
        environ = child_environ(os.environ)
        return await Supervisor(pipelines, command, file=file, environ=environ).run()

    return asyncio.run(run())
