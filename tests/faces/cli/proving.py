"""A desk that was asked, its provenance log, and a witness who has cosigned it."""

import contextlib
import io
import json
from pathlib import Path
from typing import NamedTuple

from placet.drivers.clock import SystemClock
from placet.drivers.entropy import SystemEntropy
from placet.drivers.ledger.folder import FolderStore
from placet.drivers.ledger.keys import ensure_ledger_keys
from placet.drivers.metrics import Watch
from placet.drivers.settings import Settings
from placet.drivers.witness.identity import WitnessIdentity
from placet.drivers.witness.witness import Witness
from placet.faces.cli import main
from placet.faces.gateway.server import Server
from placet.faces.witness import WitnessServer
from tests.drivers.kafka.stand import until


class Proved(NamedTuple):
    """What a run left behind: its folder, the intent asked in it, the log's key, and a policy with a witness."""

    data: Path
    intent: str
    vkey: str
    policy: Path


def ran(home: Path) -> Proved:
    """Ask a desk below `home` for something that it refuses, and have its log cosigned by a witness."""
    data, policy = home / "data", home / "policy"
    settings = Settings(data=data, port=0, partitions=1, checkpoint_ms=10, witnesses=policy, witness_ms_max=20_000)
    store = FolderStore(settings.ledger_dir)
    keys = ensure_ledger_keys(settings.secrets_dir, store, settings.origin, SystemEntropy())
    store.close()
    identity = WitnessIdentity.of(home / "witness", "w.example/a")
    seen = FolderStore(home / "witness" / "seen")
    watch = Watch()
    witness = Witness(seen, identity.cosigner, {settings.origin: keys.known}, SystemClock(), watch)
    face = WitnessServer(witness, watch, "127.0.0.1", 0)
    vkey = keys.signers[0].vkey
    policy.write_text(f"log {vkey}\nwitness a {identity.vkey} {face.url}\nquorum a\n")
    server = Server(settings)
    try:
        asked = ["submit", "payments.refund", "order/7", "--actor", "agent:ada", "--data", str(data), "--json"]
        intent = submitted(asked)
        # Its answer is logged by the next cut; what is published then carries the witness's word.
        until(lambda: main(["prove", intent, "--data", str(data), "--out", str(home / "first")]) == 0)
    finally:
        server.stop()
        face.stop()
        seen.close()
    return Proved(data, intent, vkey, policy)


def submitted(arguments: list[str]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        main(arguments)
    return str(json.loads(out.getvalue())["id"])
