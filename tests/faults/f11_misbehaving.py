"""F11: an operator raises, hangs or returns nonsense: dead letters with stage and reason; a hang has its deadline."""

import figures as fig
from feed import Content, camera_on_each
from figures import Figure
from scene import PARTITIONS, Scene, Setup
from worker_support import JPEG

OPERATOR = "trial_operators:Misbehave"
FRAMES, FRAMES_SHORT = 100, 25
# What operators do wrong, each to the frames of the camera of that name, and what must come of it.
WRONGS = {
    "raise": "operator_error",
    "dtype": "bad_result",
    "empty": "bad_result",
    "number": "bad_result",
}
HANGS, HANGS_SHORT = 4, 2
DEADLINE_S = 1.0
# Deadlines are looked at every 0.1 s; the rest is what a busy machine may take.
LATE_S = 1.0
THREADS = 2

MISBEHAVING_SETUP = Setup(
    operators=tuple(f'op = "{OPERATOR}", camera = "{how}", how = "{how}"' for how in WRONGS), threads=THREADS
)
HANGING_SETUP = Setup(
    operators=(f'op = "{OPERATOR}", camera = "hang", how = "hang"',),
    threads=THREADS,
    frame_timeout_ms=round(DEADLINE_S * 1000),
)


def misbehaving(scene: Scene, *, short: bool) -> list[Figure]:
    """Operators that raise and return nonsense, each to the frames of one camera, among good ones."""
    scene.start_worker()
    scene.wait_for_workers(1)
    scene.begin()
    good = camera_on_each(PARTITIONS)
    feed = scene.feed([*good, *WRONGS])
    for _ in range(FRAMES_SHORT if short else FRAMES):
        for camera in good:
            feed.send(camera)
        for index, (how, reason) in enumerate(WRONGS.items()):
            feed.send(how, Content(JPEG, reason, f"{index}:{OPERATOR}"))
    feed.flush()
    return _found(scene)


def hanging(scene: Scene, *, short: bool) -> list[Figure]:
    """An operator that hangs on one camera's frames, while others go on."""
    scene.start_worker()
    scene.wait_for_workers(1)
    scene.begin()
    bad = scene.feed(["hang"])
    with scene.feed(camera_on_each(PARTITIONS)):
        for number in range(1, (HANGS_SHORT if short else HANGS) + 1):
            bad.send("hang", Content(JPEG, "operator_timeout"))
            bad.flush()
            scene.reader.wait_for(lambda found, n=number: sum(a.is_letter for a in found) >= n)  # type: ignore[misc]
    sent = {place: frame.sent_s for place, frame in scene.ledger.bad().items()}
    lasted = [a.failed_s - sent[a.source] for a in scene.reader.arrivals() if a.source in sent and a.is_letter]
    return [
        *_found(scene),
        fig.shown("hung", len(lasted)),
        fig.at_most("hang ended after s", max(lasted, default=float("inf")), DEADLINE_S + LATE_S),
    ]


def _found(scene: Scene) -> list[Figure]:
    scene.settle()
    found = [
        *scene.figures(),
        fig.exactly("duplicates on the wire", fig.repeats(scene.reader.arrivals()), 0),
        fig.exactly("agent restarts", scene.restarts(), 0),
        fig.exactly("rebalances", scene.rebalances(), 0),
    ]
    scene.stop_workers()
    return found
