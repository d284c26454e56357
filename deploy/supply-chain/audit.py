"""Which of the locked packages have known vulnerabilities, by pip-audit; and whether anything was looked at at all.

    python deploy/supply-chain/audit.py --tools VENV [--strict] LOCK

Where the advisory database cannot be reached, pip-audit fails, or calls every package unknown and ends well: both are
said here. The exit code is then 0, and 1 with --strict.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def main(arguments: Sequence[str]) -> int:
    """Look up what the lock file names; 1 where something is vulnerable."""
    parser = argparse.ArgumentParser(description="Known vulnerabilities of locked packages.")
    parser.add_argument("--tools", type=Path, required=True)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("lock", type=Path)
    asked = parser.parse_args(arguments)
    command = [str(asked.tools / "bin" / "pip-audit"), "--requirement", str(asked.lock), "--require-hashes"]
    command += ["--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "20"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)
    except json.JSONDecodeError:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return _not_reached(last, strict=asked.strict)
    vulnerable, skipped, looked_at = told(found)
    if not looked_at:
        return _not_reached("it knows none of these packages", strict=asked.strict)
    for line in (*vulnerable, *skipped):
        print(line, file=sys.stderr)
    print(f"{looked_at} packages were looked up, {len(skipped)} could not be; {len(vulnerable)} have vulnerabilities")
    return 1 if vulnerable or (skipped and asked.strict) else 0


def told(found: Mapping[str, Any]) -> tuple[list[str], list[str], int]:
    """Of pip-audit's answer: lines about what is vulnerable, about what was skipped, and how many were looked up."""
    vulnerable, skipped, looked_at = [], [], 0
    for each in found["dependencies"]:
        if "skip_reason" in each:
            skipped.append(f"audit: {each['name']} was not looked up: {each['skip_reason']}")
            continue
        looked_at += 1
        for one in each["vulns"]:
            fixed = ", ".join(one["fix_versions"]) or "no version yet"
            vulnerable.append(f"audit: {each['name']} {each['version']}: {one['id']}, mended in {fixed}")
    return vulnerable, skipped, looked_at


def _not_reached(why: str, *, strict: bool) -> int:
    print(f"audit: nothing was looked up, as the advisory database cannot be reached from here: {why}", file=sys.stderr)
    return 1 if strict else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
