"""Payouts of payment providers: the list, one with its lines, what a person decides on a line, closing, undoing."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_filters import CharFilter, ChoiceFilter, DateFilter, FilterSet

from provender.basics import clock
from provender.basics.errors import ProvenderError
from provender.basics.money import ZERO, show_amount
from provender.basics.rows import hold
from provender.basics.wording import counted
from provender.desk.choosing import date_input
from provender.desk.frame import DeskRequest, member
from provender.desk.lists import Badge, Column, Empty, List, Tone, show
from provender.desk.meanwhile import ChangedMeanwhile
from provender.invoicing.models import Invoice
from provender.payments import payouts as actions
from provender.payments.models import Payout, PayoutLine
from provender.payments.payouts import PayoutEntry, enter_payout, reopened_by
from provender.payments.queries import payouts_of
from provender.people.models import User
from provender.people.roles import Doing
from provender.suppliers.models import Supplier
from provender.sync.standing import deposit_standing
from provender.timeline.queries import story

STATES = {"open": "Open", "closed": "Closed", "undone": "Undone"}
OUTCOME_TONES: dict[str, Tone] = {
    "matched": "ok", "part": "ok", "refund": "ok", "none": "danger",
    "duplicate": "warn", "fee": "mute", "ignored": "mute",
}  # fmt: skip
SUGGESTED = 8


def address(payout: Payout) -> str:
    """Where a payout's page is."""
    return reverse("desk:payout", args=[payout.supplier.slug, payout.pk])


def state_badge(payout: Payout) -> Badge:
    """Open, closed or undone."""
    if payout.undone_at:
        return Badge("Undone")
    return Badge("Closed", "ok") if payout.state == Payout.State.CLOSED else Badge("Open", "warn")


class PayoutFilter(FilterSet):  # type: ignore[misc]  # django_filters has no types
    q = CharFilter(label="Search", method="search")
    state = ChoiceFilter(label="State", choices=list(STATES.items()), empty_label="Any state", method="by_state")
    date_from = DateFilter("date", "gte", label="From", widget=date_input())
    date_to = DateFilter("date", "lte", label="To", widget=date_input())

    class Meta:
        model = Payout
        fields: list[str] = []

    def search(self, rows: QuerySet[Payout], _name: str, text: str) -> QuerySet[Payout]:
        """By settlement reference, provider, or the number of an invoice in it."""
        inside = PayoutLine.objects.filter(payout__supplier=self.request.supplier, invoice_number=text).values("payout")
        return rows.filter(Q(reference__icontains=text) | Q(provider__icontains=text) | Q(pk__in=inside))

    def by_state(self, rows: QuerySet[Payout], _name: str, state: str) -> QuerySet[Payout]:
        if state == "undone":
            return rows.exclude(undone_at=None)
        return rows.filter(state=state, undone_at=None)


class PayoutList(List[Payout]):
    title, one, many = "Payouts", "payout", "payouts"
    sentence = "What payment providers sent to the bank, and which invoices it pays."
    filters = PayoutFilter
    sort = "-date"
    template = "desk/payouts/payouts.html"
    empty = Empty(
        "No payouts yet",
        "Bring in your payment provider’s payout file: its payments find their invoices, and each payout becomes one"
        " deposit in Xero that matches the line in the bank.",
        "Payout file",
        "desk:payout-file-new",
        Doing.BOOKS,
    )
    columns = (
        Column("reference", "Reference", lambda p: p.reference, sort="reference", phone="title", link=address),
        Column("provider", "Provider", lambda p: p.provider, sort="provider"),
        Column("date", "Date", lambda p: p.date, kind="date", sort=("date", "reference")),
        Column("gross", "Gross", lambda p: p.gross, kind="money", sort="gross", phone="hide"),
        Column("fee", "Fee", lambda p: p.fee, kind="money", sort="fee", phone="hide"),
        Column("net", "In the bank", lambda p: p.net, kind="money", sort="net", total="net", phone="side"),
        Column("state", "State", state_badge, kind="badge", phone="badge"),
    )

    def rows(self) -> QuerySet[Payout]:
        return payouts_of(self.supplier).select_related("supplier")


