"""The entry of `framelane`, and of `python -m framelane`."""

import signal
import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == ["work"]:
        # A worker reloads on SIGHUP. Before it can, while the commands are being loaded, the signal must not end it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    from framelane.cli import main as run

    run()


if __name__ == "__main__":
    main()
