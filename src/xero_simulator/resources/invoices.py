"""Invoices: sales invoices (ACCREC) and bills (ACCPAY), their states and what may be edited when."""

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from xero_simulator import currencies, documents, messages, settlements, stock
from xero_simulator.books import Books, new_id
from xero_simulator.calls import Call, Listing, Route, Saving, Shown, answer_list, moment_of, replaced, save_each
from xero_simulator.documents import CREATABLE, ENDED, NEXT, LineIn, LineRules, Totals
from xero_simulator.errors import BadRequest, Invalid, NotFound
from xero_simulator.filters import Getter
from xero_simulator.records import Contact, Invoice, Line, Wire
from xero_simulator.resources import contacts
from xero_simulator.resources.contacts import ContactIn
from xero_simulator.rounding import ZERO, cents, is_sane
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
    utc_string,
)

TYPES = {"ACCREC", "ACCPAY"}
STATUSES = CREATABLE | ENDED | {"PAID"}
LONGEST_NUMBER = 255
ROUNDED = {"SUBMITTED", "AUTHORISED"}
MOST_ROUNDING = Decimal("0.10")
URL = re.compile(r"^https?://[^\s/]+", re.IGNORECASE)


class InvoiceIn(Wire, frozen=True):
    invoice_id: str | None = None
    type: str | None = None
    contact: ContactIn | None = None
    line_items: list[LineIn] | None = None
    date: str | None = None
    due_date: str | None = None
    line_amount_types: str | None = None
    invoice_number: str | None = None
    reference: str | None = None
    branding_theme_id: str | None = None
    url: str | None = None
    currency_code: str | None = None
    currency_rate: Decimal | None = None
    status: str | None = None
    sent_to_contact: bool | None = None
    expected_payment_date: str | None = None
    planned_payment_date: str | None = None
    sub_total: Decimal | None = None
    total_tax: Decimal | None = None
    total: Decimal | None = None
    rounding_amount: Decimal | None = None


def _show_head(call: Call | None, books: Books, invoice: Invoice) -> Shown:
    return present(
        Type=invoice.type,
        InvoiceID=invoice.id,
        InvoiceNumber=invoice.number or "",
        Reference=(invoice.reference or "") if invoice.type == "ACCREC" else None,
        AmountDue=invoice.due,
        AmountPaid=invoice.paid,
        AmountCredited=invoice.credited,
        CurrencyRate=invoice.currency_rate,
        Url=invoice.url,
        SentToContact=invoice.sent_to_contact,
        IsDiscounted=bool(invoice.total_discount),
        HasAttachments=False,
        HasErrors=False,
        Contact=contacts.show_briefly(books, invoice.contact_id),
        DateString=date_string(invoice.date),
        Date=ms_date(invoice.date),
        DueDateString=date_string(invoice.due_date) if invoice.due_date else None,
        DueDate=ms_date(invoice.due_date) if invoice.due_date else None,
        BrandingThemeID=invoice.branding_theme_id,
        ExpectedPaymentDate=ms_date(invoice.expected_payment_date) if invoice.expected_payment_date else None,
        PlannedPaymentDate=ms_date(invoice.planned_payment_date) if invoice.planned_payment_date else None,
        Status=invoice.status,
        LineAmountTypes=invoice.line_amount_types,
        SubTotal=invoice.sub_total,
        TotalTax=invoice.total_tax,
        Total=invoice.total,
        RoundingAmount=invoice.rounding or None,
        TotalDiscount=invoice.total_discount or None,
        UpdatedDateUTC=ms_time(invoice.updated),
        UpdatedDateUTCString=utc_string(invoice.updated),
        CurrencyCode=invoice.currency_code,
        FullyPaidOnDate=ms_date(invoice.fully_paid_on) if invoice.fully_paid_on else None,
    )


def show_in(books: Books, invoice: Invoice, places: int) -> Shown:
    """An invoice in full."""
    shown = _show_head(None, books, invoice)
    shown["LineItems"] = documents.show_lines(invoice.lines, places)
    return shown | settlements.show_of_invoice(books, invoice)


def show(call: Call, invoice: Invoice) -> Shown:
    return show_in(call.books, invoice, call.places)


