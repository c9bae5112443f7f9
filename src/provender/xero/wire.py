"""Xero's JSON as typed values, and our values as Xero's JSON.

Names are Xero's, written out field by field. Each field may be absent (None, or an empty tuple), unknown fields are
passed over, and everything that Xero enumerates is plain text, so that a new status does not take a page down.
Numbers are Decimal with Xero's own scale; dates are read as UTC, whatever offset stands beside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from msgspec import field

from provender.xero.faults import collect_messages, decode_plainly, shorten

T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")


def read_instant(text: str) -> datetime:
    """Read `/Date(1539993600000+0000)/` (the offset never changes the instant) or an ISO text, as aware UTC."""
    found = _MS_DATE.fullmatch(text)
    try:
        if found:
            return EPOCH + timedelta(milliseconds=int(found[1]))
        instant = datetime.fromisoformat(text)
    except (OverflowError, ValueError):
        raise ValueError(f"{text!r} is not a date of Xero's") from None
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


if TYPE_CHECKING:
    Instant = datetime
    Day = date
else:
    # msgspec reads a datetime as RFC 3339 and nothing else. A type of our own goes through `_read_date` instead, and
    # what comes out is an ordinary datetime or date: the metaclass lets it pass as one of ours.
    class _Passing(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, cls.passes)

    class Instant(metaclass=_Passing):
        passes = datetime

    class Day(metaclass=_Passing):
        passes = date


def _read_date(kind: type, value: Any) -> Any:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a date of Xero's")
    return read_instant(value) if kind is Instant else read_instant(value).date()


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    message: str = field(default="", name="Message")


class Phone(msgspec.Struct, frozen=True, omit_defaults=True):
    type: str | None = field(default=None, name="PhoneType")
    number: str | None = field(default=None, name="PhoneNumber")
    area_code: str | None = field(default=None, name="PhoneAreaCode")
    country_code: str | None = field(default=None, name="PhoneCountryCode")


class Address(msgspec.Struct, frozen=True, omit_defaults=True):
    type: str | None = field(default=None, name="AddressType")
    line_1: str | None = field(default=None, name="AddressLine1")
    line_2: str | None = field(default=None, name="AddressLine2")
    line_3: str | None = field(default=None, name="AddressLine3")
    line_4: str | None = field(default=None, name="AddressLine4")
    city: str | None = field(default=None, name="City")
    region: str | None = field(default=None, name="Region")
    postal_code: str | None = field(default=None, name="PostalCode")
    country: str | None = field(default=None, name="Country")


class Term(msgspec.Struct, frozen=True, omit_defaults=True):
    """When something is due: `type` says what `day` counts, such as DAYSAFTERBILLDATE or OFFOLLOWINGMONTH."""

    day: int | None = field(default=None, name="Day")
    type: str | None = field(default=None, name="Type")


class PaymentTerms(msgspec.Struct, frozen=True, omit_defaults=True):
    sales: Term | None = field(default=None, name="Sales")
    bills: Term | None = field(default=None, name="Bills")


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
    contact_id: str | None = field(default=None, name="ContactID")
    contact_number: str | None = field(default=None, name="ContactNumber")
    contact_status: str | None = field(default=None, name="ContactStatus")
    name: str | None = field(default=None, name="Name")
    first_name: str | None = field(default=None, name="FirstName")
    last_name: str | None = field(default=None, name="LastName")
    email_address: str | None = field(default=None, name="EmailAddress")
    tax_number: str | None = field(default=None, name="TaxNumber")
    company_number: str | None = field(default=None, name="CompanyNumber")
    account_number: str | None = field(default=None, name="AccountNumber")
    default_currency: str | None = field(default=None, name="DefaultCurrency")
    addresses: tuple[Address, ...] = field(default=(), name="Addresses")
    phones: tuple[Phone, ...] = field(default=(), name="Phones")
    is_customer: bool | None = field(default=None, name="IsCustomer")
    is_supplier: bool | None = field(default=None, name="IsSupplier")
    payment_terms: PaymentTerms | None = field(default=None, name="PaymentTerms")
    merged_to_contact_id: str | None = field(default=None, name="MergedToContactID")
    updated_raw: str | None = field(default=None, name="UpdatedDateUTC")
    has_validation_errors: bool | None = field(default=None, name="HasValidationErrors")
    status_attribute_string: str | None = field(default=None, name="StatusAttributeString")
    validation_errors: tuple[Message, ...] = field(default=(), name="ValidationErrors")
    warnings: tuple[Message, ...] = field(default=(), name="Warnings")

    @property
    def updated_date_utc(self) -> datetime | None:
        """When Xero last counted this contact as changed; not each change counts."""
        return read_instant(self.updated_raw) if self.updated_raw else None


class TrackingChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """The option of one tracking category on a line."""

    tracking_category_id: str | None = field(default=None, name="TrackingCategoryID")
    tracking_option_id: str | None = field(default=None, name="TrackingOptionID")
    name: str | None = field(default=None, name="Name")
    option: str | None = field(default=None, name="Option")


class LineItem(msgspec.Struct, frozen=True, omit_defaults=True):
    line_item_id: str | None = field(default=None, name="LineItemID")
    description: str | None = field(default=None, name="Description")
    quantity: Decimal | None = field(default=None, name="Quantity")
    unit_amount: Decimal | None = field(default=None, name="UnitAmount")
    item_code: str | None = field(default=None, name="ItemCode")
    account_code: str | None = field(default=None, name="AccountCode")
    account_id: str | None = field(default=None, name="AccountID")
    tax_type: str | None = field(default=None, name="TaxType")
    tax_amount: Decimal | None = field(default=None, name="TaxAmount")
    line_amount: Decimal | None = field(default=None, name="LineAmount")
    discount_rate: Decimal | None = field(default=None, name="DiscountRate")
    discount_amount: Decimal | None = field(default=None, name="DiscountAmount")
    tracking: tuple[TrackingChoice, ...] = field(default=(), name="Tracking")
    validation_errors: tuple[Message, ...] = field(default=(), name="ValidationErrors")


class DocumentPayment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A payment as an invoice, or a refund as a credit note, shows it."""

    payment_id: str | None = field(default=None, name="PaymentID")
    batch_payment_id: str | None = field(default=None, name="BatchPaymentID")
    date: Day | None = field(default=None, name="Date")
    amount: Decimal | None = field(default=None, name="Amount")
    reference: str | None = field(default=None, name="Reference")
    status: str | None = field(default=None, name="Status")


