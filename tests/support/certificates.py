"""A certificate authority, and certificates for a server and for clients, made by openssl."""

import subprocess
from pathlib import Path

from framelane.embedded.config import ListenerSecurity

PASSWORD = "changeit"


class Authority:
    """Signs certificates into a folder: ca.pem, NAME.pem and NAME.key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subject = ["-subj", "/CN=test authority", "-days", "2"]
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject, "-keyout", "ca.key", "-out", "ca.pem")

    def sign(self, name: str) -> None:
        """Make NAME.pem and NAME.key, for localhost and with the common name NAME."""
        request = ["-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key"]
        self._openssl("req", *request, "-out", f"{name}.csr")
        (self.folder / "extensions").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "extensions"]
        self._openssl("x509", "-req", "-in", f"{name}.csr", *by, "-out", f"{name}.pem")

    def listener(self, **more: str) -> ListenerSecurity:
        """A listener that takes only clients with a certificate of this authority; `more` with dots as `__`."""
        self.sign("server")
        pair = ["-inkey", "server.key", "-in", "server.pem", "-certfile", "ca.pem", "-passout", f"pass:{PASSWORD}"]
        self._openssl("pkcs12", "-export", *pair, "-out", "server.p12")
        prefix = "listener.name.client.ssl"
        return ListenerSecurity(
            protocol="SSL",
            properties={
                f"{prefix}.keystore.type": "PKCS12",
                f"{prefix}.keystore.location": str(self.folder / "server.p12"),
                f"{prefix}.keystore.password": PASSWORD,
                f"{prefix}.truststore.type": "PEM",
                f"{prefix}.truststore.location": str(self.folder / "ca.pem"),
                f"{prefix}.client.auth": "required",
                **{name.replace("__", "."): value for name, value in more.items()},
            },
        )

    def settings(self, name: str, bootstrap: str) -> Path:
        """A settings file for the client with this certificate."""
        path = self.folder / f"{name}.toml"
        path.write_text(
            f'[kafka]\nbootstrap = "{bootstrap}"\nsecurity = "mtls"\n'
            f'ca = "ca.pem"\ncert = "{name}.pem"\nkey = "{name}.key"\n'
        )
        return path

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)
