"""What an executor does when the desk, the log or its own past says something it must not act on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from placet.errors import Corrupted
from placet.faces.sdk import performance
from placet.faces.sdk.agent import Agent
from placet.faces.sdk.begun import BegunSet
from placet.faces.sdk.connection import Connection
from placet.faces.sdk.errors import NotBegun
from placet.faces.sdk.executor import Executor
from placet.faces.sdk.guarded import guarded
from placet.faces.sdk.models import Answer, Grant
from placet.model.codec import decode_any, refusal, verdict
from placet.model.codec import intent as intent_codec
from placet.model.codec.claim import Claim
from placet.model.codec.intent import Intent
from placet.model.codec.outcome import Outcome
from placet.model.codec.refusal import Refusal
from placet.model.codec.verdict import Obligation, Verdict
from placet.model.digests import action_digest, intent_digest
from placet.model.merkle import leaf_hash
from placet.model.proof import KeyRing
from placet.model.reasons import Effect, Reason, State
from placet.model.topics import Topic
from placet.ports import Message
from tests.faces.sdk.forgery import EXECUTOR_SIGNER, NEWER, RING, Live, Scribe, verdict_of
from tests.faces.shop import until
from tests.support.memory import CountedEntropy
from tests.support.world import AGENT, EXECUTOR, PERSON, TENANT


class Stage:
    """One executor before a desk played by hand. `runs` are the arguments its handler was given."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.log = Live()
        self.now = self.log.clock.now
        self.scribe = Scribe(self.log)
        self.scribe.batch()
        self.connection = Connection(self.log, RING, clock=self.log.clock, entropy=CountedEntropy())
        self.executor = Executor(
            self.connection, name=EXECUTOR, **{"tenant": TENANT, "signer": EXECUTOR_SIGNER, "workers": 1, **more}
        )
        self.runs: list[dict[str, Any]] = []
        self.folder = folder

        @self.executor.on("shop.*")
        def run(grant: Grant) -> str:
            self.runs.append(grant.arguments)
            return "ran"

        self.executor.start()

    def grant(self, arguments: bytes = b'{"amount":10}', **more: Any) -> Verdict:
        """Write an intent and return the verdict that grants it; nothing is said yet."""
        number = self.log.end(Topic.INTENTS, 0)
        asked = Intent(
            id=(number + 1).to_bytes(16, "big"),
            attempt=1,
            tenant=TENANT,
            actor=AGENT,
            authority=PERSON,
            mandate="",
            action="shop.refund",
            resource="order/7",
            purpose="",
            session="",
            after=(),
            audience=more.get("audience", EXECUTOR),
            arguments=arguments,
            deadline=self.now + 60_000,
            at_least=(),
            emergency=False,
            proof=None,
        )
        self.log.append(Topic.INTENTS, 0, [Message(b"k", intent_codec.frame(asked))])
        digest = self.digest(arguments, asked.audience)
        fields = {
            "id": asked.id,
            "asked_offset": number,
            "intent_digest": intent_digest(intent_codec.encode_unsigned(asked)),
            "action_digest": digest,
            "granted_digest": digest,
            "expires_at": self.now + 30_000,
            **more,
        }
        return verdict_of(self.scribe.seq, **fields)

    def digest(self, arguments: bytes, audience: str = EXECUTOR) -> bytes:
        return action_digest(TENANT, PERSON, AGENT, audience, "shop.refund", "order/7", arguments)

    def say(self, *records: Verdict) -> None:
        self.scribe.batch(*(one._replace(seq=self.scribe.seq + at) for at, one in enumerate(records)))

    def sent(self) -> list[Claim | Outcome]:
        recs = self.log.read(Topic.OUTCOMES, 0, 0, 1_000, 0)
        return [decode_any(rec.value or b"") for rec in recs]

    def wait_for(self, count: int) -> list[Any]:
        until(f"{count} records of the executor", lambda: len(self.sent()) >= count)
        return self.sent()

    def claimed(self, granted: Verdict, claim: Any, **more: Any) -> Verdict:
        """Return the answer to a claim."""
        fields = {
            "state": State.CLAIMED,
            "reason": Reason.CLAIMED,
            "previous_seq": granted.seq,
            "executor": claim.executor,
            "nonce": claim.nonce,
            "expires_at": self.now + 60_000,
            **more,
        }
        return granted._replace(**fields)

    def close(self) -> None:
        self.executor.close(grace_s=0)
        self.connection.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.close()


