"""What a replay is asked for, and the settings of a pipeline as a replay runs it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from streams.contract.camera_globs import CameraGlobs
from streams.contract.errors import SettingError
from streams.pipeline_settings import PipelineSettings, build_operators

# No `framelane.` group: those are the pipelines that run live, to `framelane status` and to whoever is woken.
GROUP_PREFIX = "framelane-replay."
_RUN_ID = re.compile(r"[A-Za-z0-9._-]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From when to when, by the records' timestamps: the first is included, the second not.

    since, until: as somebody wrote them; "" is from the oldest that is retained, and up to now. since_ns, until_ns:
    what that means, ns since 1970.
    """

    since: str
    until: str
    since_ns: int
    until_ns: int

    def __post_init__(self) -> None:
        if self.since_ns >= self.until_ns:
            raise SettingError(f"--since {self.since or '(all)'}, --until {self.until or 'now'}: nothing lies between")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A replay: what everybody who shares it has to say alike.

    pipeline: as `replayed` makes it. cameras: only those of the pipeline's that are meant. run_id: names it.
    """

    pipeline: PipelineSettings
    period: Period
    cameras: CameraGlobs
    run_id: str

    def __post_init__(self) -> None:
        if not _RUN_ID.fullmatch(self.run_id):
            raise SettingError(f"--run-id {self.run_id!r}: expected 1 to 200 of A-Z a-z 0-9 . _ -")

    @property
    def group(self) -> str:
        """The consumer group by which the run's processes share the partitions, and which knows how far they are."""
        return f"{GROUP_PREFIX}{self.run_id}"

    @property
    def topics(self) -> tuple[str, ...]:
        """What it writes to: first the frames, where it has any."""
        settings = self.pipeline
        return tuple(topic for topic in (settings.output, settings.events, settings.dead_letter) if topic)

    def wants(self, camera_id: str) -> bool:
        """Whether frames of this camera are run."""
        return self.pipeline.wants(camera_id) and self.cameras.match(camera_id)


def replayed(
    pipeline: PipelineSettings,
    *,
    output: str,
    events: str | None = None,
    dead_letter: str | None = None,
    input: str | None = None,
    plan: bool = False,
) -> PipelineSettings:
    """The pipeline with the topics of a replay, and without what goes by the clock: every frame, however old.

    events, dead_letter: by default named after the output. input: by default the pipeline's. plan: decode by the
    pipeline's plan instead of whole pictures.
    """
    return replace(
        pipeline,
        input=pipeline.input if input is None else input,
        output=output if pipeline.output else "",
        events=f"{output}.events" if events is None else events,
        dead_letter=f"{output}.dead-letter" if dead_letter is None else dead_letter,
        freshness="every_frame",
        max_age_ms=0,
        plan=plan and pipeline.plan,
    )


def check_replay(replay: Replay, live: Sequence[PipelineSettings]) -> None:
    """Raise SettingError for what cannot be replayed, or would come between the frames of what runs.

    live: all pipelines of the file, as they stand in it.
    """
    settings = replay.pipeline
    for index, (entry, operator) in enumerate(zip(settings.operators, build_operators(settings), strict=True)):
        if getattr(operator, "waits_ms", 0):
            raise SettingError(
                f"pipeline {settings.name!r}: operator {index}, {entry.op}: waits for programs elsewhere, and what "
                "they answer is not retained: replay a pipeline without it"
            )
    for pipeline in live:
        taken = {
            "input": pipeline.input,
            "output": pipeline.output,
            "events": pipeline.events,
            "dead_letter": pipeline.dead_letter,
        }
        for key, topic in taken.items():
            if topic in replay.topics:
                raise SettingError(
                    f"topic {topic}: is the {key} of pipeline {pipeline.name!r}, which runs live: name another one "
                    "with --output, --events or --dead-letter"
                )
        if pipeline.group == replay.group:
            raise SettingError(f"--run-id {replay.run_id!r}: pipeline {pipeline.name!r} runs in group {replay.group}")
