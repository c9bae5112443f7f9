"""`provender doctor` with each set-up that is wrong: what it says, and with what status it ends."""

import errno
import re
import runpy
import shutil
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import ConnectionHandler, OperationalError, connection
from django.db.migrations.exceptions import MigrationSchemaMissing
from django.db.migrations.loader import MigrationLoader

import provender.cli
from provender.basics import clock
from provender.basics.errors import ProvenderError
from provender.cli import database
from provender.config import settings as settings_file
from provender.engine import slots
from provender.sync.models import Connection, Consent
from provender.sync.secrets import _box


@pytest.fixture
def complaints(as_json):
    """What needs mending by `provender doctor --json`: {about: sentence}."""

    def look(*, bad=True):
        found = as_json("doctor", status=3 if bad else 0)["checks"]
        return {one["about"]: one["sentence"] for one in found if one["state"] == "bad"}

    return look


def test_all_is_well(connected, as_json, provender):
    found = as_json("doctor")["checks"]
    assert [one["sentence"] for one in found if one["state"] == "bad"] == []
    assert "harbour" in {one["about"] for one in found}
    assert "! Worker: none is running" in provender("doctor")
    slot = slots.HeldSlot(0)
    try:
        assert "✓ Worker: at work: worker-0" in provender("doctor")
    finally:
        slot.release()


def test_addresses_keys_and_accounts(connected, complaints, settings, home, server):
    settings.PUBLIC_URL = "http://orders.xero-wholesale.test"
    (home / "open.key").write_text("secret")
    (home / "open.key").chmod(0o644)
    server.simulator.organisation().archive_account("200")
    told = complaints()
    assert "contains “xero”" in told["Public address"]
    assert "chmod 600" in told["Keys"]
    assert "200 · Sales is archived in Xero" in told["harbour"]


@pytest.mark.parametrize(
    ("address", "why"),
    [("http://orders.example.test", "isn't https"), ("http://127.0.0.1:8000", "Xero takes localhost")],
)
def test_an_address_that_xero_would_not_take(complaints, settings, address, why):
    settings.PUBLIC_URL = address
    assert why in complaints()["Public address"]


def test_a_public_provender_without_a_webhook_key_is_told_what_it_misses(provender, server, settings):
    settings.PUBLIC_URL = "https://orders.example.test"
    assert "! Webhook: XERO_WEBHOOK_KEY isn't set" in provender("doctor")


def test_a_folder_that_others_can_write_to(complaints, home):
    home.chmod(0o777)
    assert "chmod 700" in complaints()["Folder"]


def test_a_disk_that_is_almost_full(complaints, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: shutil._ntuple_diskusage(10**9, 10**9 - 10**6, 10**6))
    assert "has 0 MB left" in complaints()["Folder"]


