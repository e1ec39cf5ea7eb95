"""Laws of merging, for any rules and any case (Hypothesis): order is nothing, more rules never soften, fused is single."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from placet.model.reasons import Effect
from placet.policy.contents import Pack
from placet.policy.evaluate import Finding, PolicySet
from placet.policy.pack import load_pack
from tests.policy.packs import ACTIONS, case, rule

WHENS = (
    None,
    "true",
    "false",
    "arguments.amount > 50",
    "has(arguments.note)",
    "actor.risk.score >= 40",
    "!has(actor.risk.score)",
    "resource.rank >= 2 || arguments.amount > 10",
    "resource.owner == authority.id",
    "session.origin == 'external'",
    "calendar.freeze == 'on'",
    "arguments.amount / (arguments.amount - 51) > 0",
    "arguments.amount % 7 == 3 || uint(arguments.amount) == 51u",
)
EFFECTS = ("permit", "constrain", "step_up", "defer", "deny")

rules = st.builds(
    lambda effect, when, otherwise, who: (effect, when, otherwise, who),
    st.sampled_from(EFFECTS),
    st.sampled_from(WHENS),
    st.sampled_from((None, "defer", "deny")),
    st.sampled_from((None, '{actor: ["agent:*"]}', '{actor: ["agent:b*"]}', '{authority: ["group:ops"]}')),
)
cases = st.builds(
    lambda amount, risk, rank, owner, origin, freeze, absent: case(
        {
            "risk": risk,
            "sensitivity": ("public", "internal", "confidential", "restricted")[rank],
            "resource": {"owner": owner},
            "session": {"origin": origin},
            "calendar": {} if freeze is None else {"freeze": freeze},
            "absent": absent,
        },
        arguments=amount,
    ),
    st.sampled_from(({"amount": 1}, {"amount": 51}, {"amount": 94, "note": "x"}, {"amount": 0}, {"amount": True})),
    st.sampled_from((0, 39, 40, 100)),
    st.integers(0, 3),
    st.sampled_from((None, "user:kim", "user:mo")),
    st.sampled_from(("none", "external")),
    st.sampled_from((None, "on", "off")),
    st.lists(st.sampled_from(("actor.risk", "resource", "authority", "calendar.freeze")), max_size=2, unique=True),
)
Told = tuple[str, str | None, str | None, str | None]
_packs: dict[tuple[Told, ...], Pack] = {}


def pack_of(told: list[Told]) -> Pack:
    key = tuple(told)
    if key not in _packs:
        lines = []
        for number, (effect, when, otherwise, who) in enumerate(told):
            more: dict[str, Any] = {} if otherwise is None else {"else": otherwise}
            lines.append(rule(f"r{number}", effect, when, **(more | ({} if who is None else {"who": who}))))
        about = f'name: law\nversion: "1"\ndescription: for a law\nactions:{ACTIONS}'
        _packs[key] = load_pack({"pack.yaml": about, "rules.yaml": "rules:\n" + "\n".join(lines)})
    return _packs[key]


def decide(told: list[Told], asked: Any, *, generated: bool = True) -> Finding:
    plan = PolicySet.of([pack_of(told)], generated=generated).plan("pay.refund")
    assert plan is not None
    found = plan.decide(asked, sample=True)
    assert plan.disagreements == 0
    assert plan.decide_with_library(asked) == found
    return found


some_rules = st.lists(rules, min_size=1, max_size=5)


@given(some_rules, cases, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_rules_is_nothing(told: list[Told], asked: Any, shuffle: Any) -> None:
    mixed = list(told)
    shuffle.shuffle(mixed)
    one, two = decide(told, asked), decide(mixed, asked)
    assert (one.effect, one.reason, one.obligations, one.approval) == (
        two.effect,
        two.reason,
        two.obligations,
        two.approval,
    )
    assert (one.missing, one.claim_required, len(one.rules)) == (two.missing, two.claim_required, len(two.rules))


@given(some_rules, rules.filter(lambda told: told[0] != "permit"), cases)
@settings(max_examples=60, deadline=None)
def test_a_rule_more_that_does_not_permit_never_softens(told: list[Told], more: Told, asked: Any) -> None:
    before, after = decide(told, asked), decide([*told, more], asked)
    grants = (Effect.PERMIT, Effect.CONSTRAIN, Effect.STEP_UP)
    if before.rules:
        assert after.effect >= before.effect
    # Where nothing spoke, what speaks may be milder than deny only in its own words.
    assert after.effect is not Effect.PERMIT or before.effect is Effect.PERMIT
    if before.effect in grants and after.effect in grants:
        assert after.claim_required >= before.claim_required


@given(some_rules, cases)
@settings(max_examples=60, deadline=None)
def test_many_rules_together_say_what_each_says_alone(told: list[Told], asked: Any) -> None:
    whole = decide(told, asked)
    alone = [decide([one], asked) for one in told]
    spoken = [found for found in alone if found.rules]
    if spoken:
        gravest = max(found.effect for found in spoken)
        assert whole.effect is gravest
        assert whole.reason == min(found.reason for found in spoken if found.effect is gravest)
    else:
        assert whole == alone[0]


@given(some_rules, cases)
@settings(max_examples=60, deadline=None)
def test_without_generated_code_the_answer_is_the_same(told: list[Told], asked: Any) -> None:
    assert decide(told, asked, generated=False) == decide(told, asked)


@given(st.lists(rules.filter(lambda told: told[0] in ("defer", "deny")), min_size=1, max_size=4), cases)
@settings(max_examples=60, deadline=None)
def test_nothing_is_granted_that_no_rule_grants(told: list[Told], asked: Any) -> None:
    assert decide(told, asked).effect in (Effect.DEFER, Effect.DENY)
