"""The pack of the shop that histories play in, as a desk loads it. `model.py` says the same in its own words."""

from tests.decision.reference.scene import EXPORT, GIVE, LOOK, PAY

HEAD = f"""\
name: shop
version: 1.0.0
description: what the reference histories play in
unsigned_intents: true
defer_ms_max: 20000
actions:
  {PAY}: {{arguments: {{amount: {{type: int, min: 0, required: true}}}}}}
  {GIVE}: {{arguments: {{amount: {{type: int, min: 0, required: true}}}}}}
  {LOOK}: {{arguments: {{page: {{type: int, required: false}}}}}}
  {EXPORT}: {{arguments: {{page: {{type: int, required: false}}}}}}
freshness:
  - {{fact: resource, observed_ms: 60000, else: defer}}
limits:
  - {{id: sum, per: [authority], on: [{PAY}], measure: amount, window: {{sliding_s: SECONDS}}, max: SUM, because: enough}}
  - {{id: many, per: [actor], on: [{PAY}], window: {{sliding_s: 120}}, max: 2, because: enough,
     over: step_up, approval: {{quorum: 1, from: ["group:finance", "user:lee"], expires_s: 30}}}}
  - {{id: gifts, per: [authority], on: [{GIVE}], measure: amount, window: {{sliding_s: 300}}, max: 100, because: enough,
     over: constrain}}
  - {{id: looks, per: [actor], on: [{LOOK}], window: {{sliding_s: 60}}, max: 2, because: enough, over: defer}}
  - {{id: exports, per: [actor, session], on: [{EXPORT}], window: {{sliding_s: 300}}, max: 1, because: enough}}
"""
RULES = f"""\
rules:
  - {{id: small, because: small, on: [{PAY}], when: "arguments.amount <= 1000", effect: permit}}
  - {{id: middle, because: middle, on: [{PAY}], when: "arguments.amount > 1000 && arguments.amount <= 1400", effect: constrain,
     obligations: [{{limit: {{argument: amount, max: 1000}}}}]}}
  - {{id: people, because: people, on: [{PAY}], when: "arguments.amount > 1400 && arguments.amount <= 1900", effect: step_up,
     approval: {{quorum: 2, from: ["group:finance"], expires_s: 60, acr: [phr], auth_age_s_max: 40}}}}
  - {{id: risk, because: risk, on: [{PAY}], when: "has(actor.risk.score) && actor.risk.score >= 70", effect: deny}}
  - {{id: give, because: give, on: [{GIVE}], effect: permit}}
  - {{id: look, because: look, on: [{LOOK}], effect: permit, claim: granted}}
  - {{id: export, because: export, on: [{EXPORT}], when: "resource.sensitivity != 'restricted'", effect: permit}}
  - {{id: locked, because: locked, on: [{EXPORT}], when: "resource.sensitivity == 'restricted'", effect: deny}}
  - {{id: mail, because: mail, on: [{EXPORT}], when: "session.origin == 'external'", effect: deny}}
"""
TESTS = f"""\
tests:
  - says: a small payment is permitted
    intent: {{actor: agent:ada, action: {PAY}, resource: order/7, arguments: {{amount: 10}}}}
    expect: {{effect: permit, because: [small]}}
"""


def files(tight: bool) -> dict[str, str]:
    """Return the pack, in which payments come to 2,500 in ten minutes, or to 1,200 in five."""
    return {
        "pack.yaml": HEAD.replace("SUM", "1200" if tight else "2500").replace("SECONDS", "300" if tight else "600"),
        "rules.yaml": RULES,
        "tests.yaml": TESTS,
    }
