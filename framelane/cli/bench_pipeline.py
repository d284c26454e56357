"""`framelane bench-pipeline`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framelane.cli.options import LogLevel
from framelane.cli.pipelines import File, read_pipelines
from streams.contract.errors import SettingError

if TYPE_CHECKING:
    from framelane.pipeline_bench import PipelineCost

_FRAMES = 200


def bench_pipeline(
    file: File,
    *,
    footage: Annotated[
        str,
        typer.Option("--footage", metavar="SOURCE", help="A video, a folder of images, or synthetic:?size=1920x1080."),
    ],
    pipeline: Annotated[
        list[str] | None, typer.Option("--pipeline", metavar="NAME", help="Only this one; may be given again.")
    ] = None,
    threads: Annotated[str, typer.Option(metavar="N,N", help="Threads to measure the speed of.")] = "1,2",
    frames: Annotated[int, typer.Option(min=1, metavar="N", help="So many of the footage, again and again.")] = _FRAMES,
    seconds: Annotated[float, typer.Option(min=0.2, metavar="N", help="How long each figure is taken for.")] = 2.0,
    png: Annotated[Path | None, typer.Option("--png", metavar="FILE.png", help="Draw the chart there.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line for each pipeline.")] = False,
    log_level: LogLevel = "warning",
) -> None:
    """Measure what a pipeline costs on footage of yours: CPU time by stage, frames a second by threads; no broker.

    Each with the plan of the decode and without it (`plan = false`), in turn. A frame's CPU time is the median of a
    single thread's; frames a second are the median of three rounds, with their range.

    **Examples**

    `framelane bench-pipeline pipelines.toml --footage yard.mp4`

    `framelane bench-pipeline pipelines.toml --footage synthetic:?size=1920x1080 --threads 1,2,4 --png cost.png`
    """
    counts = _counts(threads)
    chosen = read_pipelines(file, log_level)
    if pipeline:
        known = {settings.name for settings in chosen}
        for name in pipeline:
            if name not in known:
                raise SettingError(f"--pipeline {name!r}: {file} has {', '.join(sorted(known))}")
        chosen = tuple(settings for settings in chosen if settings.name in pipeline)

    import cv2

    from framelane.footage import footage as read_footage
    from framelane.pipeline_bench import cost_of

    # As a worker does: its threads are the frames'.
    cv2.setNumThreads(1)
    pictures = read_footage(footage, most=frames)
    costs = []
    for settings in chosen:
        print(f"measuring {settings.label} ...", file=sys.stderr)
        costs.append(cost_of(settings, pictures, threads=counts, seconds=seconds))
    if png is not None:
        _draw(costs, png, footage)
    if as_json:
        for cost in costs:
            print(json.dumps(_as_json(cost)))
    else:
        print("\n\n".join("\n".join(_lines(cost)) for cost in costs))


def _counts(text: str) -> list[int]:
    counts = [int(word) if word.strip().isdecimal() else 0 for word in text.split(",")]
    if not all(1 <= count <= 64 for count in counts):
        raise SettingError(f"--threads {text!r}: expected numbers from 1 to 64 and commas between them, such as 1,2")
    return list(dict.fromkeys(counts))


def _draw(costs: "list[PipelineCost]", path: Path, footage: str) -> None:
    from framelane.cost_chart import cost_chart
    from framelane.whole_file import write_whole
    from streams.contract.images import encode
    from streams.contract.redact import redact

    width, height = costs[0].size
    chart = cost_chart(costs, title="What a frame costs", subtitle=f"{redact(footage)}, {width}x{height}")
    write_whole(path, encode(chart, "image/png"))


def _as_json(cost: "PipelineCost") -> dict[str, Any]:
    return {
        "pipeline": cost.label,
        "size": list(cost.size),
        "frames": cost.frames,
        "failure": cost.planned.failure,
        "milliseconds": {"planned": dict(cost.planned.milliseconds), "unplanned": dict(cost.unplanned.milliseconds)},
        "frames_per_second": [
            {"threads": speed.threads, "plan": speed.plan, "rounds": [round(fps, 2) for fps in speed.fps]}
            for speed in cost.speeds
        ],
    }


def _lines(cost: "PipelineCost") -> list[str]:
    """A table of stages, and one of speeds, for a terminal."""
    head = f"{cost.label}  {cost.frames} frames of {cost.size[0]}x{cost.size[1]}"
    if cost.planned.failure:
        return [head, f"  {cost.planned.failure}"]
    wide = max(len(stage) for stage in [*cost.stages, "CPU ms a frame"])
    lines = [head, f"  {'CPU ms a frame':{wide}}  {'planned':>9}  {'whole':>9}"]
    for stage in cost.stages:
        planned, whole = (each.milliseconds.get(stage) for each in (cost.planned, cost.unplanned))
        lines.append(f"  {stage:{wide}}  {_ms(planned):>9}  {_ms(whole):>9}")
    lines.append(f"  {'all':{wide}}  {_ms(cost.planned.total):>9}  {_ms(cost.unplanned.total):>9}")
    for speed in cost.speeds:
        told = f"{speed.threads} thread{'s' if speed.threads > 1 else ''}, {'planned' if speed.plan else 'whole'}"
        lines.append(f"  {told:{wide}}  {speed.median:9.1f} frames/s ({min(speed.fps):.1f} to {max(speed.fps):.1f})")
    return lines


def _ms(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds:.3f}"
