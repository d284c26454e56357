"""What `framelane doctor` looks at: a file for each part, each a function that returns rows."""

from framelane.checks.row import Row, State

__all__ = ["Row", "State"]
