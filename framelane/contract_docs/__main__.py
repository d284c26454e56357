"""Write the documents: `python -m framelane.contract_docs FOLDER`."""

import sys
from pathlib import Path

from framelane.contract_docs.files import files


def main(folder: Path) -> None:
    """Write asyncapi.yaml into the folder and the schemas into `schemas` below it; others there stay."""
    for name, text in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
