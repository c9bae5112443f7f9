"""What becomes of each document: the rules of the file, one by one."""

from datetime import date
from decimal import Decimal

import pytest

import cast
from importing.files import HEADER, MAPPING, Day, bring_in, csv_of, row, stage, xlsx_of
from provender.catalogue.models import Product
from provender.changes.models import Change
from provender.customers.models import Customer
from provender.importing.queries import reject_lines, tally
from provender.invoicing.models import CreditNote, Invoice


def rejected(source):
    return [(each.number, each.code, each.column) for each in source.documents.filter(state="rejected")]


def lines_of(number="536365"):
    lines = Invoice.objects.get(number=number).lines.all()
    return [(each.kind, each.sku, each.description, each.quantity, each.unit_price, each.amount) for each in lines]


def test_a_document_becomes_an_invoice_with_its_own_number(giftware):
    bring_in(giftware, csv_of(row(), row(sku="71053", what="WHITE LANTERN", quantity="2", price="3.3901")))
    invoice = Invoice.objects.get()
    assert (invoice.number, invoice.origin, invoice.currency) == ("536365", "imported", "GBP")
    assert (invoice.date, invoice.due_date) == (date(2010, 12, 1), date(2010, 12, 15))
    assert (invoice.subtotal, invoice.tax, invoice.total) == (Decimal("22.08"), Decimal("4.42"), Decimal("26.50"))
    assert lines_of() == [
        ("product", "85123A", "T-LIGHT HOLDER", Decimal(6), Decimal("2.55"), Decimal("15.30")),
        ("product", "71053", "WHITE LANTERN", Decimal(2), Decimal("3.3901"), Decimal("6.78")),
    ]


def test_missing_customers_and_products_are_created(giftware):
    bring_in(giftware, csv_of(row(price="0"), row(what="", price="2.55"), row(price="2.10")))
    customer, product = Customer.objects.get(), Product.objects.get()
    assert (customer.number, customer.trading_name) == ("17850", "Customer 17850")
    assert (product.sku, product.name, product.price) == ("85123A", "T-LIGHT HOLDER", Decimal("2.55"))


def test_imported_documents_wait_in_the_outbox(giftware):
    bring_in(giftware, csv_of(row()))
    assert sorted(Change.objects.values_list("kind", "imported")) == [("contact", True), ("invoice", True)]


def test_what_is_known_is_taken(giftware):
    cafe = cast.venue(giftware, "Corner Cafe", number="17850", terms_days=30)
    cast.product(giftware, "BEANS-1KG")
    bring_in(giftware, csv_of(row(sku="beans-1kg", what="")), create_missing=False)
    invoice = Invoice.objects.get()
    line = invoice.lines.get()
    assert (invoice.customer, invoice.due_date) == (cafe, date(2010, 12, 31))
    assert (line.sku, line.product.sku, line.description) == ("beans-1kg", "BEANS-1KG", "Coffee beans 1kg")
    assert (line.tax_kind, line.tax) == ("free", 0)


def test_a_sku_is_matched_exactly_before_it_is_matched_by_case(giftware):
    for sku in ("Mug", "MUG"):
        cast.product(giftware, sku)
    bring_in(giftware, csv_of(row(sku="MUG"), row(sku="Mug"), row(sku="mug")))
    products = [line.product.sku for line in Invoice.objects.get().lines.all()]
    assert products == ["MUG", "Mug", "mug"]  # the third fits two others: it is a product of its own


def test_two_spellings_of_a_new_sku_make_one_product_spelt_as_first_needed(giftware):
    bring_in(
        giftware,
        csv_of(row("1", sku="15056n", who=""), row("2", sku="15056N"), row("3", sku="15056n"), row("4", sku="15056N")),
    )
    assert [product.sku for product in Product.objects.all()] == ["15056N"]
    assert [lines_of(number)[0][1] for number in "234"] == ["15056N", "15056n", "15056N"]


def test_freight_is_freight(giftware):
    bring_in(giftware, csv_of(row(), row(sku="POST", what="POSTAGE", quantity="1", price="18")), freight=["POST"])
    assert [(kind, sku) for kind, sku, *_ in lines_of()] == [("product", "85123A"), ("freight", "POST")]


def test_freight_is_taxed_as_new_freight_is(giftware):
    giftware.freight_tax_kind = "free"
    bring_in(
        giftware, csv_of(row(), row(sku="POST", price="18"), row("C1", sku="POST", quantity="-1")), freight=["post"]
    )
    assert [(line.kind, line.tax_kind) for line in Invoice.objects.get().lines.all()] == [
        ("product", "gst"),
        ("freight", "free"),
    ]
    assert CreditNote.objects.get().tax == 0


def test_freight_needs_no_product(giftware):
    cast.venue(giftware, number="17850")
    bring_in(giftware, csv_of(row(sku="POST", what="")), freight=["POST"], create_missing=False)
    assert lines_of()[0][:3] == ("freight", "POST", "POST")
    assert not Product.objects.exists()


