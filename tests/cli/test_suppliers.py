"""A wholesaler that closes, opens again, or goes for good."""

from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.test import Client

import cast
from desk.examples import Things
from provender.people.actions import invite
from provender.people.models import User
from provender.people.roles import Role
from provender.suppliers import leaving
from provender.suppliers.models import Supplier
from provender.sync.due import connections_with_work
from provender.sync.models import Connection, Link
from provender.timeline.actions import tell

NAME = "Harbour Fine Foods"


def all_things(supplier):
    """One of each thing that the desk shows."""
    things = Things(supplier)
    for name, kind in vars(Things).items():
        if hasattr(kind, "func"):
            getattr(things, name)


def rows():
    """How many rows there are in each table of ours."""
    ours = [model for model in apps.get_models() if model.__module__.startswith("provender.")]
    return {model.__name__: model.objects.count() for model in ours}


def sit_down(user):
    client = Client()
    client.force_login(user)
    return client


def test_a_closed_wholesaler_is_hidden_and_opens_again_with_its_books(provender, connected):
    order = cast.placed_order(cast.venue(connected))
    provender("sync --supplier harbour --wait")
    links = Link.objects.count()
    mai = sit_down(cast.person("mai", connected))
    secret = invite(connected, "new@example.com", Role.STAFF, None)
    provender("supplier close harbour --name", NAME)
    assert mai.get("/w/harbour/orders").status_code == 404
    assert mai.get(f"/w/harbour/orders/{order.pk}").status_code == 404
    assert f"{NAME} is closed" in mai.get("/").text
    assert "is closed" in Client().get(f"/join/{secret}").text
    assert Connection.objects.get().state == "disconnected"
    assert not connections_with_work(connected.created_at)
    provender("sync --supplier harbour", status=1)
    assert "provender supplier reopen" in provender.said
    Supplier.objects.update(closed_at=datetime(2026, 11, 27, 20, 0, tzinfo=UTC))
    assert "closed since 2026-11-28" in provender("supplier list")  # by the clock of Sydney
    provender("supplier reopen harbour")
    assert mai.get(f"/w/harbour/orders/{order.pk}").status_code == 200
    assert Link.objects.count() == links


def test_another_wholesalers_people_notice_nothing(provender, supplier):
    southern = cast.supplier("southern")
    mai = cast.person("mai", southern)
    cast.person("mai", supplier)
    provender("supplier close harbour --name", NAME)
    page = sit_down(mai).get("/")
    assert page.headers["location"] == "/w/southern/"


@pytest.mark.parametrize("what", ["close", "delete"])
def test_a_name_typed_wrong_does_nothing(provender, supplier, what):
    if what == "delete":
        provender("supplier close harbour --name", NAME)
    provender(f"supplier {what} harbour --name Harbour", status=2)
    assert "isn't its name" in provender.said
    supplier.refresh_from_db()
    assert (supplier.closed_at is None) == (what == "close")
    assert supplier.deletion_began_at is None


def test_an_open_wholesaler_is_not_deleted(provender, supplier):
    provender("supplier delete harbour --name", NAME, status=1)
    assert "Close it first" in provender.said
    assert Supplier.objects.exists()


def test_a_deletion_leaves_nothing_and_touches_nobody_else(provender, home, settings):
    settings.MEDIA_ROOT = home / "files"
    southern = cast.supplier("southern")
    cast.placed_order(cast.venue(southern))
    theo, rex = cast.person("theo", southern), cast.person("rex", southern)
    before = rows()
    files = set(home.rglob("files/**/*.*"))
    harbour = cast.supplier()
    cast.person("theo", harbour)
    cast.person("mai", harbour)
    all_things(harbour)
    rex.memberships.all().delete()
    tell(southern, "supplier", southern.pk, "Renamed", who=rex)
    cast.person("rex", harbour)
    assert set(home.rglob("files/**/*.*")) > files
    provender("supplier close harbour --name", NAME)
    said = provender("supplier delete harbour --name", NAME)
    assert "is deleted" in said
    assert "Xero keeps what it has" in said
    rex.refresh_from_db()
    theo.refresh_from_db()
    assert not User.objects.filter(email__startswith="mai").exists()
    after = rows()
    assert after == before | {"Membership": before["Membership"] - 1, "Entry": before["Entry"] + 1}
    assert set(home.rglob("files/**/*.*")) == files


def test_a_deletion_that_was_killed_goes_on_and_has_no_way_back(provender, supplier, monkeypatch):
    all_things(supplier)
    provender("supplier close harbour --name", NAME)
    went = iter(range(8))
    delete_some = leaving._delete_some

    def killed(rows):
        next(went)
        return delete_some(rows)

    monkeypatch.setattr(leaving, "_delete_some", killed)
    with pytest.raises(StopIteration):
        provender("supplier delete harbour --name", NAME)
    monkeypatch.undo()
    provender("supplier reopen harbour", status=1)
    assert "has begun" in provender.said
    provender("supplier delete harbour --name", NAME)
    assert not Supplier.objects.exists()


def test_every_table_knows_its_wholesaler_or_belongs_to_none():
    ours = {model.__name__ for model in apps.get_models() if model.__module__.startswith("provender.")}
    mapped = {model.__name__ for model, _ in leaving.tables()}
    assert ours - mapped == {"Supplier", "Slot", "User", "Consent", "Event"}


def test_who_names_a_row_goes_before_it():
    order = [model for model, _ in leaving.tables()]
    for place, model in enumerate(order):
        assert not {other for other in leaving._named_by(model) if other in order[:place]}
