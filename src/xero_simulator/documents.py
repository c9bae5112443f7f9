"""What documents with lines have in common: reading lines, finding accounts and tax, adding up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from xero_simulator import messages
from xero_simulator.books import Books, Table, new_id
from xero_simulator.errors import Inside, Invalid
from xero_simulator.records import CLASS_OF_TYPE, Account, Document, Item, Line, TaxRate, Tracking, Wire
from xero_simulator.rounding import (
    HUNDRED,
    LARGEST_AMOUNT,
    ZERO,
    cents,
    four_places,
    is_half_a_cent,
    is_sane,
    percentage,
    tax_on,
    unit_price,
)
from xero_simulator.wire import ENCODER, guid_or_none

LINES = msgspec.json.Decoder(list[Line])
LINE_AMOUNT_TYPES = {"exclusive": "Exclusive", "inclusive": "Inclusive", "notax": "NoTax"}
FORBIDDEN_SYSTEM = {"DEBTORS", "CREDITORS", "GST"}
LONGEST_DESCRIPTION = 4000
MOST_TRACKING = 2
TWO_PLACES = 2
ONE = Decimal("1.0000")
CREATABLE = {"DRAFT", "SUBMITTED", "AUTHORISED"}
ENDED = {"VOIDED", "DELETED"}
NEXT = {
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"SUBMITTED", "DRAFT", "AUTHORISED", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
    "PAID": {"PAID"},
}


class LineIn(Wire, frozen=True):
    """A line as clients send it."""

    line_item_id: str | None = None
    description: str | None = None
    unit_amount: Decimal | None = None
    tax_type: str | None = None
    tax_amount: Decimal | None = None
    line_amount: Decimal | None = None
    account_code: str | None = None
    account_id: str | None = None
    item_code: str | None = None
    quantity: Decimal | None = None
    discount_rate: Decimal | None = None
    discount_amount: Decimal | None = None
    tracking: list[Tracking] | None = None


class Totals(NamedTuple):
    sub_total: Decimal
    total_tax: Decimal
    total: Decimal
    discount: Decimal


@dataclass(slots=True)
class LineRules:
    """How the lines of one document are to be read."""

    books: Books
    line_amount_types: str
    approved: bool
    places: int
    sales: bool
    discounts: bool = True
    texts: list[str] = field(default_factory=list)
    _accounts: dict[str, Account | str] = field(default_factory=dict)
    _line: int | None = None

    def refuse(self, text: str) -> None:
        """Note what is wrong, and with which line."""
        self.texts.append(text if self._line is None else Inside(text, ("LineItems", self._line)))

    def read(self, lines: Sequence[LineIn], present: Sequence[Line] = ()) -> list[Line]:
        """The lines as they will be kept. Those with a known LineItemID change that line, the others are new."""
        known = {line.line_item_id: line for line in present}
        found = []
        for self._line, line in enumerate(lines):
            found.append(self._read_line(line, known))
        self._line = None
        return found

    def _read_line(self, line: LineIn, known: dict[str, Line]) -> Line:
        old = known.pop(guid_or_none(line.line_item_id) or "", None) if line.line_item_id else None
        if old is not None:
            line = _over(line, old)
        line_id = old.line_item_id if old else new_id()
        if line.description and len(line.description) > LONGEST_DESCRIPTION:
            self.refuse(messages.too_long("Description", LONGEST_DESCRIPTION))
        if not self._numbers_are_sane(line):
            return Line(line_item_id=line_id, description=line.description, tracking=())
        if _is_only_text(line):
            text = line.description
            return Line(line_item_id=line_id, description=text, tax_amount=ZERO, line_amount=ZERO, tracking=())
        return self._read_amounts(line, line_id)

    def _numbers_are_sane(self, line: LineIn) -> bool:
        numbers = (line.unit_amount, line.tax_amount, line.line_amount, line.quantity)
        sane = all(n is None or is_sane(n) for n in (*numbers, line.discount_rate, line.discount_amount))
        if not sane:
            self.refuse(messages.NUMBER_OUT_OF_RANGE)
        return sane

    def _read_amounts(self, line: LineIn, line_id: str) -> Line:
        item = self._item(line)
        quantity, unit, amount = self._amounts(line, item)
        account = self._account(line, item)
        tax_type, rate = self._tax(line, item, account)
        tax = self._tax_amount(line, amount, rate)
        return Line(
            line_item_id=line_id,
            description=line.description or (item.description if item else None),
            unit_amount=unit,
            tax_type=tax_type,
            tax_amount=tax,
            line_amount=amount,
            account_code=account.code if account else None,
            account_id=account.id if account else None,
            item_code=item.code if item else None,
            quantity=quantity,
            discount_rate=percentage(line.discount_rate) if line.discount_rate is not None else None,
            discount_amount=cents(line.discount_amount) if line.discount_amount is not None else None,
            tracking=self._tracking(line.tracking) if line.tracking else (),
        )

    def _item(self, line: LineIn) -> Item | None:
        if not line.item_code:
            return None
        item = self.books.items.first("code", line.item_code.casefold())
        if item is None:
            self.refuse(messages.item_code_invalid(line.item_code))
        return item

    def _amounts(self, line: LineIn, item: Item | None) -> tuple[Decimal, Decimal, Decimal]:
        """Quantity, unit price and line amount; what is missing follows from the others."""
        unit = self._unit_amount(line, item)
        quantity = four_places(line.quantity) if line.quantity is not None else None
        given = cents(line.line_amount) if line.line_amount is not None else None
        if unit is None:
            quantity = ONE if quantity is None else quantity
            unit = unit_price(given / quantity, self.places) if given is not None and quantity else ZERO_UNIT
        elif quantity is None:
            quantity = four_places(given / unit) if given is not None and unit else ONE
        expected = self._expected(line, quantity, unit)
        if given is None:
            given = expected
        elif line.unit_amount is not None and line.quantity is not None:
            self._check_line_total(given, expected)
        if abs(given) > LARGEST_AMOUNT:
            self.refuse(messages.LINE_AMOUNT_TOO_LARGE)
        return quantity, unit, given

    def _check_line_total(self, given: Decimal, expected: Decimal) -> None:
        if given != expected and self.books.switches["line_total_checked"]:
            self.refuse(messages.line_total_differs(given, expected))

    def _unit_amount(self, line: LineIn, item: Item | None) -> Decimal | None:
        prices = (item.sales if self.sales else item.purchase) if item else None
        of_item = prices.unit_price if prices else None
        first, second = line.unit_amount, of_item
        if of_item is not None and not self.books.switches["line_values_beat_item"]:
            first, second = second, first
        if first is None and line.line_amount is None:
            first = second
        return None if first is None else unit_price(first, self.places)

    def _expected(self, line: LineIn, quantity: Decimal, unit: Decimal) -> Decimal:
        if line.discount_rate is None and line.discount_amount is None:
            return self._cents(quantity * unit)
        if not self.discounts:
            self.refuse(messages.DISCOUNT_NOT_ALLOWED)
        rate, amount = percentage(line.discount_rate or ZERO), cents(line.discount_amount or ZERO)
        if not 0 <= rate <= HUNDRED:
            self.refuse(messages.DISCOUNT_INVALID)
        if line.discount_rate is not None:
            return self._cents(quantity * unit * (HUNDRED - rate) / HUNDRED)
        return self._cents(quantity * unit - amount)

    def _cents(self, value: Decimal) -> Decimal:
        return cents(value, half_away=not is_half_a_cent(value) or self.books.switches["half_cents_away_from_zero"])

    def _account(self, line: LineIn, item: Item | None) -> Account | None:
        prices = (item.sales if self.sales else item.purchase) if item else None
        of_item = prices.account_code if prices else None
        if item and item.is_tracked and not self.sales:
            of_item = item.inventory_account  # what is bought of it is stock
        code, account_id = line.account_code, guid_or_none(line.account_id) if line.account_id else None
        if of_item and (not (code or account_id) or not self.books.switches["line_values_beat_item"]):
            code, account_id = of_item, None
        if not code and not account_id:
            if self.approved:
                self.refuse(messages.ACCOUNT_REQUIRED)
            return None
        key = f"c{code}" if code else f"i{account_id}"
        if key not in self._accounts:
            self._accounts[key] = self._find_account(code, account_id)
        found = self._accounts[key]
        if isinstance(found, str):
            self.refuse(found)
            return None
        return found

    def _find_account(self, code: str | None, account_id: str | None) -> Account | str:
        """The account, or why it can't be used."""
        account = self.books.accounts.first("code", code.upper()) if code else self.books.accounts.get(account_id)
        shown = code or str(account_id)
        if account is None or account.type == "BANK" or account.system_account in FORBIDDEN_SYSTEM:
            return messages.account_code_invalid(shown)
        return account if account.status == "ACTIVE" else messages.account_archived(shown)

    def _tax(self, line: LineIn, item: Item | None, account: Account | None) -> tuple[str | None, Decimal]:
        """The tax type and its percentage. A document without tax takes the type that means none."""
        if self.line_amount_types == "NoTax":
            return "NONE" if self.books.tax_rates.get("NONE") else "BASEXCLUDED", ZERO
        prices = (item.sales if self.sales else item.purchase) if item else None
        of_item = prices.tax_type if prices else None
        tax_type = line.tax_type or of_item or (account.tax_type if account else None)
        if of_item and not self.books.switches["line_values_beat_item"]:
            tax_type = of_item
        if tax_type is None:
            return None, ZERO
        rate = self._tax_rate(tax_type)
        if rate is None:
            self.refuse(messages.tax_type_unknown(tax_type))
            return tax_type, ZERO
        if account and CLASS_OF_TYPE[account.type] not in rate.applies:
            self.refuse(messages.tax_type_not_for_account(tax_type, account.code or account.id))
        return rate.id, rate.rate

    def _tax_rate(self, tax_type: str) -> TaxRate | None:
        rate = self.books.tax_rates.get(tax_type.upper())
        if rate is None and tax_type.upper() == "NONE":
            rate = self.books.tax_rates.get("BASEXCLUDED")
        return rate if rate and rate.status == "ACTIVE" else None

    def _tax_amount(self, line: LineIn, amount: Decimal, rate: Decimal) -> Decimal:
        if self.line_amount_types == "NoTax":
            return ZERO
        if line.tax_amount is not None:
            given = cents(line.tax_amount)
            if abs(given) > abs(amount):
                self.refuse(messages.TAX_ABOVE_LINE)
            return given
        return self._cents(tax_on(amount, rate, inclusive=self.line_amount_types == "Inclusive"))

    def _tracking(self, wanted: Sequence[Tracking]) -> tuple[Tracking, ...]:
        if len(wanted) > MOST_TRACKING:
            self.refuse(messages.TOO_MANY_TRACKING)
        return tuple(found for one in wanted if (found := self._option(one)))

    def _option(self, wanted: Tracking) -> Tracking | None:
        category = (
            self.books.tracking.get(guid_or_none(wanted.tracking_category_id))
            if wanted.tracking_category_id
            else self.books.tracking.first("name", (wanted.name or "").casefold())
        )
        options = category.options if category and category.status == "ACTIVE" else ()
        for option in options:
            by_id = wanted.tracking_option_id and option.id == guid_or_none(wanted.tracking_option_id)
            by_name = not wanted.tracking_option_id and option.name.casefold() == (wanted.option or "").casefold()
            if option.status == "ACTIVE" and (by_id or by_name) and category:
                return Tracking(
                    name=category.name,
                    option=option.name,
                    tracking_category_id=category.id,
                    tracking_option_id=option.id,
                )
        if self.books.switches["unknown_tracking_refused"]:
            self.refuse(messages.tracking_unknown(str(wanted.option or wanted.name or wanted.tracking_option_id)))
        return None


