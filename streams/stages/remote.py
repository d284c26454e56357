"""`remote`: programs that connect to the worker are handed each frame's image, and return another."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from streams.contract.errors import FrameError, SettingError
from streams.contract.frame import Affine, Frame, compose
from streams.contract.images import check_complete, encode, inspect
from streams.operators.base import Needs, Opened
from streams.operators.checks import require
from streams.stages.remote_access import Access, networks, parse_listen
from streams.stages.remote_server import RemoteServer, server_at

_QUALITY = 95


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """Have programs that connect by socket process the image: four bytes of length, most significant first, and it.

    They return an image the same way, JPEG, PNG or WebP, one for each that they are handed; an empty one says that this
    image cannot be processed. listen: host:port. timeout_ms: how long a frame waits for one that is free and then for
    its answer, in all; less than the pipeline's frame_timeout_ms. allow: who may connect, as addresses or networks.
    cert, key, ca: PEM files, all or none: TLS, and only clients whose certificate this CA has signed.
    """

    listen: str
    timeout_ms: int = 4000
    allow: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    cert: str = ""
    key: str = ""
    ca: str = ""
    memory_frames: ClassVar[int] = 0
    # It is handed the bytes as they are; only what operators before it have changed is encoded for it.
    needs: ClassVar[Needs] = "none"
    changes_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require(
            parse_listen(self.listen) is not None, self, "listen", 'an address and a port, such as "127.0.0.1:8001"'
        )
        require(1 <= self.timeout_ms <= 600_000, self, "timeout_ms", "milliseconds from 1 to 600000")
        require(networks(self.allow) is not None, self, "allow", 'addresses or networks, such as ["10.0.0.0/8"]')
        tls = (self.cert, self.key, self.ca)
        require(all(tls) or not any(tls), self, "cert", "cert, key and ca, or none of them")

    @property
    def waits_ms(self) -> int:
        """How long it may wait for others."""
        return self.timeout_ms

    def open(self) -> Opened:
        """Listen, unless this process does already. SettingError where that cannot be."""
        address, allowed = parse_listen(self.listen), networks(self.allow)
        assert address is not None and allowed is not None
        access = Access(address=address, allow=allowed, cert=self.cert, key=self.key, ca=self.ca)
        try:
            server = server_at(access)
        except OSError as error:
            raise SettingError(
                f"remote: cannot listen on {self.listen}: {error.strerror or error}; each worker process needs an "
                "address of its own"
            ) from error
        return partial(_handed_over, server, self.timeout_ms / 1000)


def _handed_over(server: RemoteServer, timeout_s: float, frame: Frame) -> Frame:
    data = server.process(_bytes_of(frame), timeout_s=timeout_s)
    if not data:
        raise FrameError("the program returned an empty image", reason="operator_error", stage="remote")
    header = inspect(data)
    check_complete(data, header)
    width, height = header.upright
    back: Affine = np.array([[frame.width / width, 0.0, 0.0], [0.0, frame.height / height, 0.0]])
    return frame.changed(
        _image=None,
        _reduced=None,
        header=header,
        data=data,
        content_type=header.content_type,
        width=width,
        height=height,
        to_raw=compose(frame.to_raw, back),
    )


def _bytes_of(frame: Frame) -> bytes:
    header = frame.header
    turned_gray = frame.has_image and frame.image.ndim == 2 and header is not None and header.colorspace != "Gray"
    return frame.data if frame.data and not turned_gray else encode(frame.image, quality=_QUALITY)
