"""Does Xero still hold what we sent? Judged by the fields that we send, never by time stamps.

`sent` is the frozen element as it left; `theirs` what Xero shows now. A status isn't compared: approving our draft is
a bookkeeper's work, not an edit. Voided and deleted documents are told apart by their callers.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from provender.basics.money import show_price
from provender.sync.documents import clean_text
from provender.xero import wire

GONE = frozenset({"VOIDED", "DELETED"})
TheirLined = wire.Invoice | wire.CreditNote
HEAD = {
    "InvoiceNumber": ("number", "invoice_number"),
    "CreditNoteNumber": ("number", "credit_note_number"),
    "Reference": ("reference", "reference"),
    "Date": ("date", "date"),
    "DueDate": ("due date", "due_date"),
    "CurrencyCode": ("currency", "currency_code"),
    "LineAmountTypes": ("tax mode", "line_amount_types"),
}
LINE = {
    "Description": ("description", "description"),
    "Quantity": ("quantity", "quantity"),
    "UnitAmount": ("unit price", "unit_amount"),
    "ItemCode": ("item code", "item_code"),
    "AccountCode": ("account", "account_code"),
    "TaxType": ("tax type", "tax_type"),
}
MONEY = frozenset({"Quantity", "UnitAmount"})
OF_AN_ITEM = ("UnitAmount", "AccountCode", "TaxType")


@dataclass(frozen=True)
class Difference:
    """One field that isn't what we sent."""

    field: str
    ours: str
    theirs: str

    def __str__(self) -> str:
        return f"{self.field}: we sent “{self.ours}”, Xero has “{self.theirs}”"


def read_sent(text: str) -> dict[str, Any]:
    """A frozen element back from its JSON, numbers as Decimal."""
    element: dict[str, Any] = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    return element


def differences(
    sent: dict[str, Any], theirs: TheirLined, merged: Mapping[str, str] = MappingProxyType({})
) -> list[Difference]:
    """What a person changed in Xero since `sent`; empty when nothing that we send was.

    `merged` says which contacts were merged into which: Xero moves their documents along.
    """
    found = [
        Difference(label, _text(sent.get(name)), _text(getattr(theirs, attribute)))
        for name, (label, attribute) in HEAD.items()
        if name in sent and _text(sent[name]) != _text(getattr(theirs, attribute))
    ]
    if moved_to(sent, theirs, merged) and theirs.contact:
        there = theirs.contact.name or theirs.contact.contact_id or ""
        found.append(Difference("contact", contact_sent(sent), there))
    return found + list(_line_differences(sent.get("LineItems") or [], theirs.line_items))


def contact_sent(sent: dict[str, Any]) -> str:
    """The contact that a frozen element names."""
    return str((sent.get("Contact") or {}).get("ContactID") or "")


def moved_to(sent: dict[str, Any], theirs: TheirLined, merged: Mapping[str, str]) -> str:
    """The contact that a document stands under by now, unless it went with it, or with what was merged into it."""
    went, there = contact_sent(sent), (theirs.contact.contact_id or "") if theirs.contact else ""
    return there if went and there and there not in {went, merged.get(went)} else ""


def _line_differences(sent: list[dict[str, Any]], theirs: tuple[wire.LineItem, ...]) -> Iterator[Difference]:
    if len(sent) != len(theirs):
        yield Difference("number of lines", str(len(sent)), str(len(theirs)))
        return
    for place, (ours, other) in enumerate(pair_lines(sent, theirs), start=1):
        if other is None:
            yield Difference(f"line {place}", _text(ours.get("Description")), "another line")
            continue
        for name, (label, attribute) in LINE.items():
            mine, there = _value(name, ours.get(name)), _value(name, getattr(other, attribute))
            if mine != there and not (name in MONEY and name not in ours):
                yield Difference(f"line {place} {label}", _text(ours.get(name)), _text(getattr(other, attribute)))
        # Tracking that we never sent on the line is a bookkeeper's own, and none of ours.
        if "Tracking" in ours and _choices(ours["Tracking"]) != _choices_there(other):
            shown = ", ".join(f"{one.name}: {one.option}" for one in other.tracking) or "none"
            yield Difference(f"line {place} tracking", "another choice" if ours["Tracking"] else "none", shown)


def _choices(sent: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(one["TrackingCategoryID"].lower(), one["TrackingOptionID"].lower()) for one in sent}


def _choices_there(line: wire.LineItem) -> set[tuple[str, str]]:
    return {((one.tracking_category_id or "").lower(), (one.tracking_option_id or "").lower()) for one in line.tracking}


