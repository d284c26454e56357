"""The gateway's clients find an answer that is not theirs, one that is none, and one that never comes."""

import http.server
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import soak_gateway
from gateway_support import numbered
from soak_gateway import GatewayClients, is_picture_of

from streams.contract.errors import FrameError
from streams.contract.images import decode

# Of an image an answer; None: the connection ends.
Answer = Callable[[bytes], bytes | None]


@contextmanager
def servers(answer: Answer) -> Iterator[tuple[int, int]]:
    """Ports of Int32 strings and of HTTP, where images are answered so."""

    class Int32(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while head := self.rfile.read(4):
                found = answer(self.rfile.read(struct.unpack(">I", head)[0]))
                if found is None:
                    return
                self.wfile.write(struct.pack(">I", len(found)) + found)

    class Http(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found = answer(self.rfile.read(int(self.headers["Content-Length"])))
            if found is None:
                return
            self.send_response(200 if found else 422)
            self.end_headers()
            self.wfile.write(found or b'{"reason": "undecodable"}')

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    class Tcp(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True

    with Tcp(("127.0.0.1", 0), Int32) as int32, Tcp(("127.0.0.1", 0), Http) as web:
        threads = [threading.Thread(target=each.serve_forever, args=(0.01,)) for each in (int32, web)]
        for thread in threads:
            thread.start()
        try:
            yield int32.server_address[1], web.server_address[1]
        finally:
            for each in (int32, web):
                each.shutdown()
            for thread in threads:
                thread.join()


def asked(answer: Answer, monkeypatch: pytest.MonkeyPatch, *, count: int = 60) -> GatewayClients:
    monkeypatch.setattr(soak_gateway, "PAUSE_S", 0.001)
    monkeypatch.setattr(soak_gateway, "BAD_EACH", 5)
    with servers(answer) as ports, GatewayClients(*ports) as clients:
        give_up = time.monotonic() + 30
        while clients.counts["asked"] < count:
            assert time.monotonic() < give_up, clients.counts
            time.sleep(0.01)
    counts = clients.counts
    assert counts["asked"] == sum(count for what, count in counts.items() if what != "asked")
    return clients


def sound(data: bytes) -> bytes:
    try:
        decode(data)
    except FrameError:
        return b""
    return data


def test_sound_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = asked(sound, monkeypatch)
    assert set(clients.counts) - {"unanswered"} == {"asked", "picture", "refused"}
    assert clients.counts["unanswered"] == 0
    assert clients.newest.behind(time.time() - 60) == []


def test_somebody_elses_picture_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    other = numbered(7_777_777)
    clients = asked(lambda data: other, monkeypatch)
    assert clients.counts["stranger"] == clients.counts["asked"]
    assert clients.newest.behind(0.0) == [0, 1, 2, 3, 4]


def test_a_picture_for_what_nobody_can_decode_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = asked(lambda data: sound(data) or numbered(1), monkeypatch)
    assert clients.counts["stranger"] > 0
    assert clients.counts["refused"] == 0


def test_empty_answers_and_problems_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = asked(lambda data: b"", monkeypatch).counts
    assert counts["empty"] > 0
    assert counts["problem 422 undecodable"] > 0
    assert counts["picture"] == counts["stranger"] == 0


def test_a_connection_that_ends_leaves_requests_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = asked(lambda data: None, monkeypatch).counts
    assert counts["unanswered"] == counts["asked"]


def test_a_number_is_read_after_what_operators_do_and_no_other_is() -> None:
    assert is_picture_of(numbered(2_000_017), 2_000_017)
    assert not is_picture_of(numbered(2_000_017), 2_000_018)
    assert not is_picture_of(b"no picture", 1)
