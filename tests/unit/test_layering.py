"""Imports go one way; loading one end loads nothing of the others; files stay small and told of."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("framelane", "producers", "consumers", "streams", "benchmarks")
FILES = sorted(path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

# What each part may import of ours, besides itself. The parts of `streams` that know Faust are ranked among themselves.
MAY = {
    "benchmarks": {"framelane", "producers", "consumers", "streams"},
    "framelane": {"producers", "consumers", "streams"},
    "producers": {"streams.contract"},
    "consumers": {"streams.contract"},
    "streams.contract": set[str](),
    "streams.operators": {"streams.contract"},
    "streams.settings_rules": set[str](),
    "streams.settings_quick": {"streams.operators", "streams.contract"},
    "streams.plan": {"streams.operators", "streams.contract"},
    "streams.decoding": {"streams.plan", "streams.contract"},
    "streams.pipeline_settings": {"streams.operators", "streams.contract", "streams.plan", "streams.settings_"},
    "streams.pipeline": {
        "streams.pipeline_settings",
        "streams.decoding",
        "streams.plan",
        "streams.operators",
        "streams.contract",
    },
}
RANKS = ("streams.supervisor", "streams.worker", "streams.reload", "streams.app", "streams.agents", "streams.lanes")


def module_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[str]:
    """Every one of our modules that the file imports, be it within a function."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.partition(".")[0] in PACKAGES)


def within(name: str, part: str) -> bool:
    """Whether the module is the part or lies in it; a part that ends in _ stands for all that begin so."""
    return name == part or name.startswith(part if part.endswith("_") else f"{part}.")


def forbidden(module: str, name: str) -> bool:
    part = next((part for part in MAY if within(module, part)), None)
    if part is not None:
        return not any(within(name, allowed) for allowed in MAY[part] | {part})
    # A part of `streams` that is not listed above: never the ends, and nothing that stands above it.
    above = RANKS[: RANKS.index(module)] if module in RANKS else ()
    return not within(name, "streams") or any(within(name, higher) for higher in above)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_go_one_way(path: Path) -> None:
    assert [name for name in imported(path) if forbidden(module_of(path), name)] == []


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("producers.pacing", "consumers.subscribe"),
        ("consumers.sinks.folder", "streams.pipeline"),
        ("streams.contract.frame", "streams.operators.blur"),
        ("streams.operators.blur", "streams.pipeline"),
        ("streams.pipeline", "streams.lanes"),
        ("streams.pipeline_settings", "streams.pipeline"),
        ("streams.agents", "streams.worker"),
        ("streams.worker", "framelane.logs"),
        ("streams", "producers"),
    ],
)
def test_what_must_not_be_is_seen(module: str, name: str) -> None:
    assert forbidden(module, name)


CONTRACT = " ".join(f"import {module_of(path)};" for path in FILES if path.parts[:2] == ("streams", "contract"))


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import producers", {"faust", "aiokafka"}),
        ("import consumers", {"faust", "aiokafka"}),
        (CONTRACT, {"faust", "aiokafka", "confluent_kafka", "cv2"}),
        ("import streams", {"faust", "aiokafka", "confluent_kafka", "cv2", "numpy"}),
        ("import streams.pipeline", {"faust", "aiokafka", "confluent_kafka"}),
        ("import framelane.cli", {"faust", "aiokafka", "cv2"}),
    ],
)
def test_loading_one_part_does_not_load_the_others(statement: str, unwanted: set[str]) -> None:
    script = f"{statement}\nimport sys; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert unwanted & set(done.stdout.split()) == set()


@pytest.mark.parametrize("path", FILES, ids=str)
def test_files_are_small_and_every_public_name_is_told_of(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")

    assert len(text.splitlines()) <= 300
    assert list(untold(ast.parse(text))) == []


def untold(node: ast.Module | ast.ClassDef, name: str = "the module") -> Iterator[str]:
    """Public names without a docstring; what stands within a function, or within something private, is private."""
    if not ast.get_docstring(node):
        yield name
    for child in node.body:
        if not isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or child.name.startswith("_"):
            continue
        if isinstance(child, ast.ClassDef):
            yield from untold(child, child.name)
        elif not ast.get_docstring(child) and not is_overload(child):
            yield child.name


def is_overload(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(decorator).endswith(("overload", ".setter")) for decorator in function.decorator_list)
