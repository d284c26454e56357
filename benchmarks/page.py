"""A page in the system's Chromium without a window, and what it and the browser say of themselves.

It is spoken to by the DevTools protocol and asked for nothing but values: what drives browsers in tests has every frame
of a WebSocket sent to itself as well, and that would be measured.
"""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psutil
from websockets.sync.client import ClientConnection, connect

from benchmarks.processes import cpu_s
from streams.contract.errors import FramelaneError

_PATIENCE_S = 60.0
_LOOK_S = 0.05
_STOP_S = 10.0
_MAX_ANSWER_BYTES = 64 * 1024 * 1024
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--hide-scrollbars",
    "--no-first-run",
    # Port 0 is one that is free.
    "--remote-debugging-port=0",
    "about:blank",
)


@dataclass(frozen=True, slots=True)
class Chromium:
    """A page that is open. Its processes are those of the whole browser."""

    _process: psutil.Process
    _socket: ClientConnection
    _numbers: Iterator[int] = field(default_factory=count)

    def cpu_s(self) -> float:
        """Processor seconds that the browser has used."""
        return cpu_s([self._process, *self._process.children(recursive=True)])

    def evaluate(self, expression: str) -> Any:
        """What an expression in JavaScript is, as JSON. Raises FramelaneError with what it throws."""
        told = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in told:
            raise FramelaneError(f"the page: {expression}: {told['exceptionDetails']['exception']['description']}")
        return told["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Wait until it is true."""
        give_up = time.monotonic() + _PATIENCE_S
        while not self.evaluate(expression):
            if time.monotonic() > give_up:
                raise FramelaneError(f"the page: not true within {_PATIENCE_S:g} s: {expression}")
            time.sleep(_LOOK_S)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask for something of the protocol, and wait for the answer."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            said = json.loads(self._socket.recv(_PATIENCE_S))
            if said.get("id") == number:
                if "error" in said:
                    raise FramelaneError(f"chromium: {method}: {said['error']['message']}")
                found: dict[str, Any] = said["result"]
                return found


@contextmanager
def chromium_page(address: str, *, size: tuple[int, int]) -> Iterator[Chromium]:
    """Open a page, (width, height) in pixels, for as long as the block lasts."""
    path = shutil.which("chromium")
    if not path:
        raise FramelaneError("chromium is missing: install Debian's package chromium")
    with tempfile.TemporaryDirectory(prefix="framelane-chromium-", ignore_cleanup_errors=True) as folder:
        command = [path, f"--user-data-dir={folder}", *_ARGUMENTS]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            listens = _address(process, Path(folder, "DevToolsActivePort"))
            with _page_of(listens) as socket:
                browser = Chromium(psutil.Process(process.pid), socket)
                width, height = size
                metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
                browser.ask("Emulation.setDeviceMetricsOverride", **metrics)
                browser.ask("Page.navigate", url=address)
                browser.wait_for("Boolean(globalThis.framelaneFigures)")
                yield browser
        finally:
            process.terminate()
            process.wait(_STOP_S)


def _address(process: "subprocess.Popen[bytes]", told: Path) -> str:
    """Where the browser listens: it writes the port and its own path into its folder."""
    give_up = time.monotonic() + _PATIENCE_S
    while time.monotonic() < give_up:
        if told.exists() and len(lines := told.read_text().split()) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        if process.poll() is not None:
            raise FramelaneError(f"chromium ended with exit code {process.returncode}")
        time.sleep(_LOOK_S)
    raise FramelaneError(f"chromium has not started within {_PATIENCE_S:g} s")


def _page_of(address: str) -> ClientConnection:
    with connect(address) as browser:
        browser.send(json.dumps({"id": 0, "method": "Target.getTargets"}))
        targets = json.loads(browser.recv(_PATIENCE_S))["result"]["targetInfos"]
    page = next(each["targetId"] for each in targets if each["type"] == "page")
    return connect(f"{address.partition('/devtools/')[0]}/devtools/page/{page}", max_size=_MAX_ANSWER_BYTES)
