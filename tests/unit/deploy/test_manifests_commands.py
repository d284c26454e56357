"""What runs in the pods can be typed: options, settings, and the files that are mounted."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer.main
from kube_support import ALL, TARGETS, Object, committed, environ_of, is_ours, objects_of, of_kind, pods

from framelane.cli.main import app
from producers.cameras_file import read_cameras
from streams.contract.kafka_settings import load_kafka_settings
from streams.pipeline_settings import load_pipelines

# What the command line calls wrong; typer names only those that come of it.
USAGE_ERROR = typer.BadParameter.__base__
assert USAGE_ERROR is not None


def commands(objects: Sequence[Object]) -> Iterator[tuple[str, Object]]:
    """The containers that run a command of ours, with their owners."""
    for pod in pods(objects):
        for container in pod.containers():
            if is_ours(container) and "command" not in container:
                yield pod.owner, container


def files_of(objects: Sequence[Object]) -> dict[str, str]:
    """What the ConfigMaps hold."""
    return {file: text for each in of_kind(objects, "ConfigMap") for file, text in each["data"].items()}


def parse(arguments: Sequence[str]) -> Mapping[str, Any]:
    """The options of the innermost command that the arguments name, as the command line reads them."""
    command: Any = typer.main.get_command(app)
    rest = list(arguments)
    while hasattr(command, "commands"):
        _, command, rest = command.resolve_command(typer.Context(command), rest)
    options: Mapping[str, Any] = command.make_context(command.name, rest).params
    return options


@pytest.mark.parametrize("name", ALL)
def test_every_command_line_is_one_of_ours(name: str) -> None:
    found = list(commands(objects_of(name)))
    assert found
    for owner, container in found:
        try:
            parse(container["args"])
        except USAGE_ERROR as error:
            pytest.fail(f"{owner}: {' '.join(container['args'])}: {error.format_message()}")


def test_an_option_that_is_not_there_is_found() -> None:
    for wrong in (["work", "--pipelinez=x"], ["topics", "make"], ["view", "--port=many"]):
        with pytest.raises(USAGE_ERROR):
            parse(wrong)


@pytest.mark.parametrize("name", ALL)
def test_every_role_is_there(name: str) -> None:
    objects = objects_of(name)
    roles = {container["args"][0] for _, container in commands(objects)}
    assert "work" in roles
    if name in TARGETS:
        assert {"view", "produce", "work"} <= roles
        assert ("gateway" in roles, "topics" in roles) == ((True, False) if name == "production" else (False, True))


@pytest.mark.parametrize("name", ALL)
def test_settings_of_kafka_are_understood(name: str) -> None:
    for owner, container in commands(objects_of(name)):
        settings = load_kafka_settings(environ=environ_of(container))
        assert settings.bootstrap != "localhost:9092", owner
        if settings.security.startswith("sasl"):
            assert (settings.password, settings.password_file) == ("", Path("/run/secrets/kafka/password")), owner


@pytest.mark.parametrize("name", ALL)
def test_what_is_read_is_mounted(name: str) -> None:
    """A file that an option or a variable names lies below a mount, and not in one that can be written where it is."""
    for owner, container in commands(objects_of(name)):
        mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
        named = [argument.partition("=")[2] for argument in container["args"]] + list(environ_of(container).values())
        for path in (Path(each) for each in named if each.startswith("/")):
            assert any(str(parent) in mounts for parent in path.parents), f"{owner}: {path} is on no mount: {mounts}"


@pytest.mark.parametrize("name", ALL)
def test_every_mount_has_its_volume(name: str) -> None:
    for pod in pods(objects_of(name)):
        volumes = {volume["name"] for volume in pod.spec["volumes"]}
        used = {mount["name"] for container in pod.containers() for mount in container["volumeMounts"]}
        assert used == volumes, pod.owner


@pytest.mark.parametrize("name", ALL)
def test_the_file_of_pipelines_is_sound(name: str, tmp_path: Path) -> None:
    path = tmp_path / "pipelines.toml"
    path.write_text(files_of(objects_of(name))[path.name])
    assert load_pipelines(path)


@pytest.mark.parametrize("name", ["local", "production", "plain"])
def test_files_of_cameras_are_sound_where_they_are_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the variables that the pod has, and the Secrets that are mounted."""
    objects = objects_of(name)
    (pod,) = (pod for pod in pods(objects) if "-producer-" in pod.owner)
    (container,) = pod.containers()
    for each in container["env"]:
        if "valueFrom" in each:
            monkeypatch.setenv(each["name"], "secret")
    text = files_of(objects)["cameras.toml"]
    for mount in container["volumeMounts"]:
        if mount["name"].startswith("secret-"):
            folder = tmp_path / mount["name"]
            folder.mkdir()
            folder.joinpath("a").write_text("secret")
            text = text.replace(mount["mountPath"], str(folder))
    path = tmp_path / "cameras.toml"
    path.write_text(text)
    assert read_cameras(path)


@pytest.mark.parametrize("name", ALL)
def test_pipelines_that_are_served_are_in_the_file(name: str) -> None:
    objects = objects_of(name)
    text = files_of(objects)["pipelines.toml"]
    for owner, container in commands(objects):
        if container["args"][0] in ("work", "gateway"):
            served = parse(container["args"])["pipeline"]
            for pipeline in [served] if isinstance(served, str) else served:
                assert f'name = "{pipeline}"' in text, owner


def test_a_variable_of_a_camera_comes_from_a_secret() -> None:
    producer = next(pod for pod in pods(committed("production")) if "producer" in pod.owner)
    named = {each["name"]: each.get("valueFrom") for each in producer.spec["containers"][0]["env"]}
    assert named["CAMERA_PASSWORD"] == {"secretKeyRef": {"name": "framelane-cameras", "key": "password"}}
