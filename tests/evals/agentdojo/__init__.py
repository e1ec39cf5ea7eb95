"""Recorded tool calls of real agents, some hijacked by text they read, put before placet."""
