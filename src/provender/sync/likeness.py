"""Laying Xero's contacts beside our customers: each contact becomes one row of a pull, in one named state.

A customer is likely the contact that shares its mark, tax number, name or e-mail address, in that order of weight.
Who is likeliest for both sides is suggested; where two are equally likely it is a question. Nothing is read or
written: all comes in as arguments.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from provender.customers.errors import TaxNumberUnreadable
from provender.customers.models import Customer
from provender.customers.tax_numbers import read_tax_number
from provender.customers.wording import followed_in_words
from provender.suppliers.models import Country
from provender.sync.documents import contact_number
from provender.sync.mirror import fold_name
from provender.sync.models import Contact, CustomerPullRow
from provender.sync.terms import as_days, read_terms

State = CustomerPullRow.State
MARK, TAX, NAME, EMAIL, ALIKE = "mark", "tax", "name", "email", "alike"
WHY = {
    MARK: "made from here for it",
    TAX: "same tax number",
    NAME: "same name",
    EMAIL: "same e-mail address",
    ALIKE: "nearly the same name",
}
# Each outweighs all that follow it together.
WEIGHTS = {MARK: 16, TAX: 8, NAME: 4, EMAIL: 2, ALIKE: 1}
CROWD = 20  # customers that share something: then it says nothing about any of them
SHORTEST_TAX_NUMBER, SHORTEST_NAME = 8, 3
LONGEST_NAME = 255
LONGEST = {"email": 254, "tax_number": 50, "phone": 50, "street": 250, "city": 100, "region": 100, "postcode": 20}
OFFERED = 5  # of the customers that a contact may be
IN_A_NAME = frozenset({"pty", "ltd", "limited", "plc", "llp", "llc", "inc", "co", "company", "the", "and", "trading"})
COUNTRIES = {
    Country.AU: ("australia", "au", "aus"),
    Country.NZ: ("new zealand", "nz", "aotearoa"),
    Country.GB: ("united kingdom", "uk", "gb", "great britain", "england", "scotland", "wales", "northern ireland"),
}
_COUNTRY = {name: code.value for code, names in COUNTRIES.items() for name in names}

Likely = dict[UUID, set[str]]  # customer → in what it is alike


class Unfit(Exception):
    """A contact that can't be taken, with the reason in a bookkeeper's words."""


@dataclass(frozen=True)
class Known:
    """Our side: all customers; contact id → the customer it is; pairs of customer and contact that aren't the same."""

    customers: Sequence[Customer]
    linked: Mapping[str, UUID]
    refused: Collection[tuple[UUID, str]] = frozenset()
    follows: bool = False  # whether due dates follow the contacts' terms


def judge_contacts(contacts: Sequence[Contact], known: Known) -> list[CustomerPullRow]:
    """One row for each contact, in the order given; then one for each active customer that is like none."""
    rows = [_row(contact, known) for contact in contacts]
    free = [(row, contact) for row, contact in zip(rows, contacts, strict=True) if not row.state]
    found = _likely(free, known)
    _decide(free, found, {customer.pk: customer.trading_name for customer in known.customers})
    _warn_of_namesakes(free, known)
    rows.extend(_only_here(rows, known))
    for position, row in enumerate(rows):
        row.position = position
    return rows


def _row(contact: Contact, known: Known) -> CustomerPullRow:
    """The row of a contact; without a state while that depends on who it may be."""
    place = contact.addresses[0].get("city", "") if contact.addresses else ""
    row = CustomerPullRow(
        contact_id=contact.contact_id,
        name=contact.name[:LONGEST_NAME],
        about=" · ".join(filter(None, (contact.email, contact.tax_number, place)))[:500],
    )
    archived = "" if contact.status == "ACTIVE" else "It is archived in Xero"
    if owner := known.linked.get(contact.contact_id):
        row.state, row.customer = State.LINKED, owner
        row.hints = [archived] if archived else []
        return row
    try:
        _check(contact, archived)
    except Unfit as unfit:
        row.state, row.reason = State.REFUSED, str(unfit)
        return row
    row.after = _offer(contact, row.hints, follows=known.follows)
    row.customer = uuid4()
    return row


