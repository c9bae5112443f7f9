"""The settings of a connection: what may be chosen, what is proposed, what is refused and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from provender import engine
from provender.basics import clock
from provender.catalogue.models import Product
from provender.people.models import User
from provender.suppliers.models import Supplier, TaxKind
from provender.sync.connections import connection_of
from provender.sync.errors import SettingRefused, SettingsMoved
from provender.sync.models import Account, Connection, TaxRate
from provender.sync.standing import drafts_in_xero
from provender.sync.terms import FOLLOW, keep_terms
from provender.timeline.actions import tell

PLEASING_TYPES = ("SALES", "REVENUE", "OTHERINCOME")
NOT_FOR_LINES = frozenset({"BANK"})
SYSTEM_NOT_FOR_LINES = frozenset({"DEBTORS", "CREDITORS", "GST", "ROUNDING", "TRACKINGTRANSFERS"})
TAX_TYPES = {
    "AU": ("OUTPUT", "EXEMPTOUTPUT"),
    "NZ": ("OUTPUT2", "ZERORATED"),
    "GB": ("OUTPUT2", "ZERORATEDOUTPUT"),
}


TAX_TYPES_OF = {"tax_type_gst": TaxKind.GST, "tax_type_free": TaxKind.FREE}
TYPE_OF: dict[str, str] = {kind: field for field, kind in TAX_TYPES_OF.items()}


@dataclass(frozen=True)
class Setting:
    """One setting: its field on the connection, its label, and a sentence that says what it does."""

    field: str
    label: str
    sentence: str


SETTINGS = (
    Setting(
        "sales_account",
        "Sales account",
        "Where product lines go, unless the product has a sales account of its own.",
    ),
    Setting(
        "invoice_account",
        "Invoice account",
        "Where every other line goes, and any line whose own setting is empty.",
    ),
    Setting(
        "invoice_status",
        "Invoice default status",
        "How a new invoice arrives in Xero: Draft and Awaiting approval wait for somebody there; Awaiting payment is"
        " final.",
    ),
    Setting(
        "freight_account",
        "Freight account",
        "Where freight lines go. Empty: the invoice account. It must take the tax that is set for freight.",
    ),
    Setting(
        "surcharge_account",
        "Surcharge account",
        "Where surcharge lines go. Empty: the invoice account. It must take the tax that is set for surcharges.",
    ),
    Setting(
        "clearing_account",
        "Clearing account",
        "The bank or clearing account that payments are recorded on. An account that can take payments.",
    ),
    Setting(
        "automatic_sync",
        "Automatic sync",
        "On: every invoice raised here from the moment of switching on goes to Xero by itself, and follows each edit"
        " and cancellation. Off: nothing goes by itself; “Send to Xero” on an invoice works.",
    ),
    Setting(
        "mark_as_paid",
        "Invoice mark as paid",
        "On: what is paid or credited in Xero counts here too, also what was before. Off: nothing is read, and nothing"
        " changes here.",
    ),
    Setting(
        "removed_payments",
        "A payment removed in Xero",
        "What becomes here of a payment, a refund or a credit set against an invoice that somebody takes out of Xero.",
    ),
    Setting(
        "payments_to_xero",
        "Payments to Xero",
        "On: payments recorded here one by one are recorded in Xero too, on the clearing account, and deleted there"
        " when they are taken back here.",
    ),
    Setting(
        "auto_reconcile",
        "Auto reconciliation",
        "On: a closed payout becomes one deposit in Xero, dated on its day, under its settlement reference, that is the"
        " line in the bank to the cent; and new invoices always go as Awaiting payment. One invoice that can’t be in it"
        " holds the deposit, by name.",
    ),
    Setting(
        "fee_account",
        "Fee account",
        "Where a provider’s fee goes: one spend-money line for each payout, so that the clearing account ends at zero."
        " Empty: fees aren’t posted.",
    ),
    Setting(
        "credit_note_status",
        "Credit note status",
        "How a credit note arrives in Xero. A draft waits for somebody to approve it there, and is set against nothing"
        " before.",
    ),
    Setting(
        "refunds_to_xero",
        "Refunds to Xero",
        "On: money paid back here out of a credit note is recorded in Xero too, from the clearing account.",
    ),
    Setting(
        "follow_terms",
        "Due dates follow the contact’s terms in Xero",
        "On: a new invoice of a linked customer is due by the payment terms that its contact has in Xero, the ends of"
        " months included. Off, or without terms there: by the customer’s own.",
    ),
    Setting("tax_type_gst", "Tax type for taxed lines", "The tax rate in Xero for goods with GST or VAT."),
    Setting("tax_type_free", "Tax type for tax-free lines", "The tax rate in Xero for goods without GST or VAT."),
)
ACCOUNTS = (
    "sales_account",
    "invoice_account",
    "freight_account",
    "surcharge_account",
    "clearing_account",
    "fee_account",
)
FROM_CHART = (*ACCOUNTS, *TAX_TYPES_OF)
NOT_FOR_SALES = frozenset({"clearing_account", "fee_account"})  # no tax type of sales has to fit these
NEED_CLEARING = ("payments_to_xero", "auto_reconcile", "fee_account")
LABELS = {setting.field: setting.label for setting in SETTINGS}


def _label(account: Account) -> str:
    return f"{account.code} · {account.name}" if account.code else account.name


def accounts_for(connection: Connection, setting: str) -> list[tuple[str, str]]:
    """Accounts that may be chosen there, as (account id, "200 · Sales")."""
    rows = connection.accounts.filter(status="ACTIVE")
    return [(row.account_id, _label(row)) for row in rows if not _account_trouble(row, setting)]


def tax_types_for(connection: Connection, kind: str) -> list[tuple[str, str]]:
    """Active tax rates that apply to revenue, as (tax type, "GST on Income (10 %)"); kind "gst" or "free"."""
    return [
        (row.tax_type, f"{row.name} ({row.rate.normalize():f} %)")
        for row in connection.tax_rates.filter(status="ACTIVE")
        if _fits_sales(row, kind)
    ]


def _fits_sales(row: TaxRate, kind: str) -> bool:
    """Whether lines of sales of that tax kind can carry an active tax rate."""
    return "REVENUE" in row.applies_to and (row.rate == 0) == (kind == TaxKind.FREE)


def propose(connection: Connection) -> dict[str, str]:
    """Sensible values from the organisation's own chart, for what nobody has chosen yet."""
    active = list(connection.accounts.filter(status="ACTIVE"))
    rows = [row for row in active if not _account_trouble(row, "sales_account")]
    rows.sort(key=lambda row: (PLEASING_TYPES.index(row.type) if row.type in PLEASING_TYPES else 9, row.code))
    sales = _first(rows, _means_sales) or _first(rows, lambda row: row.type in PLEASING_TYPES)
    freight = _first(rows, _means("freight", "delivery", "shipping", "postage")) or sales
    surcharge = _first(rows, _means("surcharge", "card fee", "merchant fee")) or sales
    paying = [row for row in active if not _account_trouble(row, "clearing_account")]
    clearing = _first(paying, _means("clearing")) or _first(paying, lambda row: row.type == "BANK")
    gst, free = _propose_tax_types(connection)
    chosen = {
        "sales_account": sales,
        "invoice_account": sales,
        "freight_account": freight,
        "surcharge_account": surcharge,
        "clearing_account": clearing,
    }
    return {
        **{field: row.account_id if row else "" for field, row in chosen.items()},
        "invoice_status": Connection.InvoiceStatus.AUTHORISED,
        "tax_type_gst": gst,
        "tax_type_free": free,
    }


