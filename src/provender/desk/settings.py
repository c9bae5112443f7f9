"""The wholesaler's own settings: its record, numbering, freight groups, money. People and roles are in `people.py`."""

from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from provender.customers.actions import save_freight_group
from provender.customers.errors import FreightGroupNameTaken
from provender.customers.models import FreightGroup
from provender.desk.forms import only_shown
from provender.desk.frame import DeskRequest, member
from provender.desk.meanwhile import SharedForm, who_did
from provender.desk.templatetags.desk import quantity
from provender.payments.models import LARGEST_SURCHARGE, Payment
from provender.payments.surcharges import set_surcharges, surcharges_of
from provender.people.roles import Doing
from provender.suppliers.actions import save_supplier, skip_numbers_to
from provender.suppliers.models import Supplier, TaxKind
from provender.suppliers.queries import next_number
from provender.sync.choices import tax_kind_trouble
from provender.timeline.actions import tell
from provender.timeline.queries import story
from provender.timeline.wording import what_changed

CONTINENTS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
STORY_LINES = 20


def _zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """Time zones by continent, for a pick-list."""
    zones = sorted(available_timezones())
    return [
        (continent, [(zone, zone.replace("_", " ")) for zone in zones if zone.startswith(f"{continent}/")])
        for continent in CONTINENTS
    ]


