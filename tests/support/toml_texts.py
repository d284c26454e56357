"""TOML files for hypothesis: sound ones with odd values, damaged ones, any text."""

import json
from collections.abc import Sequence

from hypothesis import strategies as st

# What a value may be, as it is written: of each type, of no type, too large, too deep, and of no sense for a path.
VALUES = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(lambda value: repr(value).replace("Infinity", "inf")),
    st.text(max_size=20).map(json.dumps),
    st.sampled_from(
        [
            "true",
            "false",
            '""',
            '"\\u0000"',
            "1979-05-27T07:32:00Z",
            "1979-13-99",
            "[]",
            "{}",
            "[1, [2, [3]]]",
            "[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]",
            '{ op = "flip" }',
            '[{ op = "resize", width = 640 }]',
            '"a\\u0000b"',
            "9" * 5000,
            "0x" + "f" * 5000,
            "[" * 1500 + "]" * 1500,
            "{ a = " * 1500 + "1" + " }" * 1500,
            "1e999",
            "nan",
            "-inf",
            "'''\n'''",
        ]
    ),
)


def tables(name: str, keys: Sequence[str]) -> st.SearchStrategy[str]:
    """A `[[name]]` with some of these keys, or others, once or more often."""
    known = st.sampled_from(list(keys))
    pair = st.tuples(st.one_of(known, known, known, st.text(max_size=8).map(json.dumps)), VALUES)
    return st.lists(pair, max_size=6).map(
        lambda pairs: "\n".join([f"[[{name}]]", *(f"{key} = {value}" for key, value in pairs), ""])
    )


def files(name: str, keys: Sequence[str], *, begin: str = "") -> st.SearchStrategy[str]:
    """A file of such tables, sound or damaged, or any text at all. begin: what makes a table sound by itself."""
    sound = st.lists(tables(name, keys), max_size=3).map("\n".join)
    whole = tables(name, keys).map(lambda text: text + begin)
    damaged = st.tuples(sound, st.integers(0, 400), st.text(max_size=5)).map(
        lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
    )
    return st.one_of(st.text(), sound, whole, damaged)
