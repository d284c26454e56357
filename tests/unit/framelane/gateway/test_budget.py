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
        await budget.take(60)
        second = asyncio.ensure_future(budget.take(60))
        await settle()
        assert not second.done()
        assert (budget.waiting, budget.size) == (1, 60)
        budget.give(60)
        await second
        assert (budget.waiting, budget.size, budget.requests) == (0, 60, 1)

    run(case())


def test_requests_are_limited_as_well() -> None:
    async def case() -> None:
        budget = Budget(requests=1, size=100)
        await budget.take(1)
        second = asyncio.ensure_future(budget.take(1))
        await settle()
        assert not second.done()
        budget.give(1)
        await second

    run(case())


def test_small_ones_pass_what_is_too_large_just_now() -> None:
    async def case() -> None:
        budget = Budget(requests=10, size=100)
        await budget.take(50)
        large = asyncio.ensure_future(budget.take(85))
        await settle()
        await budget.take(30)
        assert not large.done()
        budget.give(30)
        budget.give(50)
        await large

    run(case())


def test_nobody_is_passed_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async def case() -> None:
        budget = Budget(requests=10, size=100)
        await budget.take(50)
        large = asyncio.ensure_future(budget.take(85))
        await settle()
        small = asyncio.ensure_future(budget.take(30))
        await settle()
        # Its patience is at an end.
        assert not small.done()
        budget.give(50)
        await large
        budget.give(85)
        await small

    monkeypatch.setattr("framelane.gateway.budget.PATIENCE_S", -1.0)
    run(case())


def test_those_that_fit_are_served_in_their_order() -> None:
    async def case() -> None:
        budget = Budget(requests=1, size=100)
        await budget.take(1)
        served: list[int] = []

        async def ask(number: int) -> None:
            await budget.take(1)
            served.append(number)
            budget.give(1)

        tasks = [asyncio.ensure_future(ask(number)) for number in range(5)]
        await settle()
        budget.give(1)
        await asyncio.gather(*tasks)
        assert served == [0, 1, 2, 3, 4]
        assert (budget.requests, budget.size) == (0, 0)

    run(case())


@pytest.mark.parametrize("granted", [False, True], ids=["waiting", "granted in the same moment"])
def test_who_goes_leaves_nothing_behind(granted: bool) -> None:
    async def case() -> None:
        budget = Budget(requests=10, size=100)
        await budget.take(80)
        waiting = asyncio.ensure_future(budget.take(80))
        await settle()
        if granted:
            budget.give(80)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        if not granted:
            budget.give(80)
        assert (budget.requests, budget.size, budget.waiting) == (0, 0, 0)

    run(case())


def test_what_has_grown_is_given_back_whole() -> None:
    async def case() -> None:
        budget = Budget(requests=10, size=100)
        await budget.take(10)
        budget.grow(200)
        other = asyncio.ensure_future(budget.take(1))
        await settle()
        assert not other.done()
        budget.give(210)
        await other
        assert budget.size == 1

    run(case())
