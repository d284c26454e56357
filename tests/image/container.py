"""Running a container's root file system as a container engine would, as far as the kernel lets us without one.

Process id 1 of a PID namespace of its own; the root file system read-only, with a /tmp; the image's user, environment
and working folder; no new privileges, no capabilities. The network is this machine's, so that it reaches the broker.
"""

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kafka_support import unique

# Run by a shell in namespaces of its own: $1 is the root, then pairs of source and target up to --, then the command.
_PREPARE = """
set -e
root=$1; shift
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t tmpfs -o mode=1777,size=256m tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero random urandom; do : > "$root/dev/$node"; mount --bind "/dev/$node" "$root/dev/$node"; done
mkdir -m 1777 "$root/dev/shm"
while [ "$1" != -- ]; do
  mkdir -p "$root/$2"; mount --bind "$1" "$root/$2"; mount -o remount,bind,ro "$root/$2"; shift 2
done
shift
mount -o remount,bind,ro "$root"
exec "$@"
"""


class Container:
    """A command in a container. Use as a context manager; what it said is printed at the end."""

    def __init__(
        self,
        root: Path,
        config: Mapping[str, Any],
        *arguments: str,
        folder: Path,
        environ: Mapping[str, str] | None = None,
        mounts: Mapping[Path, str] | None = None,
        entrypoint: Sequence[str] | None = None,
    ) -> None:
        """config: the image's. arguments: in place of its Cmd. mounts: folders of ours, to where it has them."""
        self._root, self._config = root, config
        self._log = folder / f"{unique(arguments[0].strip('-') if arguments else 'image')}.log"
        user, _, group = config["User"].partition(":")
        self._user = (user, group)
        variables = dict(entry.split("=", 1) for entry in config["Env"]) | dict(environ or {})
        self._environ = [f"{name}={value}" for name, value in variables.items()]
        inside = [*(config["Entrypoint"] if entrypoint is None else entrypoint), *arguments]
        pairs = [part for source, target in (mounts or {}).items() for part in (str(source), target)]
        self._command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _PREPARE, "container"]
        self._command += [str(root), *pairs, "--", *self._unprivileged(), *inside]

    def _unprivileged(self) -> list[str]:
        user, group = self._user
        # chroot and the change of the user need these two, which are gone with root.
        drop = ["setpriv", "--no-new-privs", "--bounding-set=-all,+sys_chroot,+setuid,+setgid", "--inh-caps=-all"]
        enter = ["chroot", f"--userspec={user}:{group}", "--groups=", str(self._root)]
        return [*drop, *enter, "env", "-i", f"--chdir={self._config['WorkingDir']}", *self._environ]

    def __enter__(self) -> "Container":
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            # Process id 1 goes with it, and with that one all that are in the container.
            self.process.kill()
        self.process.wait()
        print(f"{shlex.join(self._command[self._command.index('--') :])} said:\n{self.log[-4000:]}")

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text(errors="replace")

    @property
    def pid(self) -> int:
        """Its process id 1, as this machine sees it."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        while not (found := children.read_text().split()):
            assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.log[-4000:]}"
            time.sleep(0.01)
        return int(found[0])

    def status(self, name: str) -> str:
        """A line of what the kernel says of its process id 1, such as "NoNewPrivs"."""
        (value,) = re.findall(rf"(?m)^{name}:\s*(.*)$", Path(f"/proc/{self.pid}/status").read_text())
        return str(value)

    def wait_ready_to_end(self, *, timeout_s: float = 60.0) -> None:
        """Wait until its process id 1 has a handler for SIGTERM: before, the kernel keeps it from any that has none."""
        give_up = time.monotonic() + timeout_s
        while not int(self.status("SigCgt"), 16) >> (signal.SIGTERM - 1) & 1:
            assert time.monotonic() < give_up, f"SIGTERM has no handler after {timeout_s} s: {self.log[-4000:]}"
            time.sleep(0.01)

    def execute(self, command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        """Run a command in it, as its user, as an engine runs a health check."""
        user, group = self._user
        enter = ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--root", "--wd"]
        enter += [f"--setuid={user}", f"--setgid={group}", "env", "-i", *self._environ]
        return subprocess.run([*enter, *command], capture_output=True, text=True, timeout=30, check=False)

    def wait_for_log(self, text: str, *, timeout_s: float = 60.0) -> None:
        """Wait until it has said that; fails the test when it ends before, or says nothing of it in time."""
        give_up = time.monotonic() + timeout_s
        while text not in self.log:
            assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.log[-4000:]}"
            assert time.monotonic() < give_up, f"no {text!r} after {timeout_s} s: {self.log[-4000:]}"
            time.sleep(0.1)

    def wait_healthy(self, *, timeout_s: float = 60.0) -> float:
        """Run the image's health check until it is content, as an engine does; how many seconds that took."""
        kind, *command = self._config["Healthcheck"]["Test"]
        assert kind == "CMD"
        started = time.monotonic()
        while (found := self.execute(command)).returncode:
            assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.log[-4000:]}"
            assert time.monotonic() - started < timeout_s, (
                f"unhealthy after {timeout_s} s: {found.stdout}{found.stderr}"
            )
            time.sleep(0.2)
        return time.monotonic() - started

    def stop(self, *, timeout_s: float = 30.0) -> tuple[int, float]:
        """SIGTERM to its process id 1, as `docker stop` does; the exit code, and how many seconds it took."""
        started = time.monotonic()
        os.kill(self.pid, signal.SIGTERM)
        return self.process.wait(timeout_s), time.monotonic() - started

    def wait(self, *, timeout_s: float = 60.0) -> int:
        """Its exit code."""
        return self.process.wait(timeout_s)
