"""What the live view is asked for."""

from dataclasses import dataclass, field

from streams.contract.errors import SettingError
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.topics import DEAD_LETTER, EVENTS, PROCESSED, RAW, STATUS


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSettings:
    """Which topics are shown, and to how many at once.

    max_clients: pages (WebSockets) and MJPEG streams together. requests_per_s: of each address, on the average; a burst
    of ten seconds' worth passes.
    """

    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    raw: str = RAW
    processed: str = PROCESSED
    events: str = EVENTS
    dead_letter: str = DEAD_LETTER
    status: str = STATUS
    max_clients: int = 32
    requests_per_s: float = 50.0

    def __post_init__(self) -> None:
        if self.max_clients < 1:
            raise SettingError(f"max_clients {self.max_clients}: expected 1 or more")
        if self.requests_per_s <= 0:
            raise SettingError(f"requests_per_s {self.requests_per_s:g}: expected more than 0")
