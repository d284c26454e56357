"""Free ports."""

import socket

import pytest

from framelane.embedded import EmbeddedKafka
from framelane.embedded.ports import check_port_free, free_ports
from streams.contract.errors import EmbeddedBrokerError, SettingError


def test_free_ports_differ_and_are_free() -> None:
    ports = free_ports(9)
    assert len(set(ports)) == 9
    for port in ports:
        check_port_free(port)


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(EmbeddedBrokerError, match=f"port {port} on 127.0.0.1 is taken"):
            check_port_free(port)


@pytest.mark.parametrize("wrong", [{"port": -1}, {"port": 70_000}, {"nodes": 0}])
def test_wrong_numbers_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(SettingError, match="expected"):
        EmbeddedKafka(**wrong)  # type: ignore[arg-type]
