"""What is allowed: packs of rules as data, their conditions, and the finding about a case."""
