"""Payments: the list, recording one by hand, taking one back, and asking Xero about one invoice."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_filters import CharFilter, ChoiceFilter, DateFilter, FilterSet

from provender.basics import clock
from provender.basics.errors import ProvenderError
from provender.desk.choosing import MEANT, CustomerFilter, as_uuid, customers_named, date_input
from provender.desk.finding import FEW, keys_by, named, narrow
from provender.desk.frame import DeskRequest, back, member
from provender.desk.lists import Badge, Column, Empty, List, Tone, show
from provender.desk.templatetags.desk import money, quantity
from provender.invoicing.models import Invoice
from provender.payments.actions import record_payment, remove_payment
from provender.payments.credits import can_be_changed
from provender.payments.errors import NothingToPay
from provender.payments.models import Payment
from provender.payments.queries import allocations_to, payments_for, payments_of
from provender.payments.surcharges import (
    Surcharge,
    has_surcharge,
    may_take_surcharge_back,
    record_with_surcharge,
    remove_with_surcharge,
    surcharge_on,
    surcharges_of,
    take_surcharge_back,
)
from provender.people.models import User
from provender.people.roles import Doing
from provender.suppliers.models import Supplier
from provender.sync.connections import connection_of
from provender.sync.models import Connection
from provender.sync.poll import check_invoice
from provender.sync.queries import problems_of
from provender.sync.standing import credits_in_xero, money_in_xero, standing

SOURCE_TONES: dict[str, Tone] = {"here": "mute", "payout": "info", "xero": "ok"}


class PaymentFilter(FilterSet):  # type: ignore[misc]  # django_filters has no types
    # The first two may start the search anew from a few keys, so they come before those that narrow it down.
    q = CharFilter(label="Search", method="search")
    customer = CustomerFilter(label="Customer", method="of_customer")
    source = ChoiceFilter(label="Source", choices=Payment.Source.choices, empty_label="Any source")
    method = ChoiceFilter(label="Method", choices=Payment.Method.choices, empty_label="Any method")
    date_from = DateFilter("date", "gte", label="From", widget=date_input())
    date_to = DateFilter("date", "lte", label="To", widget=date_input())

    class Meta:
        model = Payment
        fields: list[str] = []

    def search(self, rows: QuerySet[Payment], _name: str, text: str) -> QuerySet[Payment]:
        """By the beginning of the invoice's or credit note's number or of a reference, else by a part of one."""
        supplier: Supplier = self.request.supplier
        cases = {text, text.upper()}
        keys = [
            *_keys_for(
                invoice=keys_by(supplier.invoices.all(), "pk", "number", {*cases, f"{supplier.invoice_prefix}{text}"}),
                credit_note=keys_by(
                    supplier.credit_notes.all(), "pk", "number", {*cases, f"{supplier.credit_note_prefix}{text}"}
                ),
                payout=keys_by(supplier.payouts.all(), "pk", "reference", cases),
            ),
            *keys_by(rows, "pk", "reference", cases),
        ]
        payouts = supplier.payouts.filter(reference__icontains=text)
        # Of those without a reference no text is a part: then an index has all that there is to read.
        anywhere = Q(reference__gt="", reference__icontains=text)
        return narrow(rows, keys, [], anywhere | Q(payout__in=payouts.values("pk")) if payouts.exists() else anywhere)

    def of_customer(self, rows: QuerySet[Payment], _name: str, text: str) -> QuerySet[Payment]:
        supplier: Supplier = self.request.supplier
        pk = as_uuid(text)
        meant = [pk] if pk else list(customers_named(supplier, text).values_list("pk", flat=True)[:MEANT])
        keys = _keys_for(
            invoice=supplier.invoices.filter(customer__in=meant).values_list("pk", flat=True)[: FEW + 1],
            credit_note=supplier.credit_notes.filter(customer__in=meant).values_list("pk", flat=True)[: FEW + 1],
        )
        if len(keys) > FEW or self.form.cleaned_data.get("q"):
            return rows.filter(Q(invoice__customer__in=meant) | Q(credit_note__customer__in=meant))
        return named(rows, keys)


def _keys_for(**documents: Iterable[UUID]) -> list[UUID]:
    """Keys of the live payments for these documents, FEW + 1 of each kind at most."""
    live = Payment.objects.filter(removed_at=None).order_by()
    return [
        key
        for kind, wanted in documents.items()
        for key in live.filter(**{f"{kind}__in": list(wanted)}).values_list("pk", flat=True)[: FEW + 1]
    ]


class PaymentList(List[Payment]):
    title, one, many = "Payments", "payment", "payments"
    sentence = "Money that came for invoices, and what was paid back, wherever it was recorded."
    filters = PaymentFilter
    sort = "-date"
    template = "desk/payments/payments.html"
    empty = Empty(
        "No payments yet",
        "Payments come from Xero by themselves once “Invoice mark as paid” is on; others come from payouts, or you"
        " record one on its invoice.",
        "To the invoices",
        "desk:invoices",
        Doing.LOOK,
    )

    @cached_property
    def drawn_columns(self) -> Sequence[Column[Payment]]:
        label = f"Amount {self.supplier.currency}"
        return (
            Column("date", "Date", lambda p: p.date, kind="date", sort=("date", "recorded_at")),
            Column("document", "For", document_of, phone="title", link=self.page_of, unbroken=True),
            Column("customer", "Customer", customer_of),
            Column("amount", label, signed_amount, kind="money", sort=("amount", "pk"), phone="side"),
            Column("source", "Source", source_badge, kind="badge", phone="badge"),
            Column("method", "Method", method_of, phone="hide"),
            Column("reference", "Reference", lambda p: p.reference, phone="hide"),
            Column("xero", "Xero’s id", lambda p: self.twins.get(p.pk, ""), phone="hide", unbroken=True),
        )

    def shown_columns(self) -> Sequence[Column[Payment]]:
        """Xero's long id is for files, not for the eye."""
        if self.request.GET.get("format"):
            return self.drawn_columns
        return [column for column in self.drawn_columns if column.key != "xero"]

    def page_of(self, payment: Payment) -> str:
        return document_address(self.supplier, payment)

    def rows(self) -> QuerySet[Payment]:
        return payments_of(self.supplier)

    def prepare(self, rows: Sequence[Payment]) -> None:
        self.twins = money_in_xero(self.supplier, [row.pk for row in rows])


