"""The command line. Data goes to stdout, all else to stderr; exit codes: 0, 1 failed, 2 usage, 130 Ctrl-C."""

from framelane.cli.main import app, main

__all__ = ["app", "main"]
