"""What the executors of the demo do their work on: money, tables and services in one SQLite file."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

_SCHEMA = """
create table if not exists refunds (intent text primary key, order_id text, amount integer, note text);
create table if not exists transfers (intent text primary key, account text, amount integer, dry_run integer);
create table if not exists queries (intent text primary key, source text, rows integer, mode text);
create table if not exists exports (intent text primary key, source text, destination text, rows integer);
create table if not exists releases (intent text primary key, service text, version text, share integer);
create table if not exists changes (intent text primary key, service text, what text);
"""


class Company:
    """One SQLite file. The intent is the key of every row: work that was done is not done again."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._rows = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._rows.executescript(_SCHEMA)

    def refund(self, intent: str, order: str, amount: int, note: str) -> None:
        """Give back `amount` minor units for an order."""
        self._add("refunds", intent, order, amount, note)

    def transfer(self, intent: str, account: str, amount: int, *, dry_run: bool) -> None:
        """Move `amount` minor units to an account, or rehearse it."""
        self._add("transfers", intent, account, amount, int(dry_run))

    def query(self, intent: str, source: str, rows: int, mode: str) -> int:
        """Read rows of a table; return how many."""
        self._add("queries", intent, source, rows, mode)
        return rows

    def export(self, intent: str, source: str, destination: str, rows: int) -> None:
        """Write a copy of a data set."""
        self._add("exports", intent, source, destination, rows)

    def release(self, intent: str, service: str, version: str, share: int) -> None:
        """Put a version of a service before `share` percent of its users."""
        self._add("releases", intent, service, version, share)

    def change(self, intent: str, service: str, what: str) -> None:
        """Restart, scale or look at a service."""
        self._add("changes", intent, service, what)

    def books(self) -> dict[str, Any]:
        """Return what was done in all: counts, and money in minor units."""
        counted = {}
        for table in ("refunds", "transfers", "queries", "exports", "releases", "changes"):
            counted[table] = self._one(f"select count(*) from {table}")  # noqa: S608  names of our own
        return {**counted, "refunded": self._one("select coalesce(sum(amount), 0) from refunds")}

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._rows.close()

    def _add(self, table: str, *values: object) -> None:
        marks = ", ".join("?" for _ in values)
        with self._lock:
            self._rows.execute(f"insert into {table} values ({marks})", values)  # noqa: S608  names of our own

    def _one(self, statement: str) -> int:
        with self._lock:
            return int(self._rows.execute(statement).fetchone()[0])
