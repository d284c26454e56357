"""What both readers of streams promise, the one of OpenCV and that of PyAV."""

from pathlib import Path

import pytest
from producer_support import mjpeg_camera, scene_images, web_folder, write_video
from video_support import grabs_of, numbers

from producers.sources.base import Decoder, Grab, Source, SourceOptions
from producers.sources.network import open_stream_here
from streams.contract.errors import SourceLost
from streams.contract.images import encode


@pytest.fixture(params=["pyav", "opencv"])
def decoder(request: pytest.FixtureRequest) -> Decoder:
    return "pyav" if request.param == "pyav" else "opencv"


def opened(address: str, decoder: Decoder, *, loop: bool = False) -> Source:
    return open_stream_here(address, SourceOptions(camera_id="a", decoder=decoder, loop=loop))


def test_an_mjpeg_camera_is_live_and_lost_when_it_hangs_up(decoder: Decoder) -> None:
    with mjpeg_camera([encode(image, quality=90) for image in scene_images(20)]) as address:
        source = opened(address, decoder)
        assert source.live
        grabs: list[Grab] = []
        with pytest.raises(SourceLost, match=r"http://127.0.0.1:\d+/video"):
            while grab := source.grab():
                assert isinstance(grab, Grab)
                grabs.append(grab)
        source.close()
    seen = numbers(grabs)
    assert len(seen) >= 15
    assert seen == sorted(set(seen) - {-1})


def test_a_video_behind_http_ends_or_begins_again(decoder: Decoder, tmp_path: Path) -> None:
    write_video(tmp_path / "video.avi", scene_images(12), codec="MJPG")
    with web_folder(tmp_path) as address:
        once = opened(f"{address}/video.avi", decoder)
        assert not once.live
        assert numbers(grabs_of(once)) == [*range(12)]
        once.close()
        source = opened(f"{address}/video.avi", decoder, loop=True)
        grabs = grabs_of(source, most=30)
        source.close()
    assert numbers(grabs) == [*range(12), *range(12), *range(6)]


def test_a_video_behind_http_that_is_gone_when_it_is_to_begin_again_is_lost(decoder: Decoder, tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.avi", scene_images(12), codec="MJPG")
    with web_folder(tmp_path) as address:
        source = opened(f"{address}/video.avi", decoder, loop=True)
        path.unlink()
        with pytest.raises(SourceLost, match=r"video\.avi"):
            grabs_of(source)
        source.close()
