"""What lies in a file system beside what Python's packages say of themselves: read, and nothing of it run."""

import hashlib
import re
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

Component = dict[str, Any]
_STATUS = "var/lib/dpkg/status"


def debian_packages(root: Path) -> list[Component]:
    """Debian's packages in an unpacked image, as CycloneDX components, by name."""
    file = root / _STATUS
    found = []
    for fields in _paragraphs(file.read_text(encoding="utf-8")) if file.exists() else ():
        if fields.get("Status", "").endswith(" installed"):
            found.append(_debian(fields, root))
    return sorted(found, key=lambda each: str(each["name"]))


def bundled_libraries(site_packages: Path) -> list[Component]:
    """Shared libraries that wheels bring along, such as OpenCV's FFmpeg, as CycloneDX components with their hash."""
    found = []
    for path in sorted(site_packages.glob("*.libs/*")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        name = str(path.relative_to(site_packages))
        found.append(
            {
                "type": "file",
                "bom-ref": f"file:{name}",
                "name": name,
                "hashes": [{"alg": "SHA-256", "content": digest}],
            }
        )
    return found


def site_packages(root: Path) -> dict[str, str]:
    """The Python packages in an unpacked image: version by name, in small letters and with hyphens."""
    folders = [str(path) for path in root.glob("opt/*/lib/python3*/site-packages")]
    return {re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower(): each.version for each in distributions(path=folders)}


def _debian(fields: dict[str, str], root: Path) -> Component:
    name, version = fields["Package"], fields["Version"]
    text = root / "usr" / "share" / "doc" / name / "copyright"
    component: Component = {
        "type": "library",
        "bom-ref": f"deb:{name}:{fields['Architecture']}",
        "name": name,
        "version": version,
        "purl": f"pkg:deb/debian/{name}@{_quoted(version)}?arch={fields['Architecture']}",
    }
    licences = _licences(text.read_text(encoding="utf-8", errors="replace")) if text.is_file() else []
    if licences:
        component["licenses"] = [{"license": {"name": licence}} for licence in licences]
    return component


def _licences(text: str) -> list[str]:
    """The short names of a copyright file that programs can read (DEP-5); none of another."""
    if not re.search(r"^Format:", text, re.MULTILINE):
        return []
    return sorted(set(re.findall(r"^License:[ \t]*(\S.*?)[ \t]*$", text, re.MULTILINE)))


def _quoted(version: str) -> str:
    return version.replace("+", "%2B").replace(":", "%3A")


def _paragraphs(text: str) -> Iterator[dict[str, str]]:
    for paragraph in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", paragraph, re.MULTILINE))
        if "Package" in fields:
            yield fields
