"""A witness over HTTP (C2SP tlog-witness)."""

from placet.faces.witness.server import WitnessServer

__all__ = ["WitnessServer"]
