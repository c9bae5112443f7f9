"""What an organisation's books are made of.

Records never change: an edit puts a new record in the old one's place (`Books.put`), so undoing a refused request is
putting the old ones back. Times are milliseconds since 1970 (UTC), amounts are Decimals with Xero's scale, and a
document keeps its lines as JSON in Xero's own shape, which is small in memory and ready to be sent.
"""

from datetime import date
from decimal import Decimal

import msgspec

from xero_simulator.rounding import SAME_CURRENCY, ZERO

SPECIAL_WORDS = {"id": "ID", "ids": "IDs", "utc": "UTC", "cogs": "COGS"}


def wire_name(name: str) -> str:
    """`invoice_id` is `InvoiceID` at Xero."""
    return "".join(SPECIAL_WORDS.get(word, word.capitalize()) for word in name.split("_"))


class Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename=wire_name):
    """Something in Xero's own shape, as it arrives in a request or stands inside a record. None is "not there"."""


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something in the books. `updated` is Xero's UpdatedDateUTC, in milliseconds."""

    id: str
    updated: int


class Address(Wire, frozen=True):
    address_type: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    address_line3: str | None = None
    address_line4: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    attention_to: str | None = None


class Phone(Wire, frozen=True):
    phone_type: str | None = None
    phone_number: str | None = None
    phone_area_code: str | None = None
    phone_country_code: str | None = None


class ContactPerson(Wire, frozen=True):
    first_name: str | None = None
    last_name: str | None = None
    email_address: str | None = None
    include_in_emails: bool | None = None


class Term(Wire, frozen=True):
    day: int | None = None
    type: str | None = None


class PaymentTerms(Wire, frozen=True):
    bills: Term | None = None
    sales: Term | None = None


class Prices(Wire, frozen=True):
    unit_price: Decimal | None = None
    account_code: str | None = None
    cogs_account_code: str | None = None
    tax_type: str | None = None


class Tracking(Wire, frozen=True):
    name: str | None = None
    option: str | None = None
    tracking_category_id: str | None = None
    tracking_option_id: str | None = None


class Line(Wire, frozen=True, kw_only=True):
    """A line as it is kept: UnitAmount and Quantity at four places, amounts at two."""

    line_item_id: str
    description: str | None = None
    unit_amount: Decimal | None = None
    tax_type: str | None = None
    tax_amount: Decimal | None = None
    line_amount: Decimal | None = None
    account_code: str | None = None
    account_id: str | None = None
    item_code: str | None = None
    quantity: Decimal | None = None
    discount_rate: Decimal | None = None
    discount_amount: Decimal | None = None
    tracking: tuple[Tracking, ...]


class Account(Record, frozen=True, kw_only=True):
    name: str
    type: str
    code: str | None = None
    tax_type: str | None = None
    description: str | None = None
    enable_payments: bool = False
    show_in_expense_claims: bool = False
    status: str = "ACTIVE"
    system_account: str | None = None
    bank_account_number: str | None = None
    bank_account_type: str | None = None
    currency_code: str | None = None


class TaxComponent(Wire, frozen=True, kw_only=True):
    name: str
    rate: Decimal
    is_compound: bool
    is_non_recoverable: bool


class TaxRate(Record, frozen=True, kw_only=True):
    """`id` is the tax type. `applies` names the account classes that it can be used with."""

    name: str
    rate: Decimal
    components: tuple[TaxComponent, ...]
    applies: tuple[str, ...]
    report_tax_type: str | None = None
    status: str = "ACTIVE"
    system: bool = True


class TrackingOption(msgspec.Struct, frozen=True):
    id: str
    name: str
    status: str = "ACTIVE"


class TrackingCategory(Record, frozen=True, kw_only=True):
    name: str
    status: str = "ACTIVE"
    options: tuple[TrackingOption, ...] = ()


class Currency(Record, frozen=True, kw_only=True):
    """A further currency of the organisation, `id` its code. `rate` is one that the organisation itself has set."""

    name: str
    rate: Decimal | None = None


class Item(Record, frozen=True, kw_only=True):
    code: str
    name: str | None = None
    description: str | None = None
    purchase_description: str | None = None
    is_sold: bool = True
    is_purchased: bool = True
    sales: Prices | None = None
    purchase: Prices | None = None
    inventory_account: str | None = None
    quantity_on_hand: Decimal | None = None
    total_cost_pool: Decimal | None = None

    @property
    def is_tracked(self) -> bool:
        return self.inventory_account is not None


