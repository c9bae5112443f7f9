"""The books compared: what differs is named, what is meant to differ is not."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

import cast
from provender.basics import clock
from provender.basics.errors import ProvenderError
from provender.customers.actions import save_customer
from provender.invoicing.actions import void_invoice
from provender.ordering.actions import edit_order
from provender.ordering.lines import OrderLineDraft
from provender.sync import actions
from provender.sync.choices import save_settings
from provender.sync.errors import XeroBusy
from provender.sync.models import Call, Connection, Link, Problem
from provender.sync.nightly import compare_nightly
from provender.sync.verify import read_contact_mark, verify_books
from provender.sync.verify_expected import read_mark
from provender.sync.verify_reading import read_day
from sync.kept import once


@pytest.fixture
def sent(supplier, connection, sync, xero):
    """An order of Corner Cafe whose invoice is in Xero."""

    def make():
        order = cast.placed_order(cast.venue(supplier, "Corner Cafe"), {"OAT-1L": 4, "BEANS-1KG": 2})
        sync()
        return order

    return once(make, connection, xero)


@pytest.fixture
def number(sent):
    return sent.invoice.number


def found(supplier):
    """What differs, as (field, ours, theirs)."""
    return [(one.field, one.ours, one.xero) for one in verify_books(supplier).differences]


def test_books_in_step_are_equal(sent, supplier):
    report = verify_books(supplier)
    assert report.equal
    assert report.as_json() == {
        "equal": True,
        "checked": {
            "contacts": 1,
            "invoices": 1,
            "credit_notes": 0,
            "allocations": 0,
            "payments": 0,
            "payouts": 0,
        },
        "differences": [],
        "waiting": 0,
        "held_back": 0,
        "problems": 0,
    }


def test_words_with_signs_that_nobody_sees_are_equal_on_both_sides(connection, supplier, sync):
    bar = cast.venue(
        supplier, "\ufeffBar\x0bUno\0", phone="02\t9000\r", street="1 Quay\u2028Road", email='"\x01a"@b.test'
    )
    line = OrderLineDraft(
        description="Corkage\r\nand\x07 ice ", unit_price=Decimal(5), quantity=Decimal(1), kind="other"
    )
    cast.placed_order(bar, lines=[line], purchase_order="PO\x858\uffff")
    sync()
    assert verify_books(supplier).as_json()["differences"] == []
    assert verify_books(supplier).equal


def test_everything_that_is_sent_is_compared(connection, supplier, sync):
    group = cast.freight_group(supplier)
    venue = cast.venue(supplier, "Bar <Uno>  &  Co", freight_group=group)
    cast.product(supplier, "NAME-ONLY", sales_account="260")
    lines = [
        *cast.goods(supplier, {"OAT-1L": "2.5", "BEANS-1KG": 1, "CUP-8OZ": 1000, "NAME-ONLY": 3}),
        cast.OrderLineDraft(kind="freight", quantity=Decimal(1)),
    ]
    cast.placed_order(venue, lines=lines, purchase_order="A 17", comment="Leave at\r\nthe back door ")
    sync()
    assert verify_books(supplier).equal


def test_a_changed_price_is_named_by_line_with_both_totals(sent, number, supplier, books):
    lines = books.find_invoice(number)["LineItems"]
    lines[1]["UnitAmount"] = Decimal("27.13")
    books.edit_invoice(number, LineItems=[_bare(line) for line in lines])
    assert ("lines[1].unit_amount", "27.1250", "27.1300") in found(supplier)
    assert {"subtotal", "total", "lines[1].line_amount"} <= {field for field, _, _ in found(supplier)}


def _bare(line):
    """A line as somebody types it: what follows from the rest is left out."""
    return {name: value for name, value in line.items() if name not in {"LineAmount", "TaxAmount", "AccountID"}}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"Reference": "changed"}, "reference"),
        ({"DueDate": "2099-12-31"}, "due_date"),
        ({"InvoiceNumber": "X-1"}, "number"),
        ({"Url": "https://example.test/else"}, "url"),
        ({"Contact": {"Name": "Somebody else"}}, "contact"),
    ],
)
def test_a_changed_head_is_named(sent, number, supplier, books, change, field):
    books.edit_invoice(number, **change)
    assert [name for name, _, _ in found(supplier)] == [field]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"AccountCode": "260"}, "lines[0].account_code"),
        ({"Description": "Oat drink"}, "lines[0].description"),
        ({"ItemCode": None, "TaxType": "EXEMPTOUTPUT"}, "lines[0].tax_type"),
    ],
)
def test_a_changed_line_is_named(sent, number, supplier, books, change, field):
    first, *rest = (_bare(line) for line in books.find_invoice(number)["LineItems"])
    books.edit_invoice(number, LineItems=[{**first, **change}, *rest])
    assert field in [name for name, _, _ in found(supplier)]


def test_a_line_too_many_is_counted(sent, number, supplier, books):
    lines = [_bare(line) for line in books.find_invoice(number)["LineItems"]]
    books.edit_invoice(number, LineItems=[*lines, {"Description": "A note"}])
    assert found(supplier) == [("lines", "2", "3")]


def test_voided_in_xero_alone_is_a_difference(sent, number, supplier, books):
    books.void(number)
    assert found(supplier) == [("status", "AUTHORISED", "VOIDED")]


def test_void_on_both_sides_is_equal(sent, supplier, sync):
    void_invoice(sent.invoice)
    assert found(supplier) == [("status", "VOIDED", "AUTHORISED")]
    sync()
    assert verify_books(supplier).equal


def test_an_invoice_paid_in_xero_is_equal(sent, number, supplier, books):
    books.pay(number)
    assert verify_books(supplier).equal


def test_what_was_never_let_go_is_counted_and_not_expected(connection, supplier, sync):
    save_settings(connection, {"automatic_sync": False}, None)
    cast.placed_order(cast.venue(supplier))
    sync()
    report = verify_books(supplier)
    assert (report.equal, report.held_back, report.checked["invoices"]) == (True, 1, 0)


def test_an_edit_that_waits_shows_until_it_has_gone(sent, supplier, sync):
    edit_order(sent, lines=cast.goods(supplier, {"OAT-1L": 9}), by=None)
    assert not verify_books(supplier).equal
    assert verify_books(supplier).waiting == 1
    sync()
    assert verify_books(supplier).equal


def test_a_document_that_xero_lost_exists_here_only(sent, number, supplier):
    Link.objects.filter(kind="invoice").update(xero_id="00000000-0000-4000-8000-000000000000")
    fields = {field for field, _, _ in found(supplier)}
    assert fields == {"double", "exists"}  # the lost one, and the one that nobody knows any more


def test_two_documents_with_one_mark_are_a_double(sent, number, supplier, books):
    books.type_invoice("COPY-1", Url=books.find_invoice(number)["Url"], DueDate="2099-12-31")
    assert [field for field, _, _ in found(supplier)] == ["double"]


def test_a_document_with_our_mark_and_no_row_exists_there_only(sent, supplier, books, settings):
    gone = "0b7c1f6e-5f4c-4a55-9f3c-6f0a7f0d9a11"
    books.type_invoice("GHOST-1", Url=f"{settings.PUBLIC_URL}/invoice/{gone}", DueDate="2099-12-31")
    books.type_invoice("OTHER-1", Url=f"https://another.test/invoice/{gone}", DueDate="2099-12-31")
    assert found(supplier) == [("exists", "", "GHOST-1")]


def test_a_contact_renamed_on_either_side_is_no_difference(sent, supplier, books):
    books.rename_contact("Corner Cafe", "The Corner")
    assert verify_books(supplier).equal
    customer = sent.customer
    customer.trading_name = "Corner & Co"
    save_customer(customer, by=None)
    assert verify_books(supplier).equal


def test_an_archived_contact_is_a_difference(sent, supplier, books):
    books.archive_contact("Corner Cafe")
    assert found(supplier) == [("status", "ACTIVE", "ARCHIVED")]


def test_a_merged_contact_is_followed(sent, supplier, books):
    books.add_contact("Corner Group")
    books.merge_contact("Corner Cafe", into="Corner Group")
    assert verify_books(supplier).equal


def test_new_settings_do_not_make_old_invoices_wrong(sent, supplier, connection, later, sync):
    later(minutes=5)
    other = connection.accounts.get(code="260").account_id
    save_settings(connection, {"sales_account": other, "invoice_status": "DRAFT"}, None)
    assert verify_books(supplier).equal
    cast.placed_order(sent.customer, {"SYRUP-VAN": 1})
    sync()
    assert verify_books(supplier).equal


def test_an_item_that_came_after_the_invoice_changes_nothing(sent, supplier, books, later):
    later(hours=2)
    books.add_item("OAT-1L", "Oat milk", "4.50")
    assert verify_books(supplier).equal


def test_an_item_that_was_there_must_be_on_the_line(connection, supplier, books, later, sync):
    books.add_item("OAT-1L", "Oat milk", "4.50")
    later(hours=3)
    number = cast.placed_order(cast.venue(supplier)).invoice.number
    sync()
    assert verify_books(supplier).equal
    assert books.find_invoice(number)["LineItems"][0]["ItemCode"] == "OAT-1L"
    line = _bare(books.find_invoice(number)["LineItems"][0])
    kept = {name: value for name, value in line.items() if name not in {"ItemCode", "LineItemID"}}
    books.edit_invoice(number, LineItems=[kept])
    assert ("lines[0].item_code", "OAT-1L", "") in found(supplier)


def test_the_calls_are_few_and_are_shown(sent, supplier):
    before = Call.objects.count()
    verify_books(supplier)
    assert Call.objects.count() - before == 4  # accounts, items, contacts, invoices


def test_without_a_connection_it_says_so(supplier):
    with pytest.raises(ProvenderError, match="not connected"):
        verify_books(supplier)


def test_a_lost_consent_is_named(sent, supplier, books):
    books.disconnect()
    with pytest.raises(ProvenderError, match="no way into"):
        verify_books(supplier)


# --- by night -----------------------------------------------------------------------------------------------------


def problems():
    return list(Problem.objects.filter(solved_at=None).values_list("cause", flat=True))


def test_by_night_a_difference_becomes_a_problem_once(sent, number, connection, books):
    books.edit_invoice(number, Reference="typed over")
    assert (compare_nightly(connection), compare_nightly(connection)) == (1, 0)
    problem = Problem.objects.get(solved_at=None)
    assert problem.cause == "differs"
    assert "typed over" in problem.words["changes"]


def test_what_a_person_kept_stays_quiet_until_it_changes_again(sent, number, connection, books):
    books.edit_invoice(number, Reference="typed over")
    compare_nightly(connection)
    actions.keep_theirs(Problem.objects.get(), None)
    assert compare_nightly(connection) == 0
    books.edit_invoice(number, Reference="typed over again")
    assert compare_nightly(connection) == 1


def test_sending_ours_mends_what_the_night_found(sent, number, supplier, connection, books, sync):
    books.edit_invoice(number, Reference="typed over")
    compare_nightly(connection)
    actions.send_ours(Problem.objects.get(), None)
    sync()
    assert problems() == []
    assert verify_books(supplier).equal


def test_by_night_a_document_on_its_way_is_left_alone(sent, supplier, connection):
    edit_order(sent, lines=cast.goods(supplier, {"OAT-1L": 9}), by=None)
    assert compare_nightly(connection) == 0


def test_by_night_an_orphan_is_named(sent, number, connection, books):
    books.type_invoice("COPY-1", Url=books.find_invoice(number)["Url"], DueDate="2099-12-31")
    compare_nightly(connection)
    assert problems() == ["orphan"]


# --- reading ------------------------------------------------------------------------------------------------------


def test_marks_are_read_from_our_own_addresses_only():
    uuid = "0b7c1f6e-5f4c-4a55-9f3c-6f0a7f0d9a11"
    assert str(read_mark(f"https://orders.test/invoice/{uuid}/")) == uuid
    assert read_mark(f"https://orders.test/order/{uuid}") is None
    assert read_mark("https://orders.test/invoice/17") is None
    assert read_mark(None) is None
    assert str(read_contact_mark(f"pv-{uuid}")) == uuid
    assert read_contact_mark("pv-17") is None


@pytest.mark.parametrize(
    "text", ["/Date(1539993600000+0000)/", "/Date(1539993600000+1300)/", "2018-10-20", "2018-10-20T00:00:00"]
)
def test_a_day_is_read_as_utc(text):
    assert read_day(text) == date(2018, 10, 20)


def test_a_day_before_1970_is_read():
    assert read_day("/Date(-86400000+0000)/") == date(1969, 12, 31)


def test_when_it_may_be_asked_again_is_by_the_wholesalers_clock(connection, supplier):
    Connection.objects.update(parked_until=clock.now() + timedelta(hours=2))
    with pytest.raises(XeroBusy, match=r"after \d\d:\d\d AE[DS]T\."):
        verify_books(supplier)
