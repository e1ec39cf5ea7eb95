"""The demo: a small company of agents, executors and feeds on one embedded journal, live in the terminal."""

from placet.faces.demo.stage import Summary, perform

__all__ = ["Summary", "perform"]
