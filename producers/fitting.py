"""Frames that are too large for their topic, made to fit: a lower quality first, then fewer pixels."""

import logging

from producers.deliveries import Outgoing
from producers.pictures import Picture
from producers.repeats import Repeats
from producers.sums import Sums
from producers.topic_limits import TopicLimits
from streams.contract.errors import FrameError
from streams.contract.fitting import fit_image
from streams.contract.images import decode

logger = logging.getLogger(__name__)

QUALITIES: tuple[int, ...] = (35, 50, 65, 80)
# A record's other bytes do not grow with a smaller picture, but for its content type, by one.
_SPARE_BYTES = 16


def fit_picture(picture: Picture, *, max_bytes: int, below: int) -> Picture:
    """The picture as a JPEG of max_bytes at the most.

    below: the quality that an array has been encoded with, 1 to 100: only lower ones can make it smaller.
    Raises FrameError: too_large where even a few pixels are too much, undecodable for damaged bytes.
    """
    if picture.image is None:
        image, qualities = decode(picture.data), QUALITIES
    else:
        image, qualities = picture.image, tuple(quality for quality in QUALITIES if quality < below) or (below,)
    found = fit_image(image, "image/jpeg", max_bytes=max_bytes, qualities=qualities)
    if found is None:
        raise FrameError(
            f"no picture fits into {max_bytes} bytes; let the topic take more (its max.message.bytes)",
            reason="too_large",
            stage="encode",
        )
    data, shown = found
    height, width = shown.shape[:2]
    return Picture(data=data, content_type="image/jpeg", width=width, height=height, image=shown)


class Fitter:
    """Makes the frames of one camera fit their topic, counts them and warns of them."""

    def __init__(self, camera_id: str, limits: TopicLimits, sums: Sums) -> None:
        self._camera_id, self._limits, self._sums = camera_id, limits, sums
        self._fitted = Repeats(logger, camera_id=camera_id)

    def smaller(self, picture: Picture, record: Outgoing, *, below: int) -> Picture | None:
        """The picture as it has to be for its topic; None where the topic takes its record as it is.

        record: of the picture. below: as for `fit_picture`, which also raises what this raises.
        """
        bound = self._limits.bound(record.topic)
        if bound is None or record.batch_size <= bound:
            return None
        # Nothing is refused any more, so this is where a limit that was raised is heard of.
        self._limits.ask(record.topic)
        room = bound - (record.batch_size - record.size) - _SPARE_BYTES
        smaller = fit_picture(picture, max_bytes=room, below=below)
        self._sums.fitted()
        limit = self._limits.told(record.topic, record.batch_size)
        self._fitted.warn(
            f"camera {self._camera_id}: frame {record.name} of {picture.width}x{picture.height} has {record.size} bytes"
            f", more than the topic {record.topic} takes{limit}; it is sent as a JPEG of "
            f"{smaller.width}x{smaller.height} with {len(smaller.data)} bytes: make frames smaller "
            "(--quality, --size), or let the topic take more (framelane topics create --max-bytes, or its "
            "max.message.bytes)"
        )
        return smaller
