"""The context app signs in as the rest of placet does, or says why it cannot."""

import ssl
from typing import Any

import pytest

from placet.drivers.context_app.broker import credentials
from placet.errors import Unavailable

SASL = {"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "context", "sasl.password": "pw"}


def test_without_a_protocol_nobody_signs_in() -> None:
    assert credentials({}) is None
    assert credentials({"security.protocol": "PLAINTEXT", "client.id": "x"}) is None


def test_a_user_and_a_password_go_with_their_mechanism() -> None:
    found: Any = credentials({"security.protocol": "SASL_PLAINTEXT", **SASL})
    assert (found.username, found.password, found.mechanism.value) == ("context", "pw", "SCRAM-SHA-512")
    assert (found.protocol.value, found.ssl_context) == ("SASL_PLAINTEXT", None)


def test_over_tls_the_broker_is_checked_by_its_name_unless_that_is_turned_off() -> None:
    found: Any = credentials({"security.protocol": "sasl_ssl", **SASL, "sasl.mechanism": "PLAIN"})
    assert found.protocol.value == "SASL_SSL"
    assert (found.ssl_context.check_hostname, found.ssl_context.verify_mode) == (True, ssl.CERT_REQUIRED)
    bare: Any = credentials({"security.protocol": "SSL", "ssl.endpoint.identification.algorithm": "none"})
    assert (bare.protocol.value, bare.context.check_hostname) == ("SSL", False)
    assert bare.context.verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "GSSAPI"}, "the context app expects PLAIN, SCRAM"),
        (
            {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": "a"},
            "sasl.password is missing",
        ),
        ({"security.protocol": "TLS"}, "expected one of PLAINTEXT"),
        ({"security.protocol": "SSL", "ssl.ca.location": "/nowhere/ca.pem"}, "cannot be read"),
    ],
)
def test_a_way_to_sign_in_that_it_does_not_have_is_said_at_once(options: dict[str, str], says: str) -> None:
    with pytest.raises(Unavailable, match=says):
        credentials(options)
