"""Short lists that many clients look at when they connect: currencies, branding themes, users."""

import uuid

from xero_simulator.calls import Call, Route
from xero_simulator.oauth import USER_ID
from xero_simulator.wire import Answer, envelope, ms_time

CURRENCY_NAMES = {"AUD": "Australian Dollar", "NZD": "New Zealand Dollar", "GBP": "British Pound"}


def get_currencies(call: Call) -> Answer:
    """Only the base currency: no organisation here is subscribed to another."""
    code = call.books.settings.base_currency
    return envelope("Currencies", [{"Code": code, "Description": CURRENCY_NAMES[code]}], call.books.now())


def get_branding_themes(call: Call) -> Answer:
    theme = {
        "BrandingThemeID": str(uuid.uuid5(uuid.UUID(call.books.organisation_id), "branding theme")),
        "Name": "Standard",
        "SortOrder": 0,
        "CreatedDateUTC": ms_time(call.books.settings.updated),
    }
    return envelope("BrandingThemes", [theme], call.books.now())


def get_users(call: Call) -> Answer:
    user = {
        "UserID": USER_ID,
        "EmailAddress": "bookkeeper@demo.example",
        "FirstName": "Demo",
        "LastName": "Bookkeeper",
        "UpdatedDateUTC": ms_time(call.books.settings.updated),
        "IsSubscriber": True,
        "OrganisationRole": "STANDARD",
    }
    return envelope("Users", [user], call.books.now())


ROUTES = [
    Route("GET", ("Currencies",), get_currencies),
    Route("GET", ("BrandingThemes",), get_branding_themes),
    Route("GET", ("Users",), get_users),
]
