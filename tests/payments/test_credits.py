"""Credit notes that apply themselves, and what is counted after any history of them."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cast
from provender.basics.money import ZERO
from provender.invoicing.credit_notes import CreditNoteDraft, prepare_credit_notes
from provender.invoicing.errors import InvoiceHasMoney
from provender.invoicing.models import CreditNote, Invoice
from provender.ordering.actions import cancel_order, deliver_order, edit_order
from provender.payments.actions import allocate_credit, note_credit_in_xero, refund_credit, undo_allocation
from provender.payments.credits import bill, cancel_invoice, credits_aside, give_credit, let_apply
from provender.payments.models import Allocation
from provender.timeline.queries import story

pytestmark = pytest.mark.django_db
D = Decimal
DAY = date(2026, 11, 10)


def credit(customer, quantity=1, **fields):
    """As many oat milk, 4.95 each with GST."""
    fields = {"lines": [cast.line(quantity=quantity)], "date": date(2026, 11, 3)} | fields
    return give_credit(customer.supplier, customer, **fields)


def billed(customer, quantity=4):
    """4 oat milk, 19.80, as an order's invoice is raised."""
    lines = [cast.line(quantity=quantity)]
    return bill(customer.supplier, customer, lines=lines, date=date(2026, 11, 1), due_date=date(2026, 11, 15))


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def live(invoice):
    rows = Allocation.objects.filter(invoice=invoice, removed_at=None).order_by("made_at", "pk")
    return [(row.credit_note.number, row.amount) for row in rows]


def told(row):
    kind = "invoice" if isinstance(row, Invoice) else "credit_note"
    return [entry.what for entry in story(row.supplier, kind, row.pk)]


def test_a_credit_note_is_set_against_its_invoice_up_to_what_is_due(cafe):
    invoice = billed(cafe)
    cast.payment(invoice, "17.00")
    made = credit(cafe, invoice=invoice)
    assert (made.used, made.remaining, fresh(invoice).due) == (D("2.80"), D("2.15"), ZERO)
    assert told(invoice)[0] == "AUD 2.80 of credit note CN-1 set against it; nothing left to pay"
    assert told(made)[0] == "2.80 set against invoice INV-1; 2.15 left"


def test_what_is_left_goes_to_the_next_invoices_oldest_credit_first(cafe):
    late, early = credit(cafe, 2), credit(cafe, 3, date=date(2026, 11, 2))
    first = billed(cafe)
    assert live(first) == [(early.number, D("14.85")), (late.number, D("4.95"))]
    second = billed(cafe)
    assert live(second) == [(late.number, D("4.95"))]
    assert live(billed(cafe)) == []


@pytest.mark.parametrize("why", ["setting", "direct", "other customer", "other currency", "void"])
def test_a_credit_that_may_not_apply_itself_waits_for_a_person(cafe, why):
    supplier, invoice = cafe.supplier, billed(cafe)
    if why == "setting":
        supplier.credits_apply = False
    if why == "direct":
        cafe.pays = "direct"
    of = cast.venue(supplier, "Other Place") if why == "other customer" else cafe
    made = credit(of)
    changed = {"other currency": {"currency": "NZD"}, "void": {"status": "void"}}
    CreditNote.objects.filter(pk=made.pk).update(**changed.get(why, {"date": made.date}))
    assert live(billed(cafe)) == []
    assert fresh(made).applies_itself == (why != "direct")
    if why in {"setting", "direct"}:
        assert credit(cafe, invoice=invoice).used == 0


def test_an_imported_credit_waits_until_a_person_lets_it_apply_itself(cafe):
    draft = CreditNoteDraft(number="C536379", customer_id=cafe.pk, date=DAY, lines=[cast.line(quantity=1)])
    prepare_credit_notes(cafe.supplier, [draft]).insert()
    assert live(billed(cafe)) == []
    let_apply(CreditNote.objects.get(), itself=True)
    assert live(billed(cafe)) == [("C536379", D("4.95"))]


def test_what_a_person_takes_off_does_not_come_back_by_itself(cafe):
    made = credit(cafe)
    first = billed(cafe)
    undo_allocation(Allocation.objects.get())
    assert (fresh(first).due, live(billed(cafe))) == (D("19.80"), [])
    assert told(made)[0] == "4.95 taken off invoice INV-1; 4.95 left, used by hand only from now on"
    let_apply(made, itself=True)
    assert live(billed(cafe)) == [(made.number, D("4.95"))]
    assert live(first) == []


def test_a_cancelled_invoice_gives_its_credits_back_to_the_next(cafe):
    made = credit(cafe, 6)  # 29.70
    order = cast.placed_order(cafe)
    second = billed(cafe)
    assert (live(order.invoice), live(second)) == ([("CN-1", D("19.80"))], [("CN-1", D("9.90"))])
    cancel_order(order, by=None)
    assert (fresh(order.invoice).status, fresh(made).remaining) == ("void", D("19.80"))
    assert live(billed(cafe, 1)) == [("CN-1", D("4.95"))]


