from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cast
from provender.catalogue.actions import save_product
from provender.changes.models import Change
from provender.customers.actions import save_customer
from provender.invoicing.actions import recode_invoice, renumber_invoice, revise_invoice, void_invoice
from provender.invoicing.errors import InvoiceIsVoid, InvoiceNumberTaken, InvoiceWithoutLines, NegativeInvoice
from provender.invoicing.models import Invoice
from provender.invoicing.totals import draft_of
from provender.invoicing.versions import compare_versions
from provender.timeline.queries import story

pytestmark = pytest.mark.django_db

OAT, CUPS = cast.line(), cast.line("Paper cup 8oz", 1000, "0.0375")


@pytest.fixture
def invoice(cafe):
    return cast.invoice(cafe, OAT, CUPS)


def revision(invoice):
    return Change.objects.get(kind="invoice", document=invoice.pk).revision


def test_an_edit_is_the_next_version_under_the_same_number(supplier, invoice):
    revise_invoice(
        invoice, lines=[replace(OAT, quantity=Decimal(6)), CUPS], by=cast.person("mai", supplier), why="Rang"
    )
    assert (invoice.number, invoice.version, invoice.total) == ("INV-1", 2, Decimal("70.95"))
    assert revision(invoice) == 2
    newest = story(supplier, "invoice", invoice.pk)[0]
    assert newest.what == "Version 2. Line 1 Oat milk 1L: quantity 4 → 6; Total: 61.05 → 70.95"
    assert (str(newest.who), newest.why) == ("Mai", "Rang")


def test_earlier_versions_stay_as_they_were_issued(invoice):
    first = invoice.versions.get().document
    invoice.customer.trading_name = "Corner Kitchen"
    save_customer(invoice.customer, by=None)
    revise_invoice(invoice, lines=[OAT])
    second, kept = invoice.versions.all()
    assert kept.document == first
    assert second.document["customer"]["trading_name"] == "Corner Kitchen"


def test_what_differs_between_versions_is_told(invoice):
    milk = replace(OAT, quantity=Decimal(6), unit_price=Decimal("4.80"))
    syrup = cast.line("Vanilla syrup", 1, "11.95")
    revise_invoice(invoice, lines=[syrup, milk], due_date=date(2026, 11, 30), purchase_order="PO 9")
    newer, older = invoice.versions.all()
    assert compare_versions(older, newer) == [
        "Due date: 2026-11-15 → 2026-11-30",
        "Purchase order number: nothing → PO 9",
        "Line 2 Paper cup 8oz: removed",
        "Line 1 Vanilla syrup: added, 1 × 11.95",
        "Line 2 Oat milk 1L: quantity 4 → 6, unit price 4.50 → 4.80",
        "Total: 61.05 → 44.83",
    ]


def test_another_order_of_lines_is_told(invoice):
    revise_invoice(invoice, lines=[CUPS, OAT])
    newer, older = invoice.versions.all()
    assert compare_versions(older, newer) == ["Lines are in another order"]


@pytest.mark.parametrize("same", [{}, {"lines": [OAT, CUPS]}, {"due_date": date(2026, 11, 15), "comment": ""}])
def test_an_edit_that_changes_nothing_writes_nothing(supplier, invoice, same):
    revise_invoice(Invoice.objects.get(pk=invoice.pk), **same)
    assert (invoice.versions.count(), revision(invoice), story(supplier, "invoice", invoice.pk).count()) == (1, 1, 1)


def test_the_rate_of_the_day_it_was_issued_stays(supplier, invoice):
    supplier.tax_rate = Decimal("12.5")
    supplier.save()
    revise_invoice(Invoice.objects.get(pk=invoice.pk), lines=[replace(OAT, quantity=Decimal(8)), cast.line("New")])
    assert {line.tax_rate for line in invoice.lines.all()} == {Decimal(10)}


