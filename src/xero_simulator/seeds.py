"""What a new organisation starts with: charts of accounts, tax rates, items, contacts and tracking, by country."""

import uuid
from dataclasses import dataclass
from decimal import Decimal

from xero_simulator.books import Books
from xero_simulator.clock import Clock
from xero_simulator.records import (
    Account,
    Address,
    Contact,
    ContactPerson,
    Item,
    PaymentTerms,
    Phone,
    Prices,
    Settings,
    TaxComponent,
    TaxRate,
    Term,
    TrackingCategory,
    TrackingOption,
)
from xero_simulator.switches import Switches

NAMESPACE = uuid.UUID("5f0ac9b8-3f5e-4a5c-9a53-6c61b54d2f10")
ALL = ("ASSET", "EQUITY", "EXPENSE", "LIABILITY", "REVENUE")
BUT_REVENUE = ("ASSET", "EQUITY", "EXPENSE", "LIABILITY")
BUT_EXPENSE = ("ASSET", "EQUITY", "LIABILITY", "REVENUE")


@dataclass(frozen=True, slots=True)
class Country:
    """What differs between the demonstration organisations."""

    code: str
    version: str
    currency: str
    time_zone: str
    zone_name: str
    tax_number: str
    year_end: tuple[int, int]
    period: str
    tax: dict[str, str]
    """The tax types of: sales, free sales, purchases, free purchases, none."""
    rates: tuple[tuple[str, str, str, tuple[str, ...], str], ...]
    """Tax type, name, percentage, account classes, report type."""
    item_rate_kind: str
    words: dict[str, str]


AUSTRALIA = Country(
    code="AU",
    version="AU",
    currency="AUD",
    time_zone="AUSEASTERNSTANDARDTIME",
    zone_name="Australia/Sydney",
    tax_number="11 111 111 138",
    year_end=(30, 6),
    period="QUARTERLY1",
    tax={
        "sales": "OUTPUT",
        "free": "EXEMPTOUTPUT",
        "purchases": "INPUT",
        "free-purchases": "EXEMPTEXPENSES",
        "none": "BASEXCLUDED",
    },
    rates=(
        ("OUTPUT", "GST on Income", "10", BUT_EXPENSE, "OUTPUT"),
        ("INPUT", "GST on Expenses", "10", BUT_REVENUE, "INPUT"),
        ("EXEMPTOUTPUT", "GST Free Income", "0", ("REVENUE",), "EXEMPTOUTPUT"),
        ("EXEMPTEXPENSES", "GST Free Expenses", "0", BUT_REVENUE, "EXEMPTEXPENSES"),
        ("BASEXCLUDED", "BAS Excluded", "0", ALL, "BASEXCLUDED"),
        ("CAPEXINPUT", "GST on Capital", "10", ("ASSET",), "CAPEXINPUT"),
        ("EXEMPTCAPITAL", "GST Free Capital", "0", ("ASSET",), "EXEMPTCAPITAL"),
        ("EXEMPTEXPORT", "GST Free Exports", "0", ("REVENUE",), "EXEMPTEXPORT"),
        ("INPUTTAXED", "Input Taxed", "0", ALL, "INPUTTAXED"),
        ("GSTONIMPORTS", "GST on Imports", "0", ("LIABILITY",), "GSTONIMPORTS"),
        ("GSTONCAPIMPORTS", "GST on Capital Imports", "0", ("LIABILITY",), "GSTONCAPIMPORTS"),
    ),
    item_rate_kind="GST",
    words={"tax": "GST", "wages": "Superannuation", "payg": "PAYG Withholdings Payable"},
)
NEW_ZEALAND = Country(
    code="NZ",
    version="NZ",
    currency="NZD",
    time_zone="NEWZEALANDSTANDARDTIME",
    zone_name="Pacific/Auckland",
    tax_number="101-2-303",
    year_end=(31, 3),
    period="TWOMONTHS",
    tax={
        "sales": "OUTPUT2",
        "free": "ZERORATED",
        "purchases": "INPUT2",
        "free-purchases": "NONE",
        "none": "NONE",
    },
    rates=(
        ("OUTPUT2", "15% GST on Income", "15", BUT_EXPENSE, "OUTPUT"),
        ("INPUT2", "15% GST on Expenses", "15", BUT_REVENUE, "INPUT"),
        ("ZERORATED", "Zero Rated", "0", ("REVENUE", "ASSET", "LIABILITY", "EQUITY"), "ZERORATEDOUTPUT"),
        ("NONE", "No GST", "0", ALL, "NONE"),
        ("GSTONIMPORTS", "GST on Imports", "0", ("LIABILITY",), "GSTONIMPORTS"),
    ),
    item_rate_kind="GST",
    words={"tax": "GST", "wages": "KiwiSaver Employer Contributions", "payg": "PAYE Payable"},
)
BRITAIN = Country(
    code="GB",
    version="UK",
    currency="GBP",
    time_zone="GMTSTANDARDTIME",
    zone_name="Europe/London",
    tax_number="GB 123 4567 82",
    year_end=(31, 12),
    period="QUARTERLY",
    tax={
        "sales": "OUTPUT2",
        "free": "ZERORATEDOUTPUT",
        "purchases": "INPUT2",
        "free-purchases": "ZERORATEDINPUT",
        "none": "NONE",
    },
    rates=(
        ("OUTPUT2", "20% (VAT on Income)", "20", BUT_EXPENSE, "OUTPUT"),
        ("INPUT2", "20% (VAT on Expenses)", "20", BUT_REVENUE, "INPUT"),
        ("RROUTPUT", "5% (VAT on Income)", "5", BUT_EXPENSE, "OUTPUT"),
        ("RRINPUT", "5% (VAT on Expenses)", "5", BUT_REVENUE, "INPUT"),
        ("ZERORATEDOUTPUT", "Zero Rated Income", "0", BUT_EXPENSE, "ZERORATEDOUTPUT"),
        ("ZERORATEDINPUT", "Zero Rated Expenses", "0", BUT_REVENUE, "ZERORATEDINPUT"),
        ("EXEMPTOUTPUT", "Exempt Income", "0", BUT_EXPENSE, "EXEMPTOUTPUT"),
        ("EXEMPTINPUT", "Exempt Expenses", "0", BUT_REVENUE, "EXEMPTINPUT"),
        ("NONE", "No VAT", "0", ALL, "NONE"),
        ("DRCHARGE20", "Domestic Reverse Charge @ 20% (VAT on Income)", "0", ("REVENUE",), "DRCHARGESUPPLY"),
    ),
    item_rate_kind="VAT",
    words={"tax": "VAT", "wages": "Pensions Costs", "payg": "PAYE Payable"},
)

