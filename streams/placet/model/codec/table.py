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
    key,
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
    verdict,
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
    key,
)
OLDER: dict[str, tuple[Any, ...]] = {}
