"""Contacts: found by id, number or name, and changed by documents that name them too."""

import re
from collections.abc import Iterable
from typing import Any

from xero_simulator import currencies, messages
from xero_simulator.books import Books, fold, new_id
from xero_simulator.calls import Call, Listing, Route, Saving, Shown, answer_list, moment_of, replaced, save_each
from xero_simulator.errors import Inside, Invalid, NotFound, Place, inside
from xero_simulator.records import Address, Contact, ContactPerson, PaymentTerms, Phone, Wire
from xero_simulator.rounding import ZERO, cents
from xero_simulator.wire import ENCODER, PLAIN_DECODER, Answer, envelope, guid_or_none, ms_time, present, read_guid

EMAIL = re.compile(r"^[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+$")
NAME_SHAPE = re.compile(r"[<>]|^\s|\s$|\s\s")
ADDRESS_TYPES = ("POBOX", "STREET")
PHONE_TYPES = ("DDI", "DEFAULT", "FAX", "MOBILE")
MOST_PERSONS = 5
TYPES_OF_ADDRESS = {"POBOX", "STREET", "DELIVERY"}
TYPES_OF_PHONE = {"DDI", "DEFAULT", "FAX", "MOBILE", "OFFICE"}
TYPES_OF_TERM = {"DAYSAFTERBILLDATE", "DAYSAFTERBILLMONTH", "OFCURRENTMONTH", "OFFOLLOWINGMONTH"}
LONGEST = {"name": 255, "first_name": 255, "last_name": 255, "email_address": 255}
LONGEST |= {"contact_number": 50, "account_number": 50, "company_number": 50, "tax_number": 50}


class ContactIn(Wire, frozen=True):
    contact_id: str | None = None
    contact_number: str | None = None
    account_number: str | None = None
    contact_status: str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email_address: str | None = None
    company_number: str | None = None
    tax_number: str | None = None
    bank_account_details: str | None = None
    contact_persons: list[ContactPerson] | None = None
    addresses: list[Address] | None = None
    phones: list[Phone] | None = None
    default_currency: str | None = None
    payment_terms: PaymentTerms | None = None
    accounts_receivable_tax_type: str | None = None
    accounts_payable_tax_type: str | None = None

    def says_more(self) -> bool:
        """Whether anything stands beside the id."""
        return any(getattr(self, name) is not None for name in self.__struct_fields__ if name != "contact_id")


def _plain(value: object) -> Shown:
    plain: Shown = PLAIN_DECODER.decode(ENCODER.encode(value))
    return plain


def _address(address: Address) -> Shown:
    return {"AddressType": address.address_type or "POBOX"} | _plain(address)


def _phone(phone: Phone) -> Shown:
    empty = {"PhoneType": "DEFAULT", "PhoneNumber": "", "PhoneAreaCode": "", "PhoneCountryCode": ""}
    return empty | _plain(phone)


def show_short(_call: Call | None, contact: Contact) -> Shown:
    """What lists give without paging, and `summaryOnly`."""
    return present(
        ContactID=contact.id,
        ContactNumber=contact.number,
        AccountNumber=contact.account_number,
        ContactStatus=contact.status,
        Name=contact.name,
        FirstName=contact.first_name,
        LastName=contact.last_name,
        EmailAddress=contact.email or "",
        CompanyNumber=contact.company_number,
        BankAccountDetails=contact.bank_account_details or "",
        TaxNumber=contact.tax_number,
        AccountsReceivableTaxType=contact.ar_tax_type,
        AccountsPayableTaxType=contact.ap_tax_type,
        Addresses=[_address(address) for address in contact.addresses],
        Phones=[_phone(phone) for phone in contact.phones],
        UpdatedDateUTC=ms_time(contact.updated),
        IsSupplier=contact.is_supplier,
        IsCustomer=contact.is_customer,
        DefaultCurrency=contact.default_currency,
        MergedToContactID=contact.merged_to,
        HasAttachments=False,
        HasValidationErrors=False,
    )


def show(call: Call | None, contact: Contact) -> Shown:
    """A contact in full, with what is owed either way in the organisation's own currency."""
    full = show_short(call, contact) | {
        "ContactGroups": [],
        "ContactPersons": [_person(person) for person in contact.persons],
    }
    if contact.payment_terms:
        full["PaymentTerms"] = _plain(contact.payment_terms)
    if call and (contact.is_customer or contact.is_supplier):
        full["Balances"] = _balances(call.books, contact)
    return full