def test_the_credit_note_of_a_cancelled_invoice_is_not_spent_on_another(cafe):
    invoice = billed(cafe)
    made = credit(cafe, invoice=invoice)
    cancel_invoice(invoice)
    assert (fresh(made).remaining, fresh(made).applies_itself) == (D("4.95"), False)
    assert live(billed(cafe)) == []


def test_an_invoice_with_a_payment_or_a_credit_in_xero_is_not_cancelled(cafe):
    paid, credited = billed(cafe), billed(cafe)
    credit(cafe, invoice=paid)
    cast.payment(paid, "1.00")
    note_credit_in_xero(credited, credit="there", name="Overpayment", amount=D("1.00"), date=DAY)
    for invoice in (paid, credited):
        with pytest.raises(InvoiceHasMoney):
            cancel_invoice(invoice)
    assert live(paid) == [("CN-1", D("4.95"))]


def test_an_order_with_a_credit_on_its_invoice_can_still_be_edited(cafe):
    credit(cafe, 3)  # 14.85
    order = cast.placed_order(cafe)
    edit_order(order, lines=cast.goods(cafe.supplier, {"OAT-1L": 2}), by=None)
    invoice = fresh(order.invoice)
    assert (invoice.version, invoice.total, invoice.due, live(invoice)) == (2, D("9.90"), ZERO, [("CN-1", D("9.90"))])
    edit_order(order, lines=cast.goods(cafe.supplier, {"OAT-1L": 9}), by=None)
    assert (fresh(order.invoice).due, live(order.invoice)) == (D("34.65"), [("CN-1", D("9.90"))])


def test_an_edit_that_changes_nothing_leaves_the_credits_alone(cafe):
    credit(cafe)
    invoice = billed(cafe)
    before = list(Allocation.objects.values()), told(invoice)
    with credits_aside(invoice):
        pass
    assert (list(Allocation.objects.values()), told(invoice)) == before
    assert invoice.credited == D("4.95")


def test_the_due_date_still_follows_the_delivery(cafe):
    cafe.terms_from = "delivery"
    cafe.save()
    credit(cafe)
    order = cast.placed_order(cafe, order_date=date(2026, 11, 1))
    deliver_order(order, delivered_on=date(2026, 11, 5), by=None)
    invoice = fresh(order.invoice)
    assert (invoice.due_date, live(invoice)) == (date(2026, 11, 19), [("CN-1", D("4.95"))])


STEPS = ("bill", "credit", "credit one", "pay", "set", "undo", "refund", "edit", "cancel", "void")


@settings(max_examples=25)
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 5), st.integers(1, 9)), max_size=14))
def test_after_any_history_no_credit_is_spent_twice(supplier, steps):
    from provender.basics.errors import ProvenderError

    cafe = cast.venue(supplier, f"Cafe {Invoice.objects.count()}-{CreditNote.objects.count()}")
    for step, which, many in steps:
        try:
            _take(cafe, step, which, many)
        except ProvenderError:
            continue
    for invoice in Invoice.objects.filter(customer=cafe):
        rows = Allocation.objects.filter(invoice=invoice, removed_at=None)
        credited = sum(rows.values_list("amount", flat=True), ZERO)
        paid = sum(invoice.payments.filter(removed_at=None).values_list("amount", flat=True), ZERO)
        assert (invoice.credited, invoice.paid) == (credited, paid)
        assert credited + paid <= invoice.total
        assert not (invoice.status == "void" and credited + paid)
        assert bool(invoice.settled_on) == (credited + paid == invoice.total and credited + paid > 0)
    for note in CreditNote.objects.filter(customer=cafe):
        rows = [*note.allocations.filter(removed_at=None), *note.refunds.filter(removed_at=None)]
        assert note.used == sum((row.amount for row in rows), ZERO) <= note.total


def _take(cafe, step, which, many):
    """One step of a history, on one of what there is."""

    def pick(rows):
        found = list(rows)
        return found[which % len(found)] if found else None

    invoice = pick(Invoice.objects.filter(customer=cafe).order_by("number"))
    note = pick(CreditNote.objects.filter(customer=cafe).order_by("number"))
    if step == "bill":
        billed(cafe, many)
    elif step == "credit":
        credit(cafe, many)
    elif step == "undo":
        row = pick(Allocation.objects.filter(invoice__customer=cafe, removed_at=None).order_by("made_at", "pk"))
        if row:
            undo_allocation(row)
    elif step == "credit one" and invoice:
        credit(cafe, many, invoice=invoice)
    elif step == "pay" and invoice:
        cast.payment(invoice, f"{many}.00")
    elif step == "edit" and invoice:
        _edit(invoice, many)
    elif step == "cancel" and invoice:
        cancel_invoice(invoice)
    elif step == "void" and note:
        let_apply(note, itself=bool(many % 2))
    elif step == "refund" and note:
        refund_credit(note, amount=D(many) / 4, date=DAY)
    elif step == "set" and note and invoice:
        allocate_credit(note, invoice, amount=D(many) / 2, date=DAY)


def _edit(invoice, many):
    from provender.invoicing.actions import revise_invoice

    with credits_aside(invoice):
        revise_invoice(invoice, lines=[cast.line(quantity=many)])
