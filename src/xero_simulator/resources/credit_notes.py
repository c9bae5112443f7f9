"""Credit notes and what is given from them to invoices."""

from datetime import date
from decimal import Decimal

from xero_simulator import currencies, documents, messages, stock
from xero_simulator.books import Books, new_id
from xero_simulator.calls import Call, Listing, Route, Saving, Shown, answer_list, moment_of, replaced, save_each
from xero_simulator.documents import CREATABLE, ENDED, NEXT, LineIn, LineRules, Totals
from xero_simulator.errors import Invalid, NotFound
from xero_simulator.filters import Getter
from xero_simulator.records import Contact, CreditNote, Line, Wire
from xero_simulator.resources import allocations, contacts
from xero_simulator.resources.contacts import ContactIn
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

TYPES = {"ACCRECCREDIT", "ACCPAYCREDIT"}
LONGEST = 255


class CreditNoteIn(Wire, frozen=True):
    credit_note_id: str | None = None
    type: str | None = None
    contact: ContactIn | None = None
    line_items: list[LineIn] | None = None
    date: str | None = None
    line_amount_types: str | None = None
    credit_note_number: str | None = None
    reference: str | None = None
    branding_theme_id: str | None = None
    currency_code: str | None = None
    currency_rate: Decimal | None = None
    status: str | None = None
    sent_to_contact: bool | None = None


def _show_head(books: Books, note: CreditNote) -> Shown:
    return present(
        CreditNoteID=note.id,
        CreditNoteNumber=note.number or "",
        ID=note.id,
        RemainingCredit=note.remaining,
        AppliedAmount=note.allocated,
        HasAttachments=False,
        HasErrors=False,
        Type=note.type,
        Reference=note.reference or "",
        CurrencyRate=note.currency_rate,
        Contact=contacts.show_briefly(books, note.contact_id),
        DateString=date_string(note.date),
        Date=ms_date(note.date),
        BrandingThemeID=note.branding_theme_id,
        Status=note.status,
        SentToContact=note.sent_to_contact or None,
        LineAmountTypes=note.line_amount_types,
        SubTotal=note.sub_total,
        TotalTax=note.total_tax,
        Total=note.total,
        UpdatedDateUTC=ms_time(note.updated),
        UpdatedDateUTCString=utc_string(note.updated),
        CurrencyCode=note.currency_code,
        FullyPaidOnDate=ms_date(note.fully_paid_on) if note.fully_paid_on else None,
    )


def show(call: Call, note: CreditNote) -> Shown:
    """A credit note in full, with its allocations and refunds."""
    lines = {"LineItems": documents.show_lines(note.lines, call.places)}
    return _show_head(call.books, note) | lines | allocations.show_use(call.books, note)


def show_alone(call: Call, note: CreditNote) -> Shown:
    """What a call about this credit note gives: its contact stands there in full."""
    return show(call, note) | contacts.in_full(call.books, note.contact_id)


def show_without_lines(call: Call, note: CreditNote) -> Shown:
    return _show_head(call.books, note) | {"LineItems": []} | allocations.show_use(call.books, note)


def _fields(books: Books) -> dict[str, Getter]:
    def contact(note: CreditNote) -> Contact | None:
        return books.contacts.get(note.contact_id)

    return {
        "CreditNoteID": lambda n: n.id,
        "CreditNoteNumber": lambda n: n.number,
        "Type": lambda n: n.type,
        "Status": lambda n: n.status,
        "Reference": lambda n: n.reference,
        "Date": lambda n: n.date,
        "SubTotal": lambda n: n.sub_total,
        "TotalTax": lambda n: n.total_tax,
        "Total": lambda n: n.total,
        "RemainingCredit": lambda n: n.remaining,
        "AppliedAmount": lambda n: n.allocated,
        "FullyPaidOnDate": lambda n: n.fully_paid_on,
        "CurrencyCode": lambda n: n.currency_code,
        "UpdatedDateUTC": moment_of,
        "Contact.ContactID": lambda n: n.contact_id,
        "Contact.Name": lambda n: c.name if (c := contact(n)) else None,
        "Contact.ContactNumber": lambda n: c.number if (c := contact(n)) else None,
    }


SAVING = Saving("CreditNotes", "CreditNoteID", show_alone)


def get_all(call: Call) -> Answer:
    fields = _fields(call.books)
    listing = Listing("CreditNotes", fields, show, show_without_lines, pages=True, unpaged_is_short=True)
    return answer_list(call, listing, call.books.credit_notes)


