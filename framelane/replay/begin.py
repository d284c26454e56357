"""Beginning a run, or finding that it is begun: after that, all who share it know the same of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from framelane.replay.book import RunBook
from framelane.replay.places import Place, Terms, check_terms, terms_of
from framelane.replay.settings import Replay
from framelane.replay.topics import ready_topics
from streams.contract.errors import BrokerUnavailable, TopicMismatch
from streams.contract.kafka_settings import KafkaSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run that is begun. resumed: by an earlier command, or another process. limits: the largest record by topic."""

    replay: Replay
    resumed: bool
    places: Mapping[int, Place]
    limits: Mapping[str, int]


def begin_run(kafka: KafkaSettings, replay: Replay, *, label: str) -> Run:
    """Begin the run, or join it. label: `name@hash` of its pipeline.

    Raises SettingError where it was begun with other terms, TopicMismatch or TopicMissing for its topics, and
    KafkaError.
    """
    asked = terms_of(replay, label=label)
    with RunBook(kafka, replay) as book:
        partitions = book.partitions()
        places = book.places(partitions)
        resumed = bool(places)
        _check(places, asked, replay)
        try:
            limits = ready_topics(kafka, replay, begun=resumed)
        except TopicMismatch:
            # Others may have begun it meanwhile, and published already.
            places = {} if resumed else book.places(partitions)
            resumed = bool(places)
            if not resumed:
                raise
            limits = ready_topics(kafka, replay, begun=True)
        if not resumed:
            book.begin(partitions, asked)
            places = book.places(partitions)
        _check(places, asked, replay)
    if not places:
        raise BrokerUnavailable(f"group {replay.group}: the broker at {kafka.bootstrap} does not keep its places")
    period = next(iter(places.values())).terms.period
    return Run(replay=replace(replay, period=period), resumed=resumed, places=places, limits=limits)


def _check(places: Mapping[int, Place], asked: Terms, replay: Replay) -> None:
    for place in places.values():
        check_terms(asked, place.terms, run_id=replay.run_id)
