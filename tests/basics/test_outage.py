"""What is an outage and what is a mistake of ours, told apart by what the databases and the disk themselves say."""

import errno
import logging
import os

import pytest
from django.db import ConnectionHandler, DatabaseError, OperationalError, connection

from provender.basics.outage import InOneLine, is_outage

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def file(tmp_path, db):
    """Opens a SQLite file of its own with these options, and asks it something."""

    def ask(statement, name=str(tmp_path / "small.sqlite3"), **options):
        database = ConnectionHandler({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": name} | options})
        try:
            with database["default"].cursor() as cursor:
                cursor.execute(statement)
        finally:
            database["default"].close()

    return ask


def fault_of(do, *arguments, **named):
    with pytest.raises(DatabaseError) as fault:
        do(*arguments, **named)
    return fault.value


@pytest.mark.parametrize(
    ("statement", "options"),
    [
        ("CREATE TABLE t (a)", {"OPTIONS": {"init_command": "PRAGMA max_page_count=1"}}),
        ("CREATE TABLE t (a)", {"OPTIONS": {"init_command": "PRAGMA query_only=1"}}),
        ("SELECT 1", {"name": "/nowhere/small.sqlite3"}),
        ("SELECT 1 FROM not_made_yet", {}),
    ],
)
def test_sqlite_that_is_full_read_only_gone_or_not_made_yet(file, statement, options):
    assert is_outage(fault_of(file, statement, **options))


@pytest.mark.django_db
def test_a_table_that_is_not_made_yet():
    assert is_outage(fault_of(connection.cursor().execute, "SELECT 1 FROM not_made_yet"))


def test_a_statement_that_is_wrong_is_none(file):
    assert not is_outage(fault_of(file, "SELEKT 1"))


@pytest.mark.django_db
def test_nor_is_one_of_either_database():
    assert not is_outage(fault_of(connection.cursor().execute, "SELEKT 1"))


def test_a_disk_that_is_full_is_one_and_a_missing_file_is_none():
    assert is_outage(FULL)
    assert not is_outage(FileNotFoundError(errno.ENOENT, "no such file"))
    assert not is_outage(None)


@pytest.mark.parametrize(
    ("error", "said", "traced"),
    [
        (FULL, "job drain failed ([Errno 28] No space left on device)", False),
        (OperationalError("connection refused\n\tIs it running?"), "job drain failed (connection refused Is it", False),
        (OperationalError("database is locked"), "job drain failed", True),
        (ValueError("a mistake of ours"), "job drain failed", True),
    ],
)
def test_an_outage_is_logged_in_one_line(error, said, traced):
    trace = (type(error), error, None)
    record = logging.LogRecord("provender", logging.ERROR, __file__, 1, "job %s failed", ("drain",), trace)
    assert InOneLine().filter(record)
    assert record.getMessage().startswith(said)
    assert bool(record.exc_info) == traced
