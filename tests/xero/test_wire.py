"""Xero's JSON as values, and values as Xero's JSON."""

from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provender.xero import encode, encode_element, envelope, wire
from provender.xero.wire import Invoice, LineItem, read_elements, read_instant, read_list, read_page


def read_one(fields: str, kind=Invoice):
    return read_list(b'{"Things":[{' + fields.encode() + b"}]}", "Things", kind)[0]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("/Date(1539993600000+0000)/", datetime(2018, 10, 20, tzinfo=UTC)),
        ("/Date(1539993600000)/", datetime(2018, 10, 20, tzinfo=UTC)),
        ("/Date(1539993600000+1300)/", datetime(2018, 10, 20, tzinfo=UTC)),
        ("/Date(1541176290160+0000)/", datetime(2018, 11, 2, 16, 31, 30, 160000, tzinfo=UTC)),
        ("/Date(-62135596800000+0000)/", datetime(1, 1, 1, tzinfo=UTC)),
        ("2019-12-07T18:46:19.5165400", datetime(2019, 12, 7, 18, 46, 19, 516540, tzinfo=UTC)),
        ("2018-10-20T13:00:00+13:00", datetime(2018, 10, 20, tzinfo=UTC)),
    ],
)
def test_offset_never_changes_the_instant(text, instant):
    assert read_instant(text) == instant
    assert read_instant(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["", "yesterday", "/Date(9999999999999999999)/", "/Date(1)/ "])
def test_what_is_no_date_is_an_error(text):
    with pytest.raises(ValueError, match="not a date"):
        read_instant(text)


def test_dates_are_plain_dates_in_utc_whatever_the_machine_thinks():
    invoice = read_one(r'"Date":"\/Date(1539993600000+0000)\/","UpdatedDateUTC":"\/Date(1541176290160+0000)\/"')
    assert type(invoice.date) is date
    assert invoice.date == date(2018, 10, 20)
    assert invoice.updated_raw == "/Date(1541176290160+0000)/"
    assert invoice.updated_date_utc == datetime(2018, 11, 2, 16, 31, 30, 160000, tzinfo=UTC)
    assert read_one("").updated_date_utc is None


@pytest.mark.parametrize("text", ["5000.0000", "1.5800", "55.00", "0.00", "-3.10", "12345678901234567.8901", "7"])
def test_numbers_keep_their_scale(text):
    read = read_one(f'"LineItems":[{{"UnitAmount":{text}}}]').line_items[0].unit_amount
    assert str(read) == text


def test_unknown_fields_and_new_states_are_no_error():
    invoice = read_one('"Status":"PARTPAID","Type":"ACCSPACE","Mood":{"deep":[1,{"x":null}]}')
    assert (invoice.status, invoice.type) == ("PARTPAID", "ACCSPACE")


def test_nulls_and_numbers_written_as_text_are_read_all_the_same():
    invoice = read_one('"LineItems":null,"Total":"55.00","Contact":{"Name":"Cafe","Phones":null},"Date":null')
    assert invoice == Invoice(total=Decimal("55.00"), contact=wire.Contact(name="Cafe"))
    assert str(read_one('"Payments":null,"Total":55.00').total) == "55.00"


@pytest.mark.parametrize(
    "fields", ['"LineItems":[{"Quantity":"many"}]', '"Date":"soon"', '"Date":5', '"Contact":"Cafe"']
)
def test_what_cannot_be_read_is_never_left_out_quietly(fields):
    with pytest.raises(msgspec.MsgspecError):
        read_one(fields)


@pytest.mark.parametrize("body", [b"{}", b'{"Status":"OK"}', b'{"Invoices":{}}', b"[]", b'{"Invoices":[{]}'])
def test_answer_without_its_list_is_not_an_empty_list(body):
    with pytest.raises(msgspec.MsgspecError):
        read_page(body, "Invoices", Invoice, page=1, page_size=100)


