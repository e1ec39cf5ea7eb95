"""What a broker answers when it does not do what it was asked: Kafka's own codes."""

from confluent_kafka import KafkaError, KafkaException


class Refused(Exception):
    """A broker refused a request with a code of the protocol."""

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(text or KafkaError(code).name())
        self.code = code


def passing(code: int, text: str) -> KafkaException:
    """Return what librdkafka raises when the same call should be made again."""
    return KafkaException(KafkaError(code, text, False, True, False))


def abortable(code: int, text: str) -> KafkaException:
    """Return what librdkafka raises when the transaction must be aborted."""
    return KafkaException(KafkaError(code, text, False, False, True))


def fatal(code: int, text: str) -> KafkaException:
    """Return what librdkafka raises when the producer cannot go on."""
    return KafkaException(KafkaError(code, text, True, False, False))


def plain(code: int, text: str) -> KafkaException:
    return KafkaException(KafkaError(code, text))
