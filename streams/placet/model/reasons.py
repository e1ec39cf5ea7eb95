"""Why an answer is what it is: effects, states and reasons, each one ordered enum."""

from enum import IntEnum


class Effect(IntEnum):
    """The five answers to an intent attempt. The greater one is the graver; the gravest wins."""

    PERMIT = 1
    CONSTRAIN = 2
    STEP_UP = 3
    DEFER = 4
    DENY = 5


class State(IntEnum):
    """Where an intent attempt is in its life (DESIGN §3). `decision.life` holds the arrows."""

    ASKED = 0
    DENIED = 1
    DEFERRED = 2
    PENDING = 3
    GRANTED = 4
    CLAIMED = 5
    DONE = 6
    FAILED = 7
    REFUSED = 8
    UNKNOWN = 9
    REVOKED = 10
    LAPSED = 11
    EXPIRED = 12
    WITHDRAWN = 13


class ReviewState(IntEnum):
    """Where the review of an emergency is; right and wrong are its ends."""

    ASKED = 1
    RIGHT = 2
    WRONG = 3
    OVERDUE = 4  # nobody answered in time: it stays open, and bars the agent's next


class Reason(IntEnum):
    """Why a verdict or a refusal is what it is, gravest first; the first that applies is the one given.

    Numbers are wire contract: they are never reused. Tens are left free for
    reasons that belong between two others.
    """

    # The record itself is faulty: refused, never decided.
    UNDECODABLE = 10
    SCHEMA_UNKNOWN = 20
    TOO_LARGE = 30
    WRONG_PARTITION = 40
    MALFORMED = 50  # a field outside its profile: identifiers, lengths, bounds
    ARGUMENTS_MALFORMED = 60  # not canonical JSON (RFC 8785), too deep, a repeated name
    WRITER_UNPROVED = 70
    KEY_COMPROMISED = 75  # signed with a key that is said to be in other hands as well
    TENANT_MISMATCH = 80
    # The record is good but comes at the wrong time or place.
    INTENT_ID_REUSED = 110  # the same id and attempt with other content
    ASKED_TOO_LATE = 120  # past the intent's own deadline
    DEADLINE_TOO_FAR = 130
    ATTEMPT_NOT_NEXT = 140  # attempt n+1 before n ended in a transient refusal
    REPEATED = 150  # the same content again: the first answer stands
    # Who asks, and for whom.
    PACK_MISSING = 210  # no active set of packs
    PRINCIPAL_UNKNOWN = 220
    PRINCIPAL_INACTIVE = 230
    CHAIN_BROKEN = 240
    OUTSIDE_MANDATE = 250
    AUDIENCE_UNKNOWN = 260
    HALTED = 270
    # Transient: asked again as attempt + 1, the answer may differ.
    LAGGING = 310
    OVERLOADED = 320
    CONTEXT_SILENT = 330
    # What the packs say.
    ARGUMENTS_UNFIT = 410
    AMOUNT_UNFIT = 415  # what a limit measures is below 0, or is not there
    NO_RULE = 420
    RULE_ERRED = 430
    EVALUATION_DISAGREES = 440
    RULE_DENIED = 450
    LIMIT_EXCEEDED = 455  # more than a limit of a pack or of a mandate leaves
    EMERGENCY_BARRED = 457  # earlier emergencies of this agent are to be looked at first
    CAPABILITY_MISSING = 460  # an obligation that the executor cannot carry out
    FACT_MISSING = 470
    FACT_SILENT = 480
    RULE_DEFERRED = 490
    RULE_STEPPED_UP = 500
    APPROVED = 505  # what people were asked for they granted
    EMERGENCY = 507  # people would have been asked; they look at it afterwards
    RULE_CONSTRAINED = 510
    PERMITTED = 520
    # What became of a grant.
    REJECTED = 605  # one of those who were asked said no
    REVIEWED_WRONG = 607  # one of those who looked at an emergency afterwards said that it was none
    CONTEXT_CHANGED = 610
    GRANT_DIFFERS = 620  # decided again at the claim, another digest came out
    CLAIM_UNKNOWN = 630  # no open grant under this id and attempt
    CLAIM_TAKEN = 640  # another nonce or executor
    CLAIM_MISMATCH = 650  # another granted digest or audience
    LEASE_ENDED = 660
    DEFER_ENDED = 670
    APPROVAL_ENDED = 680
    SILENT_AFTER_CLAIM = 690
    OUTCOME_UNKNOWN = 700  # no claimed intent under this id and attempt
    OUTCOME_MISMATCH = 710
    CLAIMED = 720
    REPORTED = 730  # the executor's outcome
    SETTLED = 740  # a person settled what was unknown
    WITHDRAWN_BY_ACTOR = 750
    VOTED = 754  # a vote counts, and more are wanted
    ASKED_ANEW = 757  # other people are asked, or other votes count
    VOTE_UNKNOWN = 760  # nobody asked under this id and attempt
    VOTE_MISMATCH = 762  # on another intent digest
    VOTE_LATE = 764  # nothing waits for people any more
    VOTE_OUTDATED = 766  # the voter has voted later
    VOTE_REFUSED = 770  # arguments that are not narrower, or too many votes
    VOTER_UNKNOWN = 772
    VOTER_INACTIVE = 774
    VOTER_IN_CHAIN = 776  # who asks, or answers for it, does not vote
    VOTER_NOT_ASKED = 778
    VOTER_UNPROVED = 780  # the voter has to authenticate in another way, or again (RFC 9470)


TRANSIENT: frozenset[Reason] = frozenset({Reason.LAGGING, Reason.OVERLOADED, Reason.CONTEXT_SILENT})
"""Refusals after which the same action may be asked again as attempt + 1."""
