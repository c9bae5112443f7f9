"""Batch payments: one bank deposit for up to 200 documents, deleted only as a whole."""

from decimal import Decimal
from typing import NamedTuple

from xero_simulator import currencies, documents, messages
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
from xero_simulator.errors import Inside, Invalid, NotFound, inside, placed
from xero_simulator.filters import Getter
from xero_simulator.records import BatchPayment, Payment, Wire
from xero_simulator.resources import invoices, payments
from xero_simulator.resources.payments import AccountRef, DocumentIn, PaymentIn
from xero_simulator.rounding import ZERO, cents
from xero_simulator.wire import (
    Answer,
    date_string,
    envelope,
    guid_or_none,
    ms_date,
    ms_time,
    present,
    read_date,
    read_guid,
    read_number,
)

MOST_PAYMENTS = 200
LONGEST = {"Reference": 255, "Particulars": 12, "Code": 12, "Details": 18, "Narrative": 18}


class BatchedIn(Wire, frozen=True):
    invoice: DocumentIn | None = None
    credit_note: DocumentIn | None = None
    amount: Decimal | None = None
    reference: str | None = None


class BatchIn(Wire, frozen=True):
    batch_payment_id: str | None = None
    account: AccountRef | None = None
    date: str | None = None
    reference: str | None = None
    particulars: str | None = None
    code: str | None = None
    details: str | None = None
    narrative: str | None = None
    payments: list[BatchedIn] | None = None
    status: str | None = None


def show(call: Call, batch: BatchPayment) -> Shown:
    currency = currencies.of_account(call.books, call.books.accounts.rows[batch.account_id])
    return present(
        Account={"AccountID": batch.account_id, "CurrencyCode": currency},
        BatchPaymentID=batch.id,
        Reference=batch.reference,
        Particulars=batch.particulars,
        Code=batch.code,
        Details=batch.details,
        Narrative=batch.narrative,
        DateString=date_string(batch.date),
        Date=ms_date(batch.date),
        Payments=[_show_payment(call.books.payments.rows[one], currency) for one in _shown_payments(batch)],
        Type=batch.type,
        Status=batch.status,
        TotalAmount=batch.total,
        UpdatedDateUTC=ms_time(batch.updated),
        IsReconciled=batch.is_reconciled,
    )


def _shown_payments(batch: BatchPayment) -> tuple[str, ...]:
    return batch.payment_ids if batch.status == "AUTHORISED" else ()


def _show_payment(payment: Payment, currency: str) -> Shown:
    return present(
        Invoice=invoices.show_stub(InvoiceID=payment.document_id, CurrencyCode=currency),
        PaymentID=payment.id,
        Amount=payment.amount,
        BankAmount=payment.amount,
        Reference=payment.reference,
    )


def _fields(books: Books) -> dict[str, Getter]:
    return {
        "BatchPaymentID": lambda b: b.id,
        "Type": lambda b: b.type,
        "Status": lambda b: b.status,
        "Date": lambda b: b.date,
        "Reference": lambda b: b.reference,
        "Details": lambda b: b.details,
        "Narrative": lambda b: b.narrative,
        "Particulars": lambda b: b.particulars,
        "Code": lambda b: b.code,
        "TotalAmount": lambda b: b.total,
        "IsReconciled": lambda b: b.is_reconciled,
        "Account.AccountID": lambda b: b.account_id,
        "Account.Code": lambda b: books.accounts.rows[b.account_id].code,
        "UpdatedDateUTC": moment_of,
    }


OPTIMISED = frozenset({"BatchPaymentID", "Type", "Status", "Account.AccountID", "Date", "UpdatedDateUTC"})
SAVING = Saving("BatchPayments", "BatchPaymentID", show, flags=(), has_status=False)


def get_all(call: Call) -> Answer:
    listing = Listing("BatchPayments", _fields(call.books), show, optimised=OPTIMISED)
    return answer_list(call, listing, call.books.batch_payments)


def _find(call: Call) -> BatchPayment:
    batch = call.books.batch_payments.get(guid_or_none(call.ids[0]))
    if batch is None:
        raise NotFound(messages.NOT_FOUND)
    return batch


def get_one(call: Call) -> Answer:
    return envelope("BatchPayments", [show(call, _find(call))], call.books.now())


def put(call: Call) -> Answer:
    return save_each(call, SAVING, call.elements("BatchPayments", BatchIn), create)


def post(call: Call) -> Answer:
    return save_whole(call, SAVING, call.elements("BatchPayments", BatchIn)[0], _delete_named)


def post_one(call: Call) -> Answer:
    batch = _find(call)
    element = call.elements("BatchPayments", BatchIn)[0]
    return save_whole(call, SAVING, element, lambda call, sent: delete(call, batch, sent.status))


class Part(NamedTuple):
    """One document of a batch and what is paid of it."""

    document: payments.Document
    amount: Decimal
    reference: str | None


