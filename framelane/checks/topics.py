"""The topics: whether they are there, fit the contract and each other, and may be used."""

from collections.abc import Mapping

from confluent_kafka import KafkaException, TopicCollection

from framelane.admin import topic_states
from framelane.admin_client import REQUEST_S, AdminConnection
from framelane.checks.row import Row
from framelane.rights import may, who
from framelane.topic_rules import TopicState, advice, differences, mend
from streams.contract.errors import KafkaError
from streams.contract.topics import DEAD_LETTER, DEFAULTS, PROCESSED, RAW, create_command


def check_topics(connection: AdminConnection, *, brokers: int) -> tuple[list[Row], int]:
    """Rows on the five topics, and the largest record that any of them takes, in bytes."""
    try:
        states = topic_states(connection, list(DEFAULTS))
    except KafkaError as error:
        return [Row(what="topics", found=str(error), state="failed", mend="give this user Describe on them")], 0
    rows = [_topic(name, states.get(name), connection, brokers=brokers) for name in DEFAULTS]
    rows += _sizes(states)
    rows += [row for name in states if (row := _rights(connection, name))]
    return rows, max((_max_bytes(state) for state in states.values()), default=0)


def _topic(name: str, state: TopicState | None, connection: AdminConnection, *, brokers: int) -> Row:
    what = f"topic {name}"
    if state is None:
        create = create_command([name], reach=connection.settings.reach)
        return Row(what=what, found="does not exist", state="failed", mend=create)
    unfit = differences(DEFAULTS[name], state)
    if differing := unfit or advice(state):
        todo = "; ".join(mend(state, each, bootstrap=connection.settings.bootstrap) for each in differing)
        told = "; ".join(map(str, differing))
        return Row(what=what, found=told, state="failed" if unfit else "warning", mend=todo)
    found = f"partitions {state.partitions}, replicas {state.replicas}, records up to {_max_bytes(state)} bytes"
    if state.replicas < min(3, brokers):
        return Row(
            what=what,
            found=found,
            state="warning",
            mend=f"lost with its broker, though there are {brokers}: kafka-reassign-partitions.sh adds replicas",
        )
    return Row(what=what, found=found)


def _sizes(states: Mapping[str, TopicState]) -> list[Row]:
    """What comes out may be as large as what goes in: a smaller limit behind loses frames to the dead letters."""
    rows = []
    for behind in (PROCESSED, DEAD_LETTER):
        if RAW not in states or behind not in states:
            continue
        raw, limit = _max_bytes(states[RAW]), _max_bytes(states[behind])
        if limit < raw:
            rows.append(
                Row(
                    what=f"sizes of {RAW} and {behind}",
                    found=f"max.message.bytes of {behind} is {limit}, below the {raw} of {RAW}",
                    state="failed",
                    mend=f"raise it to {raw} or more: kafka-configs.sh --alter --entity-type topics "
                    f"--entity-name {behind} --add-config max.message.bytes={raw}",
                )
            )
    return rows


def _rights(connection: AdminConnection, name: str) -> Row | None:
    """A row when this user may not do all of what some role needs; one role needs less, so it is no fault."""
    answer = connection.client.describe_topics(
        TopicCollection([name]), include_authorized_operations=True, request_timeout=REQUEST_S
    )[name]
    try:
        description = answer.result()
    except KafkaException:
        return None
    lacking = [right.lower() for right in ("Read", "Write") if not may(description, right)]
    if not lacking:
        return None
    return Row(
        what=f"rights on {name}",
        found=f"{who(connection)} may not {' or '.join(lacking)}",
        state="warning",
        mend="right for a role that does not; otherwise add the ACL",
    )


def _max_bytes(state: TopicState) -> int:
    return int(state.config.get("max.message.bytes", 0))
