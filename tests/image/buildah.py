"""Building the image without a Docker engine: buildah, with a storage of its own, on a base made by debootstrap."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "deploy" / "docker"
NEEDED = ("buildah", "debootstrap", "unshare", "setpriv", "nsenter")
_STEP_S = 1200.0
# What of this machine's way to a package registry pip needs in a build; it goes in as a secret, and stays out.
_PIP_KEYS = ("index-url", "extra-index-url", "trusted-host", "proxy", "cert", "timeout", "default-timeout")


class Buildah:
    """`buildah` whose images and containers lie in a folder, and go with it."""

    def __init__(self, folder: Path) -> None:
        self._command = ["buildah", "--storage-driver", "vfs"]
        self._command += ["--root", str(folder / "storage"), "--runroot", str(folder / "run")]

    def __call__(self, *arguments: str) -> str:
        """Run it, and return what it printed; fails the test when it fails."""
        return run([*self._command, *arguments])

    @contextmanager
    def container(self, image: str) -> Iterator[tuple[str, Path]]:
        """A container of an image, and where its root file system is."""
        name = self("from", "--pull=never", image).strip()
        try:
            yield name, Path(self("mount", name).strip())
        finally:
            self("umount", name)
            self("rm", name)

    def config(self, image: str) -> Mapping[str, Any]:
        """What an image says of itself: User, Env, Entrypoint, Healthcheck, Labels and so on, as Docker names them."""
        found: Mapping[str, Any] = json.loads(self("inspect", "--type", "image", image))["Docker"]["config"]
        return found


def run(command: Sequence[str], *, timeout_s: float = _STEP_S) -> str:
    """The standard output of a command; fails the test with all that it said when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def make_base(buildah: Buildah, folder: Path, *, name: str) -> None:
    """An image of this machine's Debian with Python, from the mirror that apt has; nothing in it names that."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    suite = release.get("VERSION_CODENAME", "").strip('"')
    assert release["ID"] == "debian" and suite, "the base is made on Debian; elsewhere name one: BASE=IMAGE"
    root = folder / "base"
    packages = "python3,python3-venv,ca-certificates"
    run(["debootstrap", "--variant=minbase", f"--include={packages}", suite, str(root), _mirror(suite)])
    for left in ("etc/apt/sources.list", "var/log", "var/cache/apt", "var/lib/apt/lists", "debootstrap"):
        path = root / left
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    (root / "var" / "log").mkdir()
    archive = folder / "base.tar"
    run(["tar", "--create", f"--file={archive}", f"--directory={root}", "--exclude=./dev/*", "."])
    shutil.rmtree(root)
    container = buildah("from", "scratch").strip()
    buildah("add", "--quiet", container, str(archive), "/")
    archive.unlink()
    buildah("commit", "--quiet", "--rm", container, name)


def _mirror(suite: str) -> str:
    """Where apt gets this release from."""
    for line in run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"]).splitlines():
        address, release, component = line.split()
        if (release, component) == (suite, "main"):
            return address
    raise AssertionError(f"apt has no source for {suite} main")


def build(buildah: Buildah, folder: Path, *, base: str, tag: str, labels: Mapping[str, str]) -> None:
    """Build deploy/docker/Dockerfile on a base; labels: build arguments such as VERSION."""
    settings, mounts = _pip_settings()
    config = folder / "pip.conf"
    config.touch(mode=0o600)
    config.write_text(settings)
    arguments = {"BASE": base, "BUILD_BASE": base} | labels
    try:
        buildah(
            "build",
            "--isolation=chroot",
            "--pull=false",
            # OCI's own format has no health check.
            "--format=docker",
            f"--file={DOCKER / 'Dockerfile'}",
            f"--ignorefile={DOCKER / 'Dockerfile.dockerignore'}",
            f"--secret=id=pip,src={config}",
            *(f"--volume={path}:{path}:ro" for path in mounts),
            *(f"--build-arg={name}={value}" for name, value in arguments.items()),
            f"--tag={tag}",
            str(ROOT),
        )
    finally:
        config.unlink()


def _pip_settings() -> tuple[str, list[str]]:
    """A pip.conf with this machine's settings, and the files that it names."""
    found: dict[str, str] = {}
    for line in run([sys.executable, "-m", "pip", "config", "list"]).splitlines():
        name, _, value = line.partition("=")
        if (key := name.rpartition(".")[2]) in _PIP_KEYS:
            found[key.removeprefix("default-")] = value.strip("'")
    lines = ["[global]", *(f"{key} = {value}" for key, value in found.items())]
    return "\n".join(lines) + "\n", [found["cert"]] if "cert" in found else []
