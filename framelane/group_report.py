"""What the broker knows of consumer groups: who is in them, how far they are, and what waits for them.

It is the truth also when no worker reports, or none is there.
"""

from collections.abc import Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

import confluent_kafka
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException
from confluent_kafka.admin import ConsumerGroupDescription

from consumers.lookup.places import Offsets
from framelane.admin_client import REQUEST_S, AdminConnection
from framelane.record_times import Place, Times, record_times
from framelane.topic_offsets import topic_offsets

# An absent group: brokers from 4.0 on say so, older ones call it dead.
_ABSENT = confluent_kafka.KafkaError.GROUP_ID_NOT_FOUND
_DENIED = confluent_kafka.KafkaError.GROUP_AUTHORIZATION_FAILED
_STATES = {"STABLE": "stable", "EMPTY": "empty", "DEAD": "absent", "UNKNOWN": "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One consumer of a group. partitions: `topic/partition` that it has."""

    member_id: str
    client_id: str
    host: str
    partitions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionState:
    """One partition of a topic that a group reads.

    member: the id of the member that has it, "" for none. committed: the group's position, None when it has none yet.
    end: the high watermark. lag: frames between the two; without a position, all that there are. lag_s: the age of the
    first of them by its record's time, in seconds; 0 without lag, None where it could not be read. expired: frames that
    the topic's retention deleted before the group had read them. leaderless: no broker has it, so nothing is known.
    """

    topic: str
    partition: int
    member: str = ""
    committed: int | None = None
    end: int = 0
    lag: int = 0
    lag_s: float | None = 0.0
    expired: int = 0
    leaderless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupState:
    """A consumer group as the broker has it.

    state: "stable", "rebalancing", "empty" (no member), "absent" (never committed, or forgotten), or "unknown" when the
    broker does not tell. absent_topics: topics that it should read and that are not there, or not shown to this user.
    trouble: what the broker refused to tell, and which right is missing.
    """

    group: str
    state: str = "unknown"
    members: tuple[Member, ...] = ()
    partitions: tuple[PartitionState, ...] = ()
    absent_topics: tuple[str, ...] = ()
    trouble: str = ""


def list_groups(connection: AdminConnection) -> list[str]:
    """The ids of the groups that the broker shows to this user."""
    try:
        listed = connection.client.list_consumer_groups(request_timeout=REQUEST_S).result()
    except KafkaException:
        # Without the right to list them, those that are named are asked about all the same.
        return []
    return sorted(each.group_id for each in listed.valid or ())


def read_groups(
    connection: AdminConnection, topics: Mapping[str, Collection[str]], *, now_ns: int
) -> dict[str, GroupState]:
    """The groups as they are.

    topics: by group, what its workers say that they read; empty where none says so: then what it has, or has committed.
    Raises BrokerUnavailable, or KafkaError with the broker's reason.
    """
    if not topics:
        return {}
    described = connection.client.describe_consumer_groups(list(topics), request_timeout=REQUEST_S)
    asked = {
        group: connection.client.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(group)], request_timeout=REQUEST_S
        )[group]
        for group in topics
    }
    states = {group: _described(group, described[group], connection) for group in topics}
    committed = {group: _committed(answer) for group, answer in asked.items()}
    reads = {group: set(given) or _topics_of(states[group], committed[group]) for group, given in topics.items()}
    offsets = topic_offsets(connection, set().union(*reads.values()))
    found = {
        group: replace(
            state,
            absent_topics=tuple(sorted(topic for topic in reads[group] if topic not in offsets)),
            partitions=_partitions(state, committed[group], {t: offsets[t] for t in reads[group] if t in offsets}),
        )
        for group, state in states.items()
    }
    return _with_times(connection, found, now_ns=now_ns)


def _described(group: str, answer: "Future[ConsumerGroupDescription]", connection: AdminConnection) -> GroupState:
    try:
        found = answer.result()
    except KafkaException as error:
        cause = error.args[0]
        if cause.code() == _ABSENT:
            return GroupState(group=group, state="absent")
        if cause.code() == _DENIED:
            who = connection.settings.username or "an anonymous client"
            return GroupState(group=group, trouble=f"{who} may not describe it; add the ACL: Describe on group {group}")
        return GroupState(group=group, trouble=f"the broker does not describe it: {cause.str()}")
    members = tuple(
        Member(
            member_id=member.member_id,
            client_id=member.client_id,
            host=member.host.lstrip("/"),
            partitions=tuple(f"{tp.topic}/{tp.partition}" for tp in sorted(member.assignment.topic_partitions)),
        )
        for member in found.members
    )
    return GroupState(group=group, state=_STATES.get(found.state.name, "rebalancing"), members=members)


def _committed(answer: "Future[Any]") -> dict[Place, int]:
    """Positions by topic and partition; none where the broker does not tell, which describing the group has told of."""
    try:
        found = answer.result().topic_partitions
    except KafkaException:
        return {}
    return {(tp.topic, tp.partition): tp.offset for tp in found if tp.error is None and tp.offset >= 0}


def _topics_of(state: GroupState, committed: Mapping[Place, int]) -> set[str]:
    # What members have goes before what was committed, which may be of a topic that nobody reads any more.
    assigned = {name.rpartition("/")[0] for member in state.members for name in member.partitions}
    return assigned or {topic for topic, _ in committed}


def _partitions(
    state: GroupState, committed: Mapping[Place, int], offsets: Mapping[str, Mapping[int, Offsets]]
) -> tuple[PartitionState, ...]:
    owners = {name: member.member_id for member in state.members for name in member.partitions}
    return tuple(
        _partition(topic, number, at, committed.get((topic, number)), owners.get(f"{topic}/{number}", ""))
        for topic in sorted(offsets)
        for number, at in sorted(offsets[topic].items())
    )


def _partition(topic: str, number: int, at: Offsets, committed: int | None, member: str) -> PartitionState:
    if at.end < 0:
        return PartitionState(
            topic=topic, partition=number, member=member, committed=committed, lag_s=None, leaderless=True
        )
    # A position beyond the end is of a topic that was made again: it is read from its beginning, as by a new group.
    known = committed is not None and committed <= at.end
    position = committed if known and committed is not None else at.oldest
    return PartitionState(
        topic=topic,
        partition=number,
        member=member,
        committed=committed,
        end=at.end,
        lag=at.end - max(position, at.oldest),
        expired=max(0, at.oldest - position),
    )


def _with_times(connection: AdminConnection, groups: dict[str, GroupState], *, now_ns: int) -> dict[str, GroupState]:
    """The groups with lag in seconds, as far as the records that wait can be read."""
    waiting = {
        (each.topic, each.partition, each.end - each.lag)
        for state in groups.values()
        for each in state.partitions
        if each.lag
    }
    times = record_times(connection.settings, waiting)
    return {
        group: replace(state, partitions=tuple(_aged(each, times, now_ns) for each in state.partitions))
        for group, state in groups.items()
    }


def _aged(each: PartitionState, times: Times, now_ns: int) -> PartitionState:
    if not each.lag:
        return each
    at_ms = times.get((each.topic, each.partition, each.end - each.lag))
    return replace(each, lag_s=None if at_ms is None else round(max(0.0, now_ns / 1e9 - at_ms / 1e3), 3))
