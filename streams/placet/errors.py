"""The four ways to fail, each named by what its catcher does next."""


class PlacetError(Exception):
    """The root of everything placet raises on purpose."""


class PoisonRecord(PlacetError):
    """This record can never be decided. Quarantine it with one recorded refusal and go on.

    `reason` is a `placet.model.reasons.Reason` as an integer, so that the
    refusal can be recorded without reading the text.
    """

    def __init__(self, message: str, reason: int) -> None:
        super().__init__(message)
        self.reason = reason


class Unavailable(PlacetError):
    """Nothing was committed. Abort, drop the overlay, and bring the same batch again."""


class Unsure(PlacetError):
    """A commit may or may not have happened. Restart, and read the answer from the journal."""


class Corrupted(PlacetError):
    """Two things that must agree do not. Stop until a person has looked."""


class Behind(Corrupted):
    """Less can be seen than is known to be committed: a broker that has just begun to lead tells its end late.

    Who can, looks again for a while; who cannot, or when it stays so, stops: then it is lost.
    """
