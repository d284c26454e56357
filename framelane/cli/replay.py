"""`framelane replay`."""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framelane.cli.options import (
    DEFAULT_WAIT,
    INTERRUPTED,
    Bootstrap,
    Config,
    LogLevel,
    Wait,
    config_or,
    kafka_settings,
    seconds,
)
from streams.contract.errors import SettingError

if TYPE_CHECKING:
    from framelane.replay.begin import Run
    from framelane.replay.places import Place
    from framelane.replay.settings import Period, Replay
    from framelane.stopping import Stop
    from streams.contract.kafka_settings import KafkaSettings
    from streams.pipeline_settings import PipelineSettings


def replay(
    *,
    pipelines: Annotated[Path, typer.Option("--pipelines", metavar="FILE.toml", help="Where the pipeline stands.")],
    pipeline: Annotated[
        str | None, typer.Option("--pipeline", metavar="NAME", help="Which of them; not needed for the only one.")
    ] = None,
    output: Annotated[
        str, typer.Option("--output", metavar="TOPIC", help="Where the frames go: a topic of this replay's own.")
    ],
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="From when on: -8h, or RFC 3339. Default: all.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Up to when: -5m, or RFC 3339. Default: now.")
    ] = None,
    cameras: Annotated[
        list[str] | None,
        typer.Option(
            "--cameras", "--camera", metavar="GLOB", help="Only these of the pipeline's, as 'gate-*'. Repeatable."
        ),
    ] = None,
    input_topic: Annotated[
        str | None, typer.Option("--input", metavar="TOPIC", help="Raw frames. Default: the pipeline's input.")
    ] = None,
    events: Annotated[
        str | None, typer.Option("--events", metavar="TOPIC", help="What was found. Default: OUTPUT.events.")
    ] = None,
    dead_letter: Annotated[
        str | None,
        typer.Option("--dead-letter", metavar="TOPIC", help="What cannot be processed. Default: OUTPUT.dead-letter."),
    ] = None,
    run_id: Annotated[
        str | None,
        typer.Option("--run-id", metavar="ID", help="Names the run, to go on with it or share it. Default: OUTPUT."),
    ] = None,
    processes: Annotated[int, typer.Option("--processes", min=1, max=256, help="So many share the partitions.")] = 1,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, max=256, help="Frames at the same time. Default: the cores.")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan/--no-plan", help="Decode by the pipeline's plan, as its worker does; faster.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The sums as one JSON object on stdout.")] = False,
    part: Annotated[bool, typer.Option("--part", hidden=True, help="One of the processes of a run.")] = False,
    bootstrap: Bootstrap = None,
    config: Config = None,
    wait: Wait = DEFAULT_WAIT,
    log_level: LogLevel = "info",
) -> None:
    """Run a pipeline over frames of the past, as fast as they can be processed; what runs live is left alone.

    Every frame of the period is run, in order, and published once: to the partition of its own number in OUTPUT, with
    its own name and its time of capture, but dated now. The topics are made where they are missing. The same frames,
    settings and versions give the same pictures and events each time, however many processes share them.

    Ended by Ctrl-C or by a kill, it goes on where it was with the same command, as if it had never ended. Several
    machines that are given the same command share a run. Operators with memory see the frames before the period first.

    **Examples**

    `framelane replay --pipelines pipelines.toml --pipeline privacy --since -8h --output frames.replay.night`

    `framelane replay --pipelines new.toml --cameras 'gate-*' --since -2h --output frames.replay.new --processes 4`
    """
    from framelane.logs import set_up_logging
    from framelane.replay.settings import Replay, check_replay, replayed
    from framelane.waiting import wait_for_kafka
    from streams.contract.camera_globs import CameraGlobs
    from streams.pipeline_settings import load_pipelines
    from streams.settings import cores

    set_up_logging(log_level)
    live = load_pipelines(pipelines)
    chosen = _chosen(live, pipeline, pipelines)
    settings = replayed(chosen, output=output, events=events, dead_letter=dead_letter, input=input_topic, plan=plan)
    asked = Replay(
        pipeline=settings,
        period=_period(since, until),
        cameras=CameraGlobs.of(cameras),
        run_id=output if run_id is None else run_id,
    )
    check_replay(asked, live)
    wait_s = seconds(wait, option="--wait")
    kafka = kafka_settings(bootstrap, config_or(config, pipelines))
    wait_for_kafka(kafka, [settings.input], wait_s=wait_s, read=[settings.input], groups=[asked.group])
    each = threads or max(1, cores() // processes)
    if part:
        _take_part(kafka, asked, threads=each)
    else:
        _replay(kafka, asked, processes=processes, threads=each, as_json=as_json)


def _chosen(live: "Sequence[PipelineSettings]", name: str | None, file: Path) -> "PipelineSettings":
    names = [each.name for each in live]
    if name is None and len(live) == 1:
        return live[0]
    if name not in names:
        given = f"--pipeline {name!r}" if name is not None else "--pipeline"
        raise SettingError(f"{given}: expected one of those in {file}: {', '.join(names)}")
    return live[names.index(name)]


def _period(since: str | None, until: str | None) -> "Period":
    from framelane.replay.settings import Period
    from streams.contract.times import parse_time

    now_ns = time.time_ns()
    since_ns = 0 if since is None else parse_time(since, now_ns=now_ns)
    until_ns = now_ns if until is None else parse_time(until, now_ns=now_ns)
    if until_ns > now_ns:
        raise SettingError(f"--until {until!r}: lies ahead: only what is there can be replayed; now, or leave it out")
    return Period(since=since or "", until=until or "", since_ns=since_ns, until_ns=until_ns)


def _take_part(kafka: "KafkaSettings", asked: "Replay", *, threads: int) -> None:
    from framelane.replay.begin import begin_run
    from framelane.replay.member import Member
    from framelane.stopping import stop_on_signals

    with stop_on_signals() as stop:
        run = begin_run(kafka, asked, label=asked.pipeline.label)
        Member(kafka, run, threads=threads).work(stop, moved=lambda _: None)
    if stop.interrupted:
        raise typer.Exit(INTERRUPTED)


def _replay(kafka: "KafkaSettings", asked: "Replay", *, processes: int, threads: int, as_json: bool) -> None:
    from framelane.replay.bar import Rate, replay_bar
    from framelane.replay.begin import begin_run
    from framelane.replay.places import frames_of, total
    from framelane.replay.summary import summary, told
    from framelane.stopping import stop_on_signals

    run = begin_run(kafka, asked, label=asked.pipeline.label)
    _announce(run)
    places, rate = dict(run.places), Rate(frames_of(run.places)[0])
    with stop_on_signals() as stop, replay_bar(f"replay {run.replay.run_id}", rate) as bar:

        def moved(now: "Mapping[int, Place]") -> None:
            places.update(now)
            bar(places)

        if not all(place.done for place in places.values()):
            _work(kafka, run, processes=processes, threads=threads, stop=stop, moved=moved)
    speed = rate.of(frames_of(places)[0])
    print(f"framelane replay: {told(run, places, rate=speed)}", file=sys.stderr, flush=True)
    if as_json:
        print(json.dumps(summary(run, places, rate=speed)))
    if stop.interrupted:
        raise typer.Exit(INTERRUPTED)
    if total(places.values()).deleted:
        raise typer.Exit(1)


def _work(kafka: "KafkaSettings", run: "Run", *, processes: int, threads: int, stop: "Stop", moved: Any) -> None:
    from framelane.parent import child_environ
    from framelane.replay.member import Member
    from framelane.replay.processes import run_processes

    if processes == 1:
        Member(kafka, run, threads=threads).work(stop, moved=moved)
        return
    # The same command once more for each, so that it means the same.
    again = [sys.executable, "-m", "framelane", *sys.argv[1:], "--threads", str(threads), "--part"]
    run_processes(kafka, run, again, count=processes, environ=child_environ(os.environ), stop=stop, moved=moved)


def _announce(run: "Run") -> None:
    from framelane.replay.places import frames_of

    done, whole = frames_of(run.places)
    settings = run.replay.pipeline
    going_on = f", of which {done} are done" if run.resumed else ""
    print(
        f"framelane replay: run {run.replay.run_id} of pipeline {settings.label}: {whole} frames of {settings.input}"
        f"{going_on} -> {settings.output or settings.events}; Ctrl-C ends, and the same command goes on",
        file=sys.stderr,
        flush=True,
    )
