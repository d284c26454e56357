"""The samples in docs/subscribers, each run against the real broker; the README's table says what they have shown.

`make languages` writes that table anew.
"""

import json
import os
import re
import shutil
import signal
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka import Message, Producer
from consumer_support import frame_of, picture, publish, publish_bare
from kafka_support import drain, read_lines, unique
from language_support import (
    BUILD,
    LANGUAGES,
    ROOT,
    SAMPLES,
    Language,
    assert_written,
    files_of,
    frames_of,
    javascript,
    places_of,
    runtime_of,
    signal_all,
    started,
    written,
)

from consumers import subscribe
from consumers.received import ReceivedFrame
from producers import CameraProducer
from streams.contract.frame import Frame
from streams.contract.headers import to_headers

CAMERAS = ("gate-1", "gate-2", "gate-3")
README = ROOT / "README.md"
ROWS = re.compile(r"(?<=<!-- languages -->\n).*?(?=<!-- /languages -->)", re.DOTALL)
each_language = pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)


@pytest.fixture(scope="module")
def shown() -> dict[str, list[str]]:
    """What has been shown of each language, in the table's words."""
    return defaultdict(list)


def send(bootstrap: str, topic: str, frame: Frame, *, headers: Sequence[tuple[str, bytes | None]]) -> None:
    """Publish a frame with more headers, which take the place of those before them."""
    producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random"})
    replaced = {name for name, _ in headers}
    kept = [each for each in to_headers(frame) if each[0] not in replaced]
    producer.produce(topic, frame.data, frame.camera_id, headers=[*kept, *headers])
    assert producer.flush(20) == 0


def arguments(bootstrap: str, topic: str, folder: Path, group: str) -> list[str]:
    return ["--bootstrap", bootstrap, "--topic", topic, "--to", str(folder), "--group", group]


