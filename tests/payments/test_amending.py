"""A paid invoice that should have been another: what is credited, what is billed further, to the cent."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cast
from provender.basics.money import ZERO, line_amount, line_tax
from provender.invoicing.actions import void_invoice
from provender.invoicing.credit_notes import void_credit_note
from provender.invoicing.errors import CreditBeyondInvoice, InvoiceHasMoney, InvoiceIsVoid
from provender.invoicing.models import CreditNote, Invoice
from provender.invoicing.totals import LineDraft, draft_of
from provender.ordering.actions import amend_order, cancel_order, edit_order
from provender.ordering.lines import draft_of as order_draft
from provender.ordering.models import Order
from provender.ordering.queries import difference_of, order_totals
from provender.payments.actions import remove_payment
from provender.payments.amending import (
    Way,
    Whole,
    amend_invoice,
    amendments_of,
    billed_lines,
    credit_whole,
    further_of,
    weigh_difference,
)
from provender.payments.errors import DifferenceMoved
from provender.payments.models import Payment
from provender.timeline.queries import story

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(cafe):
    """A paid order of 10 oat milk at 4.50, 2 coffee beans at 27.125 without tax: 49.50 + 54.25 = 103.75."""
    order = cast.placed_order(cafe, {"OAT-1L": 10, "BEANS-1KG": 2})
    cast.payment(order.invoice, str(order.invoice.total))
    return fresh(order)


def fresh(order):
    return Order.objects.select_related("invoice", "customer", "supplier").get(pk=order.pk)


def quantities(order, **wanted):
    """The order's lines with other quantities: `OAT=8`; 0 takes a line off."""
    drafts = [order_draft(line) for line in order.lines.select_related("product")]
    lines = [replace(each, quantity=Decimal(wanted.get(each.product.sku[:3], each.quantity))) for each in drafts]
    return [each for each in lines if each.quantity]


def edit(order, lines, way=None, **more):
    return edit_order(fresh(order), lines=lines, way=way, by=None, **more)


def spelled(lines):
    return [(line.description, line.quantity, line.unit_price, line.amount, line.tax) for line in lines]


def told(kind, document):
    return [entry.what for entry in story(document.supplier, kind, document.pk)]


# --- what makes up for it -----------------------------------------------------------------------------------------


def test_less_is_a_credit_note_over_the_lines_that_got_less(paid):
    edit(paid, quantities(paid, OAT=8), Way.CREDIT)
    note = CreditNote.objects.get()
    assert spelled(note.lines.all()) == [("Oat milk 1L", 2, Decimal("4.50"), Decimal("9.00"), Decimal("0.90"))]
    assert (note.total, note.invoice, note.remaining) == (Decimal("9.90"), paid.invoice, Decimal("9.90"))
    order = fresh(paid)
    assert (order.own_total, order.invoice.total, order.invoice.version) == (Decimal("93.85"), Decimal("103.75"), 1)
    assert difference_of(order).amount == 0
    assert order_totals(order).total == Decimal("93.85")


def test_more_is_a_further_invoice_at_the_terms_of_today(paid, cafe):
    edit(paid, quantities(paid, BEA=3), Way.FURTHER)
    further = further_of(paid.invoice).get()
    assert spelled(further.lines.all()) == [("Coffee beans 1kg", 1, Decimal("27.125"), Decimal("27.13"), ZERO)]
    assert (further.further_to, further.order_numbers) == (paid.invoice, paid.number)
    # 3 × 27.125 = 81.38, and 2 were 54.25: 27.13 more, as it says.
    assert fresh(paid).own_total == Decimal("130.88") == paid.invoice.total + further.total


def test_both_at_once_and_each_is_told_everywhere(paid):
    edit(paid, quantities(paid, OAT=8, BEA=3), Way.BOTH)
    note, further = CreditNote.objects.get(), further_of(paid.invoice).get()
    both = f"credit note {note.number} over 9.90 and further invoice {further.number} over 27.13"
    assert f"For the difference to invoice {paid.invoice.number}: {both}" in told("order", paid)
    assert f"Further invoice {further.number} over 27.13" in told("invoice", paid.invoice)
    assert f"Credit note {note.number} over 9.90" in told("invoice", paid.invoice)
    assert story(paid.supplier, "credit_note", note.pk).last().why == f"Order {paid.number} was edited"


