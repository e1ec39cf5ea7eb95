"""Laws of votes: one counts once, whatever the order, the repeats and the restarts; and nobody in the chain ever does."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from placet.decision.ballot import Ballot, Cast, count, part_of
from placet.model.case import Case, PrincipalRow, ResourceRow
from placet.model.codec import vote
from placet.model.codec.vote import Vote
from placet.model.reasons import State
from placet.model.topics import Topic
from placet.policy.approval import Approval
from tests.support.votes import FINANCE, Shop, faults
from tests.support.world import AGENT, PERSON, states

MANY = settings(max_examples=2_000, deadline=None)
SOME = settings(max_examples=60, deadline=None)
NAMES = (*FINANCE, "user:sue", "user:boss", AGENT, PERSON)
PATTERNS = ("group:finance", "group:support", "owner", "user:*", "user:flo", "user:sue", "agent:*", "*")


def cast(voter: str, voted_at: int, amount: int, *, approve: bool = True) -> Cast:
    arguments = b'{"amount":%d}' % amount
    said = Vote("acme", PERSON, bytes(16), 1, bytes(32), voter, approve, "", arguments, voted_at, "", 0, None)
    return Cast(said, vote.frame(said))


def row(name: str, status: str = "active", groups: tuple[str, ...] = (), owner: str | None = None) -> PrincipalRow:
    active = status == "active"
    return PrincipalRow(f"P:acme/{name}", name, "user", status, active, owner, groups, {}, frozenset(), 0, 0, (b"",))


def case_of(chain: tuple[str, ...], owner: str | None, resource_owner: str | None = None) -> Case:
    case = Case()
    case.instant, case.tenant, case.arguments = 1_000, "acme", {"amount": 100}
    case.actor_id, case.authority_id, case.chain = chain[-1], chain[0], chain
    case.actor, case.authority = row(chain[-1], owner=owner), row(chain[0])
    case.resource = ResourceRow("S:acme/r", "r", "internal", 1, resource_owner, None, (), 0, 0, (b"",))
    return case


votes_cast = st.lists(
    st.builds(cast, st.sampled_from(NAMES), st.integers(0, 5), st.integers(0, 100), approve=st.just(True)), max_size=8
)


def taken(casts: list[Cast]) -> Ballot:
    """Return the ballot after these votes came in this order, taken as a desk takes them."""
    ballot = Ballot(0)
    for each in casts:
        before = ballot.standing(each.vote.voter)
        if before is None or before.order <= each.order:
            ballot = ballot.taking(each)
    return ballot


@MANY
@given(votes_cast.flatmap(lambda casts: st.tuples(st.permutations(casts), st.permutations(casts + casts[::2]))))
def test_the_order_of_votes_and_their_repeats_change_nothing(orders: tuple[list[Cast], list[Cast]]) -> None:
    one, other = map(taken, orders)
    assert one == other
    assert len({each.vote.voter for each in one.casts}) == len(one.casts)


@MANY
@given(
    votes_cast,
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True).map(tuple),
    st.sampled_from((*NAMES, None)),
    st.sampled_from((*NAMES, None)),
    st.lists(st.sampled_from(PATTERNS), max_size=4).map(tuple),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(("active", "suspended", "revoked"))),
)
def test_whoever_counts_is_known_active_asked_and_outside_the_chain(
    casts: list[Cast],
    chain: tuple[str, ...],
    owner: str | None,
    resource_owner: str | None,
    asked: tuple[str, ...],
    statuses: dict[str, str],
) -> None:
    groups = dict.fromkeys(FINANCE, ("finance",)) | {"user:sue": ("support",)}
    rows = {name: row(name, status, groups.get(name, ())) for name, status in statuses.items()}
    case = case_of(chain, owner, resource_owner)
    found = count(Approval(1, asked, 60_000), taken(casts), case, [], lambda _, name: rows.get(name), lambda _: False)
    for name in found.voters:
        assert statuses.get(name) == "active"
        assert name not in (*chain, owner)
        by_name = (
            name in asked
            or "*" in asked
            or any(one[:-1] and one[-1] == "*" and name.startswith(one[:-1]) for one in asked)
        )
        by_group = any(f"group:{group}" in asked for group in groups.get(name, ()))
        assert by_name or by_group or ("owner" in asked and name == resource_owner)
    assert {*found.voters, *found.faults} == {each.vote.voter for each in taken(casts).casts}
    assert not {*found.voters} & {*found.faults}
    offers = [
        json.loads(each.vote.arguments or b"")["amount"]
        for each in taken(casts).casts
        if each.vote.voter in found.voters
    ]
    assert found.arguments == {"amount": min([100, *offers])}


@MANY
@given(votes_cast, st.integers(1, 4))
def test_one_vote_more_never_takes_a_yes_away_and_never_widens_what_is_left(casts: list[Cast], quorum: int) -> None:
    rows = {name: row(name, groups=("finance",)) for name in NAMES}
    wanted, case = Approval(quorum, ("group:finance",), 60_000), case_of((PERSON, AGENT), "user:boss")
    before = count(wanted, taken(casts[:-1]), case, [], lambda _, name: rows.get(name), lambda _: False)
    after = count(wanted, taken(casts), case, [], lambda _, name: rows.get(name), lambda _: False)
    assert {*before.voters} <= {*after.voters}
    assert after.met >= before.met
    same_voter = bool(casts) and before.voters == after.voters
    left_before, left_after = before.arguments["amount"], after.arguments["amount"]
    assert same_voter or left_after <= left_before  # type: ignore[operator]
    assert not part_of("user:flo", case)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("vote"), st.sampled_from(NAMES), st.integers(0, 3)),
        st.tuples(st.sampled_from(("again", "restart")), st.just(""), st.integers(0, 7)),
    ),
    max_size=10,
)


@SOME
@given(steps)
def test_a_desk_grants_on_as_many_people_as_were_asked_whatever_is_told_again(told: list[tuple[str, str, int]]) -> None:
    shop = Shop()
    asked = shop.intent(arguments={"amount": 60_000})
    shop.ask(asked)
    sent: list[bytes] = []
    yes: set[str] = set()
    granted = False
    for what, who, number in told:
        if what == "vote":
            sent.append(shop.voted(asked, who, voted_at=shop.clock.now + number))
            yes |= {who} & {*FINANCE}
        if what == "restart":
            shop.restart()
        if what in ("vote", "again") and sent:
            shop.send(Topic.VOTES, sent[-1] if what == "vote" else sent[number % len(sent)])
        granted = granted or State.GRANTED in states(shop.step())
        assert granted == (len(yes) >= 3)
    assert faults(shop) == []
