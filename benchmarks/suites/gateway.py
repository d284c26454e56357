"""`gateway`: requests answered, beside the single-process Twisted server that does the same in `stringReceived`."""

import itertools
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.figures import paired_difference, paired_ratio, percentile, spread, turns
from benchmarks.job import Job, Work
from benchmarks.processes import ROOT, Contender
from benchmarks.section import Bar, Section, Target
from streams.contract.errors import FramelaneError

_CLIENTS = (1, 4, 16)
_SECONDS = 5.0
_PICTURES = 32
_SERVERS = {"Twisted server": "twisted_server", "Framelane": "gateway"}
_SAYS_PORT = {"twisted_server": "port ", "gateway": "images as Int32 strings: 127.0.0.1:"}
# At so many clients, and by so much more: the issue is what a second core gives.
_WORKS: tuple[tuple[Work, str, float], ...] = (("blur", "blur", 1.2), ("heavy", "median, 40 ms", 1.5))


@dataclass(frozen=True, slots=True)
class Asked:
    """What some clients have seen of a server. per_s: answers a second. p50_ms, p99_ms: how long they took."""

    per_s: float
    p50_ms: float
    p99_ms: float


Found = dict[tuple[str, str, int], list[Asked]]


def run(bench: Bench) -> Section:
    """Each server in turn, with each work, for 1, 4 and 16 clients; every round runs all of them."""
    folder = bench.folder / "asked"
    folder.mkdir(exist_ok=True)
    pictures, size = bench.pictures()
    for number, data in enumerate(itertools.islice(itertools.cycle(itertools.chain(*pictures)), _PICTURES)):
        (folder / f"{number:03d}").write_bytes(data)
    found: Found = {}
    entrants = [(server, work) for work in _WORKS for server in _SERVERS]
    for number, (server, (work, title, _)) in turns(entrants, bench.settings.rounds):
        for clients, asked in _ask(bench, _SERVERS[server], work, folder, width=size[0]).items():
            found.setdefault((title, server, clients), []).append(asked)
            bench.say(
                f"gateway {number + 1}/{bench.settings.rounds}  {title}, {server}, {clients} clients: "
                f"{asked.per_s:.0f} requests/s, p50 {asked.p50_ms:.1f} ms"
            )
    ordered = {key: found[key] for key in itertools.product((title for _, title, _ in _WORKS), _SERVERS, _CLIENTS)}
    return Section(
        name="gateway",
        title="Gateway: an image in over TCP, the processed image back",
        header=("work, server", "clients", "requests/s", "p50 ms", "p99 ms"),
        rows=[_row(*key, rounds) for key, rounds in ordered.items()],
        targets=_targets(found),
        notes=(
            f"Clients ask for the next image when the last has come; each measurement took {_SECONDS:g} s. Clients, "
            "gateway, worker and broker share the processors. The Twisted server has OpenCV's own threads.",
        ),
        unit="requests/s",
        bars=[
            Bar(f"{title}, {server}, {clients}", across.median, across.low, across.high)
            for (title, server, clients), rounds in ordered.items()
            for across in (spread([each.per_s for each in rounds]),)
        ],
        data={
            f"{title}, {server}, {clients} clients": [
                {"per_s": each.per_s, "p50_ms": each.p50_ms, "p99_ms": each.p99_ms} for each in rounds
            ]
            for (title, server, clients), rounds in ordered.items()
        },
    )


def _ask(bench: Bench, contender: str, work: Work, pictures: Path, *, width: int) -> Mapping[int, Asked]:
    """Start a server, and have it asked by ever more clients."""
    partitions = bench.settings.partitions
    with bench.topic("asked", partitions=partitions) as topic:
        model = Job(
            bootstrap=bench.kafka.bootstrap, input=topic, work=work, width=width, threads=bench.settings.threads
        )
        with bench.job(model, partitions=partitions) as job, Contender(contender, job) as running:
            port = int(running.wait_for(_SAYS_PORT[contender]).split(",")[0])
            # The first answer may have to wait for the worker to have joined its group.
            _clients(port, 1, 0.5, pictures)
            return {clients: _clients(port, clients, _SECONDS, pictures) for clients in _CLIENTS}


def _clients(port: int, clients: int, seconds: float, pictures: Path) -> Asked:
    command = [sys.executable, "-m", "benchmarks.asking", str(port), str(clients), str(seconds), str(pictures)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    if done.returncode:
        raise FramelaneError(f"the clients failed: {done.stderr[-1000:]}")
    told = json.loads(done.stdout)
    took: list[float] = told["took_ms"] or [float("inf")]
    return Asked(len(told["took_ms"]) / told["seconds"], percentile(took, 50), percentile(took, 99))


def _row(title: str, server: str, clients: int, rounds: Sequence[Asked]) -> tuple[str, ...]:
    per_s, p50, p99 = (spread([getattr(each, name) for each in rounds]) for name in ("per_s", "p50_ms", "p99_ms"))
    return f"{title}: {server}", str(clients), f"{per_s:.0f}", f"{p50:.1f}", f"{p99:.1f}"


def _targets(found: Found) -> list[Target]:
    ours, theirs = ("Framelane", "Twisted server")
    targets = [
        Target(
            f"{title}, {clients} clients: requests/s, {ours} by {theirs}",
            paired_ratio(*([each.per_s for each in found[title, server, clients]] for server in (ours, theirs))).median,
            ">=",
            wanted,
        )
        for _, title, wanted in _WORKS
        for clients in _CLIENTS[1:]
    ]
    title = _WORKS[0][1]
    later = paired_difference(*([each.p50_ms for each in found[title, server, 1]] for server in (ours, theirs)))
    return [*targets, Target(f"{title}, 1 client: p50, {ours} later than {theirs}", later.median, "<=", 15.0, " ms")]