ZERO_UNIT = Decimal("0.0000")


def _is_only_text(line: LineIn) -> bool:
    amounts = (line.unit_amount, line.line_amount, line.quantity, line.item_code, line.account_code, line.account_id)
    return bool(line.description) and not any(amounts)


def _over(line: LineIn, old: Line) -> LineIn:
    """What was sent of a line, over what it was. Amounts that follow from others are worked out anew."""
    discount_sent = line.discount_rate is not None or line.discount_amount is not None
    account_sent = line.account_code or line.account_id
    amounts_kept = line.unit_amount is None and line.quantity is None and line.line_amount is None
    return LineIn(
        description=line.description if line.description is not None else old.description,
        unit_amount=line.unit_amount
        if line.unit_amount is not None or line.line_amount is not None
        else old.unit_amount,
        quantity=line.quantity if line.quantity is not None else old.quantity,
        line_amount=old.line_amount if amounts_kept and old.unit_amount is None else line.line_amount,
        tax_type=line.tax_type or old.tax_type,
        tax_amount=line.tax_amount,
        account_code=line.account_code or (None if account_sent else old.account_code),
        account_id=line.account_id or (None if account_sent or old.account_code else old.account_id),
        item_code=line.item_code if line.item_code is not None else old.item_code,
        discount_rate=line.discount_rate if discount_sent else old.discount_rate,
        discount_amount=line.discount_amount if discount_sent else old.discount_amount,
        tracking=line.tracking if line.tracking is not None else list(old.tracking),
    )


