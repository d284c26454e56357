"""`framelane gateway`."""

import re
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from framelane.cli import options
from framelane.cli.options import byte_count, seconds
from framelane.cli.work import name_of_group
from streams.contract.errors import SettingError

if TYPE_CHECKING:
    from framelane.gateway.answers import Route
    from framelane.gateway.service import GatewayLimits

_LIMITS = "Limits"


def gateway(
    op: Annotated[
        list[str] | None,
        typer.Option("--op", metavar="OP", help="An operator, as in `framelane work`; with --with-worker."),
    ] = None,
    pipelines: Annotated[
        Path | None, typer.Option("--pipelines", metavar="FILE.toml", help="Pipelines that can be asked for.")
    ] = None,
    pipeline: Annotated[
        list[str] | None,
        typer.Option(
            "--pipeline",
            metavar="NAME",
            help="Only this one of the file; once for each. The first is that of TCP, and of HTTP without a name.",
        ),
    ] = None,
    with_worker: Annotated[
        bool, typer.Option("--with-worker/--no-worker", help="Keep a worker running beside it.")
    ] = False,
    port: Annotated[int, typer.Option(help="TCP, Int32 strings; -1: any free one.", min=-1, max=65535)] = 8000,
    http_port: Annotated[int, typer.Option(help="HTTP; 0: none, -1: any free one.", min=-1, max=65535)] = 8080,
    host: Annotated[
        str, typer.Option(envvar=options.HOST_VARIABLE, help="Where both listen; 0.0.0.0: on every address.")
    ] = "127.0.0.1",
    name: Annotated[
        str | None,
        typer.Option(help="Of this gateway, and so of its cameras NAME-0 to NAME-15. Default: by host and port."),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Of the workers of --op, and so the pipeline's name. Default: framelane.gateway."
        ),
    ] = None,
    requests: Annotated[str | None, typer.Option(metavar="TOPIC", help="Default: frames.requests.")] = None,
    replies: Annotated[str | None, typer.Option(metavar="TOPIC", help="Default: frames.replies.")] = None,
    timeout: Annotated[
        str, typer.Option(metavar="TIME", help="How long a reply is waited for.", rich_help_panel=_LIMITS)
    ] = "30s",
    max_request: Annotated[
        str, typer.Option(metavar="SIZE", help="The largest image that is taken.", rich_help_panel=_LIMITS)
    ] = "10MiB",
    max_reply: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            help="Larger replies over TCP are encoded again to fit: old clients take 99,999 bytes. 0: any size.",
            rich_help_panel=_LIMITS,
        ),
    ] = "99999",
    queue: Annotated[
        int, typer.Option(min=1, help="Requests that wait for workers at the same time.", rich_help_panel=_LIMITS)
    ] = 256,
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="Images of all clients in hand.", rich_help_panel=_LIMITS)
    ] = "256MiB",
    idle_limit: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="A connection that is silent for so long is closed.", rich_help_panel=_LIMITS
        ),
    ] = "5min",
    transfer_limit: Annotated[
        str, typer.Option(metavar="TIME", help="One image may take so long to come, or to go.", rich_help_panel=_LIMITS)
    ] = "30s",
    bootstrap: options.Bootstrap = None,
    config: options.Config = None,
    wait: options.Wait = options.DEFAULT_WAIT,
    log_level: options.LogLevel = "info",
) -> None:
    """Take images from clients, have workers process them, and send them back.

    Over TCP an image is four bytes of length, most significant first, and its bytes; the reply comes the same way, in
    the order asked, and an empty one says that there is none: the log and the dead letters say why. Over HTTP:
    `curl --data-binary @in.jpg http://127.0.0.1:8080/process`. Any number of gateways may run side by side.

    **Examples**

    - `framelane gateway --op blur:kernel=5 --with-worker`
    - `framelane gateway --pipelines pipelines.toml` beside `framelane work --pipelines pipelines.toml`, anywhere
    """
    from framelane.gateway.run import GatewaySettings, run_gateway
    from framelane.logs import set_up_logging
    from framelane.waiting import wait_for_kafka

    set_up_logging(log_level)
    limits = _limits(
        max_request=byte_count(max_request, option="--max-request"),
        max_reply=byte_count(max_reply, option="--max-reply"),
        size=byte_count(memory, option="--memory"),
        queue=queue,
        idle_s=positive(idle_limit, "--idle-limit"),
        transfer_s=positive(transfer_limit, "--transfer-limit"),
    )
    timeout_s = positive(timeout, "--timeout")
    wait_s = seconds(wait, option="--wait")
    quick = Quick(op=op or (), group=group, requests=requests, replies=replies)
    routes = chosen_routes(quick, pipelines, pipeline or (), with_worker=with_worker)
    config = options.config_or(config, pipelines)
    kafka = options.kafka_settings(bootstrap, config)
    worker: list[str] = []
    if with_worker:
        worker = quick.worker(pipelines, routes[0], timeout_s=timeout_s)
        worker += options.reach_flags(bootstrap, config, wait=wait, log_level=log_level)
    settings = GatewaySettings(
        name=_name(port) if name is None else name,
        host=host,
        port=port,
        http_port=http_port,
        timeout_s=timeout_s,
        limits=limits,
        worker=worker,
    )
    asked = [route.requests for route in routes]
    answers = [topic for route in routes for topic in (route.replies, route.dead_letter)]
    wait_for_kafka(kafka, [*asked, *answers], wait_s=wait_s, write=asked, read=answers)
    if run_gateway(kafka, routes, settings) == signal.SIGINT:
        raise typer.Exit(options.INTERRUPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    """The options of the quick form: what is not said in a file of pipelines."""

    op: Sequence[str]
    group: str | None
    requests: str | None
    replies: str | None

    def worker(self, pipelines: Path | None, route: "Route", *, timeout_s: float) -> list[str]:
        """The command of a worker, of these operators or of the file."""
        from framelane.gateway.routes import GROUP, file_worker_command, worker_command

        if pipelines is not None:
            return file_worker_command(pipelines)
        return worker_command(self.op, route, group=self.group or GROUP, timeout_s=timeout_s)


def chosen_routes(quick: Quick, pipelines: Path | None, names: Sequence[str], *, with_worker: bool) -> "list[Route]":
    """What can be asked for, as the options say it; SettingError for options that do not go together."""
    from framelane.gateway.routes import GROUP, REPLIES, REQUESTS, file_routes, plain_route, quick_route

    if pipelines is not None:
        for field in fields(quick):
            if getattr(quick, field.name):
                raise SettingError(f"--{field.name}: with --pipelines, that is said in the file, for each pipeline")
        return file_routes(pipelines, names=names)
    if names:
        raise SettingError(f"--pipeline {names[0]!r}: names one of the pipelines of a file: give --pipelines FILE")
    if quick.op and not with_worker:
        raise SettingError(
            "--op: operators are run by workers: add --with-worker, or say them in a file, for `framelane gateway "
            "--pipelines FILE` and `framelane work --pipelines FILE` alike"
        )
    if with_worker and not quick.op:
        raise SettingError("--with-worker: expected --pipelines FILE, or at least one --op, such as --op blur:kernel=5")
    name = name_of_group(quick.group or GROUP)
    topics = {"requests": quick.requests or REQUESTS, "replies": quick.replies or REPLIES}
    return [quick_route(quick.op, name=name, **topics) if quick.op else plain_route(name=name, **topics)]


def _limits(**values: float) -> "GatewayLimits":
    from framelane.gateway.budget import LARGEST
    from framelane.gateway.service import GatewayLimits

    limits = GatewayLimits(**values)  # type: ignore[arg-type]
    largest = int(limits.size * LARGEST)
    if not 1 <= limits.max_request <= largest:
        raise SettingError(f"--max-request {limits.max_request}: expected 1 to {largest} bytes, as --memory has it")
    if 0 < limits.max_reply < _LEAST_REPLY:
        raise SettingError(f"--max-reply {limits.max_reply}: expected 0, or at least {_LEAST_REPLY} bytes")
    return limits


_LEAST_REPLY = 1000


def positive(text: str, option: str) -> float:
    """A time above 0, in seconds."""
    value = seconds(text, option=option)
    if value <= 0:
        raise SettingError(f"{option} {text!r}: expected more than 0")
    return value


def _name(port: int) -> str:
    """A name that stays the same when the gateway starts again, so that its cameras do, too."""
    host = re.sub(r"[^A-Za-z0-9-]+", "-", socket.gethostname()).strip("-")[:40]
    return f"gateway-{host}-{port}" if port > 0 else f"gateway-{host}"
