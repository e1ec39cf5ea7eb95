"""A verdict decided again from its case, and compared with what was said."""

import json
from importlib.metadata import version
from typing import Any, NamedTuple

from placet.faces.auditor.asking import Polled
from placet.faces.auditor.glass import review_of
from placet.faces.auditor.guidance import ask_fault, bounds_fault
from placet.faces.auditor.hashes import action_digest, canonical
from placet.faces.auditor.joining import (
    BROKEN,
    INACTIVE,
    OUTSIDE,
    UNKNOWN_AUDIENCE,
    UNKNOWN_WHO,
    Joiner,
    Odd,
    Stopped,
)
from placet.faces.auditor.known import Subject
from placet.faces.auditor.limits import OVERLOADED, granted
from placet.faces.auditor.packs import Plain, Shelf
from placet.faces.auditor.people import let_through
from placet.faces.auditor.records import Fields, Record, Schemas, Unreadable
from placet.faces.auditor.report import Report
from placet.faces.auditor.rules import ERRED, NO_RULE, SILENT, Demand, Said, about_action, put
from placet.faces.auditor.table import (
    APPROVED,
    CLAIMED,
    CONSTRAIN,
    DENY,
    EMERGENCY,
    GRANTED,
    HOLDING,
    PENDING,
    PERMIT,
    REJECTED,
    REVOKED,
    name_of,
    state_of,
)

UNPROVED, FELL, LACKING_CAPABILITY, DISAGREES = 70, 75, 460, 440
CLOSED = frozenset(
    {NO_RULE, ERRED, UNPROVED, FELL, FELL, LACKING_CAPABILITY, UNKNOWN_WHO, INACTIVE, BROKEN, OUTSIDE, UNKNOWN_AUDIENCE}
)
"""Why nothing could be permitted, besides a fact that is missing."""
OF_GRANTS = 600
"""Reasons from here on say what became of a grant, not what the rules said."""
LIBRARY = f"cel-expr-python/{version('cel-expr-python')}"


class Expected(NamedTuple):
    """What a verdict should say."""

    effect: int
    reason: int
    rules: tuple[str, ...] = ()
    demands: tuple[Demand, ...] = ()
    missing: tuple[str, ...] = ()
    granted_digest: bytes = b""
    granted_arguments: bytes | None = None
    claim_required: bool = True
    ends: int = 0
    act_ms_max: int = 0
    asked_of: tuple[int, list[str], list[str], list[str], int] | None = None
    """Of people: how many, of whom, who has said yes, and how and how lately they must have authenticated."""
    review: Plain | None = None
    """What the review of an emergency asks, as its record says it."""


