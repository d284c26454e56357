"""A small disk is full when it says so, has room again, and says plainly where there can be none."""

import errno
from pathlib import Path

import pytest
from small_disk import MIB, SmallDisk


def write(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.write(bytes(size))


def test_it_is_full_and_has_room_again() -> None:
    with SmallDisk() as disk:
        if disk.trouble:
            pytest.skip(f"mounting needs root and its rights: {disk.trouble}")
        write(disk.folder / "before", 3 * MIB)
        disk.fill(leave=2 * MIB)
        assert disk.free_bytes == pytest.approx(2 * MIB, abs=16 * 1024)
        with pytest.raises(OSError, match="No space left") as full:
            write(disk.folder / "more", 3 * MIB)
        assert full.value.errno == errno.ENOSPC
        disk.free()
        write(disk.folder / "more", 3 * MIB)
    assert not disk.folder.exists()


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("no-such-mount",), "no-such-mount: No such file"),
        (("false",), "mount ended with 1"),
        (("sh", "-c", "echo permission denied >&2; exit 32"), "permission denied"),
    ],
)
def test_where_there_can_be_none_a_full_one_is_an_error(command: tuple[str, ...], why: str) -> None:
    with SmallDisk(mount=command) as disk:
        write(disk.folder / "file", MIB)
        with pytest.raises(OSError, match=f"no small disk can be had here.*{why}"):
            disk.fill(leave=0)
    assert not disk.folder.exists()
