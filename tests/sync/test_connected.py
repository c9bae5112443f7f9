"""Most tests begin with a copied connection: it leaves in the database what connecting leaves there."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.apps import apps
from django.db import transaction

import cast
from provender.basics import clock
from sync import connected

BY_CHANCE = {"state", "tokens", "seconds", "created_at"}  # the last one by the machine's own clock
MINUTE = timedelta(minutes=1)


def all_rows(connection):
    """Every row of every table: ids by whether they are this connection's, times in minutes from now."""
    own = {connection.pk, connection.supplier_id, connection.consent_id}

    def plain(field, value):
        if value is None or field.primary_key or field.name in BY_CHANCE or getattr(field, "auto_now", False):
            return bool(value)
        if field.is_relation or isinstance(value, UUID):
            return value in own
        return round((value - clock.now()) / MINUTE) if isinstance(value, datetime) else value

    return {
        model.__name__: [
            {field.name: plain(field, getattr(row, field.attname)) for field in model._meta.concrete_fields}
            for row in model._default_manager.order_by("pk")
        ]
        for model in apps.get_models()
    }


@pytest.fixture
def connected_with(db, xero, later, monkeypatch):
    """All rows when a wholesaler with such properties has connected; then it is undone, and an hour passes."""
    monkeypatch.setattr(connected, "kept", [])

    def rows(**properties):
        before = transaction.savepoint()
        supplier = cast.supplier()
        for name, options in properties.items():
            cast.property_(supplier, name, options)
        found = all_rows(connected.connect(supplier, xero))
        transaction.savepoint_rollback(before)
        later(hours=1)
        return found

    return rows


def test_a_copied_connection_is_what_connecting_gives(connected_with):
    really, copied, again = (connected_with() for _ in range(3))
    assert len(connected.kept) == 1
    assert copied == again == really


def test_what_was_changed_beforehand_is_not_copied(connected_with, books):
    first = connected_with()
    assert connected_with(Region=["North"])["CategoryBinding"]
    books.add_item("RYE-800", "Dark rye loaf")
    assert len(connected_with()["Item"]) == len(first["Item"]) + 1