def _person(person: ContactPerson) -> Shown:
    return {"IncludeInEmails": False} | _plain(person)


def _balances(books: Books, contact: Contact) -> Shown:
    shown = {
        "AccountsReceivable": {"Outstanding": ZERO, "Overdue": ZERO},
        "AccountsPayable": {"Outstanding": ZERO, "Overdue": ZERO},
    }
    today = books.today()
    for invoice in books.invoices.find("contact", contact.id):
        if invoice.status == "AUTHORISED":
            side = shown["AccountsReceivable" if invoice.type == "ACCREC" else "AccountsPayable"]
            due = cents(invoice.due / invoice.currency_rate)
            side["Outstanding"] += due
            if invoice.due_date and invoice.due_date < today:
                side["Overdue"] += due
    return {**shown}


def show_briefly(books: Books, contact_id: str | None) -> Shown:
    """The contact as it stands inside documents."""
    contact = books.contacts.get(contact_id)
    if contact is None:
        return {}
    return present(
        ContactID=contact.id,
        ContactNumber=contact.number,
        Name=contact.name,
        Addresses=[],
        Phones=[],
        ContactGroups=[],
        ContactPersons=[],
        HasValidationErrors=False,
    )


def in_full(books: Books, contact_id: str | None) -> Shown:
    """The contact as it stands in the answer about one document."""
    contact = books.contacts.get(contact_id)
    return {"Contact": show(None, contact)} if contact else {}


FIELDS = {
    "ContactID": lambda c: c.id,
    "ContactNumber": lambda c: c.number,
    "AccountNumber": lambda c: c.account_number,
    "ContactStatus": lambda c: c.status,
    "Name": lambda c: c.name,
    "FirstName": lambda c: c.first_name,
    "LastName": lambda c: c.last_name,
    "EmailAddress": lambda c: c.email,
    "CompanyNumber": lambda c: c.company_number,
    "TaxNumber": lambda c: c.tax_number,
    "IsCustomer": lambda c: c.is_customer,
    "IsSupplier": lambda c: c.is_supplier,
    "DefaultCurrency": lambda c: c.default_currency,
    "UpdatedDateUTC": moment_of,
}
LISTING = Listing(
    "Contacts", FIELDS, show, show_short, pages=True, forces_pages=("summaryonly",), unpaged_is_short=True
)
SAVING = Saving("Contacts", "ContactID", show, flags=("HasValidationErrors",))


def get_all(call: Call) -> Answer:
    contacts: Iterable[Contact] = call.books.contacts
    if "ids" in call.args:
        wanted = set(call.listed_ids("ids"))
        contacts = [c for c in contacts if c.id in wanted]
    elif not call.flag("includearchived"):
        contacts = [c for c in contacts if c.status != "ARCHIVED"]
    if term := call.args.get("searchterm", "").casefold():
        contacts = [c for c in contacts if _matches(c, term)]
    return answer_list(call, LISTING, contacts)


def _matches(contact: Contact, term: str) -> bool:
    texts = (contact.name, contact.first_name, contact.last_name, contact.number, contact.company_number, contact.email)
    return any(term in text.casefold() for text in texts if text)


def get_one(call: Call) -> Answer:
    contact = call.books.contacts.get(guid_or_none(call.ids[0])) or call.books.contacts.first("number", call.ids[0])
    if contact is None:
        raise NotFound(messages.NOT_FOUND)
    return envelope("Contacts", [show(call, contact)], call.books.now())


def put(call: Call) -> Answer:
    return save_each(call, SAVING, call.elements("Contacts", ContactIn), create)


def post(call: Call) -> Answer:
    return save_each(call, SAVING, call.elements("Contacts", ContactIn), save)


def post_one(call: Call) -> Answer:
    contact = call.books.contacts.get(guid_or_none(call.ids[0])) or call.books.contacts.first("number", call.ids[0])
    if contact is None:
        raise NotFound(messages.NOT_FOUND)
    elements = call.elements("Contacts", ContactIn)[:1]
    return save_each(call, SAVING, elements, lambda call, sent: update(call, contact, sent))


