from typing import Literal

import numpy as np
import pytest
from frame_support import run

from streams.operators.checks import ParameterError
from streams.operators.denoise import Denoise


@pytest.mark.parametrize("kind", ["bilateral", "nlmeans"])
@pytest.mark.parametrize("gray", [False, True])
def test_less_noise_and_the_edge_stays(kind: Literal["bilateral", "nlmeans"], gray: bool) -> None:
    clean = np.full((48, 64), 60, np.int16)
    clean[:, 32:] = 190
    clean = clean if gray else np.dstack([clean] * 3)
    noisy = np.clip(clean + np.random.default_rng(1).normal(0, 6, clean.shape), 0, 255).astype(np.uint8)

    result = run(Denoise(kind=kind), noisy)

    def error(image: np.ndarray, columns: slice = slice(None)) -> float:
        return float(np.abs(image.astype(float) - clean)[:, columns].mean())

    assert error(result) < 0.6 * error(noisy)
    assert error(result, slice(30, 34)) < error(noisy)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"kind": "fast"}, 'denoise: kind = "fast": expected "bilateral"'), ({"strength": 0}, "denoise: strength = 0")],
)
def test_refuses(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Denoise(**parameters)  # type: ignore[arg-type]
