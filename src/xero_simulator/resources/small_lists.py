"""Short lists that many clients look at when they connect: currencies, branding themes, users."""

import uuid
from collections.abc import Callable

from xero_simulator import currencies, messages
from xero_simulator.calls import Call, Handler, Listing, Route, Saving, Shown, answer_list, save_whole
from xero_simulator.errors import Invalid, NotFound
from xero_simulator.oauth import USER_ID
from xero_simulator.records import Currency, Wire
from xero_simulator.wire import Answer, envelope, guid_or_none, ms_time


class CurrencyIn(Wire, frozen=True):
    code: str | None = None
    description: str | None = None


def show_currency(_call: Call, currency: Currency) -> Shown:
    return {"Code": currency.id, "Description": currency.name}


CURRENCIES = Listing(
    "Currencies", {"Code": lambda c: c.id, "Description": lambda c: c.name}, show_currency, modified_since=False
)
SAVING = Saving("Currencies", None, show_currency, flags=(), has_status=False)


def get_currencies(call: Call) -> Answer:
    return answer_list(call, CURRENCIES, currencies.used(call.books))


def put_currency(call: Call) -> Answer:
    return save_whole(call, SAVING, call.elements("Currencies", CurrencyIn)[0], add_currency)


def add_currency(call: Call, sent: CurrencyIn) -> Currency:
    """Use a further currency; one that is in use already stays as it is. Raises Invalid."""
    code = (sent.code or "").upper()
    if code not in currencies.CODES:
        raise Invalid(messages.CURRENCY_CODE_INVALID)
    if not call.books.settings.multicurrency:
        raise Invalid(messages.CURRENCY_NOT_IN_PLAN)
    found = next((one for one in currencies.used(call.books) if one.id == code), None)
    if found is None:
        found = Currency(id=code, updated=call.books.now(), name=currencies.name_of(code))
        call.books.put(found)
    return found


def _theme(call: Call) -> Shown:
    return {
        "BrandingThemeID": str(uuid.uuid5(uuid.UUID(call.books.organisation_id), "branding theme")),
        "Name": "Standard",
        "SortOrder": 0,
        "CreatedDateUTC": ms_time(call.books.settings.updated),
    }


def _user(call: Call) -> Shown:
    return {
        "UserID": USER_ID,
        "EmailAddress": "bookkeeper@demo.example",
        "FirstName": "Demo",
        "LastName": "Bookkeeper",
        "UpdatedDateUTC": ms_time(call.books.settings.updated),
        "IsSubscriber": True,
        "OrganisationRole": "STANDARD",
    }


def _the_only(key: str, show: Callable[[Call], Shown]) -> Handler:
    """A list of one, which is also found by its id."""

    def get(call: Call) -> Answer:
        one = show(call)
        if call.ids and guid_or_none(call.ids[0]) not in one.values():
            raise NotFound(messages.NOT_FOUND)
        return envelope(key, [one], call.books.now())

    return get


ROUTES = [
    Route("GET", ("Currencies",), get_currencies),
    Route("PUT", ("Currencies",), put_currency),
    Route("GET", ("BrandingThemes",), _the_only("BrandingThemes", _theme)),
    Route("GET", ("BrandingThemes", None), _the_only("BrandingThemes", _theme)),
    Route("GET", ("Users",), _the_only("Users", _user)),
    Route("GET", ("Users", None), _the_only("Users", _user)),
]