def carried_out(stage: Stage, granted: Verdict) -> Any:
    """Say a grant, accept its claim, and return the outcome."""
    before = len(stage.sent())
    stage.say(granted)
    claim = stage.wait_for(before + 1)[before]
    assert isinstance(claim, Claim)
    assert claim.granted_digest == granted.granted_digest
    stage.say(stage.claimed(granted, claim))
    outcome = stage.wait_for(before + 2)[before + 1]
    assert isinstance(outcome, Outcome)
    return outcome


def test_a_good_grant_is_claimed_run_and_reported(stage: Stage) -> None:
    granted = stage.grant()
    outcome = carried_out(stage, granted)
    assert stage.runs == [{"amount": 10}]
    assert (outcome.result, outcome.ran_digest, outcome.executor) == (State.DONE, granted.granted_digest, EXECUTOR)
    assert outcome.proof is not None
    assert outcome.proof.kid == "shop-1"


def test_narrower_arguments_are_what_runs(stage: Stage) -> None:
    narrow = b'{"amount":5}'
    granted = stage.grant(granted_arguments=narrow, granted_digest=stage.digest(narrow), effect=Effect.CONSTRAIN)
    assert carried_out(stage, granted).result == State.DONE
    assert stage.runs == [{"amount": 5}]


@pytest.mark.parametrize(
    "more",
    [
        {"audience": "service:other"},
        {"tenant": "evil"},
        {"tenant": "evil", "audience": ""},
        {"tenant": "evil", "state": State.CLAIMED, "claim_required": False, "executor": EXECUTOR},
        {"expires_at": 1_760_000_000_000},
        {"expires_at": 1_760_000_000_000 + 2_000},
        {"state": State.DENIED, "effect": Effect.DENY},
        {"state": State.PENDING, "effect": Effect.STEP_UP},
        {"stop": True, "state": State.CLAIMED, "executor": EXECUTOR},
        {"audience": "", "obligations": (Obligation("watch", "x", ""),)},
    ],
    ids=[
        "another audience",
        "a namesake of another tenant",
        "anybody of another tenant",
        "another tenant's grant that is its own claim",
        "expired",
        "expired within the skew",
        "denied",
        "pending",
        "a stop",
        "duty for another",
    ],
)
def test_what_is_not_for_us_or_not_in_time_is_not_even_claimed(stage: Stage, more: dict[str, Any]) -> None:
    stage.say(stage.grant(**more))
    # One worker takes them in order: once the next one is claimed, the first is behind us.
    good = stage.grant()
    stage.say(good)
    (claim,) = stage.wait_for(1)
    assert isinstance(claim, Claim)
    assert claim.id == good.id
    assert stage.runs == []


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"granted_arguments": b'{"amount":99999}'}, "digests differ"),
        ({"granted_digest": bytes(32)}, "digests differ"),
        ({"resource": "order/8"}, "digests differ"),
        ({"actor": "agent:eve"}, "digests differ"),
        ({"intent_digest": bytes(32)}, "not the one that was answered"),
        ({"asked_offset": 7_777}, "cannot be read"),
        ({"granted_arguments": b'{"amount": 10}'}, "RFC 8785"),
        ({"obligations": (Obligation("watch_closely", "x", ""),)}, "not one this executor knows"),
        ({"obligations": (Obligation("capability", "two-person", ""),)}, "not a capability"),
        ({"effect": 9}, "effect 9"),
    ],
)
def test_a_grant_whose_terms_cannot_be_kept_is_claimed_only_to_refuse_it(
    stage: Stage, more: dict[str, Any], says: str
) -> None:
    outcome = carried_out(stage, stage.grant(**more))
    assert outcome.result == State.REFUSED
    assert outcome.ran_digest == b""
    assert says in outcome.detail
    assert stage.runs == []


@pytest.mark.parametrize("seal", [False, True])
def test_what_a_newer_desk_says_is_passed_over_and_what_can_be_read_is_carried_out(
    stage: Stage, caplog: pytest.LogCaptureFixture, seal: bool
) -> None:
    unread = stage.grant()
    stage.scribe.newer(unread, seal=seal)
    stage.scribe.batch()
    assert carried_out(stage, stage.grant(b'{"amount":2}')).result == State.DONE
    assert stage.runs == [{"amount": 2}]
    assert unread.id not in {sent.id for sent in stage.sent()}
    assert "schema id 999, which this package does not read" in caplog.text
    stage.executor.check()


