"""Currencies: which there are, which of them an organisation uses, and what one is worth."""

from decimal import Decimal

import msgspec

from xero_simulator import messages
from xero_simulator.books import Books
from xero_simulator.errors import Invalid
from xero_simulator.records import Account, Currency, Document
from xero_simulator.rounding import SAME_CURRENCY, cents, exchange_rate, is_sane

CODES = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BYR BZD CAD CDF CHF
    CLF CLP CNY COP CRC CUC CUP CVE CZK DJF DKK DOP DZD EEK EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD
    HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LTL LVL
    LYD MAD MDL MGA MKD MMK MNT MOP MRO MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR
    PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SKK SLE SLL SOS SRD STD STN SVC SYP SZL THB TJS TMT TND TOP
    TRY TTD TWD TZS UAH UGX USD UYU UZS VEF VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMK ZMW ZWD
    """.split()  # noqa: SIM905 - codes in a row are read more easily
)
# Name, and how many are worth one US dollar: the rates of no day in particular, for want of a bank to ask.
KNOWN: dict[str, tuple[str, str]] = {
    "AUD": ("Australian Dollar", "1.53"),
    "CAD": ("Canadian Dollar", "1.38"),
    "CHF": ("Swiss Franc", "0.81"),
    "CNY": ("Chinese Yuan Renminbi", "7.12"),
    "DKK": ("Danish Krone", "6.45"),
    "EUR": ("Euro", "0.86"),
    "FJD": ("Fijian Dollar", "2.25"),
    "GBP": ("British Pound", "0.75"),
    "HKD": ("Hong Kong Dollar", "7.78"),
    "IDR": ("Indonesian Rupiah", "16400"),
    "INR": ("Indian Rupee", "87.5"),
    "JPY": ("Japanese Yen", "148"),
    "MYR": ("Malaysian Ringgit", "4.22"),
    "NOK": ("Norwegian Krone", "10.1"),
    "NZD": ("New Zealand Dollar", "1.71"),
    "SEK": ("Swedish Krona", "9.5"),
    "SGD": ("Singapore Dollar", "1.29"),
    "THB": ("Thai Baht", "32.4"),
    "USD": ("United States Dollar", "1"),
    "ZAR": ("South African Rand", "17.6"),
}


def used(books: Books) -> list[Currency]:
    """The organisation's currencies, its own first; the plan may allow no other."""
    settings = books.settings
    own = Currency(id=settings.base_currency, updated=settings.updated, name=name_of(settings.base_currency))
    return [own, *books.currencies] if settings.multicurrency else [own]


def name_of(code: str) -> str:
    return KNOWN[code][0] if code in KNOWN else code


def check(books: Books, code: str | None) -> list[str]:
    """What is wrong with naming this currency, or none."""
    known = not code or any(code.upper() == one.id for one in used(books))
    return [] if known else [messages.currency_not_subscribed(str(code).upper())]


def of_account(books: Books, account: Account) -> str:
    return account.currency_code or books.settings.base_currency


def read(
    books: Books, code: str | None, rate: Decimal | None, texts: list[str], old: Document | None = None
) -> tuple[str, Decimal]:
    """A document's currency and rate, from what was sent over what it had; what is wrong is added to the texts.

    A rate says how many of the currency one of the organisation's own buys.
    """
    base = books.settings.base_currency
    wanted = (code or (old.currency_code if old else base)).upper()
    if wrong := check(books, wanted):
        texts += wrong
        return base, SAME_CURRENCY
    if old and wanted == old.currency_code and rate is None:
        return wanted, old.currency_rate
    return wanted, _rate(books, wanted, rate, texts)


def _rate(books: Books, code: str, rate: Decimal | None, texts: list[str]) -> Decimal:
    """The rate that was sent, or else the organisation's own for this currency, or else the day's."""
    if code == books.settings.base_currency:
        return SAME_CURRENCY
    if rate is None:
        rate = _rate_of_the_day(books, code)
        if rate is None:
            texts.append(messages.CURRENCY_RATE_REQUIRED)
            return SAME_CURRENCY
    if not _can_be_a_rate(rate):
        texts.append(messages.CURRENCY_RATE_INVALID)
        return SAME_CURRENCY
    return exchange_rate(rate)


def _can_be_a_rate(rate: Decimal) -> bool:
    return is_sane(rate) and exchange_rate(rate) > 0


def _rate_of_the_day(books: Books, code: str) -> Decimal | None:
    own = books.currencies.rows[code].rate
    known = {code, books.settings.base_currency} <= KNOWN.keys()
    if own is not None or not (known and books.switches["day_rate_fills_in"]):
        return own
    return Decimal(KNOWN[code][1]) / Decimal(KNOWN[books.settings.base_currency][1])


def set_rate(books: Books, currency: Currency, rate: Decimal) -> Currency:
    """Give a further currency a rate of the organisation's own. Raises Invalid."""
    if currency.id == books.settings.base_currency or not _can_be_a_rate(rate):
        raise Invalid(messages.CURRENCY_RATE_INVALID)
    changed = msgspec.structs.replace(currency, rate=exchange_rate(rate), updated=books.now())
    books.put(changed)
    return changed


def pay_through(
    books: Books, account: Account, document: Document, amount: Decimal, rate: Decimal | None, texts: list[str]
) -> tuple[Decimal, Decimal]:
    """The rate of a payment, and what it comes to in the account's currency."""
    base, through = books.settings.base_currency, of_account(books, account)
    if through not in {base, document.currency_code}:
        texts.append(messages.PAYMENT_CURRENCY)
    found = _rate(books, document.currency_code, rate, texts)
    return found, amount if through == document.currency_code else cents(amount / found)
