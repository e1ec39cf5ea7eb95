"""The command line: one verb, one file; exit 0 fine, 1 could not run, 2 wrong usage, 3 faulty, 4 a test failed, 5 refused."""

from placet.faces.cli.app import app, main

__all__ = ["app", "main"]
