"""A listener that wants TLS and a login, with a certificate authority and users made for it, and rights for each.

It is there to try settings on this machine. The nodes among themselves, on 127.0.0.1 too, speak plainly and ask for no
login: whoever finds that port on this machine may do everything.
"""

import os
import subprocess
import time
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient

from framelane.admin_client import AdminConnection
from framelane.embedded.config import ListenerSecurity
from framelane.embedded.java import java_home
from framelane.embedded.log_lines import useful_lines
from framelane.embedded.users import ADMIN, Users
from streams.contract.errors import EmbeddedBrokerError, KafkaError
from streams.contract.kafka_settings import load_kafka_settings
from streams.contract.signals import signals_held_back

_STORE_PASSWORD = "changeit"  # of a file that only its owner can read; PKCS12 wants one
_DAYS = 3650
_KEYTOOL_S = 60.0
_LOGIN_S = 20.0


class SecureListener:
    """The certificates, the users and the settings files of a secure cluster, in a folder of their own.

    What is there from an earlier run is used again, so clients keep their files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.users = Users(folder)
        self._store, self._ca = folder / "server.p12", folder / "ca.pem"

    def listener(self) -> ListenerSecurity:
        """Make what is missing; what the nodes' settings need."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if not self._ca.exists():
            self._make_certificates()
        self.users.make_passwords()
        scram = "listener.name.client.scram-sha-512.sasl.jaas.config"
        return ListenerSecurity(
            protocol="SASL_SSL",
            properties={
                "listener.name.client.ssl.keystore.type": "PKCS12",
                "listener.name.client.ssl.keystore.location": str(self._store),
                "listener.name.client.ssl.keystore.password": _STORE_PASSWORD,
                "listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-512",
                scram: "org.apache.kafka.common.security.scram.ScramLoginModule required;",
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                # The nodes among themselves, and the one user who may do everything.
                "super.users": f"User:ANONYMOUS;User:{ADMIN}",
            },
        )

    def admit_users(self, *, internal: str, bootstrap: str) -> None:
        """Tell the cluster of the users, write their settings files, and return when a login succeeds.

        internal: the address of the listener that needs no login.
        """
        with signals_held_back():
            admin = AdminClient({"bootstrap.servers": internal, "log_level": 0})
        self.users.admit(admin)
        self.users.write_settings(bootstrap)
        self._wait_for_login()

    def _wait_for_login(self) -> None:
        settings = load_kafka_settings(config=self.users.config_file(), environ={})
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
