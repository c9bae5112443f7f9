"""What pays documents: payments and allocations, and the flip to PAID and back."""

from datetime import date
from decimal import Decimal

from xero_simulator.books import Books
from xero_simulator.calls import Shown, replaced
from xero_simulator.records import Allocation, Credit, Invoice, Payment
from xero_simulator.rounding import ZERO
from xero_simulator.wire import ms_date, present


def show_of_invoice(books: Books, invoice: Invoice) -> Shown:
    """The payments and credits of an invoice, as they stand inside it."""
    shown: Shown = {"Payments": show_payments(books, invoice.id)}
    credit_notes, overpayments = [], []
    for allocation in books.allocations.find("invoice", invoice.id) if invoice.credited else ():
        if note := books.credit_notes.get(allocation.credit_id):
            credit_notes.append(_show_credit("CreditNoteID", allocation) | {"CreditNoteNumber": note.number or ""})
        else:
            overpayments.append(_show_credit("OverpaymentID", allocation))
    shown["CreditNotes"] = credit_notes
    shown["Prepayments"] = []
    shown["Overpayments"] = overpayments
    return shown


def show_payments(books: Books, document_id: str) -> list[Shown]:
    """The payments of an invoice, or the refunds of a credit, as they stand inside it."""
    payments = books.payments.find("document", document_id)
    return [_show_payment(payment) for payment in payments if payment.status == "AUTHORISED"]


def _show_payment(payment: Payment) -> Shown:
    return present(
        PaymentID=payment.id,
        BatchPaymentID=payment.batch_id,
        Date=ms_date(payment.date),
        Amount=payment.amount,
        Reference=payment.reference,
        CurrencyRate=payment.currency_rate,
        HasAccount=False,
        HasValidationErrors=False,
    )


def _show_credit(id_name: str, allocation: Allocation) -> Shown:
    return {
        id_name: allocation.credit_id,
        "AppliedAmount": allocation.amount,
        "DateString": f"{allocation.date.isoformat()}T00:00:00",
        "Date": ms_date(allocation.date),
        "LineItems": [],
        "Total": allocation.amount,
    }


def settle_invoice(books: Books, invoice: Invoice, day: date) -> Invoice:
    """PAID when nothing is due, AUTHORISED again when something is."""
    status, paid_on = ("PAID", day) if invoice.due == 0 else ("AUTHORISED", None)
    if invoice.status != status:
        invoice = replaced(invoice, status=status, fully_paid_on=paid_on)
        books.put(invoice)
    return invoice


def add_to_invoice(books: Books, invoice_id: str, day: date, *, paid: Decimal = ZERO, credited: Decimal = ZERO) -> None:
    """Money in (or, negative, out again) for an invoice, with a newer UpdatedDateUTC."""
    old = books.invoices.rows[invoice_id]
    invoice = replaced(old, paid=old.paid + paid, credited=old.credited + credited, updated=books.now())
    books.put(invoice)
    settle_invoice(books, invoice, day)


def add_to_credit(books: Books, credit: Credit, day: date, *, used: Decimal = ZERO, refunded: Decimal = ZERO) -> None:
    """Credit used up (or, negative, given back)."""
    now = books.tables[type(credit).__name__].rows[credit.id]
    changed = replaced(now, allocated=now.allocated + used, refunded=now.refunded + refunded, updated=books.now())
    spent = changed.remaining == 0
    books.put(replaced(changed, status="PAID" if spent else "AUTHORISED", fully_paid_on=day if spent else None))
