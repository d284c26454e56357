"""Tokens: a worker and its librdkafka clients log in with what an identity provider hands out."""

import base64
import json
import threading
import time
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from kafka_support import run_cli
from roles_support import all_roles

from framelane.embedded import EmbeddedKafka
from framelane.embedded.config import ListenerSecurity

SECRET = "s3cret"
# The broker's own check of tokens, which takes unsigned ones (RFC 7515, appendix A.5).
LISTENER = ListenerSecurity(
    protocol="SASL_PLAINTEXT",
    properties={
        "listener.name.client.sasl.enabled.mechanisms": "OAUTHBEARER",
        "listener.name.client.oauthbearer.sasl.jaas.config": (
            "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;"
        ),
    },
)


class Provider(BaseHTTPRequestHandler):
    """Hands out tokens by the client credentials grant (RFC 6749, 4.4) to whoever knows the secret."""

    def do_POST(self) -> None:
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        basic = (
            base64.b64decode(self.headers.get("Authorization", " ").split()[-1]).decode()
            if "Authorization" in self.headers
            else ""
        )
        known = f"camera-worker:{SECRET}" in (
            urllib.parse.unquote(basic),
            ":".join(form.get(n, [""])[0] for n in ("client_id", "client_secret")),
        )
        answer = json.dumps({"access_token": _token(), "token_type": "bearer", "expires_in": 3600}) if known else "{}"
        self.send_response(200 if known else 401)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def _token() -> str:
    now = time.time()
    parts = ({"alg": "none"}, {"sub": "camera-worker", "iat": now, "exp": now + 3600})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


@pytest.fixture
def token_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/token"
        server.shutdown()
        thread.join()


def settings(folder: Path, bootstrap: str, token_url: str, secret: str) -> str:
    path = folder / "framelane.toml"
    path.write_text(
        f'[kafka]\nbootstrap = "{bootstrap}"\nsecurity = "sasl_plaintext"\nmechanism = "OAUTHBEARER"\n'
        f'username = "camera-worker"\npassword = "{secret}"\ntoken_url = "{token_url}"\n'
    )
    return str(path)


def test_every_role_with_tokens(token_url: str, tmp_path: Path) -> None:
    with EmbeddedKafka(listener=LISTENER) as kafka:
        config = Path(settings(tmp_path, kafka.bootstrap, token_url, SECRET))
        all_roles(lambda role: config, tmp_path)


def test_a_wrong_secret_is_told(token_url: str, tmp_path: Path) -> None:
    with EmbeddedKafka(listener=LISTENER) as kafka:
        config = settings(tmp_path, kafka.bootstrap, token_url, "wrong")
        done = run_cli(["tail", "--config", config, "--wait", "5s"])
    assert done.returncode == 1
    assert "camera-worker" in done.stderr or "OAUTHBEARER" in done.stderr or "oauth" in done.stderr.lower()
    assert "Traceback" not in done.stderr
