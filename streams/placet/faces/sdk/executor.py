"""An executor: hears sealed grants, claims them, acts at most once, and says what it did."""

import functools
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from placet.drivers.metrics import Watch
from placet.errors import Corrupted, PlacetError, Unavailable
from placet.faces.sdk import checks
from placet.faces.sdk.begun import KEEP_MS, BegunSet
from placet.faces.sdk.connection import Connection
from placet.faces.sdk.crew import Crew
from placet.faces.sdk.errors import NotBegun
from placet.faces.sdk.follow import read_sealed
from placet.faces.sdk.models import Answer, Grant
from placet.faces.sdk.offers import Offer, Place
from placet.faces.sdk.past import since
from placet.faces.sdk.performance import Performance, Terms
from placet.faces.sdk.sealed import Sealed
from placet.faces.sdk.steps import Flow, Wait, adrive, drive
from placet.model import strict
from placet.model.codec.verdict import Verdict
from placet.model.proof import Signer
from placet.model.topics import Topic

Handler = Callable[[Grant], Any]
H = TypeVar("H", bound=Handler)

LOGGER = logging.getLogger("placet.executor")
NONCE_BYTES = 16
LOOKBACK, WORKERS = 2_000, 8
OFFER_S, GRACE_S = 30.0, 2.0
BEGUN_KEPT = 100_000