def test_an_answer_to_a_claim_that_cannot_be_read_begins_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performance, "CLAIM_S", 0.3)
    granted = stage.grant()
    stage.say(granted)
    (claim,) = stage.wait_for(1)
    stage.scribe.newer(stage.claimed(granted, claim)._replace(seq=stage.scribe.seq))
    assert carried_out(stage, stage.grant(b'{"amount":2}')).result == State.DONE
    assert stage.runs == [{"amount": 2}]


def test_a_grant_of_an_intent_in_a_newer_version_is_left_to_another(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "placet.executor")
    granted = stage.grant()
    place = stage.log.append(Topic.INTENTS, 0, [Message(b"k", NEWER + b"whatever it holds")])
    stage.say(granted._replace(asked_offset=place))
    good = stage.grant(b'{"amount":2}')
    assert carried_out(stage, good).result == State.DONE
    assert {sent.id for sent in stage.sent()} == {good.id}
    assert "no schema with id 999" in caplog.text


def test_a_capability_it_has_is_carried_out(tmp_path: Path) -> None:
    stage = Stage(tmp_path, capabilities=["two-person"])
    granted = stage.grant(obligations=(Obligation("capability", "two-person", ""),), effect=Effect.CONSTRAIN)
    assert carried_out(stage, granted).result == State.DONE
    stage.close()


def test_a_grant_shown_again_is_not_begun_again(stage: Stage) -> None:
    granted = stage.grant()
    carried_out(stage, granted)
    stage.say(granted)
    assert carried_out(stage, stage.grant(b'{"amount":2}')).result == State.DONE
    assert stage.runs == [{"amount": 10}, {"amount": 2}]


@pytest.mark.parametrize("more", [{"nonce": bytes(16)}, {"executor": "service:other"}])
def test_a_grant_another_has_claimed_is_left_alone(stage: Stage, more: dict[str, Any]) -> None:
    granted = stage.grant()
    stage.say(granted)
    (claim,) = stage.wait_for(1)
    stage.say(stage.claimed(granted, claim, **more))
    assert carried_out(stage, stage.grant(b'{"amount":2}')).result == State.DONE
    assert stage.runs == [{"amount": 2}]


@pytest.mark.parametrize("state", [State.REVOKED, State.LAPSED, State.WITHDRAWN])
def test_a_grant_that_ended_before_its_claim_was_answered_is_not_begun(stage: Stage, state: State) -> None:
    granted = stage.grant()
    stage.say(granted)
    stage.wait_for(1)
    stage.say(granted._replace(state=state, granted_digest=b"", previous_seq=granted.seq))
    assert carried_out(stage, stage.grant(b'{"amount":2}')).result == State.DONE
    assert stage.runs == [{"amount": 2}]


def test_a_claim_that_took_until_the_lease_was_over_is_not_begun(stage: Stage) -> None:
    granted = stage.grant()
    stage.say(granted)
    (claim,) = stage.wait_for(1)
    stage.say(stage.claimed(granted, claim, expires_at=stage.now + 1_000))
    outcome = stage.wait_for(2)[1]
    assert outcome.result == State.REFUSED
    assert stage.runs == []


def refused(stage: Stage, granted: Verdict, offset: int, reason: Reason, retry_after_ms: int = 0) -> None:
    record = Refusal(
        partition=0,
        seq=stage.scribe.seq,
        instant=1_000,
        cause_topic=Topic.OUTCOMES,
        cause_partition=0,
        cause_offset=offset,
        asked_at=1_000,
        reason=reason,
        detail="",
        raw_digest=bytes(32),
        tenant=TENANT,
        authority=PERSON,
        id=granted.id,
        attempt=1,
        retry_after_ms=retry_after_ms,
    )
    stage.log.append(Topic.DECISIONS, 0, [Message(b"k", refusal.frame(record))])
    said = [leaf_hash(refusal.FINGERPRINT + refusal.encode(record))]
    stage.scribe.seq += 1
    framed = stage.scribe.chain.close(said, stage.scribe.seq, (), (), (), 1_000, 0)
    stage.scribe.chain.keep()
    stage.scribe.append(framed)


