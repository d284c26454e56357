"""What a soak has found: its figures, the one table, and the same as JSON."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import figures as fig
from figures import Figure, Injury
from ledger import Ledger
from reader import Arrival
from soak_arena import late
from soak_faults import KINDS
from soak_processes import Sample, Trend

# Of a process, over the last four fifths of its time.
GROWTH_MB, GROWTH_DESCRIPTORS, GROWTH_THREADS = 20.0, 16.0, 8.0
# Beyond the cameras: what a request waits for that has been lost sight of, and what a page needs to show a picture.
GATEWAY_S, VIEW_S = 30.0, 5.0


@dataclass(frozen=True, slots=True)
class Happened:
    """A fault that was done. at_s: since the start. view_s, gateway_s: from its beginning until all of their clients
    had something from after its end; infinite where they never had.
    """

    what: str
    at_s: float
    injury: Injury
    view_s: float
    gateway_s: float

    @property
    def lasted_s(self) -> float:
        """How long it was done."""
        return max(0.0, self.injury.until_s - self.injury.at_s)


@dataclass
class Outcome:
    """All that is known at the end.

    troubles: what kept a fault from being done, or the group from being whole after it. names: what the subscriber was
    handed. ended: workers that ended by themselves. codes: exit codes, by who ended. loads: of the machine, over a
    minute, at each fault.
    """

    ledger: Ledger
    happened: list[Happened] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    names: list[tuple[str, int]] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    watched: Mapping[str, int] = field(default_factory=dict)
    trends: list[Trend] = field(default_factory=list)
    samples: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)
    loads: list[float] = field(default_factory=list)
    interrupted: bool = False

    def of_cameras(self, gateway: str) -> list[Arrival]:
        """The arrivals that are not what the gateway of that name has asked for."""
        prefix = f"{gateway}-"
        return [each for each in self.arrivals if each.name is None or not each.name.camera_id.startswith(prefix)]


def figures(outcome: Outcome, gateway: str) -> list[Figure]:
    """Each with its limit. gateway: its name."""
    return [*_frames(outcome, gateway), *_recoveries(outcome, gateway), *_clients(outcome), *_processes(outcome)]


def _frames(outcome: Outcome, gateway: str) -> list[Figure]:
    ledger, arrivals = outcome.ledger, outcome.of_cameras(gateway)
    letters = {arrival.source for arrival in arrivals if arrival.is_letter}
    wrong = fig.wrong_letters(ledger, arrivals)
    for text in wrong[:5]:
        print(f"    {text}")
    wanted = {
        (each.name.camera_id, each.name.sequence) for each in outcome.arrivals if each.name and not each.is_letter
    }
    handed = Counter(outcome.names)
    repeating = [each.injury for each in outcome.happened if KINDS[each.what].repeats]
    allowed = sum(fig.may_repeat(ledger, arrivals, injury) for injury in repeating)
    # One that was broken off is not among them.
    limit = None if outcome.interrupted or outcome.troubles else allowed
    return [
        fig.shown("frames produced", len(ledger)),
        fig.exactly("lost", len(fig.lost(ledger, arrivals)), 0),
        fig.exactly("out of order", fig.out_of_order(arrivals), 0),
        fig.exactly("answers to what was not asked", len(fig.strangers(ledger, arrivals)), 0),
        Figure("duplicates on the wire", fig.repeats(arrivals), limit),
        fig.shown("frames handed to the subscriber", len(outcome.names)),
        fig.exactly("duplicates at the subscriber", len(outcome.names) - len(handed), 0),
        fig.exactly("missing at the subscriber", len(wanted - handed.keys()), 0),
        fig.exactly("out of order at the subscriber", late(outcome.names), 0),
        fig.exactly("dead letters", len(letters), len(ledger.bad())),
        fig.exactly("wrong dead letters", len(wrong), 0),
        fig.shown("darkest camera s", fig.dark_s(arrivals)),
        *_ages(ledger, arrivals),
    ]


def _ages(ledger: Ledger, arrivals: Sequence[Arrival]) -> list[Figure]:
    """From when a frame was sent to its first output: half of them, and all but one in a hundred."""
    frames = ledger.frames()
    firsts = fig.first_occurrences(arrivals)
    ages = sorted(each.at_s - frames[each.source].sent_s for each in firsts if each.source in frames)
    if not ages:
        return []
    return [
        fig.shown("frame age s, median", ages[len(ages) // 2]),
        fig.shown("frame age s, 99 of 100", ages[len(ages) * 99 // 100]),
    ]


def _recoveries(outcome: Outcome, gateway: str) -> list[Figure]:
    firsts = sorted(fig.first_occurrences(outcome.of_cameras(gateway)), key=lambda each: each.at_s)
    found = [
        fig.shown("faults", len(outcome.happened)),
        *(fig.shown("load of the machine at a fault", load) for load in outcome.loads),
        fig.exactly("faults that could not be done, or after which the group was not whole", len(outcome.troubles), 0),
    ]
    for what in sorted({each.what for each in outcome.happened}):
        for each in [each for each in outcome.happened if each.what == what]:
            limit_s = each.lasted_s + KINDS[what].limit_s
            # What has piled up meanwhile comes first, and is worked off at twice the cameras' pace at least.
            newest_s = limit_s + each.lasted_s
            after = [first for first in firsts if first.at_s >= each.injury.at_s]
            [cameras_s] = fig.recovery_s(after, [each.injury])
            found += [
                fig.at_most(f"{what}: cameras go on after s", cameras_s, limit_s),
                fig.at_most(f"{what}: view goes on after s", each.view_s, newest_s + VIEW_S),
                fig.at_most(f"{what}: gateway goes on after s", each.gateway_s, newest_s + GATEWAY_S),
            ]
    return found


def _clients(outcome: Outcome) -> list[Figure]:
    asked, watched = outcome.asked, outcome.watched
    answered = sum(count for what, count in asked.items() if what != "asked")
    problems = [fig.shown(f"gateway: {what}", asked[what]) for what in sorted(asked) if what.startswith("problem")]
    return [
        fig.shown("gateway: images asked for", asked["asked"]),
        fig.shown("gateway: the right picture", asked["picture"]),
        fig.shown("gateway: refused, as nobody could decode it", asked["refused"]),
        fig.shown("gateway: empty answer", asked["empty"]),
        *problems,
        fig.exactly("gateway: another picture", asked["stranger"], 0),
        fig.exactly("gateway: no answer at all", asked["unanswered"], 0),
        fig.exactly("gateway: asked, and not counted", asked["asked"] - answered, 0),
        fig.shown("view: pictures shown", watched.get("frames", 0)),
        fig.exactly("view: another camera's picture", watched.get("wrong", 0), 0),
        fig.exactly("view: no newer than the one before", watched.get("late", 0), 0),
        fig.exactly("view: connections that it ended", watched.get("ended", 0), 0),
    ]


def _processes(outcome: Outcome) -> list[Figure]:
    found = [fig.exactly("workers that ended by themselves", len(outcome.ended), 0)]
    found += [fig.exactly(f"exit code: {who}", code, 0) for who, code in outcome.codes.items()]
    for trend in outcome.trends:
        who = trend.name.partition("-")[0]
        found += [
            fig.shown(f"{who}: memory MiB", trend.mb),
            fig.shown(f"{who}: memory MiB/min", trend.mb_per_min),
            fig.at_most(f"{who}: memory grew by MiB", trend.mb_growth, GROWTH_MB),
            fig.at_most(f"{who}: descriptors grew by", trend.descriptors_growth, GROWTH_DESCRIPTORS),
            fig.at_most(f"{who}: threads grew by", trend.threads_growth, GROWTH_THREADS),
        ]
    return found


def table(found: Sequence[Figure]) -> str:
    """One line for each name: how many values there are, the least, median and most, the limit, whether it is met."""
    rows = [("figure", "found", "limit", "")]
    for name in dict.fromkeys(figure.name for figure in found):
        same = [figure for figure in found if figure.name == name]
        values = [figure.value for figure in same]
        spread = dict.fromkeys(map(_number, (min(values), median(values), max(values))))
        text = " / ".join(spread) + (f"  (of {len(same)})" if len(same) > 1 else "")
        limits = [figure.limit for figure in same if figure.limit is not None]
        limit = f"{'' if same[0].exact else '<= '}{_number(max(limits))}" if limits else ""
        rows.append((name, text, limit, "" if all(figure.met for figure in same) else "NOT MET"))
    widths = [max(len(row[n]) for row in rows) for n in range(3)]
    return "\n".join(
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}".rstrip() for row in rows
    )


def write(outcome: Outcome, found: Sequence[Figure], path: Path, **run: Any) -> None:
    """Write it as JSON. run: what to say of the run beside."""
    content = {
        **run,
        "interrupted": outcome.interrupted,
        "pass": all(figure.met for figure in found),
        "faults": [{**asdict(each), "injury": _injury(each.injury)} for each in outcome.happened],
        "troubles": outcome.troubles,
        "ended": outcome.ended,
        "figures": [{**asdict(figure), "met": figure.met} for figure in found],
        "samples": {name: [asdict(each) for each in samples] for name, samples in outcome.samples.items()},
    }
    path.write_text(json.dumps(_finite(content), indent=1) + "\n", encoding="utf-8")


def _injury(injury: Injury) -> dict[str, Any]:
    return {**asdict(injury), "partitions": sorted(injury.partitions)}


def _finite(value: Any) -> Any:
    """JSON has no infinity: what never came is null."""
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value


def _number(value: float) -> str:
    return f"{value:.0f}" if value % 1 == 0 or abs(value) >= 100 else f"{value:.3g}"
