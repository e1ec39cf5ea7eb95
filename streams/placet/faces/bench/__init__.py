"""Measurements of placet, each beside its target: the desk alone, a folder, a cluster, and a restore."""

from placet.faces.bench.run import NAMES, run

__all__ = ["NAMES", "run"]