def add_up(lines: Sequence[Line], line_amount_types: str) -> Totals:
    """Xero's sums: tax is rounded on each line, then added."""
    amounts = sum((line.line_amount or ZERO for line in lines), ZERO)
    tax = sum((line.tax_amount or ZERO for line in lines), ZERO)
    discount = sum((_discount(line) for line in lines), ZERO)
    if line_amount_types == "Inclusive":
        return Totals(amounts - tax, tax, amounts, discount)
    return Totals(amounts, tax, amounts + tax, discount)


def _discount(line: Line) -> Decimal:
    if (line.discount_rate is None and line.discount_amount is None) or line.unit_amount is None:
        return ZERO
    return cents((line.quantity or ONE) * line.unit_amount) - (line.line_amount or ZERO)


def missing(contact: object, lines: object, kind: str | None, kinds: set[str], no_kind: str) -> list[str]:
    """The texts for what a new document cannot do without."""
    parts = ((contact is not None, messages.CONTACT_REQUIRED), (lines, messages.LINES_REQUIRED))
    return [text for is_there, text in (*parts, ((kind or "").upper() in kinds, no_kind)) if not is_there]


def amounts(line_amount_types: str, lines: Sequence[Line], totals: Totals) -> dict[str, Any]:
    """What a document keeps of its lines and their sums."""
    return {
        "line_amount_types": line_amount_types,
        "lines": pack_lines(lines),
        "sub_total": totals.sub_total,
        "total_tax": totals.total_tax,
        "total": totals.total,
    }


