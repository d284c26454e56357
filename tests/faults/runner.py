"""The fault runner: `python runner.py [--short] [FAULT...]` injures real workers on a real Kafka and prints one table.

Each fault runs as often as its `repeats` says, or once with --short. Seeds are fixed and printed. The table goes to
faults-output/ as JSON, too, with a chart of each run. Exits with 1 where a figure is not met.
"""

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from clusters import Cluster, cluster_of
from faults import FAULTS, Fault
from figures import Figure
from recovery_chart import draw
from report import chart_name, written
from scene import Scene
from table import Run, table, unmet

from streams.contract.errors import EmbeddedBrokerError


def main(arguments: list[str] | None = None) -> int:
    """Run the faults that are asked for, print the table, and return the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        chosen = chosen_of(asked.faults, short=asked.short)
    except LookupError as error:
        print(f"faults: {error.args[0]}", file=sys.stderr)
        return 2
    runs: list[Run] = []
    started, interrupted = time.monotonic(), False
    asked.output.mkdir(parents=True, exist_ok=True)
    try:
        for run in run_all(chosen, asked):
            runs.append(run)
            # Whatever becomes of the others.
            written(runs, asked.output)
    except EmbeddedBrokerError as error:
        print(f"faults: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        interrupted = True
    # Not before Kafka has ended: clients that are left over say so on stderr.
    missed = [line for run in runs for line in unmet(run)]
    print("\n".join(["", table(runs), "", *missed]))
    verdict = f"fall short: {len(missed)} figures not met" if missed else "pass: every figure met"
    ended = ", interrupted" if interrupted else ""
    print(f"faults: {len(runs)} runs in {time.monotonic() - started:.0f} s{ended}, seeds from {asked.seed}; {verdict}")
    print(f"faults: the figures and a chart of each run are in {asked.output}/")
    return 130 if interrupted else 1 if missed else 0


def chosen_of(words: Sequence[str], *, short: bool) -> list[Fault]:
    """The faults that are named, such as F1 or F1,F9, or else all, or the short form; LookupError for others."""
    wanted = [number for word in words for number in word.upper().split(",") if number]
    known = dict.fromkeys(fault.number for fault in FAULTS)
    unknown = [number for number in wanted if number not in known]
    if unknown:
        raise LookupError(f"there is no {' '.join(unknown)}; there are {' '.join(known)}")
    return [fault for fault in FAULTS if (fault.number in wanted if wanted else fault.short or not short)]


def run_all(chosen: Sequence[Fault], asked: argparse.Namespace) -> Iterator[Run]:
    """Each fault's runs, those on one kind of cluster one after the other, on the same one."""
    by_kind = sorted(chosen, key=lambda fault: [each.setup.kafka for each in chosen].index(fault.setup.kafka))
    with tempfile.TemporaryDirectory(prefix="framelane-faults-") as folder:
        for kind, faults in groupby(by_kind, key=lambda fault: fault.setup.kafka):
            with cluster_of(kind) as cluster:
                for fault in faults:
                    for repeat in range(asked.repeats or (1 if asked.short else fault.repeats)):
                        yield run_once(fault, cluster, Path(folder), asked, seed=asked.seed + repeat)


def run_once(fault: Fault, cluster: Cluster, folder: Path, asked: argparse.Namespace, *, seed: int) -> Run:
    """One run; whatever goes wrong in it is a figure that is not met, and the others go on."""
    print(f"{fault.number} {fault.title}: seed {seed} ...", flush=True)
    started = time.monotonic()
    figures: list[Figure] = []
    failure = ""
    place = folder / f"{fault.title}-{seed}"
    try:
        for node in cluster.kafka.nodes:
            # A run that went wrong may have left it as it was.
            node.start()
        with Scene(cluster.bootstrap, place, seed, fault.setup, cluster=cluster) as scene:
            try:
                figures = fault.run(scene, short=asked.short)
            finally:
                title = f"{fault.number} {fault.title}, seed {seed}"
                draw(scene.reader.arrivals(), scene.injuries, asked.output / chart_name(title), title=title)
    except Exception as error:  # noqa: BLE001 - told in the report, whatever it is
        traceback.print_exc()
        failure = f"{type(error).__name__}: {error}"
    run = Run(fault.number, fault.title, seed, tuple(figures), failure, time.monotonic() - started)
    if unmet(run):
        for log in sorted(place.glob("*.log"), key=lambda each: each.stat().st_mtime)[-3:]:
            print(f"    {log.stem} said:\n{log.read_text()[-3000:]}")
    print(f"    {'met' if not unmet(run) else 'NOT MET'} in {run.seconds:.0f} s", flush=True)
    return run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help="such as F1, or F1,F9; none: all")
    parser.add_argument("--short", action="store_true", help="each once, with fewer kills and frames")
    parser.add_argument("--seed", type=int, default=1, help="the first run's; each further run has the next")
    parser.add_argument("--repeats", type=int, default=0, help="how often each runs; 0: as often as is its own")
    parser.add_argument("--output", type=Path, default=Path("faults-output"), help="where figures and charts go")
    return parser


if __name__ == "__main__":
    sys.exit(main())
