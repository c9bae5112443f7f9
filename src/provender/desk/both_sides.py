"""One document as it stands here and as it stands in Xero, side by side, for a person to decide between them.

"Here" is the very element that would be sent now, so that what is compared is what a decision would write.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import formats

from provender.desk.templatetags.desk import amount, price, quantity
from provender.invoicing.models import CreditNote, Invoice
from provender.sync.differences import LINE, read_sent
from provender.sync.documents import LINED, Builder, Built, Chart
from provender.sync.models import Connection, Contact, Link, Problem
from provender.sync.standing import status_in_words

Element = dict[str, Any]
Names = dict[tuple[str, str], str]
WRITE = {"Quantity": quantity, "UnitAmount": price, "Total": amount, "TotalTax": amount, "SubTotal": amount}
HEAD = {
    "InvoiceNumber": "Number",
    "CreditNoteNumber": "Number",
    "Contact": "Contact",
    "Date": "Date",
    "DueDate": "Due date",
    "Reference": "Reference",
    "CurrencyCode": "Currency",
    "Total": "Total",
}


@dataclass(frozen=True)
class Pair:
    """One field on both sides, as people read it."""

    label: str
    ours: str
    theirs: str

    @property
    def differs(self) -> bool:
        return self.ours != self.theirs


@dataclass(frozen=True)
class LinePair:
    """A line and its twin; `only` is "here" or "in Xero" when there is no twin."""

    label: str
    pairs: list[Pair]
    only: str = ""


@dataclass(frozen=True)
class BothSides:
    """The whole document in pairs."""

    head: list[Pair]
    lines: list[LinePair]
    status: str  # in Xero, in words
    paid: str  # what was paid, credited or used of it there, or ""

    @property
    def differences(self) -> int:
        """In how many points the two aren't the same; a line on one side only is one."""
        pairs = [*self.head, *(pair for line in self.lines if not line.only for pair in line.pairs)]
        return sum(pair.differs for pair in pairs) + sum(bool(line.only) for line in self.lines)


def both_sides(problem: Problem) -> BothSides | None:
    """Our document and the one in Xero that the problem shows; None when it shows none."""
    lined = LINED.get(problem.kind)
    if not problem.shown or lined is None:
        return None
    document = lined.of(problem.connection).select_related("customer").filter(pk=problem.document).first()
    if document is None:
        return None
    theirs: Element = json.loads(problem.shown, parse_float=Decimal)
    ours = _ours(problem, document)
    names = _names(problem.connection)
    head = [Pair(label, _text(name, ours.get(name)), _text(name, theirs.get(name))) for name, label in HEAD.items()]
    return BothSides(
        head=[pair for pair in head if pair.ours or pair.theirs],
        lines=list(_lines(ours.get("LineItems") or [], theirs.get("LineItems") or [], names)),
        status=status_in_words(problem.kind, str(theirs.get("Status", ""))),
        paid=_paid(theirs),
    )


def _ours(problem: Problem, document: Invoice | CreditNote) -> Element:
    """What would be sent now; when that can't be built, what was sent last."""
    connection = problem.connection
    link = Link.objects.filter(connection=connection, kind=problem.kind, document=document.pk).first()
    known = Link.objects.filter(connection=connection, kind="contact", document=document.customer_id).first()
    contact = known.xero_id if known else ""
    builder = Builder(connection, Chart.load(connection), LINED[problem.kind])
    links = {document.pk: link} if link else {}
    built = builder.build({document.pk: problem.revision}, links, {document.customer_id: contact})
    sent = link.sent if link else ""
    if built and isinstance(built[0], Built):
        sent = built[0].element.decode()
    named = Contact.objects.filter(connection=connection, contact_id=contact).values_list("name", flat=True).first()
    element = read_sent(sent) if sent else {}
    return element | {"Total": document.total, "Contact": {"Name": named or document.customer.trading_name}}


def _names(connection: Connection) -> Names:
    """What the organisation calls its accounts and tax types, by field and code."""
    accounts = connection.accounts.exclude(code="").values_list("code", "name")
    rates = connection.tax_rates.values_list("tax_type", "name")
    return {("AccountCode", code): f"{code} · {name}" for code, name in accounts} | {
        ("TaxType", code): name for code, name in rates
    }


def _lines(ours: list[Element], theirs: list[Element], names: Names) -> Iterator[LinePair]:
    """Each line with its twin: by Xero's line id where we know it, the rest in order; then those only in Xero."""
    by_id = {line.get("LineItemID"): line for line in theirs}
    named = {line.get("LineItemID") for line in ours if line.get("LineItemID")}
    rest = iter([line for line in theirs if line.get("LineItemID") not in named])
    for place, line in enumerate(ours, start=1):
        known = line.get("LineItemID")
        twin = by_id.get(known) if known else next(rest, None)
        yield LinePair(f"Line {place}", _pair(line, twin or {}, names), "" if twin else "here")
    for place, line in enumerate(rest, start=len(ours) + 1):
        yield LinePair(f"Line {place}", _pair({}, line, names), "in Xero")


def _pair(ours: Element, theirs: Element, names: Names) -> list[Pair]:
    def text(name: str, side: Element) -> str:
        return names.get((name, str(side.get(name)))) or _text(name, side.get(name))

    pairs = [Pair(label, text(name, ours), text(name, theirs)) for name, (label, _) in LINE.items()]
    return [pair for pair in pairs if pair.ours or pair.theirs]


def _paid(theirs: Element) -> str:
    words = (("AmountPaid", "paid"), ("AmountCredited", "credited"), ("AppliedAmount", "used"))
    parts = [(_number(theirs.get(name)), word) for name, word in words]
    return ", ".join(f"{amount(value)} {word}" for value, word in parts if value)


def _text(name: str, value: Any) -> str:
    """A value of Xero's as a person reads it."""
    if value is None or value == "":
        return ""
    if name == "Contact":
        return str(value.get("Name", ""))
    if name in WRITE:
        number = _number(value)
        return WRITE[name](number) if number is not None else str(value)
    if name in {"Date", "DueDate"}:
        return _day(str(value))
    return str(value)


def _number(value: Any) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None


def _day(text: str) -> str:
    try:
        return formats.date_format(date.fromisoformat(text[:10]), "j M Y")
    except ValueError:
        return text
