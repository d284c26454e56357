"""Every role on one Kafka, each by its own settings: what all of them do when all is well."""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AclBinding, AclBindingFilter, AdminClient
from gateway_support import numbered
from kafka_support import cli_environ, run_cli, start_cli, unique

from framelane.acls import Right
from framelane.embedded.users import acl_binding
from streams.contract.kafka_settings import load_kafka_settings

Config = Callable[[str], Path]
FRAMES = 20
CAMERA = ["produce", "synthetic:?size=320x240", "--camera", "gate-1", "--count", str(FRAMES), "--fast"]
LIVE = ["produce", "synthetic:?size=320x240&fps=5", "--camera", "gate-9"]
GATEWAY_WORK = ["work", "--op", "flip", "--input", "frames.requests", "--output", "frames.replies"]
GATEWAY_WORK += ["--group", "framelane.gateway", "--format", "keep", "--metrics-port", "0"]


def all_roles(config: Config, folder: Path) -> None:
    """Topics, a camera, workers, subscribers, the view, the gateway, dead letters, the status, the doctor.

    config: the settings file of a role of `framelane acls print`.
    """
    done(["topics", "create"], config("topics"))
    done(["topics", "create", "frames.requests", "frames.replies"], config("topics"))
    done(CAMERA, config("producer"))
    with (
        running(["work", "--op", "flip", "--metrics-port", "0"], config("worker")),
        running(GATEWAY_WORK, config("worker")),
    ):
        _subscribers(config("subscriber"), folder)
        _gateway(config("gateway"), folder)
        with running(LIVE, config("producer")):
            _view(config("view"), folder)
        _dead_letters(config)
        _status(config("status"))
    done(["doctor"], config("topics"))


def done(arguments: list[str], config: Path) -> str:
    """Run a command to its good end; what it prints."""
    found = run_cli([*arguments, "--config", str(config)])
    assert found.returncode == 0, f"{arguments}: {found.stdout}{found.stderr}"
    return found.stdout


@contextmanager
def running(arguments: list[str], config: Path) -> Iterator[None]:
    """A command that runs beside; it has to end well on SIGTERM."""
    with start_cli([*arguments, "--config", str(config)]) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=60)
            print(f"{arguments} said:\n{log.decode()[-4000:]}")
    assert process.returncode == 0, log.decode()


@contextmanager
def serving(arguments: list[str], config: Path, folder: Path, sign: str) -> Iterator[str]:
    """A command with a web server, once it has logged `sign`; its log is on stderr and its address in it or stdout."""
    log = folder / f"{unique(arguments[0])}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "framelane", *arguments, "--config", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=cli_environ(),
        )
    try:
        give_up = time.monotonic() + 60
        while sign not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < give_up, log.read_text()
            time.sleep(0.1)
        rest = log.read_text().partition(sign)[2]
        yield f"http://{rest.split('/')[0].split()[0]}"
    finally:
        process.kill()
        process.wait()
        assert "authorization" not in log.read_text()
        print(f"{arguments} said:\n{log.read_text()[-4000:]}")


def fetch(address: str, *, data: bytes | None = None, timeout_s: float = 60) -> bytes:
    """A page, as soon as it is there."""
    give_up = time.monotonic() + timeout_s
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(address, data=data), timeout=timeout_s) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                assert error.code in (404, 503), f"{address}: {error.code} {error.read().decode()}"
        assert time.monotonic() < give_up, f"{address}: still not there after {timeout_s} s"
        time.sleep(0.2)


def add_acls(admin: AdminClient, user: str, rights: Iterable[Right]) -> None:
    """Grant rights, and return when the broker goes by them."""
    for right in rights:
        binding = acl_binding(user, right)
        admin.create_acls([binding])[binding].result()
        _wait_for(admin, binding, there=True)


def remove_acls(admin: AdminClient, user: str, rights: Iterable[Right]) -> None:
    """Take rights away, and return when the broker goes by that."""
    for right in rights:
        binding = acl_binding(user, right)
        asked = _filter(binding)
        assert len(admin.delete_acls([asked])[asked].result()) == 1, right
        _wait_for(admin, binding, there=False)


def _wait_for(admin: AdminClient, binding: AclBinding, *, there: bool) -> None:
    give_up = time.monotonic() + 20
    while bool(admin.describe_acls(_filter(binding)).result()) != there:
        assert time.monotonic() < give_up, binding
        time.sleep(0.05)


def _filter(binding: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        binding.restype,
        binding.name,
        binding.resource_pattern_type,
        binding.principal,
        binding.host,
        binding.operation,
        binding.permission_type,
    )


