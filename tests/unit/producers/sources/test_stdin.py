"""JPEGs on standard input."""

import os
import resource
import threading

import pytest
from producer_support import noise

from producers.sources import SourceOptions, open_source
from producers.sources.stdin import Piped
from streams.contract.errors import SettingError, SourceError
from streams.contract.images import encode

OPTIONS = SourceOptions(camera_id="a", clock=lambda: 7)


def test_pictures_pass_byte_for_byte_until_the_writer_ends() -> None:
    pictures = [encode(noise(160, 120, seed=seed)) for seed in range(8)]
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(b"".join(pictures))

    writer = threading.Thread(target=write)
    writer.start()
    source = Piped(OPTIONS, descriptor=reading)
    found = []
    while (grab := source.grab()) is not None:
        found.append(grab)
    writer.join()
    os.close(reading)
    assert [grab.picture for grab in found] == pictures
    assert {grab.captured_at_ns for grab in found} == {7}


def test_a_stop_ends_the_wait() -> None:
    reading, writing = os.pipe()
    options = SourceOptions(camera_id="a")
    threading.Timer(0.1, options.stop.set).start()
    assert Piped(options, descriptor=reading).grab() is None
    os.close(reading)
    os.close(writing)


def test_what_is_no_jpeg_is_said() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"this is no picture")
    os.close(writing)
    with pytest.raises(SourceError, match="no JPEGs; write them with"):
        Piped(OPTIONS, descriptor=reading).grab()
    os.close(reading)


def test_half_a_picture_is_counted() -> None:
    reading, writing = os.pipe()
    picture = encode(noise(160, 120, seed=1))
    os.write(writing, picture[:500] + picture)
    os.close(writing)
    source = Piped(OPTIONS, descriptor=reading)
    grab = source.grab()
    assert grab is not None
    assert grab.picture == picture
    assert source.damaged == 1
    os.close(reading)


def test_without_a_standard_input_that_is_said() -> None:
    # One that is just closed could be another thread's by now; the last one that is allowed is nobody's.
    closed = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 1
    with pytest.raises(SourceError, match="no standard input"):
        Piped(OPTIONS, descriptor=closed)


def test_it_takes_nothing_behind_its_name() -> None:
    assert open_source("stdin:", OPTIONS).name == "stdin:"
    with pytest.raises(SettingError, match="nothing behind it"):
        open_source("stdin:0", OPTIONS)