def document_of(payment: Payment) -> str:
    """The number of what was paid."""
    return str(payment.invoice or payment.credit_note)


def document_address(supplier: Supplier, payment: Payment) -> str:
    """The page of what was paid, or paid back."""
    if payment.invoice_id:
        return reverse("desk:invoice", args=[supplier.slug, payment.invoice_id])
    return reverse("desk:credit-note", args=[supplier.slug, payment.credit_note_id])


def customer_of(payment: Payment) -> str:
    """Whose money it is."""
    document = payment.invoice or payment.credit_note
    return document.customer.trading_name if document else ""


def signed_amount(payment: Payment) -> Decimal:
    """What came in; what was paid back is below zero."""
    return payment.amount if payment.invoice_id else -payment.amount


def source_badge(payment: Payment) -> Badge:
    """Where it was recorded."""
    return Badge(payment.get_source_display(), SOURCE_TONES[payment.source])


def method_of(payment: Payment) -> str:
    """How it was paid; Xero doesn't tell."""
    return "" if payment.source == Payment.Source.XERO else payment.get_method_display()


@member(Doing.LOOK)
def payments(request: DeskRequest, supplier: Supplier) -> HttpResponseBase:
    """The list."""
    return show(request, PaymentList(request))


# --- on an invoice's page -----------------------------------------------------------------------------------------


def money_of(supplier: Supplier, invoice: Invoice) -> dict[str, Any]:
    """What the money card on an invoice's page shows."""
    paid, credited = list(payments_for(invoice)), list(allocations_to(invoice))
    twins = money_in_xero(supplier, [row.pk for row in (*paid, *credited)])
    connection = connection_of(supplier)
    return {
        "payments": [(row, twins.get(row.pk, ""), can_be_removed(row, connection, twins)) for row in paid],
        "left_over": [row for row in paid if row.removed_at and row.surcharge_line and may_take_surcharge_back(row)],
        "allocations": [(row, twins.get(row.pk, "")) for row in credited],
        "problems": problems_of(supplier, documents=[row.pk for row in (*paid, *credited)]),
        "reads_back": connection is not None and connection.mark_as_paid,
        "credits_in_xero": credits_in_xero(supplier, invoice.customer_id),
    }