def end(process: "subprocess.Popen[bytes]") -> tuple[list[str], str]:
    """Ctrl-C; what it printed since, and its stderr."""
    signal_all(process, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err.decode()
    return out.decode().splitlines(), err.decode()


@each_language
def test_a_subscriber_writes_each_picture_once_and_goes_on_where_it_was(
    language: Language,
    kafka_bootstrap: str,
    make_topic: Callable[..., str],
    tmp_path: Path,
    shown: dict[str, list[str]],
) -> None:
    program = language.command()
    topic, group, folder = make_topic(), unique("language"), tmp_path / "frames"
    frames = frames_of(CAMERAS, range(10))
    publish(kafka_bootstrap, topic, frames)
    # Line ends, commas, bytes that are no text, and nothing at all: others may write what they like.
    send(kafka_bootstrap, topic, frame_of("gate-4"), headers=[("x-a", b"1,\n\n\xff\x00,ce_x=2\n"), ("x-b", None)])
    # Named as that one, but of another pipeline: no repeat.
    publish(kafka_bootstrap, topic, [frame_of("gate-4", pipeline="other")])
    bare = frame_of("bare-1", 7)
    publish_bare(kafka_bootstrap, topic, [bare.data], key="bare-1")
    repeats = frames[::5]
    publish(kafka_bootstrap, topic, repeats)
    publish_bare(kafka_bootstrap, topic, [picture()], key="../up")
    publish_bare(kafka_bootstrap, topic, [None], key="gate-1")
    for name in (b"gate-1/../../up/1", b"gate-1/e/1;x", b"gate-9/e/1"):
        send(kafka_bootstrap, topic, frame_of("gate-1"), headers=[("ce_id", name)])
    records = drain(kafka_bootstrap, topic)
    (place,) = [record for record in records if record.key() == b"bare-1"]
    files = {f"bare-1/@{topic}-{place.partition()}-{place.offset()}.jpg": 7}
    files |= files_of([*frames, frame_of("gate-4")])

    command = [*program, *arguments(kafka_bootstrap, topic, folder, group)]
    done = subprocess.run(
        [*command, "--count", str(len(records))], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert_written(folder, files)
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [len(line) for line in lines] == [2] * (len(files) + 1)
    for camera in CAMERAS:
        assert [name for its, name in lines if its == camera] == [f.name for f in frames if f.camera_id == camera]
    dropped, refused = done.stderr.count("repeated: "), done.stderr.count("no frame: ")
    assert (dropped, refused) == (len(repeats), 5), done.stderr

    more = frames_of(CAMERAS, [10])
    publish(kafka_bootstrap, topic, more)
    with started(command) as process:
        lines_then = read_lines(process, len(more))
        assert end(process) == ([], "")
    assert sorted(line.split()[1] for line in lines_then) == sorted(frame.name for frame in more)
    assert_written(folder, files | files_of(more))
    assert all(at == last for at, last in places_of(kafka_bootstrap, topic, group).values())
    shown[language.name].append(
        f"{len(files)} pictures written, {dropped} repeats dropped, {refused} that are no frames refused; "
        f"after Ctrl-C and a start just the {len(lines_then)} that were new"
    )


def test_subscribers_that_are_killed_lose_nothing(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path, shown: dict[str, list[str]]
) -> None:
    programs = {each.name: each.command() for each in LANGUAGES if each.keeps}
    topic = make_topic()
    frames = frames_of(CAMERAS, range(100))
    publish(kafka_bootstrap, topic, frames)
    records = drain(kafka_bootstrap, topic)
    groups = {name: unique("killed") for name in programs}
    commands = {
        name: [*program, *arguments(kafka_bootstrap, topic, tmp_path / name, groups[name])]
        for name, program in programs.items()
    }
    for command in commands.values():
        with started(command) as process:
            read_lines(process, 20)
            signal_all(process, signal.SIGKILL)
    done = {name: committed(records, places_of(kafka_bootstrap, topic, group)) for name, group in groups.items()}
    for name, names in done.items():
        assert set(files_of(frame for frame in frames if frame.name in names)) <= written(tmp_path / name), name

    last = frames_of(CAMERAS, [100])
    # All at once, since each group takes ten seconds to notice.
    publish(kafka_bootstrap, topic, last)
    with ExitStack() as stack:
        for name, process in [(name, stack.enter_context(started(each))) for name, each in commands.items()]:
            expected = len(frames) + len(last) - len(done[name])
            names = {line.split()[1] for line in read_lines(process, expected)}
            assert end(process)[0] == [], name
            assert names == {frame.name for frame in [*frames, *last]} - done[name], name
    for name, group in groups.items():
        assert_written(tmp_path / name, files_of([*frames, *last]))
        assert all(at == end for at, end in places_of(kafka_bootstrap, topic, group).values()), name
        shown[name].append(f"after `kill -9` none of {len(frames) + len(last)} missing")


def committed(records: Iterable[Message], places: dict[int, tuple[int, int]]) -> set[str]:
    """The names of the frames that a group has done with."""
    return {
        dict(record.headers() or [])["ce_id"].decode()
        for record in records
        if (record.offset() or 0) < places[record.partition() or 0][0]
    }


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each.keeps], ids=lambda language: language.name)
def test_what_cannot_be_written_is_not_committed(
    language: Language, kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topic, group = make_topic(partitions=1), unique("full")
    publish(kafka_bootstrap, topic, frames_of(["gate-1"], range(3)) + frames_of(["gate-2"], range(3)))
    # A file where the second camera's folder should be.
    (tmp_path / "gate-2").touch()
    command = [*language.command(), *arguments(kafka_bootstrap, topic, tmp_path, group)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert str(tmp_path / "gate-2") in done.stderr
    ((at, _),) = places_of(kafka_bootstrap, topic, group).values()
    assert at <= 3
    assert written(tmp_path) == {"gate-2", *files_of(frames_of(["gate-1"], range(3)))}


def test_a_camera_in_javascript_is_as_good_as_one_of_ours(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path, shown: dict[str, list[str]]
) -> None:
    command = javascript("producer.mjs")
    topic, cameras = make_topic(partitions=12), ["gate-1", "kitchen", "yard", "north"]
    values = [picture(number) for number in range(3)]
    for number, value in enumerate(values):
        (tmp_path / f"{number}.jpg").write_bytes(value)
    (tmp_path / "notes.txt").touch()
    options = ["--bootstrap", kafka_bootstrap, "--topic", topic, "--fps", "100", str(tmp_path)]
    with ExitStack() as stack:
        for process in [stack.enter_context(started([*command, "--camera", each, *options])) for each in cameras]:
            out, err = process.communicate(timeout=60)
            assert (process.returncode, err) == (0, b"")
            assert len(out.splitlines()) == len(values)
    theirs = drain(kafka_bootstrap, topic)
    for camera in cameras:
        with CameraProducer(camera, bootstrap=kafka_bootstrap, topic=topic) as ours:
            ours.publish(values[0])
    partitions: dict[bytes, set[int]] = defaultdict(set)
    for message in drain(kafka_bootstrap, topic):
        partitions[message.key() or b""].add(message.partition() or 0)
    assert [len(its) for its in partitions.values()] == [1] * len(cameras)
    assert len(set.union(*partitions.values())) > 1, "all on one partition, which proves nothing"

    headers = {(message.partition(), message.offset()): dict(message.headers() or []) for message in theirs}
    with subscribe(topic, bootstrap=kafka_bootstrap, since="-10m", until="now") as subscription:
        frames = [frame for frame in subscription if place_of(frame) in headers]
        assert subscription.refused == {}
    for camera in cameras:
        its = [frame for frame in frames if frame.camera_id == camera]
        assert [(frame.sequence, frame.data) for frame in its] == list(enumerate(values))
        assert len({frame.epoch for frame in its}) == 1
    for frame in frames:
        # As we would have written them, but for a time that is told to the millisecond, and sizes, which are not told.
        told, expected = headers[place_of(frame)], dict(to_headers(frame))
        assert set(expected) - set(told) == {"ce_width", "ce_height"}
        assert told.pop("ce_time").rstrip(b"Z") + b"000Z" == expected["ce_time"]
        assert told.items() <= expected.items()
    shown["JavaScript"].append(
        f"producer: {len(frames)} frames of {len(cameras)} cameras read by `subscribe()`, on the partitions of ours"
    )


def place_of(frame: ReceivedFrame) -> tuple[int, int]:
    _, partition, offset = frame.place.split("/")
    return int(partition), int(offset)


def test_a_camera_in_javascript_says_how_it_is_used() -> None:
    command = [*javascript("producer.mjs"), "--camera", "../up", "x"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")


def test_the_sample_in_go_is_formatted() -> None:
    if shutil.which("gofmt") is None:
        pytest.skip("gofmt is not installed")
    done = subprocess.run(["gofmt", "-l", str(SAMPLES / "go")], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == ""


def test_no_file_of_a_sample_names_where_packages_come_from() -> None:
    lock = json.loads((SAMPLES / "javascript" / "package-lock.json").read_text())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    assert (SAMPLES / "javascript" / ".npmrc").read_text() == "omit-lockfile-registry-resolved=true\n"


def test_the_readme_tells_what_this_run_has_shown(shown: dict[str, list[str]]) -> None:
    parts = {"JavaScript": 3, "Go": 2, "Java": 2, "Shell": 1}
    whole = [each for each in LANGUAGES if len(shown[each.name]) == parts[each.name]]
    if not whole:
        pytest.skip("no language's tests have all been run")
    table = [
        {
            "language": each.name,
            "client": each.client(),
            "sample": ", ".join(f"[{Path(name).name}](docs/subscribers/{name})" for name in each.samples),
            "shown": "; ".join(shown[each.name]),
        }
        for each in whole
    ]
    BUILD.mkdir(parents=True, exist_ok=True)
    runtimes = {each.name: runtime_of(each) for each in whole}
    told = [row | {"runtime": runtimes[row["language"]]} for row in table]
    (BUILD.parent / "languages.json").write_text(json.dumps(told, indent=2) + "\n")
    rows = ["| " + " | ".join(row.values()) + " |" for row in table]
    text = README.read_text()
    if os.environ.get("FRAMELANE_WRITE_LANGUAGES") == "1":
        assert len(whole) == len(LANGUAGES), "some languages were not run: the table would lose them"
        head = ["| language | client, as tested | sample | shown by the test run |", "| --- | --- | --- | --- |"]
        README.write_text(ROWS.sub(lambda _: "\n".join([*head, *rows]) + "\n", text))
        return
    in_readme = ROWS.findall(text)
    assert len(in_readme) == 1, "README.md has no table of languages"
    missing = set(rows) - set(in_readme[0].splitlines())
    assert not missing, "README.md tells of another run; make languages writes its table anew"
