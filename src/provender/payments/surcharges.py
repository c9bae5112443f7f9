"""Surcharges: what paying by one method costs on top, as a line of the invoice that is paid.

The line is on the invoice before the payment counts, both in one transaction. Together with its tax it comes to the
method's percentage of what is paid, to the cent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date as Date  # noqa: N812 -- `date` is what a payment calls it
from decimal import Decimal
from uuid import uuid4

from django.db import transaction

from provender.basics.money import CENT, HUNDRED, ZERO, line_tax, net_of, round_amount, show_quantity
from provender.basics.rows import hold
from provender.invoicing.actions import revise_invoice
from provender.invoicing.models import Invoice, LineKind
from provender.invoicing.totals import LineDraft, draft_of
from provender.payments.actions import record_payment, refuse_overpaying, remove_payment
from provender.payments.credits import credits_aside, has_foreign_credit, hold_with_credits
from provender.payments.errors import (
    NothingToPay,
    SurchargeNeedsRoom,
    SurchargeStays,
)
from provender.payments.models import Payment, SurchargeRate
from provender.people.models import User
from provender.suppliers.models import Supplier
from provender.timeline.actions import tell

Method = Payment.Method


def surcharges_of(supplier: Supplier) -> dict[str, Decimal]:
    """Method → percent, for those that cost something."""
    rows = SurchargeRate.objects.filter(supplier=supplier, percent__gt=0)
    return dict(rows.values_list("method", "percent"))


@transaction.atomic
def set_surcharges(supplier: Supplier, percents: Mapping[str, Decimal], *, by: User | None = None) -> None:
    """Say what each method costs, in percent; those that aren't named, or cost 0, cost nothing. For payments to come.

    Raises ValidationError.
    """
    before = surcharges_of(supplier)
    after = {method: percent for method, percent in percents.items() if percent}
    for method, percent in after.items():
        SurchargeRate(supplier=supplier, method=method, percent=percent).clean_fields(exclude=["supplier"])
    changed = [
        f"surcharge for {Method(method).label} {_percent(before.get(method))} → {_percent(after.get(method))}"
        for method in Method.values
        if before.get(method, ZERO) != after.get(method, ZERO)
    ]
    if not changed:
        return
    SurchargeRate.objects.filter(supplier=supplier).delete()
    SurchargeRate.objects.bulk_create(
        SurchargeRate(supplier=supplier, method=method, percent=percent) for method, percent in after.items()
    )
    tell(supplier, "supplier", supplier.pk, f"Changed {', '.join(changed)}", who=by)


def _percent(value: Decimal | None) -> str:
    return f"{show_quantity(value)} %" if value else "nothing"


@dataclass(frozen=True)
class Surcharge:
    """What a method costs on top of what is paid: without tax, and its tax, in the invoice's currency."""

    paid: Decimal
    method: Payment.Method
    percent: Decimal
    net: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        """With tax."""
        return self.net + self.tax

    @property
    def together(self) -> Decimal:
        """What the customer pays: it and the surcharge."""
        return self.paid + self.total


def surcharge_on(invoice: Invoice, amount: Decimal, method: str, percents: Mapping[str, Decimal]) -> Surcharge:
    """What paying so much of that invoice by that method costs on top, by these percentages (`surcharges_of`).

    Its tax is of the wholesaler's kind, at the rate that the invoice was issued at. Where no price with its tax comes
    to the very cent, it is a cent less.
    """
    percent = percents.get(method, ZERO)
    kind = invoice.supplier.surcharge_tax_kind
    issued = {line.tax_kind: line.tax_rate for line in invoice.lines.all()}
    rate = issued.get(kind, invoice.supplier.tax_rate_of(kind))
    net = net_of(round_amount(amount * percent / HUNDRED), rate)
    return Surcharge(amount, Method(method), percent, net, line_tax(net, rate))


def method_that_costs(more: Decimal, paid: Decimal, percents: Mapping[str, Decimal]) -> str:
    """By which method so much more is paid for so much of an invoice, as people call it; "" for none.

    A surcharge may be a cent less than its percentage (`surcharge_on`).
    """
    for method, percent in percents.items():
        full = round_amount(paid * percent / HUNDRED)
        if more in {full, full - CENT}:
            return Method(method).label
    return ""


