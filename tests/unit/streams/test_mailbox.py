"""The mailbox: calls of other threads are made on the loop, in order, and one that raises strands none."""

import asyncio
import threading

from streams.mailbox import MANY, Mailbox


def test_calls_of_many_threads_are_all_made_on_the_loop() -> None:
    async def run() -> None:
        mailbox = Mailbox(asyncio.get_running_loop(), on_error=lambda error: None)
        made: list[tuple[int, int, int]] = []
        done = asyncio.Event()

        def note(thread: int, number: int) -> None:
            made.append((thread, number, threading.get_ident()))
            if len(made) == 400:
                done.set()

        def post(thread: int) -> None:
            for number in range(100):
                mailbox.post(note, thread, number)

        threads = [threading.Thread(target=post, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        await asyncio.wait_for(done.wait(), 10)
        for thread in threads:
            thread.join()
        assert {ident for _, _, ident in made} == {threading.get_ident()}
        for n in range(4):
            assert [number for thread, number, _ in made if thread == n] == list(range(100))

    asyncio.run(run())


def test_a_call_that_raises_is_told_and_strands_none() -> None:
    async def run() -> None:
        errors: list[Exception] = []
        made: list[int] = []
        mailbox = Mailbox(asyncio.get_running_loop(), on_error=errors.append)
        mailbox.post(lambda: 1 // 0)
        mailbox.post(made.append, 2)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [type(error) for error in errors] == [ZeroDivisionError]
        assert made == [2]

    asyncio.run(run())


def test_a_call_that_has_time_waits_for_the_tick_to_come_and_for_nothing_where_there_is_none() -> None:
    async def run() -> None:
        made: list[str] = []
        mailbox = Mailbox(asyncio.get_running_loop(), on_error=lambda error: None)

        mailbox.post(made.append, "no tick", has_time=True)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert made == ["no tick"]

        ticked = asyncio.Event()
        mailbox.next_tick(lambda: made.append("tick") or ticked.set())  # type: ignore[func-returns-value]
        mailbox.post(made.append, "has time", has_time=True)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert made == ["no tick"]
        await asyncio.wait_for(ticked.wait(), 10)
        assert made == ["no tick", "tick", "has time"]

    asyncio.run(run())


def test_many_calls_that_have_time_wait_no_longer() -> None:
    async def run() -> None:
        made: list[int] = []
        mailbox = Mailbox(asyncio.get_running_loop(), on_error=lambda error: None)
        mailbox.next_tick(lambda: made.append(-1))

        for number in range(MANY):
            mailbox.post(made.append, number, has_time=True)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

        assert made == list(range(MANY))

    asyncio.run(run())


def test_one_that_has_no_time_takes_with_it_what_waits() -> None:
    async def run() -> None:
        made: list[str] = []
        mailbox = Mailbox(asyncio.get_running_loop(), on_error=lambda error: None)
        mailbox.next_tick(lambda: made.append("tick"))

        mailbox.post(made.append, "has time", has_time=True)
        mailbox.post(made.append, "has none")
        await asyncio.sleep(0)
        await asyncio.sleep(0)

        assert made == ["has time", "has none"]

    asyncio.run(run())
