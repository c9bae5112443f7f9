"""Money received and spent at the bank, and the overpayments that come of it."""

from datetime import date
from decimal import Decimal

from xero_simulator import currencies, documents, messages, stock
from xero_simulator.books import Books, new_id
from xero_simulator.calls import Call, Listing, Route, Saving, Shown, answer_list, moment_of, replaced, save_each
from xero_simulator.documents import LineIn, LineRules
from xero_simulator.errors import Inside, Invalid, NotFound
from xero_simulator.filters import Getter
from xero_simulator.records import Account, BankTransaction, Line, Overpayment, Wire
from xero_simulator.resources import accounts, contacts
from xero_simulator.resources.contacts import ContactIn
from xero_simulator.resources.payments import AccountRef
from xero_simulator.rounding import ZERO
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
)

PLAIN = {"RECEIVE", "SPEND"}
OVERPAYMENTS = {"RECEIVE-OVERPAYMENT", "SPEND-OVERPAYMENT"}
ENDING = {"DELETED", "VOIDED"}


class BankTransactionIn(Wire, frozen=True):
    bank_transaction_id: str | None = None
    type: str | None = None
    contact: ContactIn | None = None
    line_items: list[LineIn] | None = None
    bank_account: AccountRef | None = None
    date: str | None = None
    reference: str | None = None
    is_reconciled: bool | None = None
    line_amount_types: str | None = None
    currency_code: str | None = None
    currency_rate: Decimal | None = None
    status: str | None = None
    url: str | None = None


def _show_head(books: Books, transaction: BankTransaction) -> Shown:
    return present(
        BankTransactionID=transaction.id,
        BankAccount=accounts.show_briefly(books, transaction.bank_account_id),
        Type=transaction.type,
        Reference=transaction.reference,
        Url=transaction.url,
        IsReconciled=transaction.is_reconciled,
        HasAttachments=False,
        Contact=contacts.show_briefly(books, transaction.contact_id),
        DateString=date_string(transaction.date),
        Date=ms_date(transaction.date),
        Status=transaction.status,
        LineAmountTypes=transaction.line_amount_types,
        SubTotal=transaction.sub_total,
        TotalTax=transaction.total_tax,
        Total=transaction.total,
        UpdatedDateUTC=ms_time(transaction.updated),
        CurrencyCode=transaction.currency_code,
        OverpaymentID=transaction.overpayment_id,
    )


def show(call: Call, transaction: BankTransaction) -> Shown:
    shown = _show_head(call.books, transaction)
    shown["LineItems"] = documents.show_lines(transaction.lines, call.places)
    return shown


def show_alone(call: Call, transaction: BankTransaction) -> Shown:
    """What a call about this transaction gives: its contact stands there in full."""
    more = {"CurrencyRate": transaction.currency_rate} | contacts.in_full(call.books, transaction.contact_id)
    return show(call, transaction) | more


def show_without_lines(call: Call, transaction: BankTransaction) -> Shown:
    return _show_head(call.books, transaction) | {"LineItems": []}


def _fields(books: Books) -> dict[str, Getter]:
    return {
        "BankTransactionID": lambda t: t.id,
        "Type": lambda t: t.type,
        "Status": lambda t: t.status,
        "Date": lambda t: t.date,
        "Reference": lambda t: t.reference,
        "IsReconciled": lambda t: t.is_reconciled,
        "Total": lambda t: t.total,
        "BankAccount.AccountID": lambda t: t.bank_account_id,
        "BankAccount.Code": lambda t: books.accounts.rows[t.bank_account_id].code,
        "Contact.ContactID": lambda t: t.contact_id,
        "Contact.Name": lambda t: c.name if (c := books.contacts.get(t.contact_id)) else None,
        "UpdatedDateUTC": moment_of,
    }


SAVING = Saving("BankTransactions", "BankTransactionID", show_alone, flags=())


def get_all(call: Call) -> Answer:
    fields = _fields(call.books)
    listing = Listing("BankTransactions", fields, show, show_without_lines, pages=True, unpaged_is_short=True)
    return answer_list(call, listing, call.books.bank_transactions)


def _find(call: Call) -> BankTransaction:
    transaction = call.books.bank_transactions.get(guid_or_none(call.ids[0]))
    if transaction is None:
        raise NotFound(messages.NOT_FOUND)
    return transaction


def get_one(call: Call) -> Answer:
    return envelope("BankTransactions", [show_alone(call, _find(call))], call.books.now())


