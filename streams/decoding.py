"""How a frame comes to its picture: whole, or as far as the plan goes."""

from collections.abc import Callable
from functools import lru_cache

from streams.contract.frame import Frame
from streams.contract.images import check_complete, check_image, decode
from streams.plan import Plan

Decode = Callable[[Frame], Frame]


def decode_whole(frame: Frame) -> Frame:
    """The frame with its picture, which nobody can write into, and the size that it turned out to have."""
    if frame.has_image:
        image = check_image(frame.image, stage="decode").view()
    else:
        image = decode(frame.data, header=frame.header)
    image.flags.writeable = False
    height, width = image.shape[:2]
    # A PNG or WebP that its EXIF data turn: the gate sees the size as stored.
    return _with_size(frame.changed(_image=image), (width, height))


def decoder(plan: Plan) -> Decode:
    """What makes of a frame whose header `scales` one with as much of its picture as the plan says."""
    if plan.at is None:
        return _undecoded
    if not plan.approximates:
        return decode_whole
    scale_of = lru_cache(maxsize=64)(plan.scale)

    def decode_some(frame: Frame) -> Frame:
        header = frame.header
        assert header is not None
        scale = scale_of(*header.upright)
        image = decode(frame.data, mode=plan.mode, scale=scale, header=header)
        image.flags.writeable = False
        some = frame.changed(_image=image) if scale == 1 else frame.changed(_reduced=image)
        return _with_size(some, header.upright)

    return decode_some


def _undecoded(frame: Frame) -> Frame:
    header = frame.header
    assert header is not None
    check_complete(frame.data, header)
    return _with_size(frame, header.upright)


def _with_size(frame: Frame, size: tuple[int, int]) -> Frame:
    if size == (frame.width, frame.height):
        return frame
    return frame.changed(width=size[0], height=size[1], raw_size=size)
