import cv2
import numpy as np
import pytest
from frame_support import picture, run

from streams.operators.checks import ParameterError
from streams.operators.equalize import Equalize


@pytest.mark.parametrize("gray", [False, True])
def test_a_dull_picture_gains_contrast(gray: bool) -> None:
    dull = picture(160, 120, gray=gray) // 8 + 100

    result = run(Equalize(clip=10), dull)

    assert result.std() > 1.5 * dull.std()


def test_colours_keep_their_hue() -> None:
    dull = picture(160, 120) // 4 + 90

    result = run(Equalize(clip=10), dull)

    lab_before, lab_after = (cv2.cvtColor(image, cv2.COLOR_BGR2Lab).astype(int) for image in (dull, result))
    assert np.abs(lab_before[..., 1:] - lab_after[..., 1:]).mean() < 2
    assert lab_after[..., 0].std() > 1.5 * lab_before[..., 0].std()


@pytest.mark.parametrize("parameters", [{"clip": 0.0}, {"clip": 41.0}, {"tiles": 0}, {"tiles": 65}])
def test_refuses(parameters: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=f"equalize: {next(iter(parameters))} = "):
        Equalize(**parameters)  # type: ignore[arg-type]
