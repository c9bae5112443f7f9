"""While one types, htmx sends the form to learn its sums, and along with it the button that was pressed last."""

import pytest

import cast
from provender.basics import clock
from provender.ordering.models import Order

NEW = "/w/harbour/orders/new"
TYPED = {"customer": "Corner Cafe", "key": "", "item": "OAT-1L", "quantity": "6", "price": "", "do": "place"}


@pytest.fixture
def order_form(cafe, supplier):
    cast.product(supplier, "OAT-1L")
    today = clock.today(supplier.time_zone)
    return TYPED | {"order_date": today, "delivery_date": "", "purchase_order": "", "comment": ""}


def test_what_is_asked_while_typing_places_no_order(desk, order_form):
    answer = desk("mai").post(NEW, order_form, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert not Order.objects.exists()


def test_the_button_itself_places_one(desk, order_form):
    desk("mai").post(NEW, order_form)
    assert [order.status for order in Order.objects.all()] == ["placed"]


def test_what_is_asked_while_typing_makes_no_version_of_an_invoice(desk, supplier, cafe):
    order = cast.placed_order(cafe)
    invoice = order.invoice
    Order.objects.update(invoice=None)
    line = invoice.lines.get()
    typed = {"do": "save", "date": invoice.date, "due_date": invoice.due_date, "purchase_order": "", "comment": ""}
    typed |= {"charge_key": line.key, "charge_item": line.description, "charge_kind": line.kind}
    typed |= {"charge_quantity": "99", "charge_price": line.unit_price, "charge_tax": line.tax_kind}
    mai, page = desk("mai"), f"/w/harbour/invoices/{invoice.pk}/edit"
    mai.post(page, typed, headers={"HX-Request": "true"})
    invoice.refresh_from_db()
    assert invoice.version == 1
    mai.post(page, typed)
    invoice.refresh_from_db()
    assert invoice.version == 2