def test_another_price_says_from_what_to_what(paid):
    lines = [replace(each, unit_price=Decimal("4.20")) if each.product.sku == "OAT-1L" else each
             for each in quantities(paid)]  # fmt: skip
    edit(paid, lines, Way.CREDIT)
    (line,) = CreditNote.objects.get().lines.all()
    assert (line.description, line.quantity, line.unit_price) == ("Oat milk 1L: 4.50 → 4.20 each", 10, Decimal("0.30"))


def test_quantity_and_price_at_once_are_one_amount(paid):
    lines = [replace(each, quantity=Decimal(8), unit_price=Decimal("4.20")) if each.product.sku == "OAT-1L" else each
             for each in quantities(paid)]  # fmt: skip
    edit(paid, lines, Way.CREDIT)
    (line,) = CreditNote.objects.get().lines.all()
    assert (line.description, line.amount) == ("Oat milk 1L: 10 × 4.50 → 8 × 4.20", Decimal("11.40"))


def test_goods_swapped_are_credited_and_billed(paid, supplier):
    oat, beans = quantities(paid)
    edit(paid, [replace(oat, product=cast.product(supplier, "SYRUP-VAN")), beans], Way.BOTH)
    assert [line.sku for line in CreditNote.objects.get().lines.all()] == ["OAT-1L"]
    assert [line.sku for line in further_of(paid.invoice).get().lines.all()] == ["SYRUP-VAN"]
    assert difference_of(fresh(paid)).amount == 0
    edit(paid, [replace(oat, product=cast.product(supplier, "SYRUP-VAN")), beans], Way.BOTH)  # the button pressed twice
    assert (CreditNote.objects.count(), Invoice.objects.count()) == (1, 2)


def test_tax_rates_are_those_of_the_invoice(paid, supplier):
    supplier.tax_rate = Decimal(15)
    supplier.save()
    edit(paid, [*quantities(paid, OAT=8), *cast.goods(supplier, {"SYRUP-VAN": 1})], Way.BOTH)
    assert CreditNote.objects.get().tax == Decimal("0.90")
    assert further_of(paid.invoice).get().tax == Decimal("1.20")
    assert difference_of(fresh(paid)).amount == 0


# --- leaving it, and going on -------------------------------------------------------------------------------------


def test_without_a_word_nothing_is_saved(paid):
    with pytest.raises(InvoiceHasMoney):
        edit(paid, quantities(paid, OAT=8))
    assert fresh(paid).lines.first().quantity == 10
    assert fresh(paid).own_total is None


def test_left_it_says_by_how_much_and_the_way_stays_open(paid):
    edit(paid, quantities(paid, OAT=8, BEA=3), Way.LEAVE)
    assert not CreditNote.objects.exists()
    found = difference_of(fresh(paid))
    assert (found.amount, found.ways) == (Decimal("17.23"), [Way.BOTH, Way.CREDIT, Way.FURTHER, Way.LEAVE])
    amend_order(fresh(paid), way=Way.CREDIT, by=None)
    assert difference_of(fresh(paid)).ways == [Way.FURTHER, Way.LEAVE]
    amend_order(fresh(paid), way=Way.FURTHER, by=None)
    assert not difference_of(fresh(paid))


def test_what_moves_no_money_needs_no_way(paid):
    edit(paid, quantities(paid), purchase_order="PO-9")
    assert (fresh(paid).purchase_order, fresh(paid).invoice.version) == ("PO-9", 1)


def test_a_second_edit_changes_the_credit_note_of_which_nothing_is_used(paid):
    edit(paid, quantities(paid, OAT=8), Way.CREDIT)
    note = CreditNote.objects.get()
    edit(paid, quantities(paid, OAT=9), Way.CREDIT, shown=f"{note.number} 4.95/0.00")
    edit(paid, quantities(paid, OAT=5), Way.CREDIT)
    note.refresh_from_db()
    assert (CreditNote.objects.count(), note.total, note.version) == (1, Decimal("24.75"), 3)
    assert spelled(note.lines.all()) == [("Oat milk 1L", 5, Decimal("4.50"), Decimal("22.50"), Decimal("2.25"))]
    assert not difference_of(fresh(paid))
    edit(paid, quantities(paid, OAT=10), Way.CREDIT)
    note.refresh_from_db()
    assert note.status == "void"
    assert f"For the difference to invoice {paid.invoice.number}: credit note {note.number} cancelled" in told(
        "order", paid
    )
    assert not difference_of(fresh(paid))


