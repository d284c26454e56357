"""Cameras on the web, with real servers."""

import base64
import hashlib
import http.server
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from producer_support import noise, scene_images, serving_with, web_folder, write_video

from producers.sources import SourceOptions, open_source
from producers.sources.base import Decoder, Source
from producers.sources.decoders import UNTOUCHED
from producers.sources.http import MjpegStream, Snapshots
from producers.sources.network import NetworkStream
from producers.sources.pyav_stream import PyavStream
from streams.contract.errors import SourceError, SourceLost
from streams.contract.images import encode

Handler = http.server.BaseHTTPRequestHandler
Answer = Callable[[Handler], None]
CANARY = "s3cret-canary"


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """A server that answers each GET like that; its address without http://."""

    class Handles(Handler):
        def do_GET(self) -> None:
            with suppress(OSError):
                answer(self)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with serving_with(Handles) as address:
        yield address.removeprefix("http://")


def jpegs(number: int, size: tuple[int, int] = (160, 120)) -> list[bytes]:
    return [encode(noise(*size, seed=seed)) for seed in range(number)]


def begin(handler: Handler, content_type: str = "multipart/x-mixed-replace; boundary=b") -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", content_type)
    handler.end_headers()


def part(data: bytes, *, size: int | None = None, more: str = "") -> bytes:
    length = len(data) if size is None else size
    return f"--b\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\n{more}\r\n".encode() + data + b"\r\n"


def options(**more: Any) -> SourceOptions:
    return SourceOptions(camera_id="a", **more)


def test_pictures_of_a_stream_pass_byte_for_byte() -> None:
    pictures = jpegs(5)

    def answer(handler: Handler) -> None:
        begin(handler)
        # Neither its boundary nor its lengths are right.
        for number, data in enumerate(pictures):
            handler.wfile.write(part(data, size=number))

    with serving(answer) as address:
        source = open_source(f"http://{address}/video", options())
        assert isinstance(source, MjpegStream)
        assert source.live
        grabs = [source.grab() for _ in pictures]
        with pytest.raises(SourceLost, match="the stream ended"):
            source.grab()
        source.close()
    assert [grab.picture for grab in grabs if grab] == pictures


def test_the_camera_s_own_times_are_taken_and_never_run_backwards() -> None:
    stamps = ["1700000000.250000", "1700000000.5", "1700000000.1", "", "garbage", "9999999999.0", "1700000001.5"]

    def answer(handler: Handler) -> None:
        begin(handler)
        for data, stamp in zip(jpegs(7), stamps, strict=True):
            handler.wfile.write(part(data, more=f"X-Timestamp: {stamp}\r\n" if stamp else ""))

    with serving(answer) as address:
        source = open_source(f"http://{address}/", options(clock=lambda: 1_700_000_001_000_000_000))
        times = [grab.captured_at_ns for grab in (source.grab() for _ in stamps) if grab]
        source.close()
    assert times == [
        1_700_000_000_250_000_000,
        1_700_000_000_500_000_000,
        1_700_000_000_500_000_001,
        1_700_000_001_000_000_000,
        1_700_000_001_000_000_001,
        1_700_000_001_000_000_002,
        1_700_000_001_500_000_000,
    ]


def test_a_clock_that_is_off_is_kept_beside_as_it_is() -> None:
    stamps = ["1600000000.0", "1600000000.1", "1700000001.0"]

    def answer(handler: Handler) -> None:
        begin(handler)
        for data, stamp in zip(jpegs(3), stamps, strict=True):
            handler.wfile.write(part(data, more=f"X-Timestamp: {stamp}\r\n"))

    with serving(answer) as address:
        source = open_source(f"http://{address}/", options(clock=lambda: 1_700_000_000_000_000_000))
        times = [grab.captured_at_ns for grab in (source.grab() for _ in stamps) if grab]
        source.close()
    # The last one is near, and still not believed: what a run begins with, it keeps to.
    assert times == [1_600_000_000_000_000_000, 1_600_000_000_100_000_000, 1_700_000_000_000_000_000]