def _subscribers(config: Path, folder: Path) -> None:
    tail = done(["tail", "--json", "--since", "-10m", "--count", str(FRAMES)], config)
    assert [json.loads(line)["sequence"] for line in tail.splitlines()] == list(range(FRAMES))
    done(["record", "--to", str(folder / "frames"), "--group", "subscriber", "--count", str(FRAMES)], config)
    assert len(list((folder / "frames").rglob("*.jpg"))) == FRAMES


def _gateway(config: Path, folder: Path) -> None:
    ports = ["--port", "-1", "--http-port", "-1"]
    with serving(["gateway", *ports], config, folder, "HTTP: http://") as address:
        assert fetch(f"{address}/process", data=numbered(1)).startswith(b"\xff\xd8")


def _view(config: Path, folder: Path) -> None:
    with serving(["view", "--port", "-1"], config, folder, "http://") as address:
        for kind in ("processed", "raw"):
            assert fetch(f"{address}/cameras/gate-9/latest.jpg?kind={kind}").startswith(b"\xff\xd8")


def dead_letter(config: Config) -> None:
    """Have a worker that runs make a dead letter of camera gate-2, and return when it is there."""
    client = load_kafka_settings(config=config("producer"), environ={}).for_confluent(log_level=0)
    producer = Producer(client)
    producer.produce("frames.raw", key="gate-2", value=b"no picture")
    assert producer.flush(20) == 0
    give_up = time.monotonic() + 60
    while not (listed := done(["dead-letters", "list", "--json", "--camera", "gate-2"], config("dead-letters"))):
        assert time.monotonic() < give_up, "no dead letter came"
    assert json.loads(listed.splitlines()[0])["reason"] == "not_an_image"


def _dead_letters(config: Config) -> None:
    dead_letter(config)
    redriven = done(["dead-letters", "redrive", "--camera", "gate-2", "--limit", "1", "--json"], config("dead-letters"))
    assert len(redriven.splitlines()) == 1


def flip_pipeline(folder: Path, name: str) -> Path:
    """A file with the pipeline that `work --op flip --group framelane.NAME` is."""
    path = folder / f"{name}.toml"
    path.write_text(f'[[pipeline]]\nname = "{name}"\noperators = [{{ op = "flip" }}]\n')
    return path


def replay_command(folder: Path, output: str) -> list[str]:
    """A replay of all that is there, into that topic."""
    return ["replay", "--pipelines", str(flip_pipeline(folder, "quick")), "--output", output]


def diff_command(output: str) -> list[str]:
    """What compares such a replay with what `work --op flip` has made."""
    events = ["--events-a", "frames.events", "--events-b", f"{output}.events"]
    return ["diff", "frames.processed", output, "--pipeline-a", "quick", *events]


def shadow_command(folder: Path, name: str) -> list[str]:
    """A worker of a pipeline of that name, and a shadow that has the same settings."""
    shadow = str(flip_pipeline(folder, name))
    return ["work", "--op", "flip", "--group", f"framelane.{name}", "--shadow", shadow, "--metrics-port", "0"]


def replayed_and_compared(config: Config, folder: Path) -> None:
    """A replay of what a camera and a worker have left, and a dead letter; then it is compared with that."""
    output = f"frames.replay.{unique('night')}"
    sums = json.loads(done([*replay_command(folder, output), "--json"], config("replay")))
    assert sums["done"]
    assert sums["processed"] >= FRAMES
    assert sums["dead_letters"]["not_an_image"]
    compared = done([*diff_command(output), "--camera", "gate-1"], config("diff"))
    assert f"the same: {FRAMES} and {FRAMES} frames of 1 camera" in compared


def shadowed(config: Config, folder: Path) -> None:
    """A worker and its shadow, until that has compared a frame."""
    name = unique("trial")
    with running(shadow_command(folder, name), config("shadow")), running(LIVE, config("producer")):
        give_up, compared = time.monotonic() + 90, 0
        while not compared:
            assert time.monotonic() < give_up, "the shadow reports no frame"
            reported = json.loads(done(["status", "--json"], config("status")))["shadows"]
            compared = sum(each["frames"] for each in reported if each["pipeline"] == name)


def _status(config: Path) -> None:
    found = json.loads(done(["status", "--json"], config))
    quick = next(each for each in found["pipelines"] if each["group"] == "framelane.quick")
    assert (quick["trouble"], len(quick["partitions"])) == ("", 6)
    assert quick["lag_s"] is not None
    lacking = [each for each in found["findings"] if "no right" in each["mend"] or "the ACL" in each["mend"]]
    assert not lacking, lacking
