"""What a request comes to: a reply, or the reason why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from streams.contract.errors import Reason
from streams.contract.images import MAX_PIXELS

# Of replies: what a worker has made is no bomb.
ANY_PIXELS = 2**30
# Beside the reasons of dead letters: nobody answered in time; the request could not even be sent.
Failure = Literal[Reason, "no_reply", "unavailable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A processed image. name: `<camera>/<epoch>/<sequence>`. pipeline: `name@hash`. hops: ns since 1970, by name."""

    name: str
    data: bytes
    content_type: str
    pipeline: str
    captured_at_ns: int
    hops: Mapping[str, int]


class Unanswered(Exception):
    """A request without a reply. name: of its frame, as in `Reply`; "" where it never became one."""

    def __init__(self, message: str, *, failure: Failure, name: str = "") -> None:
        super().__init__(message)
        self.failure: Failure = failure
        self.name = name


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A pipeline that can be asked for: by its name, and the topics of its requests, replies and dead letters.

    label: the `name@hash` that replies should bear; "" where any will do. max_pixels: that its workers take.
    """

    name: str
    requests: str
    replies: str
    dead_letter: str
    label: str = ""
    max_pixels: int = MAX_PIXELS

    def made(self, reply: Reply) -> bool:
        """Whether the reply is of the settings that are known here, as far as they are."""
        return not self.label or reply.pipeline == self.label
