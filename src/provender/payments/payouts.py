"""Payouts of payment providers: lines in, matched to invoices, closed as payments, and undone as a whole.

A line is settled when it is known what becomes of it; only then can its payout be closed. What lines say goes in whole
and stays: sums in are sums out. Each function is one transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date  # noqa: N812 -- `date` is what a payout calls it
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from provender.basics import clock
from provender.basics.money import ZERO, show_amount
from provender.basics.rows import ReadyRows, hold
from provender.basics.wording import counted
from provender.changes.actions import post
from provender.invoicing.models import Invoice
from provender.payments.actions import PAYOUT, weigh_invoices
from provender.payments.errors import (
    NothingToPay,
    PayoutIsClosed,
    PayoutKnown,
    PayoutNotClosed,
    PayoutNotSettled,
    PayoutOutOfBalance,
    PayoutWithoutLines,
    WrongPayoutLine,
)
from provender.payments.models import Payment, Payout, PayoutLine
from provender.payments.surcharges import method_that_costs, surcharges_of
from provender.people.models import User
from provender.suppliers.models import Supplier
from provender.timeline.actions import tell, tell_many

Kind, Outcome = PayoutLine.Kind, PayoutLine.Outcome


@dataclass(frozen=True)
class PayoutEntry:
    """A line as a provider writes it. Amounts to 2 places; a refund's gross is below zero, a fee is above.

    Raises PayoutOutOfBalance by `check_balance` unless gross - fee = net.
    """

    gross: Decimal
    fee: Decimal = ZERO
    net: Decimal | None = None  # None: gross - fee
    invoice_number: str = ""
    payment_reference: str = ""
    line: int | None = None

    @property
    def kind(self) -> PayoutLine.Kind:
        """Below zero went back, above zero came in, and what moved nothing can only be a fee."""
        if not self.gross:
            return Kind.FEE
        return Kind.PAYMENT if self.gross > 0 else Kind.REFUND

    def paid_out(self) -> Decimal:
        """What of it reached the bank."""
        return self.gross - self.fee if self.net is None else self.net


def same_entries(payout: Payout, entries: Sequence[PayoutEntry]) -> bool:
    """Whether the payout has exactly these lines."""
    fields = ("gross", "fee", "net", "invoice_number", "payment_reference")
    there = list(payout.lines.values_list(*fields))
    return there == [(e.gross, e.fee, e.paid_out(), e.invoice_number, e.payment_reference) for e in entries]


@transaction.atomic
def enter_payout(
    supplier: Supplier,
    *,
    provider: str,
    reference: str,
    date: Date,
    entries: Sequence[PayoutEntry],
    by: User | None = None,
) -> Payout:
    """Take in a payout and match its lines; nothing is paid by it before it is closed.

    Raises PayoutKnown for a reference that this provider has used already, PayoutWithoutLines, PayoutOutOfBalance.
    """
    if not entries:
        raise PayoutWithoutLines(reference)
    if Payout.objects.filter(supplier=supplier, provider=provider, reference=reference, undone_at=None).exists():
        raise PayoutKnown(provider, reference)
    payout = Payout(
        supplier=supplier,
        provider=provider,
        reference=reference,
        date=date,
        currency=supplier.currency,
        gross=sum((entry.gross for entry in entries), ZERO),
        fee=sum((entry.fee for entry in entries), ZERO),
        net=sum((entry.paid_out() for entry in entries), ZERO),
        created_at=clock.now(),
        created_by=by,
    )
    lines = [_line(payout, position, entry) for position, entry in enumerate(entries, start=1)]
    _match(payout, lines)
    payout.clean_fields(exclude={"supplier", "created_by", "closed_by"})
    try:
        payout.save(force_insert=True)
    except IntegrityError as error:  # somebody else entered it since we looked
        raise PayoutKnown(provider, reference) from error
    ReadyRows.of(lines).insert()
    over = f"{payout.currency} {show_amount(payout.net)}"
    tell(supplier, PAYOUT, payout.pk, f"Entered: {counted(len(lines), 'line')}, {over}", who=by)
    return payout


def _line(payout: Payout, position: int, entry: PayoutEntry) -> PayoutLine:
    if entry.gross - entry.fee != entry.paid_out():
        raise PayoutOutOfBalance(payout.reference, entry.line or position, entry.gross, entry.fee, entry.paid_out())
    return PayoutLine(
        payout=payout,
        position=position,
        line=entry.line,
        kind=entry.kind,
        invoice_number=entry.invoice_number,
        payment_reference=entry.payment_reference,
        gross=entry.gross,
        fee=entry.fee,
        net=entry.paid_out(),
        outcome=Outcome.NONE,
    )


@transaction.atomic
def match_again(payout: Payout) -> None:
    """Match the lines that no person decided on by what invoices and payments are there now. Raises PayoutIsClosed."""
    _hold_open(payout)
    lines = list(payout.lines.all())
    _match(payout, lines)
    PayoutLine.objects.bulk_update(lines, ["outcome", "why", "invoice", "amount", "payment", "noted_before"])


def _match(payout: Payout, lines: Sequence[PayoutLine]) -> None:
    """Say what becomes of each line; a handful of queries however many lines there are."""
    supplier = payout.supplier
    numbers = {line.invoice_number for line in lines if line.invoice_number}
    invoices = {row.number: row for row in Invoice.objects.filter(supplier=supplier, number__in=numbers)}
    references = {line.payment_reference for line in lines if line.payment_reference}
    noted: dict[str, list[Payment]] = defaultdict(list)
    rows = Payment.objects.filter(supplier=supplier, reference__in=references, removed_at=None)
    for payment in rows.select_related("invoice", "payout").order_by("recorded_at"):
        noted[payment.reference].append(payment)
    refunds = _open_refunds(supplier, numbers)
    taken: set[UUID | None] = {line.payment_id for line in lines if line.chosen and line.payment_id}
    percents = surcharges_of(supplier)
    left: dict[UUID, Decimal] = {}
    for line in lines:
        if line.chosen and line.invoice and not line.payment:
            left[line.invoice.pk] = left.get(line.invoice.pk, line.invoice.due) - line.amount
    for line in lines:
        if line.chosen:
            continue
        line.invoice, line.payment, line.noted_before, line.amount, line.why = None, None, False, ZERO, ""
        if line.kind == Kind.FEE:
            line.outcome = Outcome.FEE
        elif line.kind == Kind.REFUND:
            _match_refund(line, noted[line.payment_reference], refunds.get(line.invoice_number, ()), taken)
        else:
            invoice = invoices.get(line.invoice_number)
            _match_payment(line, noted[line.payment_reference], invoice, left, taken, percents)


def _open_refunds(supplier: Supplier, numbers: Iterable[str]) -> Mapping[str, list[Payment]]:
    """Invoice number → refunds of its credit notes that no payout has yet."""
    rows = Payment.objects.filter(
        supplier=supplier, credit_note__invoice__number__in=numbers, payout=None, removed_at=None
    )
    found: dict[str, list[Payment]] = defaultdict(list)
    for row in rows.select_related("credit_note__invoice").order_by("recorded_at"):
        if row.credit_note and row.credit_note.invoice:
            found[row.credit_note.invoice.number].append(row)
    return found


def _match_refund(
    line: PayoutLine, noted: Sequence[Payment], of_invoice: Sequence[Payment], taken: set[UUID | None]
) -> None:
    line.outcome = Outcome.NONE
    line.why = "No refund of this amount is noted here. Make it from the payment, then match again."
    for refund in (*noted, *of_invoice):
        if refund.credit_note_id and not refund.payout_id and refund.amount == -line.gross and refund.pk not in taken:
            taken.add(refund.pk)
            line.outcome, line.why, line.payment, line.noted_before = Outcome.REFUND, "", refund, True
            line.amount = refund.amount
            return


def _match_payment(
    line: PayoutLine,
    noted: Sequence[Payment],
    invoice: Invoice | None,
    left: dict[UUID, Decimal],
    taken: set[UUID | None],
    percents: Mapping[str, Decimal],
) -> None:
    line.outcome = Outcome.NONE
    mine = [row for row in noted if row.invoice and (invoice is None or row.invoice_id == invoice.pk)]
    same = [row for row in mine if row.amount == line.gross and row.pk not in taken]
    if waits := next((row for row in same if row.source == Payment.Source.PAYOUT and row.payout_id is None), None):
        taken.add(waits.pk)  # noted when it was taken, before the payout
        line.outcome, line.invoice, line.amount = Outcome.MATCHED, waits.invoice, line.gross
        line.payment, line.noted_before = waits, True
    elif same:
        known = same[0]
        line.outcome, line.invoice = Outcome.DUPLICATE, known.invoice
        line.why = f"Payment {line.payment_reference} is noted already" + (
            f", in payout {known.payout.reference}." if known.payout else "."
        )
    elif invoice is None:
        line.why = (
            f"There is no invoice {line.invoice_number}."
            if line.invoice_number
            else f"No payment here has the reference {line.payment_reference}."
            if line.payment_reference
            else "The line names no invoice and no payment."
        )
    else:
        _pay_of(line, invoice, left, percents)


def _pay_of(line: PayoutLine, invoice: Invoice, left: dict[UUID, Decimal], percents: Mapping[str, Decimal]) -> None:
    """Let the line pay what it says of its invoice, if so much is left of it by these and earlier lines."""
    line.invoice = invoice
    due = left.get(invoice.pk, invoice.due)
    if invoice.status == Invoice.Status.VOID:
        line.why = f"Invoice {invoice.number} is void."
    elif due <= 0:
        line.why = f"Invoice {invoice.number} has nothing left to pay."
    elif line.gross > due:
        more = f"{show_amount(line.gross)} is more than the {show_amount(due)}"
        line.why = f"{more} that invoice {invoice.number} has left to pay."
        if method := method_that_costs(line.gross - due, due, percents):
            line.why += (
                f" The {show_amount(line.gross - due)} more is the surcharge for {method}: put it on the invoice, then"
                " match again."
            )
    else:
        line.outcome = Outcome.MATCHED if line.gross == due else Outcome.PART
        if line.gross < due:
            line.why = f"{show_amount(due - line.gross)} of invoice {invoice.number} stays to be paid."
        line.amount = line.gross
        left[invoice.pk] = due - line.gross


@transaction.atomic
def choose_invoice(line: PayoutLine, invoice: Invoice, *, by: User | None = None) -> None:
    """A person says which invoice a payment is for; more than is due pays what is due, the rest is left for hand.

    Raises PayoutIsClosed, WrongPayoutLine.
    """
    payout = _open_payout_of(line)
    if line.kind != Kind.PAYMENT or invoice.supplier_id != payout.supplier_id:
        raise WrongPayoutLine(line)
    others = payout.lines.filter(invoice=invoice, payment=None).exclude(pk=line.pk).exclude(outcome=Outcome.NONE)
    due = invoice.due - sum(others.values_list("amount", flat=True), ZERO)
    if due <= 0:
        raise NothingToPay(due)
    line.invoice, line.payment, line.noted_before, line.chosen = invoice, None, False, True
    line.amount = min(line.gross, due)
    line.outcome = Outcome.MATCHED if line.gross == due else Outcome.PART
    line.why = f"{show_amount(line.gross - due)} more than was due is left for hand." if line.gross > due else ""
    line.save()
    what = f"Line {line.position}: pays {show_amount(line.amount)} of {invoice.number}"
    tell(payout.supplier, PAYOUT, payout.pk, what, who=by)


@transaction.atomic
def leave_for_hand(line: PayoutLine, *, why: str = "", by: User | None = None) -> None:
    """Take a line out: the deposit goes without it, and a person sees to it elsewhere.

    Of a closed payout the line's payment is taken back, and its deposit is to be made anew without it.
    """
    payout = line.payout
    hold(payout)
    if payout.undone_at:
        raise PayoutIsClosed(payout)
    payment, made_here = line.payment, not line.noted_before
    line.outcome, line.why, line.chosen = Outcome.IGNORED, why[:300], True
    line.invoice, line.payment, line.noted_before, line.amount = None, None, False, ZERO
    line.save()
    if payout.state == Payout.State.CLOSED:
        if payment and made_here:
            _take_back([payment], "Left for hand")
        elif payment:
            Payment.objects.filter(pk=payment.pk).update(payout=None)
        post(payout.supplier, PAYOUT, payout.pk, "A line was left for hand")
    tell(payout.supplier, PAYOUT, payout.pk, f"Line {line.position} left for hand", who=by, why=why)


@transaction.atomic
def pay_up_to(line: PayoutLine, amount: Decimal, *, by: User | None = None) -> None:
    """Of a closed payout let a line pay less of its invoice than it says; the rest of it is left for hand.

    Raises PayoutNotClosed, NothingToPay, WrongPayoutLine for more than it pays now.
    """
    payout = line.payout
    hold(payout)
    if payout.state != Payout.State.CLOSED or payout.undone_at:
        raise PayoutNotClosed(payout)
    if amount <= 0:
        raise NothingToPay(amount)
    if not line.payment or line.noted_before or not line.invoice or amount > line.amount:
        raise WrongPayoutLine(line)
    _take_back([line.payment], "Pays less")
    line.payment = _payment(payout, line, amount, by)
    line.payment.save(force_insert=True)
    weigh_invoices([line.invoice])
    line.why = f"{show_amount(line.gross - amount)} of it is left for hand."
    line.outcome, line.amount, line.chosen = Outcome.PART, amount, True
    line.save()
    post(payout.supplier, PAYOUT, payout.pk, "A line pays less")
    what = f"Line {line.position} pays {show_amount(amount)} of {line.invoice.number}"
    tell(payout.supplier, PAYOUT, payout.pk, what, who=by)


@transaction.atomic
def put_back(line: PayoutLine, *, by: User | None = None) -> None:
    """Forget what a person decided on a line, and match it anew. Raises PayoutIsClosed."""
    payout = _open_payout_of(line)
    line.chosen = False
    line.save(update_fields=["chosen"])
    match_again(payout)
    tell(payout.supplier, PAYOUT, payout.pk, f"Line {line.position} matched anew", who=by)


@transaction.atomic
def close_payout(payout: Payout, *, by: User | None = None) -> Payout:
    """Pay the invoices of the payout's lines, and let it go out as one deposit.

    Raises PayoutIsClosed, PayoutNotSettled (naming the lines, also those whose invoice was paid meanwhile).
    """
    _hold_open(payout)
    lines = list(payout.lines.select_related("invoice", "payment"))
    if open_ := [line for line in lines if not line.is_settled]:
        raise PayoutNotSettled(payout, open_)
    paying = [line for line in lines if line.outcome in (Outcome.MATCHED, Outcome.PART)]
    made = [line for line in paying if line.payment is None]
    invoices = _hold_invoices(line.invoice_id for line in made)
    _refuse_overpaid(payout, made, invoices)
    payments = [_payment(payout, line, line.amount, by) for line in made]
    for line, payment in zip(made, payments, strict=True):
        line.payment = payment
    noted = [line.payment_id for line in lines if line.noted_before and line.payment_id]
    Payment.objects.filter(pk__in=noted).update(payout=payout)
    if payments:
        ReadyRows.of(payments).insert()
        PayoutLine.objects.bulk_update(made, ["payment"])
        weigh_invoices(list(invoices.values()))
    payout.state, payout.closed_at, payout.closed_by = Payout.State.CLOSED, clock.now(), by
    payout.save(update_fields=["state", "closed_at", "closed_by"])
    post(payout.supplier, PAYOUT, payout.pk, "Closed")
    tell(payout.supplier, PAYOUT, payout.pk, f"Closed: {counted(len(paying), 'payment')}", who=by)
    story = [
        (line.invoice_id, f"{payout.currency} {show_amount(line.amount)} paid, payout {payout.reference}")
        for line in made
        if line.invoice_id
    ]
    tell_many(payout.supplier, "invoice", story, who=by)
    return payout


def _hold_invoices(keys: Iterable[UUID | None]) -> dict[UUID, Invoice]:
    rows = Invoice.objects.select_for_update(no_key=True).filter(pk__in={key for key in keys if key})
    return {row.pk: row for row in rows.order_by("pk")}


def _refuse_overpaid(payout: Payout, lines: Sequence[PayoutLine], invoices: Mapping[UUID, Invoice]) -> None:
    """Since they were matched, an invoice may have been paid, voided or made smaller."""
    wanted: dict[UUID, Decimal] = defaultdict(lambda: ZERO)
    late: list[PayoutLine] = []
    for line in lines:
        invoice = invoices[line.invoice_id] if line.invoice_id else None
        if invoice is None:
            late.append(line)
            continue
        wanted[invoice.pk] += line.amount
        if wanted[invoice.pk] > invoice.due:
            late.append(line)
    if late:
        raise PayoutNotSettled(payout, late)


def _payment(payout: Payout, line: PayoutLine, amount: Decimal, by: User | None) -> Payment:
    return Payment(
        supplier=payout.supplier,
        invoice_id=line.invoice_id,
        payout=payout,
        date=payout.date,
        amount=amount,
        source=Payment.Source.PAYOUT,
        method=Payment.Method.OTHER,
        reference=line.payment_reference or payout.reference,
        recorded_at=clock.now(),
        recorded_by=by,
    )


def reopened_by(payout: Payout) -> list[Payment]:
    """The payments that undoing the payout would take back, with their invoices: the preview of `undo_payout`."""
    return list(_made_by(payout).select_related("invoice__customer").order_by("invoice__number"))


def _made_by(payout: Payout) -> QuerySet[Payment]:
    noted = payout.lines.filter(noted_before=True).values("payment")
    return payout.payments.filter(removed_at=None).exclude(pk__in=noted)


@transaction.atomic
def undo_payout(payout: Payout, *, why: str = "", by: User | None = None) -> Payout:
    """Take back a closed payout as a whole: its invoices are open again, and its deposit in Xero is to be deleted.

    An open one is given up without a trace in the books. Twice is once.
    """
    hold(payout)
    if payout.undone_at:
        return payout
    was_closed = payout.state == Payout.State.CLOSED
    payout.undone_at = clock.now()
    payout.save(update_fields=["undone_at"])
    _take_back(list(_made_by(payout)), f"Payout {payout.reference} undone")
    payout.payments.filter(removed_at=None).update(payout=None)  # noted before it came: they wait for another payout
    if was_closed:
        post(payout.supplier, PAYOUT, payout.pk, "Undone")
    tell(payout.supplier, PAYOUT, payout.pk, "Undone", who=by, why=why)
    return payout


def undo_unless_it_pays(payout: Payout, *, why: str, by: User | None = None) -> None:
    """Undo a closed payout when none of the payments it had counts any more."""
    if not payout.payments.filter(removed_at=None, invoice__isnull=False).exists():
        undo_payout(payout, why=why, by=by)


def _take_back(payments: Sequence[Payment], why: str) -> None:
    if not payments:
        return
    invoices = list(_hold_invoices(each.invoice_id for each in payments).values())
    Payment.objects.filter(pk__in=[each.pk for each in payments]).update(removed_at=clock.now(), removed_why=why[:200])
    weigh_invoices(invoices)
    story = [(row.pk, f"{why}; {show_amount(row.due)} left to pay") for row in invoices]
    tell_many(payments[0].supplier, "invoice", story)


def _open_payout_of(line: PayoutLine) -> Payout:
    payout = line.payout
    _hold_open(payout)
    return payout


def _hold_open(payout: Payout) -> None:
    hold(payout)
    if payout.state != Payout.State.OPEN or payout.undone_at:
        raise PayoutIsClosed(payout)
