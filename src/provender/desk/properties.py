"""Properties: their settings, and the card on products, customers, orders and invoices where values are chosen."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from provender.basics.errors import ProvenderError
from provender.basics.rows import hold
from provender.desk.frame import DeskRequest, back, member
from provender.desk.meanwhile import SharedForm, who_did
from provender.invoicing.models import Invoice
from provender.ordering.actions import set_invoice_property, set_order_property
from provender.ordering.models import Order
from provender.people.models import User
from provender.people.roles import Doing
from provender.properties.actions import delete_property, set_value
from provender.properties.models import Kind, Option, Property
from provender.properties.queries import Field, fields_of, properties_for
from provender.suppliers.models import Supplier
from provender.sync.tracking import save_tracked_option, save_tracked_property

ATTACHED = ("on_products", "on_customers", "on_orders", "on_invoices")


class PropertyForm(SharedForm):
    class Meta:
        model = Property
        fields = ("name", "type", "tag", *ATTACHED)
        help_texts = {
            "name": "As it shows on pages.",
            "type": "Only a dropdown can be a tracking category in Xero.",
            "tag": "xero_Region makes it carry the tracking category Region. Or choose the category on the tracking"
            " page of Xero.",
        }


class OptionForm(SharedForm):
    class Meta:
        model = Option
        fields = ("name", "active")
        labels = {"active": "Offered"}


@member(Doing.LOOK)
def properties(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """All properties with their options."""
    rows = supplier.properties.prefetch_related("options")
    return render(request, "desk/properties/properties.html", {"properties": [(row, _where(row)) for row in rows]})


def _where(its: Property) -> str:
    names = [kind.label for kind in Kind if getattr(its, f"on_{kind}s")]
    return ", ".join(names) or "nowhere"


@member(Doing.TRADE)
def new(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """A form for a property that isn't there yet."""
    return _form(request, Property(supplier=supplier), "New property")


