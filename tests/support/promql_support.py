"""Which metrics, labels and label values a PromQL query names, and which of them a process really has."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client.core import Sample

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_METRIC = re.compile(r"\b(?:framelane|process|python)_[a-z0-9_]+|\bup\b")
_MATCHER = re.compile(r'([a-z_]+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
_GROUPING = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)\s*\(")


@dataclass
class Vocabulary:
    """What processes show: the labels of each metric, and the values of each label of it."""

    labels: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    values: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, samples: Iterable[Sample]) -> "Vocabulary":
        """Take these in as well."""
        for sample in samples:
            self.labels[sample.name].update(sample.labels)
            for label, value in sample.labels.items():
                self.values[sample.name, label].add(value)
        return self


@dataclass(frozen=True)
class Selector:
    """One metric in a query: its matchers (label, operator, text), and where it stands."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]
    at: int


def selectors(query: str) -> Iterator[Selector]:
    """Each metric of a query."""
    blank = _STRING.sub(lambda found: " " * len(found[0]), query)
    for found in _METRIC.finditer(blank):
        end = found.end()
        inner = query[end + 1 : blank.index("}", end)] if blank[end : end + 1] == "{" else ""
        matchers = tuple((each[1], each[2], each[3]) for each in _MATCHER.finditer(inner))
        yield Selector(found[0], matchers, found.start())


def unknown(query: str, known: Vocabulary, *, added: Collection[str] = (), values: bool = True) -> list[str]:
    """What a query names and no process has: metrics, labels, and values of matchers that could never match.

    added: labels that Prometheus puts on. values: look at these, too.
    """
    found = []
    for each in selectors(query):
        if each.metric not in known.labels:
            found.append(f"metric {each.metric}")
            continue
        for label, operator, text in each.matchers:
            if label in added:
                continue
            if label not in known.labels[each.metric]:
                # An absent label is an empty one: pipeline!="" asks whether it is there at all.
                if text or operator not in ("=", "!="):
                    found.append(f"label {label} of {each.metric}")
            elif values and not text.startswith("$"):
                found += _never(each.metric, label, operator, text, known.values[each.metric, label])
        for label in _grouped(query, each.at) - set(added):
            if label not in known.labels[each.metric]:
                found.append(f"label {label} of {each.metric}")
    return found


def _never(metric: str, label: str, operator: str, text: str, values: set[str]) -> Iterator[str]:
    wanted = text.split("|") if "~" in operator else [text]
    for each in wanted:
        if each and not any(re.fullmatch(each, value) for value in values):
            yield f"value {each} of {label} of {metric}"


def _grouped(query: str, at: int) -> set[str]:
    """The labels by which the expression around a place is summed up."""
    found: set[str] = set()
    for group in _GROUPING.finditer(query):
        if group.end() <= at < _closing(query, group.end()):
            found |= {each.strip() for each in group[1].split(",") if each.strip()}
    return found


def _closing(query: str, start: int) -> int:
    depth = 1
    for at in range(start, len(query)):
        depth += {"(": 1, ")": -1}.get(query[at], 0)
        if not depth:
            return at
    raise AssertionError(f"a parenthesis is not closed in {query!r}")