def test_a_refused_edit_changes_nothing(invoice):
    for lines, error in (([], InvoiceWithoutLines), ([replace(OAT, quantity=Decimal(-4))], NegativeInvoice)):
        with pytest.raises(error):
            revise_invoice(Invoice.objects.get(pk=invoice.pk), lines=lines)
    assert [line.key for line in Invoice.objects.get(pk=invoice.pk).lines.all()] == [OAT.key, CUPS.key]
    assert revision(invoice) == 1


def test_a_void_invoice_keeps_its_number_and_changes_no_more(supplier, invoice):
    void_invoice(invoice, why="Closed down")
    assert (invoice.status, invoice.number, revision(invoice)) == ("void", "INV-1", 2)
    assert (story(supplier, "invoice", invoice.pk)[0].what, invoice.lines.count()) == ("Voided", 2)
    for change in (revise_invoice, recode_invoice):
        with pytest.raises(InvoiceIsVoid, match="INV-1 is void"):
            change(invoice)


def test_voiding_twice_is_voiding_once(invoice):
    moment = void_invoice(invoice).voided_at
    void_invoice(invoice)
    assert (invoice.voided_at, revision(invoice)) == (moment, 2)


def test_an_invoice_is_renumbered_as_its_next_version(supplier, invoice):
    renumber_invoice(invoice, "INV-1A")
    invoice.refresh_from_db()
    assert (invoice.number, invoice.version, revision(invoice)) == ("INV-1A", 2, 2)
    assert story(supplier, "invoice", invoice.pk)[0].what == "Version 2. Number: INV-1 → INV-1A"


def test_an_invoice_is_renumbered_to_a_free_number_only(invoice, cafe):
    other = cast.invoice(cafe)
    with pytest.raises(InvoiceNumberTaken, match="INV-2"):
        renumber_invoice(invoice, other.number)
    renumber_invoice(invoice, "INV-1")
    assert revision(invoice) == 1


def test_accounts_are_taken_from_the_products_again(supplier, cafe):
    oat = cast.product(supplier)
    line = cast.line(product_id=oat.pk, sales_account="200")
    invoice = cast.invoice(cafe, line, cast.line("Crate", 1, 5, kind="other"))
    oat.sales_account = "210"
    save_product(oat, by=None)
    recode_invoice(invoice, why="Account 200 is archived")
    assert invoice.lines.get(key=line.key).sales_account == "210"
    assert "account “200” → “210”" in story(supplier, "invoice", invoice.pk)[0].what
    assert invoice.total == Decimal("25.30")


edits = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "change", "move"]), st.integers(0, 9), st.integers(1, 9)),
    min_size=1,
    max_size=8,
)


def edited(lines, what, where, quantity):
    """The lines after one edit by a person."""
    spot = where % len(lines)
    if what == "add":
        return [*lines[:spot], cast.line(f"Added {quantity}", quantity, "1.25"), *lines[spot:]]
    if what == "remove":
        return [line for at, line in enumerate(lines) if at != spot] or lines
    if what == "change":
        return [replace(line, quantity=Decimal(quantity)) if at == spot else line for at, line in enumerate(lines)]
    return [*lines[spot:], *lines[:spot]]


@settings(max_examples=25)
@given(edits=edits)
def test_lines_keep_their_keys_through_any_edits(cafe, edits):
    lines, issued = [cast.line(f"Line {n}", n, "4.50") for n in (1, 2, 3)], {}
    invoice = cast.invoice(cafe, *lines)
    for edit in edits:
        issued[invoice.version] = invoice.versions.first().document
        lines = edited(lines, *edit)
        revise_invoice(invoice, lines=lines)
        assert [draft_of(line) for line in invoice.lines.all()] == [replace(line, tracking=[]) for line in lines]
    frozen = dict(invoice.versions.values_list("version", "document"))
    assert frozen | issued == frozen  # what was issued stayed as it was
    assert revision(invoice) == invoice.version == len(frozen)
    assert [line["key"] for line in frozen[invoice.version]["lines"]] == [str(line.key) for line in lines]
