"""Credit notes on their way to Xero: made, changed, voided, in doubt, and touched by a bookkeeper."""

from decimal import Decimal

import pytest

import cast
from importing.files import bring_in, csv_of, row
from provender.changes.actions import post
from provender.invoicing.credit_notes import void_credit_note
from provender.invoicing.models import CreditNote
from provender.sync import actions
from provender.sync.choices import save_settings
from provender.sync.models import Dispatch, Link, Problem
from provender.sync.verify import verify_books
from provender.sync.waiting import ask_for_everything

pytestmark = pytest.mark.django_db

CREDIT_NOTES = "/api.xro/2.0/CreditNotes"


@pytest.fixture
def credit(connection, supplier, cafe):
    """A credit note of Corner Cafe for one oat milk of its invoice, not sent yet."""
    invoice = cast.invoice(cafe)
    return cast.credit_note(cafe, cast.line(quantity=1), invoice=invoice, reason="One carton leaked")


@pytest.fixture
def cafe(supplier):
    return cast.venue(supplier, "Corner Cafe")


def there(xero, credit):
    """What Xero has with this credit note's mark."""
    shown = xero.books()["organisations"][0]["CreditNotes"]
    mine = [one["CreditNoteID"] for one in shown if one["Reference"].endswith(f"pv-{credit.pk}")]
    return [xero.organisation().find_credit_note(one) for one in mine]


def change(credit, reason):
    """Give it another reason, as an edit here does."""
    credit.reason = reason
    credit.save(update_fields=["reason"])
    post(credit.supplier, "credit_note", credit.pk, "Changed")


def test_it_arrives_approved_with_its_lines_accounts_and_mark(credit, sync, xero):
    sync()
    (theirs,) = there(xero, credit)
    assert (theirs["Type"], theirs["Status"], theirs["CreditNoteNumber"]) == (
        "ACCRECCREDIT",
        "AUTHORISED",
        credit.number,
    )
    assert theirs["Contact"]["Name"] == "Corner Cafe"
    assert theirs["Reference"].startswith(f"{credit.invoice.number} · One carton leaked pv-")
    assert str(theirs["Total"]) == str(credit.total) == "4.95"
    (line,) = theirs["LineItems"]
    assert (line["AccountCode"], line["TaxType"]) == ("200", "OUTPUT")
    link = Link.objects.get(kind="credit_note")
    assert (link.document, link.status, link.total) == (credit.pk, "AUTHORISED", Decimal("4.95"))


def test_imported_it_waits_to_be_asked_for_then_arrives_free(connection, supplier, sync, xero):
    bring_in(
        supplier, csv_of(row("C7", quantity="-2"), row("C7", sku="POST", quantity="1", price="1")), freight=["POST"]
    )
    credit = CreditNote.objects.get()
    sync()
    assert not there(xero, credit)
    assert verify_books(supplier).held_back == 1
    ask_for_everything(supplier)
    sync()
    (theirs,) = there(xero, credit)
    assert (theirs["Type"], theirs["Status"], theirs["CreditNoteNumber"]) == ("ACCRECCREDIT", "AUTHORISED", "C7")
    assert [str(theirs[name]) for name in ("SubTotal", "TotalTax", "Total")] == ["4.10", "0.41", "4.51"]
    assert [line["Quantity"] for line in theirs["LineItems"]] == [2, -1]
    assert theirs["RemainingCredit"] == theirs["Total"]
    report = verify_books(supplier)
    assert (report.equal, report.checked["credit_notes"], report.held_back) == (True, 1, 0)


def test_by_setting_it_arrives_as_a_draft(credit, connection, sync, xero):
    connection.credit_note_status = "DRAFT"
    connection.save(update_fields=["credit_note_status"])
    sync()
    assert there(xero, credit)[0]["Status"] == "DRAFT"


def test_a_long_reason_is_cut_before_the_mark(cafe, sync, xero, connection):
    credit = cast.credit_note(cafe, reason="Far too warm " * 60)
    sync()
    (theirs,) = there(xero, credit)
    assert len(theirs["Reference"]) <= 255


def test_a_change_goes_with_line_ids_and_without_status(credit, sync, xero, books):
    sync()
    line = there(xero, credit)[0]["LineItems"][0]["LineItemID"]
    change(credit, "Two cartons leaked")
    sync()
    (theirs,) = there(xero, credit)
    assert "Two cartons leaked" in theirs["Reference"]
    assert theirs["LineItems"][0]["LineItemID"] == line
    assert not Problem.objects.exists()