def show_alone(call: Call, invoice: Invoice) -> Shown:
    """What a call about this invoice gives: its contact stands there in full."""
    return show(call, invoice) | contacts.in_full(call.books, invoice.contact_id)


def show_without_lines(call: Call, invoice: Invoice) -> Shown:
    """What a list without pages gives."""
    shown = _show_head(call, call.books, invoice)
    shown["LineItems"] = []
    return shown | settlements.show_of_invoice(call.books, invoice)


def show_summary(call: Call, invoice: Invoice) -> Shown:
    """`summaryOnly`: neither lines nor payments."""
    return _show_head(call, call.books, invoice)


def show_briefly(books: Books, invoice_id: str) -> Shown:
    """The invoice as it stands inside payments and allocations."""
    invoice = books.invoices.rows[invoice_id]
    return show_stub(
        Type=invoice.type,
        InvoiceID=invoice.id,
        InvoiceNumber=invoice.number or "",
        Contact=contacts.show_briefly(books, invoice.contact_id),
        CurrencyCode=invoice.currency_code,
    )


def show_stub(**facts: object) -> Shown:
    """An invoice of which no more than these facts is told: its lists are there, and empty."""
    lists = dict.fromkeys(("Payments", "CreditNotes", "Prepayments", "Overpayments", "LineItems"), ())
    return facts | {"HasErrors": False, "IsDiscounted": False} | lists


def _fields(books: Books) -> dict[str, Getter]:
    def contact(invoice: Invoice) -> Contact | None:
        return books.contacts.get(invoice.contact_id)

    return {
        "InvoiceID": lambda i: i.id,
        "Type": lambda i: i.type,
        "Status": lambda i: i.status,
        "InvoiceNumber": lambda i: i.number,
        "Reference": lambda i: i.reference,
        "Date": lambda i: i.date,
        "DueDate": lambda i: i.due_date,
        "ExpectedPaymentDate": lambda i: i.expected_payment_date,
        "PlannedPaymentDate": lambda i: i.planned_payment_date,
        "FullyPaidOnDate": lambda i: i.fully_paid_on,
        "SubTotal": lambda i: i.sub_total,
        "TotalTax": lambda i: i.total_tax,
        "Total": lambda i: i.total,
        "AmountDue": lambda i: i.due,
        "AmountPaid": lambda i: i.paid,
        "AmountCredited": lambda i: i.credited,
        "CurrencyCode": lambda i: i.currency_code,
        "CurrencyRate": lambda i: i.currency_rate,
        "LineAmountTypes": lambda i: i.line_amount_types,
        "Url": lambda i: i.url,
        "SentToContact": lambda i: i.sent_to_contact,
        "BrandingThemeID": lambda i: i.branding_theme_id,
        "UpdatedDateUTC": moment_of,
        "Contact.ContactID": lambda i: i.contact_id,
        "Contact.Name": lambda i: c.name if (c := contact(i)) else None,
        "Contact.ContactNumber": lambda i: c.number if (c := contact(i)) else None,
        "Contact.EmailAddress": lambda i: c.email if (c := contact(i)) else None,
    }


OPTIMISED = frozenset(
    {"InvoiceID", "Type", "Status", "InvoiceNumber", "Date", "Reference", "UpdatedDateUTC"}
    | {f"Contact.{name}" for name in ("ContactID", "Name", "ContactNumber", "EmailAddress")}
)
SAVING = Saving("Invoices", "InvoiceID", show_alone)


def get_all(call: Call) -> Answer:
    listing = Listing(
        "Invoices",
        _fields(call.books),
        show,
        _short(call),
        pages=True,
        forces_pages=("statuses", "summaryonly"),
        unpaged_is_short=True,
        optimised=OPTIMISED,
    )
    return answer_list(call, listing, _selected(call))


def _short(call: Call) -> Callable[[Call, Invoice], Shown]:
    return show_summary if call.flag("summaryonly") else show_without_lines


