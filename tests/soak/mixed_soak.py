"""A soak of all parts at once: python mixed_soak.py [--minutes 30] [--seed 1] [--output soak-output].

Sixteen cameras, two workers, a subscriber, the live view with three watchers and the gateway with five clients, on one
real Kafka; every 20 to 60 s a random fault, by a seed: a worker is killed, restarted, paused shortly or beyond its
session, cut off from the broker; the broker is restarted or killed; poison comes. At the end what the broker confirmed
is compared with output and dead letters. One table; exit code 1 where a figure is not met. Ctrl-C ends it early, with
the figures of what was until then.
"""

import argparse
import io
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import figures as fig
from clusters import Cluster, cluster_of
from feed import Feed
from figures import Injury
from gateway_support import Gateway
from reader import Reader
from recovery_chart import draw
from schedule import Planned, schedule
from soak_apart import end_with_parent, run_apart
from soak_arena import CAMERAS, NUMBERS, PARTITIONS, Arena, Subscriber
from soak_faults import KINDS
from soak_gateway import GatewayClients
from soak_processes import ProcessSamples
from soak_report import Happened, Outcome, figures, table, write
from soak_view import Watchers
from view_support import View

FPS = 4.0
GATEWAY = "soak-gateway"
# Before the first fault all have their buffers, and after the last one all has to go on again.
REST_S = 60.0
GIVE_UP_S, SETTLE_S = 120.0, 180.0
LEAST_MINUTES = 2.0
# Processes that were watched for less say nothing of growth.
LONG_S = 120.0
WATCHED = (CAMERAS, CAMERAS[:4], CAMERAS[8:12])


@dataclass
class Parts:
    """What runs in a soak."""

    arena: Arena
    reader: Reader
    subscriber: Subscriber
    view: View
    gateway: Gateway
    watchers: Watchers


def main() -> int:
    """Run it apart, so that Ctrl-C is for it alone; the exit code."""
    asked = _parser().parse_args()
    if asked.minutes < LEAST_MINUTES:
        _parser().error(f"--minutes {asked.minutes:g}: at least {LEAST_MINUTES:g} are needed")
    if unknown := [each for each in asked.faults if each not in KINDS]:
        _parser().error(f"there is no fault {', '.join(unknown)}; there are: {', '.join(KINDS)}")
    if not asked.apart:
        return run_apart([sys.executable, *sys.argv, "--apart"])
    end_with_parent()
    asked.output.mkdir(parents=True, exist_ok=True)
    print(f"soak: {asked.minutes:g} minutes, seed {asked.seed}", flush=True)
    try:
        with tempfile.TemporaryDirectory(prefix="framelane-soak-") as folder, cluster_of("one") as cluster:
            outcome = _soak(asked, Path(folder), cluster)
    except KeyboardInterrupt:
        print("soak: interrupted, without figures")
        return 130
    return _tell(asked, outcome)


def _soak(asked: argparse.Namespace, folder: Path, cluster: Cluster) -> Outcome:
    with ExitStack() as stack:
        samples = stack.enter_context(ProcessSamples())
        arena = Arena(cluster, folder, samples)
        reader = stack.enter_context(Reader(arena.bootstrap, arena.topics, partitions=PARTITIONS))
        stack.enter_context(arena.fleet)
        arena.start()
        subscriber = stack.enter_context(Subscriber(arena, folder))
        view = stack.enter_context(View(arena.bootstrap, arena.topics, folder))
        gateway = stack.enter_context(Gateway(arena.bootstrap, arena.file, folder, "--name", GATEWAY))
        for name, process in (("view", view.process), ("gateway", gateway.process), ("subscriber", subscriber.process)):
            samples.watch(name, process.pid)
        watchers = stack.enter_context(Watchers(view, WATCHED, NUMBERS))
        parts = Parts(arena, reader, subscriber, view, gateway, watchers)
        outcome = Outcome(arena.ledger)
        feed = Feed(arena.bootstrap, arena.topics.raw, CAMERAS, ledger=arena.ledger, fps=FPS, contents=arena.content)
        clients = GatewayClients(gateway.port, gateway.http_port)
        with clients, feed:
            try:
                _injure(asked, parts, clients, outcome)
            except KeyboardInterrupt:
                outcome.interrupted = True
                print("soak: interrupted; what there is until now is settled", flush=True)
        outcome.asked = clients.counts
        outcome.trends, outcome.samples = samples.trends(least_s=LONG_S), samples.samples
        _settle(parts, outcome)
        for log in [*folder.glob("*.log"), *cluster.logs]:
            shutil.copy(log, asked.output / f"{log.stem}.log")
        # It is in there.
        with redirect_stdout(io.StringIO()):
            stack.close()
        return outcome


