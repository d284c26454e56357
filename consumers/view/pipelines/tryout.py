"""What the page needs of a try-out: operators with other parameters, run on frames of a camera, beside what runs."""

from typing import Any, Protocol

import msgspec

from streams.contract.frame import Frame


class TryRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the page asks for, again and again.

    session: what the page calls itself; memory of operators lasts as long. after: name of the frame it has shown last.
    fresh: wait for a newer frame than that; else the newest will do, for the settings have changed. pipeline: settings
    of [[pipeline]] but for operators. operators: tables with `op`. see: the operator, by its place, whose view of the
    frame is wanted in place of the raw one. again: try once more what has failed for good.
    """

    session: str
    camera: str = ""
    pipeline: dict[str, Any] = {}
    operators: list[dict[str, Any]] = []
    after: str = ""
    fresh: bool = False
    see: int | None = None
    again: bool = False


class Wrong(msgspec.Struct, kw_only=True):
    """Something wrong. operator: its place, None for the pipeline. key: the parameter, "" for the whole."""

    operator: int | None = None
    key: str = ""
    message: str = ""


class TryEvent(msgspec.Struct, kw_only=True):
    """An event of the frame, as it would stand on `frames.events`. operator: the place of the one that found it."""

    operator: int
    type: str
    data: Any


class Picture(msgspec.Struct, kw_only=True):
    """A picture and its size in pixels. to_raw: six numbers, from fractions of it to fractions of the raw one."""

    content_type: str
    width: int
    height: int
    data: bytes
    to_raw: list[float]


class Tried(msgspec.Struct, kw_only=True):
    """What became of a frame.

    wrong: what keeps the settings from running; then nothing has been tried. failed: what went wrong with this frame.
    before: the raw picture, or the chosen operator's view. after: None where there is no picture, for an operator has
    filtered the frame out: the one at filtered_by. ms: by stage, "decode", "0:resize", ..., "encode". hash: of the
    settings. toml: a [[pipeline]] of them. halted: the operators' process had to be ended, and does not begin anew with
    these settings until asked to. notes: what else is worth knowing.
    """

    frame: str = ""
    captured_ms: float = 0.0
    wrong: list[Wrong] = []
    failed: Wrong | None = None
    halted: bool = False
    before: Picture | None = None
    after: Picture | None = None
    filtered_by: int | None = None
    events: list[TryEvent] = []
    ms: dict[str, float] = {}
    hash: str = ""
    toml: str = ""
    notes: list[str] = []


class TryOutsBusy(Exception):
    """As many try-outs are open as may be at once."""


class TryOut(Protocol):
    """Runs operators for the page, where they can do no harm."""

    def forms(self) -> dict[str, Any]:
        """What fields to show, as values of JSON: {"pipeline": [...], "operators": [...]}."""

    async def check(self, request: TryRequest) -> Tried:
        """Whether the settings are sound; waits where the session asks too often. Raises TryOutsBusy."""

    async def run(self, request: TryRequest, frame: Frame) -> Tried:
        """What becomes of the frame. Raises TryOutsBusy."""

    async def end(self, session: str) -> None:
        """Its page is closed; nothing where there is no such session."""

    async def start(self) -> None:
        """Begin to look after the sessions."""

    async def stop(self) -> None:
        """End all of them."""
