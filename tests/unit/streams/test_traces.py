"""Who asks for traces, and who does not; and that OpenTelemetry is loaded for the first alone."""

import logging
import subprocess
import sys

import pytest

from streams.traces import open_tracing

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "none"},
        {**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"},
        {**ENDPOINT, "OTEL_SDK_DISABLED": "true"},
        {"OTEL_SERVICE_NAME": "yard"},
    ],
)
def test_nothing_is_traced_unless_it_is_asked_for(environ: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    assert open_tracing(environ, group="g") is None
    assert caplog.records == []


@pytest.mark.parametrize(
    "environ",
    [
        ENDPOINT,
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces"},
        {"OTEL_TRACES_EXPORTER": "otlp"},
    ],
)
def test_an_endpoint_or_the_exporter_asks_for_it(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    tracing = open_tracing(environ, group="g")
    assert tracing is not None
    tracing.close()


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"OTEL_TRACES_EXPORTER": "oltp"}, "OTEL_TRACES_EXPORTER oltp: not known here; otlp and none are"),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "the protocol grpc is not known here"),
        ({**ENDPOINT, "OTEL_BSP_MAX_QUEUE_SIZE": "-1"}, "a setting in OTEL_* is wrong"),
    ],
)
def test_a_wrong_setting_is_told_of_and_costs_only_the_traces(
    environ: dict[str, str], told: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with caplog.at_level(logging.WARNING):
        assert open_tracing(environ, group="g") is None
    assert told in caplog.text


def test_without_the_extra_that_is_told_with_the_mend(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "streams.tracing", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with caplog.at_level(logging.WARNING):
        assert open_tracing(ENDPOINT, group="g") is None
    assert "pip install 'framelane[otel]'" in caplog.text


@pytest.mark.parametrize(("environ", "loaded"), [("{}", False), (repr(ENDPOINT), True)])
def test_opentelemetry_is_loaded_only_when_asked_for(environ: str, loaded: bool) -> None:
    script = f"""
import sys, streams.worker
from streams.traces import open_tracing
open_tracing({environ}, group="g")
print("streams.tracing" in sys.modules, "opentelemetry.sdk.trace" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(loaded)] * 2
