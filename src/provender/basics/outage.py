"""Outages: a database or a disk that can't be used now, by no mistake of ours. They end, and then work goes on."""

import errno
import logging
import sqlite3

from django.db import InterfaceError, OperationalError

DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM}
SQLITE = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}  # fmt: skip
# PostgreSQL's codes, beside all that it calls operational: a table and a column that aren't there, which is an update
# under way, and a database that may only be read.
POSTGRES = {"42P01", "42703", "25006"}


def is_outage(error: BaseException | None) -> bool:
    """Whether the database is away, locked, full, read-only or being updated, or the disk can't be written to."""
    if isinstance(error, OSError):
        return error.errno in DISK
    cause = error if error is None or isinstance(error, sqlite3.Error) else error.__cause__
    if isinstance(cause, sqlite3.Error):
        # The low byte is the kind; a statement that is wrong is none of them, unless its table isn't made yet.
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in SQLITE or str(cause).startswith("no such")
    return isinstance(error, OperationalError | InterfaceError) or getattr(cause, "sqlstate", "") in POSTGRES


class InOneLine(logging.Filter):
    """Leaves the traceback of an outage out of the log: it is nobody's mistake, and comes again every few seconds.

    Who waits for whose lock may be a mistake, and keeps it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if is_outage(error) and "lock" not in str(error):
            said = " ".join(str(error).split())
            record.msg, record.args, record.exc_info = f"{record.getMessage()} ({said})", (), None
        return True
