"""One who watches."""

import asyncio
from collections.abc import Iterator

import pytest
from received_support import received

from consumers.view.client import Client, Frames, Gone, Wish


def frames(camera: str, sequence: int) -> Frames:
    return (("processed", received(camera, sequence)),)


def watching(*cameras: str) -> Client:
    client = Client()
    client.watch(dict.fromkeys(cameras, Wish()))
    return client


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """One loop for a test: what a client waits with is bound to it."""
    with asyncio.Runner() as opened:
        yield opened


def waiting(runner: asyncio.Runner, client: Client) -> tuple[list[str], Frames]:
    """What may be sent now; TimeoutError where there is nothing."""

    async def next_one() -> tuple[list[str], Frames]:
        # What waits is handed out before the loop turns.
        async with asyncio.timeout(0):
            return await client.next()

    return runner.run(next_one())


def nothing_waits(runner: asyncio.Runner, client: Client) -> bool:
    """Whether nothing may be sent; otherwise it is sent."""
    try:
        _, frames = waiting(runner, client)
    except TimeoutError:
        return True
    for _ in frames:
        client.number()
    return False


def test_the_newest_of_a_camera_replaces_one_that_waits(runner: asyncio.Runner) -> None:
    client = watching("a")
    for sequence in range(3):
        client.offer("a", frames("a", sequence))
    _, ((_, frame),) = waiting(runner, client)
    assert (frame.sequence, client.skipped) == (2, 2)
    assert nothing_waits(runner, client)


def test_the_camera_that_waits_longest_goes_first(runner: asyncio.Runner) -> None:
    client = watching("a", "b")
    client.offer("a", frames("a", 0))
    client.offer("b", frames("b", 0))
    client.offer("a", frames("a", 1))
    assert [waiting(runner, client)[1][0][1].name.split("/")[0] for _ in range(2)] == ["a", "b"]


def test_no_more_are_on_their_way_than_the_window_takes(runner: asyncio.Runner) -> None:
    client = watching("a")
    for sequence in range(100):
        client.offer("a", frames("a", sequence))
        nothing_waits(runner, client)
    assert client.sent == 8
    client.drawn(1)
    assert waiting(runner, client)[1][0][1].sequence == 99, "the newest"


def test_who_watches_many_cameras_has_a_wider_window(runner: asyncio.Runner) -> None:
    names = [f"c{number}" for number in range(10)]
    client = watching(*names)
    for turn in range(3):
        for name in names:
            client.offer(name, frames(name, turn))
            nothing_waits(runner, client)
    assert client.sent == 20


def test_a_page_cannot_say_that_it_has_drawn_what_was_not_sent(runner: asyncio.Runner) -> None:
    client = watching("a")
    client.drawn(1_000_000)
    for sequence in range(20):
        client.offer("a", frames("a", sequence))
        nothing_waits(runner, client)
    assert client.sent == 8


def test_events_and_figures_pass_a_full_window(runner: asyncio.Runner) -> None:
    client = watching("a")
    for sequence in range(9):
        client.offer("a", frames("a", sequence))
        nothing_waits(runner, client)
    client.tell("event")
    client.show("old figures")
    client.show("figures")
    assert waiting(runner, client) == (["event", "figures"], ())


def test_events_that_nobody_takes_are_bounded(runner: asyncio.Runner) -> None:
    client = watching("a")
    for number in range(1000):
        client.tell(str(number))
    texts, _ = waiting(runner, client)
    assert (len(texts), texts[-1]) == (200, "999")


def test_what_is_watched_no_more_does_not_come(runner: asyncio.Runner) -> None:
    client = watching("a", "b")
    client.offer("a", frames("a", 0))
    client.watch({"b": Wish()})
    assert nothing_waits(runner, client)


def test_a_page_at_rest_gets_no_figures(runner: asyncio.Runner) -> None:
    client = watching()
    client.watch({}, rests=True)
    client.show("figures")
    assert nothing_waits(runner, client)


def test_when_the_server_ends_nothing_comes_any_more() -> None:
    async def leave_while_it_waits() -> None:
        client = watching("a")
        task = asyncio.create_task(client.next())
        await asyncio.sleep(0)
        client.leave()
        client.tell("event")
        with pytest.raises(Gone):
            await task
        with pytest.raises(Gone):
            await client.next()

    asyncio.run(leave_while_it_waits())