def _check(contact: Contact, archived: str) -> None:
    if not contact.name:
        raise Unfit("It has no name in Xero; a customer needs one")
    if contact.merged_to:
        raise Unfit("It was merged into another contact in Xero")
    if archived:
        raise Unfit(archived)
    if len(contact.name) > LONGEST_NAME:
        raise Unfit(f"Its name is longer than {LONGEST_NAME} characters")


# --- who it may be ------------------------------------------------------------------------------------------------


def _likely(free: Sequence[tuple[CustomerPullRow, Contact]], known: Known) -> list[Likely]:
    """For each of these contacts the customers that it may be."""
    taken = set(known.linked.values())
    unlinked = [customer for customer in known.customers if customer.pk not in taken]
    found: list[Likely] = [defaultdict(set) for _ in free]
    for why, of_customer, of_contact in SIGNS:
        owners: dict[str, list[UUID]] = defaultdict(list)
        for customer in unlinked:
            for sign in {sign for sign in of_customer(customer) if sign}:
                owners[sign].append(customer.pk)
        for likely, (_, contact) in zip(found, free, strict=True):
            alike = owners.get(of_contact(contact), [])
            for pk in alike if len(alike) <= CROWD else ():
                if (pk, contact.contact_id) not in known.refused:
                    likely[pk].add(why)
    for shared in (shared for likely in found for shared in likely.values() if NAME in shared):
        shared.discard(ALIKE)  # nearly the same name adds nothing to the same name
    return found


def _tax_sign(text: str) -> str:
    digits = "".join(re.findall(r"\d", text, re.ASCII))
    return digits if len(digits) >= SHORTEST_TAX_NUMBER else ""


def _bare_name(name: str) -> str:
    """A name without what businesses add to it: full stops, "Pty Ltd", "the"."""
    words = re.findall(r"\w+", fold_name(name))
    bare = " ".join(word for word in words if word not in IN_A_NAME)
    return bare if len(bare) >= SHORTEST_NAME else ""


def _names(customer: Customer) -> tuple[str, str]:
    return customer.trading_name, customer.legal_name


SIGNS: tuple[tuple[str, Callable[[Customer], Iterable[str]], Callable[[Contact], str]], ...] = (
    (MARK, lambda one: [contact_number(one.pk)], lambda one: "-".join(one.number.split("-")[:6])),
    (TAX, lambda one: [_tax_sign(one.tax_number)], lambda one: _tax_sign(one.tax_number)),
    (NAME, lambda one: map(fold_name, _names(one)), lambda one: one.folded_name),
    (EMAIL, lambda one: [one.email.casefold()], lambda one: one.email.casefold()),
    (ALIKE, lambda one: map(_bare_name, _names(one)), lambda one: _bare_name(one.name)),
)


def _weight(why: Iterable[str]) -> int:
    return sum(WEIGHTS[one] for one in why)


def _decide(
    free: Sequence[tuple[CustomerPullRow, Contact]], found: Sequence[Likely], names: Mapping[UUID, str]
) -> None:
    """Suggest the customer that is likeliest for its contact while the contact is likeliest for it."""
    best: dict[UUID, int] = defaultdict(int)
    for likely in found:
        for pk, why in likely.items():
            best[pk] = max(best[pk], _weight(why))
    offers = [_offers(likely, best, names) for likely in found]
    rivals = Counter(offer["customer"] for offered in offers for offer in _equals(offered))
    for (row, contact), likely, offered in zip(free, found, offers, strict=True):
        row.likely = offered[:OFFERED]
        first = _equals(offered)
        supplier = contact.is_supplier and not contact.is_customer
        if first:
            certain = len(first) == 1 and rivals[first[0]["customer"]] == 1
            row.state = State.SUGGESTED if certain else State.QUESTION
            if certain:
                row.signs = " ".join(first[0]["why"])
            else:
                row.hints.append("More than one fits equally well")
            if supplier:
                row.hints.append("So far it is only a supplier in Xero")
            continue
        row.state = State.SUPPLIER if supplier else State.NEW
        if supplier:
            row.reason = "So far you only buy from it, by what Xero says"
        row.hints.extend(f"Like {names[pk]}, which another contact fits better" for pk in list(likely)[:1])


