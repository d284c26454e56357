"""`framelane work`."""

import hashlib
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framelane.cli import options
from streams.contract import topics
from streams.contract.errors import SettingError
from streams.settings import WatchSettings, WorkerSettings

if TYPE_CHECKING:
    from streams.pipeline_settings import PipelineSettings

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
    shadow: Annotated[
        Path | None,
        typer.Option(
            "--shadow",
            metavar="FILE.toml",
            help="New settings for these pipelines, to be tried beside them on the same frames, into side topics.",
        ),
    ] = None,
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
    part: Annotated[str, typer.Option("--part", hidden=True, help="live or shadow: of a command with both.")] = "",
) -> None:
    """Run one worker: it takes raw frames, runs operators on them, and publishes the results, in order.

    A second worker is the same command once more: workers of a group share its partitions. Other operators need
    another group. A new group begins with the oldest frame. Ctrl-C and SIGTERM let a worker finish what it has begun,
    and leave the group. SIGHUP has it read the file of pipelines again, and take up their operators, cameras and limits
    without losing a frame; a file with a mistake changes nothing.

    With --shadow each pipeline of that file, named as the one that it is to replace, runs in a process of its own, at a
    low priority and in another group, into frames.shadow.NAME; `framelane status` says how it differs. Nothing of it
    reaches the live topics.

    **Examples**

    - `framelane work --op resize:width=640 --op grayscale`
    - `framelane work --op blur:kernel=5 --group framelane.blur --output frames.blurred --threads 2`
    - `framelane work --pipelines pipelines.toml --watch`
    - `framelane work --pipelines pipelines.toml --shadow tonight.toml`
    """
    from framelane.cli.work_processes import serve, supervise
    from framelane.logs import set_up_logging
    from framelane.shadow_start import be_modest, ready_shadow
    from framelane.waiting import wait_for_kafka
    from streams.contract.settings_file import SettingsFile
    from streams.file_watch import FileWatch
    from streams.pipeline_settings import load_pipelines, quick_pipeline, waits_for_others
    from streams.reload_rules import PipelineFile, Serves
    from streams.shadow_settings import DRAIN_S, ShadowFile

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
    # Before the files are read, so that no change is missed.
    file_watch = FileWatch(pipelines, *([shadow] if shadow else [])) if watch and pipelines is not None else None
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
    shadow_file = ShadowFile(path=shadow, only=pipeline) if shadow is not None and part != "live" else None
    shadows = shadow_file.read(chosen) if shadow_file else ()
    tried = shadows[0] if shadows and part == "shadow" else None
    config = options.config_or(config, pipelines)
    kafka = options.kafka_settings(bootstrap, config)
    file = None
    if pipelines is not None:
        serves: Serves = "one" if pipeline is not None else "all" if len(chosen) > 1 else "only"
        table = SettingsFile(pipelines).content.get("kafka") if config == pipelines else None
        file = PipelineFile(path=pipelines, serves=serves, kafka=table, watch=file_watch)
    kafka.for_faust()
    served = (tried.settings,) if tried else chosen
    # A shadow's are made where they are missing.
    written = [] if tried else [topic for each in chosen for topic in (each.output, each.events, each.dead_letter)]
    absent = wait_for_kafka(
        kafka,
        [topic for topic in (*(each.input for each in served), *written) if topic],
        wait_s=wait_s,
        optional=[topics.STATUS] if status else (),
        read=[each.input for each in served],
        groups=[each.group for each in served],
        write=[topics.STATUS, *written],
    )
    if (shadow_file and not part) or (file is not None and file.serves == "all"):
        sys.exit(supervise(chosen, file, metrics_port=metrics_port, shadows=shadows, shadow_file=shadow_file))
    if absent:
        create = topics.create_command(absent, reach=kafka.reach)
        print(f"framelane: no status is reported, as there is no topic {topics.STATUS}: {create}", file=sys.stderr)
    worker = replace(worker, status_topic="" if absent or not status else topics.STATUS)
    if threads is None and waits_for_others(chosen[0]):
        worker = replace(worker, threads=_WAITING_THREADS)
    if tried:
        be_modest()
        ready_shadow(kafka, tried)
        worker = replace(worker, drain_s=DRAIN_S)
    serve(served[0], kafka, worker, file=None if tried else file, shadow=tried)


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
