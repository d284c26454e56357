"""A listener that wants TLS and a login, with a certificate authority and a user made for it.

It is there to try settings on this machine. The nodes among themselves, on 127.0.0.1 too, speak plainly.
"""

import os
import secrets
import subprocess
import time
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from framelane.admin_client import AdminConnection
from framelane.embedded.config import ListenerSecurity
from framelane.embedded.java import java_home
from framelane.embedded.log_lines import useful_lines
from streams.contract.errors import EmbeddedBrokerError, KafkaError
from streams.contract.kafka_settings import load_kafka_settings
from streams.contract.signals import signals_held_back

USER = "framelane"
_STORE_PASSWORD = "changeit"  # of a file that only its owner can read; PKCS12 wants one
_DAYS = 3650
_ITERATIONS = 4096
_KEYTOOL_S = 60.0
_LOGIN_S = 20.0


class SecureListener:
    """The certificates, the user and the settings file of a secure cluster, in a folder of their own.

    What is there from an earlier run is used again, so clients keep their files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config_file = folder / "framelane.toml"
        self._store, self._ca, self._password = folder / "server.p12", folder / "ca.pem", folder / "password"

    def listener(self) -> ListenerSecurity:
        """Make what is missing; what the nodes' settings need."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if not self._ca.exists():
            self._make_certificates()
        if not self._password.exists():
            self._password.touch(mode=0o600)
            self._password.write_text(secrets.token_urlsafe(18) + "\n", encoding="utf-8")
        scram = "listener.name.client.scram-sha-512.sasl.jaas.config"
        return ListenerSecurity(
            protocol="SASL_SSL",
            properties={
                "listener.name.client.ssl.keystore.type": "PKCS12",
                "listener.name.client.ssl.keystore.location": str(self._store),
                "listener.name.client.ssl.keystore.password": _STORE_PASSWORD,
                "listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-512",
                scram: "org.apache.kafka.common.security.scram.ScramLoginModule required;",
            },
        )

    def admit_user(self, *, internal: str, bootstrap: str) -> None:
        """Tell the cluster of the user, write the settings file, and return when a login with it succeeds.

        internal: the address of the listener that needs no login.
        """
        password = self._password.read_text(encoding="utf-8").strip()
        with signals_held_back():
            admin = AdminClient({"bootstrap.servers": internal, "log_level": 0})
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
        wish = UserScramCredentialUpsertion(USER, info, password.encode())
        try:
            admin.alter_user_scram_credentials([wish])[USER].result()
        except KafkaException as error:
            raise EmbeddedBrokerError(f"cannot make the user {USER}: {error.args[0].str()}") from error
        self.config_file.write_text(_settings_text(bootstrap), encoding="utf-8")
        self._wait_for_login()

    def _wait_for_login(self) -> None:
        settings = load_kafka_settings(config=self.config_file, environ={})
        give_up = time.monotonic() + _LOGIN_S
        while True:
            try:
                AdminConnection(settings).metadata(timeout_s=1.0)
            except KafkaError as error:
                # The brokers learn of a new user a moment after the controller.
                if time.monotonic() > give_up:
                    raise EmbeddedBrokerError(f"the secure listener lets nobody in: {error}") from error
                time.sleep(0.1)
            else:
                return

    def _make_certificates(self) -> None:
        self._store.unlink(missing_ok=True)
        name = ("-keyalg", "EC", "-groupname", "secp256r1", "-validity", str(_DAYS), "-dname")
        authority = ("-ext", "bc:c=ca:true", "-ext", "ku:c=keyCertSign,cRLSign")
        server = ("-ext", "san=dns:localhost,ip:127.0.0.1", "-ext", "eku=serverAuth")
        self._keytool("-genkeypair", "-alias", "ca", *name, "CN=Framelane embedded CA", *authority)
        self._keytool("-genkeypair", "-alias", "server", "-signer", "ca", *name, "CN=localhost", *server)
        # The last step's file says that all are done: without it the next start makes them anew.
        pem = self._keytool("-exportcert", "-rfc", "-alias", "ca")
        self._keytool("-delete", "-alias", "ca")
        self._store.chmod(0o600)
        self._ca.write_text(pem, encoding="utf-8")

    def _keytool(self, *arguments: str) -> str:
        command = [str(java_home() / "bin" / "keytool"), *arguments, "-keystore", str(self._store)]
        # By the environment, since a command line can be read by every user of the machine.
        environ: dict[str, Any] = os.environ | {"STORE_PASSWORD": _STORE_PASSWORD}
        command += ["-storetype", "PKCS12", "-storepass:env", "STORE_PASSWORD"]
        try:
            result = subprocess.run(
                command, env=environ, capture_output=True, text=True, timeout=_KEYTOOL_S, check=True
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EmbeddedBrokerError(f"cannot make certificates in {self.folder}: {error}") from error
        except subprocess.CalledProcessError as error:
            why = "; ".join(useful_lines(error.stdout + error.stderr))
            raise EmbeddedBrokerError(f"cannot make certificates in {self.folder}: {why}") from error
        return result.stdout


def _settings_text(bootstrap: str) -> str:
    return f"""# For the clients of `framelane broker --secure`: framelane COMMAND --config THIS-FILE
[kafka]
bootstrap = "{bootstrap}"
security = "sasl"
ca = "ca.pem"
mechanism = "SCRAM-SHA-512"
username = "{USER}"
password_file = "password"
"""
