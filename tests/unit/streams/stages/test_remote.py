"""The stage `remote`, with programs that connect over real sockets."""

import gc
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from certificates import Authority

from streams.contract.errors import FrameError, SettingError
from streams.contract.frame import Frame
from streams.contract.headers import Record, to_frame
from streams.contract.images import decode, encode
from streams.operators.checks import ParameterError
from streams.pipeline import Pipeline
from streams.pipeline_settings import load_pipelines, quick_pipeline, waits_for_others
from streams.stages.remote import Remote
from streams.stages.remote_access import Access, networks, parse_listen
from streams.stages.remote_server import RemoteServer, server_at

LENGTH = struct.Struct(">I")
Make = Callable[[bytes], bytes | None]


class Program:
    """A program that answers each image by `make`; None is no answer."""

    def __init__(self, address: tuple[str, int], make: Make, tls: ssl.SSLContext | None = None) -> None:
        self.socket = socket.create_connection(address, timeout=10)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket)
        self.handed: list[bytes] = []
        self._make = make
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Go away."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self._thread.join()

    def _run(self) -> None:
        try:
            while header := self._exactly(LENGTH.size):
                data = self._exactly(LENGTH.unpack(header)[0])
                self.handed.append(data)
                answer = self._make(data)
                if answer is not None:
                    self.socket.sendall(LENGTH.pack(len(answer)) + answer)
        except OSError:
            pass

    def _exactly(self, size: int) -> bytes:
        parts = b""
        while len(parts) < size:
            part = self.socket.recv(size - len(parts))
            if not part:
                return b""
            parts += part
        return parts


Connect = Callable[..., Program]


@pytest.fixture
def server() -> RemoteServer:
    return RemoteServer(local())


@pytest.fixture
def connect() -> Iterator[Connect]:
    programs: list[Program] = []

    def make(server: RemoteServer, make: Make, tls: ssl.SSLContext | None = None) -> Program:
        programs.append(Program(server.address, make, tls))
        return programs[-1]

    yield make
    for program in programs:
        program.close()


def local(**more: str) -> Access:
    allow = networks(["127.0.0.1"])
    assert allow is not None
    return Access(address=("127.0.0.1", 0), allow=allow, **more)


def picture(value: int = 90, size: tuple[int, int] = (64, 48)) -> bytes:
    return encode(np.full((size[1], size[0], 3), value, np.uint8))


def frame(data: bytes) -> Frame:
    return to_frame(Record("t", 0, 0, 0, b"a", data, []))


def test_each_image_comes_back_as_the_program_made_it(server: RemoteServer, connect: Connect) -> None:
    program = connect(server, lambda data: data + b"!")
    assert [server.process(b"%d" % number, timeout_s=5) for number in range(3)] == [b"0!", b"1!", b"2!"]
    assert program.handed == [b"0", b"1", b"2"]


def test_images_go_to_whoever_is_free(server: RemoteServer, connect: Connect) -> None:
    both_busy = threading.Barrier(2)

    def together(data: bytes) -> bytes:
        # Passes only where two programs have an image at the same time.
        both_busy.wait(10)
        return data

    programs = [connect(server, together) for _ in range(2)]
    with ThreadPoolExecutor(8) as frames:
        texts = [b"%d" % number for number in range(8)]
        assert list(frames.map(lambda text: server.process(text, timeout_s=10), texts)) == texts
    assert [len(program.handed) for program in programs] == [4, 4]


def test_the_image_of_a_program_that_is_lost_goes_to_another(server: RemoteServer, connect: Connect) -> None:
    handed = threading.Event()

    def dies(_: bytes) -> None:
        handed.set()

    victim = connect(server, dies)
    with ThreadPoolExecutor(1) as frames:
        asked = frames.submit(server.process, b"precious", timeout_s=10)
        assert handed.wait(10)
        heir = connect(server, lambda data: b"saved " + data)
        victim.close()
        assert asked.result(10) == b"saved precious"
    assert heir.handed == [b"precious"]


def test_an_image_waits_for_the_first_program(server: RemoteServer, connect: Connect) -> None:
    with ThreadPoolExecutor(1) as frames:
        asked = frames.submit(server.process, b"early", timeout_s=10)
        connect(server, lambda data: data)
        assert asked.result(10) == b"early"


def test_without_a_program_it_ends_after_its_time(server: RemoteServer) -> None:
    with pytest.raises(FrameError, match=r"no program at .* has answered within 0.05 s: none is connected") as caught:
        server.process(b"alone", timeout_s=0.05)
    assert caught.value.reason == "operator_timeout"


def test_a_late_answer_is_not_taken_for_that_of_the_next_image(server: RemoteServer, connect: Connect) -> None:
    go_on = threading.Event()

    def late(data: bytes) -> bytes:
        assert go_on.wait(10)
        return data

    program = connect(server, late)
    with pytest.raises(FrameError, match="1 connected"):
        server.process(b"first", timeout_s=0.1)
    with ThreadPoolExecutor(1) as frames:
        asked = frames.submit(server.process, b"second", timeout_s=10)
        go_on.set()
        assert asked.result(10) == b"second"
    assert program.handed == [b"first", b"second"]


