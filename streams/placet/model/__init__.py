"""What travels: records and their bytes, reasons, topics, keys, digests and proofs. Pure."""
