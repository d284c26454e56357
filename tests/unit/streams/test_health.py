"""Metrics and probes over HTTP."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Gauge

from streams.contract.errors import SettingError
from streams.health import ready
from streams.pages import Pages, serve_pages


@contextmanager
def served(*, trouble: str = "", port: int = 0) -> Iterator[int]:
    """Pages on a port, which is given."""
    registry = CollectorRegistry()
    Gauge("answer", "What it is.", registry=registry).set(42)
    server = serve_pages(Pages(registry=registry, probes={"/healthz": lambda: trouble}), host="127.0.0.1", port=port)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def get(port: int, path: str, **headers: str) -> tuple[int, str, str]:
    """Status, content type and body."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


def test_what_is_well_and_what_is_not() -> None:
    with served() as port:
        assert get(port, "/healthz?verbose=1") == (200, "text/plain; charset=utf-8", "ok\n")
    with served(trouble="the event loop has not ticked for 12 s") as port:
        assert get(port, "/healthz")[::2] == (503, "the event loop has not ticked for 12 s\n")


def test_metrics_come_in_the_form_that_is_asked_for() -> None:
    with served() as port:
        assert "answer 42.0\n" in get(port, "/metrics")[2]
        _, content_type, body = get(port, "/metrics", Accept="application/openmetrics-text; version=1.0.0")
        assert content_type.startswith("application/openmetrics-text")
        assert body.endswith("# EOF\n")


def test_another_path_says_which_there_are() -> None:
    with served() as port:
        assert get(port, "/")[::2] == (404, "there are /metrics, /healthz\n")


def test_a_port_that_is_taken_is_replaced_by_a_free_one(caplog: pytest.LogCaptureFixture) -> None:
    with served() as first, served(port=first) as second:
        assert first != second
        assert get(second, "/healthz")[0] == 200
    assert f"port {first} on 127.0.0.1 cannot be had" in caplog.text


def test_a_host_that_is_not_ours_is_refused() -> None:
    pages = Pages(registry=CollectorRegistry(), probes={})
    with pytest.raises(SettingError, match=r"metrics host 192\.0\.2\.1: cannot listen there: "):
        serve_pages(pages, host="192.0.2.1", port=0)


def test_whoever_connects_and_says_nothing_keeps_nobody_waiting() -> None:
    with served() as port, socket.create_connection(("127.0.0.1", port)):
        assert get(port, "/healthz")[0] == 200


@pytest.mark.parametrize(
    ("worker", "says"),
    [
        ({"joined": False, "partitions": [], "of": 0}, "no place in the group framelane.p yet"),
        ({"joined": True, "partitions": [("raw", 0)], "of": 1}, ""),
        ({"joined": True, "partitions": [], "of": 1}, ""),
        ({"joined": True, "partitions": [], "of": 0}, "the input topic raw is away"),
    ],
)
def test_ready_is_who_has_partitions_or_is_idle_by_design(worker: dict[str, Any], says: str) -> None:
    settings = SimpleNamespace(group="framelane.p", input="raw")
    frames = SimpleNamespace(pipeline=SimpleNamespace(settings=settings))
    progress = SimpleNamespace(
        frames=frames, joined=worker["joined"], partitions=worker["partitions"], input_partitions=worker["of"]
    )
    said = ready(progress)  # type: ignore[arg-type]
    assert said == says if not says else says in said
