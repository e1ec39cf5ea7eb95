"""`confluent_kafka.admin.AdminClient` over a simulated cluster, as far as placet uses it."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, TypeVar

from confluent_kafka import KafkaError, TopicCollection, TopicPartition
from confluent_kafka.admin import ConfigResource, NewTopic

from tests.sim.link import Link, Lost
from tests.sim.metadata import cluster_metadata
from tests.sim.refusals import Refused, plain

T = TypeVar("T")


class SimAdmin:
    """Makes topics, tells what they are, and deletes records."""

    def __init__(self, config: Mapping[str, Any], link: Link) -> None:
        self._link = link

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> Any:
        return cluster_metadata(self._link, timeout)

    def create_topics(self, new_topics: Iterable[NewTopic], **_: Any) -> dict[str, "Future[None]"]:
        cluster = self._link.cluster
        return {
            new.topic: self._answer(lambda new=new: cluster.create(new.topic, new.num_partitions, new.config or {}))  # type: ignore[misc]
            for new in new_topics
        }

    def describe_topics(self, topics: TopicCollection, **_: Any) -> dict[str, "Future[Any]"]:
        return {
            title: self._answer(lambda title=title: SimpleNamespace(topic_id=self._identity(title)))  # type: ignore[misc]
            for title in topics.topic_names
        }

    def _identity(self, title: str) -> str:
        self._link.cluster.at(title, 0)
        return f"id-of-{title}"

    def describe_configs(self, resources: Iterable[ConfigResource], **_: Any) -> dict[ConfigResource, "Future[Any]"]:
        configs = self._link.cluster.configs
        return {
            resource: self._answer(
                lambda name=resource.name: {  # type: ignore[misc]
                    key: SimpleNamespace(value=value) for key, value in configs[name].items()
                }
            )
            for resource in resources
        }

    def delete_records(self, partitions: Iterable[TopicPartition], **_: Any) -> dict[TopicPartition, "Future[None]"]:
        cluster = self._link.cluster
        return {
            one: self._answer(lambda one=one: cluster.at(one.topic, one.partition).delete_before(one.offset))  # type: ignore[misc]
            for one in partitions
        }

    def _answer(self, call: Callable[[], T]) -> "Future[T]":
        answer: Future[T] = Future()
        try:
            answer.set_result(self._link.ask("Admin", call))
        except Refused as no:
            answer.set_exception(plain(no.code, str(no)))
        except Lost:
            answer.set_exception(plain(KafkaError._TIMED_OUT, "no answer"))
        return answer