def test_page_takes_its_counts_from_xero():
    body = b'{"pagination":{"page":2,"pageSize":100,"pageCount":3,"itemCount":204},"Invoices":[{}]}'
    page = read_page(body, "Invoices", Invoice, page=2, page_size=100)
    assert (len(page), page.page, page.page_count, page.item_count) == (1, 2, 3, 204)


@pytest.mark.parametrize(("count", "pages"), [(2, 2), (1, 1), (0, 1)])
def test_full_page_without_counts_may_have_a_successor(count, pages):
    body = encode("Invoices", [Invoice()] * count)
    assert read_page(body, "Invoices", Invoice, page=1, page_size=2).page_count == pages


@pytest.mark.parametrize(
    ("fields", "ok"),
    [
        ('"StatusAttributeString":"OK"', True),
        ('"StatusAttributeString":"WARNING","Warnings":[{"Message":"Hm."}]', True),
        ('"StatusAttributeString":"ERROR"', False),
        ('"HasErrors":true', False),
        ('"HasValidationErrors":true', False),
        ('"HasErrors":false,"ValidationErrors":[{"Message":"No."}]', False),
        ('"HasErrors":false,"ValidationErrors":[],"Contact":{"ValidationErrors":[{"Message":"No."}]}', False),
    ],
)
def test_element_is_well_only_when_nothing_says_otherwise(fields, ok):
    (element,) = read_elements(
        b'{"Invoices":[{"InvoiceNumber":"INV-1",' + fields.encode() + b"}]}", "Invoices", Invoice
    )
    assert element.ok is ok
    assert element.value.invoice_number == "INV-1"


def test_warnings_and_messages_are_told_apart():
    body = b'{"Invoices":[{"Warnings":[{"Message":"Hm."}],"LineItems":[{"ValidationErrors":[{"Message":"No."}]}]}]}'
    (element,) = read_elements(body, "Invoices", Invoice)
    assert (element.messages, element.warnings) == (("No.",), ("Hm.",))


def test_long_element_is_shortened_to_readable_json_but_read_whole():
    lines = ",".join(['{"Description":"' + "x" * 50 + '","UnitAmount":1.0000}'] * 200)
    body = '{"Invoices":[ {"InvoiceNumber" : "INV-1", "LineItems" : [' + lines + '], "Total":200.00} ]}'
    (element,) = read_elements(body.encode(), "Invoices", Invoice)
    assert element.raw == '{"InvoiceNumber":"INV-1","Total":200.00}'
    assert len(element.value.line_items) == 200


def test_encoding_gives_numbers_with_scale_and_dates_as_days():
    fields = {
        "Date": date(2026, 11, 1),
        "LineItems": [{"UnitAmount": Decimal("2.5000")}],
        "Contact": {"ContactID": "c"},
    }
    assert encode("Invoices", [fields]) == (
        b'{"Invoices":[{"Contact":{"ContactID":"c"},"Date":"2026-11-01","LineItems":[{"UnitAmount":2.5000}]}]}'
    )


def test_encoding_structs_leaves_absent_fields_out():
    invoice = Invoice(date=date(2026, 11, 1), line_items=(LineItem(unit_amount=Decimal("2.5000")),))
    assert encode_element(invoice) == b'{"Date":"2026-11-01","LineItems":[{"UnitAmount":2.5000}]}'


def test_same_content_is_the_same_bytes():
    assert encode_element({"b": 1, "a": {"d": 2, "c": 3}}) == encode_element({"a": {"c": 3, "d": 2}, "b": 1})


def test_batch_put_together_from_measured_parts_is_the_batch_encoded_at_once():
    elements = [{"InvoiceNumber": f"INV-{n}"} for n in range(3)]
    assert envelope("Invoices", [encode_element(e) for e in elements]) == encode("Invoices", elements)
    assert wire.count_elements(encode("Invoices", elements)) == 3
    assert wire.count_elements(b'{"Status":"DELETED"}') == 1


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_amount_comes_back_exactly_as_it_went(amount):
    body = encode("Invoices", [Invoice(total=amount)])
    assert str(read_list(body, "Invoices", Invoice)[0].total) == str(amount)