def can_be_removed(payment: Payment, connection: Connection | None, twins: dict[UUID, str]) -> bool:
    """Whether it can be taken back here: recorded here, and Xero follows or doesn't have it."""
    if payment.removed_at or payment.source != Payment.Source.HERE:
        return False
    return payment.pk not in twins or (connection is not None and connection.payments_to_xero)


class PaymentForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """What came, when and how; with percentages by method, also whether the surcharge is added."""

    with_surcharge = forms.BooleanField(label="Add the surcharge", required=False, initial=True)
    field_order = ("amount", "date", "method", "with_surcharge", "reference")

    class Meta:
        model = Payment
        fields = ("amount", "date", "method", "reference")
        labels = {"date": "Received on"}
        help_texts = {"reference": "As on the bank statement, if there is one."}
        widgets = {"date": date_input(), "amount": forms.TextInput(attrs={"inputmode": "decimal"})}
        error_messages = {
            "amount": {"required": "How much was paid?", "invalid": "Write an amount, like 120.50."},
            "date": {"required": "On which day did it come?", "invalid": "Write a date, like 2026-11-20."},
        }

    def __init__(self, invoice: Invoice, percents: Mapping[str, Decimal], *args: Any, **kwargs: Any) -> None:
        self.invoice, self.percents = invoice, percents
        self.today = clock.today(invoice.supplier.time_zone)
        kwargs["initial"] = {"amount": invoice.due, "date": self.today}
        super().__init__(*args, **kwargs)
        self.fields["amount"].label = f"Amount in {invoice.currency}"
        self.fields["amount"].help_text = f"{money(invoice.due, invoice.currency)} is still to be paid."
        if not percents:
            del self.fields["with_surcharge"]
            return
        self.fields["amount"].help_text += " The surcharge comes on top."
        self.fields["method"].choices = [  # type: ignore[attr-defined]  # it is a pick-list
            (method, f"{label}, {quantity(percents[method])} % on top" if method in percents else label)
            for method, label in Payment.Method.choices
        ]

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        if amount <= 0:
            raise forms.ValidationError(NothingToPay(amount).sentence)
        return amount

    def clean_date(self) -> date:
        day: date = self.cleaned_data["date"]
        if day > self.today:
            raise forms.ValidationError("That day hasn’t come yet. Record the payment once it is there.")
        if self.invoice.date - day > timedelta(days=366):
            raise forms.ValidationError("That is more than a year before the invoice. Is the year right?")
        return day

    @property
    def cost(self) -> Surcharge | None:
        """What the payment as it is typed costs on top; None where nothing does, or the amount can't be read."""
        wanted = self.cleaned_data if self.is_bound and self.is_valid() else {} if self.is_bound else self.initial
        amount = wanted.get("amount")
        if not self.percents or amount is None or not wanted.get("with_surcharge", not self.is_bound):
            return None
        cost = surcharge_on(self.invoice, amount, wanted.get("method", Payment.Method.TRANSFER), self.percents)
        return cost if cost.net else None


