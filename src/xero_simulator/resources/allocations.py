"""Credit given to invoices, and taken back."""

from decimal import Decimal

from xero_simulator import documents, messages, settlements
from xero_simulator.books import Books, new_id
from xero_simulator.calls import Call, Saving, Shown, answer_invalid, save_each
from xero_simulator.errors import Inside, Invalid, NotFound
from xero_simulator.records import Allocation, Credit, Invoice, Wire
from xero_simulator.resources import invoices
from xero_simulator.rounding import cents
from xero_simulator.wire import (
    Answer,
    date_string,
    guid_or_none,
    json_answer,
    ms_date,
    ms_time,
    present,
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
    """The answer to allocating. Xero's own description shows it without an id, which then stands in the credit."""
    name = "CreditNote" if allocation.credit_id in call.books.credit_notes.rows else "Overpayment"
    return present(
        AllocationID=allocation.id if call.switches["allocating_tells_id"] else None,
        Amount=allocation.amount,
        Date=ms_date(allocation.date),
        Invoice=invoices.show_stub(InvoiceID=allocation.invoice_id),
    ) | {name: {f"{name}ID": allocation.credit_id, "ID": allocation.credit_id, "LineItems": []}}


def show_use(books: Books, credit: Credit) -> Shown:
    """What became of a credit note or overpayment, as it stands inside it: what was given, what was paid back."""
    payments = settlements.show_payments(books, credit.id) if credit.refunded else []
    return {"Allocations": _show_allocations(books, credit), "Payments": payments}


def _show_allocations(books: Books, credit: Credit) -> list[Shown]:
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
    """Give credit to an invoice, dated the later of the two documents whatever date was sent. Raises Invalid."""
    books = call.books
    credit = books.tables[type(credit).__name__].rows[credit.id]
    invoice = _find_invoice(books, sent.invoice)
    if invoice is None:
        raise Invalid(Inside(messages.INVOICE_ID_UNKNOWN, ("Invoice",)))
    given = read_number(sent.amount if sent.amount is not None else sent.applied_amount)
    amount = cents(given or Decimal(0))
    read_date(sent.date)
    day = max(credit.date, invoice.date)
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
    if credit.currency_code != invoice.currency_code:
        texts.append(messages.ALLOCATION_CURRENCY)
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
    try:
        take_back(call.books, credit, allocation)
    except Invalid as refusal:
        errors = [{"Message": str(text)} for text in refusal.texts]
        return answer_invalid([{"AllocationID": allocation.id, "ValidationErrors": errors}])
    return json_answer(
        {
            "AllocationId": allocation.id,
            "Amount": allocation.amount,  # not in Xero's example, but its SDK doesn't read an allocation without
            "Date": ms_time(call.books.now(), ""),
            "Invoice": [{"InvoiceID": allocation.invoice_id}],
            "IsDeleted": True,
        }
    )


def take_back(books: Books, credit: Credit, allocation: Allocation) -> None:
    """Undo an allocation: the invoice is owed again, the credit is there again. Raises Invalid in a locked period."""
    if texts := documents.check_locks(books, allocation.date):
        raise Invalid(*texts)
    books.drop(allocation)
    settlements.add_to_credit(books, credit, allocation.date, used=-allocation.amount)
    settlements.add_to_invoice(books, allocation.invoice_id, allocation.date, credited=-allocation.amount)
