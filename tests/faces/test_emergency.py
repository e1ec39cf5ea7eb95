"""An emergency on the embedded journal: granted at once, carried out, and its review answered by a desk that was started since."""

from pathlib import Path
from typing import Any

import pytest

from placet import wiring
from placet.drivers.entropy import SystemEntropy
from placet.drivers.keyfile import add_key
from placet.faces.pending import Inbox
from placet.faces.sdk.models import Grant
from placet.faces.sdk.outbox import Letter
from placet.model.codec import vote as vote_codec
from placet.model.codec.vote import Vote
from placet.model.keys import key_of
from placet.model.reasons import Reason, ReviewState, State
from placet.model.topics import Topic
from tests.faces.cli.said import placet
from tests.faces.shop import WAIT_S, Shop, until
from tests.support.glass import pack
from tests.support.world import EXECUTOR, PERSON, TENANT

FLO = "user:flo"


def again(shop: Shop) -> None:
    """Stop the desk, pin an approver's key, and start on the same folder."""
    shop.running.stop()
    add_key(shop.settings.keys_file, shop.settings.secrets_dir, "approver", FLO, SystemEntropy())
    shop.running = wiring.serve(wiring.embedded(shop.settings))
    shop.log, shop.keys = shop.running.stack.log, shop.running.stack.keys


def reviews(shop: Shop) -> list[tuple[str, ReviewState]]:
    inbox = Inbox(shop.log, TENANT)
    inbox.read()
    return [(each.review.id.hex(), ReviewState(each.review.state)) for each in inbox.reviews()]


def carried_out(shop: Shop) -> str:
    """Call an emergency, let it be carried out, and return its id."""
    runs: list[dict[str, Any]] = []
    with shop.connect() as connection:
        executor = shop.executor(connection)

        @executor.on("shop.*")
        def run(grant: Grant) -> str:
            runs.append(grant.arguments)
            return "ran"

        executor.start()
        answer = shop.agent(connection).ask(
            "shop.refund", "order/7", {"amount": 9_000}, purpose="the site is down", emergency=True, audience=EXECUTOR
        )
        assert (answer.granted, answer.reason) == (True, Reason.EMERGENCY)
        until("it was done", lambda: shop.verdicts(answer.id)[-1].state == State.DONE)
        executor.close()
    assert runs == [{"amount": 9_000}]
    return answer.id


def test_an_emergency_is_carried_out_and_its_review_outlives_the_desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(tmp_path / "data", pack_files=pack())
    try:
        shop.principal(FLO, "user", groups=("finance",))
        done = carried_out(shop)
        assert reviews(shop) == [(done, ReviewState.ASKED)]
        again(shop)
        assert reviews(shop) == [(done, ReviewState.ASKED)]
        (review,) = [record for _, name, record in shop.records(Topic.DECISIONS) if name == "review"]
        no = Vote(TENANT, PERSON, review.id, 1, review.digest, FLO, False, "it was up", None, shop.now(), "", 0, None)
        with shop.connect() as connection:
            letter = Letter(
                Topic.VOTES,
                connection.partition(TENANT, PERSON),
                key_of(TENANT, PERSON),
                vote_codec,
                no,
                connection.signer("approver", FLO),
            )
            connection.outbox.send(letter).result(WAIT_S)
        until("the review was answered", lambda: reviews(shop) == [])
        *_, answered = [record for _, name, record in shop.records(Topic.DECISIONS) if name == "review"]
        assert (answered.state, answered.by, answered.detail) == (ReviewState.WRONG, FLO, "it was up")
    finally:
        shop.close()
    monkeypatch.setenv("PLACET_DATA", str(tmp_path / "data"))
    audited = placet(capsys, "audit", "--json").json
    assert audited["clean"], audited
    assert next(one["checked"] for one in audited["checks"] if one["name"] == "REVIEWS") == 3
