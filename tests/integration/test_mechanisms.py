"""Every login that a broker can ask for, over TLS: passwords by each mechanism, and an identity provider's tokens."""

import base64
import json
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from certificates import Authority
from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion
from kafka_support import run_cli, unique
from roles_support import all_roles, done, running

from framelane.checks.cluster import check_worker_client
from framelane.embedded import EmbeddedKafka
from framelane.embedded.config import ListenerSecurity
from streams.contract.kafka_settings import load_kafka_settings

Settings = Callable[..., Path]
USER, SECRET = "camera-worker", "s3cret"
MODULES = {
    "PLAIN": f'plain.PlainLoginModule required user_{USER}="{SECRET}"',
    "SCRAM-SHA-256": "scram.ScramLoginModule required",
    "SCRAM-SHA-512": "scram.ScramLoginModule required",
    # The broker's own check of tokens, which takes unsigned ones (RFC 7515, appendix A.5).
    "OAUTHBEARER": "oauthbearer.OAuthBearerLoginModule required",
}
SCRAMS = {
    "SCRAM-SHA-256": ScramMechanism.SCRAM_SHA_256,
    "SCRAM-SHA-512": ScramMechanism.SCRAM_SHA_512,
}


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
        given = {"access_token": _token(), "token_type": "bearer", "expires_in": 3600} if known else {}
        answer = json.dumps(given).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Type", "application/json")
        # An end of the connection without TLS' own is taken for a cut.
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def _token() -> str:
    now = time.time()
    parts = ({"alg": "none"}, {"sub": "camera-worker", "iat": now, "exp": now + 3600})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another authority than the broker's, as it nearly always is."""
    made = Authority(tmp_path_factory.mktemp("provider"))
    made.sign("provider")
    return made


@pytest.fixture(scope="module")
def token_url(providers: Authority) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(providers.folder / "provider.pem", providers.folder / "provider.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{server.server_address[1]}/token"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def kafka(authority: Authority) -> Iterator[EmbeddedKafka]:
    """A broker with TLS that takes a login by each mechanism."""
    logins = {
        f"listener.name.client.{name.lower()}.sasl.jaas.config": f"org.apache.kafka.common.security.{module};"
        for name, module in MODULES.items()
    }
    offered = {"listener.name.client.sasl.enabled.mechanisms": ",".join(MODULES)}
    certificate = authority.listener(listener__name__client__ssl__client__auth="none")
    listener = ListenerSecurity(protocol="SASL_SSL", properties={**certificate.properties, **offered, **logins})
    with EmbeddedKafka(listener=listener) as kafka:
        admin = AdminClient({"bootstrap.servers": kafka.nodes[0].internal})
        for mechanism in SCRAMS.values():
            known = UserScramCredentialUpsertion(USER, ScramCredentialInfo(mechanism, 4096), SECRET.encode())
            for done in admin.alter_user_scram_credentials([known]).values():
                done.result()
        yield kafka


@pytest.fixture
def settings(
    kafka: EmbeddedKafka, authority: Authority, providers: Authority, token_url: str, tmp_path: Path
) -> Settings:
    def settings(mechanism: str, secret: str = SECRET) -> Path:
        path = tmp_path / "framelane.toml"
        path.write_text(
            f'[kafka]\nbootstrap = "{kafka.bootstrap}"\nsecurity = "sasl"\nca = "{authority.folder / "ca.pem"}"\n'
            f'mechanism = "{mechanism}"\nusername = "{USER}"\npassword = "{secret}"\ntoken_url = "{token_url}"\n'
            f'librdkafka = {{"https.ca.location" = "{providers.folder / "ca.pem"}"}}\n'
        )
        return path

    return settings


def test_every_role_with_tokens(settings: Settings, tmp_path: Path) -> None:
    config = settings("OAUTHBEARER")
    all_roles(lambda role: config, tmp_path)
    (tried,) = [row for row in json.loads(done(["doctor", "--json"], config)) if "workers" in row["what"]]
    assert tried["found"] == "connects"


def test_a_provider_that_is_not_trusted_is_told(settings: Settings) -> None:
    config = settings("OAUTHBEARER")
    config.write_text(config.read_text().partition("librdkafka")[0])
    found = run_cli(["doctor", "--json", "--config", str(config)])
    assert found.returncode == 1
    assert "unable to get local issuer certificate" in found.stdout, found.stdout
    # The workers' client, which is not tried where the other one cannot get in.
    (row,) = check_worker_client(load_kafka_settings(config=config, environ={}))
    assert row.state == "failed"
    assert "certificate verify failed" in row.found


@pytest.mark.parametrize("mechanism", [name for name in MODULES if name != "OAUTHBEARER"])
def test_a_camera_a_worker_and_a_subscriber_with_a_password(settings: Settings, mechanism: str) -> None:
    config = settings(mechanism)
    raw, processed = unique("raw"), unique("processed")
    done(["topics", "create", raw, processed], config)
    done(["produce", "synthetic:?size=320x240", "--camera", "gate-1", "--count", "5", "--fast", "--topic", raw], config)
    work = ["work", "--op", "flip", "--input", raw, "--output", processed, "--group", raw, "--metrics-port", "0"]
    with running(work, config):
        seen = done(["tail", "--json", "--topic", processed, "--since", "-10m", "--count", "5"], config)
    assert [json.loads(line)["sequence"] for line in seen.splitlines()] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("mechanism", list(MODULES))
def test_a_wrong_secret_is_told(settings: Settings, mechanism: str) -> None:
    done = run_cli(["tail", "--config", str(settings(mechanism, "wrong")), "--wait", "5s"])
    assert done.returncode == 1
    assert USER in done.stderr or "oauth" in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert "wrong" not in done.stderr
