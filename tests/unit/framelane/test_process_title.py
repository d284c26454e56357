import subprocess
import sys

import pytest

from framelane.process_title import hide_secrets

SHOW = (
    "import subprocess, sys; from framelane.process_title import hide_secrets; hide_secrets(sys.orig_argv); "
    "print(open('/proc/self/cmdline').read().replace(chr(0), ' '))"
)


@pytest.mark.parametrize(
    ("argument", "shown"),
    [
        ("rtsp://admin:hunter2@cam/live", "rtsp://***@cam/live"),
        ("--source=http://admin:hunter2@cam/?token=hunter2", "--source=http://***@cam/?token=***"),
        ("http://cam/user=admin_password=hunter2", "http://cam/user=***_password=***"),
    ],
)
def test_a_secret_leaves_the_list_of_processes(argument: str, shown: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOW, argument, "--fps", "5"], capture_output=True, text=True, check=True
    )
    assert done.stdout.rstrip().endswith(f"{shown} --fps 5")


def test_what_holds_no_secret_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(title: str) -> None:
        raise AssertionError(title)

    monkeypatch.setattr("setproctitle.setproctitle", never)
    hide_secrets(
        ["framelane", "produce", "synthetic:?size=640x480&fps=10", "--camera", "a", "--config=a@b.toml", "x:y@z"]
    )
