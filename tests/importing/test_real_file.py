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
from provender.invoicing.models import Invoice, InvoiceLine

FILE = Path(__file__).parents[2] / ".." / "shared" / "data" / "online-retail-2010-12.csv.gz"

pytestmark = pytest.mark.skipif(
    not FILE.exists() and os.environ.get("CI") != "true", reason="the real invoices are not beside the project"
)


def bring_in(supplier):
    how = plan(date_format="%Y-%m-%d %H:%M:%S", freight=["POST", "DOT", "C2"])
    with FILE.open("rb") as file:
        return actions.apply(actions.stage(supplier, file, FILE.name, how))


@pytest.mark.django_db
def test_the_real_file_comes_in_whole_and_once():
    giftware = cast.supplier("giftware")
    source = bring_in(giftware)
    answer = as_json(source, tally(source), "rejects.csv")
    assert answer["documents"] == {"read": 2367, "imported": 1638, "unchanged": 0, "rejected": 729}
    assert answer["lines"] == {"read": 50999, "imported": 31715, "unchanged": 0, "rejected": 19284}
    assert answer["sums"]["imported"] == {"subtotal": "692882.72", "tax": "138577.52", "total": "831460.24"}
    assert answer["created"] == {"customers": 985, "products": 2483}
    assert answer["rejected_by_reason"] == {"no-customer": 366, "negative-total": 363}
    assert_books_are_the_file(giftware, {line[0] for line in reject_lines(source)})

    again = tally(bring_in(giftware))
    assert (again.imported.documents, again.unchanged.documents, again.rejected.documents) == (0, 1638, 729)
    assert Invoice.objects.count() == 1638


def assert_books_are_the_file(supplier, rejected):
    with gzip.open(FILE, "rt", encoding="utf-8", newline="") as text:
        rows = [row for row in csv.DictReader(text) if row["InvoiceNo"] not in rejected]
    expected = Counter(
        (row["InvoiceNo"], row["StockCode"], row["Description"], Decimal(row["Quantity"]), Decimal(row["UnitPrice"]))
        for row in rows
    )
    columns = ("invoice__number", "sku", "description", "quantity", "unit_price")
    assert Counter(InvoiceLine.objects.values_list(*columns)) == expected
    longest = Counter(row["InvoiceNo"] for row in rows).most_common(1)
    assert max(Invoice.objects.get(number=number).lines.count() for number, _ in longest) == longest[0][1]
    assert Customer.objects.filter(supplier=supplier, trading_name="Customer 17850").exists()
    assert Product.objects.filter(supplier=supplier).count() == len({row["StockCode"] for row in rows})
    assert InvoiceLine.objects.filter(kind="freight").count() == sum(
        row["StockCode"] in {"POST", "DOT", "C2"} for row in rows
    )
