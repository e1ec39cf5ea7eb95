"""A pack of as many rules as asked for, of which four are about the action that is measured."""

from collections.abc import Mapping

ACTION = "bench.act"
NAME = "bench"
SMALL_MOST = 500
RULES = 200

_PACK = """\
name: bench
version: "1"
description: what is measured
unsigned_intents: true
lease: {lease_ms: 600000, act_ms_max: 3600000}
actions:
  bench.act:
    arguments:
      amount: {type: int, min: 0, max: 1000}
      currency: {type: string, one_of: [EUR, USD]}
      note: {type: string, required: false, max_length: 200}
"""

_MATCHING = """\
rules:
  - id: small
    on: [bench.act]
    when: arguments.amount <= 500 && actor.risk.score < 70
    effect: permit
    claim: granted
    because: what is small is begun at once
  - id: large
    on: [bench.act]
    when: arguments.amount > 500 && actor.risk.score < 70 && resource.sensitivity in ['public', 'internal', 'confidential']
    effect: permit
    because: what is large is claimed
  - id: restricted
    on: [bench.act]
    when: resource.sensitivity == 'restricted' && actor.risk.level != 'none'
    effect: deny
    because: restricted resources are left alone
  - id: far
    on: [bench.act]
    when: mandate.depth > 3 || !mandate.task.startsWith('keep')
    effect: deny
    because: authority that came far is not enough
"""

_OTHER = """\
  - id: other-{number}
    on: [other.act-{number}]
    when: arguments.amount <= {number} && actor.risk.score < {bound} && resource.sensitivity == 'internal'
    effect: permit
    because: an action of somebody else
"""

_TESTS = """\
tests:
  - says: a small amount is begun at once
    given: {risk: 20, sensitivity: internal, mandate: {task: keep the shop}}
    intent: {action: bench.act, resource: doc/1, arguments: {amount: 5, currency: EUR}}
    expect: {effect: permit, because: [small], claim: granted}
"""


_STRICTER = """\
  - id: stricter
    on: [bench.act]
    when: arguments.amount >= 700 && arguments.amount < 710
    effect: deny
    because: one amount in a hundred is not allowed any more
"""


_LIMITS = """\
limits:
  - id: hourly
    per: [authority]
    on: [bench.act]
    measure: amount
    window: {sliding_s: 3600}
    max: 9007199254740991
    because: what all agents of a person spend in an hour
  - id: daily
    per: [actor, action]
    on: ["bench.*"]
    measure: amount
    window: {sliding_s: 86400}
    max: 9007199254740991
    because: what one agent spends on one action in a day
  - id: rate
    per: [actor]
    on: [bench.act]
    window: {sliding_s: 60}
    max: 9007199254740991
    because: how often one agent acts in a minute
"""


def limited_pack_of(rules: int) -> Mapping[str, str]:
    """Return a pack that counts the action that is measured in three windows, none of which is ever reached."""
    files = pack_of(rules)
    return {**files, "pack.yaml": files["pack.yaml"] + _LIMITS}


def stricter_pack_of(rules: int) -> Mapping[str, str]:
    """Return a pack of one rule more, which denies one amount in a hundred."""
    files = pack_of(rules)
    return {**files, "rules.yaml": files["rules.yaml"] + _STRICTER}


def pack_of(rules: int) -> Mapping[str, str]:
    """Return the files of a pack of `rules` rules, at least four; the others are about one action each."""
    others = (_OTHER.format(number=number, bound=20 + number % 60) for number in range(rules - 4))
    return {"pack.yaml": _PACK, "rules.yaml": _MATCHING + "".join(others), "tests.yaml": _TESTS}
