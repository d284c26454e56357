"""Why a broker cannot be had."""

from confluent_kafka import KafkaError

from framelane.admin_client import refused, unreachable
from streams.contract.kafka_settings import KafkaSettings

PLAIN = KafkaSettings(bootstrap="b:9092")
SASL = KafkaSettings(bootstrap="b:9092", security="sasl", username="ann", password="x")
DOWN = KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down")


def transport(text: str) -> KafkaError:
    return KafkaError(KafkaError._TRANSPORT, f"b:9092/bootstrap: {text} (after 0ms in state CONNECT)")


def test_a_login_that_fails_names_the_user() -> None:
    error = KafkaError(KafkaError._AUTHENTICATION, "sasl_ssl://b:9092/bootstrap: invalid credentials (after 2ms in x)")
    assert "authentication failed as user 'ann' by SCRAM-SHA-512: invalid credentials;" in refused([DOWN, error], SASL)


def test_tls_that_fails_is_told_as_such() -> None:
    error = KafkaError(KafkaError._SSL, "ssl://b:9092/bootstrap: certificate verify failed (after 2ms in state x)")
    assert "TLS failed: certificate verify failed; see security, ca" in refused([error], PLAIN)


def test_a_listener_that_may_want_tls_is_a_hint() -> None:
    line = "FAIL [thrd:b:9092/bootstrap]: Disconnected: connection closed by peer (after 2ms in state APIVERSION_QUERY)"
    assert refused([DOWN], PLAIN) == "", "the proxy of a broker that is not up yet looks the same"
    assert "does it want TLS or a login?" in unreachable([DOWN], PLAIN, logged=[line])


def test_a_listener_that_wants_no_tls_is_guessed() -> None:
    error = transport("SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?")
    assert refused([error], PLAIN) == "", "a broker that stops looks the same"
    assert "it seems to want no TLS" in refused([error, error], PLAIN)


def test_nobody_there_is_no_refusal() -> None:
    errors = [DOWN, transport("Connection refused")]
    assert refused(errors, PLAIN) == ""
    assert unreachable(errors, PLAIN) == "no broker answers at b:9092 (Connection refused)"
    assert unreachable([], PLAIN) == "no broker answers at b:9092"


def test_a_name_that_cannot_be_resolved_is_told_before_all_else() -> None:
    resolve = KafkaError(KafkaError._RESOLVE, "b:9092/bootstrap: Failed to resolve 'b:9092' (after 1ms in state x)")
    assert unreachable([transport("refused"), resolve], PLAIN) == (
        "no broker answers at b:9092 (Failed to resolve 'b:9092')"
    )
