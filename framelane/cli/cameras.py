"""`framelane cameras`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from framelane.cli.options import LogLevel
from streams.contract.errors import SettingError

if TYPE_CHECKING:
    from framelane.cameras_check import CameraReport

File = Annotated[Path, typer.Argument(metavar="FILE", help="A TOML file with a [[camera]] for each camera.")]

app = typer.Typer(help="Look at files of cameras before anything is published.", no_args_is_help=True)


@app.callback()
def cameras() -> None:
    """Look at files of cameras before anything is published."""


@app.command()
def check(
    file: File,
    *,
    sheet: Annotated[
        Path, typer.Option("--sheet", metavar="FILE.png", help="Where the sheet of thumbnails goes.")
    ] = Path("cameras.png"),
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.0, max=600.0, help="How long each is watched to measure its rate.")
    ] = 3.0,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line for each camera.")] = False,
    log_level: LogLevel = "error",
) -> None:
    """Open each camera of a file, and say what it gives: size, rate, codec; with a sheet of thumbnails.

    Nothing is published, and no broker is needed. The exit code is 1 when a camera gives no picture.

    **Examples**

    - `framelane cameras check cameras.toml`
    - `framelane cameras check cameras.toml --sheet site.png --seconds 10`
    - `framelane cameras check cameras.toml --json | jq .wrong`
    """
    from framelane.cameras_check import check_cameras
    from framelane.logs import set_up_logging
    from producers.cameras_file import read_cameras

    set_up_logging(log_level)
    reports = check_cameras(read_cameras(file), seconds=seconds)
    _write_sheet(sheet, file, reports)
    if as_json:
        for report in reports:
            print(json.dumps({name: value for name, value in asdict(report).items() if name != "picture"}))
    else:
        _print_table(reports)
    typer.echo(f"thumbnails: {sheet}", err=True)
    if any(report.wrong for report in reports):
        raise typer.Exit(1)


def _write_sheet(path: Path, file: Path, reports: "list[CameraReport]") -> None:
    from framelane.thumbnail_sheet import thumbnail_sheet
    from streams.contract.images import encode

    seen = sum(not report.wrong for report in reports)
    thumbnails = [report.thumbnail() for report in reports]
    image = thumbnail_sheet(thumbnails, title=file.name, subtitle=f"{seen} of {len(reports)} cameras give pictures")
    try:
        path.write_bytes(encode(image, "image/png"))
    except OSError as error:
        raise SettingError(f"--sheet {path}: cannot be written: {error.strerror}") from error


def _print_table(reports: "list[CameraReport]") -> None:
    from rich.markup import escape
    from rich.table import Table

    from framelane.cli.topic_table import wide_console

    table = Table(box=None, pad_edge=False)
    for heading in ("camera", "", "size", "fps", "codec", "decoded by", "source"):
        table.add_column(heading, overflow="fold")
    for report in reports:
        if report.wrong:
            table.add_row(report.camera_id, "[bold red]no[/]", "", "", "", "", escape(report.wrong))
            continue
        measured = f"{report.fps:g}" if report.fps else ""
        said = f"(says {report.nominal_fps:g})" if report.nominal_fps else ""
        table.add_row(
            report.camera_id,
            "[green]ok[/]",
            f"{report.width}x{report.height}",
            f"{measured} {said}".strip(),
            report.codec,
            escape(report.decoder),
            escape(report.source),
        )
    wide_console().print(table)