def put(call: Call) -> Answer:
    return save_each(call, SAVING, call.elements("BankTransactions", BankTransactionIn), create)


def post(call: Call) -> Answer:
    return save_each(call, SAVING, call.elements("BankTransactions", BankTransactionIn), save)


def post_one(call: Call) -> Answer:
    transaction = _find(call)
    elements = call.elements("BankTransactions", BankTransactionIn)[:1]
    return save_each(call, SAVING, elements, lambda call, sent: update(call, transaction, sent))


def save(call: Call, sent: BankTransactionIn) -> BankTransaction:
    transaction_id = read_guid(sent.bank_transaction_id)
    if transaction_id is None:
        return create(call, sent)
    old = call.books.bank_transactions.get(transaction_id)
    if old is None:
        raise Invalid(messages.TRANSACTION_NOT_MODIFIABLE)
    return update(call, old, sent)


def create(call: Call, sent: BankTransactionIn) -> BankTransaction:
    """Money in or out. An overpayment has one line without tax, coded to receivables or payables. Raises Invalid."""
    kind = (sent.type or "").upper()
    texts = [] if kind in PLAIN | OVERPAYMENTS else [messages.TRANSACTION_TYPE_INVALID]
    account = _bank_account(call.books, sent.bank_account)
    if account is None:
        texts.append(Inside(messages.BANK_ACCOUNT_INVALID, ("BankAccount",)))
    if sent.contact is None:
        texts.append(messages.CONTACT_REQUIRED)
    if not sent.line_items:
        texts.append(messages.LINES_REQUIRED)
    if sent.status and sent.status.upper() != "AUTHORISED":
        texts.append(messages.STATUS_INVALID)
    if texts or account is None:
        raise Invalid(*texts)
    contact = contacts.of_document(call, sent.contact)
    day = read_date(sent.date) or call.books.today()
    types, lines = _read_lines(call, sent, kind, texts)
    totals = documents.add_up(lines, types)
    texts += _check(call.books, sent, totals.total, day)
    currency, rate = currencies.read(call.books, account.currency_code, sent.currency_rate, texts)
    if texts:
        raise Invalid(*texts)
    transaction = BankTransaction(
        id=new_id(),
        updated=call.books.now(),
        type=kind,
        contact_id=contact.id,
        date=day,
        status="AUTHORISED",
        currency_code=currency,
        currency_rate=rate,
        **documents.amounts(types, lines, totals),
        reference=sent.reference,
        app_id=call.app_id,
        bank_account_id=account.id,
        is_reconciled=bool(sent.is_reconciled),
        url=sent.url or None,
        overpayment_id=new_id() if kind in OVERPAYMENTS else None,
    )
    stock.move(call.books, None, transaction)
    call.books.put(transaction)
    if transaction.overpayment_id:
        call.books.put(_overpayment(transaction))
    return transaction


def _overpayment(transaction: BankTransaction) -> Overpayment:
    return Overpayment(
        id=str(transaction.overpayment_id),
        updated=transaction.updated,
        type=transaction.type,
        contact_id=transaction.contact_id,
        date=transaction.date,
        status="AUTHORISED",
        line_amount_types=transaction.line_amount_types,
        currency_code=transaction.currency_code,
        currency_rate=transaction.currency_rate,
        lines=transaction.lines,
        sub_total=transaction.sub_total,
        total_tax=transaction.total_tax,
        total=transaction.total,
        reference=transaction.reference,
        app_id=transaction.app_id,
        bank_transaction_id=transaction.id,
    )


def _bank_account(books: Books, sent: AccountRef | None) -> Account | None:
    account_id = read_guid(sent.account_id) if sent else None
    code = (sent.code if sent else None) or ""
    account = books.accounts.get(account_id) if account_id else books.accounts.first("code", code.upper())
    return account if account and account.type == "BANK" and account.status == "ACTIVE" else None


def _read_lines(
    call: Call, sent: BankTransactionIn, kind: str, texts: list[str], present_lines: list[Line] | None = None
) -> tuple[str, list[Line]]:
    if kind in OVERPAYMENTS:
        return "NoTax", _overpayment_lines(call.books, sent, kind, texts)
    types = documents.read_line_amount_types(sent.line_amount_types, "Exclusive")
    rules = LineRules(call.books, types, approved=True, places=call.places, sales=kind == "RECEIVE", discounts=False)
    lines = rules.read(sent.line_items or (), present_lines or ())
    texts += rules.texts
    return types, lines