def save(call: Call, sent: ContactIn) -> Contact:
    """Create or update: found by id, then number, then name."""
    contact_id = read_guid(sent.contact_id)
    old = call.books.contacts.get(contact_id)
    if contact_id and old is None:
        raise Invalid(messages.CONTACT_ID_UNKNOWN)
    old = old or _find_by_words(call.books, sent)
    if old is None:
        return create(call, sent)
    return update(call, old, sent)


def _find_by_words(books: Books, sent: ContactIn) -> Contact | None:
    if sent.contact_number and (found := books.contacts.first("number", sent.contact_number)):
        return found
    return books.contacts.first("name", fold(sent.name)) if sent.name else None


def create(call: Call, sent: ContactIn) -> Contact:
    """A new contact. Raises Invalid when name or number is another's."""
    if not sent.name:
        identified = sent.contact_id or sent.contact_number
        raise Invalid(messages.CONTACT_NAME_REQUIRED if identified else messages.CONTACT_UNIDENTIFIED)
    texts = _check(call.books, sent, None)
    if texts:
        raise Invalid(*texts)
    blank = Contact(
        id=new_id(),
        updated=0,
        name=sent.name,
        addresses=tuple(Address(address_type=kind) for kind in ADDRESS_TYPES),
        phones=tuple(Phone(phone_type=kind) for kind in PHONE_TYPES),
    )
    contact = _with_details(call, blank, sent)
    call.books.put(contact)
    return contact


def update(call: Call, old: Contact, sent: ContactIn) -> Contact:
    """Change what was sent. Contact persons that are left out are dropped, as at Xero."""
    texts = _check(call.books, sent, old)
    if old.merged_to and sent.contact_number:
        texts.append(messages.CONTACT_NUMBER_MERGED)
    if texts:
        raise Invalid(*texts)
    contact = replaced(_with_details(call, old, sent), persons=tuple(sent.contact_persons or ()))
    call.books.put(contact)
    return contact


def _with_details(call: Call, old: Contact, sent: ContactIn) -> Contact:
    changes = {
        "number": sent.contact_number,
        "account_number": sent.account_number,
        "name": sent.name or None,
        "first_name": sent.first_name,
        "last_name": sent.last_name,
        "email": sent.email_address,
        "company_number": sent.company_number,
        "tax_number": sent.tax_number,
        "bank_account_details": sent.bank_account_details,
        "default_currency": sent.default_currency,
        "payment_terms": sent.payment_terms,
        "ar_tax_type": sent.accounts_receivable_tax_type,
        "ap_tax_type": sent.accounts_payable_tax_type,
        "status": (sent.contact_status or "").upper() or None,
        "persons": tuple(sent.contact_persons) if sent.contact_persons is not None else None,
        "addresses": _by_type(old.addresses, sent.addresses, "address_type", "POBOX"),
        "phones": _by_type(old.phones, sent.phones, "phone_type", "DEFAULT"),
    }
    known = {name: value for name, value in changes.items() if value is not None}
    cleared = {name: None for name in ("number", "account_number") if known.get(name) == ""}
    return replaced(old, updated=call.books.now(), **(known | cleared))


def _by_type(old: tuple[Any, ...], sent: list[Any] | None, field: str, standard: str) -> tuple[Any, ...] | None:
    """Addresses and phones are replaced type by type."""
    if sent is None:
        return None
    merged = {getattr(one, field): one for one in old}
    for one in sent:
        kind = (getattr(one, field) or standard).upper()
        merged[kind] = replaced(one, **{field: kind})
    return tuple(merged.values())


def _check(books: Books, sent: ContactIn, old: Contact | None) -> list[str]:
    own = old.id if old else None
    texts = [
        messages.too_long("".join(word.capitalize() for word in name.split("_")), limit)
        for name, limit in LONGEST.items()
        if (value := getattr(sent, name)) and len(value) > limit
    ]
    if sent.name and NAME_SHAPE.search(sent.name):
        texts.append(messages.CONTACT_NAME_SHAPE)
    if sent.email_address and not EMAIL.match(sent.email_address):
        texts.append(messages.EMAIL_INVALID)
    status = (sent.contact_status or (old.status if old else "ACTIVE")).upper()
    if status not in {"ACTIVE", "ARCHIVED", "GDPRREQUEST"}:
        texts.append(messages.CONTACT_STATUS_INVALID)
    if len(sent.contact_persons or ()) > MOST_PERSONS:
        texts.append(messages.TOO_MANY_CONTACT_PERSONS)
    texts += _check_types(sent) + currencies.check(books, sent.default_currency)
    return texts + _check_unique(books, sent, old, own, status)