class Contact(Record, frozen=True, kw_only=True):
    name: str
    number: str | None = None
    account_number: str | None = None
    status: str = "ACTIVE"
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    company_number: str | None = None
    tax_number: str | None = None
    bank_account_details: str | None = None
    website: str | None = None
    persons: tuple[ContactPerson, ...] = ()
    addresses: tuple[Address, ...] = ()
    phones: tuple[Phone, ...] = ()
    is_customer: bool = False
    is_supplier: bool = False
    default_currency: str | None = None
    payment_terms: PaymentTerms | None = None
    ar_tax_type: str | None = None
    ap_tax_type: str | None = None
    discount: Decimal | None = None
    merged_to: str | None = None


class Document(Record, frozen=True, kw_only=True):
    """What invoices, credit notes, overpayments and bank transactions have in common."""

    type: str
    contact_id: str | None
    date: date
    status: str
    line_amount_types: str
    currency_code: str
    lines: bytes
    sub_total: Decimal
    total_tax: Decimal
    total: Decimal
    currency_rate: Decimal = SAME_CURRENCY
    reference: str | None = None
    app_id: str | None = None


class Invoice(Document, frozen=True, kw_only=True):
    number: str | None = None
    due_date: date | None = None
    total_discount: Decimal | None = None
    branding_theme_id: str | None = None
    url: str | None = None
    sent_to_contact: bool = False
    expected_payment_date: date | None = None
    planned_payment_date: date | None = None
    paid: Decimal = ZERO
    credited: Decimal = ZERO
    fully_paid_on: date | None = None
    rounding: Decimal = ZERO

    @property
    def due(self) -> Decimal:
        return self.total - self.paid - self.credited


class Credit(Document, frozen=True, kw_only=True):
    """A document whose total can be given to invoices or paid back."""

    allocated: Decimal = ZERO
    refunded: Decimal = ZERO
    fully_paid_on: date | None = None

    @property
    def remaining(self) -> Decimal:
        return self.total - self.allocated - self.refunded


class CreditNote(Credit, frozen=True, kw_only=True):
    number: str | None = None
    branding_theme_id: str | None = None
    sent_to_contact: bool = False


class Overpayment(Credit, frozen=True, kw_only=True):
    bank_transaction_id: str


class BankTransaction(Document, frozen=True, kw_only=True):
    bank_account_id: str
    is_reconciled: bool = False
    url: str | None = None
    overpayment_id: str | None = None


class Payment(Record, frozen=True, kw_only=True):
    type: str
    account_id: str
    date: date
    amount: Decimal
    document_id: str
    status: str = "AUTHORISED"
    reference: str | None = None
    is_reconciled: bool = False
    batch_id: str | None = None
    app_id: str | None = None
    currency_rate: Decimal = SAME_CURRENCY
    bank_amount: Decimal | None = None  # in the account's currency, where that is another than the document's

    @property
    def at_bank(self) -> Decimal:
        return self.amount if self.bank_amount is None else self.bank_amount


class BatchPayment(Record, frozen=True, kw_only=True):
    type: str
    account_id: str
    date: date
    total: Decimal
    payment_ids: tuple[str, ...]
    status: str = "AUTHORISED"
    reference: str | None = None
    details: str | None = None
    narrative: str | None = None
    particulars: str | None = None
    code: str | None = None
    is_reconciled: bool = False


class Allocation(Record, frozen=True, kw_only=True):
    credit_id: str
    invoice_id: str
    amount: Decimal
    date: date


class HistoryNote(Record, frozen=True, kw_only=True):
    document_id: str
    changes: str
    details: str
    user: str


class Settings(Record, frozen=True, kw_only=True):
    """The organisation itself."""

    name: str
    legal_name: str
    template: str
    version: str
    country_code: str
    base_currency: str
    time_zone: str
    zone_name: str
    tax_number: str
    short_code: str
    organisation_class: str = "DEMO"
    is_demo: bool = True
    financial_year_end_day: int = 30
    financial_year_end_month: int = 6
    sales_tax_basis: str = "ACCRUALS"
    sales_tax_period: str = "QUARTERLY1"
    period_lock_date: date | None = None
    end_of_year_lock_date: date | None = None
    approval_limit: int | None = None
    bill_approval_limit: int | None = None
    multicurrency: bool = True
    next_number: int = 1
    next_credit_number: int = 1


CLASS_OF_TYPE = {
    "BANK": "ASSET",
    "CURRENT": "ASSET",
    "FIXED": "ASSET",
    "INVENTORY": "ASSET",
    "NONCURRENT": "ASSET",
    "PREPAYMENT": "ASSET",
    "CURRLIAB": "LIABILITY",
    "LIABILITY": "LIABILITY",
    "PAYG": "LIABILITY",
    "TERMLIAB": "LIABILITY",
    "EQUITY": "EQUITY",
    "DEPRECIATN": "EXPENSE",
    "DIRECTCOSTS": "EXPENSE",
    "EXPENSE": "EXPENSE",
    "OVERHEADS": "EXPENSE",
    "OTHERINCOME": "REVENUE",
    "REVENUE": "REVENUE",
    "SALES": "REVENUE",
}
