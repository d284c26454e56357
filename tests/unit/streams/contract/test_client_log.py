import logging

import pytest

from streams.contract.client_log import ClientLog

PATTERN = "%s [%s] %s"


def test_passes_lines_on_but_for_lost_connections(caplog: pytest.LogCaptureFixture) -> None:
    log = ClientLog()
    with caplog.at_level(logging.INFO):
        log.log(logging.ERROR, PATTERN, "FAIL", "rdkafka#consumer-1", "Connection refused")
        log.log(logging.WARNING, PATTERN, "OFFSET", "rdkafka#consumer-1", "offset reset")
    assert [record.getMessage() for record in caplog.records] == ["OFFSET [rdkafka#consumer-1] offset reset"]


def test_a_quiet_one_says_nothing_and_remembers_the_last_lines(caplog: pytest.LogCaptureFixture) -> None:
    log = ClientLog(quiet=True)
    with caplog.at_level(logging.INFO):
        for number in range(30):
            log.log(logging.ERROR, PATTERN, "FAIL", "rdkafka#producer-1", f"refused {number}")
    assert caplog.records == []
    assert len(log.lines) == 20
    assert log.lines[-1] == "FAIL [rdkafka#producer-1] refused 29"


def test_counts_the_connections_that_stood_and_broke() -> None:
    log = ClientLog()
    for text in ("Disconnected (after 2994ms in state UP)", "Connection refused (after 0ms in state CONNECT)"):
        log.log(logging.ERROR, PATTERN, "FAIL", "rdkafka#producer-1", text)
    assert log.lost == 1
