"""Credit given to invoices, and taken back."""

from decimal import Decimal

from xero_simulator import documents, messages, settlements
from xero_simulator.books import Books, new_id
from xero_simulator.calls import Call, Saving, Shown, save_each
from xero_simulator.errors import Invalid, NotFound
from xero_simulator.records import Allocation, Credit, Invoice, Wire
from xero_simulator.resources import invoices
from xero_simulator.rounding import cents
from xero_simulator.wire import (
    Answer,
    date_string,
    guid_or_none,
    json_answer,
    ms_date,
    read_date,
    read_guid,
    read_number,
)

SIDES = {
    "ACCRECCREDIT": "ACCREC",
    "ACCPAYCREDIT": "ACCPAY",
    "RECEIVE-OVERPAYMENT": "ACCREC",
    "SPEND-OVERPAYMENT": "ACCPAY",
}


class InvoiceRef(Wire, frozen=True):
    invoice_id: str | None = None
    invoice_number: str | None = None


class AllocationIn(Wire, frozen=True):
    invoice: InvoiceRef | None = None
    amount: Decimal | None = None
    applied_amount: Decimal | None = None
    date: str | None = None


def show(call: Call, allocation: Allocation) -> Shown:
    invoice = call.books.invoices.rows[allocation.invoice_id]
    return {
        "AllocationID": allocation.id,
        "Amount": allocation.amount,
        "Date": ms_date(allocation.date),
        "Invoice": {
            "InvoiceID": invoice.id,
            "InvoiceNumber": invoice.number or "",
            "LineItems": [],
        },
    }


def show_of_credit(books: Books, credit: Credit) -> list[Shown]:
    """The allocations as they stand inside a credit note or overpayment."""
    return [
        {
            "AllocationID": allocation.id,
            "Amount": allocation.amount,
            "DateString": date_string(allocation.date),
            "Date": ms_date(allocation.date),
            "Invoice": invoices.show_briefly(books, allocation.invoice_id),
        }
        for allocation in (books.allocations.find("credit", credit.id) if credit.allocated else ())
    ]


SAVING = Saving("Allocations", "AllocationID", show, flags=(), has_status=True)


def put(call: Call, credit: Credit) -> Answer:
    elements = call.elements("Allocations", AllocationIn)
    return save_each(call, SAVING, elements, lambda call, sent: create(call, credit, sent))


def create(call: Call, credit: Credit, sent: AllocationIn) -> Allocation:
    """Give credit to an invoice. Its date is in effect the later of the two documents'. Raises Invalid."""
    books = call.books
    credit = books.tables[type(credit).__name__].rows[credit.id]
    invoice = _find_invoice(books, sent.invoice)
    if invoice is None:
        raise Invalid(messages.INVOICE_ID_UNKNOWN)
    given = read_number(sent.amount if sent.amount is not None else sent.applied_amount)
    amount = cents(given or Decimal(0))
    day = max(credit.date, invoice.date, read_date(sent.date) or credit.date)
    if texts := _check(books, credit, invoice, amount) + documents.check_locks(books, day):
        raise Invalid(*texts)
    allocation = Allocation(
        id=new_id(), updated=books.now(), credit_id=credit.id, invoice_id=invoice.id, amount=amount, date=day
    )
    books.put(allocation)
    settlements.add_to_credit(books, credit, day, used=amount)
    settlements.add_to_invoice(books, invoice.id, day, credited=amount)
    return allocation


def _find_invoice(books: Books, sent: InvoiceRef | None) -> Invoice | None:
    if sent is None:
        return None
    invoice_id = read_guid(sent.invoice_id)
    return books.invoices.get(invoice_id) if invoice_id else books.invoices.first("number", sent.invoice_number or "")


def _check(books: Books, credit: Credit, invoice: Invoice, amount: Decimal) -> list[str]:
    texts = [messages.ALLOCATION_AMOUNT_INVALID] if amount <= 0 else []
    if credit.status != "AUTHORISED" or invoice.status != "AUTHORISED":
        texts.append(messages.ALLOCATION_NEEDS_AUTHORISED)
    if SIDES[credit.type] != invoice.type:
        texts.append(messages.ALLOCATION_TYPE)
    if credit.contact_id != invoice.contact_id and books.switches["allocation_needs_same_contact"]:
        texts.append(messages.ALLOCATION_CONTACT)
    if amount > credit.remaining:
        texts.append(messages.ALLOCATION_TOO_LARGE)
    if amount > invoice.due:
        texts.append(messages.ALLOCATION_ABOVE_DUE)
    return texts


def delete(call: Call, credit: Credit) -> Answer:
    """Take an allocation back; the answer is a bare object in Xero's odd casing."""
    allocation = call.books.allocations.get(guid_or_none(call.ids[1]))
    if allocation is None or allocation.credit_id != credit.id:
        raise NotFound(messages.ALLOCATION_UNKNOWN)
    take_back(call.books, credit, allocation)
    return json_answer(
        {
            "AllocationId": allocation.id,
            "Amount": allocation.amount,
            "Date": ms_date(allocation.date),
            "Invoice": {"InvoiceID": allocation.invoice_id, "LineItems": []},
            "IsDeleted": True,
        }
    )


def take_back(books: Books, credit: Credit, allocation: Allocation) -> None:
    """Undo an allocation: the invoice is owed again, the credit is there again."""
    books.drop(allocation)
    settlements.add_to_credit(books, credit, allocation.date, used=-allocation.amount)
    settlements.add_to_invoice(books, allocation.invoice_id, allocation.date, credited=-allocation.amount)
