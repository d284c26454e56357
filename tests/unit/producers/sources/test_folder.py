import logging
from pathlib import Path

import pytest
from producer_support import write_images

from producers.sources.base import Grab, SourceOptions
from producers.sources.folder import ImageFolder, natural_key, open_folder, open_image
from streams.contract.errors import SourceError, SourceLost

OPTIONS = SourceOptions(camera_id="a")


def grabs_of(source: ImageFolder, most: int = 100) -> list[Grab]:
    grabs: list[Grab] = []
    while len(grabs) < most and (grab := source.grab()) is not None:
        grabs.append(grab)
    return grabs


def test_the_bytes_pass_untouched_in_natural_order(tmp_path: Path) -> None:
    encoded = write_images(tmp_path, 12)
    assert [grab.picture for grab in grabs_of(open_folder(tmp_path, OPTIONS))] == encoded


@pytest.mark.parametrize(("content_type", "suffix"), [("image/png", ".png"), ("image/webp", ".WEBP")])
def test_png_and_webp(content_type: str, suffix: str, tmp_path: Path) -> None:
    encoded = write_images(tmp_path, 2, content_type=content_type, suffix=suffix)
    assert [grab.picture for grab in grabs_of(open_folder(tmp_path, OPTIONS))] == encoded
    assert [grab.picture for grab in grabs_of(open_image(tmp_path / f"frame1{suffix}", OPTIONS))] == [encoded[1]]


def test_natural_order() -> None:
    names = ["frame10.jpg", "frame9.jpg", "Frame2.jpg", "a.jpg", "10.jpg", "9.jpg", "frame2b.jpg"]
    ordered = sorted(names, key=natural_key)
    assert ordered == ["9.jpg", "10.jpg", "a.jpg", "Frame2.jpg", "frame2b.jpg", "frame9.jpg", "frame10.jpg"]


def test_what_is_no_image_is_named_and_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    encoded = write_images(tmp_path, 3)
    (tmp_path / "frame1.jpg").write_bytes(b"not a JPEG, whatever its name says")
    (tmp_path / ".hidden").write_text("not even looked at")
    with caplog.at_level(logging.WARNING):
        grabs = grabs_of(open_folder(tmp_path, OPTIONS))
    assert [grab.picture for grab in grabs] == [encoded[0], encoded[2]]
    assert [record.getMessage().partition(": ")[0] for record in caplog.records] == [f"skipped {tmp_path}/frame1.jpg"]


def test_a_loop_begins_again(tmp_path: Path) -> None:
    first, second = write_images(tmp_path, 2)
    source = open_folder(tmp_path, SourceOptions(camera_id="a", loop=True, fps=5))
    grabs = grabs_of(source, most=5)
    assert [grab.picture for grab in grabs] == [first, second, first, second, first]
    assert [grab.media_time_ns for grab in grabs] == [0, 200_000_000, 0, 200_000_000, 0]


def test_a_loop_does_not_spin_when_its_files_are_gone(tmp_path: Path) -> None:
    write_images(tmp_path, 1)
    source = open_folder(tmp_path, SourceOptions(camera_id="a", loop=True))
    (tmp_path / "frame0.jpg").unlink()
    with pytest.raises(SourceLost, match="none of its files"):
        source.grab()


def test_folders_and_files_that_cannot_be_a_source(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"is empty; expected JPEG, PNG or WebP"):
        open_folder(tmp_path, OPTIONS)
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(SourceError, match=r"none of the 1 files .* is an image"):
        open_folder(tmp_path, OPTIONS)
    (tmp_path / "picture.jpg").write_text("hello")
    with pytest.raises(SourceError, match=r"picture.jpg': is not a JPEG, PNG or WebP"):
        open_image(tmp_path / "picture.jpg", OPTIONS)
