from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

import cast
from provender.changes.models import Change
from provender.invoicing.errors import (
    AnotherWholesalersCustomer,
    InvoiceWithoutLines,
    LineDescriptionTooLong,
    LineWithoutDescription,
    NegativeInvoice,
)
from provender.invoicing.models import Invoice, InvoiceLine
from provender.invoicing.totals import build_lines, sum_lines
from provender.suppliers.actions import take_numbers
from provender.suppliers.models import Supplier
from provender.timeline.queries import story

pytestmark = pytest.mark.django_db


def test_an_invoice_is_raised_posted_and_told(supplier, cafe):
    invoice = cast.invoice(cafe, cast.line(), cast.line("Coffee beans 1kg", 2, "27.125", tax_kind="free"))
    invoice.refresh_from_db()
    assert (invoice.number, invoice.version, invoice.origin) == ("INV-1", 1, "raised")
    assert (invoice.subtotal, invoice.tax, invoice.total) == (Decimal("72.25"), Decimal("1.80"), Decimal("74.05"))
    assert Change.objects.get(kind="invoice", document=invoice.pk).imported is False
    assert story(supplier, "invoice", invoice.pk).get().what == "Raised, AUD 74.05"


def test_lines_keep_their_order_and_their_tax(cafe):
    invoice = cast.invoice(cafe, cast.line("B"), cast.line("A", tax_kind="free"))
    assert [(line.position, line.description, line.tax_rate, line.tax) for line in invoice.lines.all()] == [
        (1, "B", Decimal(10), Decimal("1.80")),
        (2, "A", Decimal(0), Decimal("0.00")),
    ]


def test_the_first_version_is_frozen_as_it_was_issued(cafe):
    invoice = cast.invoice(cafe, purchase_order="PO 7")
    document = invoice.versions.get().document
    assert (document["total"], document["due_date"], document["purchase_order"]) == ("19.80", "2026-11-15", "PO 7")
    assert (document["customer"]["trading_name"], document["supplier"]["name"]) == ("Corner Cafe", "Harbour Fine Foods")
    [line] = document["lines"]
    assert (line["quantity"], line["unit_price"], line["tax_rate"]) == ("4.0000", "4.5000", "10.0000")


def test_raising_costs_the_same_few_statements_for_any_length(cafe, django_assert_num_queries):
    with django_assert_num_queries(10):  # one asks for properties; the last two are the savepoint's
        cast.invoice(cafe, *[cast.line(f"Line {number}") for number in range(40)])


def test_an_order_of_magnitude_more_lines_come_in_batches(cafe):
    assert cast.invoice(cafe, *[cast.line() for _ in range(675)]).total == Decimal("13365.00")


def test_an_invoice_needs_a_line(cafe):
    with pytest.raises(InvoiceWithoutLines):
        cast.invoice(cafe, lines=[])


def test_a_total_of_nothing_is_issued_and_less_is_not(cafe):
    assert cast.invoice(cafe, cast.line(price=0)).total == 0
    with pytest.raises(NegativeInvoice, match="credit note"):
        cast.invoice(cafe, cast.line(), cast.line("Returned", -5))


def test_a_negative_line_in_a_positive_invoice_stays(cafe):
    invoice = cast.invoice(cafe, cast.line(), cast.line("Crate returned", -1, "8.00"))
    assert (invoice.subtotal, invoice.tax, invoice.total) == (Decimal(10), Decimal(1), Decimal(11))


def test_a_refused_invoice_costs_no_number(supplier, cafe):
    with pytest.raises(NegativeInvoice):
        cast.invoice(cafe, cast.line(quantity=-1))
    assert take_numbers(supplier, "invoice").start == 1


@pytest.mark.parametrize(
    ("wrong", "error"), [(" ", LineWithoutDescription), ("x" * 4001, LineDescriptionTooLong)]
)  # fmt: skip
def test_each_line_says_what_it_is_for(cafe, wrong, error):
    with pytest.raises(error, match="ine 2"):
        cast.invoice(cafe, cast.line(), cast.line(wrong))


def test_what_a_column_cannot_hold_is_refused(cafe):
    with pytest.raises(ValidationError, match="purchase_order"):
        cast.invoice(cafe, purchase_order="x" * 101)


def test_another_wholesalers_customer_is_refused(supplier):
    theirs = cast.venue(cast.supplier("southern"))
    theirs.supplier, real = supplier, theirs.supplier
    assert cast.invoice(theirs).supplier == supplier
    theirs.supplier = real
    with pytest.raises(AnotherWholesalersCustomer):
        cast.raise_invoice(supplier, theirs, lines=[cast.line()], date=date(2026, 11, 1), due_date=date(2026, 11, 1))


def nearest(numerator: int, denominator: int) -> int:
    """Half away from zero, with whole numbers only."""
    up = (2 * abs(numerator) + denominator) // (2 * denominator)
    return up if numerator >= 0 else -up


ties = st.tuples(
    st.integers(-99, 99).map(lambda n: (2 * n + 1) * 10_000), st.integers(0, 9_999).map(lambda n: n * 100 + 50)
)
any_line = st.tuples(st.integers(-10_000_000, 10_000_000), st.integers(0, 10_000_000))


@given(
    lines=st.lists(st.tuples(ties | any_line, st.sampled_from(["gst", "free"])), min_size=1, max_size=20),
    rate=st.sampled_from([100_000, 150_000, 200_000, 123_456]),
)
def test_totals_are_the_sums_of_lines_rounded_one_by_one(lines, rate):
    supplier = Supplier(country="AU", tax_rate=Decimal(rate).scaleb(-4))
    drafts = [
        cast.line(quantity=Decimal(quantity).scaleb(-4), price=Decimal(price).scaleb(-4), tax_kind=tax_kind)
        for (quantity, price), tax_kind in lines
    ]
    amounts = [nearest(quantity * price, 1_000_000) for (quantity, price), _ in lines]
    taxes = [
        nearest(amount * rate, 1_000_000) if tax_kind == "gst" else 0
        for amount, (_, tax_kind) in zip(amounts, lines, strict=True)
    ]
    totals = sum_lines(build_lines(InvoiceLine, supplier, drafts))
    assert [int(value.scaleb(2)) for value in (totals.subtotal, totals.tax, totals.total)] == [
        sum(amounts),
        sum(taxes),
        sum(amounts) + sum(taxes),
    ]


@settings(max_examples=30)
@given(prices=st.lists(st.integers(0, 99_999_999_999_900), min_size=1, max_size=5))
def test_what_is_read_back_is_what_was_written(cafe, prices):
    lines = [cast.line(quantity=1, price=Decimal(price).scaleb(-4)) for price in prices]
    written = cast.invoice(cafe, *lines)
    read = Invoice.objects.get(pk=written.pk)
    assert (read.subtotal, read.tax, read.total) == (written.subtotal, written.tax, written.total)
    assert [line.unit_price for line in read.lines.all()] == [line.unit_price for line in lines]