class InvoiceCredit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A credit note, overpayment or prepayment as an invoice that it is allocated to shows it."""

    credit_note_id: str | None = field(default=None, name="CreditNoteID")
    credit_note_number: str | None = field(default=None, name="CreditNoteNumber")
    overpayment_id: str | None = field(default=None, name="OverpaymentID")
    prepayment_id: str | None = field(default=None, name="PrepaymentID")
    date: Day | None = field(default=None, name="Date")
    applied_amount: Decimal | None = field(default=None, name="AppliedAmount")
    total: Decimal | None = field(default=None, name="Total")


class Invoice(msgspec.Struct, frozen=True, omit_defaults=True):
    invoice_id: str | None = field(default=None, name="InvoiceID")
    type: str | None = field(default=None, name="Type")
    invoice_number: str | None = field(default=None, name="InvoiceNumber")
    reference: str | None = field(default=None, name="Reference")
    status: str | None = field(default=None, name="Status")
    contact: Contact | None = field(default=None, name="Contact")
    date: Day | None = field(default=None, name="Date")
    due_date: Day | None = field(default=None, name="DueDate")
    url: str | None = field(default=None, name="Url")
    currency_code: str | None = field(default=None, name="CurrencyCode")
    currency_rate: Decimal | None = field(default=None, name="CurrencyRate")
    line_amount_types: str | None = field(default=None, name="LineAmountTypes")
    line_items: tuple[LineItem, ...] = field(default=(), name="LineItems")
    sub_total: Decimal | None = field(default=None, name="SubTotal")
    total_tax: Decimal | None = field(default=None, name="TotalTax")
    total: Decimal | None = field(default=None, name="Total")
    total_discount: Decimal | None = field(default=None, name="TotalDiscount")
    amount_due: Decimal | None = field(default=None, name="AmountDue")
    amount_paid: Decimal | None = field(default=None, name="AmountPaid")
    amount_credited: Decimal | None = field(default=None, name="AmountCredited")
    payments: tuple[DocumentPayment, ...] = field(default=(), name="Payments")
    credit_notes: tuple[InvoiceCredit, ...] = field(default=(), name="CreditNotes")
    overpayments: tuple[InvoiceCredit, ...] = field(default=(), name="Overpayments")
    prepayments: tuple[InvoiceCredit, ...] = field(default=(), name="Prepayments")
    fully_paid_on_date: Day | None = field(default=None, name="FullyPaidOnDate")
    sent_to_contact: bool | None = field(default=None, name="SentToContact")
    updated_raw: str | None = field(default=None, name="UpdatedDateUTC")
    has_errors: bool | None = field(default=None, name="HasErrors")
    status_attribute_string: str | None = field(default=None, name="StatusAttributeString")
    validation_errors: tuple[Message, ...] = field(default=(), name="ValidationErrors")
    warnings: tuple[Message, ...] = field(default=(), name="Warnings")

    @property
    def updated_date_utc(self) -> datetime | None:
        """When Xero last counted this invoice as changed; not each change counts."""
        return read_instant(self.updated_raw) if self.updated_raw else None


class DocumentReference(msgspec.Struct, frozen=True, omit_defaults=True):
    """The invoice, credit note or overpayment that a payment or an allocation belongs to."""

    invoice_id: str | None = field(default=None, name="InvoiceID")
    invoice_number: str | None = field(default=None, name="InvoiceNumber")
    credit_note_id: str | None = field(default=None, name="CreditNoteID")
    credit_note_number: str | None = field(default=None, name="CreditNoteNumber")
    overpayment_id: str | None = field(default=None, name="OverpaymentID")
    prepayment_id: str | None = field(default=None, name="PrepaymentID")
    type: str | None = field(default=None, name="Type")
    validation_errors: tuple[Message, ...] = field(default=(), name="ValidationErrors")


class AccountReference(msgspec.Struct, frozen=True, omit_defaults=True):
    """An account as a payment names it."""

    account_id: str | None = field(default=None, name="AccountID")
    code: str | None = field(default=None, name="Code")
    name: str | None = field(default=None, name="Name")


class Allocation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Part of a credit note or overpayment given to an invoice."""

    allocation_id: str | None = field(default=None, name="AllocationID")
    invoice: DocumentReference | None = field(default=None, name="Invoice")
    amount: Decimal | None = field(default=None, name="Amount")
    date: Day | None = field(default=None, name="Date")
    status_attribute_string: str | None = field(default=None, name="StatusAttributeString")
    validation_errors: tuple[Message, ...] = field(default=(), name="ValidationErrors")