def _check_types(sent: ContactIn) -> list[str]:
    """Addresses, telephones and terms are each of a kind that there is."""
    terms = sent.payment_terms or PaymentTerms()
    kinds: list[tuple[Place, str | None, set[str]]] = [
        (("Addresses", number), one.address_type, TYPES_OF_ADDRESS) for number, one in enumerate(sent.addresses or ())
    ]
    kinds += [(("Phones", number), one.phone_type, TYPES_OF_PHONE) for number, one in enumerate(sent.phones or ())]
    for side, term in (("Sales", terms.sales), ("Bills", terms.bills)):
        kinds.append((("PaymentTerms", side), term.type if term else None, TYPES_OF_TERM))
    return [
        Inside(messages.CONTACT_PART_TYPE_INVALID, place)
        for place, kind, known in kinds
        if kind and kind.upper() not in known
    ]


def _check_unique(books: Books, sent: ContactIn, old: Contact | None, own: str | None, status: str) -> list[str]:
    texts = []
    name = sent.name or (old.name if old else None)
    if name and status == "ACTIVE" and _taken(books.contacts.find("name", fold(name)), own):
        texts.append(messages.contact_name_taken(name))
    if sent.contact_number and _taken(books.contacts.find("number", sent.contact_number), own):
        texts.append(messages.contact_number_taken(sent.contact_number))
    if sent.account_number and _taken(books.contacts.find("account_number", sent.account_number), own):
        texts.append(messages.ACCOUNT_NUMBER_TAKEN)
    return texts


def _taken(found: list[Contact], own: str | None) -> bool:
    return any(contact.id != own for contact in found)


def of_document(call: Call, sent: ContactIn | None) -> Contact:
    """The contact of a document, made or changed on the way, which is what Xero does. Raises Invalid."""
    if sent is None:
        raise Invalid(messages.CONTACT_REQUIRED)
    with inside("Contact"):
        return _found_or_made(call, sent)


def _found_or_made(call: Call, sent: ContactIn) -> Contact:
    contact_id = read_guid(sent.contact_id)
    if not (contact_id or sent.name or sent.contact_number):
        raise Invalid(messages.CONTACT_UNIDENTIFIED)
    contact = call.books.contacts.get(contact_id) if contact_id else _find_by_words(call.books, sent)
    if contact is None and contact_id:
        raise Invalid(messages.CONTACT_ID_UNKNOWN)
    if contact is None and sent.name and call.books.contacts.find("any_name", fold(sent.name)):
        raise Invalid(messages.CONTACT_ARCHIVED)
    if contact is None:
        return create(call, sent)
    if contact.status != "ACTIVE":
        raise Invalid(messages.CONTACT_ARCHIVED)
    if _adds_details(contact, sent, by_id=contact_id is not None):
        return update(call, contact, sent)
    return contact


def find_for(call: Call, sent: ContactIn | None, texts: list[str]) -> Contact | None:
    """The contact of a document that says which; what is wrong with it is added to the document's texts."""
    if sent is None:
        return None
    try:
        return of_document(call, sent)
    except Invalid as refusal:
        texts += refusal.texts
        return None


def _adds_details(contact: Contact, sent: ContactIn, *, by_id: bool) -> bool:
    """By id, anything beside it is an update; by name or number, only what goes beyond them."""
    if by_id:
        return sent.says_more()
    named = {"name", "contact_number"}
    beyond = any(getattr(sent, field) is not None for field in sent.__struct_fields__ if field not in named)
    renames = sent.contact_number is not None and sent.name is not None and sent.name != contact.name
    return beyond or renames


def note_use(books: Books, contact: Contact, *, sales: bool) -> None:
    """A contact becomes customer or supplier by its first document, without a newer UpdatedDateUTC."""
    now = books.contacts.rows[contact.id]
    if sales and not now.is_customer:
        books.put(replaced(now, is_customer=True))
    elif not sales and not now.is_supplier:
        books.put(replaced(now, is_supplier=True))


ROUTES = [
    Route("GET", ("Contacts",), get_all),
    Route("GET", ("Contacts", None), get_one),
    Route("PUT", ("Contacts",), put),
    Route("POST", ("Contacts",), post),
    Route("POST", ("Contacts", None), post_one),
]
