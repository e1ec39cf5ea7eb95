"""What is asked and done: intents in waves, the claims and outcomes that follow them, and what is right to answer."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from placet.faces.bench import company
from placet.faces.bench.company import TENANT, actor_of, mandate_of, person_of, resource_of, signed
from placet.faces.bench.packs import ACTION, SMALL_MOST
from placet.model.codec import claim, intent, outcome
from placet.model.codec.claim import Claim
from placet.model.codec.intent import Intent
from placet.model.codec.outcome import Outcome
from placet.model.digests import action_digest
from placet.model.keys import key_of, partition_of
from placet.model.proof import Signer
from placet.model.reasons import State
from placet.ports import Message

DEADLINE_MS = 600_000
PROOF_BATCH = 256
RESOURCE_STEP, AMOUNT_STEP = 7_919, 7
"""Primes, so that every actor meets every resource before a pair comes again."""

ByPartition = dict[int, list[Message]]


@dataclass(slots=True)
class Wave:
    """Some intents, and what their executor says of those that were granted.

    `size` counts the intents; `order` names the partition of each and `ids` its id, in the order they are asked in.
    """

    size: int
    order: list[int] = field(default_factory=list)
    intents: ByPartition = field(default_factory=dict)
    claims: ByPartition = field(default_factory=dict)
    outcomes: ByPartition = field(default_factory=dict)
    states: Counter[State] = field(default_factory=Counter)
    ids: list[bytes] = field(default_factory=list)

    @property
    def records(self) -> int:
        """How many records it has in all."""
        return sum(len(one) for part in (self.intents, self.claims, self.outcomes) for one in part.values())


class Workload:
    """Makes waves of intents that were never asked before.

    Half of them are `claim: required`, claimed and done; the others are begun
    with their grant (`claim: granted`), and `reported` says whether their
    outcome comes too. Intents are numbered from `first` on and spread over `actors`, else all. One in fifty is about a restricted resource and denied.
    """

    def __init__(
        self,
        partitions: int,
        executor: Signer,
        *,
        reported: bool = False,
        first: int = 0,
        actors: range | None = None,
    ) -> None:
        self._partitions = partitions
        self._executor = executor
        self._reported = reported
        self._numbers = itertools.count(first)
        self._actors = actors or range(company.ACTORS)

    def wave(self, size: int, now: int, deadline_ms: int = DEADLINE_MS) -> Wave:
        """Return the next `size` intents, with deadlines from `now` (ms) on."""
        wave = Wave(size)
        claims: dict[int, list[Claim]] = {}
        outcomes: dict[int, list[Outcome]] = {}
        for number in itertools.islice(self._numbers, size):
            asked, state = self._intent(number, now + deadline_ms), state_of(number)
            key = key_of(TENANT, asked.authority)
            here = partition_of(key, self._partitions)
            wave.intents.setdefault(here, []).append(Message(key, intent.frame(asked)))
            wave.order.append(here)
            wave.ids.append(asked.id)
            wave.states[state] += 1
            if state is State.DENIED or (state is State.CLAIMED and not self._reported):
                continue
            nonce, digest = number.to_bytes(16, "little"), digest_of(asked)
            if state is State.GRANTED:
                claims.setdefault(here, []).append(self._claim(asked, digest, nonce, now))
            outcomes.setdefault(here, []).append(self._outcome(asked, digest, nonce, now))
        wave.claims = {here: self._signed("claim", claim, made) for here, made in claims.items()}
        wave.outcomes = {here: self._signed("outcome", outcome, made) for here, made in outcomes.items()}
        return wave

    def asked(self, size: int, now: int, deadline_ms: int = DEADLINE_MS) -> list[Intent]:
        """Return the next `size` intents by themselves, for whoever signs them."""
        return [self._intent(number, now + deadline_ms) for number in itertools.islice(self._numbers, size)]

    def waves(self, intents: int, size: int, clock: Iterable[int]) -> Iterator[Wave]:
        """Yield waves of `size` until there were `intents`, each made when it is asked for."""
        for left, now in zip(range(intents, 0, -size), clock, strict=False):
            yield self.wave(min(left, size), now)

    def _intent(self, number: int, deadline: int) -> Intent:
        actor = self._actors[number % len(self._actors)]
        amount = _amount(number)
        return Intent(
            id=number.to_bytes(16, "big"),
            attempt=1,
            tenant=TENANT,
            actor=actor_of(actor),
            authority=person_of(actor),
            mandate=mandate_of(actor),
            action=ACTION,
            resource=resource_of(_resource(number)),
            purpose="the books are closed at the end of the month",
            session=f"session-{actor:05}",
            after=(),
            audience=self._executor.issuer,
            arguments=b'{"amount":%d,"currency":"EUR","note":"invoice %d of this month"}' % (amount, number),
            deadline=deadline,
            at_least=(),
            emergency=False,
            proof=None,
        )

    def _claim(self, asked: Intent, digest: bytes, nonce: bytes, now: int) -> Claim:
        who = self._executor.issuer
        return Claim(TENANT, asked.authority, asked.id, asked.attempt, digest, who, nonce, now, None)

    def _outcome(self, asked: Intent, digest: bytes, nonce: bytes, now: int) -> Outcome:
        return Outcome(
            TENANT,
            asked.authority,
            asked.id,
            asked.attempt,
            self._executor.issuer,
            nonce,
            State.DONE,
            digest,
            "",
            "",
            "",
            now,
            None,
        )

    def _signed(self, name: str, codec: object, made: Sequence[Claim] | Sequence[Outcome]) -> list[Message]:
        messages = []
        for at in range(0, len(made), PROOF_BATCH):
            batch: Sequence[Claim | Outcome] = made[at : at + PROOF_BATCH]
            framed = signed(name, codec, batch, self._executor)
            messages += [
                Message(key_of(TENANT, one.authority), value) for one, value in zip(batch, framed, strict=True)
            ]
        return messages


def state_of(number: int) -> State:
    """Return the state that the first answer to an intent must have."""
    if _resource(number) % company.RESTRICTED_EVERY == 0:
        return State.DENIED
    return State.CLAIMED if _amount(number) <= SMALL_MOST else State.GRANTED


def digest_of(asked: Intent) -> bytes:
    """Return the action digest of an intent."""
    return action_digest(
        asked.tenant, asked.authority, asked.actor, asked.audience, asked.action, asked.resource, asked.arguments
    )


def _resource(number: int) -> int:
    return number * RESOURCE_STEP % company.RESOURCES


def _amount(number: int) -> int:
    return number * AMOUNT_STEP % 1001
