"""The one `[kafka]` table that serves every role, for Faust and for confluent-kafka alike.

Precedence: what the caller gives (a flag), the environment (`FRAMELANE_KAFKA__BOOTSTRAP`, or the customary
`KAFKA_BOOTSTRAP_SERVERS`), the TOML file, secret files, the default.
"""

import json
import os
import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator
from pydantic_core import ErrorDetails

from streams.contract.errors import SettingError
from streams.contract.toml_text import read_toml

DEFAULT_BOOTSTRAP = "localhost:9092"
# librdkafka's own default hash would put one camera on different partitions in different topics.
PARTITIONER = "murmur2_random"
_ENV = "FRAMELANE_KAFKA__"
_SUCH_AS = """expected an object such as {"client.id": "camera-1"}"""
_PASSWORDS = ("password", "password_file", "password_env")
# librdkafka's settings that the worker's Faust consumer can honour, by Faust's names; any other has no twin there.
_FAUST_TWINS = {
    "client.id": "broker_client_id",
    "session.timeout.ms": "broker_session_timeout",
    "heartbeat.interval.ms": "broker_heartbeat_interval",
    "group.instance.id": "consumer_group_instance_id",
    "max.partition.fetch.bytes": "consumer_max_fetch_size",
    "check.crcs": "broker_check_crcs",
}
# Whom to trust as the identity provider: we ask it for Faust.
_TOKEN_CA = "https.ca.location"


@dataclass(frozen=True, slots=True)
class FaustBroker:
    """What Faust needs to reach the broker: URL, TLS context, SASL names, and the settings that have a twin."""

    url: str
    ssl_context: ssl.SSLContext | None = None
    sasl_mechanism: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    token_url: str = ""
    token_ca: str = ""
    scope: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


