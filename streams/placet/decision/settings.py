"""What a desk may be told, with units and defaults. Durations are ms unless named otherwise."""

from dataclasses import dataclass

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """Bounds of one desk.

    `deadline_ms_max`: how far ahead a deadline may lie where no pack says more; it bounds what is remembered.
    `lag_ms_max`: an intent read later than this after it was appended is refused as transient.
    `retry_ms`: when a transient refusal says to try again.
    `defer_ms_max`: how long an intent waits for the context to be read as far as it asks, where no pack says.
    `approval_ms`: how long a step-up waits where its rule does not say.
    `sweep_most`: leases decided again in one batch because their context changed.
    `parked_most`, `pending_most`, `held_most`: open intents of one key that are deferred, wait for people, or are granted
    or begun; past any of them the next intent of that key is refused as transient. As many as `parked_most` of one actor
    may wait for the context, whomever they name as authority: they take no place of that key.
    `record_bytes_max`: a longer record is refused unread.
    `scopes_most`: scopes of limits that are counted under one key; an intent that needs one more is refused as transient.
    Of each are remembered at most 4 windows, where packs changed it, in at most 65 parts of some 20 bytes.
    `session_ms_max`: how long what came back to a session is remembered after it was last heard of.
    """

    deadline_ms_max: int = 15 * MINUTE_MS
    lag_ms_max: int = 30_000
    retry_ms: int = 1_000
    defer_ms_max: int = MINUTE_MS
    approval_ms: int = 15 * MINUTE_MS
    sweep_most: int = 2_000
    parked_most: int = 1_000
    pending_most: int = 10_000
    held_most: int = 10_000
    record_bytes_max: int = 65_536
    scopes_most: int = 10_000
    session_ms_max: int = 24 * 60 * MINUTE_MS