def _selected(call: Call) -> Iterable[Invoice]:
    """The invoices that the plain filters leave."""
    invoices = _named(call)
    if statuses := {status.upper() for status in call.listed("statuses")}:
        invoices = [i for i in invoices if i.status in statuses]
    if "contactids" in call.args:
        wanted = set(call.listed_ids("contactids"))
        invoices = [i for i in invoices if i.contact_id in wanted]
    if call.flag("createdbymyapp"):
        invoices = [i for i in invoices if i.app_id == call.app_id]
    if term := call.args.get("searchterm", "").casefold():
        invoices = [i for i in invoices if _matches(call.books, i, term)]
    if "includearchived" in call.args and not call.flag("includearchived"):
        invoices = [i for i in invoices if (c := call.books.contacts.get(i.contact_id)) and c.status == "ACTIVE"]
    return invoices


def _named(call: Call) -> Iterable[Invoice]:
    books = call.books
    if "ids" in call.args and call.args["ids"].strip():
        return [found for one in dict.fromkeys(call.listed_ids("ids")) if (found := books.invoices.get(one))]
    if "invoicenumbers" in call.args and call.args["invoicenumbers"].strip():
        return [
            i for number in dict.fromkeys(call.listed("invoicenumbers")) for i in books.invoices.find("number", number)
        ]
    return books.invoices


def _matches(books: Books, invoice: Invoice, term: str) -> bool:
    contact = books.contacts.get(invoice.contact_id)
    texts = (invoice.number, invoice.reference, contact.name if contact else None, str(invoice.total))
    return any(term in text.casefold() for text in texts if text)


def find_in_path(call: Call) -> Invoice:
    """The invoice that the path names by id or number. Raises NotFound."""
    invoice = call.books.invoices.get(guid_or_none(call.ids[0]))
    if invoice is None and call.switches["find_by_number_in_path"]:
        invoice = call.books.invoices.first("number", call.ids[0])
    if invoice is None:
        raise NotFound(messages.NOT_FOUND)
    return invoice


def get_one(call: Call) -> Answer:
    return envelope("Invoices", [show_alone(call, find_in_path(call))], call.books.now())


def put(call: Call) -> Answer:
    return save_each(call, SAVING, call.elements("Invoices", InvoiceIn), create)


def post(call: Call) -> Answer:
    return save_each(call, SAVING, call.elements("Invoices", InvoiceIn), save)


def post_one(call: Call) -> Answer:
    invoice = find_in_path(call)
    elements = call.elements("Invoices", InvoiceIn)[:1]
    return save_each(call, SAVING, elements, lambda call, sent: update(call, invoice, sent))


def get_online(call: Call) -> Answer:
    """The address where a customer can see an approved sales invoice."""
    invoice = find_in_path(call)
    if invoice.type != "ACCREC" or invoice.status in {"DRAFT", "SUBMITTED", "DELETED"}:
        raise BadRequest(messages.VALIDATION_HEADLINE)
    url = f"https://in.xero.com/{invoice.id.replace('-', '')[:24]}"
    return envelope("OnlineInvoices", [{"OnlineInvoiceUrl": url}], call.books.now())


def save(call: Call, sent: InvoiceIn) -> Invoice:
    """Create or update: found by id, then (sales invoices) by number. Raises Invalid."""
    invoice_id = read_guid(sent.invoice_id)
    old = call.books.invoices.get(invoice_id)
    if invoice_id and old is None:
        raise Invalid(messages.INVOICE_ID_UNKNOWN)
    if old is None and sent.invoice_number and (sent.type or "").upper() != "ACCPAY":
        old = next((i for i in call.books.invoices.find("number", sent.invoice_number) if i.type == "ACCREC"), None)
        if old and old.status in ENDED and call.switches["void_frees_number"]:
            old = None
    return update(call, old, sent) if old else create(call, sent)


class Head(NamedTuple):
    """The parts of an invoice that its lines and dates are judged by."""

    type: str
    status: str
    day: date
    due: date | None
    line_amount_types: str
    currency: tuple[str, Decimal]


