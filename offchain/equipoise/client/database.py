"""SQLite files whose commits survive the loss of power: what was signed, what was sent."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from equipoise.errors import OracleError

__all__ = ["open_database"]

_BUSY_SECONDS = 30.0


def open_database(path: str | Path, schema: str, forgets: str = "was signed") -> sqlite3.Connection:
    """Raises OracleError for a file that is none, saying what a new one `forgets`."""
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.executescript(schema)
    except (sqlite3.Error, OSError) as error:
        raise OracleError(
            f"{path} is no usable database ({error}); restore it from a backup: a new one forgets what "
            f"{forgets}"
        ) from error
    return database
