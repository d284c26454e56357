"""deploy/compose: it fits the specification, its commands can be typed, its files are there, and it lets nobody in."""

import ipaddress
import json
import os
import re
import runpy
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
import yaml

from framelane.cli import app
from framelane.embedded.jars import KAFKA_VERSION
from producers.cameras_file import read_cameras
from streams.contract import topics
from streams.pipeline_settings import load_pipelines

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "compose"
# The specification's schema, as its reference implementation in Go carries it.
SPECIFICATION = "github.com/compose-spec/compose-go/v2@v2.16.2"
PROMETHEUS = ROOT / "deploy" / "observability" / "prometheus" / "prometheus.yaml"
HEALTH = runpy.run_path(str(ROOT / "deploy" / "docker" / "healthcheck.py"))


def interpolated(text: str) -> str:
    """What `docker compose` makes of it where the environment says nothing."""
    return re.sub(r"\$\{\w+(?::-([^}]*))?\}", r"\1", text)


COMPOSE: dict[str, Any] = yaml.safe_load(interpolated((FOLDER / "compose.yaml").read_text(encoding="utf-8")))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("framelane")}
# What the command line calls wrong; typer names only those that come of it.
USAGE_ERROR = typer.BadParameter.__base__
# Those whose images let themselves be read only.
READ_ONLY = {*SERVICES} - {"kafka"}


@pytest.fixture(scope="session")
def schema() -> Any:
    """The schema of compose files: fetched once by Go's own client, and kept in build/."""
    kept = ROOT / "build" / f"compose-spec-{SPECIFICATION.rpartition('@')[2]}.json"
    if not kept.exists():
        if not shutil.which("go"):
            pytest.skip("the schema of compose files comes with a Go module, and there is no go: apt install golang")
        command = ["go", "mod", "download", "-json", SPECIFICATION]
        # Outside of any module; and no other toolchain need be fetched to fetch a file.
        environ = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": ""}
        done = subprocess.run(command, cwd="/", env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        kept.parent.mkdir(exist_ok=True)
        part = kept.with_suffix(f".{os.getpid()}")
        part.write_bytes((Path(json.loads(done.stdout)["Dir"]) / "schema" / "compose-spec.json").read_bytes())
        part.replace(kept)
    return json.loads(kept.read_text(encoding="utf-8"))


@pytest.mark.parametrize("as_written", [True, False])
def test_it_fits_the_specification(schema: Any, as_written: bool) -> None:
    text = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text if as_written else interpolated(text))
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)] == []


def test_a_mistake_does_not_fit(schema: Any) -> None:
    validator = jsonschema.validators.validator_for(schema)(schema)
    for wrong in ({"imag": "x"}, {"cap_drop": "ALL"}, {"depends_on": {"kafka": {"condition": "ready"}}}):
        assert not validator.is_valid({"services": {"worker": {"image": "x"} | wrong}})


