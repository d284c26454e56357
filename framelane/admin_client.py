"""An administrator's connection to Kafka whose failures say what is wrong, and with whose settings."""

import re
from collections import deque
from collections.abc import Iterable
from typing import Any

import confluent_kafka
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata

from streams.contract.client_log import ClientLog
from streams.contract.errors import BrokerUnavailable, KafkaError, SettingError
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.signals import signals_held_back

REQUEST_S = 10.0
_AUTHENTICATION = confluent_kafka.KafkaError._AUTHENTICATION
_SSL = confluent_kafka.KafkaError._SSL
_RESOLVE = confluent_kafka.KafkaError._RESOLVE
_DOWN = confluent_kafka.KafkaError._ALL_BROKERS_DOWN
# librdkafka's guess when a listener hangs up on a TLS handshake. A broker that stops in that moment looks the same, so
# it has to be seen twice.
_WANTS_NO_TLS = "connecting to a PLAINTEXT broker listener"
_GUESSED = 2
# A listener that wants TLS hangs up on who speaks plainly; so does the proxy of a broker that is not up yet, so this
# is a hint only. It is the one thing that is logged and not handed to error_cb.
_HANGS_UP = re.compile(r"Disconnected.*APIVERSION_QUERY")


class AdminConnection:
    """confluent-kafka's AdminClient, quiet, that remembers why it cannot connect."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.settings = settings
        self._errors: deque[confluent_kafka.KafkaError] = deque(maxlen=20)
        # Not on stderr: what is worth telling goes into our own messages.
        self._log = ClientLog(quiet=True)
        own: dict[str, Any] = {"reconnect.backoff.max.ms": 500}
        config = settings.for_confluent(**own) | {"error_cb": self._errors.append, "logger": self._log}
        try:
            with signals_held_back():
                self.client = AdminClient(config)
        except KafkaException as error:
            # A file that is no certificate, or a [kafka.librdkafka] key that does not exist, is found here.
            raise SettingError(f"kafka: the settings cannot be used: {error.args[0].str()}") from error

    def metadata(self, *, timeout_s: float) -> ClusterMetadata:
        """What the cluster says of itself.

        Raises BrokerUnavailable when nobody answers, and a plain KafkaError when somebody does but will not have us:
        waiting mends the first and not the second.
        """
        try:
            metadata = self.client.list_topics(timeout=timeout_s)
        except KafkaException as error:
            # Only now are the errors handed to us that came up in the meantime.
            self.client.poll(0)
            refusal = refused(list(self._errors), self.settings)
            if refusal:
                raise KafkaError(refusal) from error
            told = unreachable(list(self._errors), self.settings, logged=self._log.lines)
            raise BrokerUnavailable(told) from error
        self._errors.clear()
        return metadata


def refused(errors: list[confluent_kafka.KafkaError], settings: KafkaSettings) -> str:
    """Why the broker will not have us (credentials, TLS), with the mend; "" when that is not what the errors say."""
    where = f"the broker at {settings.bootstrap}"
    for error in errors:
        if error.code() == _AUTHENTICATION:
            return (
                f"{where}: authentication failed as user {settings.username!r} by {settings.mechanism}: "
                f"{_short(error)}; see username, password_file and mechanism in [kafka]"
            )
        if error.code() == _SSL:
            return f"{where}: TLS failed: {_short(error)}; see security, ca, cert and key in [kafka]"
    if sum(_WANTS_NO_TLS in error.str() for error in errors) >= _GUESSED:
        return f'{where}: hangs up on security = "{settings.security}"; it seems to want no TLS: see [kafka]'
    return ""


def unreachable(
    errors: Iterable[confluent_kafka.KafkaError], settings: KafkaSettings, *, logged: Iterable[str] = ()
) -> str:
    """Why nobody answers, as far as the errors and librdkafka's own log lines tell."""
    told = [error for error in errors if error.code() != _DOWN]
    first = next((error for error in told if error.code() == _RESOLVE), told[0] if told else None)
    if first:
        why = f" ({_short(first)})"
    elif any(_HANGS_UP.search(line) for line in logged):
        why = " (somebody hangs up: does it want TLS or a login? see security in [kafka])"
    else:
        why = ""
    return f"no broker answers at {settings.bootstrap}{why}"


def _short(error: confluent_kafka.KafkaError) -> str:
    """librdkafka's message without the address in front and the state behind, both of which are ours to tell."""
    text = error.str()
    _, _, rest = text.partition("/bootstrap: ")
    return (rest or text).partition(" (after ")[0].strip().rstrip(":").strip()
