from dataclasses import replace
from typing import Any

import pytest

from streams.contract.errors import SettingError
from streams.operators import OPERATORS
from streams.operators.blur import Blur
from streams.operators.motion import Motion
from streams.operators.resize import Resize
from streams.pipeline_settings import OperatorSettings, PipelineSettings, build_operators, quick_pipeline


class TestQuickForm:
    @pytest.mark.parametrize(
        ("text", "operator"),
        [
            ("blur", Blur()),
            ("resize:width=640", Resize(width=640)),
            ("resize: width = 640 , height = 480 ", Resize(width=640, height=480)),
            ("blur:kind=median,kernel=7", Blur(kind="median", kernel=7)),
            ('blur:kind="median"', Blur(kind="median")),
            (
                "motion:zones=[[[0,0.5],[1,0.5],[1,1]]],min_area=1",
                Motion(zones=(((0.0, 0.5), (1.0, 0.5), (1.0, 1.0)),), min_area=1.0),
            ),
        ],
    )
    def test_is_read(self, text: str, operator: object) -> None:
        assert build_operators(quick_pipeline([text])) == [operator]

    def test_a_whole_number_does_for_a_fraction_and_becomes_one(self) -> None:
        (motion,) = build_operators(quick_pipeline(["motion:min_area=1"]))

        assert isinstance(motion, Motion) and isinstance(motion.min_area, float)

    def test_a_custom_operator_by_module_and_class(self) -> None:
        (operator,) = build_operators(quick_pipeline(["odd_operators:Finds:count=3"]))

        assert (type(operator).__name__, operator.count) == ("Finds", 3)  # type: ignore[attr-defined]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "blur:kernel=4",
                "--op 'blur:kernel=4': blur: kernel = 4: expected an odd number from 3 to 255; blur takes ",
            ),
            ("blur:kernel=true", "kernel = true: expected integer"),
            ("blur:kernel=5.0", "kernel = 5.0: expected integer"),
            ("blur:kernel=big", 'kernel = "big": expected integer'),
            ("blur:kernal=5", "kernal is unknown; did you mean kernel?"),
            ("blur:xyz=5", "xyz is unknown; there are kind, kernel"),
            ("blur:kind=box", 'kind = "box": expected "gaussian" | "median"'),
            ("grayscale:x=1", "grayscale takes no parameters"),
            ("crop:w=[1]", "w = [1]: expected number"),
            ("motion:zones=[[0,1]]", "zones = [[0, 1]]: expected [[[x, y], ...], ...]"),
            ("motion:zones=[[[0,1,2]]]", "expected [[[x, y], ...], ...]"),
            ("motion:zones=[[[0,1]", "is not a TOML value"),
            ("blur:kernel", "'kernel' is not key=value"),
            ("blur:kernel=3,kernel=5", "kernel is given twice"),
            ("blur:kernel=3\nx=5", "is more than one value"),
            ("blurr", "there is no operator 'blurr'; did you mean 'blur'?"),
            ("teleport", "there is no operator 'teleport'; there are annotate, blur, "),
            ("", "it has no name"),
            ("nosuch:Class", "'nosuch:Class' cannot be loaded: No module named 'nosuch'"),
        ],
    )
    def test_is_refused(self, text: str, message: str) -> None:
        with pytest.raises(SettingError) as caught:
            quick_pipeline(["grayscale", text])

        assert message in str(caught.value)
        assert caught.value.exit_code == 2

    def test_settings_of_the_pipeline(self) -> None:
        settings = quick_pipeline(["flip"], name="x", input="a", output="b", quality=50, cameras=["gate-*"])

        assert (settings.name, settings.group, settings.input, settings.output) == ("x", "framelane.x", "a", "b")
        assert (settings.quality, settings.cameras) == (50, ("gate-*",))
        assert quick_pipeline([], group="mine").group == "mine"

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"quality": 101}, "quality = 101: expected a number from 1 to 100"),
            ({"quality": "80"}, 'quality = "80": expected integer'),
            ({"qualty": 80}, "qualty is unknown; did you mean quality?"),
            ({"name": "A b"}, 'name = "A b": expected 1 to 100 of a-z 0-9 -'),
            ({"format": "gif"}, 'format = "gif": expected "jpeg" | "png" | "webp" | "keep"'),
            ({"output": "frames.raw"}, "expected a topic of its own, input has this one already"),
            ({"output": "frames.events"}, "expected a topic of its own, output has this one already"),
            ({"input": "a b"}, 'input = "a b": expected a topic\'s name'),
            ({"input": ""}, 'input = "": expected a topic\'s name'),
            ({"cameras": ["!"]}, "expected globs"),
            ({"frame_timeout_ms": 0}, "frame_timeout_ms = 0: expected milliseconds from 1"),
            ({"max_pixels": 0}, "max_pixels = 0"),
            ({"freshness": "newest"}, 'freshness = "newest": expected "every_frame" or "freshest"'),
            ({"max_age_ms": -5}, "max_age_ms = -5: expected milliseconds up to 86400000, or 0 for no limit"),
            ({"max_fps": -1}, "max_fps = -1.0: expected frames a second up to 1000, or 0 for no limit"),
        ],
    )
    def test_settings_that_are_refused(self, settings: dict[str, Any], message: str) -> None:
        with pytest.raises(SettingError) as caught:
            quick_pipeline([], **settings)

        assert message in str(caught.value)


