"""Overpayments: made by bank transactions, given to invoices, paid back through payments, never edited."""

from collections.abc import Iterable

from xero_simulator import documents, messages
from xero_simulator.books import Books
from xero_simulator.calls import Call, Listing, Route, Shown, answer_list, moment_of
from xero_simulator.errors import NotFound
from xero_simulator.filters import Getter
from xero_simulator.records import Overpayment
from xero_simulator.resources import allocations, contacts
from xero_simulator.wire import (
    Answer,
    date_string,
    envelope,
    guid_or_none,
    ms_date,
    ms_time,
    present,
    utc_string,
)


def show(call: Call, overpayment: Overpayment) -> Shown:
    lines = {"LineItems": documents.show_lines(overpayment.lines, call.places)}
    return _show_head(call.books, overpayment) | lines | allocations.show_use(call.books, overpayment)


def show_without_lines(call: Call, overpayment: Overpayment) -> Shown:
    return _show_head(call.books, overpayment) | {"LineItems": []} | allocations.show_use(call.books, overpayment)


def _show_head(books: Books, overpayment: Overpayment) -> Shown:
    return present(
        OverpaymentID=overpayment.id,
        ID=overpayment.id,
        Type=overpayment.type,
        RemainingCredit=overpayment.remaining,
        AppliedAmount=overpayment.allocated,
        Reference=overpayment.reference,
        CurrencyRate=overpayment.currency_rate,
        HasAttachments=False,
        Contact=contacts.show_briefly(books, overpayment.contact_id),
        DateString=date_string(overpayment.date),
        Date=ms_date(overpayment.date),
        Status=overpayment.status,
        LineAmountTypes=overpayment.line_amount_types,
        SubTotal=overpayment.sub_total,
        TotalTax=overpayment.total_tax,
        Total=overpayment.total,
        UpdatedDateUTC=ms_time(overpayment.updated),
        UpdatedDateUTCString=utc_string(overpayment.updated),
        CurrencyCode=overpayment.currency_code,
    )


def _fields(books: Books) -> dict[str, Getter]:
    return {
        "OverpaymentID": lambda o: o.id,
        "Type": lambda o: o.type,
        "Status": lambda o: o.status,
        "Date": lambda o: o.date,
        "SubTotal": lambda o: o.sub_total,
        "TotalTax": lambda o: o.total_tax,
        "Total": lambda o: o.total,
        "RemainingCredit": lambda o: o.remaining,
        "AppliedAmount": lambda o: o.allocated,
        "Reference": lambda o: o.reference,
        "CurrencyCode": lambda o: o.currency_code,
        "Contact.ContactID": lambda o: o.contact_id,
        "Contact.Name": lambda o: c.name if (c := books.contacts.get(o.contact_id)) else None,
        "UpdatedDateUTC": moment_of,
    }


def get_all(call: Call) -> Answer:
    fields = _fields(call.books)
    listing = Listing("Overpayments", fields, show, show_without_lines, pages=True, unpaged_is_short=True)
    found: Iterable[Overpayment] = call.books.overpayments
    if references := set(call.listed("references")):
        found = [one for one in found if one.reference in references]
    return answer_list(call, listing, found)


def _find(call: Call) -> Overpayment:
    overpayment = call.books.overpayments.get(guid_or_none(call.ids[0]))
    if overpayment is None:
        raise NotFound(messages.NOT_FOUND)
    return overpayment


def get_one(call: Call) -> Answer:
    found = _find(call)
    return envelope(
        "Overpayments", [show(call, found) | contacts.in_full(call.books, found.contact_id)], call.books.now()
    )


def allocate(call: Call) -> Answer:
    return allocations.put(call, _find(call))


def unallocate(call: Call) -> Answer:
    return allocations.delete(call, _find(call))


ROUTES = [
    Route("GET", ("Overpayments",), get_all),
    Route("GET", ("Overpayments", None), get_one),
    Route("PUT", ("Overpayments", None, "Allocations"), allocate),
    Route("DELETE", ("Overpayments", None, "Allocations", None), unallocate),
]
