from pathlib import Path

import numpy as np
import pytest
from producer_support import mjpeg_camera, scene_images, web_folder, write_video

from producers.sources.base import SourceOptions
from producers.sources.network import open_network
from producers.stamp import read_stamp
from streams.contract.errors import SourceLost
from streams.contract.images import encode


def test_an_mjpeg_camera_is_live_and_lost_when_it_hangs_up() -> None:
    with mjpeg_camera([encode(image, quality=90) for image in scene_images(20)]) as address:
        source = open_network(address, SourceOptions(camera_id="a"))
        assert source.live
        seen = []
        with pytest.raises(SourceLost, match=r"http://127.0.0.1:\d+/video"):
            while True:
                grab = source.grab()
                assert grab is not None
                assert isinstance(grab.picture, np.ndarray)
                seen.append(read_stamp(grab.picture))
        source.close()
    numbers = [stamp.sequence for stamp in seen if stamp is not None]
    assert len(numbers) == len(seen) >= 15
    assert numbers == sorted(set(numbers))


def test_a_video_behind_http_ends_or_begins_again(tmp_path: Path) -> None:
    write_video(tmp_path / "video.avi", scene_images(12), codec="MJPG")
    with web_folder(tmp_path) as address:
        once = open_network(f"{address}/video.avi", SourceOptions(camera_id="a"))
        assert not once.live
        assert len([grab for grab in iter(once.grab, None)]) == 12
        once.close()
        source = open_network(f"{address}/video.avi", SourceOptions(camera_id="a", loop=True))
        grabs = [source.grab() for _ in range(30)]
        source.close()
    stamps = [read_stamp(grab.picture) for grab in grabs if grab and isinstance(grab.picture, np.ndarray)]
    assert [stamp.sequence for stamp in stamps if stamp] == [*range(12), *range(12), *range(6)]


def test_a_video_behind_http_that_is_gone_when_it_is_to_begin_again_is_lost(tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.avi", scene_images(12), codec="MJPG")
    with web_folder(tmp_path) as address:
        source = open_network(f"{address}/video.avi", SourceOptions(camera_id="a", loop=True))
        path.unlink()
        with pytest.raises(SourceLost, match=r"video\.avi"):
            while source.grab():
                pass
        source.close()
