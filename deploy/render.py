"""Render the chart into the manifests that are committed, for those who use kubectl alone: `make render`.

Files below `kubernetes/` are named as the chart's templates. Rules and dashboard are copied into the chart first, for
Helm reads nothing outside of it.
"""

import argparse
import re
import shutil
import subprocess
from pathlib import Path

DEPLOY = Path(__file__).resolve().parent
CHART = DEPLOY / "helm" / "framelane"
TARGETS = ("local", "production")
NAME = "framelane"
COPIES = {
    DEPLOY / "observability" / "prometheus" / "framelane.rules.yaml": CHART / "files" / "framelane.rules.yaml",
    DEPLOY / "observability" / "grafana" / "framelane.json": CHART / "files" / "framelane.json",
}
_SOURCE = re.compile(rf"^# Source: {NAME}/templates/(\S+)\n", re.MULTILINE)
_MADE = "# Made from deploy/helm/framelane by `make render`: change the chart, or lay a kustomization on top.\n"


def main() -> None:
    """Render every target."""
    parser = argparse.ArgumentParser(description="Render the chart into manifests for kubectl.")
    parser.add_argument("--helm", default="helm", help="the helm to be used")
    parser.add_argument("--to", type=Path, default=DEPLOY / "kubernetes", help="a folder for each target goes there")
    asked = parser.parse_args()
    copy_observability()
    for target in TARGETS:
        write(asked.to / target, split(template(target, helm=asked.helm)))


def copy_observability() -> None:
    """Copy rules and dashboard into the chart."""
    for source, copy in COPIES.items():
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, copy)


def template(target: str, *, helm: str) -> str:
    """What Helm makes of the chart with a target's values."""
    values = CHART / f"values-{target}.yaml"
    command = [helm, "template", NAME, str(CHART), "--namespace", NAME, "--values", str(values)]
    command += ["--set", "namespace.create=true"]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def split(rendered: str) -> dict[str, str]:
    """The documents of each template, by its name, in Helm's order."""
    files: dict[str, str] = {}
    for document in re.split(r"^---\n", rendered, flags=re.MULTILINE):
        found = _SOURCE.search(document)
        if found:
            # Empty lines in a ConfigMap's text are indented as the others are.
            text = re.sub(r"^ +$", "", _SOURCE.sub("", document), flags=re.MULTILINE).strip() + "\n"
            files[found[1]] = f"{files[found[1]]}---\n{text}" if found[1] in files else text
    return files


def write(folder: Path, files: dict[str, str]) -> None:
    """Put the files and their kustomization.yaml into a folder, and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in files.items():
        folder.joinpath(name).write_text(_MADE + text, encoding="utf-8")
    lines = ["apiVersion: kustomize.config.k8s.io/v1beta1", "kind: Kustomization", "resources:"]
    # The namespace before what lies in it.
    lines += [f"  - {name}" for name in sorted(files, key=lambda name: (name != "namespace.yaml", name))]
    folder.joinpath("kustomization.yaml").write_text(_MADE + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
