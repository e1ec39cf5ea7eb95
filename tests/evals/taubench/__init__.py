"""Recorded calls of agents in a shop that nobody attacks, put before placet."""
