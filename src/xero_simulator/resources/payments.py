"""Payments: made and deleted, never edited."""

from datetime import date
from decimal import Decimal

from xero_simulator import currencies, documents, messages, settlements
from xero_simulator.books import Books, new_id
from xero_simulator.calls import (
    Call,
    Listing,
    Route,
    Saving,
    Shown,
    answer_list,
    moment_of,
    replaced,
    save_each,
    save_whole,
)
from xero_simulator.errors import Inside, Invalid, NotFound, placed
from xero_simulator.filters import Getter
from xero_simulator.records import (
    Account,
    BatchPayment,
    Contact,
    Credit,
    CreditNote,
    Invoice,
    Overpayment,
    Payment,
    Wire,
)
from xero_simulator.resources import accounts, contacts, invoices
from xero_simulator.rounding import SAME_CURRENCY, cents
from xero_simulator.wire import (
    Answer,
    envelope,
    guid_or_none,
    ms_date,
    ms_time,
    present,
    read_date,
    read_guid,
    read_number,
    utc_string,
)

TYPE_OF = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
    "RECEIVE-OVERPAYMENT": "AROVERPAYMENTPAYMENT",
    "SPEND-OVERPAYMENT": "APOVERPAYMENTPAYMENT",
}
LONGEST_REFERENCE = 255
Document = Invoice | CreditNote | Overpayment


class DocumentIn(Wire, frozen=True):
    invoice_id: str | None = None
    invoice_number: str | None = None
    credit_note_id: str | None = None
    credit_note_number: str | None = None
    overpayment_id: str | None = None
    prepayment_id: str | None = None


class AccountRef(Wire, frozen=True):
    account_id: str | None = None
    code: str | None = None


class PaymentIn(Wire, frozen=True):
    payment_id: str | None = None
    invoice: DocumentIn | None = None
    credit_note: DocumentIn | None = None
    overpayment: DocumentIn | None = None
    prepayment: DocumentIn | None = None
    invoice_number: str | None = None
    credit_note_number: str | None = None
    account: AccountRef | None = None
    code: str | None = None
    date: str | None = None
    amount: Decimal | None = None
    currency_rate: Decimal | None = None
    reference: str | None = None
    is_reconciled: bool | None = None
    status: str | None = None


def show_in_list(call: Call, payment: Payment) -> Shown:
    return _show_head(call.books, payment) | _show_document(call.books, payment) | {"HasValidationErrors": False}


def show(call: Call, payment: Payment) -> Shown:
    """A payment by itself: with the whole invoice that it pays."""
    shown = show_in_list(call, payment)
    if invoice := call.books.invoices.get(payment.document_id):
        shown["Invoice"] = invoices.show(call, invoice)
    return shown


def _show_head(books: Books, payment: Payment) -> Shown:
    return present(
        PaymentID=payment.id,
        BatchPaymentID=payment.batch_id,
        BatchPayment=_show_batch(books.batch_payments.rows[payment.batch_id]) if payment.batch_id else None,
        Date=ms_date(payment.date),
        BankAmount=payment.at_bank,
        Amount=payment.amount,
        Reference=payment.reference or "",
        CurrencyRate=payment.currency_rate,
        PaymentType=payment.type,
        Status=payment.status,
        UpdatedDateUTC=ms_time(payment.updated),
        UpdatedDateUTCString=utc_string(payment.updated),
        HasAccount=True,
        IsReconciled=payment.is_reconciled,
        Account=accounts.show_briefly(books, payment.account_id),
    )


def _show_batch(batch: BatchPayment) -> Shown:
    """The batch as it stands inside its payments."""
    return {
        "Account": {"AccountID": batch.account_id},
        "BatchPaymentID": batch.id,
        "Date": ms_date(batch.date),
        "Type": batch.type,
        "Status": batch.status,
        "TotalAmount": batch.total,
        "UpdatedDateUTC": ms_time(batch.updated),
        "IsReconciled": batch.is_reconciled,
    }


def _show_document(books: Books, payment: Payment) -> Shown:
    """What was paid. A refunded credit note stands there as an invoice of its own type, as at Xero."""
    if payment.document_id in books.invoices.rows:
        return {"Invoice": invoices.show_briefly(books, payment.document_id)}
    if note := books.credit_notes.get(payment.document_id):
        stub = invoices.show_stub(
            Type=note.type,
            InvoiceID=note.id,
            InvoiceNumber=note.number or "",
            Contact=contacts.show_briefly(books, note.contact_id),
            CurrencyCode=note.currency_code,
        )
        return {"Invoice": stub}
    return {"Overpayment": {"OverpaymentID": payment.document_id}}


