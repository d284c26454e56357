"""Pictures made fit for a video, in which all have the same even size."""

from streams.contract.images import Image


def video_size(image: Image) -> tuple[int, int]:
    """(width, height) of a video that begins with this picture, its odd row or column cut off."""
    height, width = image.shape[:2]
    return max(2, width // 2 * 2), max(2, height // 2 * 2)


def fit(image: Image, size: tuple[int, int]) -> Image:
    """BGR in that (width, height): cut by a pixel, or scaled as a whole with black bars."""
    import cv2

    width, height = size
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)  # type: ignore[assignment]
    if image.shape[0] - height in (0, 1) and image.shape[1] - width in (0, 1):
        return image[:height, :width]
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = cv2.resize(image, inner, interpolation=cv2.INTER_AREA)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    right, bottom = width - inner[0] - left, height - inner[1] - top
    bars: Image = cv2.copyMakeBorder(small, top, bottom, left, right, cv2.BORDER_CONSTANT)  # type: ignore[assignment]
    return bars