def _overpayment_lines(books: Books, sent: BankTransactionIn, kind: str, texts: list[str]) -> list[Line]:
    wanted = sent.line_items or []
    if len(wanted) != 1 or (sent.line_amount_types or "NoTax").lower() != "notax":
        texts.append(messages.OVERPAYMENT_LINES)
    rules = LineRules(books, "NoTax", approved=False, places=2, sales=kind.startswith("RECEIVE"), discounts=False)
    bare = [replaced(line, account_code=None, account_id=None, item_code=None) for line in wanted]
    system = "DEBTORS" if kind.startswith("RECEIVE") else "CREDITORS"
    control = next(account for account in books.accounts if account.system_account == system)
    lines = rules.read(bare)
    texts += rules.texts
    return [replaced(line, account_code=control.code, account_id=control.id) for line in lines]


def _check(books: Books, sent: BankTransactionIn, total: Decimal, day: date) -> list[str]:
    """The currency is the bank account's; one that is sent has to be known, and counts no further."""
    texts = currencies.check(books, sent.currency_code)
    if total <= ZERO:
        texts.append(messages.NEGATIVE_TOTAL if total < ZERO else messages.PAYMENT_AMOUNT_INVALID)
    return texts + documents.check_locks(books, day)


def update(call: Call, old: BankTransaction, sent: BankTransactionIn) -> BankTransaction:
    """Change or delete a transaction that is not reconciled. Overpayments and spent money are not edited."""
    status = (sent.status or old.status).upper()
    if old.status != "AUTHORISED" or status not in {"AUTHORISED"} | ENDING:
        raise Invalid(messages.TRANSACTION_NOT_MODIFIABLE)
    if old.is_reconciled:
        raise Invalid(messages.TRANSACTION_RECONCILED)
    if status in ENDING:
        return _end(call.books, old, status)
    if old.type == "SPEND" and sent.line_items is not None:
        raise Invalid(messages.SPEND_NOT_UPDATABLE)
    if old.type in OVERPAYMENTS:
        raise Invalid(messages.TRANSACTION_NOT_MODIFIABLE)
    return _changed(call, old, sent)


def _changed(call: Call, old: BankTransaction, sent: BankTransactionIn) -> BankTransaction:
    texts: list[str] = []
    day = read_date(sent.date) or old.date
    lines, types = documents.unpack_lines(old.lines), old.line_amount_types
    if sent.line_items is not None:
        types, lines = _read_lines(call, sent, old.type, texts, lines)
    totals = documents.add_up(lines, types)
    texts += _check(call.books, sent, totals.total, day) + documents.check_locks(call.books, old.date)
    account = _bank_account(call.books, sent.bank_account) if sent.bank_account else None
    if sent.bank_account and account is None:
        texts.append(Inside(messages.BANK_ACCOUNT_INVALID, ("BankAccount",)))
    code = account.currency_code if account else None
    currency, rate = currencies.read(call.books, code, sent.currency_rate, texts, old)
    if texts:
        raise Invalid(*texts)
    contact_id = contacts.of_document(call, sent.contact).id if sent.contact else old.contact_id
    transaction = replaced(
        old,
        updated=call.books.now(),
        contact_id=contact_id,
        date=day,
        currency_code=currency,
        currency_rate=rate,
        **documents.amounts(types, lines, totals),
        reference=old.reference if sent.reference is None else sent.reference,
        bank_account_id=account.id if account else old.bank_account_id,
        url=old.url if sent.url is None else sent.url or None,
        is_reconciled=bool(sent.is_reconciled),
    )
    stock.move(call.books, old, transaction)
    call.books.put(transaction)
    return transaction


def _end(books: Books, old: BankTransaction, status: str) -> BankTransaction:
    if texts := documents.check_locks(books, old.date):
        raise Invalid(*texts)
    overpayment = books.overpayments.get(old.overpayment_id)
    if overpayment and (overpayment.allocated or overpayment.refunded):
        raise Invalid(messages.PAID_OR_CREDITED)
    ended = replaced(old, status=status, updated=books.now())
    stock.move(books, old, ended)
    books.put(ended)
    if overpayment:
        books.put(replaced(overpayment, status="VOIDED", updated=books.now()))
    return ended


ROUTES = [
    Route("GET", ("BankTransactions",), get_all),
    Route("GET", ("BankTransactions", None), get_one),
    Route("PUT", ("BankTransactions",), put),
    Route("POST", ("BankTransactions",), post),
    Route("POST", ("BankTransactions", None), post_one),
]
