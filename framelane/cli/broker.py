"""`framelane broker`."""

import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from framelane.cli.options import LogLevel
from framelane.stopping import exit_on
from streams.contract.errors import EmbeddedBrokerError

if TYPE_CHECKING:
    from framelane.embedded import EmbeddedKafka

_LOOK_S = 0.2


def broker(
    *,
    port: Annotated[int, typer.Option(help="Where it listens, on 127.0.0.1; 0: a free port.")] = 0,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep the data there between runs. Default: a temporary folder."),
    ] = None,
    nodes: Annotated[int, typer.Option(help="1, or 3: every record on three nodes, so that one may die.")] = 1,
    secure: Annotated[
        bool, typer.Option("--secure", help="Clients need TLS and a login; settings files for each role are written.")
    ] = False,
    log_level: LogLevel = "warning",
) -> None:
    """Run a real Apache Kafka on this machine, in the foreground, without Docker.

    When it is ready, its address is printed on stdout, on a line of its own. Ctrl-C stops it. The first start fetches
    Kafka (42 MB), later ones need no network.

    **Examples**

    `framelane broker --port 9092 --data ./kafka-data`

    `framelane broker --nodes 3`

    `framelane broker --secure --data ./secure-kafka`, and then `framelane doctor --config
    ./secure-kafka/secure/framelane.toml`
    """
    from framelane.acls import ROLES
    from framelane.embedded import EmbeddedKafka
    from framelane.embedded.jars import to_be_fetched
    from framelane.logs import set_up_logging

    set_up_logging(log_level)
    # A terminal that is closed is a reason to end; `nohup` says that it is none.
    exit_on(signal.SIGTERM, signal.SIGHUP)
    if sentence := to_be_fetched():
        print(sentence, file=sys.stderr)
    with EmbeddedKafka(port=port, data=data, nodes=nodes, secure=secure) as kafka:
        kept = "kept" if data else "removed at the end"
        print(f"Kafka is ready; its data is in {kafka.folder} ({kept}); Ctrl-C stops it", file=sys.stderr)
        if kafka.config_file:
            print(f"clients need --config {kafka.config_file}, who may do everything,", file=sys.stderr)
            print(f"or that of a role beside it: {', '.join(f'{role}.toml' for role in ROLES)}", file=sys.stderr)
        print(kafka.bootstrap, flush=True)
        _watch(kafka)


def _watch(kafka: "EmbeddedKafka") -> None:
    """Return never: raise when too many nodes have died for the others to go on."""
    told: set[int] = set()
    while True:
        dead = [node for node in kafka.nodes if not node.running]
        if 2 * len(dead) >= len(kafka.nodes):
            raise EmbeddedBrokerError(f"Kafka died{dead[-1].last_words()}")
        for node in dead:
            if node.node_id not in told:
                told.add(node.node_id)
                print(f"framelane: Kafka node {node.node_id} died{node.last_words()}", file=sys.stderr)
        time.sleep(_LOOK_S)