class CreditNote(msgspec.Struct, frozen=True, omit_defaults=True):
    credit_note_id: str | None = field(default=None, name="CreditNoteID")
    type: str | None = field(default=None, name="Type")
    credit_note_number: str | None = field(default=None, name="CreditNoteNumber")
    reference: str | None = field(default=None, name="Reference")
    status: str | None = field(default=None, name="Status")
    contact: Contact | None = field(default=None, name="Contact")
    date: Day | None = field(default=None, name="Date")
    currency_code: str | None = field(default=None, name="CurrencyCode")
    currency_rate: Decimal | None = field(default=None, name="CurrencyRate")
    line_amount_types: str | None = field(default=None, name="LineAmountTypes")
    line_items: tuple[LineItem, ...] = field(default=(), name="LineItems")
    sub_total: Decimal | None = field(default=None, name="SubTotal")
    total_tax: Decimal | None = field(default=None, name="TotalTax")
    total: Decimal | None = field(default=None, name="Total")
    remaining_credit: Decimal | None = field(default=None, name="RemainingCredit")
    applied_amount: Decimal | None = field(default=None, name="AppliedAmount")
    allocations: tuple[Allocation, ...] = field(default=(), name="Allocations")
    payments: tuple[DocumentPayment, ...] = field(default=(), name="Payments")
    fully_paid_on_date: Day | None = field(default=None, name="FullyPaidOnDate")
    updated_raw: str | None = field(default=None, name="UpdatedDateUTC")
    has_errors: bool | None = field(default=None, name="HasErrors")
    status_attribute_string: str | None = field(default=None, name="StatusAttributeString")
    validation_errors: tuple[Message, ...] = field(default=(), name="ValidationErrors")
    warnings: tuple[Message, ...] = field(default=(), name="Warnings")

    @property
    def updated_date_utc(self) -> datetime | None:
        """When Xero last counted this credit note as changed; not each change counts."""
        return read_instant(self.updated_raw) if self.updated_raw else None


