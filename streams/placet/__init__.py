"""Decide, at the moment of each action, whether this agent may do it for this person now."""

__version__ = "0.1.0"