def create(call: Call, sent: InvoiceIn) -> Invoice:
    """A new invoice. All that is wrong with it is told at once."""
    texts = documents.missing(sent.contact, sent.line_items, sent.type, TYPES, messages.TYPE_REQUIRED)
    status = (sent.status or "DRAFT").upper()
    if status not in CREATABLE:
        texts.append(messages.INVOICE_NOT_CREATABLE)
    contact = contacts.find_for(call, sent.contact, texts)
    if texts and (contact is None or not sent.line_items or not sent.type):
        raise Invalid(*texts)
    head = _read_head(call, sent, str(sent.type).upper(), status, contact, texts)
    texts += _check_text_fields(call, sent, head, None)
    rules = _rules(call, head)
    lines = rules.read(sent.line_items or ())
    totals = documents.add_up(lines, head.line_amount_types)
    texts += rules.texts + _check_approval(call.books, head, totals, lines)
    if texts:
        raise Invalid(*texts)
    rounding = _rounding(sent, head.status, totals)
    invoice = Invoice(
        id=new_id(),
        updated=call.books.now(),
        type=head.type,
        contact_id=contact.id if contact else None,
        date=head.day,
        due_date=head.due,
        status=head.status,
        currency_code=head.currency[0],
        currency_rate=head.currency[1],
        **documents.amounts(head.line_amount_types, lines, totals._replace(total=totals.total + rounding)),
        rounding=rounding,
        total_discount=totals.discount or None,
        number=sent.invoice_number or _next_number(call.books, head.type),
        reference=sent.reference,
        branding_theme_id=read_guid(sent.branding_theme_id),
        url=sent.url or None,
        sent_to_contact=bool(sent.sent_to_contact),
        expected_payment_date=read_date(sent.expected_payment_date),
        planned_payment_date=read_date(sent.planned_payment_date),
        app_id=call.app_id,
    )
    return _keep(call, invoice, None)


def _keep(call: Call, invoice: Invoice, old: Invoice | None) -> Invoice:
    """Put the invoice into the books with what follows from it: the contact's side, stock, nothing left to pay."""
    call.books.put(invoice)
    contact = call.books.contacts.get(invoice.contact_id)
    if contact:
        contacts.note_use(call.books, contact, sales=invoice.type == "ACCREC")
    stock.move(call.books, old, invoice)
    if invoice.status == "AUTHORISED":
        invoice = settlements.settle_invoice(call.books, invoice, invoice.date)
    return invoice


def _read_head(call: Call, sent: InvoiceIn, kind: str, status: str, contact: Contact | None, texts: list[str]) -> Head:
    day = read_date(sent.date) or call.books.today()
    due = read_date(sent.due_date) or _due_by_terms(contact, kind, day)
    try:
        types = documents.read_line_amount_types(sent.line_amount_types, "Exclusive")
    except Invalid as refusal:
        texts += refusal.texts
        types = "Exclusive"
    currency = currencies.read(call.books, sent.currency_code, sent.currency_rate, texts)
    return Head(kind, status, day, due, types, currency)


def _due_by_terms(contact: Contact | None, kind: str, day: date) -> date:
    terms = contact.payment_terms if contact else None
    term = (terms.sales if kind == "ACCREC" else terms.bills) if terms else None
    days = term.day if term and term.type == "DAYSAFTERBILLDATE" and term.day and 0 < term.day < 10_000 else 0
    return day + timedelta(days=days or 0)


def _rules(call: Call, head: Head) -> LineRules:
    sales = head.type == "ACCREC"
    return LineRules(
        books=call.books,
        line_amount_types=head.line_amount_types,
        approved=head.status not in {"DRAFT", "SUBMITTED", "DELETED"},
        places=call.places,
        sales=sales,
        discounts=sales,
    )


def _check_text_fields(call: Call, sent: InvoiceIn, head: Head, old: Invoice | None) -> list[str]:
    texts = []
    if sent.invoice_number:
        if len(sent.invoice_number) > LONGEST_NUMBER:
            texts.append(messages.too_long("InvoiceNumber", LONGEST_NUMBER))
        if head.type == "ACCREC" and _number_taken(call.books, sent.invoice_number, old):
            texts.append(messages.INVOICE_NUMBER_TAKEN)
    if sent.reference and len(sent.reference) > LONGEST_NUMBER:
        texts.append(messages.too_long("Reference", LONGEST_NUMBER))
    if sent.reference and head.type == "ACCPAY":
        texts.append(messages.REFERENCE_NOT_ALLOWED)
    if sent.url and (not URL.match(sent.url) or "xero" in sent.url.lower()):
        texts.append(messages.URL_INVALID)
    if head.due and head.due < head.day and head.status == "AUTHORISED" and sent.due_date:
        texts.append(messages.DUE_DATE_BEFORE_DATE)
    if sent.sent_to_contact and head.status in {"DRAFT", "SUBMITTED"}:
        texts.append(messages.SENT_NEEDS_APPROVAL)
    return texts