def find_in_path(call: Call) -> CreditNote:
    """By id or number. Raises NotFound."""
    note = call.books.credit_notes.get(guid_or_none(call.ids[0]))
    if note is None and call.switches["find_by_number_in_path"]:
        note = call.books.credit_notes.first("number", call.ids[0])
    if note is None:
        raise NotFound(messages.NOT_FOUND)
    return note


def get_one(call: Call) -> Answer:
    return envelope("CreditNotes", [show_alone(call, find_in_path(call))], call.books.now())


def put(call: Call) -> Answer:
    return save_each(call, SAVING, call.elements("CreditNotes", CreditNoteIn), create)


def post(call: Call) -> Answer:
    return save_each(call, SAVING, call.elements("CreditNotes", CreditNoteIn), save)


def post_one(call: Call) -> Answer:
    note = find_in_path(call)
    elements = call.elements("CreditNotes", CreditNoteIn)[:1]
    return save_each(call, SAVING, elements, lambda call, sent: update(call, note, sent))


def save(call: Call, sent: CreditNoteIn) -> CreditNote:
    """Create or update: found by id, then number. Raises Invalid."""
    note_id = read_guid(sent.credit_note_id)
    old = call.books.credit_notes.get(note_id)
    if note_id and old is None:
        raise Invalid(messages.CREDIT_NOTE_ID_UNKNOWN)
    if old is None and sent.credit_note_number:
        old = call.books.credit_notes.first("number", sent.credit_note_number)
    return update(call, old, sent) if old else create(call, sent)


def create(call: Call, sent: CreditNoteIn) -> CreditNote:
    """A new credit note. All that is wrong with it is told at once."""
    texts = documents.missing(sent.contact, sent.line_items, sent.type, TYPES, messages.CREDIT_NOTE_TYPE_REQUIRED)
    status = (sent.status or "DRAFT").upper()
    if status not in CREATABLE:
        texts.append(messages.CREDIT_NOTE_NOT_CREATABLE)
    contact = contacts.find_for(call, sent.contact, texts)
    if texts and (contact is None or not sent.line_items):
        raise Invalid(*texts)
    kind = str(sent.type).upper()
    day = read_date(sent.date) or call.books.today()
    types = documents.read_line_amount_types(sent.line_amount_types, "Exclusive")
    currency, rate = currencies.read(call.books, sent.currency_code, sent.currency_rate, texts)
    rules = _rules(call, kind, status, types)
    lines = rules.read(sent.line_items or ())
    totals = documents.add_up(lines, types)
    texts += (
        rules.texts + _check(call.books, sent, kind, None) + _check_approval(call.books, status, day, totals, lines)
    )
    if texts:
        raise Invalid(*texts)
    note = CreditNote(
        id=new_id(),
        updated=call.books.now(),
        type=kind,
        contact_id=contact.id if contact else None,
        date=day,
        status=status,
        currency_code=currency,
        currency_rate=rate,
        **documents.amounts(types, lines, totals),
        number=sent.credit_note_number or _next_number(call.books, kind),
        reference=sent.reference,
        branding_theme_id=read_guid(sent.branding_theme_id),
        sent_to_contact=bool(sent.sent_to_contact),
        app_id=call.app_id,
    )
    return _keep(call.books, note, None)


def _keep(books: Books, note: CreditNote, old: CreditNote | None) -> CreditNote:
    stock.move(books, old, note)
    if note.status == "AUTHORISED" and note.remaining == 0:
        note = replaced(note, status="PAID", fully_paid_on=note.date)
    books.put(note)
    if contact := books.contacts.get(note.contact_id):
        contacts.note_use(books, contact, sales=note.type == "ACCRECCREDIT")
    return note


def update(call: Call, old: CreditNote, sent: CreditNoteIn) -> CreditNote:
    """Change a credit note as far as its state allows. Raises Invalid."""
    old = call.books.credit_notes.rows[old.id]
    status = (sent.status or old.status).upper()
    if old.status in ENDED:
        raise Invalid(messages.CREDIT_NOTE_NOT_MODIFIABLE)
    if old.allocated or old.refunded:
        blocked = status in ENDED
        raise Invalid(messages.status_blocked_by_payment(status) if blocked else messages.PAID_OR_CREDITED)
    if old.status == "PAID":  # it comes to nothing: nobody used it, so it is as free as an approved one
        old = replaced(old, status="AUTHORISED", fully_paid_on=None)
        status = "AUTHORISED" if status == "PAID" else status
    if status not in NEXT[old.status]:
        raise Invalid(messages.CREDIT_NOTE_NOT_MODIFIABLE)
    if status in ENDED:
        return _end(call.books, old, status)
    return _keep(call.books, _changed(call, old, sent, status), old)