# Code, name, type, tax kind, system account. A name may hold a {word} of the country.
CHART: tuple[tuple[str | None, str, str, str, str | None], ...] = (
    ("090", "Business Bank Account", "BANK", "none", None),
    ("091", "Business Savings Account", "BANK", "none", None),
    (None, "Payments Clearing", "BANK", "none", None),
    ("200", "Sales", "REVENUE", "sales", None),
    ("260", "Other Revenue", "REVENUE", "sales", None),
    ("265", "Freight Income", "REVENUE", "sales", None),
    ("270", "Interest Income", "REVENUE", "none", None),
    ("299", "Sales of Discontinued Ranges", "REVENUE", "sales", None),
    ("310", "Cost of Goods Sold", "DIRECTCOSTS", "purchases", None),
    ("325", "Direct Expenses", "DIRECTCOSTS", "purchases", None),
    ("400", "Advertising", "EXPENSE", "purchases", None),
    ("404", "Bank Fees", "EXPENSE", "free-purchases", None),
    ("408", "Cleaning", "EXPENSE", "purchases", None),
    ("412", "Consulting & Accounting", "EXPENSE", "purchases", None),
    ("416", "Depreciation", "DEPRECIATN", "none", None),
    ("420", "Entertainment", "EXPENSE", "none", None),
    ("425", "Freight & Courier", "EXPENSE", "purchases", None),
    ("429", "General Expenses", "EXPENSE", "purchases", None),
    ("433", "Insurance", "EXPENSE", "purchases", None),
    ("437", "Interest Expense", "EXPENSE", "none", None),
    ("441", "Legal Expenses", "EXPENSE", "purchases", None),
    ("445", "Light, Power, Heating", "EXPENSE", "purchases", None),
    ("449", "Motor Vehicle Expenses", "EXPENSE", "purchases", None),
    ("453", "Office Expenses", "EXPENSE", "purchases", None),
    ("461", "Printing & Stationery", "EXPENSE", "purchases", None),
    ("469", "Rent", "EXPENSE", "purchases", None),
    ("473", "Repairs and Maintenance", "EXPENSE", "purchases", None),
    ("477", "Wages and Salaries", "EXPENSE", "none", None),
    ("478", "{wages}", "EXPENSE", "none", None),
    ("485", "Subscriptions", "EXPENSE", "purchases", None),
    ("489", "Telephone & Internet", "EXPENSE", "purchases", None),
    ("493", "Travel - National", "EXPENSE", "purchases", None),
    ("497", "Bank Revaluations", "EXPENSE", "none", "BANKCURRENCYGAIN"),
    ("505", "Income Tax Expense", "EXPENSE", "none", None),
    ("610", "Accounts Receivable", "CURRENT", "none", "DEBTORS"),
    ("615", "Card Payments Clearing", "CURRENT", "none", None),
    ("620", "Prepayments", "CURRENT", "none", None),
    ("630", "Inventory", "INVENTORY", "none", None),
    ("710", "Office Equipment", "FIXED", "purchases", None),
    ("711", "Less Accumulated Depreciation on Office Equipment", "FIXED", "none", None),
    ("720", "Computer Equipment", "FIXED", "purchases", None),
    ("800", "Accounts Payable", "CURRLIAB", "none", "CREDITORS"),
    ("805", "Accruals", "CURRLIAB", "none", None),
    ("820", "{tax}", "CURRLIAB", "none", "GST"),
    ("825", "{payg}", "CURRLIAB", "none", None),
    ("840", "Historical Adjustment", "CURRLIAB", "none", "HISTORICAL"),
    ("860", "Rounding", "CURRLIAB", "none", "ROUNDING"),
    ("877", "Tracking Transfers", "CURRLIAB", "none", "TRACKINGTRANSFERS"),
    ("880", "Owner A Drawings", "CURRLIAB", "none", None),
    ("900", "Loan", "TERMLIAB", "none", None),
    ("960", "Retained Earnings", "EQUITY", "none", "RETAINEDEARNINGS"),
    ("970", "Owner A Share Capital", "EQUITY", "none", None),
)
ARCHIVED_CODES = {"299"}
PAYMENT_CODES = {"615", "880"}

