"""Who a security event is about: subject identifiers of RFC 9493 and SSF 1.0 named as subjects of ours."""

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from placet.errors import PoisonRecord
from placet.model.reasons import Reason

PARTS: dict[str, tuple[str, ...]] = {
    "account": ("uri",),
    "email": ("email",),
    "iss_sub": ("iss", "sub"),
    "opaque": ("id",),
    "phone_number": ("phone_number",),
    "did": ("url",),
    "uri": ("uri",),
    "jwt_id": ("iss", "jti"),
    "saml_assertion_id": ("issuer", "assertion_id"),
}
"""The formats that name one subject, and the members that together name it."""
TOKENS = frozenset({"opaque", "jwt_id", "saml_assertion_id"})
"""The formats in which a simple subject names a session."""
MEMBERS: dict[str, str] = {"user": "user", "application": "service", "session": "session", "device": "device"}
"""The members of a complex subject whose risk can be known, and the kind each is named with."""
SCOPES = frozenset({"tenant", "org_unit", "group"})
"""Members that narrow or name a crowd. The tenant itself comes from the stream, never from a payload."""
NAME_MOST = 256


def name_of(subject: object, member: str, known: Mapping[str, str], issuer: str) -> str | None:
    """Return the subject of ours that a simple identifier names, or None for a format that names no one subject.

    `known` maps `format:value` (several values joined by a space) to a name and
    goes first. Else the name is the kind of `member` and the value; the issuer
    stands before it where the subject is not one of the event's own `issuer`.
    """
    if not isinstance(subject, Mapping):
        raise _malformed("subject", subject, "an object")
    form = subject.get("format", subject.get("subject_type"))
    if form == "aliases":
        listed = subject.get("identifiers")
        if not isinstance(listed, list) or not listed:
            raise _malformed("subject.identifiers", listed, "a list of identifiers")
        names = [name_of(one, member, known, issuer) for one in listed]
        return next((name for name in names if name in known.values()), next(filter(None, names), None))
    if not isinstance(form, str):
        raise _malformed("subject.format", form, "the name of a format")
    if form not in PARTS:
        return None
    values = [_text(subject, part, form) for part in PARTS[form]]
    key = f"{form}:{' '.join(values)}"
    if key in known:
        return known[key]
    own = len(values) == 2 and values[0] == issuer
    name = f"{MEMBERS[member]}:{quote('#'.join(values[1:] if own else values), safe='._:/@+~=#,-')}"
    if len(name) > NAME_MOST:
        raise _malformed("subject", f"{name[:40]}...", f"a name of at most {NAME_MOST} characters")
    return name


def pick(subject: Mapping[str, object], prefer: Iterable[str]) -> tuple[object, str] | None:
    """Return the identifier an event is about, and its member: the first of `prefer` that a complex subject has.

    A simple subject is of the first member preferred; a session, though, is
    named by an opaque id, a token or an assertion, and a person by anything
    else. None where a complex subject names only a crowd.
    """
    order = tuple(prefer)
    form = subject.get("format", subject.get("subject_type"))
    if form != "complex":
        return subject, "user" if order[0] == "session" and not (isinstance(form, str) and form in TOKENS) else order[0]
    for member in order:
        if member in subject:
            return subject[member], member
    return None


def not_understood(subject: Mapping[str, object], critical: frozenset[str]) -> str:
    """Return the first critical member of a complex subject that is not understood here (SSF 1.0), or nothing."""
    if subject.get("format") != "complex":
        return ""
    return next(
        (name for name in sorted(subject) if name in critical and name not in MEMBERS and name not in SCOPES), ""
    )


def _text(subject: Mapping[str, object], part: str, form: str) -> str:
    value = subject.get(part)
    if not isinstance(value, str) or not value:
        raise _malformed(f"subject.{part}", value, f"text in the format `{form}`")
    return value


def _malformed(what: str, found: object, expected: str) -> PoisonRecord:
    return PoisonRecord(f"security event: {what} is `{found}`: expected {expected}", Reason.MALFORMED)