def _first(rows: list[Account], fits: Callable[[Account], bool]) -> Account | None:
    return next((row for row in rows if fits(row)), None)


def _means_sales(row: Account) -> bool:
    return row.type in {"SALES", "REVENUE"} and "sale" in row.name.casefold()


def _means(*words: str) -> Callable[[Account], bool]:
    return lambda row: any(word in row.name.casefold() for word in words)


def _propose_tax_types(connection: Connection) -> tuple[str, str]:
    """The country's usual types when the organisation has them, else its first that fits."""
    usual = TAX_TYPES.get(connection.country, ("", ""))
    active = list(connection.tax_rates.filter(status="ACTIVE"))
    there = [[row.tax_type for row in active if _fits_sales(row, kind)] for kind in (TaxKind.GST, TaxKind.FREE)]
    taxed, free = (
        wanted if wanted in types else next(iter(types), "") for wanted, types in zip(usual, there, strict=True)
    )
    return taxed, free


def _account_trouble(row: Account, setting: str) -> str:
    """Why that account can't be chosen there, or ""."""
    if row.status != "ACTIVE":
        return f"{_label(row)} is archived in Xero. Restore it there, or choose another account."
    if setting == "clearing_account":
        if row.type == "BANK" or row.takes_payments:
            return ""
        return f"{_label(row)} can't take payments in Xero. Choose a bank account, or enable payments to it there."
    if setting == "fee_account":
        if row.account_class == "EXPENSE" and row.code and not row.system_account:
            return ""
        return f"{_label(row)} is no expense account. Choose one for bank or merchant fees."
    if row.type in NOT_FOR_LINES or row.system_account in SYSTEM_NOT_FOR_LINES or not row.code:
        return f"{_label(row)} can't be used on an invoice line. Choose a sales or revenue account."
    return ""


