"""Random typed conditions on random cases: generated code says what the CEL library says, or raises (Hypothesis)."""

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from placet.policy import samples
from placet.policy.evaluate import PolicySet
from placet.policy.expressions import ConditionError, compile_condition
from placet.policy.fused import UNREADY, single
from placet.policy.oracle import agrees
from placet.policy.shape import Argument
from tests.policy import packs

ARGUMENTS = (
    Argument("amount", "int"),
    Argument("count", "int"),
    Argument("share", "number"),
    Argument("flag", "bool"),
    Argument("name", "string"),
    Argument("note", "string", required=False),
    Argument("tags", "list<string>", required=False),
    Argument("sizes", "list<int>", required=False),
    Argument("labels", "map<string, string>", required=False),
    Argument("data", "json", required=False),
)
TEXTS = ("''", "'a'", "'aB'", "'ops-1'", "'é'", "'\\\\'", '"it\'s"', "'{x}'", "'\\n'")
INTS = ("0", "1", "-1", "7", "40", "70", "9223372036854775807", "-9223372036854775808", "4611686018427387904")

ints = st.recursive(
    st.sampled_from(
        (
            *INTS,
            "arguments.amount",
            "arguments.count",
            "actor.risk.score",
            "resource.rank",
            "mandate.depth",
            "session.rank",
            "intent.attempt",
            "size(arguments.name)",
            "actor.groups.size()",
            "size(arguments.tags)",
        )
    ),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/%"), inner),
        st.builds("(-{})".format, inner),
        st.builds("({} > 3 ? {} : {})".format, inner, inner, inner),
        st.builds("[{}, {}][{}]".format, inner, inner, inner),
    ),
    max_leaves=4,
)
texts = st.recursive(
    st.sampled_from(
        (
            *TEXTS,
            "arguments.name",
            "actor.id",
            "resource.sensitivity",
            "actor.risk.level",
            "resource.owner",
            "session.origin",
            "actor.attributes.region",
            "arguments.labels['x']",
            "calendar.freeze",
            "intent.purpose",
        )
    ),
    lambda inner: st.builds("({} + {})".format, inner, inner),
    max_leaves=3,
)
lists = st.sampled_from(("actor.groups", "arguments.tags", "resource.categories", "actor.capabilities", "['a', 'aB']"))
simple = st.one_of(
    st.builds("{} {} {}".format, ints, st.sampled_from(("==", "!=", "<", "<=", ">", ">=")), ints),
    st.builds("{} {} {}".format, texts, st.sampled_from(("==", "!=", "<", "<=", ">", ">=")), texts),
    st.builds(
        "arguments.share {} {}".format, st.sampled_from(("==", "<", ">=")), st.sampled_from(("0.5", "1.0", "-1.5"))
    ),
    st.builds("{}.{}({})".format, texts, st.sampled_from(("startsWith", "endsWith", "contains")), texts),
    st.builds(
        "{}.matches({})".format, texts, st.sampled_from(("'^a'", "'[a-z]+-[0-9]$'", "'(?i)AB'", "'.'", "'\\\\d'"))
    ),
    st.builds("{} in {}".format, texts, lists),
    st.builds("{} in [{}, {}]".format, ints, ints, ints),
    st.builds("{} in arguments.sizes".format, ints),
    st.builds("{} == {}".format, lists, lists),
    st.builds("{}.{}(x, x.contains({}))".format, lists, st.sampled_from(("all", "exists", "exists_one")), texts),
    st.builds("{}.filter(x, x != {}).size() {} {}".format, lists, texts, st.sampled_from("<>"), ints),
    st.builds("{}.map(x, x + {}) == {}".format, lists, texts, lists),
    st.builds("arguments.sizes.exists(x, x {} {})".format, st.sampled_from(("<", "/ 0 ==", "% 2 ==")), ints),
    st.builds("arguments.labels.all(k, arguments.labels[k] != {} && k in {})".format, texts, lists),
    st.sampled_from(
        (
            "arguments.flag",
            "intent.emergency",
            "true",
            "false",
            "has(arguments.note)",
            "has(resource.owner)",
            "has(actor.attributes.region)",
            "'x' in arguments.labels",
            "has(arguments.tags)",
            "has(resource.id)",
            "has(arguments.data)",
            "has(actor.risk.score)",
            "has(calendar.freeze)",
            "has(actor.groups)",
            "has(arguments.note) && arguments.note == 'a'",
            "!has(resource.owner) || resource.owner == actor.id",
        )
    ),
)
conditions = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(("&&", "||")), inner),
        st.builds("!({})".format, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
    ),
    max_leaves=4,
)


