"""Two readers of the same words about keys, written apart, believe the same at every cut."""

import base64
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from placet.faces.auditor.history import History
from placet.faces.auditor.keys import Keys
from placet.faces.auditor.records import Schemas
from placet.model.proof import Signer
from placet.model.topics import Topic
from placet.ports import Rec
from tests.context.test_writers import (
    BOT,
    NEXT,
    OF_ACME,
    OF_GLOBEX,
    PINNED,
    PUT,
    ROOT,
    SECOND,
    SKEW,
    hear,
    said,
    tables,
)
from tests.faces.auditor.hand import Shelf

SCHEMAS = Schemas()
FILE: dict[str, Any] = {
    "keys": [{**key._asdict(), "public": base64.b64encode(key.public).decode()} for key in PINNED],
}
SIGNERS = (ROOT, SECOND, OF_ACME, OF_GLOBEX, PUT, BOT)
FILE_BOT = Signer("file-bot", "agent:bot", b"b" * 32)


@st.composite
def words(draw: st.DrawFn) -> Rec:
    """Return what anybody may say of any key, sensible or not."""
    about, purpose, tenants = draw(
        st.sampled_from(
            [
                (BOT, "agent", ("acme", "globex", "")),
                (NEXT, "agent", ("acme", "")),
                (PUT, "operator", ("acme", "")),
                (PUT, "agent", ("acme",)),
                (FILE_BOT, "agent", ("", "acme")),
                (ROOT, "operator", ("",)),
                (SECOND, "operator", ("",)),
                (OF_ACME, "operator", ("acme",)),
            ]
        )
    )
    at = draw(st.integers(100, 120))
    ends = draw(st.sampled_from([0, 0, 105, 112, 300]))
    fell = draw(st.sampled_from([0, 0, 0, 101, 108, 115]))
    begins = draw(st.sampled_from([0, 0, 103])) if not ends or ends > 103 else 0
    return said(
        about,
        draw(st.sampled_from(SIGNERS)),
        at,
        purpose,
        tenant=draw(st.sampled_from(tenants)),
        not_before=begins,
        not_after=ends,
        compromised_at=fell,
    )


@given(told=st.lists(words(), max_size=12))
@settings(max_examples=400, deadline=None)
def test_the_auditor_believes_what_a_desk_believes_at_every_cut(told: list[Rec]) -> None:
    shelf, made = Shelf(), tables()
    for rec in told:
        shelf.put(Topic.KEYS, rec.key, rec.value, rec.at)
    history = History(shelf, SCHEMAS, Keys(FILE), SKEW)
    for cut, rec in enumerate(told, 1):
        hear(made, rec._replace(offset=cut - 1))
        state = history.at({(int(Topic.KEYS), 0): (cut, 0)})
        desk = {
            place: (known.key.public, known.not_before, known.not_after) for place, known in made.keys.known.items()
        }
        assert {name: (key.pinned.raw, key.begins, key.ends) for name, key in state.known.items()} == desk
        assert state.fallen == {place: fallen.since for place, fallen in made.keys.fallen.items()}
