"""The wholesaler's own settings: its record, numbering, freight groups, money. People and roles are in `people.py`."""

from copy import copy
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from provender.basics.errors import ProvenderError
from provender.customers.actions import save_freight_group
from provender.customers.models import FreightGroup
from provender.desk.frame import DeskRequest, member
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


class SupplierForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
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

    def __init__(self, *args: Any, may_change: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["tax_rate"] = quantity(self.instance.tax_rate)
        for field in self.fields.values():
            field.disabled = not may_change


@member(Doing.LOOK, post=Doing.RUN)
def settings(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """The wholesaler's record; owners may change it."""
    may_change = request.membership.may(Doing.RUN)
    edited = copy(supplier)  # what is typed must not show in the frame while it isn't saved
    form = SupplierForm(request.POST or None, instance=edited, may_change=may_change)
    if request.method == "POST" and form.is_valid():
        _save(request, supplier, edited)
        return redirect("desk:settings", slug=supplier.slug)
    entries = story(supplier, "supplier", supplier.pk)[:STORY_LINES]
    context = {"form": form, "entries": entries, "may_change": may_change}
    return render(request, "desk/settings/settings.html", context)


class NumberingForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    next_order = forms.IntegerField(label="Next order number", min_value=1, max_value=999_999_999)
    next_invoice = forms.IntegerField(label="Next invoice number", min_value=1, max_value=999_999_999)
    field_order = ("order_prefix", "next_order", "invoice_prefix", "next_invoice")

    class Meta:
        model = Supplier
        fields = ("order_prefix", "invoice_prefix")
        labels = {"order_prefix": "Order prefix", "invoice_prefix": "Invoice prefix"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = {kind: next_number(self.instance, kind) for kind in ("order", "invoice")}
        self.initial.update(next_order=self.now["order"], next_invoice=self.now["invoice"])

    def clean_next_order(self) -> int:
        return self._not_lower("order")

    def clean_next_invoice(self) -> int:
        return self._not_lower("invoice")

    def _not_lower(self, kind: str) -> int:
        typed: int = self.cleaned_data[f"next_{kind}"]
        if typed < self.now[kind]:
            raise forms.ValidationError(f"Numbers up to {self.now[kind] - 1} were given out; each is given once.")
        return typed


@member(Doing.RUN)
def numbering(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """Prefixes and the next numbers of orders and invoices."""
    edited = copy(supplier)
    form = NumberingForm(request.POST or None, instance=edited)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            save_supplier(edited)
            changes = what_changed(supplier, edited)
            for kind, now in form.now.items():
                typed = form.cleaned_data[f"next_{kind}"]
                if typed != now:
                    skip_numbers_to(supplier, kind, typed)
                    changes.append(f"next {kind} number {now} → {typed}")
            if changes:
                tell(supplier, "supplier", supplier.pk, f"Changed {', '.join(changes)}", who=request.user)
        messages.success(request, "Saved.")
        return redirect("desk:settings-numbering", slug=supplier.slug)
    return render(request, "desk/settings/numbering.html", {"form": form, "now": form.now})


class TaxKindForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """What one kind of charge is for the tax office; refused where its account in Xero can't carry that."""

    account = ""  # the setting of the connection that such lines go to

    def __init__(self, *args: Any, may_change: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        supplier = self.instance
        for name in self._meta.fields or ():
            field = self.fields[name]
            field.disabled = not may_change
            if name.endswith("_tax_kind"):
                choices = [(kind, supplier.tax_kind_label(kind)) for kind in TaxKind.values]
                self.fields[name] = forms.ChoiceField(
                    label=field.label, choices=choices, help_text=field.help_text, disabled=not may_change
                )

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        name = f"{self.account.removesuffix('_account')}_tax_kind"
        if name in self.changed_data and (trouble := tax_kind_trouble(self.instance, self.account, typed[name])):
            self.add_error(name, trouble)
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
    edited, may_change = copy(supplier), request.membership.may(Doing.BOOKS)
    form = FreightTaxForm(request.POST or None, instance=edited, may_change=may_change)
    if request.method == "POST" and form.is_valid():
        _save(request, supplier, edited)
        return redirect("desk:freight", slug=supplier.slug)
    context = {"groups": supplier.freight_groups.order_by("name"), "form": form, "may_change": may_change}
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

    def __init__(self, *args: Any, may_change: bool, **kwargs: Any) -> None:
        super().__init__(*args, may_change=may_change, **kwargs)
        self.now = surcharges_of(self.instance)
        for method, label in Payment.Method.choices:
            self.fields[method] = forms.DecimalField(
                label=f"{label}, %",
                required=False,
                min_value=0,
                max_value=LARGEST_SURCHARGE,
                max_digits=6,
                decimal_places=4,
                disabled=not may_change,
                widget=forms.TextInput(attrs={"inputmode": "decimal"}),
            )
            self.initial[method] = quantity(self.now[method]) if method in self.now else ""

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
    edited, may_change = copy(supplier), request.membership.may(Doing.BOOKS)
    form = MoneyForm(request.POST or None, instance=edited, may_change=may_change)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            _save(request, supplier, edited)
            set_surcharges(supplier, form.percents, by=request.user)
        return redirect("desk:settings-money", slug=supplier.slug)
    return render(request, "desk/settings/money.html", {"form": form, "may_change": may_change})


@transaction.atomic
def _save(request: DeskRequest, supplier: Supplier, edited: Supplier) -> None:
    changes = what_changed(supplier, edited)
    save_supplier(edited)
    if changes:
        tell(supplier, "supplier", supplier.pk, f"Changed {', '.join(changes)}", who=request.user)
    messages.success(request, "Saved.")


class FreightForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    class Meta:
        model = FreightGroup
        fields = ("name", "charge", "free_from")
        labels = {"free_from": "Free from"}
        help_texts = {
            "charge": "For one delivery, without tax.",
            "free_from": "Order value, without tax, from which delivery costs nothing. Empty: never free.",
        }


@member(Doing.TRADE)
def freight_new(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    return _freight_form(request, FreightGroup(supplier=supplier), "New freight group")


@member(Doing.TRADE)
def freight_edit(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    group = get_object_or_404(supplier.freight_groups, pk=pk)
    return _freight_form(request, group, group.name)


def _freight_form(request: DeskRequest, group: FreightGroup, title: str) -> HttpResponse:
    form = FreightForm(request.POST or None, instance=group)
    if request.method == "POST" and form.is_valid():
        try:
            save_freight_group(group, by=request.user)
        except ProvenderError as error:
            form.add_error("name", error.sentence)
        else:
            messages.success(request, f"{group.name} is saved.")
            return redirect("desk:freight", slug=request.supplier.slug)
    return render(request, "desk/settings/freight_form.html", {"form": form, "title": title})
