"""The command line: `python -m benchmarks`, or `make bench`."""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.bench import open_bench
from benchmarks.chart import draw
from benchmarks.machine import machine_facts
from benchmarks.processes import QUIX_PYTHON, Refused
from benchmarks.section import Section
from benchmarks.settings import BenchSettings
from benchmarks.suites import BY_NAME, SUITES
from benchmarks.table import to_json, to_markdown
from framelane.cli.options import INTERRUPTED, picture_size
from framelane.stopping import exit_on
from streams.contract.errors import FramelaneError, SettingError
from streams.settings import cores

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")
_DEFAULT = BenchSettings()


@app.command(context_settings={"help_option_names": ["-h", "--help"]})
def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help=f"Which: {', '.join(SUITES)} (default: these), or {', '.join(BY_NAME)}."
        ),
    ] = None,
    rounds: Annotated[int, typer.Option(help="How often each contender runs.")] = _DEFAULT.rounds,
    frames: Annotated[int, typer.Option(help="Frames of a round, at 1280x720.")] = _DEFAULT.frames,
    size: Annotated[str, typer.Option(metavar="WxH", help="Size of the synthetic frames.")] = "1280x720",
    video: Annotated[Path | None, typer.Option(metavar="FILE", help="A video in place of synthetic frames.")] = None,
    cameras: Annotated[int, typer.Option(help="How many cameras.")] = _DEFAULT.cameras,
    partitions: Annotated[int, typer.Option(help="Partitions of the input topic.")] = _DEFAULT.partitions,
    threads: Annotated[int, typer.Option(help="Frames processed at the same time.")] = cores(),
    minutes: Annotated[float, typer.Option(help="How long `memory` watches.")] = _DEFAULT.minutes,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where tables and charts go.")] = _DEFAULT.folder,
    bootstrap: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="A Kafka. Default: $KAFKA_BOOTSTRAP_SERVERS, or an embedded one.")
    ] = "",
) -> None:
    """Measure Framelane beside other ways of doing the same, on a real Kafka.

    Each benchmark writes NAME.md, NAME.json and NAME.png. Close other programs: only what ran in the same round can be
    compared.
    """
    chosen = names or list(SUITES)
    for name in chosen:
        if name not in SUITES | BY_NAME:
            known = ", ".join(SUITES | BY_NAME)
            raise SettingError(f"benchmark {name!r}: there is none of that name; there are {known}")
    settings = BenchSettings(
        rounds=rounds,
        frames=frames,
        partitions=partitions,
        cameras=cameras,
        size=picture_size(size, option="--size"),
        video=video,
        threads=threads,
        minutes=minutes,
        bootstrap=bootstrap or os.environ.get("KAFKA_BOOTSTRAP_SERVERS", ""),
        folder=output,
    )
    if {"throughput", "latency"} & set(chosen) and not QUIX_PYTHON.exists():
        raise FramelaneError("Quix Streams has no environment yet: make bench-env")
    settings.folder.mkdir(parents=True, exist_ok=True)
    with open_bench(settings, _say) as opened:
        for name in chosen:
            try:
                machine = machine_facts()
                _write((SUITES | BY_NAME)[name](opened), machine, settings.folder)
            except Refused as refusal:
                _say(f"{name}: skipped, as the worker refuses its pipeline: {refusal}")


def _write(section: Section, machine: Mapping[str, str], folder: Path) -> None:
    text = to_markdown(section, machine)
    (folder / f"{section.name}.md").write_text(text, encoding="utf-8")
    (folder / f"{section.name}.json").write_text(to_json(section, machine), encoding="utf-8")
    draw(section, folder / f"{section.name}.png")
    typer.echo(text)
    _say(f"written: {section.name}.md, .json and .png in {folder}")


def _say(text: str) -> None:
    typer.echo(text, err=True)


def main() -> None:
    """Run the benchmarks; Ctrl-C and SIGTERM end every process that they started."""
    exit_on(signal.SIGTERM)
    try:
        app()
    except FramelaneError as error:
        _say(f"bench: {error}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