def test_a_mail_server_that_does_not_answer(complaints, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert complaints()["E-mail"].startswith("127.0.0.1:9 can't be used (Connection refused)")


def test_an_app_that_is_set_by_half(complaints, server, settings):
    settings.XERO_CLIENT_ID = ""
    assert "XERO_CLIENT_SECRET is set without XERO_CLIENT_ID" in complaints()["Xero app"]
    settings.XERO_CLIENT_ID, settings.XERO_LOGIN_URL = "simulator", "https://login.xero.com"
    assert "XERO_IDENTITY_URL, XERO_API_URL are set, but not XERO_LOGIN_URL" in complaints()["Xero app"]


def test_a_wrong_secret(complaints, server, settings):
    settings.XERO_CLIENT_SECRET = "mistyped"
    assert "Xero doesn't accept this Provender's app" in complaints()["Xero app"]


def test_a_wrong_secret_of_a_connection_that_lives(connected, complaints, settings):
    settings.XERO_CLIENT_SECRET = "mistyped"
    with clock.moved(timedelta(minutes=31)):
        assert "Nothing is lost, and what waits goes by itself then." in complaints()["harbour"]
    assert Connection.objects.get().state == Connection.State.CONNECTED


def test_another_app_than_the_one_that_connected(connected, complaints):
    Consent.objects.update(client_id="A1B2")
    assert "was connected by the Xero app A1B2" in complaints()["harbour"]


def test_nobody_there_that_could_be_xero(complaints, settings, server):
    settings.XERO_LOGIN_URL = settings.XERO_IDENTITY_URL = settings.XERO_API_URL = "http://127.0.0.1:9"
    assert complaints()["Xero"].startswith("http://127.0.0.1:9 can't be reached (Connection refused)")


def test_a_clock_that_is_off(complaints, server):
    with clock.moved(timedelta(minutes=5)):
        assert "seconds apart" in complaints()["Clock"]


def test_tokens_whose_key_is_lost_or_unusable(connected, complaints, home):
    (home / "tokens.key").write_text("no key")
    _box.cache_clear()
    assert "holds no usable key" in complaints()["Keys"]
    (home / "tokens.key").unlink()
    _box.cache_clear()
    assert "the key that opens the access kept here is lost" in complaints()["harbour"]


def test_a_consent_that_was_taken_back(connected, complaints, server):
    server.simulator.organisation().disconnect()
    assert "the organisation was disconnected in Xero" in complaints()["harbour"]


# --- the database -------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A database file of its own in place of the test's."""
    path = tmp_path / "provender.sqlite3"
    other = ConnectionHandler({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": path}})["default"]
    monkeypatch.setattr(database, "connection", other)
    yield path
    other.close()


def test_a_database_that_is_none_yet_is_fine(provender, file):
    assert "empty yet: the first start makes what it needs" in provender("doctor")


def test_a_database_that_is_behind(complaints, monkeypatch):
    monkeypatch.setattr(database, "pending", lambda: ["sync.0009_more"])
    assert "1 migration behind. Start Provender again" in complaints()["Database"]


def test_a_database_of_a_newer_version_is_left_alone(complaints, provender, monkeypatch):
    loader = MigrationLoader(None)
    newer = {("sync", "0001_initial"): None, ("sync", "0099_tomorrow"): None, ("gone", "0001_initial"): None}
    loader.migrated_apps, loader.applied_migrations = {"sync"}, newer
    loader.disk_migrations = {("sync", "0001_squashed"): SimpleNamespace(replaces=[("sync", "0001_initial")])}
    monkeypatch.setattr(database, "MigrationExecutor", lambda _connection: SimpleNamespace(loader=loader))
    assert "by a newer Provender than this (sync.0099_tomorrow isn't known" in complaints()["Database"]
    provender("supplier list", status=1)
    assert "Start that version" in provender.said


def test_a_database_that_is_none(complaints, provender, file):
    file.write_text("x" * 5000)
    assert "file is not a database. Stop Provender and put its backup" in complaints()["Database"]
    provender("supplier list", status=1)
    assert str(file) in provender.said


@pytest.fixture
def read_only(transactional_db):
    """A database that takes no changes."""
    statement = "PRAGMA query_only" if connection.vendor == "sqlite" else "SET default_transaction_read_only"
    with connection.cursor() as cursor:
        cursor.execute(f"{statement}=on")
        yield
        cursor.execute(f"{statement}=off")


def test_a_database_that_can_only_be_read(connected, complaints, provender, read_only):
    assert re.search("attempt to write a readonly database|read-only transaction", complaints()["Database"])
    provender("sync --supplier harbour", status=1)
    assert provender.said.count("\n") == 1
    assert provender("status --supplier harbour").startswith("Harbour")


@pytest.mark.sqlite
def test_a_disk_without_room(connected, provender, home):
    lines = [f"{number},2026-11-02,17850,MUG,A mug,1,2.50" for number in range(2000)]
    (home / "many.csv").write_text("\n".join(["number,date,customer,sku,description,quantity,price", *lines]))
    with connection.cursor() as cursor:
        limit = cursor.execute("PRAGMA max_page_count").fetchone()[0]
        cursor.execute("PRAGMA max_page_count=1")  # what is there already, and no page more
        try:
            provender("import invoices --create-missing --supplier harbour", str(home / "many.csv"), status=1)
            assert "is full. Make room on the disk." in provender.said
        finally:
            cursor.execute(f"PRAGMA max_page_count={limit}")


def test_what_doctor_found_is_told_though_the_database_goes_away_meanwhile(connected, complaints, monkeypatch):
    def fail(_session):
        raise OperationalError("database or disk is full")

    monkeypatch.setattr("provender.sync.mirror.read_chart", fail)
    assert "is full" in complaints()["Database"]


def test_a_first_start_without_room(provender, monkeypatch):
    def fail(*_asked, **_how):
        raise MigrationSchemaMissing("Unable to create the django_migrations table (database or disk is full)")

    monkeypatch.setattr(database, "pending", lambda: ["sync.0009_more"])
    monkeypatch.setattr(database, "call_command", fail)
    provender("supplier list", status=1)
    assert "disk is full" in provender.said


def test_a_file_that_can_not_be_written(provender, monkeypatch):
    def fail():
        raise OSError(errno.EACCES, "Permission denied", "/home/of/another")

    monkeypatch.setattr(database, "make_ready", fail)
    provender("supplier list", status=1)
    assert "/home/of/another can't be written: Permission denied." in provender.said


def test_a_simulator_without_room(provender):
    provender("xero-simulator --port 0 --state /dev/full", status=1)
    assert "The simulator's file can't be written: database or disk is full." in provender.said


# --- the environment ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("PROVENDER_PUBLIC_URL", "orders.example.test", "must be an address such as https://orders.example.com"),
        ("PROVENDER_PUBLIC_URL", "https://orders.example.test/shop", "without a path"),
        ("XERO_API_URL", "http://localhost:8765/api.xro/2.0", "without a path"),
        ("PROVENDER_SMTP_PORT", "smtp", "must be a number"),
        ("PROVENDER_SWEEP_SECONDS", "-1", "must be a number"),
        ("PROVENDER_LOG_LEVEL", "LOUD", "DEBUG, INFO, WARNING, ERROR"),
        ("DATABASE_URL", "mysql://provender:hidden@db/provender", "must look like postgresql://"),
        ("DATABASE_URL", "postgresql://provender:hidden@db:port/provender", "must look like postgresql://"),
    ],
)
def test_a_setting_that_can_not_be_used_is_named(monkeypatch, tmp_path, name, value, why):
    monkeypatch.setenv("PROVENDER_HOME", str(tmp_path))
    monkeypatch.setenv(name, value)
    with pytest.raises(ProvenderError, match=name) as said:
        runpy.run_path(settings_file.__file__)
    assert why in said.value.sentence
    assert "hidden" not in said.value.sentence


@pytest.mark.parametrize("what", ["no folder", "an empty key", "an unreadable xero.json"])
def test_a_home_that_can_not_be_used_is_named(monkeypatch, tmp_path, what):
    home = tmp_path / "home"
    for name in ("XERO_LOGIN_URL", "XERO_IDENTITY_URL", "XERO_API_URL", "XERO_CLIENT_ID", "PROVENDER_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PROVENDER_HOME", str(home))
    if what == "no folder":
        home.write_text("a file")
    else:
        home.mkdir()
        (home / ("xero.json" if "xero" in what else "provender_secret_key.key")).touch()
    with pytest.raises(ProvenderError, match=r"can't be used|is empty|can't be read") as said:
        runpy.run_path(settings_file.__file__)
    assert str(home) in said.value.sentence


def test_doctor_tells_of_unusable_settings_too(complaints, monkeypatch):
    def refuse(*, migrate):
        raise ProvenderError("PROVENDER_SMTP_PORT is “smtp”")

    monkeypatch.setattr(provender.cli, "setup", refuse)
    assert complaints() == {"Settings": "PROVENDER_SMTP_PORT is “smtp”"}
