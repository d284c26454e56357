"""Ours beside the hand-written loop, over several inputs."""

from benchmarks.bench import Bench, Input
from benchmarks.figures import Sample
from benchmarks.outputs import Outputs
from benchmarks.race import Entrant, race


def race_both(bench: Bench, given: Input, label: str) -> dict[str, list[Sample]]:
    """Race the two over an input; `label` says which, and goes before their names."""
    job = bench.new_job(given)
    outputs = Outputs(job)
    entrants = [
        Entrant(label=f"{label}: {name}", contender=contender, given=given, job=job, outputs=outputs)
        for name, contender in (("hand-written loop", "hand_written"), ("Framelane", "ours"))
    ]
    return race(bench, entrants, title=label)
