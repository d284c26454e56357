"""On which line of a TOML file a key stands, for tomllib does not say."""

import re
from collections import Counter
from collections.abc import Iterator

# Strings before words, and three quotes before one.
_TOKEN = re.compile(
    r'(?P<string>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\')'
    r"|(?P<comment>#[^\n]*)|(?P<mark>[\[\]{}=,\n])|(?P<word>[^\s\[\]{}=,#\"']+)",
    re.DOTALL,
)


def key_lines(text: str) -> dict[str, int]:
    """The line, from 1, of each table and key of a file that tomllib has accepted.

    Names are as `pipeline[0].operators[2].kernel`; elements of arrays are counted from 0.
    """
    return _Reader(text).read()


class _Reader:
    """One walk over the tokens. It need not refuse anything: the text is known to be TOML."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._lines: dict[str, int] = {}

    def read(self) -> dict[str, int]:
        prefix = ""
        counts: Counter[str] = Counter()
        while self._at < len(self._tokens):
            token, line = self._next()
            if token == "[":
                prefix = self._header(counts, line)
            elif token != "\n":
                self._pair(prefix, token, line)
        return self._lines

    def _next(self) -> tuple[str, int]:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else "\n"

    def _header(self, counts: Counter[str], line: int) -> str:
        array = self._peek() == "["
        if array:
            self._next()
        name, _ = self._next()
        while self._peek() != "\n":
            self._next()
        # [[pipeline.operators]] belongs to the pipeline that was opened last.
        parent, _, last = name.rpartition(".")
        path = f"{parent}[{counts[parent] - 1}].{last}" if parent in counts else name
        if array:
            key = path
            path = f"{path}[{counts[key]}]"
            counts[key] += 1
            if key != name:
                counts[name] = counts[key]
        self._lines.setdefault(path, line)
        return f"{path}."

    def _pair(self, prefix: str, key: str, line: int) -> None:
        path = prefix + key.strip("\"'")
        self._lines.setdefault(path, line)
        while self._next()[0] != "=":
            pass
        self._value(path)

    def _value(self, path: str) -> None:
        token, _ = self._next()
        if token == "[":
            self._array(path)
        elif token == "{":
            while (token := self._next()[0]) != "}":
                if token not in (",", "\n"):
                    self._pair(f"{path}.", token, self._tokens[self._at - 1][1])
        else:
            # A date and its time may have a space between them.
            while self._peek() not in (",", "]", "}", "\n"):
                self._next()

    def _array(self, path: str) -> None:
        index = 0
        while (token := self._peek()) != "]":
            if token in (",", "\n"):
                index += token == ","
                self._next()
                continue
            element = f"{path}[{index}]"
            self._lines.setdefault(element, self._tokens[self._at][1])
            self._value(element)
        self._next()


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    line = 1
    counted = 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        if match.lastgroup != "comment":
            yield match[0], line
