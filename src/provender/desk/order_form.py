"""An order as it is typed: the header, rows of goods, rows of charges; and what it comes to while it is typed.

The rows are repeated fields (`item`, `quantity`, `price`, …), one after the other; empty rows don't count. An empty
price means: what it costs this customer on that day (`customers.prices`), or for freight what the freight group says.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from django import forms
from django.http import QueryDict
from django.urls import reverse

from provender.basics import clock
from provender.basics.errors import ProvenderError
from provender.basics.money import read_number, show_quantity, type_price
from provender.catalogue.models import Product
from provender.customers.models import Customer
from provender.customers.queries import due_date
from provender.customers.wording import terms_of
from provender.desk.choosing import SUGGESTED, as_uuid, customers_named, date_input, products_named, suggesting
from provender.desk.forms import NearDateField
from provender.invoicing.models import InvoiceLine, LineKind
from provender.invoicing.totals import Totals, build_lines, sum_lines
from provender.ordering.errors import QuantityNotPositive
from provender.ordering.lines import TYPED, OrderLineDraft, invoice_lines, price_lines, wanted_lines
from provender.ordering.models import Order, OrderLine
from provender.payments.amending import Difference, stays_as_issued, weigh_difference
from provender.properties.models import Kind, Option, Property
from provender.properties.queries import Carried, Field, choose_for_lines, fields_of
from provender.suppliers.models import Supplier, TaxKind
from provender.sync.amending import closed_in_xero

BLANK_ROWS = 5  # offered at first, and by "More rows"
BLANK_AHEAD = 2  # kept below what is being typed
LONGEST_DESCRIPTION = 4000
CHARGES = [
    (LineKind.FREIGHT.value, "Freight"),
    (LineKind.SURCHARGE.value, "Surcharge"),
    (LineKind.OTHER.value, "Other"),
    (LineKind.PRODUCT.value, "Goods without a SKU"),
]


class HeaderForm(forms.Form):
    """What stands above an order's lines."""

    customer = forms.CharField(
        label="Customer", max_length=255, help_text="Its name or number.",
        error_messages={"required": "Who is it for?"},
    )  # fmt: skip
    delivery_date = NearDateField(label="Delivery date", required=False, widget=date_input())
    purchase_order = forms.CharField(label="Purchase order number", max_length=100, required=False)
    order_date = NearDateField(label="Order date", widget=date_input())
    comment = forms.CharField(
        label="Customer’s comment", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="It stands on the invoice, in Xero too.",
    )  # fmt: skip

    def __init__(self, *args: Any, supplier: Supplier, order: Order | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if order is None:
            url = reverse("desk:order-customers", args=[supplier.slug])
            self.fields["customer"].widget.attrs |= {"autofocus": True, **suggesting(url, "customer-names")}
        else:
            del self.fields["customer"]
            for name in ("delivery_date", "order_date"):
                self.fields[name].stays = getattr(order, name)  # type: ignore[attr-defined]  # they are NearDateFields
        for name in ("customer", "delivery_date", "purchase_order"):
            if name in self.fields:
                self.fields[name].widget.attrs["data-stop"] = ""


@dataclass
class Row:
    """One line as it was typed, what is wrong with it, and what it came to."""

    key: str = ""
    item: str = ""  # SKU or name; of a charge: the description
    quantity: str = ""
    price: str = ""
    kind: str = LineKind.PRODUCT
    tax: str = TaxKind.GST
    sku: str = ""  # of an invoice's line whose product stays
    errors: dict[str, str] = field(default_factory=dict)
    draft: OrderLineDraft | None = None
    line: OrderLine | None = None
    amount: Decimal | None = None
    carried: list[Carried] = field(default_factory=list)  # the options that it carries, or will once placed

    @property
    def is_blank(self) -> bool:
        return not (self.item.strip() or self.quantity.strip() or self.price.strip())

    def read_number(self, name: str, what: str) -> Decimal | None:
        """The number in that field; None when there is none, or none that can be read."""
        text: str = getattr(self, name)
        if not text.strip():
            return None
        try:
            return read_number(text, places=4, what=what)
        except ProvenderError as error:
            self.errors[name] = error.sentence
            return None

    def read_quantity(self, default: Decimal | None = None) -> Decimal:
        """How many; 1 while it isn't said or can't be read, with the error noted."""
        quantity = self.read_number("quantity", "quantity")
        if quantity is None and not self.quantity.strip():
            quantity = default
            if default is None:
                self.errors["quantity"] = "How many?"
        if quantity is not None and quantity <= 0:
            self.errors["quantity"] = QuantityNotPositive(self.item, show_quantity(quantity)).sentence
        return quantity if quantity is not None and quantity > 0 else Decimal(1)

    @property
    def line_key(self) -> uuid.UUID | None:
        return as_uuid(self.key)


@dataclass
class ChosenOption:
    """A dropdown property of the order, with the id of the option chosen on the form, or ""."""

    field: Field
    value: str

    @property
    def name(self) -> str:
        """Its name in the form."""
        return f"property-{self.field.property.pk}"

    @property
    def option(self) -> Option | None:
        return next((each for each in self.field.options if str(each.pk) == self.value), None)


def stamp(order: Order | None) -> str:
    """What tells a page whether the order is still as it was shown."""
    return order.changed_at.isoformat() if order else ""


class Sheet:
    """The whole form: typed (`typed`), or of an order that is there, or a new one, for `customer` when it is known."""

    def __init__(
        self,
        supplier: Supplier,
        order: Order | None = None,
        *,
        typed: QueryDict | None = None,
        judge: bool = False,
        customer: Customer | None = None,
    ) -> None:
        """With `judge` what is wrong shows; without, the form is still being written."""
        self.supplier, self.order, self.show_errors = supplier, order, judge
        self.seen = typed.get("seen", "") if typed is not None else stamp(order)
        self.once = (as_uuid(typed.get("once", "")) if typed is not None else None) or uuid.uuid4()
        initial = typed.dict() if typed is not None else self._header_of(order, customer)
        self.anew = typed is not None and bool(typed.get("anew"))  # of a placed order: find its prices again
        self.moved = 0  # lines of a placed order whose price is another by now
        self.header = HeaderForm(typed if judge else None, supplier=supplier, order=order, initial=initial)
        self.current = list(order.lines.select_related("product")) if order else []
        self.candidates: list[Customer] = []  # when the text could mean several
        self.customer = self._customer(typed, order, customer)
        self.goods, self.charges = self._typed_rows(typed) if typed is not None else self._rows_of(order)
        self._find_products()
        for row in self.charges:
            self._read_charge(row)
        self.options = self._read_options(typed)
        self._price()

    # --- reading ---------------------------------------------------------------------------------------------------

    def _header_of(self, order: Order | None, customer: Customer | None) -> dict[str, Any]:
        if order is None:
            return {
                "order_date": clock.today(self.supplier.time_zone),
                "customer": customer.trading_name if customer else "",
            }
        names = ("order_date", "delivery_date", "purchase_order", "comment")
        return {name: getattr(order, name) for name in names}

    def _customer(self, typed: QueryDict | None, order: Order | None, customer: Customer | None) -> Customer | None:
        if order is not None:
            return order.customer
        if typed is None or not (text := typed.get("customer", "").strip()):
            return customer
        found = customers_named(self.supplier, text).select_related("price_list", "freight_group")
        some = list(found.filter(active=True).order_by("trading_name")[:SUGGESTED]) or list(found[:SUGGESTED])
        picked = as_uuid(typed.get("customer_id", ""))
        some = [each for each in some if each.pk == picked] or some
        self.candidates = some if len(some) > 1 else []
        return some[0] if len(some) == 1 else None

    def _typed_rows(self, typed: QueryDict) -> tuple[list[Row], list[Row]]:
        goods = [
            Row(key, item, quantity, price)
            for key, item, quantity, price in columns_of(typed, "key", "item", "quantity", "price")
        ]
        names = ("charge_key", "charge_item", "charge_quantity", "charge_price", "charge_kind", "charge_tax")
        return goods, [row_of_charge(values) for values in columns_of(typed, *names)]

    def _rows_of(self, order: Order | None) -> tuple[list[Row], list[Row]]:
        goods = [_row_of(line) for line in self.current if line.product]
        charges = [_row_of(line) for line in self.current if not line.product]
        if not any(row.kind == LineKind.FREIGHT for row in charges):
            # An order that was left without freight stays so until somebody clears the zero.
            price, tax = "0.00" if order else "", self.supplier.freight_tax_kind
            charges.insert(0, Row(item="Freight", kind=LineKind.FREIGHT, price=price, tax=tax))
        goods += [Row() for _ in range(BLANK_AHEAD + 1 if order else BLANK_ROWS)]
        return goods, charges

    def _find_products(self) -> None:
        """One query for the SKUs that are written as they are; the rest one by one."""
        wanted = {row.item.strip() for row in self.goods}
        exact = {product.sku: product for product in self.supplier.products.filter(sku__in=wanted - {""})}
        for row in self.goods:
            if not row.is_blank:
                self._read_goods(row, exact)

    def _read_goods(self, row: Row, exact: Mapping[str, Product]) -> None:
        text = row.item.strip()
        found = [exact[text]] if text in exact else products_named(self.supplier, text) if text else []
        if not text:
            row.errors["item"] = "Which product?"
        elif not found:
            row.errors["item"] = (
                f"No product has “{text}” as its SKU or in its name. What has no SKU goes under charges."
            )
        elif len(found) > 1:
            some = ", ".join(f"{product.sku} ({product.name})" for product in found[:4])
            row.errors["item"] = f"Several could be meant: {some}. Write the SKU."
        quantity, price = row.read_quantity(), row.read_number("price", "unit price")
        if len(found) == 1:
            row.item = found[0].sku
            row.draft = OrderLineDraft(quantity, found[0], unit_price=price, key=row.line_key)

    def _read_charge(self, row: Row) -> None:
        if row.kind not in dict(CHARGES):
            row.kind = LineKind.OTHER
        row.tax = row.tax if row.tax in TaxKind.values else TaxKind.GST
        freight = row.kind == LineKind.FREIGHT
        if not (row.item.strip() or row.price.strip()) and not freight:
            return
        quantity, price = row.read_quantity(Decimal(1)), row.read_number("price", "unit price")
        if not row.item.strip() and not freight:
            row.errors["item"] = "Write what it is for."
        elif len(row.item) > LONGEST_DESCRIPTION:
            row.errors["item"] = f"Write it in {LONGEST_DESCRIPTION} characters."
        if price is None and not row.price.strip() and not freight:
            row.errors["price"] = "Write its price; only products have prices of their own."
        if not row.errors:
            row.draft = OrderLineDraft(
                quantity, description=row.item.strip(), unit_price=price, kind=row.kind, tax_kind=row.tax,
                key=row.line_key,
            )  # fmt: skip

    # --- what it comes to ------------------------------------------------------------------------------------------

    @property
    def rows(self) -> list[Row]:
        return [*self.goods, *self.charges]

    @property
    def drafts(self) -> list[OrderLineDraft]:
        return [row.draft for row in self.rows if row.draft]

    @property
    def placed(self) -> bool:
        return self.order is not None and self.order.status != Order.Status.DRAFT

    @cached_property
    def stays(self) -> bool:
        """Whether the order's invoice stays as it was issued, whatever is saved here."""
        invoice = self.order.invoice if self.order else None
        return invoice is not None and stays_as_issued(invoice, self.closed)

    @cached_property
    def closed(self) -> frozenset[uuid.UUID]:
        """What of the order's invoices has money in Xero alone."""
        return closed_in_xero(self.order.invoice if self.order else None)

    @property
    def is_draft(self) -> bool:
        return not self.placed

    def _price(self) -> None:
        """Prices and sums of the rows that can be read; until a customer is known, at base prices."""
        whose = self.customer or Customer(supplier=self.supplier)
        rows = [row for row in self.rows if row.draft]
        self.totals: Totals | None = None
        self.difference: Difference | None = None
        try:
            lines = self._priced(whose, anew=self.anew)
            built = build_lines(InvoiceLine, self.supplier, invoice_lines(lines), self._issued_rates())
            if self.order and self.order.invoice and self.stays:
                wanted = wanted_lines(self.order.invoice, lines)
                self.difference = weigh_difference(self.order.invoice, wanted, closed=self.closed)
        except ProvenderError as error:
            self.trouble = error.sentence
            return
        self.trouble = ""
        for row, line, priced in zip(rows, lines, built, strict=True):
            row.line, row.amount = line, priced.amount
        self.totals = sum_lines(built)
        self._track([row for row in rows if row.line])
        if self.placed:
            fresh = self._priced(whose, anew=not self.anew)
            self.moved = sum(one.unit_price != other.unit_price for one, other in zip(lines, fresh, strict=True))

    def _priced(self, whose: Customer, *, anew: bool) -> list[OrderLine]:
        return price_lines(whose, self.drafts, self.current, on=self.priced_on, placed=self.placed, anew=anew)

    @cached_property
    def priced_on(self) -> date:
        """The day whose prices count: the delivery date as typed, else the order's date."""
        days = (_date(self.header, name) for name in ("delivery_date", "order_date"))
        return next(filter(None, days), None) or clock.today(self.supplier.time_zone)

    # --- what lines will carry -------------------------------------------------------------------------------------

    def _read_options(self, typed: QueryDict | None) -> list[ChosenOption]:
        """The dropdowns of an order, each with what is chosen: typed, else saved."""
        pk = self.order.pk if self.order else self.once
        fields = fields_of(self.supplier, Kind.ORDER, pk)
        chosen = [ChosenOption(each, each.value) for each in fields if each.property.type == Property.Type.DROPDOWN]
        if typed is not None and not self.placed:
            for each in chosen:
                each.value = typed.get(each.name, each.value)
        return chosen

    @property
    def tracks(self) -> bool:
        """Whether lines may carry an option: then each row has room to say which."""
        return bool(self.options) or any(row.carried for row in self.rows)

    def _track(self, rows: Sequence[Row]) -> None:
        """Which option each line carries and why, as long as it isn't placed by what is chosen on this form."""
        lines = [row.line for row in rows if row.line]
        fresh = choose_for_lines(
            self.supplier,
            [line.product_id for line in lines],
            customer=self.customer.pk if self.customer else None,
            order=self.order.pk if self.order else self.once,
            invoice=self.order.invoice_id if self.order else None,
            on_order={each.field.property.pk: each.option for each in self.options},
        )
        for row, line, found in zip(rows, lines, fresh, strict=True):
            row.carried = found if line.tracking is None else line.tracking

    @property
    def options_changed(self) -> list[ChosenOption]:
        """Those that the form chooses anew; none on an order that is placed."""
        return [] if self.placed else [each for each in self.options if each.value != each.field.value]

    def _issued_rates(self) -> dict[str, Decimal]:
        """The rates that the order's invoice was issued at: its next version keeps them."""
        if self.order is None or self.order.invoice is None:
            return {}
        lines = InvoiceLine.objects.filter(invoice=self.order.invoice)
        return dict(lines.values_list("tax_kind", "tax_rate").distinct())

    @cached_property
    def due(self) -> date | None:
        """When its invoice will fall due, as far as that is known."""
        if self.customer is None:
            return None
        ordered = _date(self.header, "order_date") or clock.today(self.supplier.time_zone)
        delivered = _date(self.header, "delivery_date")
        at_delivery = self.customer.invoice_at == Customer.InvoiceAt.DELIVERY
        dated = delivered if at_delivery and delivered else ordered
        return due_date(self.customer, order_date=ordered, delivery_date=delivered, dated=dated)

    @property
    def terms(self) -> str:
        """The customer's payment terms in words."""
        return terms_of(self.customer) if self.customer else ""

    # --- changing the form, and judging it -------------------------------------------------------------------------

    def add_rows(self, count: int = BLANK_ROWS) -> list[Row]:
        """That many empty rows more."""
        new = [Row() for _ in range(count)]
        self.goods += new
        return new

    def blanks_missing(self) -> int:
        """How many empty rows should follow so that typing needn't stop."""
        blank = 0
        for row in reversed(self.goods):
            if not row.is_blank:
                break
            blank += 1
        return max(0, BLANK_AHEAD - blank)

    def change(self, do: str) -> None:
        """What the form's own buttons do to it: more rows, one charge more, one line or charge less."""
        what, _, which = do.partition("-")
        rows = {"remove": self.goods, "drop": self.charges}.get(what, [])
        if do == "rows":
            self.add_rows()
        elif do == "charge":
            self.charges.append(Row(kind=LineKind.SURCHARGE, tax=self.supplier.surcharge_tax_kind))
        elif which.isdecimal() and int(which) < len(rows):
            del rows[int(which)]
            self._price()

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """What a charge may be, as the form's choices."""
        return CHARGES

    def is_valid(self) -> bool:
        """Whether it can be saved."""
        fine = self.header.is_valid()
        if "customer" in self.header.fields and self.customer is None and "customer" not in self.header.errors:
            many = (
                "Several customers could be meant. Choose one."
                if self.candidates
                else "No customer has that name or number."
            )
            self.header.add_error("customer", many)
        if self.trouble:
            self.header.add_error(None, self.trouble)
        return fine and not self.header.errors and not any(row.errors for row in self.rows)

    def refuse(self, error: ProvenderError) -> None:
        """Show what an action found wrong."""
        self.header.add_error(None, error.sentence)

    def is_older_than(self, order: Order) -> bool:
        """Whether somebody saved the order since the page was made."""
        return bool(self.seen) and self.seen != stamp(order)

    @property
    def kept(self) -> dict[str, Any]:
        """The header as the actions take it."""
        names = ("order_date", "delivery_date", "purchase_order", "comment")
        return {name: self.header.cleaned_data[name] for name in names}


def columns_of(typed: QueryDict, *names: str) -> Iterable[tuple[str, ...]]:
    """The repeated fields, row by row. A forged form may hold columns of different lengths: the shortest counts."""
    return zip(*(typed.getlist(name) for name in names), strict=False)


def row_of_charge(values: tuple[str, ...]) -> Row:
    """A line without a product, from its fields in the order key, item, quantity, price, kind, tax."""
    key, item, quantity, price, kind, tax = values
    return Row(key, item, quantity, price, kind, tax)


def _row_of(line: OrderLine) -> Row:
    return Row(
        key=str(line.key),
        item=line.product.sku if line.product else line.description,
        quantity=show_quantity(line.quantity),
        price=type_price(line.unit_price) if line.price_from == TYPED else "",
        kind=line.kind,
        tax=line.tax_kind,
    )


def _date(form: forms.Form, name: str) -> date | None:
    """The date in that field, if it can be read."""
    try:
        day: date | None = form.fields[name].clean(form[name].value())
    except forms.ValidationError:
        return None
    return day
