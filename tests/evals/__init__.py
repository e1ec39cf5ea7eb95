"""Recorded work of real agents, put before placet: what is let through, what waits, what is stopped."""
