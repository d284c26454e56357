"""What the reader of PyAV does beyond that of OpenCV (test_video_file.py)."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from producer_support import scene_images
from video_support import grabs_of, numbers, packets_of, without_tables, write_jpegs, write_sound, write_with_pyav

from producers.sources.base import SourceOptions
from producers.sources.pyav_file import PyavFile, open_pyav_file
from producers.sources.video_file import VideoFile
from streams.contract.errors import SourceError
from streams.contract.images import encode

OPTIONS = SourceOptions(camera_id="a")
SIZE = (322, 242)


def test_it_says_what_it_reads_and_with_what(tmp_path: Path) -> None:
    source = open_pyav_file(write_with_pyav(tmp_path / "video.mp4", scene_images(3)), OPTIONS)
    assert (source.codec, source.decoder) == ("h264", f"PyAV {av.__version__}")
    source.close()
    source.close()


@pytest.mark.parametrize(("suffix", "first"), [(".mp4", 0), (".mov", 0), (".ts", 50)])
def test_positions_are_exact(suffix: str, first: int, tmp_path: Path) -> None:
    fps = Fraction(30_000, 1001)
    path = write_with_pyav(tmp_path / f"v{suffix}", scene_images(40), fps=fps, first=first, settings={"bf": "2"})
    grabs = grabs_of(open_pyav_file(path, OPTIONS))
    assert numbers(grabs) == list(range(40))
    # MPEG-TS counts in 1/90000 s, of which a frame has 3003.
    assert [grab.media_time_ns for grab in grabs] == [round(index / fps * 1_000_000_000) for index in range(40)]


def test_the_jpegs_of_a_video_pass_byte_for_byte(tmp_path: Path) -> None:
    path = write_with_pyav(tmp_path / "video.avi", scene_images(12), codec="mjpeg")
    source = open_pyav_file(path, OPTIONS)
    grabs = grabs_of(source)
    assert source.codec == "mjpeg"
    assert [grab.picture for grab in grabs] == packets_of(path)
    assert numbers(grabs) == list(range(12))
    assert [grab.media_time_ns for grab in grabs] == [round(index * 1e9 / 15) for index in range(12)]


def test_jpegs_without_their_tables_are_decoded(tmp_path: Path) -> None:
    images = scene_images(5)
    whole = packets_of(write_with_pyav(tmp_path / "whole.avi", images, codec="mjpeg"))
    path = write_jpegs(tmp_path / "bare.avi", [without_tables(jpeg) for jpeg in whole], size=(320, 240))
    grabs = grabs_of(open_pyav_file(path, OPTIONS))
    assert all(isinstance(grab.picture, np.ndarray) for grab in grabs)
    assert numbers(grabs) == list(range(5))


def test_what_is_no_picture_among_them_is_counted_and_not_taken_for_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    jpegs = [encode(image) for image in scene_images(5)]
    jpegs[2] = b"\xff\xd8\xff\xe0 this is no picture"
    source = open_pyav_file(write_jpegs(tmp_path / "video.avi", jpegs, size=(320, 240)), OPTIONS)
    grabs = grabs_of(source)
    assert numbers(grabs) == [0, 1, 3, 4]
    assert source.damaged == 1
    assert not caplog.records


@pytest.mark.parametrize(
    "made",
    [
        {"rotation": (90, False)},
        {"rotation": (-90, False)},
        {"rotation": (180, False)},
        {"rotation": (45, False)},
        {"rotation": (0, True)},
        {"rotation": (90, True)},
        {"codec": "mjpeg", "rotation": (90, False)},
        {"pix_fmt": "yuvj420p"},
        {"pix_fmt": "yuv444p"},
        {"pix_fmt": "yuv420p10le"},
        {"colorspace": 1},
        {"codec": "mpeg4"},
        {"codec": "ffv1", "pix_fmt": "gray"},
    ],
    ids=str,
)
def test_pictures_are_those_that_opencv_gives(made: dict[str, Any], tmp_path: Path) -> None:
    name = "video.mkv" if made.get("codec") == "ffv1" else "video.mov"
    path = write_with_pyav(tmp_path / name, scene_images(6, size=SIZE), **made)
    ours, theirs = grabs_of(open_pyav_file(path, OPTIONS)), grabs_of(VideoFile(path, OPTIONS))
    assert len(ours) == len(theirs) == 6
    turned = made.get("rotation", (0, False))[0] in (90, -90)
    for our, their in zip(ours, theirs, strict=True):
        assert isinstance(our.picture, np.ndarray)
        assert our.picture.shape == ((*SIZE, 3) if turned else (*SIZE[::-1], 3))
        assert our.picture.flags["C_CONTIGUOUS"]
        assert our.picture.flags["WRITEABLE"]
        np.testing.assert_array_equal(our.picture, their.picture)


def damage(path: Path) -> Path:
    """Overwrite a good part of the second half of a video."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(range(250)) * 16
    path.write_bytes(data)
    return path