def _injure(asked: argparse.Namespace, parts: Parts, clients: GatewayClients, outcome: Outcome) -> None:
    """One fault after the other, each when its time has come and all goes on after the one before."""
    started, length_s = time.monotonic(), asked.minutes * 60
    for planned in schedule(asked.faults, seed=asked.seed, length_s=length_s, rest_s=REST_S):
        time.sleep(max(0.0, started + planned.at_s - time.monotonic()))
        at_s = time.monotonic() - started
        if at_s > length_s - REST_S:
            # The ones before took longer.
            break
        outcome.loads.append(os.getloadavg()[0])
        print(f"{at_s:5.0f} s  {planned.what} ...", flush=True)
        try:
            outcome.happened.append(_do(planned, parts, clients, at_s))
            parts.arena.whole()
        except AssertionError as error:
            outcome.troubles.append(f"{planned.what} at {at_s:.0f} s: {error}")
            print(f"         {outcome.troubles[-1]}", flush=True)
    time.sleep(max(0.0, started + length_s - time.monotonic()))


def _do(planned: Planned, parts: Parts, clients: GatewayClients, at_s: float) -> Happened:
    """Do one, and wait until the cameras, the view and the gateway go on."""
    reader, newest = parts.reader, (parts.watchers.newest, clients.newest)
    seen = len(reader.arrivals())
    injury = KINDS[planned.what].do(parts.arena, random.Random(planned.seed))
    over = replace(injury, at_s=time.time())

    def cameras_s(since: Injury) -> float:
        return max(fig.recovery_s(reader.arrivals()[seen:], [since]))

    with ThreadPoolExecutor(2) as pool:
        waits = [pool.submit(each.wait_for, over.at_s, timeout_s=GIVE_UP_S) for each in newest]
        reader.wait_for(lambda found: max(fig.recovery_s(found[seen:], [over])) < float("inf"), timeout_s=GIVE_UP_S)
        view_s, gateway_s = (each.result() - injury.at_s for each in waits)
    print(
        f"         cameras go on {cameras_s(injury):.1f} s after its beginning, view {view_s:.1f}, "
        f"gateway {gateway_s:.1f}",
        flush=True,
    )
    return Happened(planned.what, at_s, injury, view_s, gateway_s)


def _settle(parts: Parts, outcome: Outcome) -> None:
    """Wait for what is still to come, take what there is, and end all in order."""
    arena, reader, watchers = parts.arena, parts.reader, parts.watchers
    arena.mend()
    reader.wait_for_all(arena.ledger, timeout_s=SETTLE_S)
    outcome.arrivals = reader.arrivals()
    wanted = {(a.name.camera_id, a.name.sequence) for a in outcome.arrivals if a.name and not a.is_letter}
    outcome.names = parts.subscriber.wait_for(wanted, timeout_s=SETTLE_S)
    outcome.watched = {name: getattr(watchers, name) for name in ("frames", "wrong", "late", "ended")}
    for slot in range(len(arena.workers)):
        arena.stop(slot)
    outcome.codes = {"workers": max(map(abs, arena.codes), default=0), "gateway": parts.gateway.stop()}
    outcome.codes["view"], _ = parts.view.stop(signal.SIGTERM, timeout_s=30)
    outcome.ended = arena.ended


def _tell(asked: argparse.Namespace, outcome: Outcome) -> int:
    found = figures(outcome, GATEWAY)
    title = f"soak, seed {asked.seed}, {asked.minutes:g} minutes"
    injuries = [each.injury for each in outcome.happened]
    draw(outcome.of_cameras(GATEWAY), injuries, asked.output / "soak.png", title=title)
    write(outcome, found, asked.output / "soak.json", seed=asked.seed, minutes=asked.minutes)
    missed = {figure.name for figure in found if not figure.met}
    verdict = f"falls short: {len(missed)} figures not met" if missed else "pass: every figure met"
    print("\n".join(["", table(found), "", *outcome.troubles, *outcome.ended]))
    print(f"soak: seed {asked.seed}{', interrupted' if outcome.interrupted else ''}; {verdict}")
    print(f"soak: the figures and a chart are in {asked.output}/")
    return 130 if outcome.interrupted else 1 if missed else 0


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long the cameras run")
    parser.add_argument("--seed", type=int, default=1, help="of the faults: which, when, and to whom")
    parser.add_argument("--faults", type=_words, default=list(KINDS), help="only these, with commas between them")
    parser.add_argument("--output", type=Path, default=Path("soak-output"), help="where figures and the chart go")
    parser.add_argument("--apart", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
