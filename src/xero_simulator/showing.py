"""The whole books in the API's own shapes, archived and voided documents included."""

from xero_simulator import bank
from xero_simulator.books import Books
from xero_simulator.calls import Call, Shown
from xero_simulator.records import Account
from xero_simulator.resources import (
    accounts,
    bank_transactions,
    batch_payments,
    contacts,
    credit_notes,
    invoices,
    items,
    organisation,
    overpayments,
    payments,
    tax_rates,
    tracking_categories,
)
from xero_simulator.rounding import ZERO


def show_books(books: Books) -> Shown:
    """One organisation with every list it has, unit prices at four places."""
    call = Call(books, "", args={"unitdp": "4", "includearchived": "true"})
    return organisation.show(books) | {
        "Accounts": [accounts.show(call, account) for account in books.accounts],
        "TaxRates": [tax_rates.show(call, rate) for rate in books.tax_rates],
        "TrackingCategories": [tracking_categories.show(call, category) for category in books.tracking],
        "Items": [items.show(call, item) for item in books.items],
        "Contacts": [contacts.show(call, contact) for contact in books.contacts],
        "Invoices": [invoices.show(call, invoice) for invoice in books.invoices],
        "CreditNotes": [credit_notes.show(call, note) for note in books.credit_notes],
        "Payments": [payments.show(call, payment) for payment in books.payments],
        "BatchPayments": [batch_payments.show(call, batch) for batch in books.batch_payments],
        "Overpayments": [overpayments.show(call, overpayment) for overpayment in books.overpayments],
        "BankTransactions": [bank_transactions.show(call, one) for one in books.bank_transactions],
        "BankStatements": [_show_statement(books, account) for account in books.accounts if account.type == "BANK"],
    }


def _show_statement(books: Books, account: Account) -> Shown:
    """What a bank account's page shows, which the API has no list of."""
    entries = bank.statement(books, account.id)
    lines = [
        {
            "ID": entry.id,
            "Date": entry.day.isoformat(),
            "Description": entry.what,
            "Reference": entry.reference or "",
            "Amount": entry.amount,
            "Balance": entry.balance,
            "IsReconciled": entry.is_reconciled,
        }
        for entry in entries
    ]
    balance = entries[-1].balance if entries else ZERO
    return accounts.show_briefly(books, account.id) | {"Balance": balance, "Lines": lines}
