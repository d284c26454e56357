"""Which pipelines can be asked for, and the command of a worker that serves them."""

import sys
from collections.abc import Sequence
from pathlib import Path

from framelane.gateway.answers import Route
from streams.contract.errors import SettingError
from streams.contract.topics import DEAD_LETTER
from streams.pipeline_settings import PipelineSettings, load_pipelines, quick_pipeline

GROUP = "framelane.gateway"
REQUESTS, REPLIES = "frames.requests", "frames.replies"


def quick_route(ops: Sequence[str], *, name: str, requests: str, replies: str) -> Route:
    """The pipeline of `--op`. name: as `framelane work` makes it of the group. SettingError for a wrong operator."""
    return _route(quick_pipeline(ops, name=name, input=requests, output=replies, format="keep"))


def plain_route(*, name: str, requests: str, replies: str) -> Route:
    """Whatever pipeline workers serve between these topics; SettingError where two of them are the same."""
    if len({requests, replies, DEAD_LETTER}) < 3:
        raise SettingError(
            f"--requests {requests}, --replies {replies}: expected topics of their own, and not {DEAD_LETTER}"
        )
    return Route(name=name, requests=requests, replies=replies, dead_letter=DEAD_LETTER)


def file_routes(path: Path, *, names: Sequence[str]) -> list[Route]:
    """The pipelines of a file that have an output, or those of these names, the first of which is the default.

    SettingError for a name that is not there, and where requests of one would be answered by another as well.
    """
    found = {settings.name: _route(settings) for settings in load_pipelines(path) if settings.output}
    if not found:
        raise SettingError(f"{path}: no pipeline has an output, so none could reply")
    for name in names:
        if name not in found:
            raise SettingError(
                f"--pipeline {name!r}: {path} has no such pipeline with an output; it has {', '.join(found)}"
            )
    routes = [found[name] for name in dict.fromkeys(names)] or list(found.values())
    for number, route in enumerate(routes):
        for other in routes[:number]:
            if route.requests == other.requests:
                raise SettingError(
                    f"{path}: pipelines {other.name} and {route.name} both read {route.requests}, and each would "
                    "process what the other is asked for: give each an input and an output of its own, or choose with "
                    "--pipeline"
                )
    return routes


def worker_command(ops: Sequence[str], route: Route, *, group: str, timeout_s: float) -> list[str]:
    """`framelane work` for the pipeline of `--op`; what is older than anybody waits for is skipped."""
    topics = ["--input", route.requests, "--output", route.replies, "--dead-letter", route.dead_letter]
    named = [each for op in ops for each in ("--op", op)]
    age = ["--max-age", f"{max(1, round(timeout_s))}s"]
    return [*_WORK, *named, "--group", group, *topics, "--format", "keep", *age]


def file_worker_command(path: Path) -> list[str]:
    """`framelane work` for all pipelines of a file."""
    return [*_WORK, "--pipelines", str(path)]


_WORK = (sys.executable, "-m", "framelane", "work")


def _route(settings: PipelineSettings) -> Route:
    return Route(
        name=settings.name,
        requests=settings.input,
        replies=settings.output,
        dead_letter=settings.dead_letter,
        label=settings.label,
        max_pixels=settings.max_pixels,
    )
