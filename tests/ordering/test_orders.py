"""An order's life, and its invoice's."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from django.core.exceptions import ValidationError

import cast
from provender.changes.models import Change
from provender.customers.actions import save_customer
from provender.invoicing.actions import void_invoice
from provender.invoicing.errors import InvoiceIsVoid
from provender.invoicing.models import Invoice
from provender.invoicing.versions import freeze
from provender.ordering.actions import (
    cancel_order,
    create_order,
    delete_draft,
    deliver_order,
    duplicate_order,
    edit_order,
    place_order,
)
from provender.ordering.errors import (
    AnotherWholesalersGoods,
    CustomerSwitchedOff,
    EmptyOrder,
    NegativeOrder,
    WrongStatus,
)
from provender.ordering.lines import OrderLineDraft, draft_of
from provender.ordering.models import Order
from provender.timeline.queries import story

pytestmark = pytest.mark.django_db

TUESDAY = date(2026, 11, 24)


@pytest.fixture(autouse=True)
def _tuesday_in_sydney():
    with time_machine.travel(datetime(2026, 11, 23, 14, 0, tzinfo=UTC)):  # 1 a.m. on the 24th
        yield


def same_lines(order, **changed):
    return [replace(draft_of(line), **changed) for line in order.lines.select_related("product")]


def told(order):
    return [entry.what for entry in story(order.supplier, "order", order.pk)]


def test_an_order_from_draft_to_delivered(supplier, cafe):
    mai = cast.person("mai", supplier)
    order = create_order(supplier, cafe, lines=cast.goods(supplier, {"OAT-1L": 4}), by=mai)
    assert (order.number, order.status, order.order_date, order.invoice) == ("SO-1", "draft", TUESDAY, None)
    place_order(order, by=mai)
    assert (order.status, order.invoice.number, order.invoice.total) == ("placed", "INV-1", Decimal("19.80"))
    deliver_order(order, by=mai)
    order.refresh_from_db()
    assert (order.status, order.delivery_date, Invoice.objects.count()) == ("delivered", TUESDAY, 1)
    assert told(order) == ["Delivered; invoice INV-1", "Placed; invoice INV-1", "Created"]


def test_the_invoice_carries_what_the_order_says(cafe):
    order = cast.placed_order(cafe, purchase_order="PO 7", comment="Back door", order_date=date(2026, 11, 20))
    invoice = order.invoice
    assert (invoice.order_numbers, invoice.purchase_order, invoice.comment) == ("SO-1", "PO 7", "Back door")
    assert (invoice.date, invoice.due_date) == (date(2026, 11, 20), date(2026, 12, 4))
    assert [line.key for line in invoice.lines.all()] == [line.key for line in order.lines.all()]


def test_a_customer_invoiced_at_delivery_has_no_invoice_before(supplier):
    hotel = cast.venue(supplier, "Harbour Hotel", invoice_at="delivery", terms_from="delivery", terms_days=7)
    order = cast.placed_order(hotel, delivery_date=date(2026, 11, 26))
    assert order.invoice is None
    deliver_order(order, delivered_on=date(2026, 11, 27), by=None)
    assert (order.invoice.date, order.invoice.due_date) == (date(2026, 11, 27), date(2026, 12, 4))


def test_terms_that_follow_the_books_count_from_the_invoice(supplier):
    hotel = cast.venue(
        supplier, "Hotel", invoice_at="delivery", terms_from="delivery", followed_terms="next-month", followed_day=20
    )
    order = cast.placed_order(hotel, order_date=date(2026, 10, 30), delivery_date=date(2026, 10, 31))
    deliver_order(order, delivered_on=date(2026, 11, 2), by=None)
    assert (order.invoice.date, order.invoice.due_date) == (date(2026, 11, 2), date(2026, 12, 20))


def test_a_delivery_moves_no_due_date_that_follows_the_books(supplier):
    deli = cast.venue(supplier, "Deli", terms_from="delivery", followed_terms="after-month", followed_day=0)
    order = cast.placed_order(deli, order_date=date(2026, 11, 1))
    deliver_order(order, delivered_on=date(2026, 12, 2), by=None)
    order.invoice.refresh_from_db()
    assert (order.invoice.due_date, order.invoice.version) == (date(2026, 11, 30), 1)


def test_the_due_date_follows_the_delivery_when_the_terms_do(supplier):
    deli = cast.venue(supplier, "Deli", terms_from="delivery", terms_days=7)
    order = cast.placed_order(deli, delivery_date=date(2026, 11, 25))
    assert order.invoice.due_date == date(2026, 12, 2)
    deliver_order(order, delivered_on=date(2026, 11, 27), by=None)
    assert (order.invoice.date, order.invoice.due_date, order.invoice.version) == (TUESDAY, date(2026, 12, 4), 2)


def test_terms_from_the_order_leave_the_invoice_alone_at_delivery(cafe):
    order = cast.placed_order(cafe)
    cafe.terms_days = 30
    save_customer(cafe, by=None)
    deliver_order(order, by=None)
    assert (order.invoice.version, order.invoice.due_date) == (1, date(2026, 12, 8))


def test_an_invoice_never_falls_due_before_its_own_date(supplier):
    bar = cast.venue(supplier, "Bar", invoice_at="delivery", terms_days=0)
    order = cast.placed_order(bar)
    deliver_order(order, delivered_on=date(2026, 11, 30), by=None)
    assert order.invoice.due_date == order.invoice.date == date(2026, 11, 30)


def test_editing_a_placed_order_revises_its_invoice(supplier, cafe):
    order = cast.placed_order(cafe)
    [key] = order.invoice.lines.values_list("key", flat=True)
    edit_order(
        order, lines=same_lines(order, quantity=Decimal(6)), purchase_order="PO 8", by=cast.person("mai", supplier)
    )
    invoice = Invoice.objects.get()
    assert (invoice.number, invoice.version, invoice.total) == ("INV-1", 2, Decimal("29.70"))
    assert (invoice.purchase_order, invoice.lines.get().key) == ("PO 8", key)
    assert told(order)[0] == "Changed purchase order number nothing → “PO 8”, lines"
    newest = story(supplier, "invoice", invoice.pk)[0]
    assert (newest.why, str(newest.who)) == ("Order SO-1 was edited", "Mai")


def test_editing_nothing_writes_nothing(cafe):
    order = cast.placed_order(cafe)
    edit_order(order, lines=same_lines(order), purchase_order="", comment="", by=None)
    assert (order.invoice.version, told(order)) == (1, ["Placed; invoice INV-1", "Created"])
    assert Change.objects.get(kind="invoice").revision == 1


def test_the_same_words_typed_with_other_line_ends_are_no_edit(cafe):
    order = cast.placed_order(cafe, purchase_order="PO 8", comment="Ring twice.\nSide door.")
    edit_order(
        order, lines=same_lines(order), purchase_order="PO\t8\r", comment=" Ring twice.\r\nSide door.\0", by=None
    )
    assert (order.invoice.version, len(told(order))) == (1, 2)


def test_an_invoice_is_kept_as_it_was_issued_whatever_was_typed(supplier):
    bar = cast.venue(supplier, "Bar\x0bUno\r", street="1 Quay\u2028Road", note="\ufeffa\r\nb\x01")
    typed = OrderLineDraft(
        description=" Corkage\r\nand\x07 ice", unit_price=Decimal(5), quantity=Decimal(1), kind="other"
    )
    order = cast.placed_order(bar, lines=[typed], comment="\uffffHello\x85there")
    there = Invoice.objects.get()
    assert (bar.trading_name, bar.note, order.comment) == ("Bar Uno", "a\nb", "Hello\nthere")
    assert there.lines.get().description == "Corkage\nand ice"
    assert there.versions.get().document == freeze(there, list(there.lines.all()))


def test_an_edit_can_clear_the_delivery_date_or_leave_it(cafe):
    order = cast.draft_order(cafe, delivery_date=TUESDAY)
    edit_order(order, lines=same_lines(order), comment="Ring twice", by=None)
    assert order.delivery_date == TUESDAY
    edit_order(order, lines=same_lines(order), delivery_date=None, by=None)
    assert order.delivery_date is None


def test_dating_an_order_anew_dates_its_invoice_anew(cafe):
    order = cast.placed_order(cafe, order_date=date(2026, 10, 30))
    edit_order(order, lines=same_lines(order), order_date=date(2026, 11, 2), by=None)
    assert (order.invoice.date, order.invoice.due_date) == (date(2026, 11, 2), date(2026, 11, 16))


def test_dating_a_delivery_anew_dates_its_invoice_anew(supplier):
    hotel = cast.venue(supplier, "Harbour Hotel", invoice_at="delivery", terms_from="delivery", terms_days=7)
    order = deliver_order(cast.placed_order(hotel), by=None)
    edit_order(order, lines=same_lines(order), delivery_date=date(2026, 11, 30), by=None)
    assert (order.invoice.date, order.invoice.due_date) == (date(2026, 11, 30), date(2026, 12, 7))


def test_new_terms_do_not_move_an_old_invoice(cafe):
    order = cast.placed_order(cafe)
    cafe.terms_days = 30
    save_customer(cafe, by=None)
    edit_order(order, lines=same_lines(order, quantity=Decimal(5)), by=None)
    assert order.invoice.due_date == date(2026, 12, 8)


def test_a_draft_is_edited_without_an_invoice(cafe):
    order = cast.draft_order(cafe)
    edit_order(order, lines=cast.goods(cafe.supplier, {"SYRUP-VAN": 2}), by=None)
    assert [line.sku for line in order.lines.all()] == ["SYRUP-VAN"]
    assert not Invoice.objects.exists()


def test_cancelling_voids_the_invoice(cafe):
    order = deliver_order(cast.placed_order(cafe), by=None)
    cancel_order(order, by=None, why="Fridge broke")
    order.refresh_from_db()
    assert (order.status, order.invoice.status, order.invoice.number) == ("cancelled", "void", "INV-1")
    assert Change.objects.get(kind="invoice").why == "Fridge broke"
    assert cast.placed_order(cafe).invoice.number == "INV-2"


def test_an_order_whose_invoice_was_voided_is_delivered_and_cancelled_but_not_edited(cafe):
    order = cast.placed_order(cafe)
    void_invoice(order.invoice)
    with pytest.raises(InvoiceIsVoid):
        edit_order(order, lines=same_lines(order, quantity=Decimal(9)), by=None)
    deliver_order(order, by=None)
    assert cancel_order(order, by=None).status == "cancelled"
    assert order.lines.get().quantity == 4


def test_an_empty_or_negative_order_is_not_placed(cafe):
    empty = create_order(cafe.supplier, cafe, lines=[], by=None)
    with pytest.raises(EmptyOrder):
        place_order(empty, by=None)
    deduction = OrderLineDraft(kind="other", description="Damaged goods", unit_price=Decimal(-5))
    negative = cast.draft_order(cafe, lines=[deduction])
    with pytest.raises(NegativeOrder, match="come to -5"):
        place_order(negative, by=None)
    assert set(Order.objects.values_list("status", flat=True)) == {"draft"}


def test_an_edit_may_not_empty_a_placed_order(cafe):
    order = cast.placed_order(cafe)
    with pytest.raises(EmptyOrder):
        edit_order(order, lines=[], by=None)
    assert order.lines.count() == 1


@pytest.mark.parametrize(
    ("status", "doing"),
    [("draft", deliver_order), ("draft", cancel_order), ("placed", place_order), ("placed", delete_draft),
     ("delivered", place_order), ("delivered", deliver_order), ("delivered", delete_draft), ("cancelled", place_order),
     ("cancelled", deliver_order), ("cancelled", cancel_order), ("cancelled", delete_draft)],
)  # fmt: skip
def test_each_thing_has_its_time(cafe, status, doing):
    order = cast.draft_order(cafe)
    for step, reached in ((place_order, "placed"), (deliver_order, "delivered"), (cancel_order, "cancelled")):
        if order.status != status:
            step(order, by=None)
            assert order.status == reached
    with pytest.raises(WrongStatus, match=f"SO-1 is {status}"):
        doing(order, by=None)


def test_a_cancelled_order_is_not_edited(cafe):
    order = cancel_order(cast.placed_order(cafe), by=None)
    with pytest.raises(WrongStatus, match="can't be changed"):
        edit_order(order, lines=same_lines(order), by=None)


def test_placing_twice_from_two_screens_raises_one_invoice(cafe):
    order = cast.draft_order(cafe)
    stale = Order.objects.get(pk=order.pk)
    place_order(order, by=None)
    with pytest.raises(WrongStatus):
        place_order(stale, by=None)
    assert Invoice.objects.count() == 1


def test_a_copy_is_a_draft_of_today(cafe):
    order = cast.placed_order(cafe, {"OAT-1L": 4, "CUP-8OZ": 100}, purchase_order="PO 7", order_date=date(2026, 11, 2))
    copy = duplicate_order(order, by=None)
    assert (copy.number, copy.status, copy.order_date, copy.purchase_order) == ("SO-2", "draft", TUESDAY, "")
    assert [(line.sku, line.quantity) for line in copy.lines.all()] == [("OAT-1L", 4), ("CUP-8OZ", 100)]
    assert not set(copy.lines.values_list("key", flat=True)) & set(order.lines.values_list("key", flat=True))
    assert told(copy) == ["Created as a copy of SO-1"]


def test_a_deleted_draft_does_not_give_its_number_back(cafe):
    delete_draft(cast.draft_order(cafe), by=None)
    assert not Order.objects.exists()
    assert cast.draft_order(cafe).number == "SO-2"


def test_a_new_prefix_never_makes_an_old_number_again(supplier, cafe):
    supplier.order_prefix = "SO-1"
    supplier.save()
    assert cast.draft_order(cafe).number == "SO-11"
    supplier.order_prefix = "SO-"
    supplier.save()
    numbers = [create_order(supplier, cafe, lines=[], by=None).number for _ in range(10)]
    assert numbers[-2:] == ["SO-10", "SO-12"]


def test_a_customer_that_is_switched_off_orders_nothing(cafe):
    order = cast.draft_order(cafe)
    cafe.active = False
    save_customer(cafe, by=None)
    with pytest.raises(CustomerSwitchedOff, match="Corner Cafe"):
        cast.draft_order(cafe)
    with pytest.raises(CustomerSwitchedOff):
        place_order(order, by=None)


def test_orders_stay_with_their_wholesaler(cafe):
    southern = cast.supplier("southern")
    with pytest.raises(AnotherWholesalersGoods, match="Corner Cafe"):
        create_order(southern, cafe, lines=[], by=None)


def test_what_a_column_cannot_hold_is_refused(cafe):
    with pytest.raises(ValidationError, match="purchase_order"):
        cast.draft_order(cafe, purchase_order="x" * 101)
    with pytest.raises(ValidationError, match="comment"):
        edit_order(cast.draft_order(cafe), lines=[], comment="x" * 2001, by=None)


def test_placing_takes_the_same_statements_for_any_length(cafe, django_assert_num_queries):
    goods = cast.goods(cafe.supplier, {f"SKU-{number}": 1 for number in range(40)})
    order = Order.objects.get(pk=cast.draft_order(cafe, lines=goods).pk)
    with django_assert_num_queries(23):  # of which six are savepoints
        place_order(order, by=None)
