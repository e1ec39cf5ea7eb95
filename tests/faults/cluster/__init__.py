"""Faults on three real brokers, behind a proxy that knows which request of whom it carries."""
