"""Short lists that many clients look at when they connect: currencies, branding themes, users."""

import uuid
from collections.abc import Callable

from xero_simulator import messages
from xero_simulator.calls import Call, Handler, Route, Shown
from xero_simulator.errors import NotFound
from xero_simulator.oauth import USER_ID
from xero_simulator.wire import Answer, envelope, guid_or_none, ms_time

CURRENCY_NAMES = {"AUD": "Australian Dollar", "NZD": "New Zealand Dollar", "GBP": "British Pound"}


def get_currencies(call: Call) -> Answer:
    """Only the base currency: no organisation here is subscribed to another."""
    code = call.books.settings.base_currency
    return envelope("Currencies", [{"Code": code, "Description": CURRENCY_NAMES[code]}], call.books.now())


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
    Route("GET", ("BrandingThemes",), _the_only("BrandingThemes", _theme)),
    Route("GET", ("BrandingThemes", None), _the_only("BrandingThemes", _theme)),
    Route("GET", ("Users",), _the_only("Users", _user)),
    Route("GET", ("Users", None), _the_only("Users", _user)),
]
