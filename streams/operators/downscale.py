"""The size at which operators look that need no detail: one that a JPEG can be decoded at, and that they share."""

ENOUGH_WIDTH = 320
MAX_DOWNSCALE = 16


def enough_downscale(width: int) -> int:
    """How many times smaller a picture of this width may be: halved for as long as 320 pixels remain."""
    downscale = 1
    while downscale < MAX_DOWNSCALE and width // (2 * downscale) >= ENOUGH_WIDTH:
        downscale *= 2
    return downscale


def downscaled_size(width: int, height: int, downscale: int) -> tuple[int, int]:
    """(width, height) in pixels of a picture that is so many times smaller; at least one pixel."""
    return max(1, width // downscale), max(1, height // downscale)


def enough_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) in pixels, halved for as long as 320 pixels of the width remain."""
    return downscaled_size(width, height, enough_downscale(width))
