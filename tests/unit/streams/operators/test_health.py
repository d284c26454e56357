from collections.abc import Callable, Iterable
from itertools import cycle

import cv2
import numpy as np
import pytest
from frame_support import CAPTURED_AT_NS, flat, frame_of
from scene_support import edgy_scene

from streams.contract.event_types import HealthChanged
from streams.contract.images import Image
from streams.operators.checks import ParameterError
from streams.operators.health import Health

WIDTH, HEIGHT, LEARN, FPS = 96, 72, 20, 4
NOISE = [np.random.default_rng(seed).normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32) for seed in range(7)]
which = cycle(range(7))


SCENE = edgy_scene(WIDTH, HEIGHT)


def noisy(image: Image, sigma: float = 3.0) -> Image:
    """The picture with a sensor's noise, always another one."""
    return np.clip(image + sigma * NOISE[next(which)][: len(image)], 0, 255).astype(np.uint8)


def shifted(image: Image, fraction: float) -> Image:
    move = np.array([[1.0, 0.0, round(fraction * WIDTH)], [0.0, 1.0, 0.0]])
    return cv2.warpAffine(image, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)  # type: ignore[return-value]


def sound(frames: int) -> list[Image]:
    return [noisy(SCENE) for _ in range(frames)]


def watch(operator: Health, images: Iterable[Image], *, every_ns: int = 10**9 // FPS) -> dict[int, HealthChanged]:
    """What is told, by the index of the frame, of which no two may tell the same; frames come FPS times a second."""
    health, told = operator.open(), {}
    for index, image in enumerate(images):
        frame = frame_of(image, sequence=index).changed(captured_at_ns=CAPTURED_AT_NS + index * every_ns)
        result = health(frame)
        assert result is not None and result.image is frame.image
        for event in result.events:
            assert event.type == "health" and isinstance(event.data, HealthChanged) and index not in told
            told[index] = event.data
    return told


def short(told: dict[int, HealthChanged]) -> list[tuple[int, str, str]]:
    return [(index, change.problem, change.state) for index, change in told.items()]


WRONG: dict[str, Callable[[Image], Image]] = {
    "dark": lambda image: noisy((image * 0.05).astype(np.uint8), 1),
    "covered": lambda image: noisy(flat(WIDTH, HEIGHT, 110), 10),
    "blurred": lambda image: noisy(cv2.GaussianBlur(image, (0, 0), 4), 2),  # type: ignore[arg-type]
    "moved": lambda image: noisy(shifted(image, 0.08)),
}


@pytest.mark.parametrize("problem", WRONG)
def test_what_is_wrong_is_told_once_and_its_end(problem: str) -> None:
    wrong = [WRONG[problem](SCENE) for _ in range(30)]

    told = watch(Health(learn_frames=LEARN), [*sound(30), *wrong, *sound(30)])

    # Three seconds of four frames.
    assert short(told) == [(42, problem, "begun"), (72, problem, "ended")]
    begun, ended = told.values()
    assert begun.value < begun.threshold < ended.threshold < ended.value


def test_a_frozen_picture_is_told_once_and_its_end() -> None:
    told = watch(Health(learn_frames=LEARN, frozen_s=10), [*sound(30), *[noisy(SCENE)] * 60, *sound(30)])

    # Frame 30 is the first of its like; the first other one is 90.
    assert short(told) == [(70, "frozen", "begun"), (102, "frozen", "ended")]
    assert (told[70].value, told[70].threshold) == (10.0, 10.0)


def test_one_other_picture_does_not_end_frozen() -> None:
    still = [noisy(SCENE)] * 60

    told = watch(Health(learn_frames=LEARN, frozen_s=10), [*sound(30), *still, noisy(SCENE), *still])

    assert short(told) == [(70, "frozen", "begun")]


def test_something_small_that_moves_is_a_change() -> None:
    def clock(second: int) -> Image:
        image = SCENE.copy()
        image[4:6, 4:6] = 200 * (second % 2)
        return image

    assert watch(Health(learn_frames=LEARN, frozen_s=10), [clock(index // FPS) for index in range(120)]) == {}


def test_an_object_that_fills_half_of_the_picture_is_no_problem() -> None:
    def passing(step: int) -> Image:
        image = SCENE.copy()
        image[:, max(0, step - 48) : step] = edgy_scene(WIDTH, HEIGHT, seed=9)[:, max(0, step - 48) : step]
        return noisy(image)

    assert watch(Health(learn_frames=LEARN), [*sound(30), *[passing(step) for step in range(120)]]) == {}


def test_dusk_is_no_problem() -> None:
    dim = [noisy((SCENE * (1 - step / 120)).astype(np.uint8)) for step in range(80)]

    assert watch(Health(learn_frames=LEARN), [*sound(30), *dim]) == {}


def test_what_wavers_about_the_limit_does_not_flap() -> None:
    # Each second lightness lies below the limit of 16 for half of it, and for the other half above that of the end.
    wavering = [noisy(flat(WIDTH, HEIGHT, value), 1) for value in (10, 10, 30, 30)] * 30

    assert watch(Health(problems=("dark",)), wavering) == {}


def test_between_the_limits_it_stays_as_it_was() -> None:
    def gray(value: int) -> list[Image]:
        return [noisy(flat(WIDTH, HEIGHT, value), 1)] * 20

    told = watch(Health(problems=("dark",)), [*gray(20), *gray(10), *gray(20), *gray(10), *gray(20), *gray(30)])

    assert short(told) == [(32, "dark", "begun"), (112, "dark", "ended")]


def test_while_it_lasts_it_is_told_again() -> None:
    told = watch(Health(learn_frames=LEARN, repeat_frames=25), [*sound(30), *[WRONG["dark"](SCENE) for _ in range(70)]])

    assert short(told) == [(42, "dark", "begun"), (67, "dark", "ongoing"), (92, "dark", "ongoing")]


@pytest.mark.parametrize("problem", ["blurred", "moved"])
def test_what_is_wrong_is_not_learnt(problem: str) -> None:
    wrong = [WRONG[problem](SCENE) for _ in range(500)]

    told = watch(Health(learn_frames=LEARN, repeat_frames=230), [*sound(30), *wrong, *sound(30)])

    assert short(told) == [
        (42, problem, "begun"),
        (272, problem, "ongoing"),
        (502, problem, "ongoing"),
        (542, problem, "ended"),
    ]
    assert told[502].value == pytest.approx(told[42].value, rel=0.3)


def test_a_lens_that_grows_dim_over_time_is_blurred() -> None:
    clouding = [noisy(cv2.GaussianBlur(SCENE, (0, 0), 0.1 + step / 40), 2) for step in range(160)]  # type: ignore[arg-type]

    ((_, problem, state),) = short(watch(Health(learn_frames=LEARN), [*sound(30), *clouding]))

    assert (problem, state) == ("blurred", "begun")


def test_a_new_view_is_accepted_in_the_end() -> None:
    moved = [WRONG["moved"](SCENE) for _ in range(90)]

    told = watch(Health(learn_frames=LEARN, accept_s=10), [*sound(30), *moved, *sound(30)])

    # Ended after ten seconds; the old place is then as wrong as the new one had been.
    assert short(told) == [(42, "moved", "begun"), (82, "moved", "ended"), (132, "moved", "begun")]
    assert short(watch(Health(learn_frames=LEARN, accept_s=0), [*sound(30), *moved])) == [(42, "moved", "begun")]


def test_only_what_is_asked_for_is_told() -> None:
    images = [*sound(30), *[WRONG["dark"](SCENE) for _ in range(30)]]

    assert watch(Health(learn_frames=LEARN, problems=("covered", "blurred", "frozen", "moved")), images) == {}


def test_another_size_is_learnt_anew_and_ends_what_was_wrong() -> None:
    images = [*sound(30), *[WRONG["moved"](SCENE) for _ in range(30)], *[noisy(SCENE[:64]) for _ in range(60)]]

    told = watch(Health(learn_frames=LEARN), images)

    assert short(told) == [(42, "moved", "begun"), (60 + LEARN + 12, "moved", "ended")]


def test_a_gap_without_frames_counts_little() -> None:
    health, told = Health(learn_frames=LEARN).open(), []
    for minute in range(6):
        frame = frame_of(SCENE).changed(captured_at_ns=CAPTURED_AT_NS + minute * 60 * 10**9)
        result = health(frame)
        assert result is not None
        told.append([(event.data.problem, event.data.value) for event in result.events])

    assert told == [[], [], [], [("frozen", 30.0)], [], []]


def test_a_clock_that_is_put_back_stops_nothing() -> None:
    dark = [WRONG["dark"](SCENE) for _ in range(30)]

    assert watch(Health(), dark, every_ns=-(10**9)) == {}
    health = Health().open()
    times = [0, -3600, -3598, -3596, -3594, -3592, -3590]
    results = [health(frame_of(dark[0]).changed(captured_at_ns=CAPTURED_AT_NS + at * 10**9)) for at in times]
    assert [len(result.events) for result in results if result] == [0, 0, 0, 0, 1, 0, 0]


def test_a_single_older_frame_takes_no_time() -> None:
    health, dark = Health().open(), WRONG["dark"](SCENE)
    times = [0, 1, -3600, 2, 3, 4]
    results = [health(frame_of(dark).changed(captured_at_ns=CAPTURED_AT_NS + at * 10**9)) for at in times]
    assert [len(result.events) for result in results if result] == [0, 0, 0, 0, 1, 0]


def test_each_camera_has_a_memory_of_its_own() -> None:
    operator = Health(learn_frames=LEARN)

    assert operator.memory_frames == LEARN
    assert (
        watch(operator, sound(40))
        == watch(operator, [noisy(edgy_scene(WIDTH, HEIGHT, seed=8)) for _ in range(40)])
        == {}
    )


def test_the_same_frames_tell_the_same() -> None:
    images = [*sound(30), *[WRONG["moved"](SCENE) for _ in range(30)]]

    assert watch(Health(learn_frames=LEARN), images) == watch(Health(learn_frames=LEARN), images)


def test_it_reads_a_small_picture() -> None:
    assert Health().reads_at(1280, 720) == (320, 180)
    # Of the whole picture there is nothing: whoever asks for it fails.
    frame = frame_of(flat(1280, 720, 5)).changed(_image=None, _reduced=flat(320, 180, 5))

    result = Health(after_s=0).open()(frame)

    assert result is not None and [event.data.problem for event in result.events] == ["dark"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"problems": ()}, r"health: problems = \[\]: expected some of"),
        ({"problems": ("dusty",)}, "health: problems = "),
        ({"dark": 0.0}, "health: dark = 0.0: expected a lightness above 0, up to 128"),
        ({"covered": 0.6}, "health: covered = 0.6: expected a contrast"),
        ({"blurred": 1.0}, "health: blurred = 1.0: expected a fraction of the usual sharpness"),
        ({"frozen_s": 0.5}, "health: frozen_s = 0.5: expected seconds from 1"),
        ({"moved": 0.2}, "health: moved = 0.2: expected a fraction of the picture's width"),
        ({"after_s": -1.0}, "health: after_s = -1.0: expected seconds from 0"),
        ({"learn_frames": 1}, "health: learn_frames = 1: expected a number of frames from 2"),
        ({"accept_s": -1.0}, "health: accept_s = -1.0: expected seconds up to a year"),
        ({"repeat_frames": 0}, "health: repeat_frames = 0: expected a number of frames from 1"),
    ],
)
def test_refuses(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Health(**parameters)  # type: ignore[arg-type]
