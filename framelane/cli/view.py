"""`framelane view`."""

import ipaddress
import logging
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from framelane.cli import options
from streams.contract.errors import SettingError
from streams.contract.topics import DEAD_LETTER, EVENTS, PROCESSED, RAW

if TYPE_CHECKING:
    from consumers.view.security.tokens import Token

TOKEN = "FRAMELANE_VIEW_TOKEN"
_WHO, _WHAT = "Who may look", "What is shown"


def view(
    port: Annotated[int, typer.Option(help="-1: any free one.", min=-1, max=65535)] = 8088,
    host: Annotated[
        str, typer.Option(envvar=options.HOST_VARIABLE, help="Where it listens; 0.0.0.0: on every address.")
    ] = "127.0.0.1",
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=f"The token that lets in. Default: ${TOKEN}.", rich_help_panel=_WHO),
    ] = None,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Let everybody in who reaches it.", rich_help_panel=_WHO)
    ] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name by which it is reached; once for each.", rich_help_panel=_WHO),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE.pem", help="Serve over TLS; with --tls-key.", rich_help_panel=_WHO)
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(metavar="FILE.pem", help="Its private key.", rich_help_panel=_WHO)
    ] = None,
    models: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Models below it may be tried out on the page.", rich_help_panel=_WHO),
    ] = None,
    max_clients: Annotated[
        int, typer.Option(help="Pages and streams that are open at once.", min=1, rich_help_panel=_WHO)
    ] = 32,
    input: Annotated[str, typer.Option(metavar="TOPIC", help="Raw frames.", rich_help_panel=_WHAT)] = RAW,
    output: Annotated[str, typer.Option(metavar="TOPIC", help="Processed frames.", rich_help_panel=_WHAT)] = PROCESSED,
    events: Annotated[str, typer.Option(metavar="TOPIC", help="What was found.", rich_help_panel=_WHAT)] = EVENTS,
    dead_letter: Annotated[
        str, typer.Option(metavar="TOPIC", help="Frames that failed.", rich_help_panel=_WHAT)
    ] = DEAD_LETTER,
    bootstrap: options.Bootstrap = None,
    config: options.Config = None,
    wait: options.Wait = options.DEFAULT_WAIT,
    log_level: options.LogLevel = "info",
) -> None:
    """Show every camera in a browser, live: processed frames, raw ones beside them, and what was found.

    Prints its address. On another address than 127.0.0.1 it wants a token.

    **Examples**

    - `framelane view`, then open http://127.0.0.1:8088/
    - `FRAMELANE_VIEW_TOKEN=$(openssl rand -hex 16) framelane view --host 0.0.0.0`
    """
    from consumers.view.settings import ViewSettings
    from framelane.logs import set_up_logging
    from framelane.view.run import ServeSettings, run_view
    from framelane.waiting import wait_for_kafka
    from streams.contract.topics import STATUS, create_command

    set_up_logging(log_level)
    if (tls_cert is None) != (tls_key is None):
        raise SettingError("--tls-cert, --tls-key: expected both, or neither")
    serve = ServeSettings(
        host=host,
        port=port,
        token=_token(token_file, host=host, no_auth=no_auth),
        hosts=tuple(name.lower() for name in allow_host or ()),
        cert=tls_cert,
        key=tls_key,
        models=models,
    )
    kafka = options.kafka_settings(bootstrap, config)
    settings = ViewSettings(
        kafka=kafka,
        raw=input,
        processed=output,
        events=events,
        dead_letter=dead_letter,
        max_clients=max_clients,
    )
    wait_s = options.seconds(wait, option="--wait")
    # What is not there yet is read as soon as it is; the page says what is in the way.
    others = [STATUS, input, events, dead_letter]
    shown = [output, *others]
    if missing := wait_for_kafka(kafka, [output], wait_s=wait_s, optional=others, read=shown, write=[STATUS]):
        create = create_command(missing, reach=kafka.reach)
        logging.getLogger(__name__).warning("no topic %s yet; make it: %s", ", ".join(missing), create)
    if run_view(settings, serve, listening=lambda address: print(address, flush=True)) == signal.SIGINT:
        raise typer.Exit(options.INTERRUPTED)


def _token(file: Path | None, *, host: str, no_auth: bool) -> "Token | None":
    from consumers.view.security.tokens import Token

    secret = os.environ.get(TOKEN, "").strip()
    if file is not None:
        try:
            secret = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingError(f"--token-file {file}: cannot be read: {error}") from error
        if not secret:
            raise SettingError(f"--token-file {file}: is empty; write a token into it: openssl rand -hex 16")
    if no_auth:
        if secret:
            raise SettingError(f"--no-auth: with a token (--token-file or ${TOKEN}) that is a contradiction; give one")
        return None
    if secret:
        return Token(secret)
    if not _is_local(host):
        raise SettingError(
            f"--host {host}: whoever reaches that address would see every camera; give a token with --token-file or "
            f"${TOKEN}, or say --no-auth"
        )
    return None


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
