"""All codecs by schema id, and what reads their older versions. Generated from schemas/ids.json by `make codecs`."""
# ruff: noqa

from typing import Any

from placet.model.codec import (
    active_set,
    case,
    case_body,
    case_body_11,
    claim,
    control,
    desk_change,
    desk_change_12,
    halted,
    intent,
    mandate,
    outcome,
    pack,
    principal,
    quarantined,
    refusal,
    repeat,
    risk,
    risk_signal,
    seal,
    sensitivity,
    verdict,
    verdict_6,
    vote,
    watermark,
    withdraw,
)

CODECS = (
    intent,
    withdraw,
    vote,
    claim,
    outcome,
    repeat,
    refusal,
    seal,
    case,
    quarantined,
    principal,
    mandate,
    risk_signal,
    risk,
    sensitivity,
    control,
    pack,
    active_set,
    watermark,
    halted,
    case_body,
    desk_change,
    verdict,
)
OLDER: dict[str, tuple[Any, ...]] = {
    "case_body": (case_body_11,),
    "desk_change": (desk_change_12,),
    "verdict": (verdict_6,),
}
