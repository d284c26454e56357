from pathlib import Path
from textwrap import dedent

import pytest

from streams.contract.errors import SettingError
from streams.operators.annotate import Annotate
from streams.operators.motion import Motion
from streams.operators.resize import Resize
from streams.pipeline_settings import build_operators, load_pipelines

GOOD = """\
    [kafka]
    bootstrap = "kafka:9093"

    [[pipeline]]
    name = "privacy"                       # [[pipeline]] in a comment
    cameras = ["gate-*", "!gate-9"]
    operators = [
      { op = "resize", width = 640 },      # height follows } the aspect ratio
      { op = "motion", zones = [[[0, 0.5], [1, 0.5], [1, 1], [0, 1]]], min_area = 0.002 },
      { op = "annotate" },
    ]

    [[pipeline]]
    name = "outline"
    group = "other"
    output = ""
    [[pipeline.operators]]
    op = "edges"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "p.toml"
    path.write_text(dedent(text), encoding="utf-8")
    return path


def mistakes(folder: Path, text: str) -> list[str]:
    path = write(folder, text)
    with pytest.raises(SettingError) as caught:
        load_pipelines(path)
    return [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]


def test_a_file(tmp_path: Path) -> None:
    privacy, outline = load_pipelines(write(tmp_path, GOOD))

    assert (privacy.name, privacy.group, privacy.output) == ("privacy", "framelane.privacy", "frames.processed")
    assert (privacy.frame_timeout_ms, privacy.max_pixels, privacy.quality) == (5000, 25_000_000, 80)
    assert privacy.wants("gate-1") and not privacy.wants("gate-9")
    zone = ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0))
    assert build_operators(privacy) == [Resize(width=640), Motion(zones=(zone,), min_area=0.002), Annotate()]
    assert (outline.group, outline.output, [entry.op for entry in outline.operators]) == ("other", "", ["edges"])


def test_the_keys_that_later_versions_use_are_taken_at_their_defaults(tmp_path: Path) -> None:
    text = '[[pipeline]]\nname = "x"\nfreshness = "every_frame"\nmax_age_ms = 0\nmax_fps = 0\nplan = true\n'

    assert len(load_pipelines(write(tmp_path, text))) == 1


def test_every_mistake_is_told_at_once_with_line_key_value_and_expectation(tmp_path: Path) -> None:
    told = mistakes(
        tmp_path,
        '''\
        [[pipeline]]
        name = "Privacy"
        qualty = 5
        quality = 200
        output = "frames.raw"
        operators = [
          { op = "resize", width = 640.5 },
          { op = "blur", kernel = 4 }, { op = "blurr" },
          { op = "motion", zone = [[[0, 0.5],
                                    [1, 0.5]]] },
          { width = 3 },
        ]

        [[pipeline]]
        name = "b"
        dead_letter = """
        x = 3
        """
        plan = "no"
        [[pipeline.operators]]
        op = "flip"
        [[pipeline.operators]]
        op = "blur"
        kernel = "big"

        [[pipeline]]
        cameras = "gate"

        [other]
        ''',
    )

    assert told == [
        '2: pipeline[0].name = "Privacy": expected 1 to 100 of a-z 0-9 -',
        "3: pipeline[0].qualty is unknown; did you mean quality?",
        "4: pipeline[0].quality = 200: expected a number from 1 to 100",
        '5: pipeline[0].output = "frames.raw": expected a topic of its own, input has this one already',
        "7: pipeline[0].operators[0].width = 640.5: expected integer",
        "8: pipeline[0].operators[1].kernel = 4: expected an odd number from 3 to 255",
        "8: pipeline[0].operators[2].op = \"blurr\": there is no operator 'blurr'; did you mean 'blur'?",
        "9: pipeline[0].operators[3].zone is unknown; did you mean zones?",
        '11: pipeline[0].operators[4] = {"width": 3}: expected a table with op, such as { op = "resize", width = 640 }',
        '16: pipeline[1].dead_letter = "x = 3\\n": expected a topic\'s name: 1 to 249 of A-Z a-z 0-9 . _ -',
        '19: pipeline[1].plan = "no": expected true | false',
        '24: pipeline[1].operators[1].kernel = "big": expected integer',
        "26: pipeline[2].name is missing: expected text",
        '27: pipeline[2].cameras = "gate": expected [text, ...]',
        "29: other is unknown; there are pipeline, kafka",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1: pipeline is missing: expected at least one [[pipeline]]"),
        ('[pipeline]\nname = "x"', "1: pipeline is one table: expected [[pipeline]], in double brackets"),
        ('[[pipelines]]\nname = "x"', "1: pipelines is unknown; did you mean pipeline?"),
        ("\n[[pipeline\n", "2: is not TOML: "),
        ('[[pipeline]]\nname = "x"\noperators = [', "3: is not TOML: "),
        (
            '[[pipeline]]\nname = "x"\noperators = "flip"',
            '3: pipeline[0].operators = "flip": expected a list of tables',
        ),
        ('[[pipeline]]\nname = "x"\noperators = ["flip"]', '3: pipeline[0].operators[0] = "flip": expected a table'),
        ('[[pipeline]]\nname="x"\noperators=[{op="resize"}]', "operators[0].width is missing: expected a width or"),
        ('[[pipeline]]\nname = "x"\ninput = "frames.processed"', "1: pipeline[0].output = "),
        ('[[pipeline]]\nname = "x"\ngroup = 3', "3: pipeline[0].group = 3: expected text"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str, told: str) -> None:
    assert told in "\n".join(mistakes(tmp_path, text))


def test_names_and_groups_are_used_once(tmp_path: Path) -> None:
    told = mistakes(
        tmp_path,
        """\
        [[pipeline]]
        name = "a"
        [[pipeline]]
        name = "a"
        group = "other"
        [[pipeline]]
        name = "c"
        group = "framelane.a"
        """,
    )

    assert told == [
        '4: pipeline[1].name = "a": expected another than that of pipeline[0]',
        '8: pipeline[2].group = "framelane.a": expected another than that of pipeline[0]',
    ]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"cannot read .*nowhere.toml: No such file"):
        load_pipelines(tmp_path / "nowhere.toml")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_bytes(b"\xff\xd8\xff\xe0")

    with pytest.raises(SettingError, match="is not UTF-8 text"):
        load_pipelines(path)