@transaction.atomic
def record_with_surcharge(
    invoice: Invoice,
    *,
    amount: Decimal,
    date: Date,
    method: Payment.Method,
    reference: str = "",
    by: User | None = None,
) -> Payment:
    """Note a payment and what its method costs: the invoice's next version has the surcharge, the payment brings both.

    `amount` is what is paid of the invoice as it was; the payment is larger by the surcharge. Without one it is
    `record_payment`. Raises SurchargeNeedsRoom when the invoice has a payment already, and what that raises.
    """
    hold_with_credits(invoice)
    if amount <= 0:
        raise NothingToPay(amount)
    refuse_overpaying(invoice, amount)
    cost = surcharge_on(invoice, amount, method, surcharges_of(invoice.supplier))
    if not cost.net:
        return record_payment(invoice, amount=amount, date=date, method=method, reference=reference, by=by)
    line = LineDraft(
        kind=LineKind.SURCHARGE,
        description=f"Surcharge {cost.method.label} {show_quantity(cost.percent)} %",
        quantity=Decimal(1),
        unit_price=cost.net,
        tax_kind=invoice.supplier.surcharge_tax_kind,
        key=uuid4(),
    )
    with credits_aside(invoice, by=by):
        if invoice.has_money:
            raise SurchargeNeedsRoom(invoice, cost.total)
        lines = [*map(draft_of, invoice.lines.all()), line]
        revise_invoice(invoice, lines=lines, by=by, why=f"Paid by {cost.method.label}")
    return record_payment(
        invoice,
        amount=cost.together,
        date=date,
        method=method,
        reference=reference,
        surcharge=cost.total,
        surcharge_line=line.key,
        by=by,
    )


def surcharge_lines(invoice: Invoice) -> list[LineDraft]:
    """The lines that payments brought, for whoever makes the others anew."""
    keys = Payment.objects.filter(invoice=invoice, surcharge_line__isnull=False).values("surcharge_line")
    return [draft_of(line) for line in invoice.lines.filter(key__in=keys)]


def has_surcharge(payment: Payment) -> bool:
    """Whether the surcharge of a payment still stands on its invoice."""
    if payment.surcharge_line is None or payment.invoice is None:
        return False
    return payment.invoice.lines.filter(key=payment.surcharge_line).exists()


def may_take_surcharge_back(payment: Payment) -> bool:
    """Whether it can be taken off the invoice with the payment, or after it: not while there is another payment."""
    if payment.invoice is None or not has_surcharge(payment):
        return False
    mine = ZERO if payment.removed_at else payment.amount
    alone = payment.invoice.paid == mine and not has_foreign_credit(payment.invoice)
    return alone and payment.invoice.status == Invoice.Status.OPEN


@transaction.atomic
def remove_with_surcharge(payment: Payment, *, why: str = "", by: User | None = None) -> None:
    """Take a payment back (`remove_payment`), and its surcharge off the invoice. Raises SurchargeStays."""
    hold(payment)
    if payment.invoice:
        hold_with_credits(payment.invoice)
    remove_payment(payment, why=why, by=by)
    take_surcharge_back(payment, by=by)


@transaction.atomic
def take_surcharge_back(payment: Payment, *, by: User | None = None) -> None:
    """Take the surcharge of a payment that was taken back off its invoice, as the next version. Twice is once.

    Raises SurchargeStays while the payment counts, or other money stands against the invoice.
    """
    hold(payment)
    invoice = payment.invoice
    if invoice is None or not has_surcharge(payment):
        return
    with credits_aside(invoice, by=by):
        if payment.removed_at is None or invoice.has_money or invoice.status == Invoice.Status.VOID:
            raise SurchargeStays(invoice)
        lines = [draft_of(line) for line in invoice.lines.all() if line.key != payment.surcharge_line]
        revise_invoice(invoice, lines=lines, by=by, why="Its surcharge was taken back")
