from fractions import Fraction

from producers.sources.pyav_times import Positions

NTSC = Fraction(1, 30_000)


def test_positions_are_exact_and_begin_where_the_video_does() -> None:
    positions = Positions(time_base=NTSC, start=6006, fps=30)
    assert [positions.of(6006 + 1001 * index) for index in range(4)] == [0, 33_366_667, 66_733_333, 100_100_000]


def test_a_video_that_begins_before_it_says_so_begins_at_0() -> None:
    positions = Positions(time_base=NTSC, start=6006, fps=30)
    assert [positions.of(3003), positions.of(33_003)] == [0, 1_000_000_000]


def test_frames_without_a_time_or_with_one_that_runs_backwards_come_an_interval_later() -> None:
    positions = Positions(time_base=Fraction(1, 10), start=None, fps=10)
    told = [None, None, 5, 7, 7, 6, 9, None]
    assert [positions.of(pts) // 100_000_000 for pts in told] == [0, 1, 2, 3, 4, 5, 6, 7]


def test_a_gap_is_a_gap() -> None:
    positions = Positions(time_base=Fraction(1, 10), start=0, fps=10)
    assert [positions.of(pts) // 100_000_000 for pts in (0, 1, 5)] == [0, 1, 5]