def _end(books: Books, old: CreditNote, status: str) -> CreditNote:
    if status == "VOIDED" and (texts := documents.check_locks(books, old.date)):
        raise Invalid(*texts)
    ended = replaced(old, status=status, updated=books.now())
    stock.move(books, old, ended)
    books.put(ended)
    return ended


def _changed(call: Call, old: CreditNote, sent: CreditNoteIn, status: str) -> CreditNote:
    texts: list[str] = []
    contact = contacts.find_for(call, sent.contact, texts)
    day = read_date(sent.date) or old.date
    types = documents.read_line_amount_types(sent.line_amount_types, old.line_amount_types)
    currency, rate = currencies.read(call.books, sent.currency_code, sent.currency_rate, texts, old)
    rules = _rules(call, old.type, status, types)
    lines = documents.change_lines(rules, sent.line_items, old)
    totals = documents.add_up(lines, types)
    texts += rules.texts + _check(call.books, sent, old.type, old)
    texts += _check_approval(call.books, status, day, totals, lines)
    if old.status == "AUTHORISED":
        texts += documents.check_locks(call.books, old.date)
    if texts:
        raise Invalid(*texts)
    return replaced(
        old,
        updated=call.books.now(),
        contact_id=contact.id if contact else old.contact_id,
        date=day,
        status=status,
        currency_code=currency,
        currency_rate=rate,
        **documents.amounts(types, lines, totals),
        number=sent.credit_note_number or old.number,
        reference=old.reference if sent.reference is None else sent.reference,
        branding_theme_id=read_guid(sent.branding_theme_id) or old.branding_theme_id,
        sent_to_contact=old.sent_to_contact if sent.sent_to_contact is None else sent.sent_to_contact,
    )


def _rules(call: Call, kind: str, status: str, types: str) -> LineRules:
    return LineRules(
        books=call.books,
        line_amount_types=types,
        approved=status == "AUTHORISED",
        places=call.places,
        sales=kind == "ACCRECCREDIT",
        discounts=False,
    )


def _check(books: Books, sent: CreditNoteIn, kind: str, old: CreditNote | None) -> list[str]:
    texts = []
    number = sent.credit_note_number
    if number and len(number) > LONGEST:
        texts.append(messages.too_long("CreditNoteNumber", LONGEST))
    others = books.credit_notes.find("number", number) if number else []
    if kind == "ACCRECCREDIT" and any(n.type == kind and n.id != (old.id if old else None) for n in others):
        texts.append(messages.CREDIT_NOTE_NUMBER_TAKEN)
    if sent.reference and len(sent.reference) > LONGEST:
        texts.append(messages.too_long("Reference", LONGEST))
    if sent.type and old and sent.type.upper() != old.type:
        texts.append(messages.CREDIT_NOTE_NOT_MODIFIABLE)
    return texts


def _check_approval(books: Books, status: str, day: date, totals: Totals, lines: list[Line]) -> list[str]:
    texts = [messages.NEGATIVE_TOTAL] if totals.total < 0 else []
    if status != "AUTHORISED":
        return texts
    return texts + documents.check_descriptions(lines) + documents.check_locks(books, day)


def _next_number(books: Books, kind: str) -> str | None:
    return (
        None
        if kind == "ACCPAYCREDIT"
        else documents.next_number(books, books.credit_notes, "CN-", "next_credit_number")
    )


def allocate(call: Call) -> Answer:
    return allocations.put(call, find_in_path(call))


def unallocate(call: Call) -> Answer:
    return allocations.delete(call, find_in_path(call))


ROUTES = [
    Route("GET", ("CreditNotes",), get_all),
    Route("GET", ("CreditNotes", None), get_one),
    Route("PUT", ("CreditNotes",), put),
    Route("POST", ("CreditNotes",), post),
    Route("POST", ("CreditNotes", None), post_one),
    Route("PUT", ("CreditNotes", None, "Allocations"), allocate),
    Route("DELETE", ("CreditNotes", None, "Allocations", None), unallocate),
]
