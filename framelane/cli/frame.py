"""`framelane frame`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from framelane.cli.options import DEFAULT_WAIT, Bootstrap, Config, LogLevel, Wait, kafka_settings, seconds
from framelane.printable import printable
from streams.contract.topics import PROCESSED, RAW

if TYPE_CHECKING:
    from framelane.lookup.by_name import FoundFrame

_STDOUT = "-"


def frame(
    name: Annotated[str, typer.Argument(metavar="CAMERA/EPOCH/SEQUENCE", help="The frame's name (ce_id).")],
    *,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", help="Where the picture goes, as it came; - is stdout."),
    ] = None,
    topic: Annotated[
        str | None,
        typer.Option("--topic", help=f"Where it is looked for. Default: {RAW}; with --pipeline {PROCESSED}."),
    ] = None,
    pipeline: Annotated[
        str | None, typer.Option("--pipeline", metavar="NAME", help="What this pipeline has made of it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="What is known of it as one JSON object.")] = False,
    bootstrap: Bootstrap = None,
    config: Config = None,
    wait: Wait = DEFAULT_WAIT,
    log_level: LogLevel = "warning",
) -> None:
    """Fetch one frame by its name, out of however many there are.

    It is found by the time in its epoch's name, and then by bisecting: the broker is asked at most 40 times. The exit
    code is 1 when it is not there; the message says what is.

    **Examples**

    `framelane frame gate-1/20260509T073000000-ab12/812 -o f.jpg`

    `framelane frame gate-1/20260509T073000000-ab12/812 --pipeline moving-hidden -o hidden.jpg`

    `framelane frame gate-1/@frames.raw-3/90211 --json`
    """
    from consumers.lookup.name import FrameName
    from framelane.logs import set_up_logging
    from framelane.lookup.by_name import frame_by_name
    from framelane.waiting import wait_for_kafka
    from framelane.whole_file import write_whole

    set_up_logging(log_level)
    wanted = FrameName.parse(name)
    where = topic or (PROCESSED if pipeline else RAW)
    kafka = kafka_settings(bootstrap, config)
    wait_for_kafka(kafka, [where], wait_s=seconds(wait, option="--wait"), read=[where])
    found = frame_by_name(kafka, where, wanted, pipeline=pipeline)
    line = _json(found) if as_json else printable(_line(found))
    if output == _STDOUT:
        sys.stdout.buffer.write(found.frame.data)
        print(line, file=sys.stderr)
        return
    if output is not None:
        write_whole(Path(output), found.frame.data)
    print(line)


def _json(found: "FoundFrame") -> str:
    from consumers.metadata import metadata_json

    known = json.loads(metadata_json(found.frame))
    return json.dumps({"name": found.frame.name, "place": found.place, "asked": found.asked} | known)


def _line(found: "FoundFrame") -> str:
    from streams.contract.headers import rfc3339

    frame = found.frame
    at = rfc3339(frame.captured_at_ns)[:-4] + "Z"
    return (
        f"{frame.name}  {at}  {frame.width}x{frame.height}  {len(frame.data) / 1000:.1f} kB  "
        f"{frame.pipeline or '-'}  {found.place}"
    )
