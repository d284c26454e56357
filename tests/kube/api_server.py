"""A real API server without a cluster: etcd and kube-apiserver as processes. Nothing runs the pods; all is judged."""

import json
import secrets
import shutil
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from urllib.error import URLError

from framelane.embedded.ports import free_ports

BIN = Path(__file__).parents[2] / "build" / "kube" / "bin"
HOST = "127.0.0.1"


class ApiServer:
    """Use as a context manager; its data, certificates and logs go into the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._port = 0
        self._token = secrets.token_hex(16)

    def __enter__(self) -> "ApiServer":
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def kubectl(self, *arguments: str, given: object = None) -> "subprocess.CompletedProcess[str]":
        """kubectl against this server; given: an object for its standard input. No check of the exit code."""
        kubectl = shutil.which("kubectl")
        assert kubectl, "there is no kubectl: apt install kubernetes-client"
        return subprocess.run(
            [kubectl, "--kubeconfig", str(self._folder / "config.json"), *arguments],
            input=None if given is None else json.dumps(given),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def _start(self) -> None:
        etcd, peer, self._port = free_ports(3)
        self._run(
            "etcd",
            f"--data-dir={self._folder / 'etcd'}",
            f"--listen-client-urls=http://{HOST}:{etcd}",
            f"--advertise-client-urls=http://{HOST}:{etcd}",
            f"--listen-peer-urls=http://{HOST}:{peer}",
            f"--initial-advertise-peer-urls=http://{HOST}:{peer}",
            f"--initial-cluster=default=http://{HOST}:{peer}",
            "--log-level=error",
        )
        key = self._folder / "accounts.key"
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], capture_output=True, check=True)
        users = self._folder / "users.csv"
        users.write_text(f"{self._token},admin,1,system:masters\n")
        self._run(
            "kube-apiserver",
            f"--etcd-servers=http://{HOST}:{etcd}",
            "--service-account-issuer=https://accounts.example",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            f"--token-auth-file={users}",
            "--authorization-mode=RBAC",
            f"--bind-address={HOST}",
            f"--secure-port={self._port}",
            f"--cert-dir={self._folder / 'certificates'}",
            "--service-cluster-ip-range=10.0.0.0/24",
        )
        self._wait_until_ready()
        # Its own certificate, which it has made for itself, is the one that it is known by.
        cluster = {
            "server": f"https://{HOST}:{self._port}",
            "certificate-authority": str(self._folder / "certificates" / "apiserver.crt"),
        }
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": self._token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
            "current-context": "test",
        }
        self._folder.joinpath("config.json").write_text(json.dumps(config))

    def _run(self, name: str, *arguments: str) -> None:
        with (self._folder / f"{name}.log").open("wb") as log:
            command = [str(BIN / name), *arguments]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self._processes.append(process)

    def _wait_until_ready(self, *, timeout_s: float = 120.0) -> None:
        context = ssl.create_default_context()
        # It makes its certificate as it starts, and is asked nothing but whether it is ready.
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        request = urllib.request.Request(
            f"https://{HOST}:{self._port}/readyz", headers={"Authorization": f"Bearer {self._token}"}
        )
        give_up = time.monotonic() + timeout_s
        while True:
            ended = next((process for process in self._processes if process.poll() is not None), None)
            assert ended is None, self._log()
            assert time.monotonic() < give_up, f"not ready after {timeout_s} s: {self._log()}"
            try:
                with urllib.request.urlopen(request, timeout=5, context=context):
                    return
            except (URLError, OSError):
                time.sleep(0.2)

    def _log(self) -> str:
        return "\n".join(path.read_text()[-3000:] for path in self._folder.glob("*.log"))

    def _stop(self) -> None:
        # The server before what it stores in; else it complains until it is killed.
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
