"""A journal that is only read: a folder beside its running owner, a server, or a cluster."""

from collections.abc import Iterator
from contextlib import contextmanager

from placet.drivers.settings import Settings
from placet.faces.cli.configured import settings_with
from placet.faces.cli.place import Place
from placet.ports import Log


def settings_of(place: Place) -> Settings:
    """Return the settings of the environment, at `place`."""
    return settings_with(data=place.data, bootstrap=place.bootstrap)


@contextmanager
def reading(place: Place) -> Iterator[Log]:
    """Open the journal at `place` to read, whoever owns it; a folder is read beside its owner."""
    log = _log(place)
    try:
        yield log
    finally:
        log.close()


def _log(place: Place) -> Log:
    settings = settings_of(place)
    if place.url:
        from placet.faces.sdk.connection import connect

        return connect(url=place.url, settings=settings).log
    if place.bootstrap:
        from placet import wiring

        return wiring.log(settings)
    from placet.drivers.embedded import open_reader

    return open_reader(settings.journal_dir)
