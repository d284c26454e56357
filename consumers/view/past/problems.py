"""Why something of the past cannot be shown."""

from streams.contract.errors import FramelaneError


class NotHere(FramelaneError):
    """It is not in the topic: not any more, or it never was."""


class OutOfTime(FramelaneError):
    """It was not found in the time that one request has."""


class Busy(FramelaneError):
    """Too many ask at once."""