@member(Doing.LOOK)
def payouts(request: DeskRequest, supplier: Supplier) -> HttpResponseBase:
    """The list."""
    return show(request, PayoutList(request))


# --- by hand ------------------------------------------------------------------------------------------------------


class ByHandForm(forms.Form):
    """A payout of invoices that are chosen from the list."""

    provider = forms.CharField(label="Payment provider", max_length=60)
    reference = forms.CharField(
        label="Settlement reference", max_length=100, help_text="As it stands on the line in the bank."
    )
    date = forms.DateField(label="Date in the bank", widget=date_input())
    fee = forms.DecimalField(
        label="Fee kept by the provider", min_value=0, max_digits=12, decimal_places=2, initial=ZERO
    )


def ask_for_payout(supplier: Supplier, typed: QueryDict | None) -> ByHandForm:
    """What must be known of a payout beside its invoices."""
    return ByHandForm(typed, initial={"date": clock.today(supplier.time_zone)})


def enter_by_hand(
    supplier: Supplier,
    rows: Sequence[Invoice],
    user: User,
    *,
    provider: str,
    reference: str,
    date: date,
    fee: Decimal,
) -> str:
    """A payout that pays what each of these invoices has left to pay."""
    entries = [PayoutEntry(gross=row.due, invoice_number=row.number) for row in rows if row.due > 0]
    if fee:
        entries.append(PayoutEntry(gross=ZERO, fee=fee))
    payout = enter_payout(supplier, provider=provider, reference=reference, date=date, entries=entries, by=user)
    over = f"{payout.currency} {show_amount(payout.net)}"
    return f"Payout {payout.reference} over {over} is entered; close it under Payouts."


# --- one payout ---------------------------------------------------------------------------------------------------


