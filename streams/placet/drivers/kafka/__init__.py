"""The journal, the feed and the log of placet on Apache Kafka 3.7 or newer, through librdkafka."""

from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.feed import KafkaFeed
from placet.drivers.kafka.journal import KafkaJournal
from placet.drivers.kafka.log import KafkaLog
from placet.drivers.kafka.source import KafkaSource

__all__ = ["Connection", "KafkaFeed", "KafkaJournal", "KafkaLog", "KafkaSource"]
