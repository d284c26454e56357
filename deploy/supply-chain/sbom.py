"""What the image holds, as an SBOM (CycloneDX 1.6) and as a list of licences.

    python deploy/supply-chain/sbom.py --tools VENV --python PYTHON --output DIR [--image DIR]

--tools: an environment with tools.txt. --python: that of an environment with the image's packages. --image: the root
folder of an unpacked image; then Debian's packages are told of as well, and its Python packages must be the same.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contents import bundled_libraries, debian_packages, site_packages

ROOT = Path(__file__).parents[2]
Component = dict[str, Any]


def main(arguments: Sequence[str]) -> int:
    """Write `sbom.cdx.json` and `licences.md`; 1 where something is not as it should be."""
    asked = _parser().parse_args(arguments)
    asked.output.mkdir(parents=True, exist_ok=True)
    licences = _licences(asked.tools, asked.python)
    sbom = _python_sbom(asked.tools, asked.python)
    fill_in(sbom["components"], licences)
    wrong = [f"{name}: its licence is not known" for name, licence in licences.items() if licence == "UNKNOWN"]
    folder = Path(_run([asked.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip())
    sbom["components"] += bundled_libraries(folder)
    debian: list[Component] = []
    if asked.image:
        wrong += differences(sbom["components"], site_packages(asked.image))
        debian = debian_packages(asked.image)
        sbom["components"] += debian
    (asked.output / "sbom.cdx.json").write_text(json.dumps(sbom, indent=2) + "\n", encoding="utf-8")
    (asked.output / "licences.md").write_text(licence_list(licences, debian), encoding="utf-8")
    print(f"{len(sbom['components'])} components: {asked.output / 'sbom.cdx.json'}, {asked.output / 'licences.md'}")
    for each in wrong:
        print(f"sbom: {each}", file=sys.stderr)
    return 1 if wrong else 0


def fill_in(components: Sequence[Component], licences: Mapping[str, str]) -> None:
    """Give those a licence whose metadata says it in words only."""
    for component in components:
        licence = licences.get(component["name"], "UNKNOWN")
        if not component.get("licenses") and licence != "UNKNOWN":
            component["licenses"] = [{"license": {"name": licence}}]


def differences(components: Sequence[Component], image: Mapping[str, str]) -> list[str]:
    """Where the image has other Python packages than the SBOM says, in words."""
    told = {
        _plain(each["name"]): each["version"] for each in components if each.get("purl", "").startswith("pkg:pypi/")
    }
    names = sorted((told.keys() | image.keys()) - {"framelane", "pip", "setuptools"})
    return [
        f"{name}: the image has {image.get(name, 'none')}, and the environment {told.get(name, 'none')}"
        for name in names
        if told.get(name) != image.get(name)
    ]


def licence_list(python: Mapping[str, str], debian: Sequence[Component]) -> str:
    """The list for people, as Markdown."""
    lines = [
        "# Licences of what the image holds",
        "",
        "## Python packages",
        "",
        "| package | licence |",
        "| --- | --- |",
    ]
    lines += [f"| {name} | {licence} |" for name, licence in sorted(python.items(), key=lambda each: each[0].lower())]
    if debian:
        lines += ["", "## Debian packages", "", "Their texts: `/usr/share/doc/PACKAGE/copyright` in the image."]
        lines += ["", "| package | version | licences |", "| --- | --- | --- |"]
        for each in debian:
            names = ", ".join(found["license"]["name"] for found in each.get("licenses", []))
            lines.append(f"| {each['name']} | {each['version']} | {names or 'see its text'} |")
    return "\n".join(lines) + "\n"


def _python_sbom(tools: Path, python: Path) -> dict[str, Any]:
    command = [tools / "bin" / "cyclonedx-py", "environment", "--sv", "1.6", "--of", "JSON", "--output-reproducible"]
    found: dict[str, Any] = json.loads(_run([*command, "--pyproject", ROOT / "pyproject.toml", python]))
    found.setdefault("components", [])
    return found


def _licences(tools: Path, python: Path) -> dict[str, str]:
    listed = json.loads(_run([tools / "bin" / "pip-licenses", "--python", python, "--format", "json"]))
    return {each["Name"]: each["License"] for each in listed}


def _run(command: Sequence[str | Path]) -> str:
    return subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True).stdout


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="What the image holds.")
    for option in ("--tools", "--python", "--output"):
        parser.add_argument(option, type=Path, required=True)
    parser.add_argument("--image", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
