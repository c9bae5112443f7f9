"""One organisation's books: its records, found by id and by what people call them, changed in transactions."""

import unicodedata
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from xero_simulator.clock import Clock
from xero_simulator.records import (
    Account,
    Allocation,
    BankTransaction,
    BatchPayment,
    Contact,
    CreditNote,
    Currency,
    HistoryNote,
    Invoice,
    Item,
    Overpayment,
    Payment,
    Record,
    Settings,
    TaxRate,
    TrackingCategory,
)
from xero_simulator.switches import Switches

A_BURST_MS = 1000
R = TypeVar("R", bound=Record)
Key = Callable[[Any], str | None]


def fold(name: str) -> str:
    """Contact names are the same when only case, accents or doubled spaces differ."""
    plain = unicodedata.normalize("NFKD", name)
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).casefold().split())


def new_id() -> str:
    return str(uuid.uuid4())


class Table(Generic[R]):
    """Records of one kind, in the order in which they last changed."""

    def __init__(self, kind: type[R], **keys: Key) -> None:
        self.kind = kind
        self.name = kind.__name__
        self.rows: dict[str, R] = {}
        self._keys = keys
        self._indexes: dict[str, dict[str, list[str]]] = {name: {} for name in keys}

    def __iter__(self) -> Iterator[R]:
        return iter(self.rows.values())

    def __len__(self) -> int:
        return len(self.rows)

    def get(self, record_id: str | None) -> R | None:
        return self.rows.get(record_id) if record_id else None

    def find(self, index: str, key: str) -> list[R]:
        """All records that this index files under the key."""
        return [self.rows[record_id] for record_id in self._indexes[index].get(key, ())]

    def first(self, index: str, key: str) -> R | None:
        ids = self._indexes[index].get(key)
        return self.rows[ids[0]] if ids else None

    def place(self, record_id: str, record: R | None) -> R | None:
        """Put a record where the old one was (None takes it away); answers the old one."""
        old = self.rows.pop(record_id, None)
        if record is not None:
            self.rows[record_id] = record
        for name, key in self._keys.items():
            before = key(old) if old is not None else None
            after = key(record) if record is not None else None
            if before != after:
                self._refile(self._indexes[name], record_id, before, after)
        return old

    @staticmethod
    def _refile(index: dict[str, list[str]], record_id: str, before: str | None, after: str | None) -> None:
        if before is not None:
            index[before].remove(record_id)
            if not index[before]:
                del index[before]
        if after is not None:
            index.setdefault(after, []).append(record_id)


class Change(NamedTuple):
    table: Table[Any]
    record_id: str
    old: Record | None


def _upper(text: str | None) -> str | None:
    return text.upper() if text else None


class Books:
    """Everything one organisation holds. Changes go through `put` and `drop`, and end in `commit` or `rollback_to`."""

    def __init__(self, settings: Settings, clock: Clock, switches: Switches) -> None:
        self.clock = clock
        self.switches = switches
        self.organisations: Table[Settings] = Table(Settings)
        self.accounts = Table(Account, code=lambda a: _upper(a.code), name=lambda a: a.name.casefold())
        self.currencies: Table[Currency] = Table(Currency)
        self.tax_rates = Table(TaxRate, name=lambda t: t.name.casefold())
        self.tracking = Table(TrackingCategory, name=lambda c: c.name.casefold())
        self.items = Table(Item, code=lambda i: i.code.casefold())
        self.contacts = Table(
            Contact,
            name=lambda c: fold(c.name) if c.status == "ACTIVE" else None,
            any_name=lambda c: fold(c.name),
            number=lambda c: c.number,
            account_number=lambda c: c.account_number,
        )
        self.invoices = Table(Invoice, number=lambda i: i.number, contact=lambda i: i.contact_id)
        self.credit_notes = Table(CreditNote, number=lambda n: n.number)
        self.overpayments = Table(Overpayment)
        self.bank_transactions = Table(BankTransaction)
        self.payments = Table(Payment, document=lambda p: p.document_id)
        self.batch_payments = Table(BatchPayment)
        self.allocations = Table(Allocation, credit=lambda a: a.credit_id, invoice=lambda a: a.invoice_id)
        self.history = Table(HistoryNote, document=lambda n: n.document_id)
        self.tables: dict[str, Table[Any]] = {
            table.name: table for table in vars(self).values() if isinstance(table, Table)
        }
        self.changes: list[Change] = []
        self._last_commit = 0
        self.settings_id = settings.id
        self.organisations.place(settings.id, settings)

    @property
    def settings(self) -> Settings:
        return self.organisations.rows[self.settings_id]

    @property
    def organisation_id(self) -> str:
        return self.settings_id

    def now(self) -> int:
        """The time of changes. Two commits never share a millisecond, so that each moves UpdatedDateUTC."""
        now = self.clock.now_ms()
        return self._last_commit + 1 if 0 <= self._last_commit - now < A_BURST_MS else now

    def today(self) -> date:
        return self.clock.today(self.settings.zone_name)

    def put(self, record: Record) -> None:
        """Set a record in place of the one with its id."""
        table = self.tables[type(record).__name__]
        self.changes.append(Change(table, record.id, table.place(record.id, record)))

    def drop(self, record: Record) -> None:
        table = self.tables[type(record).__name__]
        self.changes.append(Change(table, record.id, table.place(record.id, None)))

    def mark(self) -> int:
        """Where we are now, for `rollback_to`."""
        return len(self.changes)

    def rollback_to(self, mark: int) -> None:
        while len(self.changes) > mark:
            change = self.changes.pop()
            change.table.place(change.record_id, change.old)

    @contextmanager
    def as_a_whole(self) -> Iterator[None]:
        """What is changed inside stays when the end is reached, and is undone when anything keeps it from that."""
        mark, ended = self.mark(), False
        try:
            yield
            ended = True
        finally:
            if not ended:
                self.rollback_to(mark)

    def take_changes(self) -> list[Change]:
        """The changes since the last commit, which they now are part of."""
        if self.changes:
            self._last_commit = self.now()
        changes, self.changes = self.changes, []
        return changes

    def rewrite_lines(self, old: str, new: str) -> None:
        """Lines show what they name as it is called now; a renaming does not move a document's UpdatedDateUTC."""
        before, after = old.encode(), new.encode()
        for table in (self.invoices, self.credit_notes, self.overpayments, self.bank_transactions):
            for document in [one for one in table if before in one.lines]:
                lines = document.lines.replace(before, after)
                self.put(msgspec.structs.replace(document, lines=lines))

    def is_used_item(self, code: str) -> bool:
        """Whether a document names the item: its code stands in the lines as Xero writes them."""
        needle = b'"ItemCode":' + msgspec.json.encode(code)
        return any(needle in document.lines for document in self._documents())

    def is_used_account(self, account: Account) -> bool:
        needle = f'"AccountID":"{account.id}"'.encode()
        if any(payment.account_id == account.id for payment in self.payments):
            return True
        if any(transaction.bank_account_id == account.id for transaction in self.bank_transactions):
            return True
        return any(needle in document.lines for document in self._documents())

    def _documents(self) -> Iterator[Invoice | CreditNote | BankTransaction]:
        yield from self.invoices
        yield from self.credit_notes
        yield from self.bank_transactions
