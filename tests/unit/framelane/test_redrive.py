"""What is decided on the way back of a dead letter, before a broker is asked."""

import pytest

from consumers.dead_letters import to_dead_letter
from framelane.redrive import Originals, Outcome, Redriver, Refused
from streams.contract.frame import Headers
from streams.contract.headers import Record
from streams.contract.kafka_settings import KafkaSettings


def at(place: tuple[str, int, int], *, ms: int, value: bytes = b"picture", headers: Headers = ()) -> Record:
    return Record(*place, ms, b"gate-1", value, headers)


def letter(*, ms: int = 1000, name: str = "", key: bytes = b"gate-1") -> Record:
    headers = [("ce_id", name.encode())] if name else []
    headers += [("dl_reason", b"operator_error"), ("dl_pipeline", b"privacy@1"), ("dl_attempt", b"1")]
    return Record("dead", 0, 5, ms, key, b"", [*headers, ("dl_input", b"raw/3/17"), ("dl_failedns", b"1")])


class Topic:
    """What the input topic has at one place."""

    def __init__(self, record: Record) -> None:
        self.record = record

    def get(self, topic: str, partition: int, offset: int) -> Record:
        assert (topic, partition, offset) == ("raw", 3, 17)
        return self.record


NAMED = [("ce_id", b"gate-1/e/7")]


@pytest.mark.parametrize(
    ("lies", "original", "same"),
    [
        # Failed at 1 ns by the worker's clock, which is far behind the camera's.
        (letter(name="gate-1/e/7"), at(("raw", 3, 17), ms=9000, headers=NAMED), True),
        (letter(name="gate-1/e/8"), at(("raw", 3, 17), ms=1000, headers=NAMED), False),
        (letter(), at(("raw", 3, 17), ms=1000), True),
        (letter(), at(("raw", 3, 17), ms=999), False),
        (letter(key=b"yard"), at(("raw", 3, 17), ms=1000), False),
    ],
)
def test_a_picture_is_fetched_where_it_is_that_of_the_letter(lies: Record, original: Record, same: bool) -> None:
    found = to_dead_letter(lies)
    assert found is not None
    originals = Originals(Topic(original))  # type: ignore[arg-type]
    if same:
        assert originals.of(found, lies) is original
    else:
        with pytest.raises(Refused, match="is not retained"):
            originals.of(found, lies)


def test_what_the_report_raises_ends_it_once_all_is_finished() -> None:
    told: list[str] = []

    def report(outcome: Outcome) -> None:
        told.append(outcome.fate)
        raise BrokenPipeError

    # Nothing listens there, and nothing is asked.
    redriver = Redriver(KafkaSettings(bootstrap="127.0.0.1:1"), max_attempts=3, report=report)
    lies = letter(key=b"")
    found = to_dead_letter(lies)
    assert found is not None
    assert redriver.send(found, lies) is False
    with pytest.raises(BrokenPipeError):
        redriver.send(found, lies)
    with pytest.raises(BrokenPipeError):
        redriver.finish()
    assert (told, redriver.sums.refused) == (["refused"], {"no camera": 1})