class TestCameras:
    @pytest.mark.parametrize(
        ("cameras", "wanted"),
        [
            ((), {"gate-1", "gate-9", "yard", "Gate-1"}),
            (("gate-*",), {"gate-1", "gate-9"}),
            (("gate-*", "!gate-9"), {"gate-1"}),
            (("!gate-9", "gate-*"), {"gate-1"}),
            (("!gate-*",), {"yard", "Gate-1"}),
            (("gate-[1-3]", "yard"), {"gate-1", "yard"}),
            (("*", "!*"), set()),
        ],
    )
    def test_globs(self, cameras: tuple[str, ...], wanted: set[str]) -> None:
        settings = PipelineSettings(name="x", cameras=cameras)

        assert {camera for camera in ("gate-1", "gate-9", "yard", "Gate-1") if settings.wants(camera)} == wanted


class TestHash:
    BASE = PipelineSettings(name="x", operators=(OperatorSettings("blur", {"kernel": 7}),))

    def test_is_eight_hexadecimal_digits(self) -> None:
        assert len(self.BASE.hash) == 8
        assert int(self.BASE.hash, 16) >= 0
        assert self.BASE.label == f"x@{self.BASE.hash}"

    def test_never_changes_for_the_same_settings(self) -> None:
        # Written down: it stands in records that are kept, so another Python or machine must come to the same.
        assert self.BASE.hash == "213c157a"

    @pytest.mark.parametrize(
        "changes",
        [
            {"name": "y", "group": "g", "input": "i", "output": "o", "cameras": ("a",)},
            {"operators": (OperatorSettings("blur", {"kernel": 7, "kind": "gaussian"}),)},
        ],
    )
    def test_stays_when_the_pictures_do(self, changes: dict[str, Any]) -> None:
        assert replace(self.BASE, **changes).hash == self.BASE.hash

    @pytest.mark.parametrize(
        "changes",
        [
            {"quality": 81},
            {"format": "png"},
            {"operators": ()},
            {"operators": (OperatorSettings("blur", {"kernel": 9}),)},
            {"operators": (*BASE.operators, OperatorSettings("flip"))},
        ],
    )
    def test_changes_when_the_pictures_do(self, changes: dict[str, Any]) -> None:
        assert replace(self.BASE, **changes).hash != self.BASE.hash

    def test_changes_with_an_operators_version(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = self.BASE.hash

        monkeypatch.setattr(OPERATORS["blur"], "version", 2, raising=False)

        assert self.BASE.hash != before


class TestFromPython:
    def test_a_wrong_value_is_refused(self) -> None:
        with pytest.raises(SettingError, match="pipeline 'x': quality = 0: expected a number from 1 to 100"):
            PipelineSettings(name="x", quality=0)

    def test_a_wrong_parameter_is_refused_when_the_operators_are_made(self) -> None:
        settings = PipelineSettings(name="x", operators=(OperatorSettings("blur", {"kernel": 4}),))

        with pytest.raises(SettingError, match="pipeline 'x': operator 0, blur: kernel = 4: expected an odd number"):
            build_operators(settings)