def test_who_speaks_unasked_is_let_go(server: RemoteServer, connect: Connect) -> None:
    rude = connect(server, lambda data: data)
    rude.socket.sendall(LENGTH.pack(3) + b"hey")
    rude._thread.join(10)
    connect(server, lambda data: data + b"!")
    assert server.process(b"polite", timeout_s=5) == b"polite!"


def test_who_is_not_allowed_is_let_go() -> None:
    allow = networks(["10.0.0.0/8"])
    assert allow is not None
    server = RemoteServer(Access(address=("127.0.0.1", 0), allow=allow))
    with socket.create_connection(server.address, timeout=10) as stranger, pytest.raises((ConnectionError, EOFError)):
        if not stranger.recv(1):
            raise EOFError
    with pytest.raises(FrameError, match="none is connected"):
        server.process(b"secret", timeout_s=0.05)


def test_programs_that_go_after_one_image_lose_none(server: RemoteServer, connect: Connect) -> None:
    ended = threading.Event()

    def keep_coming() -> None:
        while not ended.is_set():
            with suppress(OSError), socket.create_connection(server.address, timeout=5) as once:
                size = LENGTH.unpack(once.recv(LENGTH.size, socket.MSG_WAITALL))[0]
                data = once.recv(size, socket.MSG_WAITALL)
                once.sendall(LENGTH.pack(len(data)) + data)

    comers = [threading.Thread(target=keep_coming) for _ in range(4)]
    for comer in comers:
        comer.start()
    try:
        with ThreadPoolExecutor(16) as frames:
            texts = [b"%d" % number for number in range(300)]
            assert list(frames.map(lambda text: server.process(text, timeout_s=5), texts)) == texts
    finally:
        ended.set()
        # Those that wait for an image get one.
        last = connect(server, lambda data: data)
        for comer in comers:
            while comer.is_alive():
                with suppress(FrameError):
                    server.process(b"go", timeout_s=0.05)
                comer.join(0.01)
        last.close()


def test_nobody_who_gave_up_is_left_waiting(server: RemoteServer) -> None:
    for _ in range(5):
        with pytest.raises(FrameError):
            server.process(b"alone", timeout_s=0.01)
    assert len(server._hub._waiting) == 0


def test_who_may_connect_can_be_changed_while_it_listens() -> None:
    first = Remote(listen="127.0.0.1:0", allow=("127.0.0.1",)).open()
    server = server_at(local())
    second = Remote(listen="127.0.0.1:0", allow=("10.0.0.0/8",)).open()
    assert not server._hub.access.admits("127.0.0.1")
    with pytest.raises(SettingError, match="restart it to change cert"):
        server_at(local(cert="a", key="b", ca="c"))
    assert first is not second


def test_the_socket_goes_with_whoever_held_it_and_is_shared_before() -> None:
    first = Remote(listen="127.0.0.1:0").open()
    access = Access(address=("127.0.0.1", 0), allow=networks(Remote(listen="127.0.0.1:0").allow) or ())
    address = server_at(access).address
    second = Remote(listen="127.0.0.1:0", timeout_ms=100).open()
    assert server_at(access).address == address
    del first, second
    gc.collect()
    # The loop closes it in its own thread.
    for _ in range(500):
        try:
            socket.create_connection(address, timeout=1).close()
        except OSError:
            return
        threading.Event().wait(0.01)
    raise AssertionError("it still listens")


def test_an_address_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingError, match=f"remote: cannot listen on 127.0.0.1:{port}"):
            Remote(listen=f"127.0.0.1:{port}").open()


def test_tls_asks_for_a_certificate_of_the_ca(tmp_path: Path, connect: Connect) -> None:
    authority = Authority(tmp_path)
    authority.sign("server")
    authority.sign("program")
    cert, key, ca = (str(tmp_path / name) for name in ("server.pem", "server.key", "ca.pem"))
    server = RemoteServer(local(cert=cert, key=key, ca=ca))
    known = ssl.create_default_context(cafile=ca)
    known.check_hostname = False
    known.load_cert_chain(tmp_path / "program.pem", tmp_path / "program.key")
    connect(server, lambda data: data + b"!", known)
    assert server.process(b"private", timeout_s=5) == b"private!"
    unknown = ssl.create_default_context(cafile=ca)
    unknown.check_hostname = False
    with (
        socket.create_connection(server.address, timeout=10) as stranger,
        pytest.raises((ssl.SSLError, ConnectionError, EOFError)),
        unknown.wrap_socket(stranger) as wrapped,
    ):
        if not wrapped.recv(1):
            raise EOFError


