"""Debian's Prometheus: promtool, and a server that reads processes of a test."""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from framelane.embedded.ports import free_ports

ROOT = Path(__file__).parents[2]
OBSERVABILITY = ROOT / "deploy" / "observability"
RULES = OBSERVABILITY / "prometheus" / "framelane.rules.yaml"
DASHBOARD = OBSERVABILITY / "grafana" / "framelane.json"
# Unpacked there, the package starts no service of its own.
_UNPACKED = ROOT / "build" / "prometheus" / "usr" / "bin"


def tool(name: str) -> str:
    """Where promtool or prometheus is; skips the test where it is not."""
    found = shutil.which(name, path=str(_UNPACKED)) or shutil.which(name)
    if found is None:
        pytest.skip(f"no {name}: it comes with Debian's package prometheus, installed or unpacked into {_UNPACKED}")
    return found


def alerts(rules: Path = RULES) -> list[dict[str, Any]]:
    """The alerts of a file of rules."""
    groups = yaml.safe_load(rules.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def promtool(*arguments: str | Path, folder: Path = RULES.parent) -> "subprocess.CompletedProcess[str]":
    """Run promtool in a folder."""
    command = [tool("promtool"), *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


class Prometheus:
    """A Prometheus that reads these addresses (HOST:PORT) each second, with our rules. Use as a context manager."""

    def __init__(self, folder: Path, jobs: Mapping[str, Sequence[str]]) -> None:
        self._folder = folder
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES)],
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": list(targets)}]} for job, targets in jobs.items()
            ],
        }
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        self._log = folder / "prometheus.log"
        self.address = ""

    def __enter__(self) -> "Prometheus":
        (port,) = free_ports(1)
        command = [tool("prometheus"), "--config.file=prometheus.yaml", f"--storage.tsdb.path={self._folder / 'data'}"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, f"--web.listen-address=127.0.0.1:{port}"], cwd=self._folder, stdout=log, stderr=log
            )
        self.address = f"http://127.0.0.1:{port}"
        give_up = time.monotonic() + 30
        while not self._ready():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < give_up, self._log.read_text()
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression gives now."""
        found = self.ask("query", query=expression)
        result: list[dict[str, Any]] = found["result"]
        return result

    def ask(self, path: str, **parameters: str) -> Any:
        """What its API says under /api/v1."""
        url = f"{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{parameters}: {error.read().decode()}") from error

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