# Code, name, selling price, cost, tax kind.
ITEMS = (
    ("BEANS-1KG", "Espresso beans, 1 kg", "32.00", "18.50", "free"),
    ("OATMILK-12", "Oat milk, carton of 12", "43.20", "31.00", "sales"),
    ("CUPS-8OZ", "Takeaway cups 8 oz, 1,000", "96.50", "70.00", "sales"),
    ("SOURDOUGH", "Sourdough loaf", "6.80", "3.10", "free"),
    ("OLIVEOIL-4L", "Olive oil, 4 l", "58.75", "39.90", "free"),
    ("DELIVERY", "Delivery", "12.50", None, "sales"),
)
CONTACTS = (
    ("Basket Case Café", "orders@basketcase.example", "Noor", "Haddad"),
    ("Bayside Corner Store", "shop@baysidecorner.example", "Tom", "Okafor"),
    ("City Produce Market", "accounts@cityproduce.example", None, None),
    ("Harbour View Restaurant", "kitchen@harbourview.example", "Elena", "Rossi"),
    ("Ridgeway Bakery", "hello@ridgewaybakery.example", "Sam", "Whitlock"),
    ("Old Town Deli (closed)", None, None, None),
)
TRACKING = (
    ("Region", ("Eastside", "North", "South", "West Coast")),
    ("Salesperson", ("Ana", "Bruno", "Chika")),
)


@dataclass(frozen=True, slots=True)
class Template:
    name: str
    country: Country
    filled: bool


TEMPLATES = {
    "demo-au": Template("Demo Company (AU)", AUSTRALIA, filled=True),
    "demo-nz": Template("Demo Company (NZ)", NEW_ZEALAND, filled=True),
    "demo-uk": Template("Demo Company (UK)", BRITAIN, filled=True),
    "empty-au": Template("Empty Company (AU)", AUSTRALIA, filled=False),
}


def open_books(template: str, name: str | None, number: int, clock: Clock, switches: Switches) -> Books:
    """New books by a template (KeyError for an unknown one). `number` tells organisations of one template apart."""
    plan = TEMPLATES[template]
    seed = f"{template}/{number}"
    settings = _settings(plan, template, name or plan.name, seed, clock.now_ms())
    books = Books(settings, clock, switches)
    _Sower(books, plan.country, seed).sow(filled=plan.filled)
    return books


