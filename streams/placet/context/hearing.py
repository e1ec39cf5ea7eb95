"""What is believed of a signal, or of a feed's watermark among signals, before it is folded."""

from placet.context.feeds import part_of
from placet.errors import PoisonRecord
from placet.model import strict
from placet.model.codec import BY_HEADER, HEADERS, Signed, decode_known
from placet.model.codec.risk_signal import RiskSignal
from placet.model.codec.watermark import Watermark
from placet.model.context_keys import check_key, watermark_key
from placet.model.proof import KeyRing
from placet.model.reasons import Reason

SIGNALS = HEADERS["risk_signal"]
SCORE_MAX = 100
SOURCES_OF_RISK = ("feed", "operator")


def hear_signal(value: bytes | None, at: int, ring: KeyRing, skew_ms_max: int) -> RiskSignal:
    """Return the signal in `value`, appended at `at`.

    Raise `PoisonRecord` when it cannot be read, its writer is not a pinned feed
    or operator, its source is not one that this feed speaks for, a name in it is none, or its score, half-life or time is out of
    bounds: an event from the future would stand above all that truly happens
    until then.
    """
    if value is None or value[:5] not in SIGNALS:
        raise PoisonRecord("no signal has this schema", Reason.SCHEMA_UNKNOWN)
    reader: Signed = BY_HEADER[value[:5]]
    signal: RiskSignal
    signal, end = reader.decode_signed(value)
    proof = signal.proof
    ring.verify("risk_signal", reader.FINGERPRINT, value[5:end], proof, SOURCES_OF_RISK, signal.tenant, at)
    if proof is None or not ring.speaks_as(proof.kid, signal.source, signal.tenant):
        raise PoisonRecord(f"source `{signal.source[:64]}` is not one its key speaks for", Reason.WRITER_UNPROVED)
    strict.tenant(signal.tenant)
    for what, name in (("subject", signal.subject), ("source", signal.source)):
        strict.identifier(name, what)
    if not 0 <= signal.score <= SCORE_MAX:
        raise PoisonRecord(f"score is {signal.score}, not 0 to {SCORE_MAX}", Reason.MALFORMED)
    if signal.half_life_s < 0:
        raise PoisonRecord(f"half-life is {signal.half_life_s} s, less than none", Reason.MALFORMED)
    if signal.event_at > at + skew_ms_max:
        raise PoisonRecord(f"the event is {signal.event_at - at} ms in the future", Reason.MALFORMED)
    return signal


def hear_watermark(key: bytes | None, value: bytes, at: int, skew_ms_max: int) -> Watermark:
    """Return the watermark in `value`, appended at `at`: up to when its feed was alive, never past `at`.

    Raise `PoisonRecord` when it cannot be read, lies under a key that is not
    its own, its source is no name, or its instant is none or from the future.
    """
    said: Watermark = decode_known(value)
    part_of(said.source)
    check_key(key, watermark_key(said))
    if not 0 <= said.at <= at + skew_ms_max:
        raise PoisonRecord(
            f"watermark of {said.at}, appended at {at}: expected 0 to {skew_ms_max} ms past that", Reason.MALFORMED
        )
    return said._replace(at=min(said.at, at))
