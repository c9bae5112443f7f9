"""The next version of an invoice as it is typed: its dates, numbers and lines, and what it will come to."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.http import QueryDict

from provender.basics.errors import ProvenderError
from provender.basics.money import show_price, show_quantity
from provender.desk.choosing import date_input
from provender.desk.order_form import CHARGES, LONGEST_DESCRIPTION, Row, columns_of, row_of_charge
from provender.invoicing.models import Invoice, InvoiceLine, LineKind
from provender.invoicing.totals import LineDraft, Totals, build_lines, draft_of, sum_lines
from provender.suppliers.models import TaxKind

NAMES = ("charge_key", "charge_item", "charge_quantity", "charge_price", "charge_kind", "charge_tax")


class InvoiceHeaderForm(forms.Form):
    """What stands above an invoice's lines."""

    date = forms.DateField(label="Date", widget=date_input())
    due_date = forms.DateField(label="Due date", widget=date_input())
    purchase_order = forms.CharField(label="Purchase order number", max_length=100, required=False)
    comment = forms.CharField(
        label="Customer’s comment", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        if (due := typed.get("due_date")) and (dated := typed.get("date")) and due < dated:
            self.add_error("due_date", "An invoice falls due on its own date or later.")
        return typed


class InvoiceSheet:
    """The form of an invoice that is there; lines that stay keep their product, SKU and account."""

    def __init__(self, invoice: Invoice, *, typed: QueryDict | None = None, judge: bool = False) -> None:
        """With `judge` what is wrong shows; without, the form is still being written."""
        self.invoice, self.show_errors = invoice, judge
        seen = typed.get("seen", "") if typed is not None else ""
        self.seen = int(seen) if seen.isdecimal() else invoice.version  # the version that the page showed
        names = InvoiceHeaderForm.base_fields
        initial = typed.dict() if typed is not None else {name: getattr(invoice, name) for name in names}
        self.header = InvoiceHeaderForm(typed if judge else None, initial=initial)
        self.current = {str(line.key): line for line in invoice.lines.all()}
        if typed is not None:
            self.charges = [row_of_charge(values) for values in columns_of(typed, *NAMES)]
        else:
            self.charges = [_row_of(line) for line in self.current.values()]
        for row in self.charges:
            row.sku = self.current[row.key].sku if row.key in self.current else ""
        self.drafts: list[LineDraft] = []
        self.totals: Totals | None = None
        self.trouble = ""
        self._read()

    def _read(self) -> None:
        rows = [row for row in self.charges if row.item.strip() or row.price.strip()]
        drafts = [self._draft(row) for row in rows]
        rates = {line.tax_kind: line.tax_rate for line in self.current.values()}
        try:
            built = build_lines(InvoiceLine, self.invoice.supplier, [draft for draft in drafts if draft], rates)
        except ProvenderError as error:
            self.trouble = error.sentence
            return
        for row, line in zip([row for row, draft in zip(rows, drafts, strict=True) if draft], built, strict=True):
            row.amount = line.amount
        self.drafts, self.totals = [draft for draft in drafts if draft], sum_lines(built)

    def _draft(self, row: Row) -> LineDraft | None:
        """The line as it is asked for, or None with what is wrong noted on the row."""
        twin = self.current.get(row.key)
        quantity, price = row.read_number("quantity", "quantity"), row.read_number("price", "unit price")
        if quantity is None and not row.quantity.strip():
            quantity = Decimal(1)
        if not row.item.strip():
            row.errors["item"] = "Write what it is for."
        elif len(row.item) > LONGEST_DESCRIPTION:
            row.errors["item"] = f"Write it in {LONGEST_DESCRIPTION} characters."
        if price is None and not row.price.strip():
            row.errors["price"] = "Write its price."
        if row.errors or quantity is None or price is None:
            return None
        wanted: dict[str, Any] = {"description": row.item.strip(), "quantity": quantity, "unit_price": price}
        wanted["tax_kind"] = row.tax if row.tax in TaxKind.values else TaxKind.GST
        wanted["kind"] = row.kind if row.kind in dict(CHARGES) else LineKind.OTHER
        if twin and twin.sku:
            wanted["kind"] = twin.kind
        return replace(draft_of(twin), **wanted) if twin else LineDraft(key=row.line_key or uuid4(), **wanted)

    def change(self, do: str) -> None:
        """What the form's own buttons do to it: one line more, or one less."""
        if do == "charge":
            self.charges.append(Row(kind=LineKind.OTHER))
        elif do.startswith("drop-") and do[5:].isdecimal() and int(do[5:]) < len(self.charges):
            del self.charges[int(do[5:])]
            self._read()

    def is_valid(self) -> bool:
        """Whether it can be saved."""
        fine = self.header.is_valid()
        if self.trouble:
            self.header.add_error(None, self.trouble)
        return fine and not self.header.errors and not any(row.errors for row in self.charges)

    def refuse(self, error: ProvenderError) -> None:
        """Show what an action found wrong."""
        self.header.add_error(None, error.sentence)

    @property
    def kinds(self) -> Sequence[tuple[str, str]]:
        """What a line may be, as the form's choices."""
        return CHARGES

    @property
    def kept(self) -> dict[str, Any]:
        """The form as `revise_invoice` takes it."""
        names = ("date", "due_date", "purchase_order", "comment")
        return {name: self.header.cleaned_data[name] for name in names} | {"lines": self.drafts}


def _row_of(line: InvoiceLine) -> Row:
    return Row(
        key=str(line.key),
        item=line.description,
        quantity=show_quantity(line.quantity),
        price=show_price(line.unit_price),
        kind=line.kind,
        tax=line.tax_kind,
    )
