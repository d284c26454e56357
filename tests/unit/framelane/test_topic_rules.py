"""When a topic that exists will do."""

from dataclasses import replace

import pytest

from framelane.topic_rules import Difference, TopicState, advice, check_topic_name, differences, mend
from streams.contract.errors import SettingError
from streams.contract.topics import DEFAULTS, RAW, STATUS, TopicSpec

SPEC = DEFAULTS[RAW]


def state(spec: TopicSpec, partitions: int = 6, **config: str) -> TopicState:
    changed = {name.replace("_", "."): value for name, value in config.items()}
    return TopicState(name=spec.name, partitions=partitions, replicas=1, config=spec.config() | changed)


def test_what_was_created_by_us_fits() -> None:
    for spec in DEFAULTS.values():
        assert differences(spec, state(spec, spec.partitions)) == ()


@pytest.mark.parametrize(
    "found",
    [
        state(SPEC, partitions=24),
        state(SPEC, partitions=2),
        state(SPEC, max_message_bytes="9000000"),
        state(SPEC, retention_ms="7200000"),
        state(SPEC, segment_ms="60000"),
        state(SPEC, compression_type="uncompressed"),
    ],
)
def test_what_nobody_asked_for_may_be_otherwise(found: TopicState) -> None:
    assert differences(SPEC, found) == ()


@pytest.mark.parametrize(
    ("found", "setting"),
    [
        (state(SPEC, max_message_bytes="1048588"), "max.message.bytes"),
        (state(SPEC, cleanup_policy="compact"), "cleanup.policy"),
        (state(SPEC, compression_type="gzip"), "compression.type"),
        (state(DEFAULTS[STATUS], cleanup_policy="delete"), "cleanup.policy"),
    ],
)
def test_what_frames_cannot_do_without_is_told_unasked(found: TopicState, setting: str) -> None:
    assert [difference.setting for difference in differences(DEFAULTS[found.name], found)] == [setting]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (state(SPEC), []),
        (state(DEFAULTS[STATUS]), []),
        (state(SPEC, segment_ms="604800000"), ["segment.ms is 604800000, wanted 900000"]),
        (state(SPEC, segment_ms="604800000", retention_ms="-1"), []),
        (replace(state(SPEC, min_insync_replicas="1"), replicas=3), ["min.insync.replicas is 1, wanted 2"]),
    ],
)
def test_what_frames_can_do_with_and_should_not_is_advised(found: TopicState, told: list[str]) -> None:
    assert [str(difference) for difference in advice(found)] == told


def test_what_was_asked_for_must_be_so() -> None:
    wanted = replace(SPEC, partitions=12, retention_ms=1000, max_bytes=1000)
    found = differences(wanted, state(SPEC), asked={"partitions", "retention_ms", "max_bytes"})
    assert [str(difference) for difference in found] == [
        "partitions is 6, wanted 12",
        "max.message.bytes is 4194304, wanted 1000",
        "retention.ms is 3600000, wanted 1000",
    ]


def test_each_difference_has_its_mend() -> None:
    def told(setting: str, wanted: str) -> str:
        return mend(state(SPEC), Difference(setting, wanted, ""), bootstrap="b:1")

    assert "--alter --topic frames.raw --partitions 12" in told("partitions", "12")
    assert "cannot be taken away" in told("partitions", "3")
    assert "reassign" in told("replicas", "3")
    assert "--add-config max.message.bytes=5" in told("max.message.bytes", "5")


@pytest.mark.parametrize("name", ["", "a b", "..", "ä", "x" * 250])
def test_names_that_kafka_does_not_take_are_refused(name: str) -> None:
    with pytest.raises(SettingError, match="expected 1 to 249"):
        check_topic_name(name)
