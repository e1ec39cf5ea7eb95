"""Bad input, one of each kind, and what must be said of it."""

from typing import NamedTuple

from placet.model.codec import intent, verdict, watermark
from placet.model.codec.vote import Vote
from placet.model.keys import key_of
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from tests.faults import town
from tests.faults.town import OPERATOR, OTHER_KEY, PEOPLE, SHOP_KEY, STRANGER, TENANT, VOTERS

KEY = key_of(TENANT, PEOPLE[0])
LARGE = 65_536
"""The largest input record, in bytes, where settings say nothing else."""


class Bad(NamedTuple):
    """One faulty record. `misplaced` records are appended to a partition that their key does not lie in.

    `key` is that of a context record where it is not its own.
    """

    topic: Topic
    value: bytes | None
    reason: Reason
    misplaced: bool = False
    key: str | None = None


def bad_inputs(now: int, number: int) -> dict[str, Bad]:
    """Return every kind of faulty input record by its name; `number` makes their ids."""
    good = town.an_intent(now, number)
    framed = intent.frame(good)
    digest = town.digest_of(good)

    def asks(**more: object) -> bytes:
        return intent.frame(town.an_intent(now, number, **more))

    def arguments(text: bytes) -> Bad:
        return Bad(Topic.INTENTS, asks(arguments=text), Reason.ARGUMENTS_MALFORMED)

    def on(topic: Topic, value: bytes | None, reason: Reason) -> Bad:
        return Bad(topic, value, reason)

    unsigned_vote = Vote(TENANT, PEOPLE[0], good.id, 1, digest, "user:judy", True, "", None, now, "", 0, None)
    nonce = bytes(16)
    return {
        "no value": on(Topic.INTENTS, None, Reason.UNDECODABLE),
        "no bytes": on(Topic.INTENTS, b"", Reason.SCHEMA_UNKNOWN),
        "noise": on(Topic.INTENTS, b"\x00\x00\x00\x00\x01\xff\xfe\xfd", Reason.UNDECODABLE),
        "cut short": on(Topic.INTENTS, framed[:-3], Reason.UNDECODABLE),
        "one byte too many": on(Topic.INTENTS, framed + b"\x00", Reason.UNDECODABLE),
        "a length beyond the end": on(Topic.INTENTS, framed[:21] + b"\xfe\xff\xff\xff\x0f", Reason.UNDECODABLE),
        "oversized": on(Topic.INTENTS, framed + bytes(LARGE), Reason.TOO_LARGE),
        "a schema nobody knows": on(Topic.INTENTS, b"\x00\x00\x00\x03\xe7" + framed[5:], Reason.SCHEMA_UNKNOWN),
        "an intent among the outcomes": on(Topic.OUTCOMES, framed, Reason.SCHEMA_UNKNOWN),
        "a claim among the intents": on(Topic.INTENTS, town.a_claim(now, good, digest, nonce), Reason.SCHEMA_UNKNOWN),
        "a verdict of an unknown effect among the outcomes": on(
            Topic.OUTCOMES, verdict.HEADER + bytes(40) + b"\xc6\x01", Reason.SCHEMA_UNKNOWN
        ),
        "another partition's": Bad(Topic.INTENTS, framed, Reason.WRONG_PARTITION, misplaced=True),
        "another partition's claim": Bad(
            Topic.OUTCOMES, town.a_claim(now, good, digest, nonce), Reason.WRONG_PARTITION, misplaced=True
        ),
        "a name given twice": arguments(b'{"amount":1,"amount":2}'),
        "deep": arguments(b'{"note":' + b"[" * 40 + b"]" * 40 + b"}"),
        "not a number": arguments(b'{"amount":NaN}'),
        "an integer no reader holds": arguments(b'{"amount":9007199254740993}'),
        "not canonical": arguments(b'{"amount": 10}'),
        "no object": arguments(b"[1]"),
        "a lone surrogate": arguments(b'{"note":"\\ud800"}'),
        "a tenant with a slash": Bad(Topic.INTENTS, asks(tenant="ac/me"), Reason.MALFORMED),
        "an identifier with a space": on(Topic.INTENTS, asks(resource="order 7"), Reason.MALFORMED),
        "attempt 0": on(Topic.INTENTS, asks(attempt=0), Reason.MALFORMED),
        "an attempt out of turn": on(Topic.INTENTS, asks(attempt=2), Reason.ATTEMPT_NOT_NEXT),
        "past its deadline": on(Topic.INTENTS, asks(deadline=now - 1), Reason.ASKED_TOO_LATE),
        "due in a year": on(Topic.INTENTS, asks(deadline=now + 365 * 86_400_000), Reason.DEADLINE_TOO_FAR),
        "a proof of a key not pinned": on(Topic.INTENTS, town.signed("intent", good, STRANGER), Reason.WRITER_UNPROVED),
        "a claim of a key not pinned": on(
            Topic.OUTCOMES, town.a_claim(now, good, digest, nonce, STRANGER), Reason.WRITER_UNPROVED
        ),
        "an outcome of an unknown result": on(
            Topic.OUTCOMES, town.an_outcome(now, good, 42, b"", nonce), Reason.MALFORMED
        ),
        "an outcome of an unknown label": on(
            Topic.OUTCOMES,
            town.an_outcome(now, good, State.FAILED, b"", nonce, sensitivity="cosmic"),
            Reason.MALFORMED,
        ),
        "an outcome in another's name": on(
            Topic.OUTCOMES,
            town.an_outcome(now, good, State.FAILED, b"", nonce, OTHER_KEY, executor=SHOP_KEY.issuer),
            Reason.WRITER_UNPROVED,
        ),
        "a vote in another's name": on(
            Topic.VOTES, town.a_vote(now, good, VOTERS[0], signer=town.APPROVERS[VOTERS[1]]), Reason.WRITER_UNPROVED
        ),
        "a vote of an executor": on(
            Topic.VOTES, town.a_vote(now, good, SHOP_KEY.issuer, signer=SHOP_KEY), Reason.WRITER_UNPROVED
        ),
        "a vote for arguments that are not canonical": on(
            Topic.VOTES, town.a_vote(now, good, VOTERS[0], arguments=b'{"amount": 1}'), Reason.ARGUMENTS_MALFORMED
        ),
        "a vote on nothing": on(Topic.VOTES, town.a_vote(now, good, VOTERS[0]), Reason.VOTE_UNKNOWN),
        "a vote of nobody": on(Topic.VOTES, town.MODULES["vote"].frame(unsigned_vote), Reason.WRITER_UNPROVED),
        "a claim of nothing": on(Topic.OUTCOMES, town.a_claim(now, good, digest, nonce), Reason.CLAIM_UNKNOWN),
        "an outcome of nothing": on(
            Topic.OUTCOMES, town.an_outcome(now, good, State.FAILED, b"", nonce), Reason.OUTCOME_UNKNOWN
        ),
        "a withdrawal of nothing": on(Topic.INTENTS, town.a_withdrawal(good, good.actor), Reason.CLAIM_UNKNOWN),
    }


