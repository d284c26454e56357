"""`framelane topics`."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framelane.cli.options import (
    DEFAULT_WAIT,
    Bootstrap,
    Config,
    LogLevel,
    Wait,
    byte_count,
    kafka_settings,
    picture_size,
    seconds,
)
from streams.contract.errors import SettingError, TopicMismatch, TopicMissing
from streams.contract.topics import DEAD_LETTER, DEFAULTS, PROCESSED, RAW, TopicSpec, create_command, spec_for

if TYPE_CHECKING:
    from framelane.admin import TopicReport

app = typer.Typer(help="Topics as frames need them: create, describe, plan.", no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Default: the five of the contract.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout, one object.")]
# A dead letter carries the frame as it came, and more headers than it had.
_DEAD_LETTER_MARGIN = 64 * 1024


@app.command()
def create(
    names: Names = None,
    *,
    partitions: Annotated[int | None, typer.Option(min=1, help="At least as many as workers.")] = None,
    replicas: Annotated[int | None, typer.Option(min=1, help="Default: 3, or as many as there are brokers.")] = None,
    retention: Annotated[str | None, typer.Option(metavar="TIME", help="How long frames are kept, such as 1h.")] = None,
    retention_bytes: Annotated[
        str | None, typer.Option(metavar="SIZE", help="And how much of them, per partition, such as 2GiB.")
    ] = None,
    max_bytes: Annotated[str | None, typer.Option(metavar="SIZE", help="The largest frame, such as 4MiB.")] = None,
    bootstrap: Bootstrap = None,
    config: Config = None,
    wait: Wait = DEFAULT_WAIT,
    log_level: LogLevel = "warning",
) -> None:
    """Create topics with the settings that frames need; what exists and fits is left as it is.

    Without a NAME, the five topics of the contract are created, and the options are those of raw and processed frames.
    Where a topic exists and differs, that is said with the command that mends it, nothing is changed, and the exit
    code is 1.

    **Examples**

    `framelane topics create`

    `framelane topics create frames.raw --partitions 12 --retention 6h --retention-bytes 20GiB --max-bytes 8MiB`
    """
    from framelane.logs import set_up_logging

    set_up_logging(log_level)
    given: dict[str, Any] = {}
    if partitions is not None:
        given["partitions"] = partitions
    if replicas is not None:
        given["replicas"] = replicas
    if retention is not None:
        given["retention_ms"] = int(1000 * _positive(seconds(retention, option="--retention"), "--retention"))
    if retention_bytes is not None:
        size = byte_count(retention_bytes, option="--retention-bytes")
        given["retention_bytes"] = int(_positive(size, "--retention-bytes"))
    if max_bytes is not None:
        given["max_bytes"] = int(_positive(byte_count(max_bytes, option="--max-bytes"), "--max-bytes"))
    specs = [replace(spec_for(name), **given) for name in names] if names else _contract(given)
    asked = {
        spec.name: set(given) if names or spec.name in (RAW, PROCESSED) else set(given) & {"replicas"} for spec in specs
    }
    for spec in specs:
        if spec.compacted and (unfit := asked[spec.name] & {"retention_ms", "retention_bytes"}):
            option = "--" + unfit.pop().removesuffix("_ms").replace("_", "-")
            raise SettingError(
                f"{option}: topic {spec.name} keeps the last record of each key, however old: leave it out"
            )

    from framelane.admin import create_topics
    from framelane.topic_rules import check_topic_name
    from framelane.waiting import wait_for_kafka

    for spec in specs:
        check_topic_name(spec.name)
    kafka = kafka_settings(bootstrap, config)
    wait_for_kafka(kafka, [], wait_s=seconds(wait, option="--wait"))
    reports = create_topics(kafka, specs, asked=asked)
    for report in reports:
        state = "created" if report.created else "differs" if report.differences else "exists"
        print(f"{report.name}  {state}  partitions {report.state.partitions}, replicas {report.state.replicas}")
    _refuse_mismatch(reports, kafka.bootstrap)


@app.command()
def describe(
    names: Names = None,
    *,
    as_json: AsJson = False,
    bootstrap: Bootstrap = None,
    config: Config = None,
    wait: Wait = DEFAULT_WAIT,
    log_level: LogLevel = "warning",
) -> None:
    """Show topics as they are, and where they differ from what frames need; exit code 1 when one does not exist.

    **Examples**

    `framelane topics describe`

    `framelane topics describe frames.raw --json`
    """
    from framelane.admin import describe_topics
    from framelane.cli.topic_table import topics_json, topics_table
    from framelane.logs import set_up_logging
    from framelane.topic_rules import check_topic_name
    from framelane.waiting import wait_for_kafka

    set_up_logging(log_level)
    for name in names or ():
        check_topic_name(name)
    kafka = kafka_settings(bootstrap, config)
    wait_for_kafka(kafka, [], wait_s=seconds(wait, option="--wait"))
    reports, missing = describe_topics(kafka, names or list(DEFAULTS))
    if as_json:
        print(json.dumps(topics_json(reports, missing), indent=2))
    else:
        topics_table(reports, missing)
    if missing:
        raise TopicMissing(
            f"no topic {', '.join(missing)} on {kafka.bootstrap}; "
            f"make {'it' if len(missing) == 1 else 'them'}: {create_command(missing, reach=kafka.reach)}"
        )


@app.command("plan")
def plan_command(
    *,
    cameras: Annotated[int, typer.Option(min=1, help="How many cameras.")],
    fps: Annotated[float, typer.Option(help="Frames a second of each.")],
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Pixels, such as 1280x720: the bytes are then a guess.")
    ] = None,
    frame_bytes: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Bytes of one encoded frame, such as 140kB: better than a guess.")
    ] = None,
    retention: Annotated[str, typer.Option(metavar="TIME", help="How long frames are to be kept.")] = "1h",
    replicas: Annotated[int, typer.Option(min=1, help="On how many brokers each frame lies.")] = 1,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Say what cameras cost in disk, bandwidth and partitions. It asks no broker.

    **Examples**

    `framelane topics plan --cameras 16 --fps 10 --size 1280x720 --retention 6h --replicas 3`

    `framelane topics plan --cameras 4 --fps 25 --frame-bytes 220kB --json`
    """
    from framelane.cli.topic_table import plan_lines
    from framelane.logs import set_up_logging
    from framelane.topic_plan import BYTES_PER_PIXEL, plan

    set_up_logging(log_level)
    if (size is None) == (frame_bytes is None):
        raise SettingError("--size or --frame-bytes: give one of them, such as --size 1280x720 or --frame-bytes 140kB")
    if size is not None:
        width, height = picture_size(size, option="--size")
        count = round(width * height * BYTES_PER_PIXEL)
    else:
        count = byte_count(frame_bytes or "", option="--frame-bytes")
    found = plan(
        cameras,
        fps=fps,
        frame_bytes=count,
        retention_s=seconds(retention, option="--retention"),
        replicas=replicas,
    )
    if as_json:
        print(json.dumps(asdict(found), indent=2))
    else:
        print("\n".join(plan_lines(found, guessed=size is not None, retention=retention)))