def create(call: Call, sent: BatchIn) -> BatchPayment:
    """Pay many documents from one account on one day. Raises Invalid."""
    books = call.books
    account = payments.find_account(books, sent.account)
    day = read_date(sent.date)
    texts = [] if account else placed([messages.PAYMENT_ACCOUNT_MISSING], "Account")
    if day is None:
        texts.append(messages.PAYMENT_DATE_REQUIRED)
    if not sent.reference and books.switches["batch_needs_reference"]:
        texts.append(messages.BATCH_REFERENCE_REQUIRED)
    texts += _check_lengths(sent)
    parts = [_read_part(books, number, one) for number, one in enumerate(sent.payments or ())]
    texts += _check_parts(books, parts)
    if account:
        currency = currencies.of_account(books, account)
        foreign = [number for number, part in enumerate(parts) if part.document.currency_code != currency]
        texts += [Inside(messages.BATCH_CURRENCY, ("Payments", number)) for number in foreign]
    if day is not None:
        for number, part in enumerate(parts):
            texts += placed(payments.check_payment(books, part.document, part.amount, day), "Payments", number)
    if texts or account is None or day is None:
        raise Invalid(*texts)
    batch = BatchPayment(
        id=new_id(),
        updated=books.now(),
        type="RECBATCH" if parts[0].document.type in {"ACCREC", "ACCPAYCREDIT"} else "PAYBATCH",
        account_id=account.id,
        date=day,
        total=sum((part.amount for part in parts), ZERO),
        payment_ids=tuple(new_id() for _ in parts),
        reference=sent.reference,
        details=sent.details,
        narrative=sent.narrative,
        particulars=sent.particulars,
        code=sent.code,
    )
    books.put(batch)
    for payment_id, part in zip(batch.payment_ids, parts, strict=True):
        payments.record(books, _payment(call, batch, payment_id, part))
    return batch


def _payment(call: Call, batch: BatchPayment, payment_id: str, part: Part) -> Payment:
    return Payment(
        id=payment_id,
        updated=batch.updated,
        type=payments.TYPE_OF[part.document.type],
        account_id=batch.account_id,
        date=batch.date,
        amount=part.amount,
        document_id=part.document.id,
        reference=part.reference or batch.reference,
        batch_id=batch.id,
        app_id=call.app_id,
        currency_rate=part.document.currency_rate,
    )


def _read_part(books: Books, number: int, sent: BatchedIn) -> Part:
    with inside("Payments", number):
        document = payments.find_document(books, PaymentIn(invoice=sent.invoice, credit_note=sent.credit_note))
        amount = read_number(sent.amount)
    due = payments.outstanding(document)
    return Part(document, due if amount is None else cents(amount), sent.reference)


def _check_lengths(sent: BatchIn) -> list[str]:
    given = {
        "Reference": sent.reference,
        "Particulars": sent.particulars,
        "Code": sent.code,
        "Details": sent.details,
        "Narrative": sent.narrative,
    }
    return [
        messages.too_long(name, LONGEST[name]) for name, text in given.items() if text and len(text) > LONGEST[name]
    ]


def _check_parts(books: Books, parts: list[Part]) -> list[str]:
    texts = [] if parts else [messages.BATCH_EMPTY]
    if len(parts) > MOST_PAYMENTS:
        texts.append(messages.BATCH_TOO_LARGE)
    if len({part.document.id for part in parts}) < len(parts):
        texts.append(messages.BATCH_REPEATED)
    if len({part.document.type for part in parts}) > 1 and not books.switches["batch_may_mix_types"]:
        texts.append(messages.BATCH_MIXED)
    return texts


def _delete_named(call: Call, sent: BatchIn) -> BatchPayment:
    batch = call.books.batch_payments.get(read_guid(sent.batch_payment_id))
    if batch is None:
        raise Invalid(messages.BATCH_ID_UNKNOWN)
    return delete(call, batch, sent.status)


def delete(call: Call, old: BatchPayment, status: str | None) -> BatchPayment:
    """Take the whole batch out again. Raises Invalid."""
    if (status or "").upper() != "DELETED" or old.status == "DELETED":
        raise Invalid(messages.BATCH_NOT_MODIFIABLE)
    if old.is_reconciled and not call.switches["reconciled_payment_deletable"]:
        raise Invalid(messages.PAYMENT_RECONCILED)
    if texts := documents.check_locks(call.books, old.date):
        raise Invalid(*texts)
    for payment_id in old.payment_ids:
        payments.take_back(call.books, call.books.payments.rows[payment_id])
    batch = replaced(old, status="DELETED", updated=call.books.now())
    call.books.put(batch)
    return batch


ROUTES = [
    Route("GET", ("BatchPayments",), get_all),
    Route("GET", ("BatchPayments", None), get_one),
    Route("PUT", ("BatchPayments",), put),
    Route("POST", ("BatchPayments",), post),
    Route("POST", ("BatchPayments", None), post_one),
]
