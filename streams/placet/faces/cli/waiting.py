"""What the verbs of `placet approvals` share: what waits, told to people, and votes on it, each answered by its desk."""

import json
from pathlib import Path
from typing import Any

from rich.table import Table

from placet.errors import PoisonRecord
from placet.faces.cli import printing, records
from placet.faces.cli.answers import answer_of, answered
from placet.faces.cli.journal import Journal, now_ms
from placet.faces.cli.verb import Exit, Failure, usage
from placet.faces.pending import Inbox, Pending, groups
from placet.model import strict
from placet.model.codec import vote
from placet.model.codec.vote import Vote
from placet.model.topics import Topic
from placet.ports import Log

HEADINGS = ("id", "who", "asks for", "arguments", "yes", "of", "until")
SHORT = 60


def waiting_in(log: Log, tenant: str) -> list[Pending]:
    """Return what waits for people now."""
    inbox = Inbox(log, tenant)
    inbox.read()
    return inbox.waiting(now_ms())


def one_of(waiting: list[Pending], wanted: bytes, *, like: bool, authority: str | None = None) -> list[Pending]:
    """Return the intent with this id (of this authority) that waits, and with `like` all that are identical to it.

    Ids are the agents' own and one only under an authority: fail where two wait under it, as where none does.
    """
    same = [each for each in waiting if each.verdict.id == wanted and authority in (None, each.verdict.authority)]
    if len(same) > 1:
        whose = ", ".join(sorted({each.verdict.authority for each in same}))
        raise Failure(
            Exit.NOT_RUN, f"{len(same)} intents wait under id {wanted.hex()}, of {whose}", "name one with --authority"
        )
    found = same[0] if same else None
    if found is None:
        raise Failure(
            Exit.NOT_RUN, f"intent {wanted.hex()} does not wait for people", "`placet approvals list` shows what does"
        )
    return [each for each in waiting if each.group == found.group] if like else [found]


def rows(waiting: list[Pending]) -> list[tuple[str, ...]]:
    """Return one row for each group of what waits: the first of it, and how many more are identical."""
    found: list[tuple[str, ...]] = []
    for group in groups(waiting):
        said, approval = group[0].verdict, group[0].verdict.approval
        more = f" +{len(group) - 1}" if len(group) > 1 else ""
        whom = f" for {said.authority}" if said.authority != said.actor else ""
        yes = f"{len(approval.voters)}/{approval.quorum}" if approval else "0/?"
        asked = ", ".join(approval.eligible) if approval else ""
        arguments = "not kept" if group[0].arguments is None else short(group[0].arguments)
        until = records.clock(said.expires_at)[:8]
        found.append(
            (
                f"{said.id.hex()}{more}",
                printing.shown(f"{said.actor}{whom}"),
                printing.shown(f"{said.action} {said.resource}"),
                arguments,
                yes,
                asked,
                until,
            )
        )
    return found


class Told:
    """How an inbox that is followed looks: a table where there is a terminal, else each change on a line."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._last: dict[tuple[str, str, bytes, int], Pending] | None = None

    def table(self, inbox: Inbox) -> Table:
        """Return all that waits now."""
        waiting = inbox.waiting(now_ms())
        return printing.table(HEADINGS, rows(waiting), title=f"{len(waiting)} waiting at {records.clock(now_ms())[:8]}")

    def changes(self, inbox: Inbox) -> None:
        """Print what has changed since it was called last; the first time all that waits."""
        now = {each.name: each for each in inbox.waiting(now_ms())}
        if now == self._last:
            return
        if self._as_json:
            printing.emit([each.told() for each in now.values()], lines=True)
        else:
            last = self._last or {}
            for each in [each for name, each in now.items() if last.get(name) != each]:
                printing.say("waits: " + "  ".join(rows([each])[0]))
            for name in [name for name in last if name not in now]:
                printing.say(f"ended: {name[2].hex()}")
        self._last = now


def short(value: Any) -> str:
    """Return a value as JSON on one line, cut where it is long."""
    text = printing.shown(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    return text if len(text) <= SHORT else text[: SHORT - 3] + "..."


def cast(
    journal: Journal,
    chosen: list[Pending],
    *,
    approve: bool,
    voter: str | None,
    reason: str,
    arguments: str = "",
    token: Path | None = None,
) -> list[Any]:
    """Vote on each, bound to its own digest, signed with the approver's key; return the answers of their desks.

    How and when the voter authenticated is what `token` says, where there is one.
    """
    narrower = _narrower(arguments)
    name = journal.issuer("approver", voter)
    acr, auth_time = _authenticated(token, chosen[0].verdict.tenant, name) if token else ("", 0)
    answers = []
    for each in chosen:
        said = each.verdict
        if each.arguments is None:
            raise Failure(Exit.FAULTY, f"intent {said.id.hex()}: what it asks is not kept, or not what was answered")
        record = Vote(
            tenant=said.tenant,
            authority=said.authority,
            id=said.id,
            attempt=said.attempt,
            intent_digest=said.intent_digest,
            voter=name,
            approve=approve,
            reason=reason,
            arguments=narrower,
            voted_at=now_ms(),
            acr=acr,
            auth_time=auth_time,
            proof=None,
        )
        answers.append(answered(journal, Topic.VOTES, vote, record, "approver", name))
    return answers


def tell(answers: list[Any], *, as_json: bool) -> Exit:
    """Print what desks said to votes; return REFUSED where one of them was refused."""
    if as_json:
        printing.emit([answer_of(answer) for answer in answers])
    else:
        for answer in answers:
            said = f"refused: {answer.reason.name.lower()}, {answer.detail}" if answer.refusal else answer.says()
            printing.say(f"{answer.id}: {said}")
    return Exit.REFUSED if any(answer.refusal for answer in answers) else Exit.FINE


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
