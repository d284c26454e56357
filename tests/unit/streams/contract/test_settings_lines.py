import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.contract.settings_lines import key_lines

TEXT = '''\
# [[pipeline]] is not here
top = 1
[kafka]
"quoted" = "a # b = [["
[[pipeline]]   # a comment with "quotes
a = """
b = 1
[[pipeline]]
"""
list = [1,
  2, { x = 1, y = [ { z = 2 } ] },
  "]", ']',
]
when = 1979-05-27 07:32:00
after = 1
[[pipeline]]
[[pipeline.operators]]
op = "x"
[[pipeline.operators]]
op = "y"
[pipeline.deep]
er = 1
[[pipeline]]
[[pipeline.operators]]
op = "z"
'''

EXPECTED = {
    "top": 2,
    "kafka": 3,
    "kafka.quoted": 4,
    "pipeline[0]": 5,
    "pipeline[0].a": 6,
    "pipeline[0].list": 10,
    "pipeline[0].list[0]": 10,
    "pipeline[0].list[1]": 11,
    "pipeline[0].list[2]": 11,
    "pipeline[0].list[2].x": 11,
    "pipeline[0].list[2].y[0].z": 11,
    "pipeline[0].list[4]": 12,
    "pipeline[0].when": 14,
    "pipeline[0].after": 15,
    "pipeline[1]": 16,
    "pipeline[1].operators[0]": 17,
    "pipeline[1].operators[0].op": 18,
    "pipeline[1].operators[1].op": 20,
    "pipeline[1].deep.er": 22,
    "pipeline[2].operators[0]": 24,
    "pipeline[2].operators[0].op": 25,
}


def test_the_line_of_each_key() -> None:
    tomllib.loads(TEXT)

    lines = key_lines(TEXT)

    assert {key: lines.get(key) for key in EXPECTED} == EXPECTED
    assert "pipeline[0].b" not in lines


scalars = st.one_of(
    st.integers(-99, 99).map(str),
    st.booleans().map(lambda value: str(value).lower()),
    st.text(alphabet="ab[]{}#=,' \\\"", max_size=8).map(
        lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    ),
    st.text(alphabet='ab[]{}#=,"', max_size=8).map(lambda text: f"'{text}'"),
    st.text(alphabet="ab[]{}#=,\n' ", max_size=12).map(lambda text: f'"""{text}"""'),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3).map(lambda items: "[\n" + ",\n".join(items) + " ]"), max_leaves=6
)


@given(st.lists(st.lists(values, max_size=4), min_size=1, max_size=3))
def test_any_file_is_read_to_its_end(tables: list[list[str]]) -> None:
    text, expected = "", dict[str, int]()
    for table, pairs in enumerate(tables):
        expected[f"pipeline[{table}]"] = text.count("\n") + 1
        text += "[[pipeline]]\n"
        for index, value in enumerate(pairs):
            expected[f"pipeline[{table}].k{index}"] = text.count("\n") + 1
            text += f"k{index} = {value}  # a comment = [\n"
    content: dict[str, Any] = tomllib.loads(text)

    lines = key_lines(text)

    assert len(content["pipeline"]) == len(tables)
    assert {key: lines.get(key) for key in expected} == expected
