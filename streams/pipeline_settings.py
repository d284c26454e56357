"""The settings of a pipeline: what it reads, what it does with each frame, where the results go."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from streams.contract.camera_globs import CameraGlobs
from streams.contract.errors import SettingError
from streams.contract.images import MAX_PIXELS
from streams.contract.settings_file import SettingsFile
from streams.contract.settings_values import convert, shown, unknown_hint
from streams.contract.topics import DEAD_LETTER, EVENTS, PROCESSED, RAW
from streams.operators.base import Operator
from streams.operators.checks import ParameterError
from streams.operators.find import find_operator
from streams.operators.order import lacks_tracks
from streams.operators.parameters import make_operator, takes
from streams.plan import UNPLANNED, Plan, make_plan
from streams.settings_quick import parse_op
from streams.settings_rules import wrong_values

_FRAME_TIMEOUT_MS = 5000


@dataclasses.dataclass(frozen=True, slots=True)
class OperatorSettings:
    """One entry of `operators`. op: a name, or module:Class. parameters: as given, defaults left out."""

    op: str
    parameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PipelineSettings:
    """One [[pipeline]] of a file; what the keys mean stands in the documentation of pipelines.

    group: "" becomes framelane.<name>. output: "" publishes events only. cameras: globs, those with ! leave out; none
    is all. format "keep" is that of the input. freshness: "freshest" skips to the newest frame of each camera when the
    worker is behind. max_age_ms, max_fps: 0 is no limit. plan: decode no more of a frame than its operators need.
    """

    name: str
    group: str = ""
    input: str = RAW
    output: str = PROCESSED
    events: str = EVENTS
    dead_letter: str = DEAD_LETTER
    cameras: tuple[str, ...] = ()
    freshness: str = "every_frame"
    max_age_ms: int = 0
    max_fps: float = 0
    frame_timeout_ms: int = _FRAME_TIMEOUT_MS
    max_pixels: int = MAX_PIXELS
    format: Literal["jpeg", "png", "webp", "keep"] = "jpeg"
    quality: int = 80
    plan: bool = True
    operators: tuple[OperatorSettings, ...] = ()

    def __post_init__(self) -> None:
        if not self.group:
            object.__setattr__(self, "group", f"framelane.{self.name}")
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        for key, expected in wrong_values(values).items():
            raise ParameterError(f"pipeline {self.name!r}", key, getattr(self, key), expected)

    @property
    def hash(self) -> str:
        """Eight hexadecimal digits that change when the same frame would come out another: not with name or topics."""
        operators = build_operators(self)
        listed = []
        for entry, operator in zip(self.operators, operators, strict=True):
            values = {field.name: getattr(operator, field.name) for field in dataclasses.fields(operator)}  # type: ignore[arg-type]
            listed.append([entry.op, getattr(operator, "version", 1), values])
        shape: list[Any] = [self.format, self.quality, listed]
        if plan_of(self, operators).approximates:
            shape.append("plan")
        text = json.dumps(shape, sort_keys=True, default=repr)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    @property
    def label(self) -> str:
        """`name@hash`: what stands in `ce_pipeline`."""
        return f"{self.name}@{self.hash}"

    def wants(self, camera_id: str) -> bool:
        """Whether the pipeline takes this camera: a glob fits, or there are none, and no glob with ! does."""
        return not self.cameras or _wants(self.cameras, camera_id)


def build_operators(settings: PipelineSettings) -> list[Operator]:
    """The operators in their order; SettingError names the first that cannot be made."""
    operators: list[Operator] = []
    for index, entry in enumerate(settings.operators):
        operator, mistakes = make_operator(find_operator(entry.op), entry.parameters)
        if operator is None:
            key, message = mistakes[0].key, mistakes[0].message
            raise SettingError(
                f"pipeline {settings.name!r}: operator {index}, {entry.op}: {f'{key} {message}'.strip()}"
            )
        wrong = _waits_too_long(operator, settings.frame_timeout_ms)
        if wrong := wrong or lacks_tracks(type(operator), [type(each) for each in operators]):
            raise SettingError(f"pipeline {settings.name!r}: operator {index}, {entry.op}: {wrong}")
        operators.append(operator)
    return operators


def waits_for_others(settings: PipelineSettings) -> bool:
    """Whether one of its stages waits for programs elsewhere, and so needs threads rather than cores."""
    return any(getattr(operator, "waits_ms", 0) for operator in build_operators(settings))


def plan_of(settings: PipelineSettings, operators: Sequence[Operator]) -> Plan:
    """What is decoded for these operators, which `build_operators` has made."""
    if not settings.plan:
        return UNPLANNED
    stages = [
        (f"{index}:{entry.op}", operator)
        for index, (entry, operator) in enumerate(zip(settings.operators, operators, strict=True))
    ]
    return make_plan(stages, output=settings.output, format=settings.format)


def quick_pipeline(
    ops: Sequence[str], *, name: str = "quick", group: str | None = None, **settings: Any
) -> PipelineSettings:
    """A pipeline from `--op` texts such as "resize:width=640" and "grayscale".

    settings: any other field of PipelineSettings. SettingError names text, parameter, value, and what was expected.
    """
    entries: list[OperatorSettings] = []
    before: list[type[Operator]] = []
    for text in ops:
        op, parameters = parse_op(text)
        try:
            operator = find_operator(op)
        except SettingError as error:
            raise SettingError(f"--op {text!r}: {error}") from error
        made, mistakes = make_operator(operator, parameters)
        if made is None:
            told = "; ".join(f"{mistake.key} {mistake.message}".strip() for mistake in mistakes)
            raise SettingError(f"--op {text!r}: {op}: {told}; {takes(op, operator)}")
        if wrong_place := lacks_tracks(operator, before):
            raise SettingError(f"--op {text!r}: {op}: {wrong_place}")
        before.append(operator)
        entries.append(OperatorSettings(op, parameters))
    given = {"name": name, "group": group or ""} | settings
    sound, wrong = convert(PipelineSettings, given)
    if wrong:
        raise SettingError("; ".join(f"pipeline {name!r}: {mistake.key} {mistake.message}" for mistake in wrong))
    return PipelineSettings(**sound, operators=tuple(entries))


def load_pipelines(
    path: Path, *, check: Callable[[SettingsFile, Sequence[Mapping[str, Any]]], None] | None = None
) -> tuple[PipelineSettings, ...]:
    """The pipelines of a TOML file.

    check: is shown the sound values of each pipeline, and may refuse more of the file. SettingError tells all mistakes
    that are in it, a line each: FILE:LINE, key, value, and what was expected.
    """
    file = SettingsFile(path)
    for key in file.content:
        # A file may hold the settings of the broker as well.
        if key not in ("pipeline", "kafka"):
            file.refuse(key, f"is unknown; {unknown_hint(key, {'pipeline': None, 'kafka': None})}")
    tables = file.content.get("pipeline", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        file.refuse("pipeline", "is one table: expected [[pipeline]], in double brackets, for each pipeline")
        tables = []
    elif not tables:
        file.refuse("pipeline", "is missing: expected at least one [[pipeline]]")
    read = [_read_pipeline(file, f"pipeline[{index}]", table) for index, table in enumerate(tables)]
    for key in ("name", "group"):
        _refuse_repeats(file, key, [values.get(key) for values in read])
    if check is not None:
        check(file, read)
    file.raise_if_wrong()
    return tuple(PipelineSettings(**values) for values in read)


def _read_pipeline(file: SettingsFile, where: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """The sound values of one [[pipeline]]; what is wrong is noted in the file."""
    values, mistakes = convert(PipelineSettings, {key: value for key, value in table.items() if key != "operators"})
    file.refuse_all(where, mistakes)
    # Defaults count as well: a pipeline that reads frames.processed must name another output.
    defaults = {field.name: field.default for field in dataclasses.fields(PipelineSettings) if field.name not in table}
    for key, expected in wrong_values({**defaults, "name": "-"} | values).items():
        value = values.get(key, defaults.get(key))
        file.refuse(f"{where}.{key}", f"= {shown(value)}: expected {expected}")
    timeout_ms = values.get("frame_timeout_ms", _FRAME_TIMEOUT_MS)
    values["operators"] = _read_operators(
        file, f"{where}.operators", table.get("operators", []), frame_timeout_ms=timeout_ms
    )
    if "name" in values and not values.get("group"):
        values["group"] = f"framelane.{values['name']}"
    return values


def _read_operators(
    file: SettingsFile, where: str, entries: object, *, frame_timeout_ms: int
) -> tuple[OperatorSettings, ...]:
    if not isinstance(entries, list):
        file.refuse(where, f'= {shown(entries)}: expected a list of tables such as {{ op = "resize", width = 640 }}')
        return ()
    read: list[OperatorSettings] = []
    before: list[type[object]] = []
    for index, entry in enumerate(entries):
        here = f"{where}[{index}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("op"), str):
            file.refuse(here, f'= {shown(entry)}: expected a table with op, such as {{ op = "resize", width = 640 }}')
            # What is mended there may be what gives what is lacking further on.
            before.append(object)
            continue
        parameters = {key: value for key, value in entry.items() if key != "op"}
        try:
            operator = find_operator(entry["op"])
        except SettingError as error:
            file.refuse(f"{here}.op", f"= {shown(entry['op'])}: {error}")
            before.append(object)
            continue
        made, mistakes = make_operator(operator, parameters)
        file.refuse_all(here, mistakes)
        if made is not None and (too_long := _waits_too_long(made, frame_timeout_ms)):
            file.refuse(here, too_long)
        if wrong_place := lacks_tracks(operator, before):
            file.refuse(here, wrong_place)
        before.append(operator)
        read.append(OperatorSettings(entry["op"], parameters))
    return tuple(read)


def _waits_too_long(operator: Operator, frame_timeout_ms: int) -> str:
    """What is wrong where a stage that waits for others may do so for as long as a frame may take; else ""."""
    waits_ms = getattr(operator, "waits_ms", 0)
    if waits_ms < frame_timeout_ms:
        return ""
    return f"waits for up to {waits_ms} ms: expected less than frame_timeout_ms of the pipeline, {frame_timeout_ms}"


def _refuse_repeats(file: SettingsFile, key: str, values: Sequence[str | None]) -> None:
    for index, value in enumerate(values):
        if value is not None and value in values[:index]:
            first = values.index(value)
            file.refuse(
                f"pipeline[{index}].{key}", f"= {shown(value)}: expected another than that of pipeline[{first}]"
            )


@lru_cache(maxsize=4096)
def _wants(globs: tuple[str, ...], camera_id: str) -> bool:
    # Asked once a frame, so the answer is kept.
    return CameraGlobs(globs).match(camera_id)