class Payment(msgspec.Struct, frozen=True, omit_defaults=True):
    """Money for an invoice (`ACCRECPAYMENT`), or back to the customer for a credit note (`ARCREDITPAYMENT`) or an
    overpayment (`AROVERPAYMENTPAYMENT`). Never edited: made, and deleted.
    """

    payment_id: str | None = field(default=None, name="PaymentID")
    batch_payment_id: str | None = field(default=None, name="BatchPaymentID")
    payment_type: str | None = field(default=None, name="PaymentType")
    status: str | None = field(default=None, name="Status")
    date: Day | None = field(default=None, name="Date")
    amount: Decimal | None = field(default=None, name="Amount")
    reference: str | None = field(default=None, name="Reference")
    currency_rate: Decimal | None = field(default=None, name="CurrencyRate")
    is_reconciled: bool | None = field(default=None, name="IsReconciled")
    account: AccountReference | None = field(default=None, name="Account")
    invoice: DocumentReference | None = field(default=None, name="Invoice")
    credit_note: DocumentReference | None = field(default=None, name="CreditNote")
    overpayment: DocumentReference | None = field(default=None, name="Overpayment")
    updated_raw: str | None = field(default=None, name="UpdatedDateUTC")
    has_validation_errors: bool | None = field(default=None, name="HasValidationErrors")
    status_attribute_string: str | None = field(default=None, name="StatusAttributeString")
    validation_errors: tuple[Message, ...] = field(default=(), name="ValidationErrors")
    warnings: tuple[Message, ...] = field(default=(), name="Warnings")

    @property
    def updated_date_utc(self) -> datetime | None:
        """When Xero last counted this payment as changed; a deletion may not count."""
        return read_instant(self.updated_raw) if self.updated_raw else None


class BatchedPayment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A payment as its batch shows it."""

    payment_id: str | None = field(default=None, name="PaymentID")
    invoice: DocumentReference | None = field(default=None, name="Invoice")
    amount: Decimal | None = field(default=None, name="Amount")
    reference: str | None = field(default=None, name="Reference")


class BatchPayment(msgspec.Struct, frozen=True, omit_defaults=True):
    """Up to 200 payments that are one line in the bank; a deleted batch shows none of them."""

    batch_payment_id: str | None = field(default=None, name="BatchPaymentID")
    type: str | None = field(default=None, name="Type")
    status: str | None = field(default=None, name="Status")
    account: AccountReference | None = field(default=None, name="Account")
    date: Day | None = field(default=None, name="Date")
    reference: str | None = field(default=None, name="Reference")
    total_amount: Decimal | None = field(default=None, name="TotalAmount")
    is_reconciled: bool | None = field(default=None, name="IsReconciled")
    payments: tuple[BatchedPayment, ...] = field(default=(), name="Payments")
    updated_raw: str | None = field(default=None, name="UpdatedDateUTC")
    validation_errors: tuple[Message, ...] = field(default=(), name="ValidationErrors")

    @property
    def updated_date_utc(self) -> datetime | None:
        """When Xero last counted this batch as changed."""
        return read_instant(self.updated_raw) if self.updated_raw else None


class BankTransaction(msgspec.Struct, frozen=True, omit_defaults=True):
    """Money spent or received at a bank account without an invoice, such as a provider's fee."""

    bank_transaction_id: str | None = field(default=None, name="BankTransactionID")
    type: str | None = field(default=None, name="Type")
    status: str | None = field(default=None, name="Status")
    contact: Contact | None = field(default=None, name="Contact")
    bank_account: AccountReference | None = field(default=None, name="BankAccount")
    date: Day | None = field(default=None, name="Date")
    reference: str | None = field(default=None, name="Reference")
    currency_code: str | None = field(default=None, name="CurrencyCode")
    line_amount_types: str | None = field(default=None, name="LineAmountTypes")
    line_items: tuple[LineItem, ...] = field(default=(), name="LineItems")
    sub_total: Decimal | None = field(default=None, name="SubTotal")
    total_tax: Decimal | None = field(default=None, name="TotalTax")
    total: Decimal | None = field(default=None, name="Total")
    is_reconciled: bool | None = field(default=None, name="IsReconciled")
    overpayment_id: str | None = field(default=None, name="OverpaymentID")
    updated_raw: str | None = field(default=None, name="UpdatedDateUTC")
    status_attribute_string: str | None = field(default=None, name="StatusAttributeString")
    validation_errors: tuple[Message, ...] = field(default=(), name="ValidationErrors")
    warnings: tuple[Message, ...] = field(default=(), name="Warnings")