@member(Doing.LOOK)
def payout(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """What was expected and what is posted; each line with what becomes of it."""
    row = _find(supplier, pk)
    lines = list(row.lines.select_related("invoice__customer", "payment"))
    paying = [each for each in lines if each.outcome in (PayoutLine.Outcome.MATCHED, PayoutLine.Outcome.PART)]
    refunded = [each for each in lines if each.outcome == PayoutLine.Outcome.REFUND]
    left = [each for each in lines if each.outcome in ("ignored", "duplicate", "none")]
    deposit = sum((each.amount for each in paying), ZERO)
    refunds = sum((each.amount for each in refunded), ZERO)
    context = {
        "payout": row,
        "badge": state_badge(row),
        "lines": [(each, OUTCOME_TONES[each.outcome]) for each in lines],
        "open_lines": [each for each in lines if not each.is_settled],
        "deposit": deposit,
        "refunds": refunds,
        "by_hand": row.gross - deposit + refunds,
        "left": len(left),
        "entries": story(supplier, "payout", row.pk),
        "in_xero": deposit_standing(supplier, row.pk) if row.state == Payout.State.CLOSED else None,
    }
    return render(request, "desk/payouts/payout.html", context)


@require_POST
@member(Doing.BOOKS)
def match(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Look again for what the open lines may pay."""
    row = _find(supplier, pk)
    actions.match_again(row)
    open_ = row.lines.filter(outcome=PayoutLine.Outcome.NONE).count()
    messages.success(request, f"{counted(open_, 'line')} left open." if open_ else "Each line has its match.")
    return redirect(address(row))


class CloseForm(forms.Form):
    """The line in the bank, if a person has it before them."""

    bank = forms.DecimalField(
        label="The amount in the bank",
        required=False,
        max_digits=12,
        decimal_places=2,
        help_text="If you have the statement before you: it must be the same to the cent.",
    )

    def __init__(self, payout: Payout, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.payout = payout

    def clean_bank(self) -> Decimal | None:
        bank: Decimal | None = self.cleaned_data["bank"]
        if bank is not None and bank != self.payout.net:
            raise forms.ValidationError(
                f"The payout comes to {show_amount(self.payout.net)}, which is"
                f" {show_amount(abs(bank - self.payout.net))} {'less' if bank > self.payout.net else 'more'}."
                " Nothing was closed."
            )
        return bank


@member(Doing.BOOKS)
def close(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Say what closing does, then do it."""
    row = _find(supplier, pk)
    form = CloseForm(row, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.close_payout(row, by=request.user)
        except ProvenderError as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, f"Payout {row.reference} is closed; its payments are on their invoices.")
            return redirect(address(row))
    paying = row.lines.filter(outcome__in=[PayoutLine.Outcome.MATCHED, PayoutLine.Outcome.PART])
    context = {
        "payout": row,
        "form": form,
        "count": paying.count(),
        "deposit": sum(paying.values_list("amount", flat=True), ZERO),
        "open_lines": row.lines.filter(outcome=PayoutLine.Outcome.NONE).count(),
    }
    return render(request, "desk/payouts/close.html", context)


@member(Doing.BOOKS)
def undo(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Show which invoices would be open again, then undo the payout as a whole."""
    row = _find(supplier, pk)
    if request.method == "POST":
        actions.undo_payout(row, why=request.POST.get("why", "").strip()[:200], by=request.user)
        messages.success(request, f"Payout {row.reference} is undone.")
        return redirect(address(row))
    if row.undone_at:
        messages.warning(request, f"Payout {row.reference} is undone already.")
        return redirect(address(row))
    return render(request, "desk/payouts/undo.html", {"payout": row, "payments": reopened_by(row)})


# --- one line -----------------------------------------------------------------------------------------------------


class LineForm(forms.Form):
    """Which invoice a payment is for, by its number."""

    invoice = forms.CharField(label="Invoice number", max_length=60)

    def __init__(self, supplier: Supplier, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.supplier = supplier

    def clean_invoice(self) -> Invoice:
        number = self.cleaned_data["invoice"].strip()
        found = self.supplier.invoices.filter(number__iexact=number).first()
        if found is None:
            raise forms.ValidationError(f"There is no invoice {number}.")
        return found


@member(Doing.BOOKS)
def line(request: DeskRequest, supplier: Supplier, pk: UUID, position: int) -> HttpResponse:
    """What a person decides on one line: another invoice, left for hand, less of it, or matched anew."""
    row = _find(supplier, pk)
    its = get_object_or_404(row.lines.select_related("payout__supplier", "invoice", "payment"), position=position)
    do = request.POST.get("do", "")
    form = LineForm(supplier, request.POST if do == "choose" else None)
    if request.method == "POST" and (do != "choose" or form.is_valid()):
        try:
            _decide(request, row, its, form)
        except ProvenderError as error:
            if do != "choose":
                raise  # there is no form to say it at
            form.add_error(None, error.sentence)
        else:
            return redirect(f"{address(row)}#line-{position}")
    context = {"payout": row, "line": its, "seen": _stamp(its), "form": form, "likely": _likely(supplier, its)}
    return render(request, "desk/payouts/line.html", context)


@transaction.atomic
def _decide(request: DeskRequest, payout: Payout, its: PayoutLine, form: LineForm) -> None:
    """Do what the button says, unless somebody decided on the line since the page was made: ChangedMeanwhile."""
    hold(payout)
    its.refresh_from_db(fields=["outcome", "invoice", "payment", "chosen", "why", "amount"])
    if request.POST.get("seen", _stamp(its)) != _stamp(its):
        raise ChangedMeanwhile(f"line {its.position}")
    do = request.POST.get("do", "")
    if do == "choose":
        actions.choose_invoice(its, form.cleaned_data["invoice"], by=request.user)
    elif do == "leave":
        actions.leave_for_hand(its, why=request.POST.get("why", "").strip(), by=request.user)
    elif do == "back":
        actions.put_back(its, by=request.user)


def _stamp(its: PayoutLine) -> str:
    """What the line's page shows of it, for a form to bring back."""
    return f"{its.outcome} {its.invoice_id or ''}"


def _likely(supplier: Supplier, its: PayoutLine) -> Sequence[Invoice]:
    """Open invoices that have exactly as much left to pay as the line brings."""
    if its.kind != PayoutLine.Kind.PAYMENT:
        return []
    open_ = supplier.invoices.filter(status=Invoice.Status.OPEN, settled_on=None, total=its.gross)
    return [each for each in open_.select_related("customer").order_by("due_date")[:SUGGESTED] if each.due == its.gross]


def _find(supplier: Supplier, pk: UUID) -> Payout:
    row = get_object_or_404(payouts_of(supplier), pk=pk)
    row.supplier = supplier
    return row
