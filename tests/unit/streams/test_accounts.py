"""The sums of each camera."""

from streams.accounts import Accounts

SECOND = 1_000_000_000


def test_sums_close() -> None:
    accounts = Accounts()
    for _ in range(5):
        accounts.consumed("a", size=100, missing=2)
    accounts.processed("a", captured_ns=0, now_ns=SECOND)
    accounts.filtered("a")
    accounts.dead_lettered("a", "empty")
    accounts.returned("a")
    accounts.stale("a")
    sums = accounts.snapshot(SECOND)["a"]
    ended = sums.processed + sums.filtered + sums.stale + sums.dead_lettered["empty"] + sums.returned
    assert sums.consumed == ended == 5
    assert sums.gaps == 10


def test_ages_are_of_the_last_ten_seconds_and_never_negative() -> None:
    accounts = Accounts()
    accounts.processed("a", captured_ns=0, now_ns=SECOND)
    accounts.processed("a", captured_ns=99 * SECOND, now_ns=20 * SECOND)
    accounts.processed("a", captured_ns=20 * SECOND - 5_000_000, now_ns=20 * SECOND)
    sums = accounts.snapshot(21 * SECOND)["a"]
    assert (sums.age_p50_ms, sums.age_p99_ms) == (5.0, 5.0)
    assert accounts.snapshot(60 * SECOND)["a"].age_p50_ms is None


def test_a_snapshot_is_a_copy() -> None:
    accounts = Accounts()
    accounts.dead_lettered("a", "empty")
    accounts.snapshot(0)["a"].dead_lettered["empty"] = 9
    assert accounts.snapshot(0)["a"].dead_lettered["empty"] == 1


def test_forged_cameras_do_not_fill_the_memory() -> None:
    accounts = Accounts(max_cameras=2)
    for n in range(100):
        accounts.consumed(f"camera-{n}")
    assert set(accounts.snapshot(0)) == {"camera-0", "camera-1", "_other"}
