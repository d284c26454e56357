"""Options that several commands share, and the words that their values are written in."""

import re
from pathlib import Path
from typing import Annotated

import typer

from streams.contract.errors import SettingError
from streams.contract.kafka_settings import KafkaSettings, has_kafka_table, load_kafka_settings

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_UNITS_BYTES = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}

Bootstrap = Annotated[
    str | None,
    typer.Option(
        "--bootstrap", metavar="HOST:PORT", help="The broker. Default: $KAFKA_BOOTSTRAP_SERVERS, or localhost:9092."
    ),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE.toml", help="Settings; its [kafka] table says how to reach the broker."),
]
Wait = Annotated[
    str,
    typer.Option(
        "--wait",
        metavar="TIME",
        envvar="FRAMELANE_WAIT",
        help="How long to wait at the start for the broker and its topics.",
    ),
]
LogLevel = Annotated[str, typer.Option("--log-level", help="debug, info, warning or error.")]
DEFAULT_WAIT = "10s"
# Said by the image, so that its roles can be reached from outside their container.
HOST_VARIABLE, METRICS_HOST_VARIABLE = "FRAMELANE_HOST", "FRAMELANE_METRICS_HOST"
# What a shell says of a command that Ctrl-C has ended.
INTERRUPTED = 130


def kafka_settings(bootstrap: str | None, config: Path | None) -> KafkaSettings:
    """The broker's settings from a command's options, the environment and the file."""
    return load_kafka_settings(bootstrap=bootstrap, config=config)


def config_or(config: Path | None, pipelines: Path | None) -> Path | None:
    """The file that says how to reach the broker: where none is named, that of the pipelines, if it has a [kafka]."""
    return pipelines if config is None and pipelines is not None and has_kafka_table(pipelines) else config


def reach_flags(bootstrap: str | None, config: Path | None, *, wait: str, log_level: str) -> list[str]:
    """These options, as another command of ours takes them."""
    reach = [*(["--bootstrap", bootstrap] if bootstrap else []), *(["--config", str(config)] if config else [])]
    return [*reach, "--wait", wait, "--log-level", log_level]


def seconds(text: str, *, option: str) -> float:
    """A duration such as 500ms, 10s, 5min, 1h or 7d, in seconds; a bare number is seconds."""
    found = re.fullmatch(r"([0-9]*\.?[0-9]+)\s*([a-z]*)", text.strip().lower())
    if not found or (found[2] or "s") not in _UNITS_S:
        raise SettingError(f"{option} {text!r}: expected a time such as 500ms, 10s, 5min, 1h or 7d")
    return float(found[1]) * _UNITS_S[found[2] or "s"]


def byte_count(text: str, *, option: str) -> int:
    """A size such as 900kB, 4MiB or 1048576, in bytes."""
    found = re.fullmatch(r"([0-9]*\.?[0-9]+)\s*([a-z]*)", text.strip().lower())
    if not found or found[2] not in _UNITS_BYTES:
        raise SettingError(f"{option} {text!r}: expected a size such as 900kB, 4MiB or 1048576")
    return int(float(found[1]) * _UNITS_BYTES[found[2]])


def picture_size(text: str, *, option: str) -> tuple[int, int]:
    """A size such as 1280x720, as (width, height) in pixels."""
    # Loaded here: only those who name a size pay for it.
    from producers.pictures import parse_size

    return parse_size(text.strip().lower(), setting=option)