class SupplierForm(SharedForm):
    time_zone = forms.ChoiceField(label="Time zone", choices=_zones, help_text="Decides which day an order belongs to.")

    class Meta:
        model = Supplier
        fields = (
            "name",
            "legal_name",
            "tax_number",
            "tax_rate",
            "email",
            "phone",
            "address",
            "payment_details",
            "time_zone",
        )
        widgets = {name: forms.Textarea(attrs={"rows": 4}) for name in ("address", "payment_details")}
        labels = {"email": "E-mail address"}
        help_texts = {
            "name": "As customers and your own people know it.",
            "legal_name": "On invoices, if it differs from the name.",
            "tax_number": "Stands on invoices. Without it they may not say “Tax invoice” or “VAT invoice”.",
            "payment_details": "Your bank account, for instance. Stands on the PDF of an invoice until it is paid.",
            "tax_rate": "For new lines. Documents that were issued keep the rate they were issued with.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["tax_rate"] = quantity(self.instance.tax_rate)


@member(Doing.LOOK, post=Doing.RUN)
def settings(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """The wholesaler's record; owners may change it."""
    form = SupplierForm.of(request, supplier)
    if form.may_be_kept() and form.keep(lambda: _save(request, supplier, form)):
        return redirect("desk:settings", slug=supplier.slug)
    entries = story(supplier, "supplier", supplier.pk)[:STORY_LINES]
    context = _context(request, supplier, form, Doing.RUN) | {"entries": entries}
    return render(request, "desk/settings/settings.html", context)


class NumberingForm(SharedForm):
    next_order = forms.IntegerField(label="Next order number", min_value=1, max_value=999_999_999)
    next_invoice = forms.IntegerField(label="Next invoice number", min_value=1, max_value=999_999_999)
    next_credit_note = forms.IntegerField(label="Next credit note number", min_value=1, max_value=999_999_999)
    field_order = (
        "order_prefix", "next_order", "invoice_prefix", "next_invoice", "credit_note_prefix", "next_credit_note"
    )  # fmt: skip
    moves_by_itself = ("next_order", "next_invoice", "next_credit_note")  # with each order that somebody places

    class Meta:
        model = Supplier
        fields = ("order_prefix", "invoice_prefix", "credit_note_prefix")
        labels = {
            "order_prefix": "Order prefix",
            "invoice_prefix": "Invoice prefix",
            "credit_note_prefix": "Credit note prefix",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = {kind: next_number(self.instance, kind) for kind in ("order", "invoice", "credit_note")}
        self.initial.update({f"next_{kind}": number for kind, number in self.now.items()})

    def clean_next_order(self) -> int:
        return self._not_lower("order")

    def clean_next_invoice(self) -> int:
        return self._not_lower("invoice")

    def clean_next_credit_note(self) -> int:
        return self._not_lower("credit_note")

    def _not_lower(self, kind: str) -> int:
        name, now = f"next_{kind}", self.now[kind]
        typed: int = self.cleaned_data[name]
        if typed < now and str(typed) != self.shown.get(name):  # left as it was, it is what it is by now
            raise forms.ValidationError(f"Numbers up to {now - 1} were given out; each is given once.")
        return max(typed, now)


@member(Doing.RUN)
def numbering(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """Prefixes and the next numbers of orders, invoices and credit notes."""
    form = NumberingForm.of(request, supplier)
    if form.may_be_kept() and form.keep(lambda: _save_numbering(request, supplier, form)):
        return redirect("desk:settings-numbering", slug=supplier.slug)
    context = _context(request, supplier, form, Doing.RUN) | {"now": form.now}
    return render(request, "desk/settings/numbering.html", context)


def _save_numbering(request: DeskRequest, supplier: Supplier, form: NumberingForm) -> None:
    changes = []
    for kind, now in form.now.items():
        typed = form.cleaned_data[f"next_{kind}"]
        if typed != now:
            skip_numbers_to(supplier, kind, typed)
            changes.append(f"next {kind.replace('_', ' ')} number {now} → {typed}")
    _save(request, supplier, form, *changes)


class TaxKindForm(SharedForm):
    """What one kind of charge is for the tax office; refused where its account in Xero can't carry that."""

    account = ""  # the setting of the connection that such lines go to

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields[self._kind]
        choices = [(kind, self.instance.tax_kind_label(kind)) for kind in TaxKind.values]
        self.fields[self._kind] = forms.ChoiceField(label=field.label, choices=choices, help_text=field.help_text)

    @property
    def _kind(self) -> str:
        """The field with the kind of tax."""
        return f"{self.account.removesuffix('_account')}_tax_kind"

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        kind = typed.get(self._kind)
        if kind and self._kind in self.changed_data:
            trouble = tax_kind_trouble(self.instance, self.account, kind)
            if trouble:
                self.add_error(self._kind, trouble)
        return typed


class FreightTaxForm(TaxKindForm):
    account = "freight_account"

    class Meta:
        model = Supplier
        fields = ("freight_tax_kind",)
        labels = {"freight_tax_kind": "Tax on freight"}
        help_texts = {"freight_tax_kind": "For new freight lines. Orders that were placed keep theirs."}


@member(Doing.LOOK, post=Doing.BOOKS)
def freight(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """The freight groups: what delivery costs, and from which order value it is free; and the tax on it."""
    form = FreightTaxForm.of(request, supplier)
    if form.may_be_kept() and form.keep(lambda: _save(request, supplier, form)):
        return redirect("desk:freight", slug=supplier.slug)
    groups = supplier.freight_groups.order_by("name")
    context = _context(request, supplier, form, Doing.BOOKS) | {"groups": groups}
    return render(request, "desk/settings/freight.html", context)


class MoneyForm(TaxKindForm):
    """What paying costs, its tax, and whether credit notes apply themselves."""

    account = "surcharge_account"

    class Meta:
        model = Supplier
        fields = ("surcharge_tax_kind", "credits_apply")
        labels = {"surcharge_tax_kind": "Tax on surcharges", "credits_apply": "Credit notes apply themselves"}
        help_texts = {
            "surcharge_tax_kind": "For new surcharge lines. Invoices and orders that have one keep theirs.",
            "credits_apply": "On: a credit note is set against its invoice when it is issued, and what is left of it"
            " against the customer’s next invoices, the oldest first. Off: you do it by hand.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        now = surcharges_of(self.instance)
        for method, label in Payment.Method.choices:
            self.fields[method] = forms.DecimalField(
                label=f"{label}, %",
                required=False,
                min_value=0,
                max_value=LARGEST_SURCHARGE,
                max_digits=6,
                decimal_places=4,
                widget=forms.TextInput(attrs={"inputmode": "decimal"}),
            )
            self.initial[method] = quantity(now[method]) if method in now else ""

    @property
    def percents(self) -> dict[str, Decimal]:
        """Method → percent, as typed."""
        return {method: self.cleaned_data[method] or Decimal(0) for method in Payment.Method.values}

    def of_methods(self) -> list[forms.BoundField]:
        """The percentages."""
        return [self[method] for method in Payment.Method.values]


@member(Doing.LOOK, post=Doing.BOOKS)
def money(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """Surcharges by method of paying, the tax on them, and what credit notes do by themselves."""
    form = MoneyForm.of(request, supplier)
    if form.may_be_kept() and form.keep(lambda: _save_money(request, supplier, form)):
        return redirect("desk:settings-money", slug=supplier.slug)
    return render(request, "desk/settings/money.html", _context(request, supplier, form, Doing.BOOKS))


def _save_money(request: DeskRequest, supplier: Supplier, form: MoneyForm) -> None:
    set_surcharges(supplier, form.percents, by=request.user)
    _save(request, supplier, form)


def _context(request: DeskRequest, supplier: Supplier, form: SharedForm, doing: Doing) -> dict[str, Any]:
    """What the page of one of the wholesaler's own forms shows; those who may not do that only read it."""
    may_change = request.membership.may(doing)
    if not may_change:
        only_shown(form)
    context: dict[str, Any] = {"form": form, "may_change": may_change}
    if form.meanwhile:
        context["told"] = who_did(supplier, "supplier", supplier, begins="Changed ")
    return context


def _save(request: DeskRequest, supplier: Supplier, form: SharedForm, *more: str) -> None:
    """Keep the form's own columns, and tell what changed; `more` are changes made beside them."""
    edited: Supplier = form.instance
    changes = [*what_changed(supplier, edited), *more]
    save_supplier(edited, form.fields)
    if changes:
        tell(supplier, "supplier", supplier.pk, f"Changed {', '.join(changes)}", who=request.user)
    messages.success(request, "Saved.")


class FreightForm(SharedForm):
    class Meta:
        model = FreightGroup
        fields = ("name", "charge", "free_from")
        labels = {"free_from": "Free from"}
        help_texts = {
            "charge": "For one delivery, without tax.",
            "free_from": "Order value, without tax, from which delivery costs nothing. Empty: never free.",
        }
        error_messages = {name: {"min_value": "Write zero or more."} for name in ("charge", "free_from")}


@member(Doing.TRADE)
def freight_new(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    return _freight_form(request, FreightGroup(supplier=supplier), "New freight group")


@member(Doing.TRADE)
def freight_edit(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    group = get_object_or_404(supplier.freight_groups, pk=pk)
    return _freight_form(request, group, group.name)


def _freight_form(request: DeskRequest, group: FreightGroup, title: str) -> HttpResponse:
    form = FreightForm.of(request, group)
    try:
        if form.may_be_kept() and form.keep(lambda: save_freight_group(form.instance, by=request.user)):
            messages.success(request, f"{form.instance} is saved.")
            return redirect("desk:freight", slug=request.supplier.slug)
    except FreightGroupNameTaken as error:
        form.add_error("name", error.sentence)
    context = {"form": form, "title": title}
    if form.meanwhile:
        context["told"] = who_did(request.supplier, "freight-group", group)
    return render(request, "desk/settings/freight_form.html", context)