class Again:
    """Decides cases again under the packs as they were published. `absent` is what the last one asked for in vain.

    `review` is what the review of the last emergency has to ask, with the seq of its verdict.
    """

    def __init__(self, shelf: Shelf, schemas: Schemas, report: Report) -> None:
        self._shelf = shelf
        self._schemas = schemas
        self._check = report["V5"]
        self._closed = report["V10"]
        self.absent: set[Subject] = set()
        self.review: tuple[int, Plain] | None = None

    def differs(self, said: Fields, body: Fields, intent: Record) -> tuple[str, str]:
        """Return the check that has something to say of a verdict, and what: how it differs from what its case gives, or nothing.

        A permit where nothing was known that it could rest on is V10's, everything else V5's.
        """
        if LIBRARY not in said["engine"].split():
            self._check.skip(f"decided by another engine than {LIBRARY}")
            return "V5", ""
        if said["reason"] == DISAGREES:
            self._check.skip("the desk's two engines disagreed, so it said deny")
            return "V5", ""
        if said["reason"] == OVERLOADED:
            self._check.skip("the desk counted as many scopes of limits as it does for one authority")
            return "V5", ""
        self.absent = set()
        try:
            expected = self._expect(body, intent, said)
        except Odd as odd:
            return "V5", str(odd)
        if expected is None:
            self._check.skip("its packs are no longer there")
            return "V5", ""
        if expected.missing or expected.reason in CLOSED:
            self._closed.checked += 1
            if said["state"] in HOLDING and not said["stop"]:
                return "V10", f"`{name_of(said['state'])}`, where there was nothing to rest it on: {expected.reason}"
        if expected.review is not None:
            self.review = said["seq"], expected.review
        return "V5", _compare(said, expected) or self._misguides(said, expected, body, intent)

    def _misguides(self, said: Fields, expected: Expected, body: Fields, intent: Record) -> str:
        """Return what is not true of whom to ask and what would be allowed; later arrows tell neither."""
        if said["previous_seq"] >= 0 and (said["reason"] >= OF_GRANTS or said["stop"]):
            return "tells what would be allowed after a grant" if said["bounds"] or said["ask"] else ""
        asked = intent.fields
        fault = ask_fault(said, expected.reason, asked, body, self._schemas)
        packs = self._shelf.find(asked["tenant"], body["set_digest"]) if said["bounds"] else None
        if fault or packs is None:
            return fault
        known = Joiner(self._schemas, body, intent, said["executor"]).join()
        return bounds_fault(said, packs, asked, json.loads(asked["arguments"]), known, body)

    def _expect(self, body: Fields, intent: Record, said: Fields) -> Expected | None:
        asked = intent.fields
        packs = self._shelf.find(asked["tenant"], body["set_digest"])
        if packs is None:
            return None
        about = about_action(packs, asked["action"])
        if about is None:
            return Expected(DENY, NO_RULE)
        if asked["proof"] is None and not all(pack.unsigned_intents for pack, _ in about):
            return Expected(DENY, UNPROVED)
        try:
            if self._fell(body, asked):
                return Expected(DENY, FELL)
            known = Joiner(self._schemas, body, intent, said["executor"]).join()
        except Stopped as stopped:
            if stopped.absent is not None:
                name, missing = stopped.absent
                self.absent.add((name, asked["tenant"], missing))
            return Expected(DENY, stopped.reason)
        arguments: dict[str, Any] = json.loads(asked["arguments"])
        found = put(packs, asked, arguments, known, body["instant"])
        assert found is not None
        self.absent = {_subject(fact, asked) for fact in known.absent}
        waited_ms = 0 if said["previous_seq"] < 0 else body["instant"] - said["asked_at"]
        votes = _votes(self._schemas, body["votes"], said["intent_digest"])
        rows: list[Fields] = body["limits"]
        found, polled = let_through(found, packs, known, asked, arguments, rows, votes, waited_ms, body["instant"])
        if polled is not None and not polled.met:
            ends = min(asked["deadline"], known.mandate_ends or asked["deadline"])
            return _waiting(found, polled, body["instant"], ends)
        if found.effect not in (PERMIT, CONSTRAIN):
            return Expected(found.effect, found.reason, found.rules, found.demands, found.missing)
        if not {name for kind, name, _ in found.demands if kind == "capability"} <= known.capabilities:
            return Expected(DENY, LACKING_CAPABILITY)
        ends = min(body["instant"] + found.lease_ms, asked["deadline"])
        grants = _granted(found, asked, arguments, min(ends, known.mandate_ends or ends), polled)
        if found.without is None or found.glass is None or polled is not None:
            return grants
        return grants._replace(reason=EMERGENCY, review=review_of(found.glass, known, body["instant"]))

    def _fell(self, body: Fields, asked: Fields) -> bool:
        """Whether a case holds word that the key of its intent fell, itself or with the operator who put it on record."""
        for fact in body["facts"]:
            if fact["role"] != "key":
                continue
            said = self._schemas.open(fact["value"]).fields
            kid = asked["proof"]["kid"] if asked["proof"] else ""
            about = said["kid"] == kid or said["purpose"] == "operator"
            if not (about and said["tenant"] in ("", asked["tenant"]) and said["compromised_at"]):
                raise Odd("its fact `key` is not about who signed it")
            return True
        return False


def _votes(schemas: Schemas, values: list[bytes], digest: bytes) -> list[Fields]:
    """Return the votes in a case, each of another voter and on the intent of the case."""
    found: list[Fields] = []
    for value in values:
        try:
            record = schemas.open(value)
        except Unreadable as error:
            raise Odd(f"one of its votes is {error}") from None
        if record.name != "vote" or record.fields["intent_digest"] != digest:
            raise Odd(f"a `{record.name}` among its votes that is not on its intent")
        found.append(record.fields)
    if len({vote["voter"] for vote in found}) != len(found):
        raise Odd("two of its votes are of one voter")
    return found


