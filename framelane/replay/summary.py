"""What a run has come to: in a sentence, and as values."""

from collections.abc import Mapping
from typing import Any

from framelane.replay.begin import Run
from framelane.replay.places import Place, Sums, frames_of, total


def summary(run: Run, places: Mapping[int, Place], *, rate: float) -> dict[str, Any]:
    """The values. rate: frames a second of this command."""
    done, whole = frames_of(places)
    sums, settings = total(places.values()), run.replay.pipeline
    return {
        "run_id": run.replay.run_id,
        "pipeline": settings.label,
        "input": settings.input,
        "output": settings.output,
        "events_topic": settings.events,
        "dead_letter": settings.dead_letter,
        "partitions": len(places),
        "frames": done,
        "of": whole,
        "done": all(place.done for place in places.values()),
        "processed": sums.processed,
        "filtered": sums.filtered,
        "events": sums.events,
        "dead_letters": sums.letters,
        "other_cameras": sums.others,
        "redriven": sums.redriven,
        "deleted": sums.deleted,
        "rate": round(rate, 1),
    }


def told(run: Run, places: Mapping[int, Place], *, rate: float) -> str:
    """The sentence."""
    done, whole = frames_of(places)
    sums = total(places.values())
    state = "done" if all(place.done for place in places.values()) else f"{done} of {whole} frames; to go on, again"
    return f"run {run.replay.run_id}: {state}: {_parts(done, sums)}; {rate:.1f} frames/s"


def _parts(done: int, sums: Sums) -> str:
    letters = sum(sums.letters.values())
    reasons = ", ".join(f"{reason} {count}" for reason, count in sums.letters.items())
    parts = [
        f"{done} frames",
        f"{sums.processed} processed",
        f"{sums.filtered} filtered",
        f"{sums.events} events",
        f"{letters} dead letters{f' ({reasons})' * bool(reasons)}",
    ]
    parts += [f"{sums.others} of other cameras"] * bool(sums.others)
    parts += [f"{sums.redriven} redriven, left out"] * bool(sums.redriven)
    parts += [f"{sums.deleted} deleted by retention before they were read"] * bool(sums.deleted)
    return ", ".join(parts)
