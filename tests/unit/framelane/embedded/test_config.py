"""The texts of a node's settings files."""

from pathlib import Path
from xml.etree import ElementTree

from framelane.embedded.config import ListenerSecurity, NodePorts, ProxiedListener, log4j2_xml, server_properties

THREE = [NodePorts(client=i, internal=i + 100, controller=i + 200) for i in (1, 2, 3)]


def parsed(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_one_node_keeps_every_record_once() -> None:
    found = parsed(server_properties(1, ports=THREE[:1], folder=Path("/data")))
    assert found["controller.quorum.voters"] == "1@127.0.0.1:201"
    assert found["offsets.topic.replication.factor"] == "1"
    assert found["min.insync.replicas"] == "1"
    assert found["auto.create.topics.enable"] == "false"


def test_three_nodes_survive_the_loss_of_one() -> None:
    found = parsed(server_properties(2, ports=THREE, folder=Path("/data")))
    assert found["node.id"] == "2"
    assert found["controller.quorum.voters"] == "1@127.0.0.1:201,2@127.0.0.1:202,3@127.0.0.1:203"
    assert found["listeners"] == "CLIENT://127.0.0.1:2,INTERNAL://127.0.0.1:102,CONTROLLER://127.0.0.1:202"
    assert found["offsets.topic.replication.factor"] == "3"
    assert found["transaction.state.log.min.isr"] == "2"
    assert found["min.insync.replicas"] == "2"


def test_it_listens_on_this_machine_only() -> None:
    found = parsed(server_properties(1, ports=THREE, folder=Path("/data")))
    addresses = found["listeners"].split(",") + found["advertised.listeners"].split(",")
    assert all("://127.0.0.1:" in address for address in addresses)


def test_clients_may_have_to_log_in() -> None:
    security = ListenerSecurity(protocol="SASL_SSL", properties={"listener.name.client.x": "a\\b\nc"})
    found = parsed(server_properties(1, ports=THREE[:1], folder=Path("/data"), security=security))
    assert "CLIENT:SASL_SSL,INTERNAL:PLAINTEXT" in found["listener.security.protocol.map"]
    assert found["listener.name.client.x"] == "a\\\\b\\nc"


def test_one_more_listener_sends_clients_to_what_is_in_between() -> None:
    security = ListenerSecurity(proxied=ProxiedListener(port=7, advertised=8))
    first, second = (parsed(server_properties(n, ports=THREE, folder=Path("/d"), security=security)) for n in (1, 2))
    assert first["listeners"].endswith(",PROXIED://127.0.0.1:7")
    assert first["advertised.listeners"].endswith(",PROXIED://127.0.0.1:8")
    assert first["listener.security.protocol.map"].endswith(",PROXIED:PLAINTEXT")
    assert "PROXIED" not in "".join(second.values())


def test_the_log_goes_to_a_file_whatever_its_name() -> None:
    root = ElementTree.fromstring(log4j2_xml(Path('/tmp/a "b" & <c>/server.log')))
    appender = root.find("Appenders/RollingFile")
    assert appender is not None and appender.get("fileName") == '/tmp/a "b" & <c>/server.log'
    assert root.find("Appenders/Console") is None


def test_a_folder_of_any_letters_is_escaped_as_java_reads_it() -> None:
    found = parsed(server_properties(1, ports=THREE[:1], folder=Path("/home/Jos\u00e9/\U0001f4f7")))
    assert found["log.dirs"] == "/home/Jos\\u00e9/\\ud83d\\udcf7"