def test_a_credit_note_that_is_used_stays_and_another_follows(paid, cafe):
    edit(paid, quantities(paid, OAT=8), Way.CREDIT)
    cast.placed_order(cafe, {"OAT-1L": 2})  # its invoice takes the credit
    edit(paid, quantities(paid, OAT=5), Way.CREDIT)
    assert [note.total for note in CreditNote.objects.order_by("created_at")] == [Decimal("9.90"), Decimal("14.85")]
    assert difference_of(fresh(paid)).amount == 0


def test_a_second_edit_changes_the_further_invoice_on_which_nothing_is_paid(paid):
    edit(paid, quantities(paid, BEA=3), Way.FURTHER)
    further = further_of(paid.invoice).get()
    edit(paid, quantities(paid, BEA=3, OAT=12), Way.FURTHER, shown=f"0.00/{further.number} 37.03")
    further.refresh_from_db()
    assert (further.total, further.version, further_of(paid.invoice).count()) == (Decimal("37.03"), 2, 1)
    assert [line.sku for line in further.lines.all()] == ["OAT-1L", "BEANS-1KG"]
    assert f"Further invoice {further.number} changed to 37.03" in told("invoice", paid.invoice)
    assert not difference_of(fresh(paid))
    edit(paid, quantities(paid, OAT=10, BEA=2), Way.FURTHER)
    further.refresh_from_db()
    assert (further.status, fresh(paid).own_total) == ("void", Decimal("103.75"))
    assert not difference_of(fresh(paid))


def test_a_further_invoice_that_is_paid_stays_and_another_follows(paid):
    edit(paid, quantities(paid, BEA=3), Way.FURTHER)
    cast.payment(further_of(paid.invoice).get(), "27.13")
    edit(paid, quantities(paid, BEA=4), Way.FURTHER)
    assert [each.total for each in further_of(paid.invoice)] == [Decimal("27.13"), Decimal("27.12")]
    assert not difference_of(fresh(paid))
    edit(paid, quantities(paid, BEA=2), Way.BOTH)  # the second goes, the first is credited
    assert [each.total for each in further_of(paid.invoice)] == [Decimal("27.13")]
    assert CreditNote.objects.get().total == Decimal("27.13")
    assert not difference_of(fresh(paid))


def test_credit_steps_aside_while_a_further_invoice_changes(paid):
    edit(paid, quantities(paid, OAT=8, BEA=3), Way.BOTH)
    further, note = further_of(paid.invoice).get(), CreditNote.objects.get()
    assert further.due == Decimal("17.23")  # the credit note is set against it
    edit(paid, quantities(paid, OAT=8, BEA=4), Way.FURTHER)
    further.refresh_from_db()
    note.refresh_from_db()
    assert (further.total, further.due, note.remaining) == (Decimal("54.25"), Decimal("44.35"), ZERO)
    edit(paid, quantities(paid, OAT=8, BEA=2), Way.FURTHER)
    note.refresh_from_db()
    assert (further_of(paid.invoice).count(), note.remaining) == (0, Decimal("9.90"))


def test_what_xero_alone_has_money_on_is_not_changed(paid):
    edit(paid, quantities(paid, BEA=3), Way.FURTHER)
    closed = {further_of(paid.invoice).get().pk}
    found = weigh_difference(paid.invoice, [], closed=closed)
    assert (found.further, found.credit.totals.total) == (None, Decimal("130.88"))
    edit(paid, quantities(paid, BEA=4), Way.FURTHER, closed=closed)
    assert [each.total for each in further_of(paid.invoice)] == [Decimal("27.13"), Decimal("27.12")]


def test_a_changed_further_invoice_keeps_the_tax_of_the_first(paid, supplier):
    edit(paid, quantities(paid, BEA=3), Way.FURTHER)
    supplier.tax_rate = Decimal(15)
    supplier.save()
    edit(paid, quantities(paid, BEA=3, OAT=12), Way.FURTHER)
    assert further_of(paid.invoice).get().tax == Decimal("0.90")
    assert not difference_of(fresh(paid))


def test_a_cancelled_credit_note_opens_the_difference_again(paid):
    edit(paid, quantities(paid, OAT=8), Way.CREDIT)
    void_credit_note(CreditNote.objects.get())
    assert difference_of(fresh(paid)).amount == Decimal("-9.90")
    edit(paid, quantities(paid, OAT=12), Way.FURTHER)
    void_invoice(further_of(paid.invoice).get())
    assert difference_of(fresh(paid)).amount == Decimal("9.90")


