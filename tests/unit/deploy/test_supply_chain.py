"""What is read of a file system for the SBOM, and how pip-audit's answers are told."""

import hashlib
import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from prometheus_support import ROOT

FOLDER = ROOT / "deploy" / "supply-chain"
DPKG = """Package: zlib1g
Status: install ok installed
Architecture: amd64
Version: 1:1.2.13.dfsg-1+b1
Description: compression library - runtime
 zlib is a library
 Package: not-this

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0

Package: base-files
Status: install ok installed
Architecture: amd64
Version: 12.4
"""
COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
License: Zlib

Files: contrib/*
License: GPL-2+
 and more of it
"""


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(FOLDER))
    names = ("sbom", "contents", "audit")

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    yield load
    for name in names:
        sys.modules.pop(name, None)


def test_debian_packages_with_their_licences(module: Any, tmp_path: Path) -> None:
    for path, text in {"var/lib/dpkg/status": DPKG, "usr/share/doc/zlib1g/copyright": COPYRIGHT}.items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text)
    base, zlib = module("contents").debian_packages(tmp_path)
    assert (base["name"], base["version"], "licenses" in base) == ("base-files", "12.4", False)
    assert zlib["purl"] == "pkg:deb/debian/zlib1g@1%3A1.2.13.dfsg-1%2Bb1?arch=amd64"
    assert [each["license"]["name"] for each in zlib["licenses"]] == ["GPL-2+", "Zlib"]
    told = module("sbom").licence_list({"six": "MIT"}, [base, zlib])
    assert "| six | MIT |" in told
    assert "| zlib1g | 1:1.2.13.dfsg-1+b1 | GPL-2+, Zlib |" in told
    assert "| base-files | 12.4 | see its text |" in told


def test_an_image_without_debian_has_none_of_its_packages(module: Any, tmp_path: Path) -> None:
    assert module("contents").debian_packages(tmp_path) == []
    assert "Debian" not in module("sbom").licence_list({"six": "MIT"}, [])


def test_libraries_in_wheels(module: Any, tmp_path: Path) -> None:
    (tmp_path / "cv.libs").mkdir()
    (tmp_path / "cv.libs" / "libavcodec.so.61").write_bytes(b"x")
    (found,) = module("contents").bundled_libraries(tmp_path)
    assert found["name"] == "cv.libs/libavcodec.so.61"
    assert found["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(b"x").hexdigest()}]


def test_an_image_with_other_packages_is_noticed(module: Any, tmp_path: Path) -> None:
    folder = tmp_path / "opt" / "framelane" / "lib" / "python3.11" / "site-packages"
    for name, version in {"Faust_Streaming": "0.15.3", "six": "1.17.0", "extra": "1"}.items():
        info = folder / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    image = module("contents").site_packages(tmp_path)
    assert image == {"faust-streaming": "0.15.3", "six": "1.17.0", "extra": "1"}
    told = [("faust-streaming", "0.15.3"), ("six", "1.16.0"), ("numpy", "2.0")]
    components = [{"name": n, "version": v, "purl": f"pkg:pypi/{n}@{v}"} for n, v in told]
    components.append({"name": "a.libs/b.so"})
    assert module("sbom").differences(components, image) == [
        "extra: the image has 1, and the environment none",
        "numpy: the image has none, and the environment 2.0",
        "six: the image has 1.17.0, and the environment 1.16.0",
    ]


def test_a_licence_that_is_said_in_words_is_filled_in(module: Any) -> None:
    known = {"license": {"id": "MIT"}}
    components: list[dict[str, Any]] = [{"name": "a", "licenses": [known]}, {"name": "b"}, {"name": "c"}]
    module("sbom").fill_in(components, {"a": "other", "b": "3-Clause BSD License", "c": "UNKNOWN"})
    assert components[0]["licenses"] == [known]
    assert components[1]["licenses"] == [{"license": {"name": "3-Clause BSD License"}}]
    assert "licenses" not in components[2]


def test_an_audit_that_looked_nothing_up_is_no_good_news(
    module: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    answers = {
        "unknown": {"dependencies": [{"name": "six", "skip_reason": "not found"}]},
        "well": {"dependencies": [{"name": "six", "version": "1", "vulns": []}]},
        "ill": {
            "dependencies": [
                {"name": "six", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]},
                {"name": "own", "skip_reason": "not found"},
            ]
        },
    }
    codes = {}
    for name, answer in answers.items():
        tool = tmp_path / name / "bin" / "pip-audit"
        tool.parent.mkdir(parents=True)
        tool.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(answer)}\nEND\n")
        tool.chmod(0o755)
        asked = ["--tools", str(tmp_path / name), "lock"]
        codes[name] = module("audit").main(asked), module("audit").main(["--strict", *asked])
    out, err = capfd.readouterr()
    assert codes == {"unknown": (0, 1), "well": (0, 0), "ill": (1, 1)}
    assert "nothing was looked up" in err
    assert "six 1: PYSEC-1, mended in 2" in err
    assert "1 packages were looked up, 1 could not be; 1 have vulnerabilities" in out


def test_an_audit_that_breaks_is_told(module: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tool = tmp_path / "bin" / "pip-audit"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 'ConnectionError: no such host' >&2\nexit 1\n")
    tool.chmod(0o755)
    assert module("audit").main(["--tools", str(tmp_path), "lock"]) == 0
    assert module("audit").main(["--tools", str(tmp_path), "--strict", "lock"]) == 1
    assert "cannot be reached from here: ConnectionError: no such host" in capfd.readouterr().err
