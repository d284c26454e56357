"""The entry of `framelane`, and of `python -m framelane`."""

import signal
import sys


class Interrupted(KeyboardInterrupt):
    """Ctrl-C. Of another type than KeyboardInterrupt itself: where that passes through `exec` of a text, as in a
    module of dataclasses that is being loaded, Python ends by the signal, whatever exit code is asked for.
    """


def main() -> None:
    """Run the command line."""
    from framelane.stopping import exit_on

    # At once: the first process of a container is told nothing that it has no handler for, and loading takes a while.
    exit_on(signal.SIGTERM)
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    from framelane.process_title import hide_secrets

    hide_secrets(sys.orig_argv)
    of_cameras = sys.argv[1:2] == ["produce"] and any(argument.startswith("--cameras") for argument in sys.argv)
    if sys.argv[1:2] == ["work"] or of_cameras:
        # They reload on SIGHUP. Before they can, while the commands are being loaded, the signal must not end them.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        from framelane.cli import main as run

        run()
    except KeyboardInterrupt:
        # While the commands were being loaded: what a shell says of a command that Ctrl-C has ended.
        sys.exit(130)


def _interrupt(number: int, _: object) -> None:
    raise Interrupted


if __name__ == "__main__":
    main()
