"""Replay: history decided again from its cases, and asked what would have been under other rules.

Nothing here writes to a journal. What decides is the desk's own code; what is
recorded stays closed until an answer of our own is made.
"""
