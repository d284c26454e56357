"""Records as they were once written (tests/golden): what reads the contract must read them, now and later."""

import base64
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from streams.contract.headers import Record

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "golden" / "v1"
SCHEMAS = ROOT / "docs" / "schemas"


@dataclass(frozen=True)
class Golden:
    """A record, the schemas that hold for its headers and its value ("" for none), and what is to be read in it."""

    kind: str
    record: Record
    header_schema: str
    value_schema: str
    reads_as: dict[str, Any]


def golden_files() -> list[Path]:
    """All of them, in a fixed order."""
    return sorted(FOLDER.glob("*.json"))


def load(path: Path) -> Golden:
    """Read one."""
    told = json.loads(path.read_text(encoding="utf-8"))
    record = dict(told["record"])
    value = record.pop("value")
    record["key"] = record["key"].encode()
    record["headers"] = tuple((name, text.encode()) for name, text in record["headers"])
    record["value"] = base64.b64decode(value["base64"]) if "base64" in value else value["text"].encode()
    schemas = told["schemas"]
    return Golden(
        told["kind"], Record(**record), schemas.get("headers", ""), schemas.get("value", ""), told["reads_as"]
    )


@cache
def validator(schema: str) -> Draft7Validator:
    """What holds something to a committed schema, by the name of its file."""
    told = json.loads((SCHEMAS / schema).read_text(encoding="utf-8"))
    Draft7Validator.check_schema(told)
    return Draft7Validator(told)


def wrongs(schema: str, instance: Any) -> list[str]:
    """What a committed schema finds wrong, as `path: message`; [] where it is kept."""
    found = validator(schema).iter_errors(instance)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in found]