@member(Doing.TRADE)
def edit(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """The form of a property, and for a dropdown its options."""
    its = get_object_or_404(supplier.properties.select_related("supplier"), pk=pk)
    return _form(request, its, its.name, there=True)


def _form(request: DeskRequest, its: Property, title: str, *, there: bool = False) -> HttpResponse:
    form = PropertyForm.of(request, its)
    edited = form.instance
    try:
        if form.may_be_kept() and form.keep(lambda: save_tracked_property(edited, by=request.user)):
            messages.success(request, f"{edited.name} is saved.")
            return redirect("desk:property", slug=request.supplier.slug, pk=edited.pk)
    except ProvenderError as error:
        form.add_error("tag" if "tracking" in error.code or "categories" in error.code else None, error.sentence)
    context: dict[str, Any] = {"form": form, "title": title, "property": its if there else None}
    context["options"] = _options(its) if there else []
    if form.meanwhile:
        context["told"] = who_did(request.supplier, "supplier", request.supplier, begins="Changed the property ")
    return render(request, "desk/properties/property.html", context)


def _options(its: Property, typed: OptionForm | None = None) -> list[OptionForm]:
    """A form for each option of a dropdown, then one for a new option; what was typed into one stays in it."""
    if its.type != Property.Type.DROPDOWN:
        return []
    forms_ = {row.pk: OptionForm(instance=row) for row in its.options.all()}
    new = OptionForm(instance=Option(property=its, active=True))
    if typed and typed.instance.pk in forms_:
        forms_[typed.instance.pk] = typed
    return [*forms_.values(), typed if typed and typed.instance.pk not in forms_ else new]


@require_POST
@member(Doing.TRADE)
def option(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Add an option, or rename one (`option` names it), or stop or start offering it."""
    its = get_object_or_404(supplier.properties.select_related("supplier"), pk=pk)
    key = request.POST.get("option", "")
    there = _option(its, key) if key else Option(property=its)
    form = OptionForm.of(request, there)
    changed = "; ".join(f"{one.label}: {one.was} → {one.now}" for one in form.meanwhile)
    try:
        if form.may_be_kept() and form.keep(lambda: save_tracked_option(form.instance, by=request.user)):
            messages.success(request, f"{form.instance.name} is saved.")
            return redirect("desk:property", slug=supplier.slug, pk=pk)
    except ProvenderError as error:
        form.add_error("name", error.sentence)
    if "name" not in form.errors:
        messages.error(request, f"Somebody changed it while you were at it, so yours isn’t saved. {changed}".strip())
        return redirect("desk:property", slug=supplier.slug, pk=pk)
    context = {"form": PropertyForm(instance=its), "title": its.name, "property": its, "options": _options(its, form)}
    return render(request, "desk/properties/property.html", context)


def _option(its: Property, key: str) -> Option:
    try:
        return get_object_or_404(its.options.select_related("property__supplier"), pk=UUID(key))
    except ValueError:
        raise Http404("No such option.") from None


@member(Doing.TRADE)
def delete(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Ask, saying what goes with it; then delete the property."""
    its = get_object_or_404(supplier.properties.select_related("supplier"), pk=pk)
    if request.method == "POST":
        delete_property(its, by=request.user)
        messages.success(request, f"{its.name} is deleted.")
        return redirect("desk:properties", slug=supplier.slug)
    return render(request, "desk/properties/delete.html", {"property": its, "values": its.values.count()})


# --- values -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Card:
    """The properties of one document: `fixed` when dropdowns can't be chosen there any more."""

    kind: str
    pk: UUID
    fields: list[Field]
    fixed: bool = False


def card(supplier: Supplier, kind: str, document: Any) -> Card:
    """What a page shows of the document's properties."""
    placed = isinstance(document, Order) and document.status != Order.Status.DRAFT
    void = isinstance(document, Invoice) and document.status == Invoice.Status.VOID
    return Card(kind, document.pk, fields_of(supplier, kind, document.pk), placed or void)


@require_POST
@member(Doing.TRADE)
@transaction.atomic
def values(request: DeskRequest, supplier: Supplier, kind: str, pk: UUID) -> HttpResponse:
    """Save the properties card of one document."""
    document = _document(supplier, kind, pk)
    hold(document)
    sent, changed, moved = request.POST, [], []
    for field in fields_of(supplier, kind, pk):
        its, key = field.property, str(field.property.pk)
        typed, now = sent.get(key), field.value
        seen = sent.get(f"seen-{key}", now)
        if typed in {None, seen}:  # left as the page showed it
            continue
        if now not in {seen, typed}:
            moved.append(f"{its.name} is {field.shown or 'nothing'} by now")
        elif _save(its, kind, document, typed, request.user):
            changed.append(its.name)
    if changed:
        messages.success(request, f"Saved: {', '.join(changed)}.")
    if moved:
        messages.error(request, f"{'; '.join(moved)}: somebody changed it while you were at it, so yours isn’t saved.")
    if not changed and not moved:
        messages.info(request, "Nothing was changed.")
    return back(request)


def _save(its: Property, kind: str, document: Any, text: str, by: User) -> bool:
    its.supplier = document.supplier
    if isinstance(document, Order):
        return set_order_property(document, its, text, by=by)
    if isinstance(document, Invoice):
        return set_invoice_property(document, its, text, by=by)
    return set_value(its, kind, document.pk, text, by=by)


def _document(supplier: Supplier, kind: str, pk: UUID) -> Any:
    rows: dict[str, Any] = {
        Kind.PRODUCT.value: supplier.products,
        Kind.CUSTOMER.value: supplier.customers,
        Kind.ORDER.value: supplier.orders,
        Kind.INVOICE.value: supplier.invoices,
    }
    if kind not in rows:
        raise Http404("Nothing of that kind has properties.")
    return get_object_or_404(rows[kind].select_related("supplier"), pk=pk)


class ChooseOption(forms.Form):
    """One option of one dropdown, for many documents of a kind."""

    option = forms.ChoiceField(
        label="Property and option",
        error_messages={"required": "Choose one."},
        help_text="For orders that are placed from now on. Lines that were placed keep what they carry.",
    )

    def __init__(self, supplier: Supplier, typed: QueryDict | None) -> None:
        super().__init__(typed)
        dropdowns = properties_for(supplier, Kind.PRODUCT).filter(type=Property.Type.DROPDOWN)
        field: Any = self.fields["option"]
        field.choices = [
            (its.name, [*((f"{its.pk} {one.pk}", one.name) for one in its.options.filter(active=True)),
                        (f"{its.pk} ", f"No {its.name}")])
            for its in dropdowns
        ]  # fmt: skip
        if not field.choices:
            field.help_text = "There is no dropdown property for products yet. Make one under Settings, Properties."