def test_a_claim_refused_for_now_is_made_again_with_the_same_nonce(stage: Stage) -> None:
    granted = stage.grant()
    stage.say(granted)
    (first,) = stage.wait_for(1)
    refused(stage, granted, 0, Reason.LAGGING, retry_after_ms=1)
    again = stage.wait_for(2)[1]
    assert isinstance(again, Claim)
    assert again.nonce == first.nonce
    stage.say(stage.claimed(granted, again))
    assert stage.wait_for(3)[2].result == State.DONE


def test_the_refusal_of_anothers_claim_is_not_ours(stage: Stage) -> None:
    granted = stage.grant()
    stage.say(granted)
    (claim,) = stage.wait_for(1)
    refused(stage, granted, 55, Reason.CLAIM_MISMATCH)
    stage.say(stage.claimed(granted, claim))
    assert stage.wait_for(2)[1].result == State.DONE


def test_a_claim_refused_for_good_is_not_begun(stage: Stage) -> None:
    granted = stage.grant()
    stage.say(granted)
    stage.wait_for(1)
    refused(stage, granted, 0, Reason.CLAIM_TAKEN)
    assert carried_out(stage, stage.grant(b'{"amount":2}')).result == State.DONE
    assert stage.runs == [{"amount": 2}]


def test_a_stop_reaches_the_function_that_runs(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    heard: list[bool] = []

    def work(grant: Grant) -> None:
        heard.append(grant.stopped())
        stage.say(stage.claimed(granted, claim, stop=True))
        until("the stop", grant.stopped)
        heard.append(grant.stopped())

    stage.executor._handlers[:] = [("shop.*", work)]
    granted = stage.grant()
    stage.say(granted)
    (claim,) = stage.wait_for(1)
    stage.say(stage.claimed(granted, claim))
    # It went on to its end, and so that is what is told.
    assert stage.wait_for(2)[1].result == State.DONE
    assert heard == [False, True]
    stage.close()


def own_claim(stage: Stage) -> Verdict:
    return stage.grant(state=State.CLAIMED, claim_required=False, executor=EXECUTOR, reason=Reason.PERMITTED)


def test_a_grant_that_is_its_own_claim_is_begun_once_across_processes(tmp_path: Path) -> None:
    stage = Stage(tmp_path, begun=tmp_path / "begun")
    granted = own_claim(stage)
    stage.say(granted)
    (outcome,) = stage.wait_for(1)
    assert outcome.result == State.DONE
    stage.close()
    # The same log, a new process: its lookback shows the grant again.
    again = Executor(stage.connection, name=EXECUTOR, signer=EXECUTOR_SIGNER, begun=tmp_path / "begun")
    assert again._terms.begun is not None
    assert not again._terms.begun.begin(TENANT, PERSON, granted.id, 1, granted.expires_at)
    again.close()


def test_a_grant_that_is_its_own_claim_may_come_after_a_wait(tmp_path: Path) -> None:
    stage = Stage(tmp_path, begun=tmp_path / "begun")
    granted = own_claim(stage)
    waited = granted._replace(
        state=State.DEFERRED, effect=Effect.DEFER, claim_required=True, executor="", granted_digest=b"", expires_at=0
    )
    stage.say(waited)
    stage.say(granted._replace(previous_seq=waited.seq))
    (outcome,) = stage.wait_for(1)
    assert (outcome.result, stage.runs) == (State.DONE, [{"amount": 10}])
    stage.close()


def test_a_claim_another_process_made_under_the_same_name_is_not_begun(tmp_path: Path) -> None:
    stage = Stage(tmp_path, begun=tmp_path / "begun")
    stage.say(own_claim(stage)._replace(previous_seq=0, nonce=b"z" * 16))
    second = stage.grant(b'{"amount":2}')
    assert carried_out(stage, second).id == second.id
    assert stage.runs == [{"amount": 2}]
    stage.close()


def test_what_an_earlier_process_began_is_neither_run_nor_refused(tmp_path: Path) -> None:
    with BegunSet(tmp_path / "begun", 1_760_000_000_000) as begun:
        assert begun.begin(TENANT, PERSON, (1).to_bytes(16, "big"), 1, 1_760_000_030_000)
    stage = Stage(tmp_path, begun=tmp_path / "begun")
    stage.say(own_claim(stage))
    second = stage.grant(b'{"amount":2}')
    assert carried_out(stage, second).id == second.id
    assert stage.runs == [{"amount": 2}]
    stage.close()


def test_without_a_begun_set_such_a_grant_is_refused(stage: Stage) -> None:
    stage.say(own_claim(stage))
    (outcome,) = stage.wait_for(1)
    assert (outcome.result, stage.runs) == (State.REFUSED, [])
    assert "begun-set" in outcome.detail


def test_a_contradiction_in_the_log_ends_the_executor(stage: Stage) -> None:
    granted = stage.grant()
    stage.say(granted)
    (claim,) = stage.wait_for(1)
    forged = stage.claimed(granted, claim)._replace(seq=stage.scribe.seq)
    stage.scribe.append(verdict.frame(forged))
    stage.scribe.append(stage.scribe.seal([forged._replace(detail="another")]))
    until("the end", lambda: stage.executor._failure is not None)
    with pytest.raises(Corrupted):
        stage.executor.check()
    assert stage.runs == []
    assert len(stage.sent()) == 1


def test_a_lookback_acts_only_on_what_is_still_open(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.executor.close(grace_s=0)
    done, open_ = stage.grant(), stage.grant(b'{"amount":2}')
    stage.say(done, open_, done._replace(state=State.REVOKED, granted_digest=b""))
    runs: list[int] = []
    with Executor(stage.connection, name=EXECUTOR, signer=EXECUTOR_SIGNER) as again:
        again._handlers.append(("shop.*", lambda grant: runs.append(grant.arguments["amount"])))
        again._seen.clear()
        again._joined = False
        again.start()
        (claim,) = stage.wait_for(1)
        assert isinstance(claim, Claim)
        assert claim.id == open_.id
        stage.say(stage.claimed(open_, claim))
        assert stage.wait_for(2)[1].result == State.DONE
    assert runs == [2]
    stage.connection.close()


def test_an_executor_is_of_the_tenant_its_key_is_of(stage: Stage) -> None:
    bound = KeyRing([EXECUTOR_SIGNER.pinned("executor")._replace(tenant=TENANT)])
    connection = Connection(stage.log, bound, clock=stage.log.clock, entropy=CountedEntropy())
    assert Executor(connection, name=EXECUTOR, signer=EXECUTOR_SIGNER).tenant == TENANT
    with pytest.raises(ValueError, match="executor `service:shop` of tenant `evil`: its key is of tenant `acme`"):
        Executor(connection, name=EXECUTOR, tenant="evil", signer=EXECUTOR_SIGNER)
    connection.close()


def test_an_executor_of_no_tenant_hears_nothing_by_itself(stage: Stage) -> None:
    stranger = Executor(stage.connection, name=EXECUTOR, signer=EXECUTOR_SIGNER)
    with pytest.raises(ValueError, match="its key is of every tenant, so name the one it hears"):
        stranger.on("shop.*")


def test_what_is_of_another_tenant_is_not_performed(stage: Stage) -> None:
    with pytest.raises(NotBegun, match="of tenant `evil`, this executor is of `acme`"):
        stage.executor.perform(Answer.of(stage.grant(tenant="evil")), lambda _: None)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"obligations": (Obligation("capability", "two-person", ""),)}, "not a capability"),
        ({"obligations": (Obligation("watch_closely", "x", ""),)}, "not one this executor knows"),
        ({"effect": 9}, "effect 9"),
        ({"resource": "order/8"}, "digests differ"),
    ],
)
def test_a_claim_that_is_accepted_on_terms_that_cannot_be_kept_is_refused(
    stage: Stage, more: dict[str, Any], says: str
) -> None:
    granted = stage.grant()
    stage.say(granted)
    (claim,) = stage.wait_for(1)
    stage.say(stage.claimed(granted, claim, **more))
    outcome = stage.wait_for(2)[1]
    assert isinstance(outcome, Outcome)
    assert (outcome.result, outcome.ran_digest) == (State.REFUSED, b"")
    assert says in outcome.detail
    assert stage.runs == []


def test_what_one_tenant_asks_is_not_guarded_by_the_executor_of_another(stage: Stage) -> None:
    agent = Agent(stage.connection, tenant="evil", actor=AGENT)
    with pytest.raises(ValueError, match="asked in tenant `evil`, and its executor is of `acme`"):
        guarded(agent=agent, executor=stage.executor, action="shop.refund", resource="order/7")