def test_goods_that_came_back_are_another_matter(paid):
    cast.credit_note(paid.customer, cast.line(quantity=3), invoice=paid.invoice)
    edit(paid, quantities(paid, OAT=8), Way.CREDIT)
    assert difference_of(fresh(paid)).amount == 0


def test_together_no_more_is_credited_than_was_billed(paid):
    cast.credit_note(paid.customer, cast.line(quantity=1, price="100.00", tax_kind="free"), invoice=paid.invoice)
    with pytest.raises(CreditBeyondInvoice):
        edit(paid, quantities(paid, OAT=8), Way.CREDIT)
    assert fresh(paid).lines.first().quantity == 10


def test_what_was_billed_further_can_be_credited_again(paid):
    edit(paid, quantities(paid, BEA=20), Way.FURTHER)
    cast.payment(further_of(paid.invoice).get(), "1.00")
    edit(paid, quantities(paid, BEA=0, OAT=1), Way.CREDIT)
    assert CreditNote.objects.get().total > paid.invoice.total
    assert difference_of(fresh(paid)).amount == 0


def test_a_credit_note_is_set_against_what_is_left_to_pay(cafe):
    order = cast.placed_order(cafe, {"OAT-1L": 10})
    cast.payment(order.invoice, "45.00")
    edit(order, quantities(order, OAT=8), Way.CREDIT)
    note = CreditNote.objects.get()
    assert (fresh(order).invoice.due, note.used, note.remaining) == (ZERO, Decimal("4.50"), Decimal("5.40"))


def test_an_invoice_whose_money_was_taken_back_follows_again(paid):
    edit(paid, quantities(paid, OAT=8), Way.LEAVE)
    remove_payment(Payment.objects.get())
    amend_order(fresh(paid), way=Way.LEAVE, by=None)
    assert (fresh(paid).own_total, fresh(paid).invoice.total) == (None, Decimal("93.85"))


def test_once_amended_it_stays_even_without_money(paid):
    edit(paid, quantities(paid, OAT=8), Way.CREDIT)
    remove_payment(Payment.objects.get())
    edit(paid, quantities(paid, OAT=7), Way.CREDIT)
    assert (fresh(paid).invoice.total, CreditNote.objects.get().total) == (Decimal("103.75"), Decimal("14.85"))


def test_other_amounts_than_were_shown_are_shown_first(paid):
    lines = quantities(paid, OAT=8)
    with pytest.raises(DifferenceMoved):
        edit(paid, lines, Way.CREDIT, shown="4.95/0.00")
    edit(paid, lines, Way.CREDIT, shown="9.90/0.00")
    edit(paid, lines, Way.CREDIT, shown="9.90/0.00")  # pressed twice: there is nothing left to make up for
    assert CreditNote.objects.count() == 1


# --- an invoice without an order ----------------------------------------------------------------------------------


def test_an_invoice_itself_is_amended_from_its_net_lines(cafe):
    invoice = cast.invoice(cafe, cast.line(quantity=10), cast.line("Rye", 1, "6.00"))
    cast.payment(invoice, str(invoice.total))
    oat, rye = [draft_of(line) for line in invoice.lines.all()]
    amend_invoice(invoice, [replace(oat, quantity=Decimal(8)), rye], way=Way.BOTH)
    assert [(line.description, line.quantity) for line in billed_lines(invoice)] == [("Oat milk 1L", 8), ("Rye", 1)]
    amend_invoice(invoice, [replace(oat, quantity=Decimal(8), unit_price=Decimal("4.40")), rye], way=Way.BOTH)
    assert not weigh_difference(invoice, billed_lines(invoice))
    amend_invoice(invoice, [rye], way=Way.BOTH)
    assert CreditNote.objects.get().total == Decimal("49.50")


def test_a_void_invoice_is_not_amended(cafe):
    invoice = cast.invoice(cafe)
    void_invoice(invoice)
    with pytest.raises(InvoiceIsVoid):
        amend_invoice(invoice, [], way=Way.BOTH)
    with pytest.raises(InvoiceIsVoid):
        credit_whole(invoice, then=Whole.KEEP)


# --- cancelling ---------------------------------------------------------------------------------------------------


