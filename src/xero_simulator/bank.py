"""What went through a bank account: the lines that a statement shows, and the balance after each."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from xero_simulator.books import Books
from xero_simulator.records import BankTransaction, BatchPayment, Payment
from xero_simulator.rounding import ZERO

MONEY_IN = {"ACCRECPAYMENT", "APCREDITPAYMENT", "APOVERPAYMENTPAYMENT"}


class Entry(NamedTuple):
    """A line of a bank account, and what the account holds after it."""

    id: str
    day: date
    what: str
    reference: str | None
    amount: Decimal
    balance: Decimal
    is_reconciled: bool


def statement(books: Books, account_id: str) -> list[Entry]:
    """What went through a bank account, oldest first; a batch is one line."""
    found: list[tuple[date, Payment | BatchPayment | BankTransaction, str, Decimal]] = [
        (payment.date, payment, _in_words(books, payment), signed_amount(payment))
        for payment in books.payments
        if payment.account_id == account_id and payment.status == "AUTHORISED" and payment.batch_id is None
    ]
    for batch in books.batch_payments:
        if batch.account_id == account_id and batch.status == "AUTHORISED":
            parts = [books.payments.rows[one] for one in batch.payment_ids]
            what = f"Batch of {len(parts)}"
            found.append((batch.date, batch, what, sum((signed_amount(part) for part in parts), ZERO)))
    for transaction in books.bank_transactions:
        if transaction.bank_account_id == account_id and transaction.status == "AUTHORISED":
            sign = 1 if transaction.type.startswith("RECEIVE") else -1
            contact = books.contacts.get(transaction.contact_id)
            what = f"{transaction.type.title()}, {contact.name}" if contact else transaction.type.title()
            found.append((transaction.date, transaction, what, sign * transaction.total))
    balance, entries = ZERO, []
    for day, record, what, amount in sorted(found, key=lambda entry: (entry[0], entry[1].updated)):
        balance += amount
        entries.append(Entry(record.id, day, what, record.reference, amount, balance, record.is_reconciled))
    return entries


def _in_words(books: Books, payment: Payment) -> str:
    if invoice := books.invoices.get(payment.document_id):
        return f"Payment of {invoice.number or 'a bill'}"
    note = books.credit_notes.get(payment.document_id)
    return f"Refund of {note.number or 'a credit note' if note else 'an overpayment'}"


def signed_amount(payment: Payment) -> Decimal:
    """In the account's currency; positive when the money comes in, negative when it goes out."""
    return payment.at_bank if payment.type in MONEY_IN else -payment.at_bank
