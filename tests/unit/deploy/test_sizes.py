"""The sizes in deploy/README.md are what `framelane topics plan` gives, and production's disks hold its topics."""

import re

import pytest
from kube_support import ROOT, committed, of_kind

from framelane.cli.topic_table import bytes_text
from framelane.topic_plan import BYTES_PER_PIXEL, FRAMES_PER_WORKER, plan

README = (ROOT / "deploy" / "README.md").read_text()
ROWS = re.findall(r"^\| (\d+) \| (\d+) \| (\d+)x(\d+) \| (.*) \|$", README, re.MULTILINE)


def test_there_are_sizes() -> None:
    assert len(ROWS) >= 5
    assert f"{BYTES_PER_PIXEL} bytes a pixel" in README
    assert f"{FRAMES_PER_WORKER} frames/s for a worker" in README


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row[:4]))
def test_a_row_is_what_the_plan_says(row: tuple[str, ...]) -> None:
    cameras, fps, width, height, rest = row
    size = round(int(width) * int(height) * BYTES_PER_PIXEL)
    found = plan(int(cameras), fps=float(fps), frame_bytes=size, retention_s=3600, replicas=3)
    assert rest.split(" | ") == [
        f"{found.frames_per_s:g}",
        str(found.partitions),
        str(found.workers),
        bytes_text(found.disk_bytes),
        f"{bytes_text(found.network_bytes_per_s)}/s",
        str(-(-found.retention_bytes // 2**20)),
    ]


def test_productions_disks_hold_what_its_topics_keep() -> None:
    objects = committed("production")
    kept = sum(
        each["spec"]["partitions"] * each["spec"]["replicas"] * each["spec"]["config"].get("retention.bytes", 0)
        for each in of_kind(objects, "KafkaTopic")
    )
    pool = next(each for each in of_kind(objects, "KafkaNodePool") if each["spec"]["roles"] == ["broker"])
    (volume,) = pool["spec"]["storage"]["volumes"]
    room = pool["spec"]["replicas"] * int(volume["size"].removesuffix("Gi")) * 2**30
    assert 0 < kept <= 0.9 * room
