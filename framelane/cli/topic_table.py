"""How topics and plans are shown."""

from typing import Any

from rich.console import Console
from rich.table import Table

from framelane.admin import TopicReport
from framelane.topic_plan import BYTES_PER_PIXEL, FRAMES_PER_WORKER, Plan


def topics_json(reports: list[TopicReport], missing: list[str]) -> dict[str, Any]:
    """The topics as plain values."""
    return {
        "topics": [
            {
                "name": report.name,
                "partitions": report.state.partitions,
                "replicas": report.state.replicas,
                "config": dict(sorted(report.state.config.items())),
                "differences": [
                    {"setting": found.setting, "wanted": found.wanted, "found": found.found}
                    for found in report.differences
                ],
            }
            for report in reports
        ],
        "missing": missing,
    }


def topics_table(reports: list[TopicReport], missing: list[str]) -> None:
    """Print the topics as a table on stdout."""
    table = Table(box=None, pad_edge=False)
    for heading in ("topic", "partitions", "replicas", "largest record", "kept for", "kept per partition", "fits"):
        table.add_column(heading, justify="right" if heading in ("partitions", "replicas") else "left")
    for report in reports:
        config = report.state.config
        compacted = "compact" in config.get("cleanup.policy", "")
        table.add_row(
            report.name,
            str(report.state.partitions),
            str(report.state.replicas),
            bytes_text(float(config.get("max.message.bytes", 0))),
            "last of each key" if compacted else _time(config.get("retention.ms", "-1")),
            "" if compacted else _limit(config.get("retention.bytes", "-1")),
            "; ".join(str(found) for found in report.differences) or "yes",
        )
    for name in missing:
        table.add_row(name, "", "", "", "", "", "does not exist")
    wide_console().print(table)


def plan_lines(plan: Plan, *, guessed: bool, retention: str) -> list[str]:
    """The plan in words, a line each; ends with the command that makes the topics so."""
    frame = bytes_text(plan.frame_bytes) + (f" (a guess: {BYTES_PER_PIXEL} bytes a pixel)" if guessed else "")
    # Kafka is told in whole MiB, rounded up, so that the command can be read.
    limit = -(-plan.retention_bytes // 2**20)
    return [
        f"frames       {plan.frames_per_s:g} a second, {frame} each",
        f"disk         {bytes_text(plan.disk_bytes)} for raw frames over all brokers, and as much for processed ones "
        "of the same size",
        f"network      {bytes_text(plan.network_bytes_per_s)}/s at the brokers: "
        f"{bytes_text(plan.write_bytes_per_s)}/s written, {bytes_text(plan.read_bytes_per_s)}/s read by one pipeline "
        f"and one subscriber" + (", the rest for copies" if plan.replicas > 1 else ""),
        f"workers      {plan.workers}, at {FRAMES_PER_WORKER} frames a second each (two cores; measure your operators)",
        f"partitions   {plan.partitions}: two for each worker, at least 6; a camera has one",
        f"kept         {_time(str(round(plan.kept_s * 1000)))} with the default limit of 2.0 GiB a partition"
        + (", which is less than asked: see --retention-bytes below" if plan.kept_s < plan.retention_s else ""),
        "",
        f"framelane topics create --partitions {plan.partitions} --replicas {plan.replicas} --retention {retention} "
        f"--retention-bytes {limit}MiB --max-bytes {-(-plan.max_bytes // 2**20)}MiB",
    ]


def wide_console() -> Console:
    """A console on stdout; where that is no terminal, lines are long enough that no name is cut."""
    console = Console()
    return console if console.is_terminal else Console(width=240)


def bytes_text(count: float) -> str:
    """A size for people: 512 B, 1.5 MiB, 20.0 GiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def _limit(text: str) -> str:
    return "no limit" if int(text) < 0 else bytes_text(int(text))


def _time(text: str) -> str:
    ms = int(text)
    if ms < 0:
        return "ever"
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000)):
        if ms >= length:
            return f"{ms / length:.3g} {unit}"
    return f"{ms} ms"