def _fields(books: Books) -> dict[str, Getter]:
    def of_invoice(payment: Payment) -> Invoice | None:
        return books.invoices.get(payment.document_id)

    def of_note(payment: Payment) -> CreditNote | None:
        return books.credit_notes.get(payment.document_id)

    def contact(payment: Payment) -> Contact | None:
        return books.contacts.get(i.contact_id) if (i := of_invoice(payment)) else None

    return {
        "PaymentID": lambda p: p.id,
        "PaymentType": lambda p: p.type,
        "Status": lambda p: p.status,
        "Date": lambda p: p.date,
        "Amount": lambda p: p.amount,
        "BankAmount": lambda p: p.at_bank,
        "Reference": lambda p: p.reference,
        "IsReconciled": lambda p: p.is_reconciled,
        "BatchPaymentID": lambda p: p.batch_id,
        "BatchPayment.BatchPaymentID": lambda p: p.batch_id,
        "Invoice.InvoiceID": lambda p: None if p.document_id in books.overpayments.rows else p.document_id,
        "Invoice.InvoiceNumber": lambda p: i.number if (i := of_invoice(p)) else None,
        "Invoice.Type": lambda p: i.type if (i := of_invoice(p)) else None,
        "Invoice.Contact.ContactID": lambda p: c.id if (c := contact(p)) else None,
        "Invoice.Contact.Name": lambda p: c.name if (c := contact(p)) else None,
        "CreditNote.CreditNoteID": lambda p: n.id if (n := of_note(p)) else None,
        "CreditNote.CreditNoteNumber": lambda p: n.number if (n := of_note(p)) else None,
        "Overpayment.OverpaymentID": lambda p: p.document_id if p.document_id in books.overpayments.rows else None,
        "Account.AccountID": lambda p: p.account_id,
        "Account.Code": lambda p: books.accounts.rows[p.account_id].code,
        "UpdatedDateUTC": moment_of,
    }


OPTIMISED = frozenset({"PaymentID", "PaymentType", "Invoice.InvoiceID", "Status", "Date", "UpdatedDateUTC"})
SAVING = Saving("Payments", "PaymentID", show, flags=("HasValidationErrors",))


def get_all(call: Call) -> Answer:
    listing = Listing("Payments", _fields(call.books), show_in_list, pages=True, optimised=OPTIMISED)
    return answer_list(call, listing, call.books.payments)


def _find(call: Call) -> Payment:
    payment = call.books.payments.get(guid_or_none(call.ids[0]))
    if payment is None:
        raise NotFound(messages.NOT_FOUND)
    return payment


def get_one(call: Call) -> Answer:
    return envelope("Payments", [show(call, _find(call))], call.books.now())


def put(call: Call) -> Answer:
    return save_each(call, SAVING, call.elements("Payments", PaymentIn), create)


def post(call: Call) -> Answer:
    return save_whole(call, SAVING, call.elements("Payments", PaymentIn)[0], _save)


def _save(call: Call, sent: PaymentIn) -> Payment:
    payment_id = read_guid(sent.payment_id)
    if payment_id is None:
        return create(call, sent)
    payment = call.books.payments.get(payment_id)
    if payment is None:
        raise Invalid(messages.PAYMENT_ID_UNKNOWN)
    return delete(call, payment, sent.status)


def post_one(call: Call) -> Answer:
    payment = _find(call)
    element = call.elements("Payments", PaymentIn)[0]
    return save_whole(call, SAVING, element, lambda call, sent: delete(call, payment, sent.status))


def find_document(books: Books, sent: PaymentIn) -> Document:
    """The one document that a payment pays. Raises Invalid."""
    named = [one for one in (sent.invoice, sent.credit_note, sent.overpayment) if one is not None]
    if len(named) + bool(sent.invoice_number) + bool(sent.credit_note_number) != 1:
        raise Invalid(messages.PAYMENT_DOCUMENT_REQUIRED)
    one = named[0] if named else DocumentIn()
    if sent.invoice is not None or sent.invoice_number:
        return _found(_invoice(books, one, sent.invoice_number), messages.INVOICE_ID_UNKNOWN, "Invoice")
    if sent.credit_note is not None or sent.credit_note_number:
        number = one.credit_note_number or sent.credit_note_number
        note_id = read_guid(one.credit_note_id)
        note = books.credit_notes.get(note_id) if note_id else books.credit_notes.first("number", number or "")
        return _found(note, messages.CREDIT_NOTE_ID_UNKNOWN, "CreditNote")
    overpayment = books.overpayments.get(read_guid(one.overpayment_id))
    return _found(overpayment, messages.PAYMENT_DOCUMENT_REQUIRED, "Overpayment")


