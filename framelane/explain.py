"""What a pipeline does with a frame of a given size, and why: as values for programs and as lines for people."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from framelane.stage_times import StageTimes
from streams.pipeline import Pipeline
from streams.plan import Plan

MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A pipeline, seen with frames of one size.

    size: (width, height) in pixels. planned, unplanned: measured with `plan = true` and `false`.
    """

    pipeline: Pipeline
    size: tuple[int, int]
    planned: StageTimes
    unplanned: StageTimes

    @property
    def scale(self) -> int:
        """How many times smaller the frame is decoded."""
        return self.pipeline.plan.scale(*self.size)

    @property
    def decoded_size(self) -> tuple[int, int]:
        """(width, height) in pixels of what is decoded."""
        return self.size[0] // self.scale, self.size[1] // self.scale

    @property
    def decoded_bytes(self) -> int:
        """What is decoded takes so many bytes of memory."""
        width, height = self.decoded_size
        channels = 1 if self.pipeline.plan.mode == "gray" else 3
        return 0 if self.pipeline.plan.at is None else width * height * channels

    @property
    def stages(self) -> list[str]:
        """The operators' stages, in their order."""
        return [f"{index}:{entry.op}" for index, entry in enumerate(self.pipeline.settings.operators)]

    @property
    def whole_because(self) -> str:
        """Why it is not decoded at a reduced scale; "" where it is, or is not decoded at all."""
        plan, (width, height) = self.pipeline.plan, self.size
        if self.scale > 1 or plan.at is None:
            return ""
        if plan.readers and (width % 2 or height % 2):
            return f"half of {width}x{height} is no whole number of pixels"
        return plan.whole_because or "more than half of its width or height is looked at"


def as_json(explanation: Explanation) -> dict[str, Any]:
    """The explanation as values of JSON; times in ms of processor time for a frame."""
    pipeline, plan = explanation.pipeline, explanation.pipeline.plan
    settings = pipeline.settings
    failure = explanation.planned.failure
    return {
        "name": settings.name,
        "pipeline": pipeline.label,
        "plan": settings.plan,
        "size": list(explanation.size),
        "decode": {
            "before": _before(plan, explanation.stages),
            "scale": explanation.scale,
            "size": list(explanation.decoded_size),
            "mode": plan.mode,
            "bytes": explanation.decoded_bytes,
            "whole_because": explanation.whole_because,
            "color_because": plan.color_because,
        },
        "operators": explanation.stages,
        "output": settings.output,
        "keeps_bytes": bool(settings.output) and not changes(pipeline),
        "format": settings.format,
        "quality": settings.quality,
        "memory_frames": pipeline.memory_frames,
        "milliseconds": None
        if failure
        else {"plan": explanation.planned.milliseconds, "no_plan": explanation.unplanned.milliseconds},
        "failure": failure,
    }


def lines(explanation: Explanation) -> Iterator[str]:
    """The explanation in plain words."""
    settings = explanation.pipeline.settings
    yield f"{explanation.pipeline.label}  {settings.input} -> {settings.output or f'{settings.events} (events only)'}"
    for title, texts in (
        ("decodes", _decodes(explanation)),
        ("runs", iter([", ".join(explanation.stages) or "no operators"])),
        ("sends", _sends(explanation.pipeline)),
        ("at once", _at_once(explanation)),
        ("takes", _takes(explanation)),
    ):
        for text in texts:
            yield f"  {title:<8} {text}"
            title = ""


def changes(pipeline: Pipeline) -> bool:
    """Whether an operator may change the picture."""
    return any(operator.changes_image for operator in pipeline.operators)


def _before(plan: Plan, stages: list[str]) -> str | None:
    if plan.at is None:
        return None
    return stages[plan.at] if plan.at < len(stages) else "encode"


def _decodes(explanation: Explanation) -> Iterator[str]:
    plan, (width, height) = explanation.pipeline.plan, explanation.size
    if plan.at is None:
        yield f"nothing of a JPEG: no operator looks at the picture; {width}x{height} is read off its header"
    else:
        across, down = explanation.decoded_size
        how = f"at 1/{explanation.scale}, {across}x{down}," if explanation.scale > 1 else "whole"
        colour = "to gray" if plan.mode == "gray" else "in colour"
        before = _before(plan, explanation.stages)
        yield f"a JPEG of {width}x{height} {how} {colour}, before {before}: {explanation.decoded_bytes / MB:.1f} MB"
        if explanation.whole_because:
            yield f"not at a reduced scale: {explanation.whole_because}"
        if plan.color_because:
            yield f"not to gray: {plan.color_because}"
    if explanation.pipeline.settings.plan:
        yield "PNG, WebP and CMYK whole, in colour"


def _sends(pipeline: Pipeline) -> Iterator[str]:
    settings = pipeline.settings
    kind = {"keep": "the input's format"}.get(settings.format, settings.format)
    quality = "" if settings.format == "png" else f", quality {settings.quality}"
    if not settings.output:
        yield "events alone: no frame is encoded or published"
    elif changes(pipeline):
        yield f"the picture encoded as {kind}{quality}; one that no operator has changed, the camera's bytes"
    elif settings.format == "keep":
        yield "the camera's bytes, as they came"
    else:
        yield f"the camera's bytes, as they came, where they are {kind}; others encoded as {kind}{quality}"


def _at_once(explanation: Explanation) -> Iterator[str]:
    frames = explanation.pipeline.memory_frames
    if frames:
        yield f"frames of several cameras; one camera's one after the other, for an operator looks back on {frames}"
    else:
        yield "any frames, as many as there are threads, for no operator looks back"
    if explanation.decoded_bytes:
        yield f"each thread holds two or three pictures, of {explanation.decoded_bytes / MB:.1f} MB as decoded"


def _takes(explanation: Explanation) -> Iterator[str]:
    planned, unplanned = explanation.planned, explanation.unplanned
    if planned.failure:
        yield planned.failure
        return
    yield f"{'ms of one core':<24} {'plan = true':>12} {'plan = false':>13}"
    for stage in {**planned.milliseconds, **unplanned.milliseconds}:
        one, other = planned.milliseconds.get(stage), unplanned.milliseconds.get(stage)
        yield f"{stage:<24} {_number(one):>12} {_number(other):>13}"
    yield f"{'in all':<24} {_number(planned.total):>12} {_number(unplanned.total):>13}"


def _number(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds:.2f}"