def _tax_trouble(account: Account, rate: TaxRate | None, where: str = "") -> str:
    if rate is None or account.account_class in rate.applies_to:
        return ""
    return (
        f"{where}{_label(account)} can't carry the tax type “{rate.name}” in Xero. Choose another account or tax type."
    )


def save_settings(
    connection: Connection, values: Mapping[str, Any], by: User | None, *, shown: Mapping[str, Any] | None = None
) -> None:
    """Save the settings that `values` names. Raises SettingRefused with every reason, and saves nothing then.

    `shown`, if given, is what they were when the person chose: raises SettingsMoved when they no longer are.
    """
    wanted = {field: values[field] for field in LABELS if field in values}
    errors = _judge(connection, wanted)
    if errors:
        raise SettingRefused(errors)
    now = clock.database_now()
    if wanted.get("automatic_sync") and not connection.automatic_sync:
        wanted["automatic_since"] = now
    with transaction.atomic():
        there = Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        if shown and any(getattr(there, field) != value for field, value in shown.items()):
            raise SettingsMoved
        changed = _changed_labels(connection, wanted)
        Connection.objects.filter(pk=connection.pk).update(**wanted, settings_saved_at=now)
        if changed:
            tell(connection.supplier, "connection", connection.pk, f"Settings changed: {', '.join(changed)}", who=by)
    follows = connection.follow_terms
    connection.refresh_from_db()
    if connection.follow_terms != follows:
        keep_terms(connection)
        engine.wake(FOLLOW)  # our copy of the contacts may be old, or not there yet


def _changed_labels(connection: Connection, wanted: Mapping[str, Any]) -> list[str]:
    return [LABELS[field] for field, value in wanted.items() if field in LABELS and getattr(connection, field) != value]


