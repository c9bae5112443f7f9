"""A change that Xero refused, since the invoice is paid or credited there: brought about beside it instead.

Here the invoice is what it was changed to; Xero has the version before. So the invoice is put back to that one, which
needs no sending, and what differs becomes a credit note, a further invoice, or stays as it is. An invoice that was
voided here is open again, and all of it is what differs. Of one that bills another further, the other one is made up
for, with all that amends it.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from provender.changes.actions import settle
from provender.changes.models import Change
from provender.invoicing.actions import put_back
from provender.invoicing.models import Invoice, InvoiceLine, InvoiceVersion
from provender.invoicing.totals import LineDraft, build_lines, draft_of
from provender.invoicing.versions import lines_of, rates_of
from provender.ordering.actions import amend_order
from provender.ordering.lines import wanted_lines
from provender.ordering.models import Order
from provender.payments.actions import weigh_invoice
from provender.payments.amending import Amended, Difference, Way, amend_invoice, billed_lines, weigh_difference
from provender.payments.models import Allocation, Payment
from provender.people.models import User
from provender.sync.actions import claim
from provender.sync.differences import read_sent
from provender.sync.errors import VersionUnknown
from provender.sync.models import Link, Problem

REFUSED, AMENDED = "paid-or-credited", "amended beside it"


def refused_change(problem: Problem) -> tuple[Invoice, Difference]:
    """The invoice that is made up for, and what differs between what Xero has and what was wanted here.

    Raises VersionUnknown.
    """
    invoice = _invoice(problem)
    first = invoice.further_to or invoice
    document = _version_there(problem, invoice).document
    there = build_lines(InvoiceLine, invoice.supplier, lines_of(invoice.supplier, document), rates_of(document))
    closed = closed_in_xero(first)
    return first, weigh_difference(first, _wanted(invoice), closed=closed, there={invoice.pk: there})


@transaction.atomic
def amend_refused(problem: Problem, *, way: Way, shown: str = "", by: User | None) -> Amended:
    """Put the invoice back to what Xero has, and do about the difference what `way` says.

    Raises ProblemGone, VersionUnknown, and what `amend_invoice` raises.
    """
    claim(problem, AMENDED)
    invoice = _invoice(problem)
    first, wanted, void = invoice.further_to or invoice, _wanted(invoice), invoice.status == Invoice.Status.VOID
    put_back(invoice, _version_there(problem, invoice), by=by, why="Xero has this version, and takes no change to it")
    weigh_invoice(invoice)
    for change in Change.objects.filter(supplier=invoice.supplier_id, kind="invoice", document=invoice.pk):
        settle(Change.objects.filter(pk=change.pk), change.revision)  # Xero has it so
    closed = closed_in_xero(first)
    follows = _order_of(first) if first != invoice or not void else None
    if follows and (found := amend_order(follows, way=way, shown=shown, closed=closed, by=by)):
        return found
    why = f"Invoice {invoice.number} was {'cancelled' if void else 'edited'}"
    return amend_invoice(first, wanted, way=way, shown=shown, closed=closed, why=why, by=by)


def closed_in_xero(invoice: Invoice | None) -> frozenset[UUID]:
    """Of an invoice and its further ones, those that Xero let nobody change, since they have money there.

    Once that money is known here, it says itself what can be done. A few queries, whatever their number.
    """
    if invoice is None:
        return frozenset()
    mine = [invoice.pk, *Invoice.objects.filter(further_to=invoice).values_list("pk", flat=True)]
    refused = Problem.objects.filter(
        connection__supplier=invoice.supplier_id, kind="invoice", document__in=mine, cause=REFUSED, how=AMENDED
    )
    when = {pk: at for pk, at in refused.order_by("solved_at").values_list("document", "solved_at") if at}
    if not when:
        return frozenset()
    payments = Payment.objects.filter(invoice__in=when).values_list("invoice", "recorded_at", "removed_at")
    credits_ = Allocation.objects.filter(invoice__in=when, source=Allocation.Source.XERO)
    told = [*payments, *credits_.values_list("invoice", "made_at", "removed_at")]
    return frozenset(when) - {pk for pk, at, removed_at in told if pk and (removed_at is None or at >= when[pk])}


def _invoice(problem: Problem) -> Invoice:
    rows = Invoice.objects.select_related("supplier", "customer", "further_to__supplier", "further_to__customer")
    rows = rows.filter(supplier=problem.connection.supplier_id)
    return rows.get(pk=problem.document)


def _wanted(invoice: Invoice) -> list[LineDraft]:
    """What it was changed to here, with what amended it before; a void one should be nothing.

    Of one that bills another further: what the order says, else what both come to here.
    """
    if first := invoice.further_to:
        order = _order_of(first)
        return wanted_lines(first, order.lines.all()) if order else billed_lines(first)
    return [] if invoice.status == Invoice.Status.VOID else [draft_of(line) for line in invoice.lines.all()]


def _order_of(invoice: Invoice) -> Order | None:
    return Order.objects.filter(invoice=invoice).exclude(status=Order.Status.CANCELLED).first()


def _version_there(problem: Problem, invoice: Invoice) -> InvoiceVersion:
    """The newest version whose dates and lines are those that Xero accepted last."""
    link = Link.objects.filter(connection=problem.connection, kind="invoice", document=invoice.pk).first()
    sent = read_sent(link.sent) if link and link.sent else {}
    for version in invoice.versions.all():
        if sent and _is_sent(version.document, sent):
            return version
    raise VersionUnknown(invoice.number)


def _is_sent(document: dict[str, Any], sent: dict[str, Any]) -> bool:
    """Whether that copy went so. The customer's comment goes as a line without an amount."""
    same_dates = (document["date"], document["due_date"]) == (sent.get("Date"), sent.get("DueDate"))
    return same_dates and _sums(document["lines"], "quantity", "unit_price") == _sums(
        [line for line in sent.get("LineItems") or [] if "UnitAmount" in line], "Quantity", "UnitAmount"
    )


def _sums(lines: Sequence[dict[str, Any]], quantity: str, price: str) -> list[tuple[Decimal, Decimal]]:
    return [(Decimal(line[quantity]), Decimal(line[price])) for line in lines]