class KafkaSettings(BaseModel):
    """How to reach the broker. Files are relative to the TOML file that names them, or to the working directory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bootstrap: str = DEFAULT_BOOTSTRAP
    security: Literal["plaintext", "tls", "mtls", "sasl", "sasl_plaintext"] = "plaintext"
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN", "OAUTHBEARER"] = "SCRAM-SHA-512"
    username: str = ""
    password: str = Field(default="", repr=False)
    password_file: Path | None = None
    password_env: str = ""
    token_url: str = ""
    scope: str = ""
    librdkafka: dict[str, str | int | float | bool] = Field(default_factory=dict)
    _file: Path | None = PrivateAttr(None)
    # What the file says; somebody may have said otherwise.
    _files_bootstrap: str = PrivateAttr("")

    @property
    def reach(self) -> str:
        """The options that let another command of ours reach the same broker."""
        config = f"--config {self._file}" if self._file else ""
        bootstrap = "" if self.bootstrap == self._files_bootstrap else f"--bootstrap {self.bootstrap}"
        return f"{config} {bootstrap}".strip()

    @model_validator(mode="after")
    def _complete(self) -> "KafkaSettings":
        if self.security == "mtls" and not (self.cert and self.key):
            raise ValueError(
                'security = "mtls" needs cert and key: the client\'s certificate and private key, as PEM files'
            )
        if self.security.startswith("sasl") and not (self.username and self._has_password()):
            raise ValueError('security = "sasl" needs username, and one of password_file, password_env or password')
        if self.security.startswith("sasl") and self.mechanism == "OAUTHBEARER" and not self.token_url:
            raise ValueError('mechanism = "OAUTHBEARER" needs token_url: where the identity provider hands out tokens')
        if not self.security.startswith("sasl") and self.username:
            raise ValueError('username is given, so security must be "sasl" (over TLS) or "sasl_plaintext"')
        return self

    def _has_password(self) -> bool:
        return bool(self.password or self.password_file or self.password_env)

    def secret(self, environ: Mapping[str, str] = os.environ) -> str:
        """The password, read from where the settings say, at the moment it is needed."""
        if self.password:
            return self.password
        if self.password_file:
            return _read(self.password_file, "password_file").strip()
        if self.password_env and self.password_env not in environ:
            raise SettingError(f"kafka.password_env: the environment has no variable {self.password_env!r}")
        return environ[self.password_env] if self.password_env else ""

    def for_confluent(self, **more: str | int | float | bool) -> dict[str, Any]:
        """Settings of a confluent-kafka client; `more` is the role's, `[kafka.librdkafka]` has the last word."""
        config: dict[str, Any] = {"bootstrap.servers": self.bootstrap, "security.protocol": self._protocol()}
        for path, name in ((self.ca, "ca"), (self.cert, "certificate"), (self.key, "key")):
            if path and self._uses_tls():
                _read(path, name)
                config[f"ssl.{name}.location"] = str(path)
        if self.security.startswith("sasl"):
            config["sasl.mechanism"] = self.mechanism
            config |= self._oauth() if self.mechanism == "OAUTHBEARER" else self._password()
        return config | more | self.librdkafka

    def for_faust(self) -> FaustBroker:
        """What Faust needs; SettingError for a `[kafka.librdkafka]` key that has no twin there."""
        known = {*_FAUST_TWINS, _TOKEN_CA}
        without = sorted(set(self.librdkafka) - known)
        if without:
            raise SettingError(
                f"kafka.librdkafka.{without[0]!r}: the worker's consumer has no such setting; "
                f"it knows {', '.join(sorted(known))}"
            )
        settings = {
            twin: _in_faust_units(key, self.librdkafka[key])
            for key, twin in _FAUST_TWINS.items()
            if key in self.librdkafka
        }
        sasl = self.security.startswith("sasl")
        return FaustBroker(
            url=";".join(f"kafka://{server.strip()}" for server in self.bootstrap.split(",")),
            ssl_context=self._ssl_context() if self._uses_tls() else None,
            sasl_mechanism=self.mechanism if sasl else "",
            username=self.username if sasl else "",
            password=self.secret() if sasl else "",
            token_url=self.token_url,
            token_ca=str(self.librdkafka.get(_TOKEN_CA, "")),
            scope=self.scope,
            settings=settings,
        )

    def _uses_tls(self) -> bool:
        return self.security in ("tls", "mtls", "sasl")

    def _protocol(self) -> str:
        return {
            "plaintext": "plaintext",
            "tls": "ssl",
            "mtls": "ssl",
            "sasl": "sasl_ssl",
            "sasl_plaintext": "sasl_plaintext",
        }[self.security]

    def _password(self) -> dict[str, str]:
        return {"sasl.username": self.username, "sasl.password": self.secret()}

    def _oauth(self) -> dict[str, str]:
        config = {
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.client.id": self.username,
            "sasl.oauthbearer.client.secret": self.secret(),
            "sasl.oauthbearer.token.endpoint.url": self.token_url,
        }
        system = ssl.get_default_verify_paths()
        if trusted := system.cafile or system.capath:
            # By itself, and by "probe", too, librdkafka 2.16 looks for them where only some systems have them.
            config[_TOKEN_CA] = trusted
        return config | ({"sasl.oauthbearer.scope": self.scope} if self.scope else {})

    def _ssl_context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=str(self.ca) if self.ca else None)
            if self.cert:
                context.load_cert_chain(str(self.cert), str(self.key) if self.key else None)
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(str(path) for path in (self.ca, self.cert, self.key) if path)
            raise SettingError(f"kafka: the TLS files {files} cannot be used: {error}") from error
        return context


