"""What the verbs of `placet approvals` share: what waits, told to people, and votes on it, each answered by its desk."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from placet.errors import PoisonRecord
from placet.faces.cli import printing, records
from placet.faces.cli.answers import answer_of, sealed_answer
from placet.faces.cli.journal import Journal, now_ms
from placet.faces.cli.verb import Exit, Failure, usage
from placet.faces.pending import Asking, Inbox, Pending, Reviewed, groups
from placet.faces.sdk.models import Answer
from placet.faces.sdk.sealed import Sealed
from placet.model import strict
from placet.model.codec import vote
from placet.model.codec.review import Review
from placet.model.codec.verdict import Verdict
from placet.model.codec.vote import Vote
from placet.model.topics import Topic
from placet.ports import Log

HEADINGS = ("id", "who", "asks for", "arguments", "yes", "of", "until")
SHORT = 60


def asking_in(log: Log, tenant: str) -> list[Asking]:
    """Return all that people are asked now: what waits for them, and the emergencies that they are to look at."""
    inbox = Inbox(log, tenant)
    inbox.read()
    return inbox.asking(now_ms())


def one_of(asking: Sequence[Asking], wanted: bytes, *, like: bool, authority: str | None = None) -> list[Asking]:
    """Return what people are asked of the intent with this id (of this authority), and with `like` all that is identical to it.

    Ids are the agents' own and one only under an authority: fail where two wait under it, as where none does.
    """
    same = [each for each in asking if each.name[2] == wanted and authority in (None, each.name[1])]
    if len(same) > 1:
        whose = ", ".join(sorted({each.name[1] for each in same}))
        raise Failure(
            Exit.NOT_RUN, f"{len(same)} intents wait under id {wanted.hex()}, of {whose}", "name one with --authority"
        )
    found = same[0] if same else None
    if found is None:
        raise Failure(
            Exit.NOT_RUN, f"intent {wanted.hex()} does not wait for people", "`placet approvals list` shows what does"
        )
    return [each for each in asking if each.group == found.group] if like else [found]


def rows(asking: list[Asking]) -> list[tuple[str, ...]]:
    """Return one row for each group of what people are asked: the first of it, and how many more are identical."""
    return [_row(group[0], len(group) - 1) for group in groups(asking)]


def _row(first: Asking, more: int) -> tuple[str, ...]:
    if isinstance(first, Reviewed):
        review = first.review
        until = "OVERDUE" if first.overdue else records.clock(review.expires_at)[:8]
        rest = short(review.purpose), f"{len(review.voters)}/{review.quorum}", ", ".join(review.eligible), until
        return *_head(review, more, "review of "), *rest
    verdict, approval = first.verdict, first.verdict.approval
    yes = f"{len(approval.voters)}/{approval.quorum}" if approval else "0/?"
    arguments = "not kept" if first.arguments is None else short(first.arguments)
    whom = ", ".join(approval.eligible) if approval else ""
    return *_head(verdict, more), arguments, yes, whom, records.clock(verdict.expires_at)[:8]


def _head(said: Verdict | Review, more: int, what: str = "") -> tuple[str, str, str]:
    whom = f" for {said.authority}" if said.authority != said.actor else ""
    asks = f"{what}{said.action} {said.resource}"
    return f"{said.id.hex()}{f' +{more}' if more else ''}", printing.shown(f"{said.actor}{whom}"), printing.shown(asks)


class Told:
    """How an inbox that is followed looks: a table where there is a terminal, else each change on a line."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._last: dict[bytes, Asking] | None = None

    def table(self, inbox: Inbox) -> Table:
        """Return all that waits now."""
        asking = inbox.asking(now_ms())
        return printing.table(HEADINGS, rows(asking), title=f"{len(asking)} waiting at {records.clock(now_ms())[:8]}")

    def changes(self, inbox: Inbox) -> None:
        """Print what has changed since it was called last; the first time all that waits."""
        now = {each.digest: each for each in inbox.asking(now_ms())}
        if now == self._last:
            return
        if self._as_json:
            printing.emit([each.told() for each in now.values()], lines=True)
        else:
            last = self._last or {}
            for each in [each for name, each in now.items() if last.get(name) != each]:
                printing.say("waits: " + "  ".join(rows([each])[0]))
            for digest in [digest for digest in last if digest not in now]:
                printing.say(f"ended: {last[digest].name[2].hex()}")
        self._last = now