def parsed(words: list[str]) -> dict[str, Any]:
    """What a command line of ours means, without running it; USAGE_ERROR for one that is wrong."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "resolve_command"):
        _, command, words = command.resolve_command(typer.Context(command), words)
    return dict(command.make_context("framelane", words).params)


@pytest.mark.parametrize("name", OURS)
def test_each_command_can_be_typed(name: str) -> None:
    parsed([str(word) for word in OURS[name]["command"]])


@pytest.mark.parametrize("words", ["work --pipeline-file x", "worc", "topics create --partitions none"])
def test_a_mistyped_command_is_found(words: str) -> None:
    with pytest.raises(USAGE_ERROR):
        parsed(words.split())


def binds() -> Iterator[tuple[str, Path, str]]:
    """Service, file or folder of this repository, and where the container has it."""
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source, target, *mode = volume.split(":")
            if source.startswith("."):
                assert mode == ["ro"], f"{name} may write to {source}"
                yield name, (FOLDER / source).resolve(), target


def test_every_file_that_is_mounted_is_there() -> None:
    mounted = list(binds())
    assert {name for name, *_ in mounted} == {"cameras", "worker", "prometheus", "grafana"}
    for name, source, _ in mounted:
        assert source.is_relative_to(ROOT), name
        assert source.exists(), f"{name} mounts {source}, which does not exist: a folder would be made in its place"
    for name, volume in ((name, volume) for name, each in SERVICES.items() for volume in each.get("volumes", [])):
        assert volume.startswith(".") or volume.split(":")[0] in COMPOSE["volumes"], f"{name}: {volume}"


def in_repository(service: str, path: str) -> Path:
    """What a path in the container of a service is here."""
    for name, source, target in binds():
        if name == service and path.startswith(target):
            return source / Path(path).relative_to(target)
    raise AssertionError(f"{service} has no {path}")


def test_the_files_that_commands_name_can_be_used() -> None:
    cameras = parsed(OURS["cameras"]["command"])["cameras"]
    assert len(read_cameras(in_repository("cameras", str(cameras)))) == 4
    pipelines = parsed(OURS["worker"]["command"])["pipelines"]
    for pipeline in load_pipelines(in_repository("worker", str(pipelines))):
        assert {pipeline.input, pipeline.output, pipeline.events, pipeline.dead_letter} <= {*topics.DEFAULTS}
    assert not parsed(OURS["topics"]["command"])["names"]


def test_services_wait_for_what_they_need() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            one_shot = SERVICES[other]["restart"] == "no"
            assert how["condition"] == ("service_completed_successfully" if one_shot else "service_healthy"), name
            # Our image has a health check of its own.
            assert one_shot or other in OURS or "healthcheck" in SERVICES[other], f"{other} never becomes healthy"
    assert all("topics" in service["depends_on"] for name, service in OURS.items() if name != "topics")


@pytest.mark.parametrize("name", SERVICES)
def test_it_has_no_rights_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert bool(service.get("read_only")) == (name in READ_ONLY)
    assert name not in READ_ONLY or re.fullmatch(r"[1-9]\d*:\d+", service["user"])
    assert not service.keys() & {"privileged", "cap_add", "pid", "ipc", "network_mode", "devices"}


def test_only_this_machine_reaches_it() -> None:
    for service in SERVICES.values():
        for port in service.get("ports", []):
            host, *_ = port.split(":")
            assert ipaddress.ip_address(host).is_loopback, port


def test_images_are_of_one_version() -> None:
    for service in SERVICES.values():
        assert re.fullmatch(r"(docker\.io/\S+:v?\d+\.\d+\.\d+|framelane:local)", service["image"])
        assert service["image"] != "framelane:local" or "build" in service or service["pull_policy"] == "never"
    assert SERVICES["kafka"]["image"] == f"docker.io/apache/kafka:{KAFKA_VERSION}"


def test_the_image_is_built_from_our_dockerfile_for_its_user() -> None:
    build = SERVICES["topics"]["build"]
    dockerfile = (FOLDER / build["context"] / build["dockerfile"]).resolve()
    assert dockerfile == ROOT / "deploy" / "docker" / "Dockerfile"
    (user,) = re.findall(r"(?m)^USER (\S+)$", dockerfile.read_text(encoding="utf-8"))
    assert {service["user"] for service in OURS.values()} == {user}


def port_of(service: str) -> int:
    """Where a role of ours shows its metrics, by its command."""
    command = [str(word) for word in OURS[service]["command"]]
    return HEALTH["port_of"](command[0], command)  # type: ignore[no-any-return]


def test_published_ports_are_those_that_roles_listen_on() -> None:
    (port,) = OURS["view"]["ports"]
    assert int(port.split(":")[-1]) == port_of("view")


def test_prometheus_asks_services_that_exist_on_ports_that_they_have() -> None:
    reached = {name: {name, *aliases(name)} for name in SERVICES}
    asked: set[str] = set()
    for job in yaml.safe_load(PROMETHEUS.read_text(encoding="utf-8"))["scrape_configs"]:
        for target in job.get("dns_sd_configs", []):
            for wanted in target["names"]:
                services = {name for name, names in reached.items() if wanted in names}
                assert services, f"{job['job_name']} asks {wanted}, and there is no such service"
                assert {port_of(name) for name in services} == {target["port"]}, job["job_name"]
                asked |= services
        for static in job.get("static_configs", []):
            assert static["targets"] == ["localhost:9090"], job["job_name"]
    assert asked == {"worker", "cameras", "camera"}


def aliases(name: str) -> list[str]:
    """Other names by which a service is reached."""
    return list(SERVICES[name].get("networks", {}).get("default", {}).get("aliases", []))


def test_the_real_camera_says_where_its_login_is() -> None:
    camera = SERVICES["camera"]
    assert camera["profiles"] == ["camera"]
    options = parsed(camera["command"])
    assert {options["username_env"], options["password_env"], "FRAMELANE_SOURCE"} <= {*camera["environment"]}
    written = re.findall(r"\$\{(\w+)", (FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    example = re.findall(r"(?m)^(\w+)=", (FOLDER / "camera.env.example").read_text(encoding="utf-8"))
    assert sorted(written) == sorted(example)
    assert options["camera"] not in [each.id for each in read_cameras(FOLDER / "framelane" / "cameras.toml")]
