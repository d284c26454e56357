"""The process list is for everybody to see: a password in an argument must not stay there."""

from collections.abc import Sequence

from streams.contract.redact import redact


def hide_secrets(arguments: Sequence[str]) -> None:
    """Have the process list show these arguments without what is secret in them, where something is."""
    shown = [_without_secrets(argument) for argument in arguments]
    if shown != list(arguments):
        from setproctitle import setproctitle

        setproctitle(" ".join(shown))


def _without_secrets(argument: str) -> str:
    if argument.startswith("--"):
        option, equals, value = argument.partition("=")
        return option + equals + redact(value)
    return redact(argument) if "://" in argument else argument
