"""What many tests share: a journal in memory, and a small world of keys, principals and packs."""
