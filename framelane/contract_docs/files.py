"""The documents as texts. PyYAML is a dependency of development alone: who uses Framelane has the files."""

import json

import yaml

from framelane.contract_docs.asyncapi import asyncapi
from framelane.contract_docs.schemas import schemas

_NOTE = "# Made from the code by `make schemas`: change that, not this.\n"


def files() -> dict[str, str]:
    """What each file holds, by its path below `docs`."""
    # Through JSON, for what stands in two places would be written once, and as a YAML alias at the second.
    document = json.loads(json.dumps(asyncapi()))
    texts = {"asyncapi.yaml": _NOTE + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)}
    return texts | {f"schemas/{name}": json.dumps(schema, indent=2) + "\n" for name, schema in schemas().items()}
