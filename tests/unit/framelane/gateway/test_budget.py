"""What all clients together may have in hand."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from framelane.gateway.budget import Budget


def run(case: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(case, 10))


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_who_finds_no_room_waits_until_some_is_given_back() -> None:
    async def case() -> None:
        budget = Budget(requests=2, size=100)
        first = await budget.take(60)
        second = asyncio.ensure_future(budget.take(60))
        await settle()
        assert not second.done()
        assert (budget.waiting, budget.size) == (1, 60)
        first.give()
        await second
        assert (budget.waiting, budget.size, budget.requests) == (0, 60, 1)

    run(case())


def test_requests_are_limited_as_well() -> None:
    async def case() -> None:
        budget = Budget(requests=1, size=100)
        first = await budget.take(1)
        second = asyncio.ensure_future(budget.take(1))
        await settle()
        assert not second.done()
        first.give()
        await second

    run(case())


def test_small_ones_pass_what_is_too_large_just_now() -> None:
    async def case() -> None:
        budget = Budget(requests=10, size=100)
        half = await budget.take(50)
        large = asyncio.ensure_future(budget.take(85))
        await settle()
        passes = await budget.take(30)
        assert not large.done()
        passes.give()
        half.give()
        await large

    run(case())


def test_nobody_is_passed_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async def case() -> None:
        budget = Budget(requests=10, size=100)
        half = await budget.take(50)
        large = asyncio.ensure_future(budget.take(85))
        await settle()
        small = asyncio.ensure_future(budget.take(30))
        await settle()
        # Its patience is at an end.
        assert not small.done()
        half.give()
        taken = await large
        taken.give()
        await small

    monkeypatch.setattr("framelane.gateway.budget.PATIENCE_S", -1.0)
    run(case())


def test_large_ones_that_never_come_hold_up_no_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def case() -> None:
        budget = Budget(requests=1000, size=6400)
        announced = [await budget.take(1000) for _ in range(5)]
        waiting = [asyncio.ensure_future(budget.take(1000)) for _ in range(50)]
        await settle()
        # All of them are overdue, and yet the small ones have their eighth.
        small = [await budget.take(100) for _ in range(8)]
        ninth = asyncio.ensure_future(budget.take(100))
        await settle()
        assert not ninth.done()
        # Nor do the small ones hold up a large one.
        announced[0].give()
        await waiting[0]
        small[0].give()
        await ninth
        assert not any(each.done() for each in waiting[1:])

    monkeypatch.setattr("framelane.gateway.budget.PATIENCE_S", -1.0)
    run(case())


def test_an_overdue_small_one_is_passed_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async def case() -> None:
        budget = Budget(requests=1000, size=6400)
        small = [await budget.take(100) for _ in range(64)]
        waiting = asyncio.ensure_future(budget.take(100))
        await settle()
        smaller = asyncio.ensure_future(budget.take(1))
        await settle()
        small[0].give()
        await waiting
        assert not smaller.done()

    monkeypatch.setattr("framelane.gateway.budget.PATIENCE_S", -1.0)
    run(case())


def test_those_that_fit_are_served_in_their_order() -> None:
    async def case() -> None:
        budget = Budget(requests=1, size=100)
        first = await budget.take(1)
        served: list[int] = []

        async def ask(number: int) -> None:
            taken = await budget.take(1)
            served.append(number)
            taken.give()

        tasks = [asyncio.ensure_future(ask(number)) for number in range(5)]
        await settle()
        first.give()
        await asyncio.gather(*tasks)
        assert served == [0, 1, 2, 3, 4]
        assert (budget.requests, budget.size) == (0, 0)

    run(case())


@pytest.mark.parametrize("granted", [False, True], ids=["waiting", "granted in the same moment"])
def test_who_goes_leaves_nothing_behind(granted: bool) -> None:
    async def case() -> None:
        budget = Budget(requests=10, size=100)
        first = await budget.take(80)
        waiting = asyncio.ensure_future(budget.take(80))
        await settle()
        if granted:
            first.give()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        if not granted:
            first.give()
        assert (budget.requests, budget.size, budget.waiting) == (0, 0, 0)

    run(case())


def test_what_has_grown_is_given_back_whole() -> None:
    async def case() -> None:
        budget = Budget(requests=10, size=100)
        first = await budget.take(10)
        first.grow(200)
        other = asyncio.ensure_future(budget.take(1))
        await settle()
        assert not other.done()
        first.give()
        await other
        assert budget.size == 1

    run(case())
