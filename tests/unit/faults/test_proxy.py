"""The proxy does to connections what it says."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from proxy import HOST, Proxy

SHORT_S = 0.3


class Echo:
    """A server that sends back what it gets, in a thread for each connection; a context manager."""

    def __enter__(self) -> "Echo":
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # A close alone does not wake a thread that accepts.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _run(self) -> None:
        threads = []
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                break
            threads.append(threading.Thread(target=self._echo, args=(connection,)))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def _echo(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                pass


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Echo() as echo, Proxy(echo.port) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with connect(proxy) as connection:
        assert said(connection, b"hello") == b"hello"
        yield connection


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection((HOST, proxy.port), timeout=10)


def said(connection: socket.socket, data: bytes) -> bytes:
    """What comes back for it; b"" where the other side has ended it."""
    connection.sendall(data)
    return received(connection, len(data))


def received(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := connection.recv(65536)):
        data += more
    return data


def silent(connection: socket.socket) -> bool:
    connection.settimeout(SHORT_S)
    try:
        connection.recv(1)
    except TimeoutError:
        return True
    else:
        return False
    finally:
        connection.settimeout(10)


def ended(connection: socket.socket) -> bool:
    try:
        return said(connection, b"x") == b""
    except ConnectionError:
        return True


def test_all_bytes_pass_both_ways(client: socket.socket) -> None:
    data = bytes(range(256)) * 4000
    sender = threading.Thread(target=client.sendall, args=(data,))
    sender.start()
    assert received(client, len(data)) == data
    sender.join()


def test_cut_ends_connections_and_takes_no_new_ones_until_healed(proxy: Proxy, client: socket.socket) -> None:
    proxy.cut()
    assert ended(client)
    with connect(proxy) as another:
        assert ended(another)
    proxy.heal()
    with connect(proxy) as another:
        assert said(another, b"back") == b"back"


def test_a_black_hole_keeps_connections_and_what_was_sent_arrives_later(proxy: Proxy, client: socket.socket) -> None:
    proxy.black_hole()
    client.sendall(b"lost?")
    assert silent(client)
    proxy.heal()
    assert received(client, 5) == b"lost?"


def test_a_reset_is_one_and_new_connections_are_good(proxy: Proxy, client: socket.socket) -> None:
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with connect(proxy) as another:
        assert said(another, b"new") == b"new"


def test_a_half_open_connection_hears_nothing_of_its_end(proxy: Proxy, client: socket.socket) -> None:
    proxy.half_open()
    client.sendall(b"anybody?")
    assert silent(client)
    proxy.heal()
    assert silent(client)
    with connect(proxy) as another:
        assert said(another, b"new") == b"new"


def test_chunks_are_late_in_their_order_and_do_not_wait_for_each_other(proxy: Proxy, client: socket.socket) -> None:
    proxy.slow(delay_s=0.1, jitter_s=0.05)
    for n in range(20):
        client.sendall(bytes([n]))
        time.sleep(0.005)
    sent = time.monotonic()
    assert received(client, 20) == bytes(range(20))
    # There and back, for the last one; one after the other they would take 4 s.
    assert 0.09 <= time.monotonic() - sent < 2.0


def test_a_narrow_line_takes_its_time(proxy: Proxy, client: socket.socket) -> None:
    proxy.slow(bytes_per_s=100_000)
    started = time.monotonic()
    assert len(said(client, bytes(30_000))) == 30_000
    # Each way.
    assert time.monotonic() - started >= 0.6


def test_an_end_is_passed_on(proxy: Proxy, client: socket.socket) -> None:
    assert proxy.connections == 1
    client.close()
    give_up = time.monotonic() + 10
    while proxy.connections:
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_without_a_server_a_connection_ends_at_once() -> None:
    with Echo() as echo:
        nobody = echo.port
    with Proxy(nobody) as proxy, connect(proxy) as connection:
        assert ended(connection)