def _number_taken(books: Books, number: str, old: Invoice | None) -> bool:
    return any(
        invoice.type == "ACCREC"
        and invoice.id != (old.id if old else None)
        and not (invoice.status in ENDED and books.switches["void_frees_number"])
        for invoice in books.invoices.find("number", number)
    )


def _check_approval(books: Books, head: Head, totals: Totals, lines: list[Line]) -> list[str]:
    """What is asked of approved documents, and of totals in general."""
    texts = [messages.NEGATIVE_TOTAL] if totals.total < 0 else []
    if head.status != "AUTHORISED":
        return texts
    texts += documents.check_locks(books, head.day)
    texts += documents.check_descriptions(lines)
    limit = books.settings.approval_limit if head.type == "ACCREC" else books.settings.bill_approval_limit
    if limit is not None and _approved_this_month(books, head) >= limit:
        texts.append(messages.APPROVAL_LIMIT)
    return texts


def _approved_this_month(books: Books, head: Head) -> int:
    month = (head.day.year, head.day.month)
    return sum(
        invoice.type == head.type
        and invoice.status in {"AUTHORISED", "PAID"}
        and (invoice.date.year, invoice.date.month) == month
        for invoice in books.invoices
    )


def _next_number(books: Books, kind: str) -> str | None:
    """Xero numbers sales invoices that come without a number; bills stay without."""
    return None if kind == "ACCPAY" else documents.next_number(books, books.invoices, "INV-", "next_number")


def update(call: Call, old: Invoice, sent: InvoiceIn) -> Invoice:
    """Change an invoice as far as its state allows. Raises Invalid."""
    old = call.books.invoices.rows[old.id]
    status = (sent.status or old.status).upper()
    if status not in STATUSES or old.status in ENDED:
        raise Invalid(messages.INVOICE_NOT_MODIFIABLE)
    settled = bool(old.paid or old.credited)
    if old.status == "PAID" and not settled:  # it comes to nothing: nobody paid it, so it is as free as an approved one
        old = replaced(old, status="AUTHORISED", fully_paid_on=None)
        status = "AUTHORISED" if status == "PAID" else status
    if status in ENDED:
        return _end(call, old, status)
    if status not in NEXT[old.status] and not (settled and status == "AUTHORISED"):
        raise Invalid(messages.INVOICE_NOT_MODIFIABLE)
    changed = _changed(call, old, sent, status if old.status != "PAID" else "PAID")
    if settled:
        changed = _check_settled(call, old, changed)
    return _keep(call, changed, old)


def _end(call: Call, old: Invoice, status: str) -> Invoice:
    """Void or delete."""
    if old.paid or old.credited:
        raise Invalid(messages.status_blocked_by_payment(status))
    if status not in NEXT[old.status]:
        raise Invalid(messages.INVOICE_NOT_MODIFIABLE)
    if status == "VOIDED" and (texts := documents.check_locks(call.books, old.date)):
        raise Invalid(*texts)
    ended = replaced(old, status=status, updated=call.books.now())
    call.books.put(ended)
    stock.move(call.books, old, ended)
    return ended