def test_a_paid_order_is_cancelled_with_a_credit_for_the_whole(paid):
    cancel_order(paid, then=Whole.KEEP, by=None)
    note = CreditNote.objects.get()
    assert (note.total, note.remaining, note.applies_itself) == (Decimal("103.75"), Decimal("103.75"), True)
    assert [line.quantity for line in note.lines.all()] == [10, 2]
    assert (fresh(paid).status, fresh(paid).invoice.status) == ("cancelled", "open")
    assert f"Cancelled; credit note {note.number} over 103.75" in told("order", paid)


def test_or_the_money_is_paid_back(paid):
    edit(paid, quantities(paid, OAT=8), Way.CREDIT)
    cancel_order(fresh(paid), then=Whole.PAY_BACK, by=None)
    last = CreditNote.objects.order_by("created_at").last()
    refund = Payment.objects.get(credit_note=last)
    assert (last.total, last.remaining, refund.amount, refund.refund_of.amount) == (
        Decimal("93.85"), ZERO, Decimal("93.85"), Decimal("103.75"),
    )  # fmt: skip


def test_only_what_was_paid_is_paid_back(cafe):
    order = cast.placed_order(cafe, {"OAT-1L": 10})
    cast.payment(order.invoice, "20.00")
    cast.payment(order.invoice, "10.00")
    cancel_order(fresh(order), then=Whole.PAY_BACK, by=None)
    note = CreditNote.objects.get()
    assert (note.used, fresh(order).invoice.due) == (Decimal("49.50"), ZERO)
    assert sorted(refund.amount for refund in note.refunds.all()) == [Decimal("10.00"), Decimal("20.00")]


def test_cancelling_voids_further_invoices_on_which_nothing_was_paid(paid):
    edit(paid, quantities(paid, BEA=3), Way.FURTHER)
    cancel_order(fresh(paid), then=Whole.KEEP, by=None)
    assert CreditNote.objects.get().total == Decimal("103.75")
    assert Invoice.objects.get(further_to=paid.invoice).status == "void"


def test_cancelling_credits_only_what_is_not_credited_yet(paid):
    cast.credit_note(paid.customer, cast.line(quantity=3), invoice=paid.invoice)
    cancel_order(paid, then=Whole.KEEP, by=None)
    assert sum(note.total for note in CreditNote.objects.all()) == Decimal("103.75")


def test_cancelling_a_paid_order_without_a_word_is_refused(paid):
    with pytest.raises(InvoiceHasMoney):
        cancel_order(paid, by=None)
    assert fresh(paid).status == "placed"


# --- always to the cent -------------------------------------------------------------------------------------------

PRICES = st.decimals("-3", "40", places=4)
QUANTITIES = st.decimals("0.0001", "60", places=4) | st.integers(1, 60).map(Decimal)
LINES = st.lists(st.tuples(st.integers(0, 5), QUANTITIES, PRICES, st.sampled_from(["gst", "free"])), max_size=6,
                 unique_by=lambda line: line[0])  # fmt: skip
EDITS = st.lists(st.tuples(LINES, st.sampled_from([Way.BOTH, Way.BOTH, Way.CREDIT, Way.FURTHER, Way.LEAVE])),
                 min_size=1, max_size=4)  # fmt: skip
KEYS = [cast.line().key for _ in range(6)]


def drafts(lines):
    return [
        LineDraft("product", f"Goods {place}", quantity, price, tax, key=KEYS[place])
        for place, quantity, price, tax in lines
    ]


def total_of(lines):
    amounts = [(line_amount(line.quantity, line.unit_price), 10 * (line.tax_kind == "gst")) for line in lines]
    return sum((amount + line_tax(amount, Decimal(rate)) for amount, rate in amounts), ZERO)


@settings(max_examples=25)
@given(first=LINES, edits=EDITS)
def test_invoice_and_what_amends_it_come_to_what_is_wanted(cafe, first, edits):
    invoice = cast.invoice(cafe, cast.line("Base", 20, "100.00"), *drafts(first))
    base = draft_of(invoice.lines.first())
    for lines, way in edits:
        wanted = [base, *drafts(lines)]
        found = amend_invoice(invoice, wanted, way=way)
        assert found.difference.wanted == total_of(wanted)
    amend_invoice(invoice, wanted, way=Way.BOTH)
    further = sum((each.total for each in further_of(invoice)), ZERO)
    credited = sum((note.total for note in amendments_of(invoice)), ZERO)
    assert invoice.total + further - credited == total_of(wanted)
    assert not weigh_difference(invoice, wanted)
    assert not weigh_difference(invoice, billed_lines(invoice))