def test_a_line_without_sku_is_some_other_line(giftware):
    bring_in(giftware, csv_of(row(sku="", what="Setting up")))
    assert lines_of()[0][:3] == ("other", "", "Setting up")


def test_a_negative_line_stays_negative_and_a_zero_price_zero(giftware):
    bring_in(giftware, csv_of(row(), row(sku="D", quantity="-1", price="5"), row(sku="FREE", price="0")))
    assert [amount for *_, amount in lines_of()] == [Decimal("15.30"), Decimal("-5.00"), 0]


def test_a_document_takes_date_and_customer_of_its_first_row(giftware):
    bring_in(giftware, csv_of(row(), row(date="2010-12-02", who="")))
    assert Invoice.objects.get().date == date(2010, 12, 1)


def test_the_lines_of_a_document_need_not_be_neighbours(giftware):
    bring_in(giftware, csv_of(row(sku="A"), row("536366", sku="B"), row(sku="C")))
    assert [sku for _, sku, *_ in lines_of()] == ["A", "C"]


@pytest.mark.parametrize(
    ("rows", "code", "column"),
    [
        ([row(who="")], "no-customer", "CustomerID"),
        ([row(), row(who="17851")], "two-customers", "CustomerID"),
        ([row(quantity="-6", who="")], "no-customer", "CustomerID"),
        ([row(sku="", what=" ")], "nothing-sold", "StockCode"),
    ],
)
def test_a_document_is_rejected_whole(giftware, rows, code, column):
    source = bring_in(giftware, csv_of(*rows, row("536366")))
    assert rejected(source) == [("536365", code, column)]
    assert [invoice.number for invoice in Invoice.objects.all()] == ["536366"]


def test_a_line_without_a_number_belongs_to_no_document(giftware):
    assert rejected(bring_in(giftware, csv_of(row("")))) == [("", "no-number", "InvoiceNo")]


@pytest.mark.parametrize(("known", "code"), [("product", "unknown-customer"), ("customer", "unknown-product")])
def test_without_leave_to_create_what_is_unknown_is_rejected(giftware, known, code):
    if known == "product":
        cast.product(giftware, "85123A")
    else:
        cast.venue(giftware, number="17850")
    source = bring_in(giftware, csv_of(row()), create_missing=False)
    assert [each[1] for each in rejected(source)] == [code]
    assert not Invoice.objects.exists()


def test_rejected_documents_create_nothing(giftware):
    bring_in(giftware, csv_of(row(who="17851", sku="A"), row(who="17852"), row("536366")))
    assert [customer.number for customer in Customer.objects.all()] == ["17850"]
    assert [product.sku for product in Product.objects.all()] == ["85123A"]


def test_the_rejects_are_the_input_with_line_column_and_reason(giftware):
    source = bring_in(giftware, csv_of(row("1"), row("2", who=""), row("1"), row("2", what="LAMP", who="")))
    header, *lines = reject_lines(source)
    assert header == [*HEADER, "line", "column", "reason"]
    assert [line[:7] for line in lines] == [row("2", who=""), row("2", what="LAMP", who="")]
    assert [line[7:] for line in lines] == [[n, "CustomerID", "Invoice 2 has no customer."] for n in ("3", "5")]


def test_a_mended_rejects_file_can_be_imported(giftware):
    first = bring_in(giftware, csv_of(row("1"), row("2", who="")))
    header, line = reject_lines(first)
    line[6] = "17850"
    second = bring_in(giftware, csv_of(line, header=header))
    assert tally(second).imported.documents == 1
    third = stage(giftware, csv_of([*row("3", who=""), "", "", ""], header=header))
    assert next(reject_lines(third)) == [*HEADER, "line", "column", "reason"]


def test_a_sheet_imports_like_a_csv(giftware):
    bring_in(giftware, xlsx_of([536365, "85123A", "MUG", 6, Day(40513.35), 2.55, 17850]), "invoices.xlsx")
    invoice = Invoice.objects.get()
    assert (invoice.number, invoice.date, invoice.subtotal) == ("536365", date(2010, 12, 1), Decimal("15.30"))
    assert invoice.customer.number == "17850"


def test_optional_columns_are_taken(giftware):
    header = [*HEADER, "PO", "Due", "Name", "VAT"]
    more = {"purchase_order": "PO", "due_date": "Due", "customer_name": "Name", "tax": "VAT"}
    bring_in(
        giftware, csv_of([*row(), "P-7", "2011-02-01", "Gift Shop", "free"], header=header), mapping=MAPPING | more
    )
    invoice = Invoice.objects.get()
    assert (invoice.purchase_order, invoice.due_date, invoice.tax) == ("P-7", date(2011, 2, 1), 0)
    assert invoice.customer.trading_name == "Gift Shop"
