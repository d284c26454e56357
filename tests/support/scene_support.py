"""Pictures for tests of what looks at a camera's background."""

import cv2
import numpy as np
from frame_support import flat

from streams.contract.images import Image


def edgy_scene(width: int, height: int, *, seed: int = 3) -> Image:
    """Boxes of many sizes and shades, so that there are edges everywhere; uint8 (H, W), the same for the same seed."""
    random, image = np.random.default_rng(seed), flat(width, height, 128)
    for _ in range(60):
        (x, y), (w, h) = random.integers(0, (width, height)), random.integers(width // 20, width // 4, 2)
        cv2.rectangle(image, (int(x), int(y)), (int(x + w), int(y + h)), int(random.integers(20, 236)), -1)
    return image