def change_lines(rules: LineRules, wanted: Sequence[LineIn] | None, old: Document) -> list[Line]:
    """The lines after a change. Without `unitdp=4` unit prices fall back to two places, sent or not."""
    present = unpack_lines(old.lines)
    if wanted is None:
        if not must_be_read_again(present, rules.places, old.line_amount_types, rules.line_amount_types):
            return present
        wanted = [LineIn(line_item_id=line.line_item_id) for line in present]
    elif not wanted:
        rules.refuse(messages.LINES_REQUIRED)
    return rules.read(wanted, present)


def next_number(books: Books, table: Table[Any], prefix: str, counter: str) -> str:
    """The number for a document that comes without one; `counter` is where the organisation keeps the last."""
    number: int = getattr(books.settings, counter)
    while table.first("number", f"{prefix}{number:04d}"):
        number += 1
    books.put(msgspec.structs.replace(books.settings, **{counter: number + 1}))
    return f"{prefix}{number:04d}"


def read_line_amount_types(text: str | None, default: str) -> str:
    if not text:
        return default
    if kind := LINE_AMOUNT_TYPES.get(text.lower()):
        return kind
    raise Invalid(messages.LINE_AMOUNT_TYPES_INVALID)


def check_descriptions(lines: Sequence[Line]) -> list[str]:
    """What approved documents ask of each line."""
    bare = [("LineItems", number) for number, line in enumerate(lines) if not line.description]
    return [Inside(messages.DESCRIPTION_REQUIRED, *bare)] if bare else []


def check_locks(books: Books, day: date) -> list[str]:
    """The texts of the lock dates that cover this day: both when both do."""
    texts = []
    period, year = books.settings.period_lock_date, books.settings.end_of_year_lock_date
    if period and day <= period:
        texts.append(messages.before_period_lock(period))
    if year and day <= year:
        texts.append(messages.before_year_lock(year))
    return texts


def pack_lines(lines: Sequence[Line]) -> bytes:
    return ENCODER.encode(lines)


def unpack_lines(packed: bytes) -> list[Line]:
    return LINES.decode(packed)


def show_lines(packed: bytes, places: int) -> object:
    """The lines as the API gives them: as they are kept, or with unit prices of two places."""
    if places != TWO_PLACES:
        return msgspec.Raw(packed)
    return [
        msgspec.structs.replace(line, unit_amount=cents(line.unit_amount)) if line.unit_amount is not None else line
        for line in LINES.decode(packed)
    ]


def must_be_read_again(lines: Sequence[Line], places: int, before: str, after: str) -> bool:
    """Whether lines that were not sent change all the same: other tax inclusion, or prices with too many places."""
    if before != after:
        return True
    prices = [line.unit_amount for line in lines if line.unit_amount is not None]
    return places == TWO_PLACES and any(price != cents(price) for price in prices)