def test_the_picture_of_a_frame_becomes_what_the_program_returns(connect: Connect) -> None:
    operator = Remote(listen="127.0.0.1:0")
    opened = operator.open()
    server = server_at(Access(address=("127.0.0.1", 0), allow=networks(operator.allow) or ()))
    other = picture(200, size=(32, 24))
    program = connect(server, lambda _: other)
    source = frame(picture())
    found = opened(source)
    assert found is not None
    # The camera's own bytes went there, and what came back is passed on as it is.
    assert program.handed == [source.data]
    assert (found.data, found.width, found.height) == (other, 32, 24)
    assert abs(int(found.image[0, 0, 0]) - 200) < 4
    # A box over all of it is one over all of the camera's picture.
    box = found.box(0, 0, 32, 24)
    assert (box.x, box.y, box.w, box.h) == (0, 0, 1, 1)


@pytest.mark.parametrize("plan", [True, False])
def test_within_a_pipeline(plan: bool, connect: Connect) -> None:
    pipeline = Pipeline(
        quick_pipeline(["grayscale", 'remote:listen="127.0.0.1:0"', "resize:width=16"], plan=plan, format="keep")
    )
    run = pipeline.open()
    server = server_at(Access(address=("127.0.0.1", 0), allow=networks(Remote(listen="127.0.0.1:0").allow) or ()))
    program = connect(server, lambda data: encode(255 - decode(data)))
    coloured = np.zeros((48, 64, 3), np.uint8)
    coloured[..., 2] = 200
    outcome = run(frame(encode(coloured)))
    assert outcome.frame is not None
    # It was handed the gray picture, and not the camera's coloured one.
    handed = decode(program.handed[0])
    assert int(handed.max()) - int(handed.min()) < 10
    assert decode(outcome.frame.data).shape[:2] == (12, 16)
    assert abs(int(decode(outcome.frame.data)[0, 0].mean()) - (255 - int(handed.mean()))) < 8


@pytest.mark.parametrize(
    ("answer", "told"),
    [(b"", "returned an empty image"), (b"GIF89a", "neither JPEG, PNG nor WebP"), (picture()[:-20], "it ends early")],
)
def test_an_answer_that_is_no_image_is_refused(answer: bytes, told: str, connect: Connect) -> None:
    run = Pipeline(quick_pipeline(['remote:listen="127.0.0.1:0"'])).open()
    server = server_at(Access(address=("127.0.0.1", 0), allow=networks(Remote(listen="127.0.0.1:0").allow) or ()))
    connect(server, lambda _: answer)
    with pytest.raises(FrameError, match=told):
        run(frame(picture()))


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"listen": "8001"}, "listen"),
        ({"listen": "host:99999"}, "listen"),
        ({"listen": "127.0.0.1:1", "timeout_ms": 0}, "timeout_ms"),
        ({"listen": "127.0.0.1:1", "allow": ("everybody",)}, "allow"),
        ({"listen": "127.0.0.1:1", "allow": ()}, "allow"),
        ({"listen": "127.0.0.1:1", "cert": "a.pem"}, "cert, key and ca, or none"),
    ],
)
def test_wrong_parameters_are_refused(parameters: dict[str, object], told: str) -> None:
    with pytest.raises(ParameterError, match=told):
        Remote(**parameters)  # type: ignore[arg-type]


def test_it_may_not_wait_for_as_long_as_a_frame_may_take(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(
        '[[pipeline]]\nname = "a"\nframe_timeout_ms = 4000\n'
        'operators = [\n  { op = "blur" },\n  { op = "remote", listen = "127.0.0.1:1" },\n]\n'
    )
    with pytest.raises(SettingError, match=r"p.toml:6: .*waits for up to 4000 ms: expected less than frame_timeout_ms"):
        load_pipelines(file)


def test_a_pipeline_that_waits_is_known_as_such() -> None:
    assert waits_for_others(quick_pipeline(["blur", 'remote:listen="127.0.0.1:1"']))
    assert not waits_for_others(quick_pipeline(["blur"]))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8001", ("127.0.0.1", 8001)),
        ("[::1]:80", ("::1", 80)),
        ("worker-3:0", ("worker-3", 0)),
        ("::1:80", None),
        (":80", None),
        ("127.0.0.1", None),
    ],
)
def test_addresses(text: str, address: tuple[str, int] | None) -> None:
    assert parse_listen(text) == address


def test_networks_admit_addresses_as_they_are_written() -> None:
    access = Access(address=("", 0), allow=networks(["192.168.1.7", "10.0.0.0/8", "fd00::/8"]) or ())
    admitted = ["192.168.1.7", "10.1.2.3", "::ffff:10.1.2.3", "fd00::1%eth0"]
    assert [access.admits(host) for host in admitted] == [True] * 4
    assert not any(access.admits(host) for host in ["192.168.1.8", "::1", "a.example", ""])
