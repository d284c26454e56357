import asyncio
import threading
from collections.abc import Iterator

import pytest

from consumers.view.past.pool import MOST_EACH, MOST_WAITING, Open, Pool
from consumers.view.past.problems import Busy, OutOfTime
from streams.contract.kafka_settings import KafkaSettings

# Nobody listens there, and nothing of these calls asks a broker.
NOWHERE = KafkaSettings(bootstrap="127.0.0.1:1")


@pytest.fixture
def waiting() -> Iterator[threading.Event]:
    """What calls wait for; set at the end, so that no thread is left."""
    event = threading.Event()
    yield event
    event.set()


async def refused(pool: Pool, event: threading.Event, *, addresses: int, each: int) -> list[bool]:
    """Ask so often from each address while nothing is answered, and which of the requests are refused at once."""

    def call(_: Open) -> bool:
        return event.wait(20)

    asked = [
        asyncio.create_task(pool.run(f"10.0.0.{number}", call)) for number in range(addresses) for _ in range(each)
    ]
    await asyncio.sleep(0)
    at_once = [task.done() and isinstance(task.exception(), Busy) for task in asked]
    event.set()
    await asyncio.gather(*asked, return_exceptions=True)
    return at_once


def test_one_address_has_so_many_requests_at_once(waiting: threading.Event) -> None:
    pool = Pool(NOWHERE)
    try:
        found = asyncio.run(refused(pool, waiting, addresses=1, each=MOST_EACH + 2))
    finally:
        pool.close()
    assert found == [False] * MOST_EACH + [True] * 2


def test_all_together_have_so_many_and_then_there_is_room_again(waiting: threading.Event) -> None:
    pool = Pool(NOWHERE)
    try:
        found = asyncio.run(refused(pool, waiting, addresses=MOST_WAITING // 4 + 1, each=4))
        assert found == [False] * MOST_WAITING + [True] * 4
        assert asyncio.run(pool.run("10.0.0.1", lambda _: "answered")) == "answered"
    finally:
        pool.close()


def test_what_has_waited_too_long_is_not_begun() -> None:
    pool = Pool(NOWHERE, request_s=0.0)
    try:
        with pytest.raises(OutOfTime, match="try again"):
            asyncio.run(pool.run("10.0.0.1", lambda _: pytest.fail("it is begun")))
    finally:
        pool.close()