@given(conditions)
@example("arguments.amount % -1 == 0")
@example("-9223372036854775808 % -1 == 0")
@example("arguments.flag == true || arguments.amount / 0 == 1")
@settings(max_examples=400, deadline=None)
def test_generated_conditions_say_what_the_library_says(text: str) -> None:
    try:
        condition = compile_condition(text, ARGUMENTS)
    except ConditionError:
        assume(False)
    assume(condition.source is not None)
    run = single(condition)
    for case in samples.generate(condition, 24):
        try:
            value = run(case)
        except Exception:  # noqa: BLE001  a raise means that the library decides
            continue
        if value != UNREADY:
            assert bool(value) is condition.ask(case), (text, condition.source)


LOOSE = (
    "arguments.x",
    "arguments.y.z",
    "arguments.list[0]",
    "arguments['k']",
    "1",
    "1.0",
    "'a'",
    "true",
    "null",
    "0.5",
)
loose = st.recursive(
    st.one_of(
        st.builds(
            "{} {} {}".format,
            st.sampled_from(LOOSE[:4]),
            st.sampled_from(("==", "!=", "<", "<=", ">", ">=")),
            st.sampled_from(LOOSE),
        ),
        st.builds(
            "{} in [{}, {}]".format, st.sampled_from(LOOSE), st.sampled_from(LOOSE[4:]), st.sampled_from(LOOSE[4:])
        ),
        st.builds("{} in arguments.list".format, st.sampled_from(LOOSE)),
        st.builds("arguments.list.{}(v, v == {})".format, st.sampled_from(("all", "exists")), st.sampled_from(LOOSE)),
        st.builds("size({}) > 0".format, st.sampled_from(LOOSE[:4])),
        st.builds("arguments.x.startsWith({})".format, st.sampled_from(("'a'", "arguments.y"))),
        st.sampled_from(
            ("has(arguments.y.z)", "has(arguments.x)", "'z' in arguments.y", "arguments.x == arguments.list")
        ),
    ),
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(("&&", "||")), inner),
    max_leaves=3,
)


@given(loose)
@settings(max_examples=250, deadline=None)
def test_conditions_on_undeclared_arguments_say_what_the_library_says(text: str) -> None:
    try:
        condition = compile_condition(text, None)
    except ConditionError:
        assume(False)
    assume(condition.source is not None)
    assert agrees(condition, samples.generate(condition, 24)), (text, condition.source)


def test_most_of_what_packs_say_has_a_generated_form() -> None:
    told = (
        "actor.risk.score < 40 && resource.sensitivity in ['public', 'internal']",
        "actor.groups.exists(g, g.startsWith('ops-')) || arguments.amount * 2 <= 100",
        "has(arguments.note) && arguments.note.matches('^[a-z ]+$')",
        "arguments.tags.all(t, t in resource.categories) ? arguments.flag : !arguments.flag",
        "calendar.freeze != 'on' && arguments.labels['env'] == 'prod'",
    )
    assert [text for text in told if compile_condition(text, ARGUMENTS).source is None] == []


def test_what_has_no_generated_form_stays_with_the_library() -> None:
    for text in ("uint(arguments.amount) > 3u", "arguments.share + 1.0 > 2.0", "string(arguments.amount) == '1'"):
        condition = compile_condition(text, ARGUMENTS)
        assert condition.source is None
        assert condition.unknown


def test_a_planted_difference_is_found() -> None:
    condition = compile_condition("arguments.amount <= 41", ARGUMENTS)
    assert agrees(condition, samples.generate(condition, 48))
    planted = compile_condition("arguments.amount <= 41 && true", ARGUMENTS)
    assert planted.source is not None
    planted.source = planted.source.replace("<=", "<")
    assert not agrees(planted, samples.generate(planted, 48))
    compile_condition.cache_clear()


def test_a_difference_leaves_a_condition_to_the_library_before_it_decides() -> None:
    made = packs.pack(packs.rule("small", when="arguments.amount <= 43"))
    condition = made.condition(made.rules[0], "pay.refund")
    assert condition is not None
    assert condition.source is not None
    condition.source = condition.source.replace("<=", "<")
    plan = PolicySet.of([made]).plan("pay.refund")
    assert plan is not None
    assert plan.decide(packs.case(arguments={"amount": 43})).rules == ("small/small",)
    assert condition.unknown == "generated code and library differ"
    compile_condition.cache_clear()
