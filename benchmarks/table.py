"""A section as Markdown and as JSON."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from benchmarks.section import Section


def to_markdown(section: Section, machine: Mapping[str, str]) -> str:
    """The section as Markdown: title, machine, table, targets with met or not met, notes."""
    parts = [f"## {section.title}", ", ".join(f"{name} {value}" for name, value in machine.items()) + "."]
    widths = [max(len(row[column]) for row in (section.header, *section.rows)) for column in range(len(section.header))]
    lines = [_line(section.header, widths), _line(["-" * width for width in widths], widths)]
    parts.append("\n".join(lines + [_line(row, widths) for row in section.rows]))
    if section.targets:
        parts.append("\n".join(f"- {target}" for target in section.targets))
    parts += section.notes
    return "\n\n".join(parts) + "\n"


def to_json(section: Section, machine: Mapping[str, str]) -> str:
    """The section as JSON: the machine, the targets and every measurement; what is infinite becomes null."""
    targets = [{**asdict(target), "met": target.met} for target in section.targets]
    found = {"benchmark": section.name, "machine": dict(machine), "targets": targets, "notes": list(section.notes)}
    table = [dict(zip(section.header, row, strict=True)) for row in section.rows]
    return json.dumps(_finite({**found, "table": table, "measured": dict(section.data)}), indent=2) + "\n"


def _line(cells: list[str] | tuple[str, ...] | Any, widths: list[int]) -> str:
    return "| " + " | ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)) + " |"


def _finite(value: Any) -> Any:
    """The same without infinities, which JSON does not know."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
