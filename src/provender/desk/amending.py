"""What can be done where an invoice with money on it should have been another: the ways, each with its amounts.

A button carries its way and the amounts that stood on it; when they are others by the time it is pressed, nothing
happens and the page shows the new ones.
"""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from provender.basics.money import ZERO
from provender.desk.frame import DeskRequest, member
from provender.desk.templatetags.desk import money
from provender.invoicing.credit_notes import credited_of
from provender.invoicing.models import CreditNote, Invoice
from provender.ordering import actions
from provender.ordering.models import Order
from provender.ordering.queries import difference_of
from provender.payments.amending import (
    Difference,
    Part,
    Way,
    Whole,
    amendments_of,
    further_of,
    stays_as_issued,
)
from provender.payments.credits import can_be_changed
from provender.people.models import Membership
from provender.people.roles import Doing
from provender.suppliers.models import Supplier
from provender.sync import amending
from provender.sync.errors import ProblemGone, VersionUnknown
from provender.sync.models import Problem

CREDITS = frozenset({Way.BOTH, Way.CREDIT})  # credit notes are for those who keep the books


@dataclass(frozen=True)
class Choice:
    """One way as a button."""

    value: str
    label: str


@dataclass(frozen=True)
class Ways:
    """What the card of ways shows: the difference, its buttons, and whether some are for the bookkeeper."""

    invoice: Invoice
    difference: Difference
    choices: list[Choice]
    needs_books: bool
    others: list[CreditNote]  # credit notes of the invoice that have nothing to do with an edit

    @property
    def why(self) -> str:
        """Why the invoice stays as it is."""
        if self.invoice.settled_on:
            return "is paid" if self.invoice.paid else "is settled by credit"
        if self.invoice.has_money:
            return "is paid or credited in part"
        return "was amended before" if stays_as_issued(self.invoice) else "is paid or credited in Xero"


def ways_of(
    invoice: Invoice, difference: Difference, membership: Membership, *, leave: str = "", save: str = ""
) -> Ways:
    """The ways that this person may go. `leave` is what leaving it is called, if it is one; `save` begins the rest."""
    may = [way for way in difference.ways if membership.may(Doing.BOOKS) or way not in CREDITS]
    choices = []
    for way in may:
        label = _label(difference, way, invoice.currency, save)
        if way != Way.LEAVE:
            choices.append(Choice(f"save:{way}:{difference.shown}", f"{label[:1].upper()}{label[1:]}"))
    if leave and difference:
        choices.append(Choice(f"save:{Way.LEAVE}:{difference.shown}", leave))
    others = CreditNote.objects.filter(invoice=invoice, amends=False, status=CreditNote.Status.OPEN).order_by("date")
    return Ways(invoice, difference, choices, len(may) < len(difference.ways), list(others) if difference else [])


def _label(difference: Difference, way: Way, currency: str, save: str) -> str:
    parts = {Way.CREDIT: difference.credit, Way.FURTHER: difference.further}
    named = [(one, what) for what, one in parts.items() if one and way in (Way.BOTH, what)]
    words = " and ".join(_words(one, what, currency) for one, what in named)
    return f"{save}{'a ' if save and named and named[0][0].of is None else ''}{words}"


def _words(part: Part, way: Way, currency: str) -> str:
    """What a document becomes, as its button says it: "further invoice INV-7 changed to $9.90"."""
    what, amount = "credit note" if way == Way.CREDIT else "further invoice", money(part.totals.total, currency)
    if part.of is None:
        return f"{what} over {amount}"
    gone = "cancelled" if way == Way.CREDIT else "void"
    return f"{what} {part.of.number} {f'changed to {amount}' if part.drafts else gone}"


def read_way(request: DeskRequest, do: str) -> tuple[str, Way | None, str]:
    """What a button says: what to do, which way and the amounts that it showed ("save:credit:9.90/0.00").

    Raises PermissionDenied for a way that this person may not go.
    """
    what, _, rest = do.partition(":")
    text, _, shown = rest.partition(":")
    way = {each.value: each for each in Way}.get(text)
    if way in CREDITS and not request.membership.may(Doing.BOOKS):
        raise PermissionDenied("Credit notes are for those who keep the books.")
    return what, way, shown


def read_whole(request: DeskRequest) -> Whole | None:
    """What becomes of the money, as the form of a cancellation says. Raises PermissionDenied as `read_way` does."""
    text = request.POST.get("then", "")
    then = {each.value: each for each in Whole}.get(text)
    if then and not request.membership.may(Doing.BOOKS):
        raise PermissionDenied("Credit notes are for those who keep the books.")
    return then


