"""F14: forged headers: dead letters, or ignored as documented; nothing is published outside the configured topics."""

from collections.abc import Callable
from dataclasses import astuple

import figures as fig
from feed import GOOD, Content, Headers, camera_on_each
from figures import Figure
from kafka_support import unique
from scene import PARTITIONS, Scene
from topics import ends, make_topic

from streams.contract.headers import MAX_HEADERS

ROUNDS, ROUNDS_SHORT = 10, 2
HUGE, PIECE = 10_000_000, 100_000


def forged(scene: Scene, *, short: bool) -> list[Figure]:
    """Send each kind to each partition, good frames in between, and compare where all topics of the broker end."""
    elsewhere = unique("elsewhere")
    make_topic(scene.bootstrap, elsewhere, partitions=1)
    scene.start_worker()
    scene.wait_for_workers(1)
    scene.begin()
    before = ends(scene.bootstrap)
    cameras = camera_on_each(PARTITIONS)
    feed = scene.feed(cameras)
    kinds = forgeries([elsewhere, scene.topics.raw, scene.topics.processed])
    for _ in range(ROUNDS_SHORT if short else ROUNDS):
        for content in scene.random.sample(list(kinds.values()), len(kinds)):
            for camera in cameras:
                feed.send(camera, content)
                feed.send(camera, GOOD)
            # Ten megabytes each: more than a client's queue would take.
            feed.flush()
    scene.settle()
    after = ends(scene.bootstrap)
    grown = {name: end - before.get(name, 0) for name, end in after.items()}
    outside = {name: count for name, count in grown.items() if count and name not in astuple(scene.topics)}
    if outside:
        print(f"    published elsewhere: {outside}")
    found = [
        *scene.figures(),
        fig.exactly("duplicates on the wire", fig.repeats(scene.reader.arrivals()), 0),
        fig.shown("kinds", len(kinds)),
        fig.exactly("published elsewhere", sum(outside.values()), 0),
        fig.exactly("published to the input", grown[scene.topics.raw] - len(scene.ledger), 0),
        fig.exactly("agent restarts", scene.restarts(), 0),
        fig.exactly("rebalances", scene.rebalances(), 0),
    ]
    scene.stop_workers()
    return found


def forgeries(reply_to: list[str]) -> dict[str, Content]:
    """Each kind; reply_to: topics that a record would have an agent of Faust's answer to."""
    bad: dict[str, Callable[[Headers], Headers]] = {
        "another camera's id": lambda h: h | {"ce_id": b"gate-9/e1/0"},
        "another camera's source": lambda h: h | {"ce_source": b"/cameras/gate-9"},
        "another sequence": lambda h: h | {"ce_frameseq": b"123456789"},
        "another epoch": lambda h: h | {"ce_epoch": b"e2"},
        "a sequence below zero": lambda h: h | {"ce_id": _run_of(h) + b"/-1"},
        "a sequence of 30 digits": lambda h: h | {"ce_id": _run_of(h) + b"/" + b"9" * 30},
        "an id of nothing": lambda h: h | {"ce_id": b""},
        "an id that is not UTF-8": lambda h: h | {"ce_id": b"\xff\xfe"},
        "an epoch that is not UTF-8": lambda h: h | {"ce_epoch": b"\xff"},
        "a time that is no number": lambda h: h | {"ce_capturedns": b"yesterday"},
        "10 MB in one header": lambda h: h | {"x-huge": bytes(HUGE)},
        "10 MB in many headers": lambda h: h | {f"x-{n}": bytes(PIECE) for n in range(HUGE // PIECE)},
        "too many headers": lambda h: h | {f"x-{n}": b"" for n in range(MAX_HEADERS)},
    }
    ignored: dict[str, Callable[[Headers], Headers]] = {
        "others' header that is not UTF-8": lambda h: h | {"x-note": b"\xff\xfe"},
        "a traceparent that is not UTF-8": lambda h: h | {"traceparent": b"\xff"},
        "a wrong content type": lambda h: h | {"content-type": b"text/html"},
        "a header of null": lambda h: h | {"x-null": None},
    }
    for number, topic in enumerate(reply_to):
        asks = {"Faust-Ag-ReplyTo": topic.encode(), "Faust-Ag-CorrelationId": b"1"}
        ignored[f"a reply to topic {number}"] = lambda h, asks=asks: h | asks  # type: ignore[misc]
    return {
        **{kind: Content(reason="bad_headers", forge=forge) for kind, forge in bad.items()},
        **{kind: Content(forge=forge) for kind, forge in ignored.items()},
    }


def _run_of(headers: Headers) -> bytes:
    """`camera/epoch`, as the headers have it."""
    name = headers["ce_id"]
    assert isinstance(name, bytes)
    return name.rpartition(b"/")[0]
