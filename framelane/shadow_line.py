"""The row of a shadow in a status: how the new settings of a pipeline compare with those that are live."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from consumers.reported import ProcessState, Reported
from streams.contract.status import ShadowFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowLine:
    """The shadow of a pipeline: its running processes together, or the one that ran last.

    pipeline: the live one's name. state, seen_s: of the process that was heard of last. processes: those that run.
    lag: frames behind. skipped: frames that it had no time for, since each process started. The rest as in
    ShadowFigures.
    """

    pipeline: str
    live: str
    shadow: str
    state: ProcessState
    seen_s: float
    processes: int = 0
    lag: int = 0
    skipped: int = 0
    seconds: float = 0.0
    frames: int = 0
    changed_frames: int = 0
    changed_events: int = 0
    changed_events_per_minute: float = 0.0
    only_live: int = 0
    only_shadow: int = 0
    pictures: int = 0
    resized: int = 0
    psnr_mean_db: float | None = None
    psnr_lowest_db: float | None = None


def shadow_lines(reports: Iterable[Reported]) -> list[ShadowLine]:
    """A row for each pipeline that has a shadow, by name."""
    by_name: defaultdict[str, list[tuple[Reported, ShadowFigures]]] = defaultdict(list)
    for each in reports:
        figures = each.status.shadow
        if figures is not None:
            by_name[figures.live.partition("@")[0]].append((each, figures))
    return [_line(name, shadows) for name, shadows in sorted(by_name.items())]


def _line(name: str, shadows: Sequence[tuple[Reported, ShadowFigures]]) -> ShadowLine:
    last, newest = max(shadows, key=lambda pair: (pair[0].running, pair[0].status.reported_ns))
    # What is compared is what the newest one compares; others are about to be started anew.
    shown = [
        (each, figures)
        for each, figures in shadows
        if each is last or (each.running and (figures.live, figures.shadow) == (newest.live, newest.shadow))
    ]
    found = [figures for _, figures in shown]
    measured = [each for each in found if each.pictures and each.psnr_mean_db is not None]
    pictures = sum(each.pictures for each in measured)
    return ShadowLine(
        pipeline=name,
        live=newest.live,
        shadow=newest.shadow,
        state=last.state,
        seen_s=round(last.seen_s, 1),
        processes=sum(each.running for each, _ in shown),
        lag=sum(sum(each.status.lag.values()) for each, _ in shown),
        skipped=sum(sums.stale for each, _ in shown for sums in each.status.cameras.values()),
        seconds=max(each.seconds for each in found),
        frames=sum(each.frames for each in found),
        changed_frames=sum(each.changed_frames for each in found),
        changed_events=sum(each.changed_events for each in found),
        changed_events_per_minute=round(sum(each.changed_events_per_minute for each in found), 2),
        only_live=sum(each.only_live for each in found),
        only_shadow=sum(each.only_shadow for each in found),
        pictures=pictures,
        resized=sum(each.resized for each in found),
        psnr_mean_db=round(sum(each.pictures * (each.psnr_mean_db or 0) for each in measured) / pictures, 2)
        if pictures
        else None,
        psnr_lowest_db=min((each.psnr_lowest_db for each in measured if each.psnr_lowest_db is not None), default=None),
    )