@member(Doing.BOOKS)
def record(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Record money received for one invoice."""
    invoice = get_object_or_404(supplier.invoices.select_related("customer", "supplier"), pk=pk)
    if invoice.due <= 0:
        messages.info(request, f"Nothing is left to pay on {invoice.number}.")
        return redirect("desk:invoice", slug=supplier.slug, pk=pk)
    form = PaymentForm(invoice, surcharges_of(supplier), request.POST or None)
    cost, seen = form.cost, request.POST.get("seen", "")
    saving = request.method == "POST" and not request.htmx and form.is_valid()
    asks = saving and cost is not None and seen != str(cost.total)  # nobody has seen yet what it comes to
    if saving and not asks:
        try:
            payment = _record(invoice, form.cleaned_data, request.user)
        except ProvenderError as error:
            form.add_error("amount", error.sentence)
        else:
            messages.success(request, f"{money(payment.amount, invoice.currency)} recorded for {invoice.number}.")
            return redirect("desk:invoice", slug=supplier.slug, pk=pk)
    context = {
        "form": form,
        "invoice": invoice,
        "cost": cost,
        "asks": asks,
        "has_room": can_be_changed(invoice),
    }
    return render(request, f"desk/payments/{'_surcharge' if request.htmx else 'record'}.html", context)


def _record(invoice: Invoice, typed: dict[str, Any], user: User) -> Payment:
    """With its surcharge where one is wanted."""
    kept = {name: typed[name] for name in ("amount", "date", "method", "reference")}
    if typed.get("with_surcharge"):
        return record_with_surcharge(invoice, **kept, by=user)
    return record_payment(invoice, **kept, by=user)


@member(Doing.BOOKS)
def remove(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Ask, saying what opens again; then take the payment back."""
    rows = Payment.objects.filter(supplier=supplier).exclude(invoice=None).select_related("invoice__customer")
    payment = get_object_or_404(rows, pk=pk)
    connection = connection_of(supplier)
    twins = money_in_xero(supplier, [pk])
    if not can_be_removed(payment, connection, twins):
        messages.warning(request, why_not(payment))
        return redirect("desk:invoice", slug=supplier.slug, pk=payment.invoice_id)
    if request.method == "POST":
        take_back = remove_with_surcharge if request.POST.get("surcharge") else remove_payment
        take_back(payment, why=request.POST.get("why", "").strip(), by=request.user)
        messages.success(request, f"The payment is taken back. {payment.invoice} is due again.")
        return redirect("desk:invoice", slug=supplier.slug, pk=payment.invoice_id)
    context = {
        "payment": payment,
        "in_xero": pk in twins,
        "goes": connection is not None and connection.payments_to_xero,
        "has_surcharge": has_surcharge(payment),
        "may_take_surcharge_back": may_take_surcharge_back(payment),
    }
    return render(request, "desk/payments/remove.html", context)


@member(Doing.BOOKS)
@require_POST
def surcharge_back(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Take the surcharge of a payment that was taken back off its invoice."""
    rows = Payment.objects.filter(supplier=supplier).exclude(invoice=None).select_related("invoice__supplier")
    payment = get_object_or_404(rows, pk=pk)
    take_surcharge_back(payment, by=request.user)
    messages.success(request, f"The surcharge is off invoice {payment.invoice}.")
    return redirect("desk:invoice", slug=supplier.slug, pk=payment.invoice_id)


def why_not(payment: Payment) -> str:
    """Why it can't be taken back here, and where it can."""
    if payment.removed_at:
        return "That payment was taken back already."
    if payment.source == Payment.Source.PAYOUT:
        return "That payment belongs to a payout: undo the payout to take it back."
    return "Xero has that payment. Remove it there, and it goes from here by itself."


@member(Doing.BOOKS)
@require_POST
def check(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Ask Xero now what was paid on this invoice."""
    invoice = get_object_or_404(supplier.invoices, pk=pk)
    connection = connection_of(supplier)
    how = standing(supplier, [pk])[pk]
    if connection is None or not how.xero_id:
        messages.info(request, f"{invoice.number} isn’t in Xero.")
    elif not connection.mark_as_paid:
        messages.info(request, "Payments aren’t read from Xero: “Invoice mark as paid” is off in the settings.")
    else:
        tally = check_invoice(connection, how.xero_id)
        invoice.refresh_from_db()
        if tally.changes:
            messages.success(request, f"Read from Xero: {left_to_pay(invoice)}")
        else:
            messages.info(request, f"Xero has nothing new: {left_to_pay(invoice)}")
    return back(request)


def left_to_pay(invoice: Invoice) -> str:
    """How it stands, in a sentence."""
    if invoice.settled_on:
        return f"{invoice.number} is paid."
    return f"{money(invoice.due, invoice.currency)} of {invoice.number} is still to be paid."