def _subject(fact: str, asked: Fields) -> Subject:
    """Return what a fact that nobody had would have been about."""
    root, _, part = fact.partition(".")
    tenant = asked["tenant"]
    if root == "calendar":
        return "control", tenant, part
    if part == "risk":
        return "risk", tenant, f"session:{asked['session']}" if root == "session" else asked[root]
    if root == "resource":
        return "sensitivity", tenant, asked["resource"]
    return ("mandate", tenant, asked["mandate"]) if root == "mandate" else ("principal", tenant, asked[root])


def _waiting(found: Said, polled: Polled, instant: int, latest: int) -> Expected:
    """Return what is said of what people do not let through, or not yet; no wait goes on past `latest`."""
    if polled.refused_by or found.wanted is None:
        return Expected(DENY, REJECTED, found.rules, found.demands, found.missing)
    ends = min(instant + found.wanted.expires_ms, latest)
    return Expected(
        found.effect, found.reason, found.rules, found.demands, found.missing, ends=ends, asked_of=polled.told
    )


def _granted(
    found: Said, asked: Fields, arguments: dict[str, Any], ends: int, polled: Polled | None = None
) -> Expected:
    """Return what a grant says: the arguments that may run, and their digest."""
    after = canonical(granted(arguments if polled is None else polled.left, found.demands))
    changed = after != canonical(arguments)
    told = polled.told if polled is not None and polled.quorum else None
    bound = CONSTRAIN if found.demands or changed else PERMIT
    return Expected(
        found.effect if polled is None else bound,
        found.reason if polled is None else APPROVED,
        found.rules,
        found.demands,
        found.missing,
        action_digest(asked, after if changed else asked["arguments"]),
        after if changed else None,
        found.claim_required or not asked["audience"],
        ends,
        found.act_ms_max,
        told,
    )


def _compare(said: Fields, expected: Expected) -> str:
    """Return the first thing that differs. What became of a grant has a reason of its own."""
    later = said["previous_seq"] >= 0 and (said["reason"] >= OF_GRANTS or said["stop"])
    grants = expected.effect in (PERMIT, CONSTRAIN)
    demands = tuple((row["kind"], row["argument"], row["value"]) for row in said["obligations"])
    pairs: list[tuple[str, Any, Any]] = [
        ("effect", said["effect"], expected.effect),
        ("rules", sorted(said["rules"]), sorted(expected.rules)),
        ("obligations", sorted(demands), sorted(expected.demands)),
        ("missing facts", sorted(said["missing"]), sorted(expected.missing)),
    ]
    if not later:
        pairs += [
            ("reason", said["reason"], expected.reason),
            ("state", said["state"], state_of(expected.effect, claim_required=expected.claim_required)),
        ]
    if grants and said["state"] in (GRANTED, CLAIMED) and not said["stop"]:
        pairs += [
            ("granted digest", said["granted_digest"].hex(), expected.granted_digest.hex()),
            ("granted arguments", said["granted_arguments"], expected.granted_arguments),
            ("act_ms_max", said["act_ms_max"], expected.act_ms_max),
        ]
        if not later:
            pairs += [
                ("claim required", said["claim_required"], expected.claim_required),
                ("end of the lease", said["expires_at"], expected.ends),
            ]
    approval = said["approval"]
    if expected.asked_of is not None and said["state"] in (PENDING, GRANTED, CLAIMED) and not said["stop"]:
        names = ("quorum", "eligible", "voters", "acr", "auth_age_ms_max")
        told = None if approval is None else tuple(approval[name] for name in names)
        pairs.append(("what is asked of people", told, expected.asked_of))
    if said["state"] == PENDING:
        pairs.append(("state", PENDING, state_of(expected.effect, claim_required=True)))
        if not later and expected.asked_of is not None:
            pairs.append(("end of the wait", said["expires_at"], expected.ends))
    if REJECTED in (said["reason"], expected.reason):
        pairs.append(("reason", said["reason"], expected.reason))
    for what, was, should in pairs:
        if was != should:
            return f"{what} is {was}, decided again it is {should}"
    if expected.reason == SILENT and (said["stop"] or said["state"] == REVOKED):
        return f"{'stopped' if said['stop'] else 'revoked'}, and nothing was said against it: a feed was silent"
    if said["state"] == CLAIMED and not said["stop"] and not grants:
        return f"claimed, decided again its effect is {expected.effect}"
    return ""