def _invoice(books: Books, one: DocumentIn, number: str | None) -> Invoice | None:
    invoice_id = read_guid(one.invoice_id)
    if invoice_id:
        return books.invoices.get(invoice_id)
    found = books.invoices.find("number", one.invoice_number or number or "")
    return next((invoice for invoice in found if invoice.status not in documents.ENDED), found[0] if found else None)


def _found(document: Document | None, text: str, part: str) -> Document:
    if document is None:
        raise Invalid(Inside(text, (part,)))
    return document


def find_account(books: Books, sent: AccountRef | None, code: str | None = None) -> Account | None:
    """A bank account, or one that takes payments; None for any other."""
    account_id = read_guid(sent.account_id) if sent else None
    wanted = (sent.code if sent else None) or code
    account = books.accounts.get(account_id) if account_id else books.accounts.first("code", (wanted or "").upper())
    if account is None or account.status != "ACTIVE":
        return None
    return account if account.type == "BANK" or account.enable_payments else None


def outstanding(document: Document) -> Decimal:
    return document.due if isinstance(document, Invoice) else document.remaining


def check_payment(books: Books, document: Document, amount: Decimal, day: date) -> list[str]:
    """What is wrong with paying so much of this document on that day."""
    texts = [messages.PAYMENT_AMOUNT_INVALID] if amount <= 0 else []
    if amount > outstanding(document) or document.status in {"PAID", "VOIDED", "DELETED"}:
        texts.append(messages.PAYMENT_TOO_LARGE)
    if document.status != "AUTHORISED":
        texts.append(messages.PAYMENT_NEEDS_AUTHORISED)
    return texts + documents.check_locks(books, day)


def create(call: Call, sent: PaymentIn) -> Payment:
    """Pay a document, or a part of it. Raises Invalid."""
    document = find_document(call.books, sent)
    day = read_date(sent.date) or call.books.today()
    account = find_account(call.books, sent.account, sent.code)
    texts = [] if account else placed([messages.PAYMENT_ACCOUNT_MISSING], "Account")
    if sent.reference and len(sent.reference) > LONGEST_REFERENCE:
        texts.append(messages.too_long("Reference", LONGEST_REFERENCE))
    amount = cents(read_number(sent.amount) or Decimal(0))
    texts += check_payment(call.books, document, amount, day)
    rate, at_bank = SAME_CURRENCY, amount
    if account:
        rate, at_bank = currencies.pay_through(call.books, account, document, amount, sent.currency_rate, texts)
    if texts or account is None:
        raise Invalid(*texts)
    payment = Payment(
        id=new_id(),
        updated=call.books.now(),
        type=TYPE_OF[document.type],
        account_id=account.id,
        date=day,
        amount=amount,
        document_id=document.id,
        reference=sent.reference,
        is_reconciled=bool(sent.is_reconciled),
        app_id=call.app_id,
        currency_rate=rate,
        bank_amount=at_bank if at_bank != amount else None,
    )
    record(call.books, payment)
    return payment


def record(books: Books, payment: Payment) -> None:
    """Put a payment into the books and its amount onto the document."""
    books.put(payment)
    _apply(books, payment, payment.amount)


def _apply(books: Books, payment: Payment, amount: Decimal) -> None:
    if payment.document_id in books.invoices.rows:
        settlements.add_to_invoice(books, payment.document_id, payment.date, paid=amount)
        return
    credit: Credit | None = books.credit_notes.get(payment.document_id) or books.overpayments.get(payment.document_id)
    if credit is not None:
        settlements.add_to_credit(books, credit, payment.date, refunded=amount)


def delete(call: Call, old: Payment, status: str | None) -> Payment:
    """Take a payment out again. Raises Invalid for one in a batch, a reconciled or a deleted one."""
    if (status or "").upper() != "DELETED" or old.status == "DELETED":
        raise Invalid(messages.PAYMENT_NOT_MODIFIABLE)
    if old.batch_id:
        raise Invalid(messages.PAYMENT_IN_BATCH)
    if old.is_reconciled and not call.switches["reconciled_payment_deletable"]:
        raise Invalid(messages.PAYMENT_RECONCILED)
    if texts := documents.check_locks(call.books, old.date):
        raise Invalid(*texts)
    return take_back(call.books, old)


def take_back(books: Books, old: Payment) -> Payment:
    """Delete a payment without asking."""
    moved = books.switches["deleted_payment_is_modified"]
    payment = replaced(old, status="DELETED", updated=books.now() if moved else old.updated)
    books.put(payment)
    _apply(books, payment, -payment.amount)
    return payment


ROUTES = [
    Route("GET", ("Payments",), get_all),
    Route("GET", ("Payments", None), get_one),
    Route("PUT", ("Payments",), put),
    Route("POST", ("Payments",), post),
    Route("POST", ("Payments", None), post_one),
]