@dataclass(frozen=True)
class Credited:
    """What a cancellation gives back of an invoice that has money on it, and how much of it was paid."""

    left: Decimal
    due: Decimal
    paid: Decimal
    voids: list[Invoice]  # further invoices on which nothing was paid

    @property
    def free(self) -> Decimal:
        """What of the credit nothing that is left to pay uses up."""
        return self.left - min(self.left, self.due)

    @property
    def refundable(self) -> Decimal:
        """What of that can be paid back."""
        return min(self.free, self.paid)


def whole_of(invoice: Invoice | None) -> Credited | None:
    """That, or None where the invoice becomes void instead."""
    closed = amending.closed_in_xero(invoice)
    if invoice is None or not stays_as_issued(invoice, closed):
        return None
    further = list(further_of(invoice))
    voids = [each for each in further if each.pk not in closed and can_be_changed(each)]
    documents = [invoice, *(each for each in further if each not in voids)]
    left = sum((each.total - credited_of(each) for each in documents), ZERO)
    due = sum((each.due for each in documents if each.pk not in closed), ZERO)
    paid = sum((each.paid for each in documents), ZERO)
    return Credited(left, due, paid, voids)


@dataclass(frozen=True)
class Amendments:
    """What amends an invoice, or which one this bills further."""

    further: Collection[Invoice]
    credit_notes: Collection[CreditNote]

    def __bool__(self) -> bool:
        return bool(self.further or self.credit_notes)


def amendments(invoice: Invoice | None) -> Amendments | None:
    """The further invoices and the credit notes that an invoice has since it was edited with money on it."""
    if invoice is None:
        return None
    return Amendments(list(further_of(invoice)), list(amendments_of(invoice)))


@member(Doing.TRADE)
def amend(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """The difference between an order and what is billed for it, with what can be done about it; sent, do it."""
    rows = supplier.orders.select_related("supplier", "invoice", "customer")
    order = get_object_or_404(rows, pk=pk)
    closed = amending.closed_in_xero(order.invoice)
    difference = difference_of(order, closed)
    if request.method == "POST":
        _, way, shown = read_way(request, request.POST.get("do", ""))
        made = actions.amend_order(order, way=way or Way.LEAVE, shown=shown, closed=closed, by=request.user)
        messages.success(request, _said(order, made.story if made else ""))
        return redirect("desk:order", slug=supplier.slug, pk=pk)
    if order.invoice is None or not difference:
        messages.info(request, f"Nothing is left to make up for on {order.number}.")
        return redirect("desk:order", slug=supplier.slug, pk=pk)
    context = {
        "order": order,
        "ways": ways_of(order.invoice, difference, request.membership),
        "follows": not stays_as_issued(order.invoice, closed),
    }
    return render(request, "desk/orders/amend.html", context)


def amend_refused(request: DeskRequest, supplier: Supplier, problem: Problem) -> HttpResponse:
    """What differs between what Xero has of a paid invoice and what was wanted, with the ways; sent, do it."""
    if request.method == "POST":
        _, way, shown = read_way(request, request.POST.get("do", ""))
        if request.POST.get("shown") != problem.found_at.isoformat() or way is None:
            raise ProblemGone
        made = amending.amend_refused(problem, way=way, shown=shown, by=request.user).story
        number = problem.words.get("number", "The invoice")
        back_ = f"{number} is what Xero has again."
        messages.success(request, f"{back_} {made[:1].upper()}{made[1:]}." if made else back_)
        return redirect("desk:invoice", slug=supplier.slug, pk=problem.document)
    try:
        invoice, difference = amending.refused_change(problem)
    except VersionUnknown as error:
        messages.error(request, error.sentence)
        return redirect("desk:problems", slug=supplier.slug)
    leave = "Leave it as Xero has it"
    ways = ways_of(invoice, difference, request.membership, leave=leave)
    if not difference:  # only a date or a text was changed
        ways.choices.append(Choice(f"save:{Way.LEAVE}:{difference.shown}", leave))
    context = {"problem": problem, "ways": ways}
    return render(request, "desk/xero/amend.html", context)


def _said(order: Order, made: str) -> str:
    if made:
        return f"{made[:1].upper()}{made[1:]}."
    order.refresh_from_db()
    if order.invoice and order.own_total is None:
        return f"Invoice {order.invoice.number} follows the order again, in its version {order.invoice.version}."
    return f"Nothing was left to make up for on {order.number}."