def bad_context(now: int) -> dict[str, Bad]:
    """Return every kind of context record that no reader may take."""
    broken, opened = town.BROKEN_PACK, town.OPEN_PACK
    digest = town.digest_of_pack(opened)
    return {
        "noise among the risks": Bad(Topic.RISK, b"\x00\x00\x00\x00\x11\xff", Reason.UNDECODABLE),
        "a schema nobody knows": Bad(Topic.RISK, b"\x00\x00\x00\x03\xe7", Reason.SCHEMA_UNKNOWN),
        "a tombstone": Bad(Topic.PRINCIPALS, None, Reason.UNDECODABLE, key="acme/agent:nobody/hr"),
        "a risk in the place of another's": Bad(
            Topic.RISK, town.a_risk(now, "agent:ada", 1), Reason.MALFORMED, key="acme/agent:bob/siem"
        ),
        "a watermark in the place of a calendar": Bad(
            Topic.CONTROLS, town.a_watermark(now), Reason.MALFORMED, key="acme/calendar/freeze"
        ),
        "a score of 101": Bad(Topic.RISK, town.a_risk(now, "agent:ada", 101), Reason.MALFORMED),
        "a status nobody knows": Bad(Topic.PRINCIPALS, town.a_principal(now, "agent:x", "asleep"), Reason.MALFORMED),
        "a label nobody knows": Bad(Topic.SENSITIVITY, town.a_label(now, "order/9", "cosmic"), Reason.MALFORMED),
        "a watermark cut short": Bad(Topic.RISK, watermark.HEADER + b"\x10", Reason.UNDECODABLE),
        # Under its own key it would be all that a reader who starts anew finds of the good one.
        "a mandate an executor signed": Bad(
            Topic.MANDATES,
            town.a_mandate(now, "agent:ada", "user:grace", by=SHOP_KEY),
            Reason.WRITER_UNPROVED,
            key="acme/nobody's",
        ),
        "a calendar of a key not pinned": Bad(
            Topic.CONTROLS, town.a_calendar(now, "freeze", "on", STRANGER), Reason.WRITER_UNPROVED
        ),
        "a pack that does not load": Bad(Topic.POLICIES, town.a_pack(now, broken, bytes(32)), Reason.MALFORMED),
        "a pack under another digest": Bad(Topic.POLICIES, town.a_pack(now, opened, bytes(32)), Reason.MALFORMED),
        "a pack an executor signed": Bad(
            Topic.POLICIES, town.a_pack(now, opened, digest, SHOP_KEY), Reason.WRITER_UNPROVED, key="acme/nobody's"
        ),
        "a set that names what is not here": Bad(
            Topic.POLICIES, town.a_set(now, 1_000_000, bytes(32)), Reason.MALFORMED
        ),
        "a set an executor signed": Bad(
            Topic.POLICIES, town.a_set(now, 1_000_000, digest, by=SHOP_KEY), Reason.WRITER_UNPROVED
        ),
        "a set for another tenant": Bad(
            Topic.POLICIES, town.a_set(now, 1_000_000, digest, tenant="globex", by=OPERATOR), Reason.MALFORMED
        ),
    }