def _judge(connection: Connection, wanted: Mapping[str, Any]) -> dict[str, str]:
    errors: dict[str, str] = {}
    accounts = {row.account_id: row for row in connection.accounts.all()}
    rates = {row.tax_type: row for row in connection.tax_rates.filter(status="ACTIVE")}
    for field, kind in TAX_TYPES_OF.items():
        if field in wanted and wanted[field] not in rates:
            errors[field] = "Choose one of the organisation's active tax rates."
        elif field in wanted and not _fits_sales(rates[wanted[field]], kind):
            errors[field] = _unfit(rates[wanted[field]], kind)
    for field in ACCOUNTS:
        if not (value := wanted.get(field)):
            continue
        row = accounts.get(value)
        if row is None:
            errors[field] = "That account is no longer in Xero. Choose another one."
        elif trouble := _account_trouble(row, field) or _taxes_trouble(connection, wanted, rates, row, field):
            errors[field] = trouble
    if "invoice_status" in wanted and wanted["invoice_status"] not in Connection.InvoiceStatus.values:
        errors["invoice_status"] = "Choose Draft, Awaiting approval or Awaiting payment."
    if "credit_note_status" in wanted and wanted["credit_note_status"] not in Connection.CreditNoteStatus.values:
        errors["credit_note_status"] = "Choose Draft or Approved."
    if "removed_payments" in wanted and wanted["removed_payments"] not in Connection.RemovedPayments.values:
        errors["removed_payments"] = "Choose whether the invoice is open again or a person is asked."
    errors |= _clearing_trouble(connection, wanted, accounts)
    if wanted.get("automatic_sync") and not _line_account(connection, wanted):
        errors["sales_account"] = "Choose a sales account or an invoice account before automatic sync is switched on."
    return errors


def _clearing_trouble(
    connection: Connection, wanted: Mapping[str, Any], accounts: Mapping[str, Account]
) -> dict[str, str]:
    """What money in Xero needs of the clearing account, when one of these is being saved."""

    def chosen(field: str) -> Any:
        return wanted.get(field, getattr(connection, field))

    if not wanted.keys() & {*NEED_CLEARING, "clearing_account"}:
        return {}
    needing = [LABELS[field] for field in NEED_CLEARING if chosen(field)]
    clearing = accounts.get(chosen("clearing_account"))
    if needing and clearing is None:
        return {"clearing_account": f"Choose the account that money is recorded on: {needing[0]} needs it."}
    if chosen("fee_account") and clearing and clearing.type != "BANK":
        return {
            "fee_account": f"Xero spends fees from bank accounts only, and {_label(clearing)} is none. Choose a bank"
            " account as the clearing account, or leave fees unposted."
        }
    return {}


def _unfit(rate: TaxRate, kind: str) -> str:
    """Why lines of that tax kind can't carry an active tax rate."""
    if "REVENUE" not in rate.applies_to:
        return f"“{rate.name}” can't be used on sales in Xero. Choose another tax rate."
    wanted = "of 0 % is needed for tax-free" if kind == TaxKind.FREE else "above 0 % is needed for taxed"
    return f"“{rate.name}” is {rate.rate.normalize():f} %, and a rate {wanted} lines. Choose another tax rate."


def _taxes_trouble(
    connection: Connection, wanted: Mapping[str, Any], rates: Mapping[str, TaxRate], row: Account, field: str
) -> str:
    if field in NOT_FOR_SALES:
        return ""
    kinds = carried_kinds(connection.supplier).get(field, TaxKind.values)
    types = [wanted.get(TYPE_OF[kind], getattr(connection, TYPE_OF[kind])) for kind in kinds]
    return next((trouble for one in types if (trouble := _tax_trouble(row, rates.get(one)))), "")


def carried_kinds(supplier: Supplier) -> dict[str, list[str]]:
    """The setting of an account → the tax kinds of the lines that go there; any, where it isn't named."""
    return {"freight_account": [supplier.freight_tax_kind], "surcharge_account": [supplier.surcharge_tax_kind]}


def tax_kind_trouble(supplier: Supplier, account: str, kind: str) -> str:
    """Why lines of that tax kind can't go to the account chosen in that setting, or "": its field, as in ACCOUNTS."""
    connection = connection_of(supplier)
    row = connection.accounts.filter(account_id=getattr(connection, account)).first() if connection else None
    if connection is None or row is None:
        return ""
    rate = connection.tax_rates.filter(status="ACTIVE", tax_type=getattr(connection, TYPE_OF[kind])).first()
    return _tax_trouble(row, rate, f"{LABELS[account]}: ")