def load_kafka_settings(
    *, bootstrap: str | None = None, config: Path | None = None, environ: Mapping[str, str] = os.environ
) -> KafkaSettings:
    """Settings from a flag (bootstrap), the environment, the `[kafka]` table of a TOML file, and the defaults.

    Raises SettingError naming the key, what it holds, and what was expected.
    """
    table = _kafka_table(config) if config else {}
    from_environ: dict[str, Any] = {
        name.removeprefix(_ENV).lower(): value for name, value in environ.items() if name.startswith(_ENV) and value
    }
    if "librdkafka" in from_environ:
        files = table.get("librdkafka")
        # Key by key, as with all else; what is no table in the file is refused without this, too.
        from_environ["librdkafka"] = (files if isinstance(files, dict) else {}) | _object(from_environ["librdkafka"])
    if environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        from_environ.setdefault("bootstrap", environ["KAFKA_BOOTSTRAP_SERVERS"])
    if any(from_environ.get(name) for name in _PASSWORDS):
        # The environment goes before the file, whichever way each of them gives the password.
        table = {name: value for name, value in table.items() if name not in _PASSWORDS}
    given = {"bootstrap": bootstrap} if bootstrap else {}
    try:
        settings = KafkaSettings.model_validate(table | from_environ | given)
    except ValidationError as error:
        where = f"{config}: " if config else ""
        # Not "from error": pydantic's own text holds every value, secrets included.
        raise SettingError(where + _mistake(error.errors()[0])) from None
    if config:
        settings._file, settings._files_bootstrap = config, str(table.get("bootstrap", DEFAULT_BOOTSTRAP))
    return settings


def has_kafka_table(path: Path) -> bool:
    """Whether a TOML file says how to reach a broker; SettingError when it cannot be read or is not TOML."""
    return "kafka" in _content(path)


def _mistake(first: ErrorDetails) -> str:
    """The first mistake, with its value where that cannot be a secret."""
    names = [str(part) for part in first["loc"]]
    key = ".".join(["kafka", *names])
    if first["type"] == "extra_forbidden":
        known = ", ".join(KafkaSettings.model_fields)
        close = get_close_matches(names[-1], KafkaSettings.model_fields, n=1)
        hint = f"; did you mean {close[0]}?" if close else f"; there are {known}"
        return f"{key}: there is no such setting{hint}"
    message = first["msg"].removeprefix("Value error, ")
    shown = names and names[0] not in ("password", "librdkafka")
    return f"{key} = {first['input']!r}: {message}" if shown else f"{key}: {message}"


def _kafka_table(path: Path) -> dict[str, Any]:
    table = _content(path).get("kafka")
    if table is None:
        raise SettingError(f"{path}: has no table [kafka], which says how to reach the broker")
    if not isinstance(table, dict):
        raise SettingError(f"{path}: kafka: expected one table, [kafka]")
    for name in ("ca", "cert", "key", "password_file"):
        if isinstance(table.get(name), str):
            table[name] = path.parent / table[name]
    return dict(table)


def _object(text: str) -> dict[str, Any]:
    """The settings that `FRAMELANE_KAFKA__LIBRDKAFKA` holds; it may hold a secret, so its text is not shown."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise SettingError(f"{_ENV}LIBRDKAFKA: is not JSON: {error}; {_SUCH_AS}") from None
    if not isinstance(found, dict):
        raise SettingError(f"{_ENV}LIBRDKAFKA: {_SUCH_AS}")
    return found


def _content(path: Path) -> dict[str, Any]:
    try:
        return read_toml(_read(path, "--config"))
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{path}: is not TOML: {error}") from error


def _read(path: Path, setting: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not text"
        raise SettingError(f"{setting}: cannot read {path}: {reason}") from error


def _in_faust_units(key: str, value: str | int | float | bool) -> str | float:
    # librdkafka counts in ms, Faust in seconds.
    try:
        if key.endswith(".ms"):
            return float(value) / 1000
        if key == "check.crcs":
            return str(value).lower() == "true"
        return int(value) if key.endswith(".bytes") else str(value)
    except ValueError as error:
        raise SettingError(f"kafka.librdkafka.{key!r} = {value!r}: expected a number") from error
