"""Why an answer is what it is, in words: one sentence for each reason, for people and for language models."""

from collections.abc import Mapping

from placet.model.reasons import Reason

OTHERWISE = "The desk gave a reason that this build has no words for."
"""What is said of a reason of a later release."""
SENTENCES: Mapping[Reason, str] = {
    Reason.UNDECODABLE: "The request could not be read as a record.",
    Reason.SCHEMA_UNKNOWN: "The request was written in a schema version that the desk does not know.",
    Reason.TOO_LARGE: "The request is larger than one may be.",
    Reason.WRONG_PARTITION: "The request was written to a partition that is not its authority's.",
    Reason.MALFORMED: "A field of the request lies outside its profile.",
    Reason.ARGUMENTS_MALFORMED: "The arguments are not canonical JSON.",
    Reason.WRITER_UNPROVED: "It was not proved who wrote the request.",
    Reason.TENANT_MISMATCH: "The request names another tenant than its writer's.",
    Reason.INTENT_ID_REUSED: "The id of the request was used before for something else.",
    Reason.ASKED_TOO_LATE: "The request came after its own deadline.",
    Reason.DEADLINE_TOO_FAR: "The deadline of the request lies further ahead than is allowed.",
    Reason.ATTEMPT_NOT_NEXT: "The attempt before this one did not end in a passing refusal, so there is nothing to attempt again.",
    Reason.REPEATED: "The same was asked before, and the first answer stands.",
    Reason.PACK_MISSING: "No policy is active, and without one nothing is allowed.",
    Reason.PRINCIPAL_UNKNOWN: "Somebody the request names is not known.",
    Reason.PRINCIPAL_INACTIVE: "Somebody the request names is suspended or revoked.",
    Reason.CHAIN_BROKEN: "There is no unbroken chain of mandates from the authority to the actor.",
    Reason.OUTSIDE_MANDATE: "The mandate does not cover this action on this resource.",
    Reason.AUDIENCE_UNKNOWN: "The executor the request names is not known.",
    Reason.HALTED: "People have stopped this kind of action, and it stays stopped until they resume it.",
    Reason.LAGGING: "The request was read too late to be decided safely.",
    Reason.OVERLOADED: "Too many requests of this authority are open.",
    Reason.CONTEXT_SILENT: "What has to be known for the decision is not up to date.",
    Reason.ARGUMENTS_UNFIT: "The arguments are not what the action declares.",
    Reason.NO_RULE: "No rule permits this, and what no rule permits is denied.",
    Reason.RULE_ERRED: "A rule could not be evaluated, and that counts as a no.",
    Reason.EVALUATION_DISAGREES: "Two evaluations of the rules disagreed, and that counts as a no.",
    Reason.RULE_DENIED: "A rule forbids this.",
    Reason.CAPABILITY_MISSING: "The executor cannot keep a condition that a grant would carry.",
    Reason.FACT_MISSING: "Something the rules have to know is not known.",
    Reason.FACT_SILENT: "Something the rules have to know has not been confirmed lately.",
    Reason.RULE_DEFERRED: "A rule lets this wait.",
    Reason.RULE_STEPPED_UP: "A rule wants people to agree first.",
    Reason.RULE_CONSTRAINED: "A rule permits this under conditions.",
    Reason.PERMITTED: "The rules permit this.",
    Reason.CONTEXT_CHANGED: "What the grant rested on has changed since.",
    Reason.GRANT_DIFFERS: "Decided again, something else would be granted than before.",
    Reason.CLAIM_UNKNOWN: "There is no open grant to use.",
    Reason.CLAIM_TAKEN: "The grant was already taken.",
    Reason.CLAIM_MISMATCH: "The grant was for somebody or something else.",
    Reason.LEASE_ENDED: "The grant was not used in time.",
    Reason.DEFER_ENDED: "What was waited for did not arrive in time.",
    Reason.APPROVAL_ENDED: "Nobody agreed in time.",
    Reason.SILENT_AFTER_CLAIM: "The action was begun, and nobody said how it ended.",
    Reason.OUTCOME_UNKNOWN: "There is no begun action to report on.",
    Reason.OUTCOME_MISMATCH: "The report does not fit what was granted.",
    Reason.CLAIMED: "The action was begun.",
    Reason.REPORTED: "The executor reported how the action ended.",
    Reason.SETTLED: "A person settled how the action ended.",
    Reason.WITHDRAWN_BY_ACTOR: "The actor took the request back.",
    Reason.VOTE_UNKNOWN: "There is nothing open to vote on.",
    Reason.VOTE_REFUSED: "The vote does not count.",
}


def sentence(reason: Reason) -> str:
    """Return why, in words; a safe sentence where there are none."""
    return SENTENCES.get(reason, OTHERWISE)
