"""Documents of a file that come to less than zero: each becomes a credit note."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

import cast
from importing.files import HEADER, MAPPING, bring_in, csv_of, row, stage
from provender.changes.models import Change
from provender.importing import actions, applying
from provender.importing.queries import tally
from provender.invoicing.actions import raise_invoice
from provender.invoicing.credit_notes import prepare_credit_notes
from provender.invoicing.models import CreditNote, CreditNoteLine, Invoice
from provender.payments.models import Allocation
from provender.timeline.queries import story

D = Decimal
OF = {"mapping": MAPPING | {"credited_invoice": "Of"}}


def back(number="C536379", **cells):
    return row(number, **{"quantity": "-1"} | cells)


def of(invoice, *cells):
    """The file of these rows, each naming that invoice."""
    return csv_of(*([*each, invoice] for each in cells), header=[*HEADER, "Of"])


def state(source, number="C536379"):
    document = source.documents.get(number=number)
    return document.state, document.code


def test_what_comes_to_less_than_zero_is_a_credit_note(giftware):
    rows = back(quantity="-2", price="4.6501"), back(sku="D", what="Discount", quantity="1", price="1.15")
    bring_in(giftware, csv_of(*rows, back(sku="POST", what="POSTAGE", price="18")), freight=["POST"])
    credit_note = CreditNote.objects.get()
    assert (credit_note.number, credit_note.origin, credit_note.currency) == ("C536379", "imported", "GBP")
    assert (credit_note.date, credit_note.customer.number) == (date(2010, 12, 1), "17850")
    assert (credit_note.invoice, credit_note.used) == (None, 0)
    assert (credit_note.subtotal, credit_note.tax, credit_note.total) == (D("26.15"), D("5.23"), D("31.38"))
    lines = [(one.kind, one.sku, one.quantity, one.unit_price, one.amount, one.tax) for one in credit_note.lines.all()]
    assert lines == [
        ("product", "85123A", D(2), D("4.6501"), D("9.30"), D("1.86")),
        ("product", "D", D(-1), D("1.15"), D("-1.15"), D("-0.23")),
        ("freight", "POST", D(1), D("18"), D("18.00"), D("3.60")),
    ]
    assert story(giftware, "credit_note", credit_note.pk).get().what == "Imported, GBP 31.38"
    assert not Invoice.objects.exists()


def test_it_waits_to_be_asked_for_and_is_set_against_nothing(giftware):
    bring_in(giftware, csv_of(row(), back()))
    assert Change.objects.get(kind="credit_note").imported
    assert not Allocation.objects.exists()


def test_a_price_below_zero_is_given_back_too(giftware):
    bring_in(giftware, csv_of(back(quantity="1", price="-5")))
    line = CreditNoteLine.objects.get()
    assert (line.quantity, line.unit_price, line.amount) == (D(-1), D(-5), D("5.00"))


def test_nothing_is_an_invoice(giftware):
    bring_in(giftware, csv_of(back("1"), row("1", quantity="1")))
    assert (Invoice.objects.get().total, CreditNote.objects.count()) == (0, 0)


def test_the_tax_decides_as_well(giftware):
    header = [*HEADER, "VAT"]
    rows = [*row("1", quantity="1", price="10"), "free"], [*back("1", price="9"), "VAT"]  # 10.00 - 9.00 - 1.80
    bring_in(giftware, csv_of(*rows, header=header), mapping=MAPPING | {"tax": "VAT"})
    credit_note = CreditNote.objects.get()
    assert (credit_note.subtotal, credit_note.tax, credit_note.total) == (D("-1.00"), D("1.80"), D("0.80"))


def test_its_customer_and_its_products_are_created(giftware):
    source = bring_in(giftware, csv_of(row(), back(who="17851", sku="LAMP", what="LAMP", price="7")))
    found = tally(source)
    assert (found.customers, found.products) == (2, 2)
    assert giftware.products.get(sku="LAMP").price == D(7)


def test_its_lines_carry_the_options_that_an_invoices_would(giftware):
    region = cast.property_(giftware, options=["North"], on_customers=True)
    cast.choose(region, cast.venue(giftware, number="17850"), "North")
    bring_in(giftware, csv_of(back()))
    assert [one["option_name"] for one in CreditNoteLine.objects.get().tracking] == ["North"]


def test_the_same_file_twice_changes_nothing(giftware):
    file = csv_of(row(), back(), back(sku="B", quantity="-0.5"))
    bring_in(giftware, file)
    before = list(CreditNote.objects.values()), list(CreditNoteLine.objects.values())
    again = bring_in(giftware, file)
    assert again.documents.filter(state="unchanged").count() == 2
    assert (list(CreditNote.objects.values()), list(CreditNoteLine.objects.values())) == before
    assert not again.runs.exists()


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"quantity": "-3"}, "another quantity: -1.0000 here, -3.0000 in the file"),
        ({"price": "2.56"}, "another price"),
        ({"date": "2010-12-02"}, "another date"),
    ],
)
def test_a_number_with_other_content_is_rejected(giftware, changed, what):
    bring_in(giftware, csv_of(back()))
    source = bring_in(giftware, csv_of(back(**changed)))
    assert state(source) == ("rejected", "number-taken")
    assert f"Credit note C536379 is here already with {what}" in source.documents.get().reason


@pytest.mark.parametrize(("first", "then"), [(row("1"), back("1")), (back("1"), row("1"))])
def test_one_number_is_one_document(giftware, first, then):
    bring_in(giftware, csv_of(first))
    source = bring_in(giftware, csv_of(then))
    assert state(source, "1") == ("rejected", "number-taken")
    assert "is here already; in the file it is a" in source.documents.get().reason
    assert Invoice.objects.count() + CreditNote.objects.count() == 1


def test_without_customer_it_is_rejected_as_what_it_is(giftware):
    document = bring_in(giftware, csv_of(back(who=""))).documents.get()
    assert (document.kind, document.reason) == ("credit_note", "Credit note C536379 has no customer.")


def test_it_may_name_the_invoice_that_it_is_of(giftware):
    bring_in(giftware, csv_of(row()))
    source = bring_in(giftware, of("536365", back()), **OF)
    assert state(source) == ("imported", "")
    assert CreditNote.objects.get().invoice == Invoice.objects.get()
    assert not Allocation.objects.exists()
    assert state(bring_in(giftware, of("536365", back()), **OF)) == ("unchanged", "")
    other = bring_in(giftware, of("", back()), **OF)
    assert "another invoice that it is of: 536365 here, none in the file" in other.documents.get().reason


def test_the_file_may_bring_that_invoice_itself(giftware):
    file = csv_of(
        [*back("0C"), "9"], [*row("9"), ""], [*back("C1"), "8"], [*row("8", who=""), ""], header=[*HEADER, "Of"]
    )
    source = stage(giftware, file, **OF)
    assert state(source, "0C") == ("ready", "")
    assert state(source, "C1") == ("rejected", "unknown-invoice")  # its invoice has no customer and stays out
    actions.apply(source)
    assert CreditNote.objects.get().invoice.number == "9"


@pytest.mark.parametrize(("named", "who"), [("7", "17850"), ("536365", "17851")])
def test_an_invoice_that_isnt_the_customers_rejects_it(giftware, named, who):
    source = bring_in(giftware, csv_of([*row(), ""], [*back(who=who), named], header=[*HEADER, "Of"]), **OF)
    assert state(source) == ("rejected", "unknown-invoice")
    assert source.documents.get(state="rejected").column == "Of"
    assert not CreditNote.objects.exists()


def test_an_invoice_that_went_since_the_preview_rejects_it(giftware):
    cafe = cast.venue(giftware, number="17850")
    there = raise_invoice(giftware, cafe, lines=[cast.line()], date=date(2010, 12, 1), due_date=date(2010, 12, 1))
    source = stage(giftware, of(there.number, back()), **OF)
    there.delete()
    actions.apply(source)
    assert state(source) == ("rejected", "unknown-invoice")


def test_the_customers_order_number_is_kept(giftware):
    file = csv_of([*back(), "P-7"], header=[*HEADER, "PO"])
    for expected in ("imported", "unchanged"):
        source = bring_in(giftware, file, mapping=MAPPING | {"purchase_order": "PO"})
        assert state(source) == (expected, "")
    assert CreditNote.objects.get().reason == "PO P-7"


def test_a_number_that_is_taken_while_its_batch_is_made_ready_is_judged_again(giftware, monkeypatch):
    source = stage(giftware, csv_of(back()))

    def prepare_late(supplier, drafts, **more):
        monkeypatch.setattr(applying, "prepare_credit_notes", prepare_credit_notes)
        lines = [replace(line, quantity=line.quantity + 1) for line in drafts[0].lines]
        prepare_credit_notes(supplier, [replace(drafts[0], lines=lines)]).insert()
        return prepare_credit_notes(supplier, drafts, **more)

    monkeypatch.setattr(applying, "prepare_credit_notes", prepare_late)
    actions.apply(source)
    assert state(source) == ("rejected", "number-taken")
    assert CreditNote.objects.count() == 1


def test_a_run_that_dies_goes_on_with_the_credit_notes(giftware, monkeypatch):
    monkeypatch.setattr(applying, "DOCUMENTS_A_TRANSACTION", 2)
    source = stage(giftware, csv_of(*(back(f"C{n}") for n in range(3)), *(row(f"{n}") for n in range(3))))

    def die(_what, done, _of):
        if done >= 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        actions.apply(source, told=die)
    assert (Invoice.objects.count(), CreditNote.objects.count()) == (3, 2)
    actions.apply(source)
    found = tally(source)
    assert (Invoice.objects.count(), CreditNote.objects.count(), found.imported.documents) == (3, 3, 6)
    assert found.came == "3 invoices, 3 credit notes"
