"""All codecs by schema id, and what reads their older versions. Generated from schemas/ids.json by `make codecs`."""
# ruff: noqa

from typing import Any

from placet.model.codec import (
    active_set,
    case,
    case_body,
    claim,
    control,
    desk_change,
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
    case_body,
    desk_change,
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
    verdict,
)
OLDER: dict[str, tuple[Any, ...]] = {"verdict": (verdict_6,)}
