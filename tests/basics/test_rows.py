"""Reading and inserting many rows by ways shorter than the ORM's: the same values, fewer statements."""

from decimal import Decimal
from uuid import uuid4

import pytest

import cast
from provender.basics import clock
from provender.basics.rows import ReadyRows, delete_leaves, read_values
from provender.invoicing.models import Invoice, InvoiceLine
from provender.timeline.models import Entry

pytestmark = pytest.mark.django_db

CARRIED = [
    {"property": "region", "option": "north", "property_name": "Region", "option_name": "North", "from": "order"}
]


def test_values_are_read_as_the_orm_reads_them():
    supplier = cast.supplier()
    for comment in ("", "Leave at the back door"):
        cast.invoice(cast.venue(supplier, f"Cafe {comment}"), cast.line(), cast.line(quantity="0.5"), comment=comment)
    InvoiceLine.objects.filter(quantity=Decimal("0.5")).update(tracking=CARRIED)
    lines = InvoiceLine.objects.order_by("invoice__number", "position")
    columns = ["invoice", "key", "quantity", "unit_price", "tax_rate", "tracking", "description", "invoice__settled_on"]
    read = read_values(lines, *columns)
    assert read == list(lines.values_list(*columns))
    assert [type(value) for value in read[0]] == [type(value) for value in lines.values_list(*columns)[0]]
    heads = Invoice.objects.order_by("number")
    assert read_values(heads, "pk", "date", "total", "comment", "created_at") == list(
        heads.values_list("pk", "date", "total", "comment", "created_at")
    )


def test_no_rows_are_read_without_asking(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert read_values(Invoice.objects.filter(pk__in=[]), "number") == []
    assert read_values(Invoice.objects.filter(number="none"), "number", "date") == []


def test_rows_of_columns_are_rows_of_objects():
    supplier, about, now = cast.supplier(), [uuid4(), uuid4()], clock.now()
    same = {"supplier_id": supplier.pk, "subject_kind": "order", "at": now, "who_id": None, "why": ""}
    columns = {name: [value] * 2 for name, value in same.items()} | {"subject": about, "what": ["One", "Two"]}
    ReadyRows.of_columns(Entry, columns).insert()
    objects = [Entry(subject=pk, what=what, **same) for pk, what in zip(about, ["One", "Two"], strict=True)]
    assert ReadyRows.of_columns(Entry, columns) == ReadyRows.of(objects)
    assert list(Entry.objects.filter(subject__in=about).order_by("pk").values_list("what", "at")) == [
        ("One", now),
        ("Two", now),
    ]


def test_leaves_are_deleted_in_one_statement(django_assert_num_queries):
    invoice = cast.invoice(cast.venue(cast.supplier()), cast.line(), cast.line(quantity=1))
    with django_assert_num_queries(1):
        delete_leaves(InvoiceLine.objects.filter(invoice=invoice, quantity=1))
    assert invoice.lines.count() == 1
