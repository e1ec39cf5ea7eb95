"""The context app in a process of its own: `context_child.py BOOTSTRAP PREFIX DATA KID ISSUER PUBLIC`."""

import sys
from pathlib import Path

from placet.drivers.context_app import run_context
from placet.drivers.kafka import Connection
from placet.model.proof import KeyRing, PinnedKey


def main(bootstrap: str, prefix: str, data: str, kid: str, issuer: str, public: str) -> None:
    ring = KeyRing([PinnedKey(kid, issuer, "feed", bytes.fromhex(public), sources=("*",))])
    run_context(Connection(bootstrap, prefix=prefix), "context-0", Path(data), ring, watermark_ms=200)


if __name__ == "__main__":
    main(*sys.argv[1:])
