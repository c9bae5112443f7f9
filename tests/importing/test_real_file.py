"""A real wholesaler's file, to the cent. It lies beside the project and is never part of it."""

import csv
import gzip
import os
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

import cast
from importing.files import plan
from provender.catalogue.models import Product
from provender.customers.models import Customer
from provender.importing import actions
from provender.importing.queries import as_json, reject_lines, tally
from provender.invoicing.models import CreditNote, CreditNoteLine, Invoice, InvoiceLine

FILE = Path(__file__).parents[2] / ".." / "shared" / "data" / "online-retail-2010-12.csv.gz"

pytestmark = pytest.mark.skipif(
    not FILE.exists() and os.environ.get("CI") != "true", reason="the real invoices are not beside the project"
)

INVOICES = {"documents": 1638, "lines": 31715, "subtotal": "692882.72", "tax": "138577.52", "total": "831460.24"}
CREDIT_NOTES = {"documents": 363, "lines": 882, "subtotal": "24019.18", "tax": "4803.81", "total": "28822.99"}


def bring_in(supplier):
    how = plan(date_format="%Y-%m-%d %H:%M:%S", freight=["POST", "DOT", "C2"])
    with FILE.open("rb") as file:
        return actions.apply(actions.stage(supplier, file, FILE.name, how))


@pytest.mark.django_db
def test_the_real_file_comes_in_whole_and_once():
    giftware = cast.supplier("giftware")
    source = bring_in(giftware)
    answer = as_json(source, tally(source), "rejects.csv")
    assert answer["documents"] == {"read": 2367, "imported": 2001, "unchanged": 0, "rejected": 366}
    assert answer["lines"] == {"read": 50999, "imported": 32597, "unchanged": 0, "rejected": 18402}
    assert answer["invoices"] == INVOICES
    assert answer["credit_notes"] == CREDIT_NOTES
    assert answer["sums"]["imported"] == {"subtotal": "668863.54", "tax": "133773.71", "total": "802637.25"}
    assert answer["created"] == {"customers": 1051, "products": 2501}
    assert answer["rejected_by_reason"] == {"no-customer": 366}
    assert_books_are_the_file(giftware, {line[0] for line in reject_lines(source)})

    again = tally(bring_in(giftware))
    assert (again.imported.documents, again.unchanged.documents, again.rejected.documents) == (0, 2001, 366)
    assert (Invoice.objects.count(), CreditNote.objects.count()) == (1638, 363)


def assert_books_are_the_file(supplier, rejected):
    with gzip.open(FILE, "rt", encoding="utf-8", newline="") as text:
        rows = [row for row in csv.DictReader(text) if row["InvoiceNo"] not in rejected]
    expected = Counter(
        (row["InvoiceNo"], row["StockCode"], row["Description"], Decimal(row["Quantity"]), Decimal(row["UnitPrice"]))
        for row in rows
    )
    columns = ("sku", "description", "quantity", "unit_price")
    found = Counter(InvoiceLine.objects.values_list("invoice__number", *columns))
    for number, sku, what, quantity, price in CreditNoteLine.objects.values_list("credit_note__number", *columns):
        found[number, sku, what, -quantity, price] += 1
    assert found == expected
    longest = Counter(row["InvoiceNo"] for row in rows).most_common(1)
    assert max(Invoice.objects.get(number=number).lines.count() for number, _ in longest) == longest[0][1]
    assert Customer.objects.filter(supplier=supplier, trading_name="Customer 17850").exists()
    assert Product.objects.filter(supplier=supplier).count() == len({row["StockCode"] for row in rows})
    freight = sum(model.objects.filter(kind="freight").count() for model in (InvoiceLine, CreditNoteLine))
    assert freight == sum(row["StockCode"] in {"POST", "DOT", "C2"} for row in rows)
