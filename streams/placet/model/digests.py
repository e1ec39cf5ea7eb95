"""What votes and executors bind to: the digest of an intent, and the digest of an action."""

from hashlib import sha256

import rfc8785

from placet.model.codec.intent import FINGERPRINT

_INTENT = b"placet/intent/1"


def review_digest(intent_digest_: bytes, partition: int, grant_seq: int) -> bytes:
    """Return what votes on the review of an emergency bind to: one grant of one intent, and not what was asked before it.

    SHA-256 of "placet/review/1", the intent's digest, the partition (4 bytes) and the grant's seq (8 bytes), big-endian.
    """
    place = partition.to_bytes(4, "big") + grant_seq.to_bytes(8, "big")
    return sha256(b"placet/review/1" + intent_digest_ + place).digest()


def intent_digest(unsigned: bytes, fingerprint: bytes = FINGERPRINT) -> bytes:
    """Return the digest of an Intent from its payload without the proof: what a vote binds to.

    The bytes are the writer's, and the fingerprint is that of the schema they were written in.
    """
    return sha256(_INTENT + fingerprint + unsigned).digest()


def action_digest(
    tenant: str, authority: str, actor: str, audience: str, action: str, resource: str, arguments: bytes
) -> bytes:
    """Return the digest of an action, whatever the schema's version: what an executor binds to.

    `arguments` are RFC 8785 bytes, and taken as they are.
    """
    texts = f"{tenant}{authority}{actor}{audience}{action}{resource}"
    if not (texts.isascii() and texts.isprintable()) or '"' in texts or "\\" in texts:
        tenant, authority, actor, audience, action, resource = (
            rfc8785.dumps(text).decode()[1:-1] for text in (tenant, authority, actor, audience, action, resource)
        )
    return digest_of_names(tenant, authority, actor, audience, action, resource, arguments)


def digest_of_names(
    tenant: str, authority: str, actor: str, audience: str, action: str, resource: str, arguments: bytes
) -> bytes:
    """Return what `action_digest` does, of texts that JSON writes as they are: identifiers, or nothing."""
    return sha256(
        f'placet/action/1{{"action":"{action}","actor":"{actor}","arguments":{arguments.decode()},'
        f'"audience":"{audience}","authority":"{authority}","resource":"{resource}","tenant":"{tenant}"}}'.encode()
    ).digest()
