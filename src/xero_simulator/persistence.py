"""The state file: SQLite, written inside each commit, so that a killed simulator finds everything again."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from xero_simulator.books import Change
from xero_simulator.records import Record

SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    organisation TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, place INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (organisation, kind, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blobs (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept (
    app TEXT NOT NULL, key TEXT NOT NULL, since INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (app, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
"""


class StoredRecord(NamedTuple):
    organisation: str
    kind: str
    id: str
    body: bytes


class Store:
    """Callers hold the simulator's lock, so one connection serves all threads."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)
        self._place = self._db.execute("SELECT coalesce(max(place), 0) FROM records").fetchone()[0]

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written inside is in the file as a whole, or not at all."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield

    def write_changes(self, organisation: str, changes: list[Change]) -> None:
        """The newest state of every record that changed, or its absence."""
        present: list[tuple[str, str, str, int, bytes]] = []
        gone: list[tuple[str, str, str]] = []
        for table, record_id in dict.fromkeys((change.table, change.record_id) for change in changes):
            record = table.get(record_id)
            if record is None:
                gone.append((organisation, table.name, record_id))
            else:
                self._place += 1
                present.append((organisation, table.name, record_id, self._place, msgspec.msgpack.encode(record)))
        self._db.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?)", present)
        self._db.executemany("DELETE FROM records WHERE organisation = ? AND kind = ? AND id = ?", gone)

    def write_records(self, organisation: str, records: list[Record]) -> None:
        """A new organisation's first records."""
        for record in records:
            self._place += 1
            self._db.execute(
                "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?)",
                (organisation, type(record).__name__, record.id, self._place, msgspec.msgpack.encode(record)),
            )

    def read_records(self) -> Iterator[StoredRecord]:
        """Everything, in the order in which it last changed."""
        rows = self._db.execute("SELECT organisation, kind, id, body FROM records ORDER BY place")
        return (StoredRecord(*row) for row in rows)

    def write_blob(self, name: str, value: object) -> None:
        self._db.execute("INSERT OR REPLACE INTO blobs VALUES (?, ?)", (name, msgspec.msgpack.encode(value)))

    def read_blob(self, name: str, kind: Any) -> Any:
        """A value by name, or None."""
        row = self._db.execute("SELECT body FROM blobs WHERE name = ?", (name,)).fetchone()
        return msgspec.msgpack.decode(row[0], type=kind) if row else None

    def write_kept(self, app: str, key: str, since: int, value: object, forget_before: int) -> None:
        """An answer by its idempotency key; those first used before a time are forgotten."""
        body = msgspec.msgpack.encode(value)
        self._db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", (app, key, since, body))
        self._db.execute("DELETE FROM kept WHERE since < ?", (forget_before,))

    def read_kept(self, kind: Any) -> Iterator[tuple[str, str, Any]]:
        rows = self._db.execute("SELECT app, key, body FROM kept ORDER BY since")
        return ((app, key, msgspec.msgpack.decode(body, type=kind)) for app, key, body in rows)

    def write_events(self, events: list[tuple[int, object]], oldest: int) -> None:
        """New webhook events by number; those before the oldest that still waits are forgotten."""
        rows = [(number, msgspec.msgpack.encode(event)) for number, event in events]
        self._db.executemany("INSERT OR REPLACE INTO events VALUES (?, ?)", rows)
        self._db.execute("DELETE FROM events WHERE number < ?", (oldest,))

    def read_events(self, kind: Any) -> Iterator[Any]:
        rows = self._db.execute("SELECT body FROM events ORDER BY number")
        return (msgspec.msgpack.decode(body, type=kind) for (body,) in rows)

    def clear(self) -> None:
        self._db.executescript("DELETE FROM records; DELETE FROM blobs; DELETE FROM kept; DELETE FROM events;")