def pair_lines(
    sent: list[dict[str, Any]], theirs: tuple[wire.LineItem, ...]
) -> list[tuple[dict[str, Any], wire.LineItem | None]]:
    """Our lines with their twins: by line id where we sent one, the rest in order."""
    known = {line.line_item_id: line for line in theirs}
    named = {item["LineItemID"] for item in sent if item.get("LineItemID")}
    rest = iter([line for line in theirs if line.line_item_id not in named])
    return [(item, known.get(item["LineItemID"]) if item.get("LineItemID") else next(rest, None)) for item in sent]


def _value(name: str, value: Any) -> Decimal | str:
    return Decimal(value) if name in MONEY and value is not None else _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return show_price(value)
    return clean_text(str(value))


def moves_due_date_alone(sent: dict[str, Any], element: dict[str, Any]) -> bool:
    """Whether what would be sent is what was sent before, but for the due date: Xero takes that of one paid in part."""
    return sent.get("DueDate") != element.get("DueDate") and _but_due_date(sent) == _but_due_date(element)


def _but_due_date(element: dict[str, Any]) -> list[object]:
    head = [_text(element.get(name)) for name in HEAD if name != "DueDate"]
    lines = [
        ([_value(name, line.get(name)) for name in LINE], _choices(line.get("Tracking") or []))
        for line in element.get("LineItems") or []
    ]
    return [head, element.get("Contact"), lines]


def is_overruled_by_items(sent: dict[str, Any], theirs: TheirLined) -> bool:
    """Whether Xero put its item's price, account or tax in place of ours on a line that names the item."""
    pairs = pair_lines(sent.get("LineItems") or [], theirs.line_items)
    return any(
        _value(name, ours.get(name)) != _value(name, getattr(other, LINE[name][1]))
        for ours, other in pairs
        if other and ours.get("ItemCode")
        for name in OF_AN_ITEM
    )


def left_untracked(sent: dict[str, Any], theirs: TheirLined) -> list[int]:
    """The places (from 1) of lines whose tracking Xero took without a word and left out, in part or whole."""
    pairs = pair_lines(sent.get("LineItems") or [], theirs.line_items)
    return [
        place
        for place, (ours, other) in enumerate(pairs, start=1)
        if other and not _choices(ours.get("Tracking") or []) <= _choices_there(other)
    ]


def as_overruled(sent: dict[str, Any], items: Mapping[str, wire.Item]) -> dict[str, Any]:
    """What we sent, as Xero holds it where an item's own price, account and tax go before those of its line."""
    lines = [line | _of_item(items.get(line.get("ItemCode") or "")) for line in sent.get("LineItems") or []]
    return sent | {"LineItems": lines}


def _of_item(item: wire.Item | None) -> dict[str, Any]:
    own = item.sales_details if item else None
    if own is None:
        return {}
    values = {"UnitAmount": own.unit_price, "AccountCode": own.account_code, "TaxType": own.tax_type}
    return {name: value for name, value in values.items() if value is not None}


def as_sent(theirs: TheirLined) -> str:
    """What Xero has, in the shape of what we send: the look before the next write compares with it."""
    tracked = any(line.tracking for line in theirs.line_items)
    head = {name: getattr(theirs, attribute) for name, (_, attribute) in HEAD.items() if hasattr(theirs, attribute)}
    element = {
        **{name: value.isoformat() if isinstance(value, date) else value or "" for name, value in head.items()},
        "Contact": {"ContactID": theirs.contact.contact_id if theirs.contact else ""},
        "LineItems": [_line_as_sent(line, tracked=tracked) for line in theirs.line_items],
    }
    return json.dumps(element, default=str)


def _line_as_sent(line: wire.LineItem, *, tracked: bool) -> dict[str, Any]:
    item: dict[str, Any] = {
        "LineItemID": line.line_item_id,
        "Description": line.description or "",
        "ItemCode": line.item_code or "",
        "AccountCode": line.account_code or "",
        "TaxType": line.tax_type or "",
    }
    if tracked:
        item["Tracking"] = [
            {"TrackingCategoryID": one.tracking_category_id, "TrackingOptionID": one.tracking_option_id}
            for one in line.tracking
        ]
    numbers = {"Quantity": line.quantity, "UnitAmount": line.unit_amount}
    return item | {name: str(value) for name, value in numbers.items() if value is not None}


def touched_by_money(theirs: TheirLined) -> bool:
    """Paid, credited or used, even in part: Xero no longer lets us change it. What comes to nothing is "paid" too."""
    if theirs.status == "PAID" and theirs.total != 0:
        return True
    if isinstance(theirs, wire.CreditNote):
        return theirs.remaining_credit not in (None, theirs.total)
    return bool(theirs.amount_paid) or bool(theirs.amount_credited)
