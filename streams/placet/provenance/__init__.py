"""What is proved: Seals over batches of decisions. Pure."""
