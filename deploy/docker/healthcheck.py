"""The image's health check: asks what runs in this container for its /healthz, on the port that it was told to have.

Exit code 0: it is well, or there is no port to be asked on, as of most commands; 1: it is not. Standard library only,
so that it starts at once. Kubernetes asks /healthz itself.
"""

import http.client
import re
import ssl
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

# The option that names the port of each role, and what it is where nothing is said.
_PORTS = {
    "work": ("--metrics-port", 9464),
    "produce": ("--metrics-port", 9464),
    "view": ("--port", 8088),
    "gateway": ("--http-port", 8080),
}
_ANSWER_S = 3.0


def role_of(words: Sequence[str]) -> str:
    """Which command of framelane these words of a command line are; "" for one that has no port."""
    commands = [word for before, word in pairwise(words) if before.rpartition("/")[2] == "framelane"]
    return commands[0] if commands and commands[0] in _PORTS else ""


def port_of(role: str, words: Sequence[str]) -> int:
    """The port that is to be asked; 0 where there is none, or any free one was taken."""
    option, port = _PORTS[role]
    if role == "produce" and not _values(words, "--cameras"):
        # A single camera shows its metrics only where it is told to.
        port = 0
    given = _values(words, option)
    return max(0, int(given[-1])) if given else port


def trouble(port: int, *, tls: bool = False) -> str | None:
    """What is wrong according to this port of this machine: "" when nothing is, None when nobody listens there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_S)
    if tls:
        # Its certificate is for those outside.
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=_ANSWER_S, context=context)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        text = answer.read(1000).decode(errors="replace").strip()
    except ConnectionRefusedError:
        return None
    except (OSError, http.client.HTTPException) as error:
        return f"port {port} does not answer: {error}"
    finally:
        connection.close()
    return "" if answer.status == http.client.OK else f"port {port} says {answer.status}: {text}"


def health(words: Sequence[str]) -> str:
    """What is wrong with the process that was started by these words; "" when nothing is known to be."""
    role = role_of(words)
    port = port_of(role, words) if role else 0
    if not port:
        return ""
    found = trouble(port, tls=bool(_values(words, "--tls-cert")))
    if found is None:
        return f"nobody listens on port {port}"
    # Each pipeline of a worker's file has a port of its own, one after the other.
    while role == "work" and not found:
        port += 1
        found = trouble(port)
        if found is None:
            return ""
    return found


def _values(words: Sequence[str], option: str) -> list[str]:
    apart = [value for word, value in pairwise(words) if word == option]
    return apart + [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]


def main(command_line: Path) -> int:
    """Say how the process is whose command line this file holds, and return the exit code."""
    # A title that hides a password has spaces where the kernel has zeros.
    wrong = health([word for word in re.split(r"[\0 ]", command_line.read_text(errors="replace")) if word])
    sys.stdout.write(f"{wrong or 'ok'}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "/proc/1/cmdline")))
