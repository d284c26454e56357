"""Pictures made smaller, once for all who want them."""

import asyncio
from collections.abc import Iterator

import pytest
from received_support import received

from consumers.view import scaling
from consumers.view.scaling import Scaler, step_for
from streams.contract.errors import FrameError
from streams.contract.images import decode


@pytest.fixture
def scaler() -> Iterator[Scaler]:
    made = Scaler()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("frame_width", "wanted", "step"),
    [
        (640, 320, 320),
        (640, 300, 320),
        (640, 100, 160),
        (480, 320, None),
        (481, 320, 320),
        (320, 320, None),
        (320, 4096, None),
        (4000, 1921, None),
        (4000, 1920, 1920),
        (640, 0, 160),
    ],
)
def test_the_width_that_a_picture_is_scaled_to(frame_width: int, wanted: int, step: int | None) -> None:
    assert step_for(received(width=frame_width, height=48, data=b"x"), wanted) == step


def test_one_that_fits_goes_as_it_is(scaler: Scaler) -> None:
    frame = received()
    data, content_type = asyncio.run(scaler.fitted(frame, 320))
    assert data is frame.data
    assert (content_type, scaler.made) == ("image/jpeg", 0)


def test_it_is_scaled_once_for_all_clients(scaler: Scaler) -> None:
    frame = received(width=640, height=480)

    async def many() -> list[tuple[bytes, str]]:
        return list(await asyncio.gather(*(scaler.fitted(frame, width) for width in (300, 310, 320, 320))))

    answers = asyncio.run(many())
    assert scaler.made == 1
    assert len({data for data, _ in answers}) == 1
    assert decode(answers[0][0]).shape == (240, 320, 3)


def test_another_size_and_another_frame_are_made_for_themselves(scaler: Scaler) -> None:
    async def several() -> None:
        for sequence, width in ((0, 320), (0, 160), (1, 160), (0, 320)):
            await scaler.fitted(received(sequence=sequence, width=640, height=480), width)

    asyncio.run(several())
    assert scaler.made == 3


def test_a_client_that_leaves_takes_the_picture_from_nobody(scaler: Scaler) -> None:
    frame = received(width=640, height=480)

    async def one_leaves() -> bytes:
        leaving = asyncio.create_task(scaler.fitted(frame, 320))
        staying = asyncio.create_task(scaler.fitted(frame, 320))
        await asyncio.sleep(0)
        leaving.cancel()
        return (await staying)[0]

    assert decode(asyncio.run(one_leaves())).shape == (240, 320, 3)


def test_one_that_cannot_be_decoded_is_told(scaler: Scaler) -> None:
    async def twice() -> None:
        for _ in range(2):
            with pytest.raises(FrameError):
                await scaler.fitted(received(width=640, height=480, data=b"no picture"), 320)

    asyncio.run(twice())


def test_what_is_kept_is_bounded(scaler: Scaler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "_KEPT", 2)

    async def several() -> None:
        for sequence in (0, 1, 2, 2, 0):
            await scaler.fitted(received(sequence=sequence, width=640, height=480), 160)

    asyncio.run(several())
    assert scaler.made == 4, "the first one was dropped, and is made again"
