"""How things stand: what the broker knows of the groups, and what the workers and producers say of themselves."""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from consumers.reported import RECENT_S, ProcessLine, Reported
from consumers.status_board import StatusBoard
from framelane.admin_client import AdminConnection
from framelane.group_report import GroupState, list_groups, read_groups
from framelane.shadow_line import ShadowLine, shadow_lines
from framelane.status_rows import CameraLine, PipelineLine, camera_lines, pipeline_line
from framelane.waiting import missing_topics
from streams.contract.errors import BrokerUnavailable, KafkaError
from streams.contract.topics import create_command

READ_S = 15.0
OURS = "framelane."


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """How things stand at `at_ns`, ns since 1970.

    shadows: how new settings compare with those of the pipelines that run; their processes are no workers.
    no_reports: why frames.status could not be read, with the mend; "" when it could.
    """

    at_ns: int
    bootstrap: str
    pipelines: tuple[PipelineLine, ...]
    workers: tuple[ProcessLine, ...]
    producers: tuple[ProcessLine, ...]
    cameras: tuple[CameraLine, ...]
    shadows: tuple[ShadowLine, ...] = ()
    no_reports: str = ""


def read_status(
    connection: AdminConnection, board: StatusBoard, *, groups: Sequence[str] = (), everything: bool = False
) -> StatusReport:
    """Ask the broker, and read what was reported.

    groups: further groups to ask about. everything: also instances that have not been heard of for ten minutes.
    Raises BrokerUnavailable, or KafkaError with the broker's reason.
    """
    no_reports = _read(connection, board)
    now_ns = time.time_ns()
    reports = [Reported(status, before, now_ns=now_ns) for status, before in board.last()]
    wanted = _groups(reports, list_groups(connection), also=groups)
    states = read_groups(connection, wanted, now_ns=now_ns)
    shown = [each for each in reports if everything or each.seen_s <= RECENT_S]
    return build_report(shown, states, now_ns=now_ns, bootstrap=connection.settings.bootstrap, no_reports=no_reports)


def _read(connection: AdminConnection, board: StatusBoard) -> str:
    """Read the reports; why that could not be done, with the mend, or ""."""
    try:
        if missing_topics(connection, [board.topic], read=[board.topic]):
            create = create_command([board.topic], reach=connection.settings.reach)
            return f"no topic {board.topic}, so nobody reports; make it: {create}"
        board.catch_up(READ_S)
    except BrokerUnavailable:
        raise
    except KafkaError as error:
        return str(error)
    return ""


def build_report(
    reports: Iterable[Reported],
    groups: Mapping[str, GroupState],
    *,
    now_ns: int,
    bootstrap: str = "",
    no_reports: str = "",
) -> StatusReport:
    """Put the two together; pure, so that it can be tried."""
    reports = list(reports)
    workers = [each for each in reports if each.status.role == "worker"]
    producers = [each for each in reports if each.status.role == "producer"]
    by_group: defaultdict[str, list[Reported]] = defaultdict(list)
    for worker in workers:
        by_group[worker.status.group].append(worker)
    return StatusReport(
        at_ns=now_ns,
        bootstrap=bootstrap,
        pipelines=tuple(pipeline_line(state, by_group[group]) for group, state in sorted(groups.items())),
        workers=tuple(each.line() for each in workers),
        producers=tuple(each.line() for each in producers),
        cameras=tuple(camera_lines(producers, by_group)),
        shadows=tuple(shadow_lines(reports)),
        no_reports=no_reports,
    )


def _groups(reports: Sequence[Reported], listed: Collection[str], *, also: Sequence[str]) -> dict[str, Collection[str]]:
    """The groups to ask about, with the topics that their running workers say they read.

    Those that workers report: recently, or as long as the broker knows them; those of our names; and those asked for.
    """
    topics: dict[str, set[str]] = {
        group: set() for group in (*listed, *also) if group.startswith(OURS) or group in also
    }
    for each in reports:
        group, source = each.status.group, each.status.settings.get("input")
        if each.status.role != "worker" or not (group in listed or each.seen_s <= RECENT_S):
            continue
        names = topics.setdefault(group, set())
        if each.running and isinstance(source, str):
            names.add(source)
    return dict(topics)