class Executor:
    """Carries out what `name` of `tenant` is granted, or what is granted to anybody there.

    `tenant` is that of its key where none is given. With a key of every tenant
    and none given it performs only what it is handed, and hears nothing by itself.
    `signer` proves its claims and outcomes; without one it is taken from the
    connection's secrets, where its issuer is `name`. `capabilities` are the
    obligations it can carry out; a grant that demands another is refused.
    `begun` is the file of its begun-set, without which grants that are their
    own claim are refused. `lookback` says how many records of each partition
    it reads again at its start, for grants that are still open.

    Register functions with `on`, then `start`; or run single grants with
    `perform`, as `guarded` does. `close` waits for what has begun.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        name: str,
        tenant: str = "",
        signer: Signer | None = None,
        capabilities: Iterable[str] = (),
        begun: str | Path | None = None,
        skew_ms_max: int = 2_000,
        lookback: int = LOOKBACK,
        workers: int = WORKERS,
        watch: Watch | None = None,
    ) -> None:
        self.connection = connection
        self.name = strict.identifier(name, "executor")
        begun_set = None if begun is None else BegunSet(Path(begun), connection.clock.now_ms())
        signer = signer or connection.signer("executor", name)
        bound = connection.ring.tenant_of(signer.kid, tenant)
        if tenant and bound and tenant != bound:
            raise ValueError(f"executor `{name}` of tenant `{tenant}`: its key is of tenant `{bound}`")
        self.tenant = (tenant or bound) and strict.tenant(tenant or bound)
        self._terms = Terms(
            name=name,
            tenant=self.tenant,
            signer=signer,
            nonce=connection.entropy.draw(NONCE_BYTES),
            capabilities=frozenset(capabilities),
            skew_ms_max=skew_ms_max,
            begun=begun_set,
        )
        self._lookback = lookback
        self._watch = watch
        self._handlers: list[tuple[str, Handler]] = []
        self._lock = threading.RLock()
        self._less = threading.Condition(self._lock)
        self._offers: dict[Place, Offer] = {}
        self._begun: dict[Place, int] = {}
        self._seen: dict[int, int] = {}
        self._since: dict[int, int] = {}
        self._failure: PlacetError | None = None
        self._crew = Crew(f"placet-{name}", workers)
        self._joined = False

    def on(self, pattern: str) -> Callable[[H], H]:
        """Register a function for actions: a name, or a beginning and `*` (`payments.*`); the first that fits runs.

        It is given a `Grant` and may return a `Result`. An `async` function runs
        in an event loop of the executor's own. Raises `ValueError` for an
        executor of no tenant: its namesakes of other tenants would act through it.
        """
        if not self.tenant:
            raise ValueError(f"executor `{self.name}`: its key is of every tenant, so name the one it hears: `tenant=`")

        def register(handler: H) -> H:
            self._handlers.append((pattern, handler))
            return handler

        return register

    def start(self) -> Self:
        """Begin to hear grants, those of the lookback that are still open included."""
        with self._lock:
            if not self._joined:
                self._joined = True
                for partition in range(self.connection.log.partitions(Topic.DECISIONS)):
                    end = self.connection.follower.join(self, partition)
                    self._since[partition] = end
                    if self._terms.begun is not None:
                        self._since[partition] = self._terms.begun.born(partition, end)
                    # The lock is held: what is sealed meanwhile waits its turn.
                    past = read_sealed(
                        self.connection.log, self.connection.ring, partition, max(0, end - self._lookback), end
                    )
                    self.heard(partition, past)
        return self

    def perform(self, answer: Answer, run: Handler, *, asked: bytes | None = None, seconds: float = OFFER_S) -> Any:
        """Claim what `answer` granted, run it here once, leave the outcome, and return what `run` did.

        `asked` are the arguments asked for (RFC 8785), which are read from the
        intent where they are not given. Raises `NotBegun`, `NotGranted` or
        `Stopped` when it did not run to its end, and whatever `run` raised.
        """
        return drive(self.performing(answer, run, asked, seconds))

    async def aperform(
        self, answer: Answer, run: Handler, *, asked: bytes | None = None, seconds: float = OFFER_S
    ) -> Any:
        """Perform as `perform` does, in this event loop; an `async` function is cancelled when it must stop."""
        return await adrive(self.performing(answer, run, asked, seconds))

    def check(self) -> None:
        """Raise what ended this executor's hearing, if anything did."""
        if self._failure is not None:
            raise self._failure

    def close(self, grace_s: float = GRACE_S) -> None:
        """Hear claims out for `grace_s`, then give up those without an answer; wait for what has begun, however long."""
        with self._lock:
            self._less.wait_for(lambda: not self._offers, grace_s)
            offers = list(self._offers.values())
        for offer in offers:
            offer.give_up(Unavailable(f"executor `{self.name}` is closing"))
        self._crew.close()
        self.connection.follower.leave(self)
        if self._terms.begun is not None:
            self._terms.begun.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def heard(self, partition: int, batch: Sequence[Sealed]) -> None:
        """Take sealed decisions; see `follow.Listener`. What was heard before is passed over."""
        with self._lock:
            seen = self._seen.get(partition, -1)
            fresh: list[tuple[Offer, Handler]] = []
            for one in batch:
                record = one.record
                if record.seq <= seen:
                    continue
                seen = record.seq
                if one.name == "verdict":
                    fresh += self._verdict(record, one.rec.offset)
                elif one.name == "refusal" and record.cause_topic == Topic.OUTCOMES:
                    offer = self._offers.get(Place(record.tenant, record.authority, record.id, record.attempt))
                    if offer is not None:
                        offer.refused(record)
            self._seen[partition] = seen
            for offer, handler in fresh:
                # What the same batch has ended or given to another is not begun.
                if offer.open:
                    flow = self._performance(offer).flow(handler, None, 0.0)
                    self._crew.work(flow, handler, functools.partial(self._over, offer))
                else:
                    self.forget(offer.place)

    def failed(self, error: PlacetError) -> None:
        """Stop: nothing that is heard from here on can be believed; see `follow.Listener`."""
        with self._lock:
            self._failure = error
            offers = list(self._offers.values())
        if self._watch is not None and isinstance(error, Corrupted):
            self._watch.unverified()
        for offer in offers:
            offer.failed(error)

    def _verdict(self, verdict: Verdict, offset: int) -> list[tuple[Offer, Handler]]:
        """Sort one verdict; return the offer it makes, with who carries it out."""
        place = Place(verdict.tenant, verdict.authority, verdict.id, verdict.attempt)
        offer = self._offers.get(place)
        offered = checks.addressed(verdict, self.name, self.tenant)
        if offer is None:
            handler = self._handler_of(verdict.action) if offered else None
            if handler is None or place in self._begun:
                return []
            offer = self._offers[place] = Offer(place, self._terms.nonce)
            offer.offer(verdict, offset)
            return [(offer, handler)]
        if not offered:
            offer.moved(verdict)
        elif not offer.offer(verdict, offset) and self._watch is not None:
            self._watch.replayed()
        return []

    def _handler_of(self, action: str) -> Handler | None:
        for pattern, handler in self._handlers:
            if action == pattern or (pattern.endswith("*") and action.startswith(pattern[:-1])):
                return handler
        return None

    def performing(self, what: Place | Answer, run: Handler, asked: bytes | None, seconds: float) -> Flow[Any]:
        """Return what `perform` does as a flow, for those who make it part of theirs."""
        place = what if isinstance(what, Place) else Place.of(what)
        if self.tenant and place.tenant != self.tenant:
            raise NotBegun(f"intent {place.id.hex()}: of tenant `{place.tenant}`, this executor is of `{self.tenant}`")
        with self._lock:
            if place in self._begun:
                raise NotBegun(f"intent {place.id.hex()}: this process has begun it before")
        try:
            offer = yield from self.expecting(place)
            if isinstance(what, Answer) and not offer.offered.done():
                yield Wait(self.connection.background(lambda: self._recall(offer, what)), seconds)
            return (yield from self._performance(offer).flow(run, asked, seconds))
        finally:
            self.forget(place)

    def expecting(self, place: Place) -> Flow[Offer]:
        """Return the offer of an attempt that may not be published yet; `performing` forgets it."""
        offer: Offer = yield Wait(self.connection.background(lambda: self._expect(place)), OFFER_S)
        return offer

    def _expect(self, place: Place) -> Offer:
        self.start()
        with self._lock:
            self.check()
            return self._offers.setdefault(place, Offer(place, self._terms.nonce))

    def forget(self, place: Place) -> None:
        """Keep nothing more of an attempt."""
        with self._lock:
            self._offers.pop(place, None)
            self._less.notify_all()

    def _recall(self, offer: Offer, answer: Answer) -> None:
        """Tell an offer what was sealed about it before anybody expected it."""
        past = since(self.connection.log, self.connection.ring, answer.partition, answer.seq)
        with self._lock:
            for one in past:
                record = one.record
                if (
                    one.name == "verdict"
                    and (record.tenant, record.authority, record.id, record.attempt) == offer.place
                ):
                    if checks.addressed(record, self.name, self.tenant):
                        offer.offer(record, one.rec.offset)
                    else:
                        offer.moved(record)

    def _performance(self, offer: Offer) -> Performance:
        return Performance(self.connection, self._terms, offer, begins=self._begins, since=self._since)

    def _begins(self, offer: Offer, until_ms: int) -> bool:
        """Return true once for each grant in the life of this process."""
        now = self.connection.clock.now_ms()
        with self._lock:
            if offer.place in self._begun:
                if self._watch is not None:
                    self._watch.replayed()
                return False
            if len(self._begun) >= BEGUN_KEPT:
                # A grant past its end is refused for that, so it need not be remembered.
                self._begun = {place: until for place, until in self._begun.items() if until + KEEP_MS > now}
            self._begun[offer.place] = until_ms
        return True

    def _over(self, offer: Offer, error: Exception | None) -> None:
        self.forget(offer.place)
        if error is not None:
            LOGGER.info("not done intent=%s attempt=%d why=%s", offer.place.id.hex(), offer.place.attempt, error)
