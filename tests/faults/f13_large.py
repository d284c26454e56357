"""F13: what is above a topic's limit: refused at the producer with an error that tells the mend; a dead letter there.

A worker whose output is too large carries on. The dead letter holds the frame where its topic takes that; otherwise it
refers to where the frame lies.
"""

import time
from collections.abc import Collection, Mapping
from itertools import pairwise

import cv2
import figures as fig
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from feed import EPOCH, GOOD, Content, camera_on_each
from figures import Figure
from kafka_support import drain, run_cli, unique
from ledger import FrameName, Place
from producer_support import noise
from scene import PARTITIONS, Scene, Setup
from topics import make_topic
from worker_support import JPEG, identity, input_of

from producers import CameraProducer, FrameProducer
from streams.contract.errors import MessageTooLarge
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.status import CameraSums

LIMIT = 200_000
# Of each camera; one in ten is too large.
FRAMES, FRAMES_SHORT = 200, 50
ONE_IN = 10
CAMERA = "gate-1"
SETUP = Setup(operators=('op = "resize", width = 1280',), settle_s=120.0)


def _jpeg(width: int, height: int, quality: int) -> bytes:
    return cv2.imencode(".jpg", noise(width, height, seed=1), [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


# Above the limit as it comes.
LARGE = _jpeg(640, 480, 95)
# Below it as they come, and all above it once they are enlarged. Noise stays large.
OUTPUT_TOO_LARGE = Content(_jpeg(320, 240, 20), "output_too_large", "publish")
# The dead letters' topic has the same limit, so it takes none with this frame in it.
LETTER_TOO_LARGE = Content(LARGE, "output_too_large", "publish")
# No worker even tries that with this one.
ABOVE_ALL_LETTERS = Content(cv2.imencode(".png", noise(1400, 1200, seed=2))[1].tobytes(), "output_too_large", "publish")
KINDS = (ABOVE_ALL_LETTERS, OUTPUT_TOO_LARGE, LETTER_TOO_LARGE, OUTPUT_TOO_LARGE, LETTER_TOO_LARGE)


def refused(scene: Scene, *, short: bool) -> list[Figure]:
    """Our producers send frames above the limit of their topic, among others: a script's, and `framelane produce`."""
    topic = unique("limited")
    make_topic(scene.bootstrap, topic, partitions=1)
    limit(scene.bootstrap, topic)
    count = FRAMES_SHORT if short else FRAMES
    told, sums = _script(scene.bootstrap, topic, count)
    numbers = [identity(message)[2] for message in drain(scene.bootstrap, topic)]
    code, words = _command(scene, topic)
    mends = (CAMERA, str(len(LARGE)), topic, str(LIMIT), "--quality", "--size", "--max-bytes")
    unclear = [text for text in (*told, words) if any(mend not in text for mend in mends)]
    for text in unclear[:3]:
        print(f"    unclear: {text}")
    sizes = [len(message.value() or b"") for message in drain(scene.bootstrap, topic)]
    too_large = sums.dropped.get("too_large", 0)
    return [
        fig.shown("produced", sums.produced),
        fig.exactly("lost", sums.produced - len(set(numbers)), 0),
        fig.exactly("duplicates on the wire", len(numbers) - len(set(numbers)), 0),
        fig.exactly("out of order", sum(after < before for before, after in pairwise(numbers)), 0),
        fig.exactly("counted as too large", too_large, count // ONE_IN),
        fig.exactly("good ones dropped", count - sums.produced - too_large, 0),
        fig.exactly("frames above the limit on the topic", sum(size > LIMIT for size in sizes), 0),
        fig.exactly("a script is told", bool(told), 1),
        fig.exactly("framelane produce: exit code", code, 1),
        fig.exactly("framelane produce: tracebacks", words.count("Traceback"), 0),
        fig.exactly("errors without camera, sizes, topic or mend", len(unclear), 0),
    ]


def outputs(scene: Scene, *, short: bool) -> list[Figure]:
    """Outputs that no topic takes, of frames that are small, too large for a dead letter, and too large for any."""
    topics, sent = scene.topics, dict[FrameName, Content]()
    for topic in (topics.processed, topics.dead_letter):
        limit(scene.bootstrap, topic)

    def content(camera: str, sequence: int) -> Content:
        chosen = KINDS[sequence // ONE_IN % len(KINDS)] if sequence % ONE_IN == ONE_IN // 2 else GOOD
        sent[FrameName(camera, EPOCH, sequence)] = chosen
        return chosen

    scene.start_worker()
    scene.wait_for_workers(1)
    scene.begin()
    cameras = camera_on_each(PARTITIONS)
    feed = scene.feed(cameras, contents=content)
    for _ in range(FRAMES_SHORT if short else FRAMES):
        for camera in cameras:
            feed.send(camera)
    feed.flush()
    scene.settle()
    letters = {FrameName(*identity(message)): message for message in drain(scene.bootstrap, topics.dead_letter)}
    holding = {name for name, letter in letters.items() if letter.value()}
    frames = scene.ledger.frames()
    astray = [name for name, letter in letters.items() if frames[Place(*input_of(letter))].name != name]
    found = [
        *scene.figures(),
        fig.exactly("duplicates on the wire", fig.repeats(scene.reader.arrivals()), 0),
        fig.shown("dead letters that refer to their frame", len(letters) - len(holding)),
        fig.exactly("that hold it and should refer", sum(sent[name] is not OUTPUT_TOO_LARGE for name in holding), 0),
        fig.exactly("that hold another", sum(letters[name].value() != sent[name].value for name in holding), 0),
        fig.exactly("that refer to another", len(astray), 0),
        fig.exactly("referred to and not fetched", len(_not_fetched(scene, letters.keys() - holding, sent)), 0),
        fig.exactly("agent restarts", scene.restarts(), 0),
        fig.exactly("rebalances", scene.rebalances(), 0),
    ]
    scene.stop_workers()
    return found


def limit(bootstrap: str, topic: str, *, max_bytes: int = LIMIT) -> None:
    """Let the topic take no record batch above this size, in bytes."""
    entry = ConfigEntry("max.message.bytes", str(max_bytes), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    admin.incremental_alter_configs([resource])[resource].result(timeout=30)
    # What the controller has taken down the broker obeys a moment later.
    give_up = time.monotonic() + 30
    while admin.describe_configs([resource])[resource].result(timeout=30)["max.message.bytes"].value != str(max_bytes):
        assert time.monotonic() < give_up, f"topic {topic} has no limit"
        time.sleep(0.05)


def _script(bootstrap: str, topic: str, count: int) -> tuple[list[str], CameraSums]:
    """What a script with a CameraProducer is told, and its sums; one frame in ten is too large."""
    told = []
    with (
        FrameProducer(KafkaSettings(bootstrap=bootstrap), status_topic=None) as producer,
        CameraProducer(CAMERA, producer=producer, topic=topic) as camera,
    ):
        for sequence in range(count):
            try:
                camera.publish(LARGE if sequence % ONE_IN == ONE_IN // 2 else JPEG)
                if sequence == count - 1:
                    camera.flush()
            except MessageTooLarge as error:
                told.append(str(error))
        return told, camera.sums


def _command(scene: Scene, topic: str) -> tuple[int, str]:
    """Exit code and words of `framelane produce` for a folder with one picture that is too large among others."""
    folder = scene.folder / "pictures"
    folder.mkdir()
    for number, data in enumerate((JPEG, LARGE, JPEG)):
        (folder / f"{number}.jpg").write_bytes(data)
    arguments = ["produce", str(folder), "--camera", CAMERA, "--topic", topic, "--bootstrap", scene.bootstrap]
    done = run_cli([*arguments, "--no-status"])
    return done.returncode, done.stderr


def _not_fetched(scene: Scene, names: Collection[FrameName], sent: Mapping[FrameName, Content]) -> list[FrameName]:
    """Of each kind one letter that only refers: those whose frame `framelane dead-letters show --to` does not get."""
    of_each = {id(sent[name]): name for name in sorted(names)}
    missing = []
    for name in of_each.values():
        file = scene.folder / f"fetched-{name.sequence}"
        id_, topic = "/".join(map(str, name)), scene.topics.dead_letter
        done = run_cli(
            ["dead-letters", "show", id_, "--to", str(file), "--topic", topic, "--bootstrap", scene.bootstrap]
        )
        if done.returncode or file.read_bytes() != sent[name].value:
            print(f"    {id_}: {done.stderr}")
            missing.append(name)
    return missing
