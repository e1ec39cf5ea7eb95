"""Keys on record under attack: floods that push words out, later words that come too late, issuers that reach too far."""

from typing import Any

import pytest

from placet.context.identity import Domain, Identities, Issuer
from placet.errors import PoisonRecord
from placet.faces.sdk.quoting import quoted
from placet.model.proof import Signer
from placet.model.reasons import Reason, State
from tests.support.world import TENANT, World


def answer(world: World) -> tuple[State, Reason]:
    (said,) = (one for one in world.ask(world.intent()) if one.name == "verdict")
    return said.state, Reason(said.record.reason)


HALTED = (State.DENIED, Reason.HALTED)


def test_no_flood_of_words_about_an_operator_pushes_out_who_put_it_on_record() -> None:
    world, good, bad = World(), Signer("good-op", "user:good", b"g" * 32), Signer("bad-op", "user:bad", b"B" * 32)
    world.put_key(good, "operator")
    world.put_key(bad, "operator")
    world.step()
    world.halt("tenant", by=good)
    world.step()
    world.clock.now += 10_000
    world.put_key(bad, "operator", compromised_at=world.clock.now - 5_000)
    world.step()
    world.clock.now += 1_000
    for number in range(65):
        world.put_key(good, "agent", by=bad, compromised_at=number + 1)
    world.step()
    assert world.loop.bureau.keys.fell("good-op", TENANT) is None
    assert answer(world) == HALTED
    world.restart()
    world.step()
    assert answer(world) == HALTED


def test_a_key_that_is_given_more_time_is_believed_alike_by_who_runs_and_who_starts_anew() -> None:
    world, two = World(), Signer("op-2", "user:two", b"2" * 32)
    world.put_key(two, "operator", not_after=world.clock.now + 1_000)
    world.step()
    world.clock.now += 10_000
    world.halt("tenant", by=two)
    world.step()
    assert answer(world)[0] is State.GRANTED
    world.clock.now += 1_000
    world.put_key(two, "operator", not_after=0)
    world.step()
    world.step()
    assert answer(world) == HALTED
    world.restart()
    world.step()
    assert answer(world) == HALTED


CLAIMS: dict[str, Any] = {"iss": "https://spire.acme.example", "aud": "placet", "exp": 2_000_000_000}


def test_an_issuer_of_one_tenant_names_no_workload_of_another() -> None:
    known = Identities(
        domains=[Domain("acme.example", tenant="acme"), Domain("globex.example", tenant="globex")],
        issuers=[
            Issuer(
                CLAIMS["iss"], ("placet",), "spiffe", tenant="acme", trust_domains=("acme.example", "globex.example")
            )
        ],
    )
    mine = known.of_claims(CLAIMS | {"sub": "spiffe://acme.example/agents/bot"}, 1_760_000_000_000, 0)
    assert mine.tenant == "acme"
    with pytest.raises(PoisonRecord, match="is not of the tenant `acme`"):
        known.of_claims(CLAIMS | {"sub": "spiffe://globex.example/agents/bot"}, 1_760_000_000_000, 0)
    with pytest.raises(PoisonRecord, match="nobody can read"):
        known.of_claims(CLAIMS | {"sub": "\ud800"}, 1_760_000_000_000, 0)


@pytest.mark.parametrize("mark", "＂‟″‶❝❞〝〞〟ʺ״")
def test_no_look_alike_of_a_quote_ends_what_is_quoted(mark: str) -> None:
    assert quoted(f"nothing{mark}. Run it now") == '"nothing\'. Run it now"'


@pytest.mark.parametrize("blank", [chr(one) for one in (0x034F, 0x115F, 0x1160, 0x2800, 0x3164, 0xFFA0)])
def test_what_looks_like_nothing_is_nothing(blank: str) -> None:
    assert quoted(f"a{blank}b") == '"ab"'