def test_damaged_pictures_are_counted_and_the_rest_comes(tmp_path: Path) -> None:
    source = open_pyav_file(damage(write_with_pyav(tmp_path / "video.avi", scene_images(40), codec="ffv1")), OPTIONS)
    assert 30 < len(grabs_of(source)) < 40
    assert source.damaged > 0


@pytest.mark.parametrize("at", [30, 35, 38])
@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_none_behind_a_damaged_picture_near_the_end_is_lost(tmp_path: Path, codec: str, at: int) -> None:
    path = write_with_pyav(tmp_path / "video.mp4", scene_images(40), codec=codec, settings={"g": "1"})
    data = bytearray(path.read_bytes())
    packet = packets_of(path)[at]
    start = data.index(packet)
    data[start + 4 : start + len(packet)] = bytes(len(packet) - 4)
    path.write_bytes(data)
    source = open_pyav_file(path, OPTIONS)
    found = numbers(grabs_of(source))
    assert len(found) + source.damaged == 40
    assert found[-1] == 39


def test_the_picture_in_which_a_file_breaks_off_is_counted(tmp_path: Path) -> None:
    path = write_with_pyav(tmp_path / "video.avi", scene_images(10), codec="mjpeg")
    data, last = path.read_bytes(), packets_of(path)[7]
    path.write_bytes(data[: data.index(last) + len(last) // 2])
    source = open_pyav_file(path, OPTIONS)
    assert numbers(grabs_of(source)) == list(range(7))
    assert source.damaged == 1


def test_ffmpeg_says_nothing_on_its_own(tmp_path: Path) -> None:
    path = damage(write_with_pyav(tmp_path / "video.mp4", scene_images(40)))
    # In a process of its own, whose stderr is all that anything in it writes.
    code = f"""
from pathlib import Path
from producers.sources.base import SourceOptions
from producers.sources.pyav_file import open_pyav_file
source = open_pyav_file(Path({str(path)!r}), SourceOptions(camera_id="a"))
print(len([grab for grab in iter(source.grab, None)]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 10
    assert done.stderr == ""


def test_sound_alone_is_told_to_be_just_that(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"sound\.wav': .*only sound or text"):
        open_pyav_file(write_sound(tmp_path / "sound.wav"), OPTIONS)


def test_a_name_like_an_address_is_a_file_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_with_pyav(tmp_path / "video.mp4", scene_images(3)).rename(tmp_path / "rtsp:video.mp4")
    monkeypatch.chdir(tmp_path)
    assert isinstance(source := open_pyav_file(Path("rtsp:video.mp4"), OPTIONS), PyavFile)
    assert numbers(grabs_of(source)) == [0, 1, 2]


def test_damaged_pictures_of_earlier_rounds_stay_counted(tmp_path: Path) -> None:
    jpegs = [encode(image) for image in scene_images(3)]
    jpegs[1] = b"\xff\xd8\xff\xe0 this is no picture"
    path = write_jpegs(tmp_path / "video.avi", jpegs, size=(320, 240))
    source = open_pyav_file(path, SourceOptions(camera_id="a", loop=True))
    assert numbers(grabs_of(source, most=6)) == [0, 2, 0, 2, 0, 2]
    assert source.damaged == 3
    source.close()


def test_the_last_pictures_come_where_the_sound_is_the_first_stream(tmp_path: Path) -> None:
    plain = write_with_pyav(tmp_path / "plain.mov", scene_images(40), settings={"bf": "2"})
    path = tmp_path / "sound.mov"
    with av.open(str(plain)) as given, av.open(str(path), "w") as out:
        sound = out.add_stream("pcm_s16le", rate=8000, layout="mono")
        video = out.add_stream_from_template(given.streams.video[0])
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        silence.sample_rate = 8000
        out.mux(sound.encode(silence))
        for packet in given.demux(given.streams.video[0]):
            if packet.size:
                packet.stream = video
                out.mux(packet)
    assert numbers(grabs_of(open_pyav_file(path, OPTIONS))) == list(range(40))


def test_times_in_the_order_of_encoding_are_put_right(tmp_path: Path) -> None:
    plain = write_with_pyav(tmp_path / "plain.mp4", scene_images(40), settings={"bf": "2"})
    path = tmp_path / "odd.mp4"
    with av.open(str(plain)) as given, av.open(str(path), "w") as out:
        video = out.add_stream_from_template(given.streams.video[0])
        packets = [packet for packet in given.demux(given.streams.video[0]) if packet.size]
        first = packets[0].dts
        for packet in packets:
            assert packet.dts is not None
            packet.stream, packet.dts = video, packet.dts - first
            packet.pts = packet.dts
            out.mux(packet)
    grabs = grabs_of(open_pyav_file(path, OPTIONS))
    assert numbers(grabs) == list(range(40))
    assert [grab.media_time_ns for grab in grabs] == [round(Fraction(index, 15) * 1_000_000_000) for index in range(40)]
