"""The mailbox: calls of other threads are made on the loop, in order, and one that raises strands none."""

import asyncio
import threading

from streams.mailbox import Mailbox


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