def _offers(likely: Likely, best: Mapping[UUID, int], names: Mapping[UUID, str]) -> list[dict[str, Any]]:
    offers = [
        {"customer": str(pk), "name": names[pk], "why": [one for one in WHY if one in why], "weight": _weight(why)}
        for pk, why in likely.items()
        if _weight(why) == best[pk]
    ]
    return sorted(offers, key=lambda offer: (-offer["weight"], offer["name"]))


def _equals(offered: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The likeliest: one, or several that are equally likely."""
    return [offer for offer in offered if offer["weight"] == offered[0]["weight"]]


def _warn_of_namesakes(free: Sequence[tuple[CustomerPullRow, Contact]], known: Known) -> None:
    """Say it of contacts that would become a second customer of a name."""
    taken = set(known.linked.values())
    linked = {fold_name(customer.trading_name): customer for customer in known.customers if customer.pk in taken}
    names = Counter(contact.folded_name for _, contact in free)
    for row, contact in free:
        if contact.folded_name in linked:
            row.hints.append("A customer of this name is linked to another contact")
        if names[contact.folded_name] > 1:
            row.hints.append("Another contact has this name but for capitals, accents or spaces")


def _only_here(rows: Sequence[CustomerPullRow], known: Known) -> list[CustomerPullRow]:
    settled = set(known.linked.values()) | {UUID(offer["customer"]) for row in rows for offer in row.likely}
    return [
        CustomerPullRow(
            state=State.HERE,
            name=customer.trading_name,
            about=" · ".join(filter(None, (customer.email, customer.tax_number, customer.city))),
            customer=customer.pk,
            reason="No contact is like it; its first invoice makes one",
        )
        for customer in known.customers
        if customer.active and customer.pk not in settled
    ]


# --- what a new customer would be ---------------------------------------------------------------------------------


def _offer(contact: Contact, hints: list[str], *, follows: bool) -> dict[str, Any]:
    """Columns of the customer that this contact would become; what can't be taken goes to the hints."""
    taken: dict[str, Any] = {"trading_name": contact.name}
    _take(taken, "email", contact.email, "E-mail address", hints, _is_email)
    _take(taken, "tax_number", contact.tax_number, "Tax number", hints, _is_tax_number)
    _take(taken, "phone", contact.phone, "Phone number", hints)
    address = dict(contact.addresses[0]) if contact.addresses else {}
    _take_country(taken, address.pop("country", ""), hints)
    for column, text in address.items():
        _take(taken, column, text, column.capitalize(), hints)
    if not address:
        hints.append("No address in Xero")
    if (others := len(contact.addresses) - 1) > 0:
        hints.append(f"{others} more address{'' if others == 1 else 'es'} in Xero")
    _take_terms(taken, contact, hints, follows=follows)
    return taken


def _take(
    taken: dict[str, Any],
    column: str,
    text: str,
    label: str,
    hints: list[str],
    fits: Callable[[str], bool] = lambda _text: True,
) -> None:
    longest = LONGEST[column]
    if text and len(text) <= longest and fits(text):
        taken[column] = text
    elif text:
        why = f"longer than {longest} characters" if len(text) > longest else f"“{text[:60]}” can’t be one"
        hints.append(f"{label} not taken: {why}")


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _is_tax_number(text: str) -> bool:
    try:
        read_tax_number(text)
    except TaxNumberUnreadable:
        return False
    return True


def _take_terms(taken: dict[str, Any], contact: Contact, hints: list[str], *, follows: bool) -> None:
    """The contact's days; what isn't days is followed or, without the setting, not taken."""
    taken["terms_days"] = Customer._meta.get_field("terms_days").default  # noqa: SLF001
    terms = read_terms(contact.terms, contact.terms_day)
    if (days := as_days(terms)) is not None:
        taken["terms_days"] = days
    elif terms and follows:
        hints.append(f"Due by its terms in Xero: {followed_in_words(*terms)}")
    elif terms:
        hints.append(f"Terms not taken, since they aren’t days: {followed_in_words(*terms)}")
    elif contact.terms:
        hints.append(f"Terms not taken: {contact.terms} {contact.terms_day or 'without a day'} isn’t known here")
    else:
        hints.append("No payment terms in Xero")


def _take_country(taken: dict[str, Any], name: str, hints: list[str]) -> None:
    if code := _COUNTRY.get(fold_name(name)):
        taken["country"] = code
    elif name:
        hints.append(f"Country not taken: “{name[:60]}” isn’t one of ours")