def test_half_a_picture_and_then_another_size() -> None:
    small, large = jpegs(1)[0], jpegs(1, size=(320, 240))[0]

    def answer(handler: Handler) -> None:
        begin(handler)
        handler.wfile.write(part(small) + part(small[: len(small) // 2]) + part(large))

    with serving(answer) as address:
        source = open_source(f"http://{address}/", options())
        assert [grab.picture for grab in (source.grab(), source.grab()) if grab] == [small, large]
        source.close()


@pytest.mark.parametrize("drips", [False, True], ids=["silent", "dripping"])
def test_a_stream_that_hangs_is_lost_after_its_time(drips: bool) -> None:
    ended = threading.Event()

    def answer(handler: Handler) -> None:
        begin(handler)
        handler.wfile.write(part(jpegs(1)[0]))
        while not ended.wait(0.02):
            if drips:
                handler.wfile.write(b"x")

    with serving(answer) as address:
        source = open_source(f"http://{address}/", options(silence_s=0.3))
        assert source.grab()
        began = time.monotonic()
        with pytest.raises(SourceLost, match=r"no whole picture for 0\.3 s"):
            source.grab()
        assert time.monotonic() - began < 5
        source.close()
        ended.set()


def test_snapshots_are_asked_for_at_their_pace() -> None:
    numbers = count()

    def answer(handler: Handler) -> None:
        begin(handler, "image/jpeg")
        handler.wfile.write(b"\xff\xd8\xff picture %d \xff\xd9" % next(numbers))

    with serving(answer) as address:
        began = time.monotonic()
        source = open_source(f"http://{address}/snapshot.jpg", options(fps=20.0))
        assert isinstance(source, Snapshots)
        grabs = [source.grab() for _ in range(6)]
        took = time.monotonic() - began
        source.close()
    assert [grab.picture for grab in grabs if grab] == [
        b"\xff\xd8\xff picture %d \xff\xd9" % number for number in range(6)
    ]
    assert took >= 5 / 20


def test_a_camera_that_stops_answering_is_lost_as_a_snapshot() -> None:
    with serving(lambda handler: (begin(handler, "image/png"), handler.wfile.write(b"one"))[0]) as address:
        source = open_source(f"http://{address}/", options(fps=1000.0))
        assert source.grab()
    with pytest.raises(SourceLost, match="no connection"):
        source.grab()
    source.close()


def asks_for_login(handler: Handler, scheme: str) -> bool:
    """Whether the handler has a login as the user `admin`; else it is asked for one."""
    told = handler.headers.get("Authorization", "")
    if scheme == "Basic" and told == "Basic " + base64.b64encode(f"admin:{CANARY}".encode()).decode():
        return True
    if scheme == "Digest" and told.startswith("Digest "):
        values = dict(re.findall(r'(\w+)="?([^",]+)"?', told))
        first, second = (
            hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
            for text in (f"admin:camera:{CANARY}", f"GET:{values['uri']}")
        )
        text = f"{first}:{values['nonce']}:{values['nc']}:{values['cnonce']}:{values['qop']}:{second}"
        if values["response"] == hashlib.md5(text.encode(), usedforsecurity=False).hexdigest():
            return True
    handler.send_response(401)
    asked = 'Basic realm="camera"' if scheme == "Basic" else 'Digest realm="camera", nonce="n0nce", qop="auth"'
    handler.send_header("WWW-Authenticate", asked)
    handler.send_header("Content-Length", "0")
    handler.end_headers()
    return False


@pytest.mark.parametrize("scheme", ["Basic", "Digest"])
def test_a_camera_that_wants_a_login_gets_that_of_the_address(scheme: str) -> None:
    def answer(handler: Handler) -> None:
        if asks_for_login(handler, scheme):
            begin(handler)
            handler.wfile.write(part(jpegs(1)[0]))

    with serving(answer) as address:
        source = open_source(f"http://admin:{CANARY}@{address}/?a=b", options())
        assert CANARY not in source.name
        assert source.grab()
        source.close()
        for login in ("", f"admin:{CANARY}-wrong@"):
            with pytest.raises(SourceError, match="does not let this user in") as caught:
                open_source(f"http://{login}{address}/", options())
            assert CANARY not in str(caught.value)


def test_what_cannot_be_opened_is_said_without_the_password() -> None:
    def answer(handler: Handler) -> None:
        handler.send_error(404)

    with serving(answer) as address:
        with pytest.raises(SourceError, match="it answers HTTP 404") as caught:
            open_source(f"http://admin:{CANARY}@{address}/none", options())
        assert CANARY not in str(caught.value)
    with pytest.raises(SourceError, match="no connection") as caught:
        open_source(f"http://admin:{CANARY}@{address}/", options())
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        f"http://admin:{CANARY}/x@cam.invalid/video",
        f"http://admin:12/{CANARY}@cam.invalid/video",
        f"http://admin:{CANARY}?#@cam.invalid/video",
        f"http://cam.invalid/v?pwd={CANARY} x",
        f"http://a:x[{CANARY}]z@cam.invalid/",
        f"http://a:{CANARY}\uff0fx@cam.invalid/",
        f"http://a:{CANARY}@[::1/",
        f"https://admin:{CANARY}@127.0.0.1:1/",
    ],
)
def test_odd_addresses_are_refused_without_a_word_of_the_password(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(address, options())
    error: BaseException | None = caught.value
    while error is not None:
        assert CANARY not in str(error) or error.__suppress_context__
        error = error.__cause__
    assert CANARY not in caplog.text


@pytest.mark.parametrize("login", [f"admin:{CANARY}", f"admin:{CANARY}%2F", "ad%40min:a@b"])
def test_passwords_are_taken_as_they_are_written(login: str) -> None:
    seen: list[str] = []

    def answer(handler: Handler) -> None:
        if told := handler.headers.get("Authorization"):
            seen.append(base64.b64decode(told.removeprefix("Basic ")).decode())
            begin(handler)
            handler.wfile.write(part(jpegs(1)[0]))
        else:
            handler.send_response(401)
            handler.send_header("WWW-Authenticate", 'Basic realm="camera"')
            handler.send_header("Content-Length", "0")
            handler.end_headers()

    with serving(answer) as address:
        open_source(f"http://{login}@{address}/", options()).close()
    assert seen == [unquote(login)]


def test_a_redirect_to_another_place_tells_nobody_the_password() -> None:
    told: list[str | None] = []

    def thief(handler: Handler) -> None:
        told.append(handler.headers.get("Authorization"))
        handler.send_error(404)

    with serving(thief) as other:

        def answer(handler: Handler) -> None:
            if asks_for_login(handler, "Basic"):
                handler.send_response(302)
                handler.send_header("Location", f"http://{other}/")
                handler.end_headers()

        with serving(answer) as address, pytest.raises(SourceError, match="HTTP 404"):
            open_source(f"http://admin:{CANARY}@{address}/", options())
    assert told == [None]


def test_a_chunked_stream_is_read_as_well() -> None:
    pictures = jpegs(3)

    def answer(handler: Handler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=b")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for data in map(part, pictures):
            for piece in (data[:1000], data[1000:]):
                handler.wfile.write(b"%x\r\n" % len(piece) + piece + b"\r\n")
        handler.wfile.write(b"0\r\n\r\n")

    with serving(answer) as address:
        source = open_source(f"http://{address}/", options())
        assert [grab.picture for grab in (source.grab() for _ in pictures) if grab] == pictures
        source.close()


@pytest.mark.parametrize("told", [True, False], ids=["with a length", "without"])
def test_half_a_snapshot_is_no_picture(told: bool) -> None:
    whole = jpegs(1)[0]

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "image/jpeg")
        if told:
            handler.send_header("Content-Length", str(len(whole)))
        handler.end_headers()
        handler.wfile.write(whole[:-100])

    with serving(answer) as address, pytest.raises(SourceError, match="the picture broke off"):
        open_source(f"http://{address}/", options())


def test_a_camera_that_begins_to_send_pages_is_lost() -> None:
    kinds = iter(["image/jpeg", "text/html"])

    def answer(handler: Handler) -> None:
        begin(handler, next(kinds))
        handler.wfile.write(jpegs(1)[0])

    with serving(answer) as address:
        source = open_source(f"http://{address}/", options(fps=1000.0))
        assert source.grab()
        with pytest.raises(SourceLost, match="'text/html' in place of a picture"):
            source.grab()
        source.close()


def test_a_stream_without_a_picture_cannot_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("producers.sources.http.OPEN_S", 0.3)
    ended = threading.Event()

    def answer(handler: Handler) -> None:
        begin(handler)
        while not ended.wait(0.02):
            handler.wfile.write(b"no picture")

    with serving(answer) as address:
        with pytest.raises(SourceError, match=r"no whole picture for 0\.3 s"):
            open_source(f"http://{address}/", options())
        ended.set()


def test_a_stop_ends_every_wait() -> None:
    ended = threading.Event()

    def answer(handler: Handler) -> None:
        begin(handler, "image/png" if handler.path == "/snapshot" else "multipart/x-mixed-replace; boundary=b")
        handler.wfile.write(jpegs(1)[0])
        if handler.path != "/snapshot":
            ended.wait(20)

    with serving(answer) as address:
        for path in ("stream", "snapshot"):
            given = options(fps=0.01)
            source = open_source(f"http://{address}/{path}", given)
            assert source.grab()
            threading.Timer(0.1, given.stop.set).start()
            began = time.monotonic()
            assert source.grab() is None
            assert time.monotonic() - began < 5
            source.close()
        ended.set()


READERS: dict[Decoder, type[Source]] = {"auto": PyavStream, "pyav": PyavStream, "opencv": NetworkStream}


@pytest.mark.parametrize("decoder", READERS)
def test_a_video_on_the_web_is_read_by_ffmpeg(decoder: Decoder, tmp_path: Path) -> None:
    write_video(tmp_path / "video.mp4", scene_images(5))
    with web_folder(tmp_path) as address:
        source = open_source(f"{address}/video.mp4", options(decoder=decoder))
        assert isinstance(source, READERS[decoder])
        assert not source.live
        source.close()


@pytest.mark.parametrize("decoder", READERS)
def test_a_stream_of_jpegs_is_read_by_ffmpeg_where_that_is_named(decoder: Decoder) -> None:
    def answer(handler: Handler) -> None:
        begin(handler)
        for data in jpegs(40):
            handler.wfile.write(part(data))

    with serving(answer) as address:
        source = open_source(f"http://{address}/", options(decoder=decoder))
        assert isinstance(source, MjpegStream if decoder == "auto" else READERS[decoder])
        source.close()


@pytest.mark.parametrize("decoder", READERS)
def test_snapshots_pass_as_they_are_whatever_decodes_the_rest(decoder: Decoder) -> None:
    with serving(lambda handler: (begin(handler, "image/webp"), handler.wfile.write(b"picture"))[0]) as address:
        source = open_source(f"http://{address}/", options(decoder=decoder))
        assert isinstance(source, Snapshots)
        assert (source.codec, source.decoder) == ("webp", UNTOUCHED)
        source.close()