def short(value: Any) -> str:
    """Return a value as JSON on one line, cut where it is long."""
    text = printing.shown(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    return text if len(text) <= SHORT else text[: SHORT - 3] + "..."


def cast(
    journal: Journal,
    chosen: list[Asking],
    *,
    approve: bool,
    voter: str | None,
    reason: str,
    arguments: str = "",
    token: Path | None = None,
) -> list[Answer | Reviewed]:
    """Vote on each, bound to its own digest, signed with the approver's key; return the answers of their desks.

    How and when the voter authenticated is what `token` says, where there is one.
    """
    narrower = _narrower(arguments)
    name = journal.issuer("approver", voter)
    acr, auth_time = _authenticated(token, chosen[0].name[0], name) if token else ("", 0)
    answers: list[Answer | Reviewed] = []
    for each in chosen:
        if isinstance(each, Pending) and each.arguments is None:
            what = "what it asks is not kept, or not what was answered"
            raise Failure(Exit.FAULTY, f"intent {each.name[2].hex()}: {what}")
        tenant, authority, id_, attempt = each.name
        record = Vote(
            tenant=tenant,
            authority=authority,
            id=id_,
            attempt=attempt,
            intent_digest=each.digest,
            voter=name,
            approve=approve,
            reason=reason,
            arguments=narrower,
            voted_at=now_ms(),
            acr=acr,
            auth_time=auth_time,
            proof=None,
        )
        answers.append(_answer(sealed_answer(journal, Topic.VOTES, vote, record, "approver", name)))
    return answers


def _answer(sealed: Sealed) -> Answer | Reviewed:
    return Reviewed(sealed.record) if sealed.name == "review" else Answer.of(sealed.record)


def tell(answers: list[Answer | Reviewed], *, as_json: bool) -> Exit:
    """Print what desks said to votes; return REFUSED where one of them was refused."""
    if as_json:
        printing.emit([each.told() if isinstance(each, Reviewed) else answer_of(each) for each in answers])
    else:
        for answer in answers:
            printing.say(_line(answer))
    refused = any(not isinstance(answer, Reviewed) and answer.refusal for answer in answers)
    return Exit.REFUSED if refused else Exit.FINE


def _line(answer: Answer | Reviewed) -> str:
    if isinstance(answer, Reviewed):
        return f"{answer.name[2].hex()}: {records.reviewed(answer.review)}"
    said = f"refused: {answer.reason.name.lower()}, {answer.detail}" if answer.refusal else answer.says()
    return f"{answer.id}: {said}"


def _authenticated(token: Path, tenant: str, name: str) -> tuple[str, int]:
    """Return how and when (ms) a voter authenticated, by a token of theirs that an issuer of identity.json signed."""
    from placet.drivers.tokens import read_tokens
    from placet.faces.cli.configured import settings_with
    from placet.faces.cli.inputs import text_of

    settings = settings_with()
    try:
        shown = read_tokens(settings.identity_file).read(text_of(token).strip(), now_ms(), settings.skew_ms_max)
    except PoisonRecord as error:
        raise Failure(
            Exit.REFUSED, f"--token: {error}", f"{settings.identity_file} says which issuers are believed"
        ) from None
    if shown.who != (tenant, name):
        whose = f"`{shown.who.principal}` of tenant `{shown.who.tenant}`"
        raise Failure(Exit.REFUSED, f"--token: it is of {whose}: expected `{name}` of tenant `{tenant}`")
    return shown.acr, shown.auth_time


def _narrower(text: str) -> bytes | None:
    if not text:
        return None
    try:
        return strict.canonical(strict.parse(text.encode()))
    except PoisonRecord as error:
        raise usage(f"--arguments: {str(error).removeprefix('arguments: ')}") from None
