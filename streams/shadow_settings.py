"""The shadow of a pipeline: new settings that run beside those that are live, on the same frames, into side topics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from streams.contract.errors import SettingError
from streams.contract.settings_file import SettingsFile
from streams.contract.settings_values import shown
from streams.contract.topics import RAW
from streams.pipeline_settings import PipelineSettings, load_pipelines, waits_for_others

# No `framelane.` group: those are the pipelines that run live, to `framelane status` and to whoever is woken.
GROUP_PREFIX = "framelane-shadow."
TOPIC_PREFIX = "frames.shadow."
# A shadow that is too slow skips frames instead of falling behind for ever.
MAX_AGE_MS = 10_000
# Nobody waits for what a shadow has in hand: so long for it to finish, in seconds, and again to note how far it is.
DRAIN_S = 2.0
_MAX_TIMEOUT_MS = 600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """Two versions of a pipeline. candidate: as in the file of shadows. live: as it runs."""

    candidate: PipelineSettings
    live: PipelineSettings

    @property
    def settings(self) -> PipelineSettings:
        """What runs: the candidate with a name, a group and topics of its own.

        Its hash is the one that it will have when it is live. It takes the cameras of both, for those that only one of
        them wants are a difference, and the time of both for a frame.
        """
        name, candidate, live = self.live.name, self.candidate, self.live
        output = f"{TOPIC_PREFIX}{name}"
        return replace(
            candidate,
            name=f"{name}-shadow",
            group=f"{GROUP_PREFIX}{name}",
            input=live.input,
            output=output if candidate.output else "",
            events=f"{output}.events",
            dead_letter=f"{output}.dead-letter",
            cameras=candidate.cameras if candidate.cameras == live.cameras else (),
            max_age_ms=min(candidate.max_age_ms or MAX_AGE_MS, MAX_AGE_MS),
            frame_timeout_ms=min(_MAX_TIMEOUT_MS, candidate.frame_timeout_ms + live.frame_timeout_ms),
        )

    @property
    def topics(self) -> tuple[str, ...]:
        """What it writes to."""
        settings = self.settings
        return tuple(topic for topic in (settings.output, settings.events, settings.dead_letter) if topic)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowFile:
    """A file of pipelines that are the shadows of those that run. only: of this one, where others may be in it."""

    path: Path
    only: str | None = None

    def read(self, live: Sequence[PipelineSettings]) -> tuple[Shadow, ...]:
        """The shadows as the file has them now. live: the pipelines that run.

        SettingError tells every mistake, a line each: what is wrong in the file, names that do not run, another input,
        and what would come between the frames of what runs.
        """
        by_name = {settings.name: settings for settings in live}

        def check(file: SettingsFile, tables: Sequence[Mapping[str, Any]]) -> None:
            for index, values in enumerate(tables):
                self._check(file, index, values, by_name)

        read = load_pipelines(self.path, check=check)
        shadows = tuple(Shadow(candidate=each, live=by_name[each.name]) for each in read if each.name in by_name)
        if not shadows:
            raise SettingError(f"{self.path}: has no pipeline {shown(self.only)}; it has {_names(read)}")
        mistakes = [mistake for shadow in shadows for mistake in _mistakes(shadow, live)]
        if mistakes:
            raise SettingError("\n".join(f"{self.path}: {mistake}" for mistake in mistakes))
        return shadows

    def _check(
        self, file: SettingsFile, index: int, values: Mapping[str, Any], live: Mapping[str, PipelineSettings]
    ) -> None:
        name = values.get("name")
        if name is None or (self.only is not None and name != self.only):
            return
        if name not in live:
            file.refuse(
                f"pipeline[{index}].name",
                f"= {shown(name)}: is no pipeline that runs here: expected {_names(list(live.values()))}, which it "
                "is to be the shadow of",
            )
            return
        topic = values.get("input", RAW)
        if topic != live[name].input:
            file.refuse(
                f"pipeline[{index}].input",
                f"= {shown(topic)}: expected {shown(live[name].input)}, as it runs: a shadow has the same frames",
            )


def _mistakes(shadow: Shadow, live: Sequence[PipelineSettings]) -> list[str]:
    name, settings, found = shadow.live.name, shadow.settings, list[str]()
    for version, which in ((shadow.candidate, "here"), (shadow.live, "as it runs")):
        if waits_for_others(version):
            found.append(
                f"pipeline {name!r}, {which}: has a stage that waits for programs elsewhere, which a shadow would ask "
                "as well, and so slow down: take that stage out, or try it with a pipeline of its own"
            )
    for other in live:
        taken = {other.input, other.output, other.events, other.dead_letter}
        found += [
            f"pipeline {name!r}: its shadow writes to {topic}, a topic of pipeline {other.name!r}, which runs: rename "
            "one of them"
            for topic in shadow.topics
            if topic in taken
        ]
        if settings.name == other.name or settings.group == other.group:
            found.append(
                f"pipeline {name!r}: its shadow is called {settings.name!r}, of group {settings.group}, as is pipeline "
                f"{other.name!r}, which runs: rename one of them"
            )
    return found


def _names(pipelines: Sequence[PipelineSettings]) -> str:
    return " or ".join(shown(settings.name) for settings in pipelines)
