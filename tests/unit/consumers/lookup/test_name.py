import pytest

from consumers.lookup.name import FrameName, epoch_ms
from streams.contract.errors import SettingError
from streams.contract.identity import new_epoch


def test_a_name_is_taken_apart_and_put_together() -> None:
    name = FrameName.parse(" gate-1/20260509T073000123-ab12/812 ")
    assert (name.camera_id, name.epoch, name.sequence) == ("gate-1", "20260509T073000123-ab12", 812)
    assert str(name) == "gate-1/20260509T073000123-ab12/812"
    assert (name.began_ms, name.bare_place) == (1_778_311_800_123, None)


def test_a_bare_frame_is_named_by_its_place() -> None:
    name = FrameName.parse("gate-1/@frames.raw-3/90211")
    assert (name.bare_place, name.began_ms) == (("frames.raw", 3), None)


@pytest.mark.parametrize("text", ["", "gate-1", "gate-1/812", "gate-1/e/", "gate-1/e/x", "/e/1", "g/e/-1", "g/e/٣"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="CAMERA/EPOCH/SEQUENCE"):
        FrameName.parse(text)


def test_an_epoch_tells_when_it_began() -> None:
    at_ms = 1_778_311_800_123
    assert epoch_ms(new_epoch(at_ms * 1_000_000)) == at_ms


@pytest.mark.parametrize("epoch", ["run-7", "20261399T073000123-ab12", "@frames.raw-3", "20260509T073000-ab12"])
def test_other_epochs_do_not(epoch: str) -> None:
    assert epoch_ms(epoch) is None
