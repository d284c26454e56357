"""The fault runner: `python runner.py [--short] [FAULT...]` injures real workers on a real Kafka and prints one table.

Each fault runs as often as its `repeats` says, or once with --short; seeds are fixed. Exits with 1 where a figure is
not met.
"""

import argparse
import sys
import tempfile
import time
import traceback
from pathlib import Path

from faults import FAULTS, Fault
from figures import Figure
from scene import Scene
from table import Run, table, unmet

from framelane.embedded import EmbeddedKafka
from streams.contract.errors import EmbeddedBrokerError


def main(arguments: list[str] | None = None) -> int:
    """Run the faults that are asked for, print the table, and return the exit code."""
    asked = _parser().parse_args(arguments)
    wanted = [number.upper() for number in asked.faults]
    known = dict.fromkeys(fault.number for fault in FAULTS)
    unknown = [number for number in wanted if number not in known]
    if unknown:
        print(f"faults: there is no {' '.join(unknown)}; there are {' '.join(known)}", file=sys.stderr)
        return 2
    chosen = [fault for fault in FAULTS if not wanted or fault.number in wanted]
    runs: list[Run] = []
    started, interrupted = time.monotonic(), False
    try:
        with tempfile.TemporaryDirectory(prefix="framelane-faults-") as folder, EmbeddedKafka() as kafka:
            for fault in chosen:
                for repeat in range(1 if asked.short else fault.repeats):
                    runs.append(_run(fault, kafka, Path(folder), seed=asked.seed + repeat, short=asked.short))
    except EmbeddedBrokerError as error:
        print(f"faults: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        interrupted = True
    # Not before Kafka has ended: clients that are left over say so on stderr.
    missed = [line for run in runs for line in unmet(run)]
    print("\n".join(["", table(runs), "", *missed]))
    verdict = f"{len(missed)} figures not met" if missed else "every figure met"
    ended = ", interrupted" if interrupted else ""
    print(f"faults: {len(runs)} runs in {time.monotonic() - started:.0f} s{ended}, {verdict}")
    return 130 if interrupted else 1 if missed else 0


def _run(fault: Fault, kafka: EmbeddedKafka, folder: Path, *, seed: int, short: bool) -> Run:
    """One run; whatever goes wrong in it is a figure that is not met, and the others go on."""
    print(f"{fault.number} {fault.title}: seed {seed} ...", flush=True)
    started = time.monotonic()
    figures: list[Figure] = []
    failure = ""
    logs = [node.log_file for node in kafka.nodes]
    place = folder / f"{fault.title}-{seed}"
    try:
        with Scene(kafka.bootstrap, place, seed, fault.setup, broker_logs=logs) as scene:
            figures = fault.run(scene, short=short)
    except Exception as error:  # noqa: BLE001 - told in the report, whatever it is
        traceback.print_exc()
        failure = f"{type(error).__name__}: {error}"
    run = Run(fault.number, fault.title, seed, tuple(figures), failure)
    if unmet(run):
        for log in sorted(place.glob("*.log"), key=lambda each: each.stat().st_mtime)[-3:]:
            print(f"    {log.stem} said:\n{log.read_text()[-3000:]}")
    print(f"    {'met' if not unmet(run) else 'NOT MET'} in {time.monotonic() - started:.0f} s", flush=True)
    return run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help="such as F1; none: all")
    parser.add_argument("--short", action="store_true", help="each once, with fewer kills and frames")
    parser.add_argument("--seed", type=int, default=1, help="the first run's; each further run has the next")
    return parser


if __name__ == "__main__":
    sys.exit(main())
