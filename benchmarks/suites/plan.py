"""`plan`: what planning the decode gives, against the hand-written loop doing it the plain way, and against itself."""

import math
from dataclasses import replace

from benchmarks.bench import Bench, Input
from benchmarks.figures import Sample
from benchmarks.job import Work
from benchmarks.outputs import Outputs
from benchmarks.race import Entrant, race
from benchmarks.section import Section, Target
from benchmarks.suites import rows

_TITLES: dict[Work, str] = {"half": "resize to half", "motion": "motion only"}
# Frames a second by those of the hand-written loop, and processor time a frame by that of plan = false.
_WANTED: dict[Work, tuple[float, float]] = {"half": (1.6, 0.75), "motion": (1.6, 0.6)}


def run(bench: Bench) -> Section:
    """Race the hand-written loop, ours as it comes, and ours with plan = false, for two kinds of work."""
    found: dict[str, list[Sample]] = {}
    targets: list[Target] = []
    notes = [
        "The hand-written loop decodes whole, works, and encodes. `motion only` publishes the frame and the events: "
        "the loop encodes its frame anew, a planned pipeline sends the camera's own bytes."
    ]
    with bench.preloaded() as given:
        for work, title in _TITLES.items():
            raced = _race(bench, given, work)
            found |= {f"{title}: {label}": samples for label, samples in raced.items()}
            targets += _targets(raced, work)
            worst = min(each.fidelity_db for each in raced["Framelane"])
            like = (
                "has the pixels of the plain way"
                if math.isinf(worst)
                else f"is within {worst:.1f} dB (PSNR) of the plain way's"
            )
            notes.append(f"{title}: Framelane's worst frame {like}.")
            if "Framelane, plan = false" not in raced:
                notes.append(f"{title}: without plan = false, which this worker refuses.")
    return Section(
        name="plan",
        title="The planned decode",
        header=rows.HEADER,
        rows=rows.rows(found),
        targets=targets,
        notes=notes,
        bars=rows.bars(found),
        data=rows.data(found),
    )


def _race(bench: Bench, given: Input, work: Work) -> dict[str, list[Sample]]:
    job = replace(bench.new_job(given), work=work)
    outputs = Outputs(job)
    plain = replace(job, extra=(("plan", False),))
    entrants = [
        Entrant(label="hand-written loop", contender="hand_written", given=given, job=job, outputs=outputs),
        Entrant(label="Framelane", contender="ours", given=given, job=job, outputs=outputs, exact=False),
        Entrant(
            label="Framelane, plan = false", contender="ours", given=given, job=plain, outputs=outputs, exact=False
        ),
    ]
    return race(bench, entrants, title=_TITLES[work])


def _targets(raced: dict[str, list[Sample]], work: Work) -> list[Target]:
    faster, less = _WANTED[work]
    title = _TITLES[work]
    ratio = rows.fps_ratio(raced, "Framelane", "hand-written loop")
    targets = [Target(f"{title}: frames/s, Framelane by hand-written loop", ratio, ">=", faster)]
    if "Framelane, plan = false" in raced:
        ratio = rows.cpu_ratio(raced, "Framelane", "Framelane, plan = false")
        targets.append(Target(f"{title}: CPU a frame, plan = true by false", ratio, "<=", less))
    return targets
