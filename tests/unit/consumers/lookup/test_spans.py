from consumers.lookup.spans import Span, Unread, nearest, widest


def test_what_is_read_is_left_out() -> None:
    unread = Unread(Span(10, 100), [Span(0, 10)])
    unread.read(40, 50)
    unread.read(0, 5)
    assert unread.likely == [(10, 40), (50, 100)]
    assert unread.unlikely == [(5, 10)]


def test_what_is_doubted_is_kept_for_later() -> None:
    unread = Unread(Span(0, 100))
    unread.read(40, 50)
    unread.lies_after(20)
    unread.lies_before(70)
    assert unread.likely == [(21, 40), (50, 70)]
    assert unread.unlikely == [(0, 21), (70, 100)]


def test_both_sides_may_be_doubted() -> None:
    unread = Unread(Span(0, 100))
    unread.lies_after(99)
    unread.lies_before(0)
    assert (unread.likely, unread.unlikely) == ([], [(0, 100)])


def test_the_nearest_and_the_widest() -> None:
    spans = [Span(0, 10), Span(50, 100)]
    assert [nearest(spans, offset) for offset in (5, 20, 45, 99)] == [spans[0], spans[0], spans[1], spans[1]]
    assert widest(spans) == spans[1]
