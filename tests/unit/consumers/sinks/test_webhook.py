import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sink_support import event_of, is_done

from consumers.sinks import SinkOptions
from consumers.sinks.endpoint import Endpoint
from consumers.sinks.webhook import FIRST_PAUSE_S, WebhookSink
from streams.contract.errors import SettingError, SinkError


class Receiver(ThreadingHTTPServer):
    """A real HTTP server: answers with what `answers` holds, and 204 after that; 0 closes without a word."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Post)
        self.answers: list[int] = []
        self.headers: dict[str, str] = {}
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.connections = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook?key=secret"


class Post(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Receiver

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(({**dict(self.headers), "path": self.path}, body))
        status = self.server.answers.pop(0) if self.server.answers else 204
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Not to stderr."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


@pytest.fixture
def sink_at(clock: list[float]) -> Iterator[Callable[..., WebhookSink]]:
    made: list[WebhookSink] = []

    def make(url: str, **headers: str) -> WebhookSink:
        made.append(WebhookSink(url, SinkOptions(headers=headers), monotonic=lambda: clock[0]))
        made[-1].setup()
        return made[-1]

    yield make
    for sink in made:
        sink._endpoint.close()


SinkAt = Callable[..., WebhookSink]


def test_posts_each_event_as_a_cloud_event_over_one_connection(receiver: Receiver, sink_at: SinkAt) -> None:
    sink = sink_at(receiver.url, Authorization="Bearer abc")
    events = [event_of(sequence=each) for each in range(3)]
    for event in events:
        sink.add(event)
    sink.close()
    assert is_done(*events)
    assert (sink.written, receiver.connections) == (3, 1)
    headers, body = receiver.got[1]
    assert json.loads(body) == {
        "type": "motion",
        "camera_id": "gate-1",
        "epoch": "20260509T073000000-ab12",
        "sequence": 1,
        "captured_at_ns": 1_778_312_000_000_000_000,
        "pipeline": "demo@1f3a",
        "input": "frames.raw/0/1",
        "data": {"zone": "0", "boxes": []},
    }
    assert (
        headers.items()
        >= {
            "path": "/hook?key=secret",
            "Content-Type": "application/json",
            "Authorization": "Bearer abc",
            "ce-specversion": "1.0",
            "ce-type": "io.framelane.event.v1",
            "ce-source": "/pipelines/demo",
            "ce-id": "gate-1/20260509T073000000-ab12/1/0/0",
            "ce-time": "2026-05-09T07:33:20.000000Z",
        }.items()
    )
    assert "framelane-redelivered" not in headers


def test_what_may_have_come_before_is_marked(receiver: Receiver, sink_at: SinkAt) -> None:
    sink_at(receiver.url).add(event_of(redelivered=True))
    assert receiver.got[0][0]["framelane-redelivered"] == "true"


def test_a_receiver_that_is_busy_is_tried_again_with_longer_pauses_and_the_order_is_kept(
    receiver: Receiver, sink_at: SinkAt, clock: list[float]
) -> None:
    receiver.answers = [503, 500, 429, 0, 204]
    sink = sink_at(receiver.url)
    events = [event_of(sequence=each) for each in range(2)]
    for event in events:
        sink.add(event)
    assert len(receiver.got) == 1, "no post before its time"
    assert sink.waiting
    for pause_s in (FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S):
        posts, again_at = len(receiver.got), clock[0] + pause_s
        clock[0] = again_at - 0.001
        sink.flush()
        assert len(receiver.got) == posts
        clock[0] = again_at
        sink.flush()
        assert len(receiver.got) > posts
    assert not sink.waiting
    assert is_done(*events)
    sent = [(headers["ce-id"].split("/")[2], headers.get("framelane-redelivered")) for headers, _ in receiver.got]
    # The connection that was closed without a word had been kept, so that post is followed by another at once.
    assert sent == [("0", None), *[("0", "true")] * 4, ("1", None)]


def test_it_waits_as_long_as_the_receiver_says(receiver: Receiver, sink_at: SinkAt, clock: list[float]) -> None:
    receiver.answers, receiver.headers = [429], {"Retry-After": "7"}
    sink = sink_at(receiver.url)
    sink.add(event_of())
    clock[0] = 6.9
    sink.flush()
    assert sink.waiting
    clock[0] = 7
    sink.flush()
    assert not sink.waiting


def test_nobody_there_is_waited_for(receiver: Receiver, sink_at: SinkAt, clock: list[float]) -> None:
    receiver.server_close()
    sink = sink_at(receiver.url)
    event = event_of()
    sink.add(event)
    assert sink.waiting
    assert not is_done(event)


def test_a_receiver_that_hangs_is_given_up_after_a_while() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        outcome = Endpoint(url, headers={}, timeout_s=0.05).post(b"{}", {})
    assert (outcome.taken, outcome.refused, outcome.reason) == (False, False, "timed out")


@pytest.mark.parametrize("status", [400, 413, 422])
def test_an_event_that_is_refused_is_skipped(receiver: Receiver, sink_at: SinkAt, status: int) -> None:
    receiver.answers = [status]
    sink = sink_at(receiver.url)
    events = [event_of(sequence=each) for each in range(2)]
    for event in events:
        sink.add(event)
    assert is_done(*events)
    assert (sink.written, sink.left_out) == (1, {"refused": 1})


@pytest.mark.parametrize("status", [301, 401, 403, 404, 405])
def test_a_wrong_address_or_credentials_end_it_and_no_event_is_skipped(
    receiver: Receiver, sink_at: SinkAt, status: int
) -> None:
    receiver.answers = [status]
    sink, event = sink_at(receiver.url), event_of()
    with pytest.raises(SinkError, match=f"answers {status}") as error:
        sink.add(event)
    assert "secret" not in str(error.value)
    assert not is_done(event)


def test_user_and_password_are_sent_and_never_shown(receiver: Receiver, sink_at: SinkAt) -> None:
    sink = sink_at(receiver.url.replace("//", "//eve:p%40ss@"))
    sink.add(event_of())
    assert receiver.got[0][0]["Authorization"] == "Basic ZXZlOnBAc3M="
    assert sink.name == receiver.url.partition("/hook")[0]


def test_identities_with_other_characters_are_encoded(receiver: Receiver, sink_at: SinkAt) -> None:
    import msgspec

    sink_at(receiver.url).add(msgspec.structs.replace(event_of(), name='a "ü%"\n'))
    assert receiver.got[0][0]["ce-id"] == "a%20%22%C3%BC%25%22%0A"


@pytest.mark.parametrize("url", ["http://", "https:///path", "http://host:port/", "http://a b/", "http://hüt/"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(SettingError, match="expected an address"):
        WebhookSink(url, SinkOptions())


@pytest.mark.parametrize("headers", [{"a b": "c"}, {"A": "b\r\nC: d"}, {"A": "ü"}])
def test_what_is_no_header_is_refused_and_not_shown(headers: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="header '") as error:
        WebhookSink("http://localhost", SinkOptions(headers=headers))
    assert "C: d" not in str(error.value)
