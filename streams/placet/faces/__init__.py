"""Whom it serves: agents, executors, auditors, the gateway and the command line."""
