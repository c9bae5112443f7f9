from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cast
from provender.changes.models import Change
from provender.invoicing.actions import InvoiceDraft, import_invoices, renumber_invoice, void_invoice
from provender.invoicing.errors import (
    AnotherWholesalersCustomer,
    InvoiceNumberTaken,
    InvoiceWithoutLines,
    NegativeInvoice,
)
from provender.invoicing.models import Invoice, InvoiceLine
from provender.timeline.queries import story

pytestmark = pytest.mark.django_db


def draft(number, customer, *lines, **fields):
    fields = {"date": date(2010, 12, 1), "due_date": date(2010, 12, 15), "lines": lines or [cast.line()]} | fields
    return InvoiceDraft(number=number, customer_id=customer.pk, **fields)


def test_imported_invoices_keep_their_numbers_and_wait(supplier, cafe):
    [first, second] = import_invoices(supplier, [draft("536365", cafe), draft("536366", cafe, comment="Back door")])
    assert (first.number, first.origin, first.currency, second.comment) == ("536365", "imported", "AUD", "Back door")
    assert Change.objects.filter(kind="invoice", imported=True).count() == 2
    assert story(supplier, "invoice", first.pk).get().what == "Imported, AUD 19.80"
    assert first.versions.get().document["total"] == "19.80"


def test_a_month_comes_in_few_statements(supplier, cafe, django_assert_max_num_queries):
    with django_assert_max_num_queries(15):
        import_invoices(supplier, [draft(f"A{n}", cafe, cast.line(), cast.line()) for n in range(200)])
    assert (Invoice.objects.count(), InvoiceLine.objects.count()) == (200, 400)


def test_an_empty_file_is_nothing(supplier):
    assert import_invoices(supplier, []) == []


@pytest.mark.parametrize(
    ("numbers", "taken"), [(["A1", "A2", "A1"], "A1"), (["A3", "INV-1"], "INV-1")]
)  # fmt: skip
def test_a_number_that_is_taken_stops_the_whole_call(supplier, cafe, numbers, taken):
    cast.invoice(cafe)
    with pytest.raises(InvoiceNumberTaken, match=taken):
        import_invoices(supplier, [draft(number, cafe) for number in numbers])
    assert Invoice.objects.count() == 1


def test_a_number_is_taken_by_a_void_invoice_too_but_not_by_another_wholesalers(supplier, cafe):
    cast.invoice(cast.venue(cast.supplier("southern")))
    import_invoices(supplier, [draft("INV-1", cafe)])
    void_invoice(Invoice.objects.get(supplier=supplier))
    with pytest.raises(InvoiceNumberTaken):
        import_invoices(supplier, [draft("INV-1", cafe)])


@pytest.mark.parametrize(("lines", "error"), [([cast.line(quantity=-1)], NegativeInvoice), ([], InvoiceWithoutLines)])
def test_one_bad_invoice_keeps_all_out(supplier, cafe, lines, error):
    with pytest.raises(error):
        import_invoices(supplier, [draft("A", cafe), draft("B", cafe, lines=lines)])
    assert not Invoice.objects.exists()


def test_an_unknown_or_foreign_customer_is_refused(supplier, cafe):
    theirs = cast.venue(cast.supplier("southern"))
    nobody = type(cafe)(pk=uuid4())
    for customer in (theirs, nobody):
        with pytest.raises(AnotherWholesalersCustomer, match=str(customer.pk)):
            import_invoices(supplier, [draft("A", customer)])


def test_numbers_given_here_step_over_imported_ones(supplier, cafe):
    import_invoices(supplier, [draft(f"INV-{number}", cafe) for number in (1, 2, 4)])
    assert [cast.invoice(cafe).number for _ in range(3)] == ["INV-3", "INV-5", "INV-6"]


steps = st.lists(
    st.one_of(
        st.just(("raise", 0)),
        st.tuples(st.just("import"), st.integers(1, 12)),
        st.tuples(st.just("renumber"), st.integers(1, 12)),
    ),
    min_size=1,
    max_size=15,
)


@settings(max_examples=25)
@given(steps=steps)
def test_no_number_is_given_twice_whatever_the_order(db, steps):
    supplier = cast.create_supplier(slug=f"s{uuid4().hex}", name="Harbour", country="AU")
    cafe = cast.venue(supplier)
    held: list[str] = []
    for what, number in steps:
        wanted = f"INV-{number}"
        if what == "raise":
            given_out = cast.invoice(cafe).number
            assert given_out not in held
            held.append(given_out)
        elif wanted in held:
            with pytest.raises(InvoiceNumberTaken):
                import_invoices(supplier, [draft(wanted, cafe)])
        elif what == "import":
            import_invoices(supplier, [draft(wanted, cafe)])
            held.append(wanted)
        elif held:
            renumber_invoice(Invoice.objects.get(supplier=supplier, number=held.pop()), wanted)
            held.append(wanted)
    assert sorted(held) == sorted(Invoice.objects.filter(supplier=supplier).values_list("number", flat=True))