def _line_account(connection: Connection, wanted: Mapping[str, Any]) -> str:
    return str(
        wanted.get("sales_account", connection.sales_account)
        or wanted.get("invoice_account", connection.invoice_account)
    )


@dataclass(frozen=True)
class Promises:
    """What was promised before connecting, checked against the mirror."""

    skus_checked: int
    skus_missing: list[str]  # ours that are no item in Xero: their lines go without an item code
    accounts_missing: list[str]  # sentences
    drafts: int  # invoices that no deposit can pay, since they aren't approved in Xero

    @property
    def ok(self) -> bool:
        """Everything promised is there."""
        return not self.skus_missing and not self.accounts_missing and not self.drafts


def check_promises(connection: Connection) -> Promises:
    """Which SKUs of ours aren't items in Xero, which accounts are missing, what a deposit can't pay. Calls nothing."""
    codes = {code.casefold() for code in connection.items.filter(sold=True).values_list("code", flat=True)}
    skus = list(
        Product.objects.filter(supplier=connection.supplier_id, active=True)
        .order_by("sku")
        .values_list("sku", flat=True)
    )
    missing = [sku for sku in skus if sku.casefold() not in codes]
    drafts = drafts_in_xero(connection).count() if connection.auto_reconcile else 0
    troubles = settings_troubles(connection) + _product_account_troubles(connection)
    return Promises(len(skus), missing, troubles, drafts)


def settings_troubles(connection: Connection) -> list[str]:
    """What has gone bad since the settings were saved, one sentence each."""
    accounts = {row.account_id: row for row in connection.accounts.all()}
    rates = {row.tax_type: row for row in connection.tax_rates.filter(status="ACTIVE")}
    found = []
    for field in ACCOUNTS:
        chosen = getattr(connection, field)
        row = accounts.get(chosen)
        if chosen and row is None:
            found.append(f"{LABELS[field]}: the account chosen is no longer in Xero.")
        elif row is not None and (
            trouble := _account_trouble(row, field) or _taxes_trouble(connection, {}, rates, row, field)
        ):
            found.append(f"{LABELS[field]}: {trouble}")
    if not connection.sales_account and not connection.invoice_account:
        found.append("No sales account and no invoice account is chosen, so no line has an account.")
    return found


def _product_account_troubles(connection: Connection) -> list[str]:
    active = set(connection.accounts.filter(status="ACTIVE").exclude(code="").values_list("code", flat=True))
    own = (
        Product.objects.filter(supplier=connection.supplier_id, active=True)
        .exclude(sales_account="")
        .values_list("sales_account", flat=True)
        .distinct()
    )
    return [
        f"Products use the sales account {code}, which Xero doesn't have or has archived."
        for code in own
        if code not in active
    ]


def tax_rate_differs(supplier: Supplier, connection: Connection) -> str:
    """A sentence when the rate behind the chosen tax type isn't the wholesaler's own rate, or ""."""
    rate = connection.tax_rates.filter(tax_type=connection.tax_type_gst).first()
    if rate is None or rate.rate == supplier.tax_rate:
        return ""
    return (
        f"“{rate.name}” is {rate.rate.normalize():f} % in Xero, while the rate in your settings is"
        f" {supplier.tax_rate.normalize():f} %: totals would differ."
    )


def codes_for(connection: Connection, setting: str) -> list[tuple[str, str]]:
    """Of the accounts that may be chosen there those with a code, as (code, name), by code."""
    rows = connection.accounts.filter(status="ACTIVE").exclude(code="").order_by("code")
    return [(row.code, row.name) for row in rows if not _account_trouble(row, setting)]
