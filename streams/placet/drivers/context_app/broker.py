"""The Faust app itself: how it reaches the cluster, and the settings under which it can be relied upon."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import faust
from faust.auth import Credentials

from placet.drivers.context_app.outbox import BATCH_BYTES
from placet.drivers.context_app.seeking import Consumer
from placet.drivers.kafka.connection import MESSAGE_BYTES_MAX, Connection
from placet.errors import Unavailable

_PROTOCOLS = frozenset({"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"})
_MECHANISMS = frozenset({"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"})


def credentials(options: Mapping[str, Any]) -> Credentials | None:
    """Return what librdkafka's options say of signing in, as Faust has it; None where they say nothing.

    Understood are `security.protocol`, `sasl.*` with a user and a password
    (PLAIN, SCRAM), and of `ssl.*` the CA, the client's certificate and key, and
    whether names are checked. Raise `Unavailable` for a way that Faust does not
    have: signing in as nobody instead would only be refused later.
    """
    protocol = str(options.get("security.protocol", "PLAINTEXT")).upper()
    if protocol not in _PROTOCOLS:
        raise Unavailable(f"security.protocol `{protocol}`: expected one of {', '.join(sorted(_PROTOCOLS))}")
    if protocol == "PLAINTEXT":
        return None
    context = _tls(options) if protocol.endswith("SSL") else None
    if protocol == "SSL":
        return faust.SSLCredentials(context=context)
    mechanism = str(options.get("sasl.mechanism", options.get("sasl.mechanisms", "GSSAPI"))).upper()
    if mechanism not in _MECHANISMS:
        raise Unavailable(f"sasl.mechanism `{mechanism}`: the context app expects {', '.join(sorted(_MECHANISMS))}")
    user, password = options.get("sasl.username"), options.get("sasl.password")
    if not user or not password:
        raise Unavailable("sasl.username or sasl.password is missing")
    return faust.SASLCredentials(username=user, password=password, mechanism=mechanism, ssl_context=context)


def _tls(options: Mapping[str, Any]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(
            cafile=options.get("ssl.ca.location"), cadata=options.get("ssl.ca.pem") or None
        )
        if certificate := options.get("ssl.certificate.location"):
            context.load_cert_chain(
                certificate, options.get("ssl.key.location"), password=options.get("ssl.key.password")
            )
    except (OSError, ssl.SSLError) as error:
        raise Unavailable(f"ssl.*: a certificate or key cannot be read: {error}") from None
    # librdkafka's own default is `https`: the name in the certificate is checked.
    if str(options.get("ssl.endpoint.identification.algorithm", "https")).lower() == "none":
        context.check_hostname = False
    if str(options.get("enable.ssl.certificate.verification", "true")).lower() == "false":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def make_app(
    connection: Connection, slot: str, data: Path, partitions: int, table: type[faust.Table[Any, Any]]
) -> faust.App:
    """Return the app of `slot`, which has the folder `data` to itself and reads `partitions` partitions of signals."""
    signed = credentials(connection.options)
    app = faust.App(
        f"{connection.prefix}placet-context",
        broker=[f"kafka://{address}" for address in connection.bootstrap.split(",")],
        broker_credentials=signed,
        consumer_group_instance_id=slot,
        key_serializer="raw",
        value_serializer="raw",
        store="rocksdb://",
        datadir=data / slot,
        # Its exactly-once mode loses the tie between outputs and positions; a keyed fold needs none.
        processing_guarantee="at_least_once",
        broker_commit_interval=1.0,
        broker_max_poll_records=500,
        broker_session_timeout=60,
        broker_request_timeout=90,
        consumer_auto_offset_reset="earliest",
        producer_linger=0.005,
        producer_max_batch_size=BATCH_BYTES,
        producer_max_request_size=MESSAGE_BYTES_MAX,
        stream_buffer_maxsize=4096,
        stream_wait_empty=False,
        table_standby_replicas=0,
        topic_partitions=partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        Table=table,
        # Its web server gives table data to anyone who asks.
        web_enabled=False,
    )
    transport: Any = app.transport
    transport.Consumer = Consumer
    return app