class Overpayment(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a customer paid too much, kept in Xero until it is given to an invoice or paid back."""

    overpayment_id: str | None = field(default=None, name="OverpaymentID")
    type: str | None = field(default=None, name="Type")
    status: str | None = field(default=None, name="Status")
    contact: Contact | None = field(default=None, name="Contact")
    date: Day | None = field(default=None, name="Date")
    reference: str | None = field(default=None, name="Reference")
    currency_code: str | None = field(default=None, name="CurrencyCode")
    total: Decimal | None = field(default=None, name="Total")
    remaining_credit: Decimal | None = field(default=None, name="RemainingCredit")
    applied_amount: Decimal | None = field(default=None, name="AppliedAmount")
    allocations: tuple[Allocation, ...] = field(default=(), name="Allocations")
    updated_raw: str | None = field(default=None, name="UpdatedDateUTC")

    @property
    def updated_date_utc(self) -> datetime | None:
        """When Xero last counted this overpayment as changed."""
        return read_instant(self.updated_raw) if self.updated_raw else None


class Account(msgspec.Struct, frozen=True, omit_defaults=True):
    """A row of the chart of accounts. A bank account may have no code: only its id is certain."""

    account_id: str | None = field(default=None, name="AccountID")
    code: str | None = field(default=None, name="Code")
    name: str | None = field(default=None, name="Name")
    type: str | None = field(default=None, name="Type")
    class_: str | None = field(default=None, name="Class")
    status: str | None = field(default=None, name="Status")
    description: str | None = field(default=None, name="Description")
    tax_type: str | None = field(default=None, name="TaxType")
    enable_payments_to_account: bool | None = field(default=None, name="EnablePaymentsToAccount")
    system_account: str | None = field(default=None, name="SystemAccount")
    bank_account_number: str | None = field(default=None, name="BankAccountNumber")
    bank_account_type: str | None = field(default=None, name="BankAccountType")
    currency_code: str | None = field(default=None, name="CurrencyCode")
    updated_raw: str | None = field(default=None, name="UpdatedDateUTC")


class TaxRate(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tax rate; `effective_rate` is in percent. The `can_apply_to_…` flags go by the class of the account."""

    tax_type: str | None = field(default=None, name="TaxType")
    name: str | None = field(default=None, name="Name")
    status: str | None = field(default=None, name="Status")
    report_tax_type: str | None = field(default=None, name="ReportTaxType")
    effective_rate: Decimal | None = field(default=None, name="EffectiveRate")
    display_tax_rate: Decimal | None = field(default=None, name="DisplayTaxRate")
    can_apply_to_assets: bool | None = field(default=None, name="CanApplyToAssets")
    can_apply_to_equity: bool | None = field(default=None, name="CanApplyToEquity")
    can_apply_to_expenses: bool | None = field(default=None, name="CanApplyToExpenses")
    can_apply_to_liabilities: bool | None = field(default=None, name="CanApplyToLiabilities")
    can_apply_to_revenue: bool | None = field(default=None, name="CanApplyToRevenue")


class ItemDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an item brings to a line of a sale or a purchase."""

    unit_price: Decimal | None = field(default=None, name="UnitPrice")
    account_code: str | None = field(default=None, name="AccountCode")
    tax_type: str | None = field(default=None, name="TaxType")


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    item_id: str | None = field(default=None, name="ItemID")
    code: str | None = field(default=None, name="Code")
    name: str | None = field(default=None, name="Name")
    description: str | None = field(default=None, name="Description")
    is_sold: bool | None = field(default=None, name="IsSold")
    is_purchased: bool | None = field(default=None, name="IsPurchased")
    is_tracked_as_inventory: bool | None = field(default=None, name="IsTrackedAsInventory")
    quantity_on_hand: Decimal | None = field(default=None, name="QuantityOnHand")
    sales_details: ItemDetails | None = field(default=None, name="SalesDetails")
    updated_raw: str | None = field(default=None, name="UpdatedDateUTC")


class Organisation(msgspec.Struct, frozen=True, omit_defaults=True):
    """The organisation; documents dated on or before a lock date are refused."""

    organisation_id: str | None = field(default=None, name="OrganisationID")
    name: str | None = field(default=None, name="Name")
    legal_name: str | None = field(default=None, name="LegalName")
    country_code: str | None = field(default=None, name="CountryCode")
    base_currency: str | None = field(default=None, name="BaseCurrency")
    short_code: str | None = field(default=None, name="ShortCode")
    period_lock_date: Day | None = field(default=None, name="PeriodLockDate")
    end_of_year_lock_date: Day | None = field(default=None, name="EndOfYearLockDate")
    version: str | None = field(default=None, name="Version")
    timezone: str | None = field(default=None, name="Timezone")
    class_: str | None = field(default=None, name="Class")
    is_demo_company: bool | None = field(default=None, name="IsDemoCompany")
    organisation_status: str | None = field(default=None, name="OrganisationStatus")


class TrackingOption(msgspec.Struct, frozen=True, omit_defaults=True):
    tracking_option_id: str | None = field(default=None, name="TrackingOptionID")
    name: str | None = field(default=None, name="Name")
    status: str | None = field(default=None, name="Status")


class TrackingCategory(msgspec.Struct, frozen=True, omit_defaults=True):
    tracking_category_id: str | None = field(default=None, name="TrackingCategoryID")
    name: str | None = field(default=None, name="Name")
    status: str | None = field(default=None, name="Status")
    options: tuple[TrackingOption, ...] = field(default=(), name="Options")


@dataclass(frozen=True)
class Element:
    """Xero's verdict on one element of a write.

    `ok` is False when any flag, status or message of Xero's says so; `messages` and `warnings` are gathered from the
    nested objects too. `raw` is the element as JSON, at most 4 kB, a long one without its lines.
    """

    ok: bool
    messages: tuple[str, ...]
    warnings: tuple[str, ...]
    value: Any
    raw: str


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list; `page` counts from 1, `item_count` is over all pages."""

    items: list[T]
    page: int
    page_count: int
    item_count: int

    def __len__(self) -> int:
        return len(self.items)


class _Pagination(msgspec.Struct, frozen=True):
    page: int = 1
    page_size: int = field(default=100, name="pageSize")
    page_count: int = field(default=1, name="pageCount")
    item_count: int = field(default=0, name="itemCount")


_PAGINATION = msgspec.json.Decoder(_Pagination)
_ENVELOPE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])


