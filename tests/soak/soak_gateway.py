"""Clients of the gateway that ask for one image after the other, and look whether the answer is theirs."""

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Sequence

from gateway_support import Client, numbered
from soak_newest import Newest

from producers.stamp import read_stamp
from streams.contract.errors import FrameError
from streams.contract.images import decode

INT32_CLIENTS, HTTP_CLIENTS = 3, 2
PAUSE_S = 0.5
# So many a client of the Int32 protocol sends before it reads.
WINDOW = 3
# Longer than the gateway waits for a worker.
TIMEOUT_S = 60.0
# Every so many of them is none that could be decoded.
BAD_EACH = 20
_NUMBERS = 1_000_000


class GatewayClients:
    """A context manager; at its end all that was asked is answered, or has been given up.

    counts: how many were asked, and came to their picture, an empty answer, a problem (by status and reason), another
    picture ("stranger"), or nothing at all ("unanswered"); and of those that nobody could decode how many were
    refused. newest: when each client asked for the last picture that it has got.
    """

    def __init__(self, port: int, http_port: int) -> None:
        self._port, self._url = port, f"http://127.0.0.1:{http_port}/process"
        self.counts: Counter[str] = Counter()
        self._counting, self._stop = threading.Lock(), threading.Event()
        clients = [self._int32] * INT32_CLIENTS + [self._http] * HTTP_CLIENTS
        self.newest = Newest(range(len(clients)))
        self._threads = [
            threading.Thread(target=client, args=(number,), name=f"asks-{number}")
            for number, client in enumerate(clients)
        ]

    def __enter__(self) -> "GatewayClients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _int32(self, client: int) -> None:
        first = 0
        while not self._stop.is_set():
            try:
                with Client(self._port, timeout_s=TIMEOUT_S) as connection:
                    while not self._stop.wait(PAUSE_S):
                        self._ask_some(connection, client, range(first, first + WINDOW))
                        first += WINDOW
            except OSError:
                # What was open then has been counted; the next ones are asked over a new connection.
                first += WINDOW
                self._stop.wait(PAUSE_S)

    def _ask_some(self, connection: Client, client: int, numbers: Sequence[int]) -> None:
        asked_s, answered = time.time(), 0
        self._count("asked", len(numbers))
        try:
            for number in numbers:
                connection.send(_image(client, number))
            for number in numbers:
                self._judge(client, number, connection.receive(), asked_s)
                answered += 1
        finally:
            self._count("unanswered", len(numbers) - answered)

    def _http(self, client: int) -> None:
        number = 0
        while not self._stop.wait(PAUSE_S):
            asked_s = time.time()
            self._count("asked")
            try:
                request = urllib.request.Request(self._url, data=_image(client, number))
                with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                    self._judge(client, number, answer.read(), asked_s)
            except urllib.error.HTTPError as error:
                with error:
                    self._count("refused" if _is_bad(number) else _problem(error))
            except (OSError, http.client.HTTPException):
                self._count("unanswered")
            number += 1

    def _judge(self, client: int, number: int, answer: bytes, asked_s: float) -> None:
        if not answer:
            self._count("refused" if _is_bad(number) else "empty")
        elif is_picture_of(answer, _number(client, number)) and not _is_bad(number):
            self._count("picture")
            self.newest.tell(client, asked_s)
        else:
            self._count("stranger")

    def _count(self, what: str, more: int = 1) -> None:
        with self._counting:
            self.counts[what] += more


def is_picture_of(data: bytes, number: int) -> bool:
    """Whether it is a picture that bears this number."""
    try:
        found = read_stamp(decode(data))
    except FrameError:
        return False
    return found is not None and found.sequence == number


def _image(client: int, number: int) -> bytes:
    data = numbered(_number(client, number))
    return data[: len(data) // 2] if _is_bad(number) else data


def _is_bad(number: int) -> bool:
    return number % BAD_EACH == BAD_EACH - 1


def _number(client: int, number: int) -> int:
    return client * _NUMBERS + number % _NUMBERS


def _problem(error: urllib.error.HTTPError) -> str:
    try:
        return f"problem {error.code} {json.load(error)['reason']}"
    except (ValueError, KeyError):
        return f"problem {error.code} without a reason"
