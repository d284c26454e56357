"""The live view from start to end: listen, say where, and on a signal let go of everybody."""

import asyncio
import errno
import logging
import signal
import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
import uvloop

from consumers.status_board import StatusBoard
from consumers.statuses import Statuses
from consumers.view.app import create_app
from consumers.view.hub import Live
from consumers.view.live_socket import LiveSockets
from consumers.view.part import Part
from consumers.view.past.part import PastPart
from consumers.view.pipelines.part import PipelinesPart
from consumers.view.places import Places
from consumers.view.programs import Programs
from consumers.view.security.guard import Guard, GuardSettings
from consumers.view.security.tokens import Token
from consumers.view.settings import ViewSettings
from framelane.view.report import ViewReport
from framelane.view.tryout.files import Files
from framelane.view.tryout.sessions import TryOuts
from streams.contract.errors import FramelaneError, SettingError

log = logging.getLogger(__name__)

# Streams and pages have no end of their own.
_GRACE_S = 1
_MAX_MESSAGE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """Where to listen, and who may look. port: -1 is any free one. models: the folder of models that may be tried.

    token: None lets everybody in. hosts: further names by which the view is reached. cert, key: PEM files for TLS.
    """

    host: str = "127.0.0.1"
    port: int = 8088
    token: Token | None = None
    hosts: Collection[str] = ()
    cert: Path | None = None
    key: Path | None = None
    models: Path | None = None


def run_view(view: ViewSettings, serve: ServeSettings, *, listening: Callable[[str], None]) -> signal.Signals:
    """Serve until SIGTERM or SIGINT, which is returned. listening: is called with the address once it may be opened.

    Raises SettingError for a certificate that cannot be used, FramelaneError for a port that cannot be had.
    """
    # It says that it has started, and of each page that comes and goes.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    statuses = Statuses(StatusBoard(view.kafka, topic=view.status))
    live, places = Live(view, statuses), Places(view.max_clients)
    tryouts = TryOuts(Files(serve.models, statuses.reports))
    parts: list[Part] = [
        LiveSockets(live, places),
        Programs(live, places),
        PastPart(view, hint=live.partition_of),
        PipelinesPart(statuses.reports, live, tryouts),
        ViewReport(view, live, places, address=f"{serve.host}:{serve.port}"),
    ]
    guard = Guard(
        GuardSettings(
            token=serve.token,
            hosts=serve.hosts,
            secure=serve.cert is not None,
            requests_per_s=view.requests_per_s,
        )
    )
    config = uvicorn.Config(
        create_app(parts, guard=guard),
        log_config=None,
        access_log=False,
        lifespan="on",
        ws="websockets-sansio",
        ws_max_size=_MAX_MESSAGE,
        # JPEG does not compress.
        ws_per_message_deflate=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_GRACE_S,
        server_header=False,
        proxy_headers=False,
        ssl_certfile=serve.cert,
        ssl_keyfile=serve.key,
    )
    try:
        config.load()
    except OSError as error:
        raise SettingError(f"--tls-cert {serve.cert}, --tls-key {serve.key}: cannot be used: {error}") from error
    with _listen(serve.host, serve.port) as listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(config, listener, live, lambda: listening(_address(serve, listener))))


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.begun = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.begun.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are ours: uvicorn would raise them again when it has ended."""
        yield


async def _serve(
    config: uvicorn.Config, listener: socket.socket, live: Live, listening: Callable[[], None]
) -> signal.Signals:
    server, ended_by = _Server(config), [signal.SIGTERM]

    def stop(number: signal.Signals) -> None:
        ended_by[0] = number
        live.let_go()
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    starting = asyncio.create_task(server.begun.wait())
    await asyncio.wait((serving, starting), return_when=asyncio.FIRST_COMPLETED)
    starting.cancel()
    if server.started:
        listening()
    await serving
    if not server.started:
        raise FramelaneError("the view could not start; the log says why")
    return ended_by[0]


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, max(port, 0)), family=family, backlog=256)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise FramelaneError(
                f"port {port} of {host} is taken, by another view perhaps: give another with --port; -1: any free one"
            ) from error
        raise FramelaneError(f"--host {host}: cannot listen there: {error.strerror or error}") from error


def _address(serve: ServeSettings, listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"{'https' if serve.cert else 'http'}://{shown}:{port}/"