def _settings(plan: Template, template: str, name: str, seed: str, now: int) -> Settings:
    country = plan.country
    return Settings(
        id=str(uuid.uuid5(NAMESPACE, seed)),
        updated=now,
        name=name,
        legal_name=name,
        template=template,
        version=country.version,
        country_code=country.code,
        base_currency=country.currency,
        time_zone=country.time_zone,
        zone_name=country.zone_name,
        tax_number=country.tax_number,
        short_code="!" + uuid.uuid5(NAMESPACE, seed + "/short").hex[:5],
        is_demo=plan.filled,
        organisation_class="DEMO" if plan.filled else "TRIAL",
        financial_year_end_day=country.year_end[0],
        financial_year_end_month=country.year_end[1],
        sales_tax_period=country.period,
    )


class _Sower:
    """Puts the first records into new books, with ids that are the same each time."""

    def __init__(self, books: Books, country: Country, seed: str) -> None:
        self.books = books
        self.country = country
        self.seed = seed
        self.now = books.now()

    def sow(self, *, filled: bool) -> None:
        for row in CHART:
            self._account(*row)
        for rate in self.country.rates:
            self._tax_rate(*rate)
        if filled:
            for item in ITEMS:
                self._item(*item)
            for position, contact in enumerate(CONTACTS):
                self._contact(position, *contact)
            for name, options in TRACKING:
                self._tracking(name, options)

    def _id(self, what: str) -> str:
        return str(uuid.uuid5(NAMESPACE, f"{self.seed}/{what}"))

    def _account(self, code: str | None, name: str, kind: str, tax: str, system: str | None) -> None:
        name = name.format(**self.country.words)
        bank = kind == "BANK"
        self.books.put(
            Account(
                id=self._id(f"account/{name}"),
                updated=self.now,
                name=name,
                type=kind,
                code=code,
                tax_type=self.country.tax[tax],
                status="ARCHIVED" if code in ARCHIVED_CODES else "ACTIVE",
                enable_payments=code in PAYMENT_CODES,
                system_account=system,
                bank_account_number=f"0628440{uuid.uuid5(NAMESPACE, name).int % 10**8:08d}" if bank else None,
                bank_account_type="BANK" if bank else None,
                currency_code=self.country.currency if bank else None,
                show_in_expense_claims=kind in {"EXPENSE", "OVERHEADS"},
            )
        )

    def _tax_rate(self, tax_type: str, name: str, rate: str, applies: tuple[str, ...], report: str) -> None:
        component = TaxComponent(
            name=self.country.item_rate_kind, rate=Decimal(rate), is_compound=False, is_non_recoverable=False
        )
        self.books.put(
            TaxRate(
                id=tax_type,
                updated=self.now,
                name=name,
                rate=Decimal(rate),
                components=(component,),
                applies=applies,
                report_tax_type=report,
            )
        )

    def _item(self, code: str, name: str, price: str, cost: str | None, tax: str) -> None:
        purchase_tax = self.country.tax["purchases" if tax == "sales" else "free-purchases"]
        self.books.put(
            Item(
                id=self._id(f"item/{code}"),
                updated=self.now,
                code=code,
                name=name,
                description=name,
                is_purchased=cost is not None,
                sales=Prices(unit_price=_price(price), account_code="200", tax_type=self.country.tax[tax]),
                purchase=Prices(unit_price=_price(cost), account_code="310", tax_type=purchase_tax) if cost else None,
            )
        )

    def _contact(self, position: int, name: str, email: str | None, first: str | None, last: str | None) -> None:
        self.books.put(
            Contact(
                id=self._id(f"contact/{name}"),
                updated=self.now,
                name=name,
                status="ARCHIVED" if name.endswith("(closed)") else "ACTIVE",
                email=email,
                first_name=first,
                last_name=last,
                account_number=f"C{1001 + position}",
                persons=(ContactPerson(first_name="Accounts", email_address=email, include_in_emails=True),)
                if position == 0
                else (),
                addresses=(Address(address_type="POBOX"), Address(address_type="STREET")),
                phones=tuple(Phone(phone_type=kind) for kind in ("DDI", "DEFAULT", "FAX", "MOBILE")),
                payment_terms=PaymentTerms(sales=Term(day=14, type="DAYSAFTERBILLDATE")) if position % 2 else None,
            )
        )

    def _tracking(self, name: str, options: tuple[str, ...]) -> None:
        self.books.put(
            TrackingCategory(
                id=self._id(f"tracking/{name}"),
                updated=self.now,
                name=name,
                options=tuple(TrackingOption(id=self._id(f"tracking/{name}/{o}"), name=o) for o in options),
            )
        )


def _price(text: str) -> Decimal:
    return Decimal(text).quantize(Decimal("0.0001"))