def _contract(given: Mapping[str, Any]) -> list[TopicSpec]:
    """The five topics, with what was given in those of raw and processed frames, and what follows from it elsewhere."""
    specs = {name: replace(spec, **given) if name in (RAW, PROCESSED) else spec for name, spec in DEFAULTS.items()}
    if "max_bytes" in given:
        specs[DEAD_LETTER] = replace(specs[DEAD_LETTER], max_bytes=given["max_bytes"] + _DEAD_LETTER_MARGIN)
    if "replicas" in given:
        specs = {name: replace(spec, replicas=given["replicas"]) for name, spec in specs.items()}
    return list(specs.values())


def _positive(value: float, option: str) -> float:
    if value <= 0:
        raise SettingError(f"{option} {value:g}: expected more than 0")
    return value


def _refuse_mismatch(reports: "list[TopicReport]", bootstrap: str) -> None:
    from framelane.topic_rules import mend

    unfit = [report for report in reports if report.differences]
    if not unfit:
        return
    for report in unfit:
        for difference in report.differences:
            print(f"{report.name}: {difference}", file=sys.stderr)
            print(f"    {mend(report.state, difference, bootstrap=bootstrap)}", file=sys.stderr)
    first = unfit[0]
    raise TopicMismatch(
        f"topic {first.name} exists, but {first.differences[0]}; nothing was changed"
        + (f"; {len(unfit) - 1} more topic(s) differ" if len(unfit) > 1 else "")
    )