def _changed(call: Call, old: Invoice, sent: InvoiceIn, status: str) -> Invoice:
    """The invoice with what was sent over what it was."""
    texts: list[str] = []
    if sent.type and sent.type.upper() != old.type:
        texts.append(messages.INVOICE_NOT_MODIFIABLE)
    contact = contacts.find_for(call, sent.contact, texts)
    head = Head(
        old.type,
        status,
        read_date(sent.date) or old.date,
        read_date(sent.due_date) or old.due_date,
        documents.read_line_amount_types(sent.line_amount_types, old.line_amount_types),
        currencies.read(call.books, sent.currency_code, sent.currency_rate, texts, old),
    )
    texts += _check_text_fields(call, sent, head, old)
    rules = _rules(call, head)
    lines = documents.change_lines(rules, sent.line_items, old)
    totals = documents.add_up(lines, head.line_amount_types)
    texts += rules.texts + _check_changed(call.books, old, head, totals, lines)
    if texts:
        raise Invalid(*texts)
    same = (totals.sub_total, totals.total_tax) == (old.sub_total, old.total_tax)
    rounding = old.rounding if same and sent.rounding_amount is None else _rounding(sent, status, totals)
    return replaced(
        old,
        updated=call.books.now(),
        contact_id=contact.id if contact else old.contact_id,
        date=head.day,
        due_date=head.due,
        status=head.status,
        currency_code=head.currency[0],
        currency_rate=head.currency[1],
        **documents.amounts(head.line_amount_types, lines, totals._replace(total=totals.total + rounding)),
        rounding=rounding,
        total_discount=totals.discount or None,
        number=sent.invoice_number or old.number,
        reference=old.reference if sent.reference is None else sent.reference,
        branding_theme_id=read_guid(sent.branding_theme_id) or old.branding_theme_id,
        url=old.url if sent.url is None else sent.url or None,
        sent_to_contact=old.sent_to_contact if sent.sent_to_contact is None else sent.sent_to_contact,
        expected_payment_date=read_date(sent.expected_payment_date) or old.expected_payment_date,
        planned_payment_date=read_date(sent.planned_payment_date) or old.planned_payment_date,
    )


def _rounding(sent: InvoiceIn, status: str, totals: Totals) -> Decimal:
    """What was sent to round the total by. It counts only when the sums beside it are all there and are right."""
    numbers = (sent.sub_total, sent.total_tax, sent.total, sent.rounding_amount)
    if status not in ROUNDED or not all(number is not None and is_sane(number) for number in numbers):
        return ZERO
    rounding = cents(sent.rounding_amount or ZERO)
    right = (totals.sub_total, totals.total_tax, totals.total + rounding)
    return rounding if abs(rounding) <= MOST_ROUNDING and numbers[:3] == right else ZERO


def _check_changed(books: Books, old: Invoice, head: Head, totals: Totals, lines: list[Line]) -> list[str]:
    if old.status in {"DRAFT", "SUBMITTED"}:
        return _check_approval(books, head, totals, lines)
    texts = [messages.NEGATIVE_TOTAL] if totals.total < 0 else []
    for day in dict.fromkeys((old.date, head.day)):
        texts += documents.check_locks(books, day)
    return texts


def _check_settled(call: Call, old: Invoice, changed: Invoice) -> Invoice:
    """After a payment or credit only a few fields may change: fewer on sales invoices than on bills.

    Due date and sent flag alone do not move UpdatedDateUTC then, so that polls miss them, as at Xero.
    """
    silent = {"due_date", "sent_to_contact", "updated"}
    free = set(silent)
    if old.type == "ACCPAY":
        free |= {"number", "branding_theme_id", "contact_id", "url", "planned_payment_date", "reference"}
        if _same_money(old, changed):
            free |= {"lines", "total_discount"}
    elif old.status == "PAID" and not call.switches["paid_invoice_due_date_editable"]:
        raise Invalid(messages.PAID_OR_CREDITED, messages.INVOICE_NOT_MODIFIABLE)
    different = {name for name in old.__struct_fields__ if getattr(old, name) != getattr(changed, name)}
    touched = different - free
    if "date" in touched:
        raise Invalid(messages.DATE_FIXED_BY_PAYMENT, messages.PAID_OR_CREDITED)
    if touched:
        raise Invalid(messages.PAID_OR_CREDITED)
    return replaced(changed, updated=old.updated) if different <= silent else changed


def _same_money(old: Invoice, changed: Invoice) -> bool:
    def amounts(invoice: Invoice) -> list[tuple[object, ...]]:
        lines = documents.unpack_lines(invoice.lines)
        return [
            (line.line_item_id, line.quantity, line.unit_amount, line.line_amount, line.tax_amount) for line in lines
        ]

    return amounts(old) == amounts(changed)


ROUTES = [
    Route("GET", ("Invoices",), get_all),
    Route("GET", ("Invoices", None), get_one),
    Route("GET", ("Invoices", None, "OnlineInvoice"), get_online),
    Route("PUT", ("Invoices",), put),
    Route("POST", ("Invoices",), post),
    Route("POST", ("Invoices", None), post_one),
]
