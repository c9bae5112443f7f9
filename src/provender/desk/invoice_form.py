"""An invoice or a credit note as it is typed: what stands above its lines, the lines, and what it will come to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date as Date  # noqa: N812 -- `date` is what a document calls it
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.http import QueryDict

from provender.basics.errors import ProvenderError
from provender.basics.money import show_quantity, type_price
from provender.desk.choosing import date_input
from provender.desk.forms import NearDateField
from provender.desk.order_form import CHARGES, LONGEST_DESCRIPTION, Row, columns_of, row_of_charge
from provender.invoicing.models import CreditNote, DocumentLine, Invoice, InvoiceLine, LineKind
from provender.invoicing.totals import LineDraft, Totals, build_lines, draft_of, sum_lines
from provender.payments.amending import Difference, billed_lines, due_date_moves, stays_as_issued, weigh_difference
from provender.suppliers.models import Supplier, TaxKind
from provender.sync.amending import closed_in_xero

NAMES = ("charge_key", "charge_item", "charge_quantity", "charge_price", "charge_kind", "charge_tax")

# Why a field stays as it was issued once money is on the invoice.
STAYS = {
    "date": "Stays: Xero takes no other date once something is paid or credited.",
    "due_date": "Stays: nothing is left to pay, or its money is in Xero alone. What is billed further has a due date of"
    " its own.",
    "purchase_order": "Stays: it is part of the reference in Xero, which is closed to changes too.",
    "comment": "Stays: in Xero it is a line of the invoice.",
}
MOVES = "Can be another while something is left to pay: Xero takes that, too."
AMENDED = "Stays: what amends the invoice was made from it as it is."


class InvoiceHeaderForm(forms.Form):
    """What stands above an invoice's lines."""

    date = NearDateField(label="Date", widget=date_input())
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


class LinesSheet:
    """The form of a document's lines; lines that stay keep their product, SKU, account and options."""

    header_form: type[forms.Form]

    def __init__(
        self,
        supplier: Supplier,
        current: Iterable[DocumentLine],
        header: Mapping[str, Any],
        *,
        typed: QueryDict | None = None,
        judge: bool = False,
    ) -> None:
        """`header` is what its fields begin with. With `judge` what is wrong shows; without, it is being written."""
        self.supplier, self.show_errors = supplier, judge
        initial: dict[str, Any] = dict(header) if typed is None else typed.dict()
        self.header = self.header_form(typed if judge else None, initial=initial)
        self.header.fields["date"].stays = header["date"]  # type: ignore[attr-defined]  # it is a NearDateField
        self.current = {str(line.key): line for line in current}
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
            built = build_lines(InvoiceLine, self.supplier, [draft for draft in drafts if draft], rates)
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
        """The form as the actions take it."""
        return {**self.header.cleaned_data, "lines": self.drafts}


class InvoiceSheet(LinesSheet):
    """The next version of an invoice."""

    header_form = InvoiceHeaderForm

    def __init__(self, invoice: Invoice, *, typed: QueryDict | None = None, judge: bool = False) -> None:
        self.seen = _version_seen(typed, invoice)
        header = {name: getattr(invoice, name) for name in InvoiceHeaderForm.base_fields}
        self.closed = closed_in_xero(invoice)  # what has money in Xero alone
        # Then its form begins with what is billed by now, and only lines change.
        self.stays = stays_as_issued(invoice, self.closed)
        lines: Iterable[InvoiceLine] = invoice.lines.all()
        if self.stays:
            rates = {line.tax_kind: line.tax_rate for line in lines}
            lines = build_lines(InvoiceLine, invoice.supplier, billed_lines(invoice), rates)
        super().__init__(invoice.supplier, lines, header, typed=typed, judge=judge)
        self.moves_due_date = self.stays and due_date_moves(invoice, self.closed)
        if self.stays:
            typed_due = {"due_date": typed["due_date"]} if self.moves_due_date and typed and "due_date" in typed else {}
            self.header.initial = header | typed_due  # whatever else was typed
            moneyed = invoice.has_money or invoice.pk in self.closed
            for name, field in self.header.fields.items():
                if name == "due_date" and self.moves_due_date:
                    field.help_text = MOVES
                    continue
                field.disabled, field.help_text = True, STAYS[name] if moneyed else AMENDED
        self.difference: Difference | None = None
        if self.stays and not self.trouble:
            self.difference = weigh_difference(invoice, self.drafts, closed=self.closed)


class CreditHeaderForm(forms.Form):
    """What stands above a credit note's lines."""

    date = NearDateField(label="Date", widget=date_input())
    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What came back, or what was charged too much. The customer reads it.",
    )
    beyond = forms.BooleanField(
        label="Give back more than the invoice came to",
        required=False,
        help_text="Only if it is meant: together its credit notes may otherwise give back no more.",
    )


class CreditSheet(LinesSheet):
    """A credit note: a new one, which begins with an invoice's lines or with none, or one that is there."""

    header_form = CreditHeaderForm

    def __init__(
        self,
        supplier: Supplier,
        source: Invoice | CreditNote | None,
        *,
        date: Date,
        typed: QueryDict | None = None,
        judge: bool = False,
    ) -> None:
        """A new one is dated `date`."""
        invoice = source if isinstance(source, Invoice) else source.invoice if source else None
        header = {"date": date, "reason": ""}
        if isinstance(source, CreditNote):
            header = {"date": source.date, "reason": source.reason}
            self.seen = _version_seen(typed, source)
        super().__init__(supplier, source.lines.all() if source else [], header, typed=typed, judge=judge)
        if invoice is None:
            del self.header.fields["beyond"]
        if source is None and typed is None:
            self.charges = [Row(kind=LineKind.OTHER)]


def _version_seen(typed: QueryDict | None, document: Invoice | CreditNote) -> int:
    """The version that the page showed."""
    seen = typed.get("seen", "") if typed is not None else ""
    return int(seen) if seen.isdecimal() else document.version


def _row_of(line: DocumentLine) -> Row:
    return Row(
        key=str(line.key),
        item=line.description,
        quantity=show_quantity(line.quantity),
        price=type_price(line.unit_price),
        kind=line.kind,
        tax=line.tax_kind,
    )
