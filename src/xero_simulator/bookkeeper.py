"""A person at work in the books: what tests do in Python and the page at `/_simulator/` does by buttons."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from xero_simulator import currencies
from xero_simulator.books import Books, fold
from xero_simulator.calls import Call, replaced
from xero_simulator.oauth import OAuth
from xero_simulator.records import (
    BatchPayment,
    Contact,
    CreditNote,
    Currency,
    Invoice,
    Payment,
    Prices,
    Record,
    TrackingCategory,
)
from xero_simulator.resources import (
    accounts,
    allocations,
    bank_transactions,
    batch_payments,
    contacts,
    credit_notes,
    invoices,
    items,
    payments,
    small_lists,
    tracking_categories,
)
from xero_simulator.resources.accounts import AccountIn
from xero_simulator.resources.allocations import AllocationIn, InvoiceRef
from xero_simulator.resources.bank_transactions import BankTransactionIn
from xero_simulator.resources.batch_payments import BatchedIn, BatchIn
from xero_simulator.resources.contacts import ContactIn
from xero_simulator.resources.credit_notes import CreditNoteIn
from xero_simulator.resources.invoices import InvoiceIn
from xero_simulator.resources.items import ItemIn
from xero_simulator.resources.payments import AccountRef, DocumentIn, PaymentIn
from xero_simulator.resources.small_lists import CurrencyIn
from xero_simulator.wire import ENCODER, PLAIN_DECODER, encode

Shown = dict[str, Any]
USER = "Demo Bookkeeper"


class Keeper(Protocol):
    """What keeps the books: the simulator."""

    lock: threading.RLock
    oauth: OAuth

    def commit(self, books: Books | None = None) -> None:
        """Make what was changed lasting, in these books or in OAuth."""


class Bookkeeper:
    """Acts on one organisation under the same rules as the API; a refusal raises Invalid with Xero's texts.

    Documents are named by their number, their id, or by the dictionary that an earlier call gave. Answers are
    dictionaries in the API's shape with Decimals, unit prices at four places.
    """

    def __init__(self, simulator: Keeper, books: Books) -> None:
        self._simulator = simulator
        self._books = books

    @property
    def id(self) -> str:
        return self._books.organisation_id

    @property
    def name(self) -> str:
        return self._books.settings.name

    def find_invoice(self, number: str | Shown) -> Shown:
        """An invoice by number or id. Raises LookupError."""
        return self._shown(invoices.show(self._call(), self._invoice(number)))

    def invoices(self) -> list[Shown]:
        return [self._shown(invoices.show(self._call(), invoice)) for invoice in self._books.invoices]

    def find_contact(self, name: str | Shown) -> Shown:
        """A contact by name, number or id, archived ones too. Raises LookupError."""
        return self._shown(contacts.show(self._call(), self._contact(name)))

    def type_invoice(
        self,
        number: str | None = None,
        contact: str = "Typed by hand",
        lines: list[Shown] | None = None,
        **fields: Any,
    ) -> Shown:
        """Type a new invoice by hand; fields have Xero's names, such as `Status="DRAFT"`."""
        standard = {"Description": "Typed by hand", "Quantity": 1, "UnitAmount": Decimal(10), "AccountCode": "200"}
        typed = {
            "Type": "ACCREC",
            "InvoiceNumber": number,
            "Contact": {"Name": contact},
            "LineItems": lines or [standard],
            "Status": "AUTHORISED",
            **fields,
        }
        return self._do(lambda call: invoices.create(call, _read(typed, InvoiceIn)), invoices.show)

    def edit_invoice(self, number: str | Shown, **fields: Any) -> Shown:
        """Change fields of an invoice, by Xero's names; `LineItems` replaces the lines."""
        invoice = self._invoice(number)
        return self._do(lambda call: invoices.update(call, invoice, _read(fields, InvoiceIn)), invoices.show)

    def approve(self, number: str | Shown) -> Shown:
        return self.edit_invoice(number, Status="AUTHORISED")

    def void(self, number: str | Shown) -> Shown:
        """Void an approved invoice, delete a draft."""
        invoice = self._invoice(number)
        drafted = invoice.status in {"DRAFT", "SUBMITTED"}
        return self.edit_invoice(number, Status="DELETED" if drafted else "VOIDED")

    def pay(
        self,
        invoice: str | Shown,
        amount: Decimal | str | int | None = None,
        account_code: str = "090",
        day: date | None = None,
        reference: str | None = None,
    ) -> Shown:
        """Record a payment, of all that is due unless an amount is given."""
        found = self._invoice(invoice)
        typed = PaymentIn(
            invoice=DocumentIn(invoice_id=found.id),
            account=AccountRef(code=account_code),
            amount=found.due if amount is None else Decimal(amount),
            date=day.isoformat() if day else None,
            reference=reference,
        )
        return self._do(lambda call: payments.create(call, typed), payments.show)

    def refund(
        self, credit_note: str | Shown, amount: Decimal | str | int | None = None, account_code: str = "090"
    ) -> Shown:
        """Pay a credit note back, wholly unless an amount is given."""
        note = self._credit_note(credit_note)
        typed = PaymentIn(
            credit_note=DocumentIn(credit_note_id=note.id),
            account=AccountRef(code=account_code),
            amount=note.remaining if amount is None else Decimal(amount),
        )
        return self._do(lambda call: payments.create(call, typed), payments.show)

    def pay_batch(
        self,
        invoices_paid: list[str | Shown],
        account_code: str = "090",
        day: date | None = None,
        reference: str | None = None,
    ) -> Shown:
        """Pay several invoices, all that is due of each, by one deposit."""
        typed = BatchIn(
            account=AccountRef(code=account_code),
            date=(day or self._books.today()).isoformat(),
            reference=reference,
            payments=[BatchedIn(invoice=DocumentIn(invoice_id=self._invoice(one).id)) for one in invoices_paid],
        )
        return self._do(lambda call: batch_payments.create(call, typed), batch_payments.show)

    def type_bank_transaction(
        self, kind: str, contact: str, amount: Decimal | str | int, bank_code: str = "090", **fields: Any
    ) -> Shown:
        """Type money in or out: RECEIVE, SPEND, RECEIVE-OVERPAYMENT or SPEND-OVERPAYMENT; fields have Xero's names.

        Without other lines it is one, without tax, to sales (200) or bank fees (404).
        """
        line = {"Description": "Typed by hand", "Quantity": 1, "UnitAmount": Decimal(amount)}
        account = {"AccountCode": "404" if kind.startswith("SPEND") else "200"}
        typed = {
            "Type": kind,
            "Contact": {"Name": contact},
            "BankAccount": {"Code": bank_code},
            "LineAmountTypes": "NoTax",
            "LineItems": [line if kind.endswith("OVERPAYMENT") else line | account],
            **fields,
        }
        return self._do(
            lambda call: bank_transactions.create(call, _read(typed, BankTransactionIn)), bank_transactions.show
        )

    def end_bank_transaction(self, transaction: str) -> Shown:
        """Delete money in or out, by its id; the overpayment that came of it goes too."""
        found = self._books.bank_transactions.get(transaction)
        if found is None:
            raise LookupError(f"there is no bank transaction {transaction}")
        typed = BankTransactionIn(status="DELETED")
        return self._do(lambda call: bank_transactions.update(call, found, typed), bank_transactions.show)

    def remove_payment(self, payment: str | Shown) -> Shown:
        """Delete a payment, named by its id."""
        wanted = payment if isinstance(payment, str) else str(payment["PaymentID"])
        found: Payment | None = self._books.payments.get(wanted)
        if found is None:
            raise LookupError(f"there is no payment {wanted}")
        return self._do(lambda call: payments.delete(call, found, "DELETED"), payments.show)

    def type_credit_note(
        self, contact: str, lines: list[Shown] | None = None, number: str | None = None, **fields: Any
    ) -> Shown:
        """Type a new credit note by hand; fields have Xero's names."""
        standard = {"Description": "Credit", "Quantity": 1, "UnitAmount": Decimal(10), "AccountCode": "200"}
        typed = {
            "Type": "ACCRECCREDIT",
            "CreditNoteNumber": number,
            "Contact": {"Name": contact},
            "LineItems": lines or [standard],
            "Status": "AUTHORISED",
            **fields,
        }
        return self._do(lambda call: credit_notes.create(call, _read(typed, CreditNoteIn)), credit_notes.show)

    def find_credit_note(self, number: str | Shown) -> Shown:
        """A credit note by number or id. Raises LookupError."""
        return self._shown(credit_notes.show(self._call(), self._credit_note(number)))

    def edit_credit_note(self, number: str | Shown, **fields: Any) -> Shown:
        """Change fields of a credit note, by Xero's names."""
        note = self._credit_note(number)
        return self._do(lambda call: credit_notes.update(call, note, _read(fields, CreditNoteIn)), credit_notes.show)

    def allocate(self, credit_note: str | Shown, invoice: str | Shown, amount: Decimal | str | int) -> Shown:
        """Give credit to an invoice."""
        note, found = self._credit_note(credit_note), self._invoice(invoice)
        typed = AllocationIn(invoice=InvoiceRef(invoice_id=found.id), amount=Decimal(amount))
        return self._do(lambda call: allocations.create(call, note, typed), allocations.show)

    def remove_allocation(self, allocation: str | Shown) -> None:
        """Take credit back from an invoice, by the allocation's id."""
        wanted = allocation if isinstance(allocation, str) else str(allocation["AllocationID"])
        found = self._books.allocations.get(wanted)
        if found is None:
            raise LookupError(f"there is no allocation {wanted}")
        credit = self._books.credit_notes.get(found.credit_id) or self._books.overpayments.rows[found.credit_id]
        with self._simulator.lock:
            allocations.take_back(self._books, credit, found)
            self._simulator.commit(self._books)

    def remove_batch(self, batch: str) -> Shown:
        """Delete a whole batch payment, by its id."""
        found = self._books.batch_payments.get(batch)
        if found is None:
            raise LookupError(f"there is no batch payment {batch}")
        return self._do(lambda call: batch_payments.delete(call, found, "DELETED"), batch_payments.show)

    def reconcile(self, entry: str, *, reconciled: bool = True) -> None:
        """Tick an entry of a bank account off its statement (or not): a payment, a batch or a bank transaction."""
        books = self._books
        table = next((t for t in (books.payments, books.batch_payments, books.bank_transactions) if t.get(entry)), None)
        if table is None:
            raise LookupError(f"there is no bank entry {entry}")
        with self._simulator.lock:
            record: Any = table.rows[entry]
            books.put(replaced(record, is_reconciled=reconciled, updated=books.now()))
            if isinstance(record, BatchPayment):
                for payment_id in record.payment_ids:
                    books.put(replaced(books.payments.rows[payment_id], is_reconciled=reconciled, updated=books.now()))
            self._simulator.commit(books)

    def add_currency(self, code: str, rate: Decimal | str | None = None) -> Shown:
        """Use a further currency, with a rate of one's own if given: how many of it one of the organisation's buys."""

        def add(call: Call) -> Currency:
            added = small_lists.add_currency(call, CurrencyIn(code=code))
            return added if rate is None else currencies.set_rate(call.books, added, Decimal(rate))

        return self._do(add, small_lists.show_currency)

    def archive_account(self, code: str) -> Shown:
        account = self._books.accounts.first("code", code.upper())
        if account is None:
            raise LookupError(f"there is no account {code}")
        return self._do(lambda call: accounts.change(call, account, AccountIn(status="ARCHIVED")), accounts.show)

    def restore_account(self, code: str) -> Shown:
        account = self._books.accounts.first("code", code.upper())
        if account is None:
            raise LookupError(f"there is no account {code}")
        return self._do(lambda call: accounts.change(call, account, AccountIn(status="ACTIVE")), accounts.show)

    def archive_contact(self, name: str | Shown) -> Shown:
        return self._edit_contact(name, ContactIn(contact_status="ARCHIVED"))

    def restore_contact(self, name: str | Shown) -> Shown:
        return self._edit_contact(name, ContactIn(contact_status="ACTIVE"))

    def rename_contact(self, name: str | Shown, new_name: str) -> Shown:
        return self._edit_contact(name, ContactIn(name=new_name))

    def add_contact(self, name: str, **fields: Any) -> Shown:
        """Add a contact; further fields have Xero's names."""
        typed = _read({"Name": name, **fields}, ContactIn)
        return self._do(lambda call: contacts.create(call, typed), contacts.show)

    def edit_contact(self, name: str | Shown, **fields: Any) -> Shown:
        """Change fields of a contact, by Xero's names."""
        return self._edit_contact(name, _read(fields, ContactIn))

    def merge_contact(self, name: str | Shown, into: str | Shown) -> Shown:
        """Merge a contact into another: it is archived, says into which, and its documents move."""
        old, target = self._contact(name), self._contact(into)

        def merge(call: Call) -> Contact:
            merged = replaced(old, status="ARCHIVED", merged_to=target.id, updated=call.books.now())
            call.books.put(merged)
            books = call.books
            for table in (books.invoices, books.credit_notes, books.overpayments, books.bank_transactions):
                for document in [one for one in table if one.contact_id == old.id]:
                    books.put(replaced(document, contact_id=target.id, updated=books.now()))
            return merged

        return self._do(merge, contacts.show)

    def add_item(
        self,
        code: str,
        name: str | None = None,
        price: Decimal | str | None = None,
        *,
        tracked: bool = False,
        **fields: Any,
    ) -> Shown:
        """Add an item for sale; further fields have Xero's names. A tracked one has no stock until a bill for it."""
        sales = {"UnitPrice": Decimal(price)} if price is not None else None
        if tracked:
            fields = {
                "InventoryAssetAccountCode": self._account_code("INVENTORY"),
                "PurchaseDetails": {"COGSAccountCode": self._account_code("DIRECTCOSTS")},
                **fields,
            }
        typed = _read({"Code": code, "Name": name or code, "SalesDetails": sales, **fields}, ItemIn)
        return self._do(lambda call: items.create(call, typed), items.show)

    def edit_item(self, code: str, price: Decimal | str | None = None, **fields: Any) -> Shown:
        """Change an item, for instance its selling price."""
        item = self._books.items.first("code", code.casefold())
        if item is None:
            raise LookupError(f"there is no item {code}")
        sales = Prices(unit_price=Decimal(price)) if price is not None else None
        typed = msgspec.structs.replace(_read(fields, ItemIn), sales_details=sales)
        return self._do(lambda call: items.update(call, item, typed), items.show)

    def remove_item(self, code: str) -> None:
        item = self._books.items.first("code", code.casefold())
        if item is None:
            raise LookupError(f"there is no item {code}")
        with self._simulator.lock:
            self._books.drop(item)
            self._simulator.commit(self._books)

    def edit_tracking(self, category: str, option: str | None = None, **fields: Any) -> Shown:
        """Rename, archive or restore a tracking category, or an option of it; fields are Name and Status."""
        found = self._tracking(category)
        if option is None:
            typed = _read(fields, tracking_categories.CategoryIn)
            return self._do(lambda call: tracking_categories.edit(call, found, typed), tracking_categories.show)
        old = next(one for one in found.options if one.name.casefold() == option.casefold())
        chosen = _read(fields, tracking_categories.OptionIn)
        return self._do(
            lambda call: tracking_categories.edit_option(call, found, old, chosen),
            lambda _call, one: tracking_categories.show_option(one),
        )

    def add_tracking_option(self, category: str, option: str) -> Shown:
        """Add an option to a tracking category."""
        found = self._tracking(category)
        typed = tracking_categories.OptionIn(name=option)
        return self._do(
            lambda call: tracking_categories.add_option(call, found, typed),
            lambda _call, one: tracking_categories.show_option(one),
        )

    def add_tracking_category(self, name: str) -> Shown:
        """Add a tracking category without options."""
        typed = tracking_categories.CategoryIn(name=name)
        return self._do(lambda call: tracking_categories.add(call, typed), tracking_categories.show)

    def delete_tracking(self, category: str) -> Shown:
        """Delete a tracking category; lines that carry it keep it."""
        found = self._tracking(category)
        return self._do(lambda call: tracking_categories.remove(call, found), tracking_categories.show)

    def _tracking(self, category: str) -> TrackingCategory:
        for one in self._books.tracking.find("name", category.casefold()):
            if one.status != "DELETED":
                return one
        raise LookupError(f"there is no tracking category {category}")

    def set_lock_dates(self, period: date | None = None, end_of_year: date | None = None) -> None:
        """Set both lock dates; None takes one away."""
        self._settings(period_lock_date=period, end_of_year_lock_date=end_of_year)

    def set_approval_limit(self, limit: int | None, bills: int | None = None) -> None:
        """How many sales invoices and how many bills a month the organisation's plan lets approve."""
        self._settings(approval_limit=limit, bill_approval_limit=bills)

    def set_multicurrency(self, *, allowed: bool) -> None:
        """Whether the organisation's plan includes other currencies than its own."""
        self._settings(multicurrency=allowed)

    def disconnect(self) -> None:
        """Disconnect every app, as a person does under Connected apps."""
        with self._simulator.lock:
            connections = self._simulator.oauth.state.connections
            for connection in [c for c in connections.values() if c.tenant_id == self.id]:
                self._simulator.oauth.disconnect(connection.id)
            self._simulator.commit()

    def _account_code(self, kind: str) -> str:
        """The first active account of a type."""
        found = (
            account.code for account in self._books.accounts if account.type == kind and account.status == "ACTIVE"
        )
        code = next(found, None)
        if code is None:
            raise LookupError(f"there is no account of type {kind}")
        return code

    def _settings(self, **changes: Any) -> None:
        with self._simulator.lock:
            self._books.put(replaced(self._books.settings, **changes))
            self._simulator.commit(self._books)

    def _edit_contact(self, name: str | Shown, typed: ContactIn) -> Shown:
        contact = self._contact(name)
        keeping = msgspec.structs.replace(typed, contact_persons=list(contact.persons))
        return self._do(lambda call: contacts.update(call, contact, keeping), contacts.show)

    def _do(self, act: Any, show: Any) -> Shown:
        """Carry out one act as a whole; whatever keeps it from ending leaves everything as it was."""
        with self._simulator.lock:
            call = self._call()
            with self._books.as_a_whole():
                record: Record = act(call)
            self._simulator.commit(self._books)
            return self._shown(show(call, record))

    def _call(self) -> Call:
        return Call(self._books, "", "POST", args={"unitdp": "4", "includearchived": "true"}, user=USER)

    def _invoice(self, name: str | Shown) -> Invoice:
        wanted = name if isinstance(name, str) else str(name["InvoiceID"])
        found = self._books.invoices.get(wanted) or self._books.invoices.first("number", wanted)
        if found is None:
            raise LookupError(f"there is no invoice {wanted}")
        return found

    def _credit_note(self, name: str | Shown) -> CreditNote:
        wanted = name if isinstance(name, str) else str(name["CreditNoteID"])
        found = self._books.credit_notes.get(wanted) or self._books.credit_notes.first("number", wanted)
        if found is None:
            raise LookupError(f"there is no credit note {wanted}")
        return found

    def _contact(self, name: str | Shown) -> Contact:
        wanted = name if isinstance(name, str) else str(name["ContactID"])
        table = self._books.contacts
        found = table.get(wanted) or table.first("name", fold(wanted)) or table.first("number", wanted)
        found = found or table.first("any_name", fold(wanted))
        if found is None:
            raise LookupError(f"there is no contact {wanted}")
        return found

    @staticmethod
    def _shown(shown: dict[str, object]) -> Shown:
        plain: Shown = PLAIN_DECODER.decode(encode(shown))
        return plain


def _read(fields: Shown, shape: type[Any]) -> Any:
    """Fields by Xero's names, as if they had been posted."""
    given = {name: value for name, value in fields.items() if value is not None}
    return msgspec.json.decode(ENCODER.encode(given), type=shape, strict=False)