def read_list(body: bytes, name: str, kind: type[T]) -> list[T]:
    """Read the elements under `name` of an envelope; raises msgspec.MsgspecError when they are not what they seem."""
    return [_read(raw, kind) for raw in _read_raw_list(_ENVELOPE.decode(body), name)]


def read_one(text: str, kind: type[T]) -> T:
    """Read one element back from its JSON; raises msgspec.MsgspecError when it isn't what it seems."""
    return _read(msgspec.Raw(text.encode()), kind)


def read_page(body: bytes, name: str, kind: type[T], *, page: int, page_size: int) -> Page[T]:
    """Read one page; where Xero tells no page count, a full page means that another may follow."""
    envelope = _ENVELOPE.decode(body)
    items = [_read(raw, kind) for raw in _read_raw_list(envelope, name)]
    if "pagination" in envelope:
        told = _PAGINATION.decode(envelope["pagination"])
        return Page(items, told.page, told.page_count, told.item_count)
    more = len(items) >= page_size
    return Page(items, page, page + 1 if more else page, (page - 1) * page_size + len(items))


def read_elements(body: bytes, name: str, kind: type[Any]) -> list[Element]:
    """Read the answer of a write, element by element, in Xero's order."""
    return [_read_verdict(raw, kind) for raw in _read_raw_list(_ENVELOPE.decode(body), name)]


def read_removal(body: bytes, removed: str) -> list[Element]:
    """Read the answer of a `DELETE` of `removed`: nothing, or one bare object in a casing of its own."""
    plain = decode_plainly(body) if body else {}
    if not isinstance(plain, dict):
        raise msgspec.ValidationError("the answer of a removal is no object")
    messages = collect_messages(plain)
    ok = not messages and plain.get("IsDeleted") is not False
    return [Element(ok, messages, collect_messages(plain, "Warnings"), removed, shorten(body) if body else "{}")]


