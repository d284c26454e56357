"""`framelane snapshot`."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from framelane.cli.options import DEFAULT_WAIT, Bootstrap, Config, LogLevel, Wait, kafka_settings, seconds
from framelane.cli.receiving import Cameras, Topic
from framelane.printable import printable
from streams.contract.camera_globs import CameraGlobs
from streams.contract.times import parse_time
from streams.contract.topics import PROCESSED

if TYPE_CHECKING:
    from framelane.lookup.latest import Latest
    from streams.contract.frame import Frame


def snapshot(
    *,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder for the pictures, CAMERA.jpg each.")],
    topic: Topic = PROCESSED,
    camera: Cameras = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Look back so far for every camera: -10m, or RFC 3339."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each camera.")] = False,
    bootstrap: Bootstrap = None,
    config: Config = None,
    wait: Wait = DEFAULT_WAIT,
    log_level: LogLevel = "warning",
) -> None:
    """Save the latest frame of each camera, as it came; a line for each on stdout.

    Partitions are read from their ends backwards, each until 500 records in a row have shown no further camera. Cameras
    that are rarer than that are found with `--since`, which reads all records of that time. The exit code is 1 when
    there is no frame, or a camera that was named without a glob was not found.

    **Examples**

    `framelane snapshot --to now/`

    `framelane snapshot --to now/ --camera 'gate-*' --topic frames.raw`

    `framelane snapshot --to now/ --since -1h --json | jq .path`
    """
    from framelane.logs import set_up_logging
    from framelane.lookup.latest import latest_frames
    from framelane.lookup.reader import PlaceReader
    from framelane.waiting import wait_for_kafka

    set_up_logging(log_level)
    cameras = CameraGlobs.of(camera)
    since_ms = None if since is None else -(-parse_time(since, now_ns=time.time_ns()) // 1_000_000)
    kafka = kafka_settings(bootstrap, config)
    wait_for_kafka(kafka, [topic], wait_s=seconds(wait, option="--wait"), read=[topic])
    with PlaceReader(kafka, topic) as reader:
        found = latest_frames(reader, cameras, since_ms=since_ms)
    now_ns = time.time_ns()
    for frame, path in _written(found, to):
        age_s = round((now_ns - frame.captured_at_ns) / 1e9, 3)
        print(_json(frame, path, age_s) if as_json else printable(_line(frame, path, age_s)))
    if not _all_there(found, cameras, topic=topic, since=since):
        raise typer.Exit(1)


def _written(found: "Latest", folder: Path) -> "Iterator[tuple[Frame, Path]]":
    from framelane.whole_file import write_whole
    from streams.contract.images import EXTENSIONS

    for camera_id, frame in sorted(found.frames.items()):
        path = folder / f"{camera_id}{EXTENSIONS[frame.content_type]}"
        write_whole(path, frame.data)
        yield frame, path


def _all_there(found: "Latest", cameras: CameraGlobs, *, topic: str, since: str | None) -> bool:
    """Say what was not found, and what was no frame; whether there is nothing to complain of."""
    from framelane.lookup.latest import missing

    if found.refused:
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(found.refused.items()))
        _say(f"{found.refused.total()} records are no frames and were skipped ({reasons})")
    back = f"since {since}" if since else f"among the last {found.read} records"
    further = "look further back with --since" if since is None else "name an earlier --since, or another --topic"
    absent = missing(cameras, found.frames)
    for camera_id in absent:
        _say(f"camera {camera_id}: no frame {back} of topic {topic}; {further}")
    if not found.frames and not absent:
        _say(f"no frame of such a camera {back} of topic {topic}; {further}")
    return bool(found.frames) and not absent


def _say(text: str) -> None:
    print(f"framelane snapshot: {text}", file=sys.stderr)


def _json(frame: "Frame", path: Path, age_s: float) -> str:
    from consumers.metadata import metadata_json

    return json.dumps({"name": frame.name, "age_s": age_s, "path": str(path)} | json.loads(metadata_json(frame)))


def _line(frame: "Frame", path: Path, age_s: float) -> str:
    from framelane.status_words import seconds_text

    size = f"{frame.width}x{frame.height}"
    kilobytes = f"{len(frame.data) / 1000:.1f} kB"
    age = seconds_text(age_s)
    return f"{frame.camera_id:<12}  {frame.name}  {age:>9} ago  {size:>9}  {kilobytes:>9}  {path}"
