import base64
import re
from hashlib import sha256
from html.parser import HTMLParser

import cv2
import msgspec
import numpy as np
from frame_support import flat, frame_of, picture

from framelane.diff.asked import Asked, Key, Side
from framelane.diff.found_events import Found
from framelane.diff.likeness import Likeness
from framelane.diff.outcome import CameraOutcome, Mark, Outcome, SideOutcome
from framelane.diff.report import report
from framelane.diff.shown import Shown, difference, drawn, small
from streams.contract.images import decode, encode

EVIL = "</code><script>alert(1)</script><img src=x onerror=alert(1)>\"'"
KEY: Key = ("gate-1", "e1", 3)


class Elements(HTMLParser):
    """Every element with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def page() -> str:
    camera = CameraOutcome(frames=[2, 1], times_ns=[0, 5])
    camera.marks["missing"] = [Mark(5, ("gate-1", EVIL, 4))]
    outcome = Outcome((SideOutcome(EVIL), SideOutcome("b")), cameras={"gate-1": camera}, notes=[EVIL])
    event = Found("0/0", EVIL, msgspec.json.encode({"text": EVIL}))
    jpeg = encode(picture())
    shown = Shown(
        key=KEY,
        captured_at_ns=5,
        likeness=Likeness(None, EVIL),
        pictures=(jpeg, jpeg),
        difference=jpeg,
        only=([event] * 9, [event]),
    )
    return report(Asked(sides=(Side(topic="a"), Side(topic="b"))), outcome, [shown], made=EVIL)


def test_whatever_records_say_the_page_runs_nothing_and_loads_nothing() -> None:
    elements = Elements(page())

    names = {name for name, _ in elements.found}
    assert names.isdisjoint({"script", "iframe", "object", "embed", "form", "base"})
    assert not [name for _, attributes in elements.found for name in attributes if name.startswith("on")]
    assert all((each["src"] or "").startswith("data:image/jpeg;base64,") for each in elements.of("img"))
    assert all((each["href"] or "").startswith("#") for each in elements.of("a"))
    assert [each["href"] for each in elements.of("link")] == ["data:,"]


def test_the_policy_allows_the_page_its_own_style_only() -> None:
    text = page()

    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    policy = next(each["content"] or "" for each in Elements(text).of("meta") if each.get("http-equiv"))
    assert style is not None
    digest = base64.b64encode(sha256(style[1].encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert f"style-src 'sha256-{digest}'" in policy


def test_every_picture_has_a_name_and_long_lists_are_cut() -> None:
    text = page()
    elements = Elements(text)

    assert [each["alt"] for each in elements.of("img")] == [
        "gate-1/e1/3: A",
        "gate-1/e1/3: B",
        "gate-1/e1/3: difference, 8 times as strong",
    ]
    assert text.count("only in A: ") == 6
    assert "and 3 more" in text


def test_boxes_are_drawn_where_they_are_in_a_smaller_picture() -> None:
    event = Found("0/0", "motion", msgspec.json.encode({"boxes": [{"x": 0.5, "y": 0.5, "w": 0.25, "h": 0.25}]}))

    image = decode(drawn(small(frame_of(flat(1280, 720, (0, 0, 0)))), [event]))

    assert image.shape == (360, 640, 3)
    assert image[180, 320:480].mean() > 60
    assert image[:170].max() < 30 and image[:, :310].max() < 30


def test_a_picture_is_shown_whatever_its_geometry_and_labels_say() -> None:
    box = {"x": 0.5, "y": 0.5, "w": 1, "h": 1, "label": "x\x1b" * 500, "track": "-" * 500, "score": 1e300}
    event = Found("0/0", "t" * 500, msgspec.json.encode({"boxes": [box]}))
    for affine in (np.zeros((2, 3)), np.full((2, 3), 1e-300), np.eye(2, 3) * 1e-12):
        frame = frame_of(flat(64, 48, (9, 9, 9))).changed(to_raw=affine)

        assert decode(drawn(frame, [event])).shape == (48, 64, 3)


def test_the_difference_is_shown_where_there_is_one() -> None:
    a = flat(64, 48, (10, 10, 10))
    b = a.copy()
    cv2.rectangle(b, (32, 0), (63, 47), (20, 20, 20), cv2.FILLED)

    found = difference(a, b)

    assert found is not None
    image = decode(found)
    assert image[:, :24].max() < 10 and image[:, 40:].min() > 70
    assert difference(a, a) is None
    assert difference(a, flat(32, 24, (10, 10, 10))) is None