def count_elements(body: bytes) -> int:
    """How many elements an encoded envelope holds; a single object without envelope, or no body, counts as one."""
    if not body:
        return 1
    envelope = _ENVELOPE.decode(body)
    if len(envelope) != 1:
        return 1
    (content,) = envelope.values()
    return len(_LIST.decode(content)) if bytes(content).lstrip().startswith(b"[") else 1


def decode(element: str | bytes) -> dict[str, Any]:
    """An encoded element back as a dict, numbers that have a point as Decimal."""
    value: dict[str, Any] = decode_plainly(element.encode() if isinstance(element, str) else element)
    return value


def any_id(name: str, ids: Iterable[str]) -> str:
    """A `where` for the records whose id `name` is one of these; `name` may have a point (`Invoice.InvoiceID`)."""
    return " OR ".join(f'{name}==guid("{one}")' for one in ids)


def any_text(name: str, texts: Iterable[str]) -> str:
    """A `where` for the records whose field `name` is one of these texts."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return " OR ".join(f'{name}=="{text}"' for text in quoted)


def encode(name: str, elements: Iterable[Mapping[str, Any] | msgspec.Struct]) -> bytes:
    """Encode elements in their envelope, `{"Invoices":[…]}`: Decimal as JSON numbers with their scale, dates as
    YYYY-MM-DD, absent fields of structs left out, the same bytes for the same content.
    """
    return envelope(name, [encode_element(element) for element in elements])


def encode_element(element: Mapping[str, Any] | msgspec.Struct) -> bytes:
    """Encode one element alone, so that a batch can be measured before it is put together."""
    return _ENCODER.encode(element)


def envelope(name: str, elements: Sequence[bytes]) -> bytes:
    """Put encoded elements into their envelope."""
    return b'{"' + name.encode() + b'":[' + b",".join(elements) + b"]}"


_ENCODER = msgspec.json.Encoder(decimal_format="number", order="deterministic")
_DECODERS: dict[type[Any], msgspec.json.Decoder[Any]] = {}


def _read_raw_list(envelope: dict[str, msgspec.Raw], name: str) -> list[msgspec.Raw]:
    # An answer without its list tells nothing; taken for an empty one it would say "Xero has no such document".
    if name not in envelope:
        raise msgspec.ValidationError(f"the answer holds no {name}")
    return _LIST.decode(envelope[name])


def _read(raw: msgspec.Raw, kind: type[T]) -> T:
    decoder = _DECODERS.get(kind)
    if decoder is None:
        decoder = _DECODERS[kind] = msgspec.json.Decoder(kind, dec_hook=_read_date)
    try:
        value: T = decoder.decode(raw)
    except msgspec.ValidationError:
        # Nulls where a list belongs and numbers written as text are seen now and then; anything odder is an error.
        value = msgspec.convert(_drop_nulls(decode_plainly(raw)), kind, strict=False, dec_hook=_read_date)
    return value


def _read_verdict(raw: msgspec.Raw, kind: type[Any]) -> Element:
    text = bytes(raw)
    # Most elements are well and carry no message at all; only the others are walked through.
    plain = decode_plainly(text) if b'"Message"' in text else {}
    messages = collect_messages(plain)
    return Element(
        ok=not messages and not _FLAGS.decode(raw).raised(),
        messages=messages,
        warnings=collect_messages(plain, "Warnings"),
        value=_read(raw, kind),
        raw=shorten(text),
    )


class _Flags(msgspec.Struct):
    """What an element says of itself: invoices have HasErrors, contacts HasValidationErrors, items neither."""

    has_errors: bool | None = field(default=None, name="HasErrors")
    has_validation_errors: bool | None = field(default=None, name="HasValidationErrors")
    status: str | None = field(default=None, name="StatusAttributeString")

    def raised(self) -> bool:
        return bool(self.has_errors or self.has_validation_errors or self.status == "ERROR")


_FLAGS = msgspec.json.Decoder(_Flags, strict=False)


def _drop_nulls(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _drop_nulls(value) for key, value in node.items() if value is not None}
    if isinstance(node, list):
        return [_drop_nulls(value) for value in node if value is not None]
    return node
