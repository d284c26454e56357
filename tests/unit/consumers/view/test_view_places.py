"""How many may watch at once."""

import pytest

from consumers.view.places import Places


def test_who_comes_when_all_are_taken_gets_none_until_one_leaves() -> None:
    places = Places(1)
    with places.taken() as first, places.taken() as second:
        assert (first, second, places.used) == (True, False, 1)
    assert places.used == 0
    with places.taken() as third:
        assert third


def test_a_place_is_free_again_after_an_error() -> None:
    places = Places(1)
    with pytest.raises(RuntimeError), places.taken():
        raise RuntimeError
    assert places.used == 0
