"""Which rights on Kafka each role needs: the one table behind `framelane acls print` and `framelane broker --secure`.

A right to Read or to Write has the one to Describe in it, as Kafka's own authorizer has it.
"""

import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from streams.contract.errors import SettingError
from streams.contract.topics import DEAD_LETTER, EVENTS, PROCESSED, RAW, STATUS

Kind = Literal["topic", "group", "transactional-id", "cluster"]
Operation = Literal["Read", "Write", "Create", "Describe", "DescribeConfigs"]
CLUSTER = "kafka-cluster"
_PIPELINES = "framelane."
# As the code calls them; a test holds the one to the other.
_REPLAYS = "framelane-replay."
_SHADOWS, _SHADOW_TOPICS = "framelane-shadow.", "frames.shadow."


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One right. why: what it is for. prefixed: on all names that begin so. needed: the role does not work without."""

    operation: Operation
    kind: Kind
    name: str
    why: str
    prefixed: bool = False
    needed: bool = True

    @property
    def on(self) -> str:
        """What it is on, in words."""
        if self.kind == "cluster":
            return "the cluster"
        kind = self.kind.replace("-", " ")
        return f"{kind}{'s' if self.prefixed else ''} {self.name}{'*' if self.prefixed else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The topics and groups that rights are on.

    replays: what the names of all topics of replays begin with. groups: none are what each role has by default.
    """

    raw: str = RAW
    processed: str = PROCESSED
    events: str = EVENTS
    dead_letter: str = DEAD_LETTER
    status: str = STATUS
    requests: str = "frames.requests"
    replies: str = "frames.replies"
    replays: str = "frames.replay."
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What somebody does with Kafka. commands: ours that do it. rights: by names and by the user, whose group it is."""

    commands: str
    rights: Callable[[Names, str], tuple[Right, ...]]


def rights_of(role: str, names: Names | None = None, *, user: str = "") -> tuple[Right, ...]:
    """What a role needs; SettingError for one that does not exist. user: by default named as the role is."""
    if role not in ROLES:
        raise SettingError(f"role {role!r}: there is none; there are {', '.join(ROLES)}")
    found = ROLES[role].rights(names or Names(), user or role)
    # A pipeline without events has a topic of that name no more than a right on it.
    return tuple(right for right in found if right.name)


def commands(users: Mapping[str, Collection[Right]], *, bootstrap: str, login: bool) -> list[str]:
    """kafka-acls.sh for each user. login: it needs a file of its own to reach this broker."""
    reach = ["kafka-acls.sh", "--bootstrap-server", bootstrap]
    reach += ["--command-config", "admin.properties"] if login else []
    lines = []
    for user, rights in users.items():
        for (kind, prefixed, operation), each in groupby(sorted(rights, key=_together), key=_together):
            words = [*reach, "--add", "--allow-principal", f"User:{user}", "--operation", operation]
            if kind == "cluster":
                words.append("--cluster")
            else:
                # Two roles of one user may need the same, each for its own reason.
                names = dict.fromkeys(right.name for right in each)
                words += [word for name in names for word in (f"--{kind}", name)]
            lines.append(shlex.join([*words, *(["--resource-pattern-type", "prefixed"] if prefixed else [])]))
    return lines


def _together(right: Right) -> tuple[str, bool, str]:
    return right.kind, right.prefixed, right.operation


def _topic(operation: Operation, name: str, why: str, *, needed: bool = True, prefixed: bool = False) -> Right:
    return Right(operation=operation, kind="topic", name=name, why=why, needed=needed, prefixed=prefixed)


def _groups(operation: Operation, names: Sequence[str], why: str, *, prefix: str = "") -> tuple[Right, ...]:
    if not names:
        return (Right(operation=operation, kind="group", name=prefix, why=why, prefixed=True),)
    return tuple(Right(operation=operation, kind="group", name=name, why=why) for name in names)


def _producer(names: Names, user: str) -> tuple[Right, ...]:
    return (
        _topic("Write", names.raw, "publish frames"),
        _topic("Write", names.status, "report how its cameras are doing"),
        _topic("DescribeConfigs", names.raw, "know beforehand how large a frame may be", needed=False),
    )


def _worker(names: Names, user: str) -> tuple[Right, ...]:
    return (
        _topic("Read", names.raw, "take frames"),
        *_groups("Read", names.groups, "share the frames with others, and note how far it is", prefix=_PIPELINES),
        _topic("Write", names.processed, "publish what it made of them"),
        _topic("Write", names.events, "publish what it found"),
        _topic("Write", names.dead_letter, "keep what it could not process"),
        _topic("Write", names.status, "report how it is doing"),
    )


def _subscriber(names: Names, user: str) -> tuple[Right, ...]:
    return (
        _topic("Read", names.processed, "receive frames"),
        _topic("Read", names.events, "receive what was found"),
        *_groups("Read", names.groups or (user,), "note how far it is"),
    )


def _view(names: Names, user: str) -> tuple[Right, ...]:
    return (
        _topic("Read", names.processed, "show frames"),
        _topic("Read", names.raw, "show the raw frame beside it"),
        _topic("Read", names.events, "draw what was found"),
        _topic("Read", names.dead_letter, "count and mark what failed"),
        _topic("Read", names.status, "show rates, and which pipelines run"),
        _topic("Write", names.status, "report who watches"),
    )


def _gateway(names: Names, user: str) -> tuple[Right, ...]:
    return (
        _topic("Write", names.requests, "hand images to the workers"),
        _topic("Read", names.replies, "take what they made of them"),
        _topic("Read", names.dead_letter, "tell why there is no image"),
    )


def _status(names: Names, user: str) -> tuple[Right, ...]:
    return (
        *_groups("Describe", names.groups, "see who is in the groups, and how far they are", prefix=_PIPELINES),
        _topic("Read", names.raw, "tell the lag in seconds"),
        _topic("Read", names.status, "read what workers and producers report"),
    )


def _dead_letters(names: Names, user: str) -> tuple[Right, ...]:
    return (
        _topic("Read", names.dead_letter, "list, show and export them"),
        _topic("Write", names.dead_letter, "mark those that are redriven"),
        _topic("Write", names.raw, "send them through again"),
        _topic("Read", names.raw, "find pictures that were too large for a dead letter", needed=False),
    )


def _replay(names: Names, user: str) -> tuple[Right, ...]:
    once = Right(
        operation="Write", kind="transactional-id", name=_REPLAYS, why="publish each frame once", prefixed=True
    )
    return (
        _topic("Read", names.raw, "take frames of the past"),
        _topic("DescribeConfigs", names.raw, "make its own topics for frames as large"),
        _topic("Create", names.replays, "make the topics of a run", prefixed=True),
        _topic("DescribeConfigs", names.replays, "see whether they will do", prefixed=True),
        _topic("Write", names.replays, "publish what comes of the frames", prefixed=True),
        *_groups("Read", (), "share a run with others, and note how far it is", prefix=_REPLAYS),
        once,
    )


def _diff(names: Names, user: str) -> tuple[Right, ...]:
    return (
        _topic("Read", names.processed, "compare frames that were live"),
        _topic("Read", names.events, "compare what was found in them"),
        _topic("Read", names.replays, "compare replays", prefixed=True),
        _topic("Read", names.dead_letter, "tell why frames are missing", needed=False),
    )


def _shadow(names: Names, user: str) -> tuple[Right, ...]:
    return (
        *_worker(names, user),
        *_groups("Read", (), "share the frames with other shadows", prefix=_SHADOWS),
        _topic("DescribeConfigs", names.raw, "make the shadows' topics for frames as large"),
        _topic("DescribeConfigs", names.processed, "make the shadows' topics for frames as large"),
        _topic("Create", _SHADOW_TOPICS, "make the shadows' topics", prefixed=True),
        _topic("DescribeConfigs", _SHADOW_TOPICS, "see whether they are there", prefixed=True),
        _topic("Write", _SHADOW_TOPICS, "publish what the new settings make", prefixed=True),
    )


def _topics(names: Names, user: str) -> tuple[Right, ...]:
    made = (names.raw, names.processed, names.events, names.dead_letter, names.status, names.requests, names.replies)
    each: tuple[tuple[Operation, str], ...] = (
        ("Create", "create it"),
        ("Describe", "see whether it is there, with its partitions"),
        ("DescribeConfigs", "compare its settings with what frames need"),
    )
    cluster = Right(
        operation="DescribeConfigs", kind="cluster", name=CLUSTER, why="compare the broker's limits", needed=False
    )
    return (*(_topic(operation, name, why) for name in made for operation, why in each), cluster)


ROLES: Mapping[str, Role] = {
    "producer": Role(commands="produce, FrameProducer", rights=_producer),
    "worker": Role(commands="work", rights=_worker),
    "subscriber": Role(commands="tail, record, snapshot, stats, subscribe()", rights=_subscriber),
    "view": Role(commands="view", rights=_view),
    "gateway": Role(commands="gateway, process", rights=_gateway),
    "status": Role(commands="status", rights=_status),
    "dead-letters": Role(commands="dead-letters", rights=_dead_letters),
    "topics": Role(commands="topics, doctor", rights=_topics),
    "replay": Role(commands="replay", rights=_replay),
    "diff": Role(commands="diff", rights=_diff),
    "shadow": Role(commands="work --shadow", rights=_shadow),
}