@pytest.mark.parametrize(("status", "gone"), [("AUTHORISED", "VOIDED"), ("DRAFT", "DELETED")])
def test_voided_here_it_is_taken_back_there(credit, connection, sync, xero, status, gone):
    connection.credit_note_status = status
    connection.save(update_fields=["credit_note_status"])
    sync()
    void_credit_note(credit)
    sync()
    assert there(xero, credit)[0]["Status"] == gone
    assert Link.objects.get(kind="credit_note").status == gone


def test_voided_before_it_went_nothing_goes(credit, sync, xero):
    void_credit_note(credit)
    sync()
    assert there(xero, credit) == []
    assert not Problem.objects.exists()


@pytest.mark.parametrize("kind", ["drop-after-commit", "500-after-commit", "cut-body"])
def test_a_lost_answer_is_found_by_number_and_mark(credit, sync, xero, kind):
    xero.faults.add(kind, methods=["PUT", "POST"], path=CREDIT_NOTES, count=1)
    sync()
    assert len(there(xero, credit)) == 1
    assert Link.objects.filter(kind="credit_note").count() == 1
    assert not Dispatch.objects.exists()


def test_what_never_arrived_goes_again_only_after_the_wait(credit, sync, xero, later):
    xero.faults.add("drop-before-commit", methods=["PUT"], path=CREDIT_NOTES, count=1)
    sync()
    later(seconds=100)
    sync()
    assert there(xero, credit) == []
    for _ in range(4):
        later(seconds=100)
        sync()
    assert len(there(xero, credit)) == 1


def test_somebody_elses_number_is_a_question(credit, sync, xero, books):
    books.type_credit_note("Corner Cafe", number=credit.number)
    sync()
    assert Problem.objects.get(kind="credit_note").cause == "number-taken"
    assert there(xero, credit) == []


def test_a_taken_number_is_given_up_for_the_next(credit, sync, xero, books):
    books.type_credit_note("Corner Cafe", number=credit.number)
    sync()
    number = actions.renumber(Problem.objects.get(kind="credit_note"), None)
    sync()
    assert [one["CreditNoteNumber"] for one in there(xero, credit)] == [number]
    assert not Problem.objects.filter(solved_at=None).exists()


def test_edited_in_xero_it_is_asked_and_ours_can_be_sent_over_it(credit, sync, xero, books):
    sync()
    books.edit_credit_note(credit.number, Reference="by hand")
    change(credit, "Two cartons leaked")
    sync()
    problem = Problem.objects.get(kind="credit_note")
    assert problem.cause == "edited-in-xero"
    actions.send_ours(problem, None)
    sync()
    assert "Two cartons leaked" in there(xero, credit)[0]["Reference"]
    assert not Problem.objects.filter(solved_at=None).exists()


def test_used_in_xero_it_takes_no_more_changes(credit, sync, xero, books):
    sync()
    books.allocate(credit.number, credit.invoice.number, "4.95")
    change(credit, "Two cartons leaked")
    sync()
    assert Problem.objects.get(kind="credit_note").cause == "paid-or-credited"


def test_a_customer_without_contact_holds_it_as_it_holds_an_invoice(supplier, connection, sync, books, xero):
    books.archive_contact(books.add_contact("Shut Cafe"))
    cafe = cast.venue(supplier, "Shut Cafe")
    credit = cast.credit_note(cafe)
    other = cast.credit_note(cast.venue(supplier, "shut  CAFE"))
    sync()
    held = set(Problem.objects.filter(kind="credit_note", solved_at=None).values_list("cause", flat=True))
    assert held == {"same-name"}
    assert len(there(xero, credit)) + len(there(xero, other)) <= 1


def test_xeros_total_must_be_ours(cafe, sync, xero, connection, books):
    save_settings(connection, {"tax_type_gst": "OUTPUT"}, None)
    credit = cast.credit_note(cafe, cast.line(quantity=3, price="0.3333"))
    supplier = credit.supplier
    supplier.tax_rate = Decimal(12)
    supplier.save(update_fields=["tax_rate"])
    other = cast.credit_note(cafe, cast.line(quantity=10))
    sync()
    assert str(there(xero, credit)[0]["Total"]) == str(credit.total)
    assert Problem.objects.get(solved_at=None).document == other.pk
    assert Problem.objects.get(solved_at=None).cause == "total-differs"
