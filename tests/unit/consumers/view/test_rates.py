"""So many a second of each address."""

import pytest

from consumers.view.security import rates
from consumers.view.security.rates import Rates


def test_a_burst_passes_and_then_so_many_a_second() -> None:
    now = [0.0]
    buckets = Rates(2, 3, clock=lambda: now[0])
    assert [buckets.wait_s("a") for _ in range(4)] == [0, 0, 0, pytest.approx(0.5)]
    now[0] += 0.5
    assert [buckets.wait_s("a"), buckets.wait_s("a")] == [0, pytest.approx(0.5)]
    now[0] += 100
    assert [buckets.wait_s("a") for _ in range(4)] == [0, 0, 0, pytest.approx(0.5)], "no more than the burst is saved"


def test_addresses_have_their_own() -> None:
    buckets = Rates(1, 1, clock=lambda: 0.0)
    assert (buckets.wait_s("a"), buckets.wait_s("b")) == (0, 0)
    assert buckets.wait_s("a") > 0


def test_to_look_takes_none() -> None:
    buckets = Rates(1, 1, clock=lambda: 0.0)
    assert [buckets.wait_s("a", take=False) for _ in range(3)] == [0, 0, 0]
    assert [buckets.wait_s("a"), buckets.wait_s("a", take=False)] == [0, 1]


def test_who_is_refused_has_not_to_wait_longer_for_it() -> None:
    now = [0.0]
    buckets = Rates(1, 1, clock=lambda: now[0])
    buckets.wait_s("a")
    for _ in range(10):
        buckets.wait_s("a")
    now[0] += 1
    assert buckets.wait_s("a") == 0


def test_addresses_without_end_take_no_memory_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_KEPT", 3)
    buckets = Rates(1, 1, clock=lambda: 0.0)
    for address in "abcd":
        buckets.wait_s(address)
    assert buckets.wait_s("a", take=False) == 0, "pushed out"
    assert buckets.wait_s("d", take=False) > 0
