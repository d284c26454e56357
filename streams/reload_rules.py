"""What may change in a file of pipelines while they run, and what is refused."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from streams.contract.settings_file import SettingsFile
from streams.contract.settings_values import shown
from streams.file_watch import FileWatch
from streams.pipeline_settings import PipelineSettings, load_pipelines

# A process has joined its group and opened its topics under these; the name stands in what subscribers tell apart.
FIXED = ("group", "input", "output", "events", "dead_letter")

# What a process has to do with the pipelines of the file: it serves the only one, or one of them, or supervises all.
Serves = Literal["only", "one", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineFile:
    """The file that a process got its pipelines from.

    serves: which of them. kafka: its table [kafka] as it was at the start, where that counts; it cannot change.
    watch: made before the file was read for the first time, where its changes count, and not SIGHUP alone.
    """

    path: Path
    serves: Serves
    kafka: object = None
    watch: FileWatch | None = None

    def read_again(self, running: Sequence[PipelineSettings]) -> tuple[PipelineSettings, ...]:
        """The pipelines as the file has them now: those that run, and in a process that supervises all, new ones.

        running: as they run. SettingError tells every mistake, a line each, with what may not change among them.
        """

        def check(file: SettingsFile, tables: Sequence[Mapping[str, Any]]) -> None:
            if self.kafka is not None and file.content.get("kafka") != self.kafka:
                file.refuse("kafka", "has changed: it is read at the start only; restart the worker to use it")
            by_name = {settings.name: settings for settings in running}
            for index, values in enumerate(tables):
                if values.get("name") in by_name:
                    _refuse_changes(file, index, values, by_name[values["name"]])
            self._refuse_others(file, [values.get("name") for values in tables], list(by_name))

        read = load_pipelines(self.path, check=check)
        names = [settings.name for settings in running]
        return read if self.serves == "all" else tuple(settings for settings in read if settings.name in names)

    def _refuse_others(self, file: SettingsFile, names: Sequence[str | None], running: Sequence[str]) -> None:
        """Refuse pipelines that are gone or new where that cannot be, or could be a change of name."""
        gone = [name for name in running if name not in names]
        new = [(index, name) for index, name in enumerate(names) if name is not None and name not in running]
        if gone and new and self.serves != "one":
            for index, name in new:
                file.refuse(
                    f"pipeline[{index}].name",
                    f"= {shown(name)}: is new while {', '.join(map(shown, gone))} is gone, and a pipeline cannot "
                    "change its name while it runs; restart the worker"
                    + (", or take out the one and add the other in two steps" if self.serves == "all" else ""),
                )
        elif gone and self.serves != "all":
            file.refuse("pipeline", f"lacks {shown(gone[0])}, which runs; stop the worker to end it")
        elif new and self.serves == "only":
            for index, name in new:
                file.refuse(
                    f"pipeline[{index}].name",
                    f"= {shown(name)}: is not served, for this worker was started with {shown(running[0])} alone; "
                    f"restart it to serve both, or start one more with --pipeline {name}",
                )


def changes(before: PipelineSettings, after: PipelineSettings) -> list[str]:
    """The keys that differ."""
    names = [field.name for field in dataclasses.fields(PipelineSettings)]
    return [name for name in names if getattr(before, name) != getattr(after, name)]


def _refuse_changes(file: SettingsFile, index: int, values: Mapping[str, Any], running: PipelineSettings) -> None:
    defaults = {field.name: field.default for field in dataclasses.fields(PipelineSettings)}
    for key in FIXED:
        now, before = values.get(key, defaults[key]), getattr(running, key)
        # A value of the wrong type has been refused, and is not among the sound ones.
        refused = key not in values and key in file.content["pipeline"][index]
        if now != before and not refused:
            file.refuse(
                f"pipeline[{index}].{key}",
                f"= {shown(now)}: is {shown(before)} while the pipeline runs; restart the worker to change it",
            )
