"""For agents and executors: ask, hear, claim, act once, say what was done."""
