"""What happens to an order, from draft to delivered or cancelled. Each function is one transaction."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from enum import Enum
from functools import partial
from uuid import UUID

from django.db import transaction

from provender.basics import clock
from provender.basics.money import show_amount
from provender.basics.rows import hold, replace_rows
from provender.customers.models import Customer
from provender.customers.queries import due_date
from provender.invoicing.actions import revise_invoice
from provender.invoicing.errors import InvoiceHasMoney
from provender.invoicing.models import Invoice, LineKind
from provender.invoicing.totals import LineDraft
from provender.invoicing.totals import draft_of as line_draft
from provender.ordering.errors import (
    AnotherWholesalersGoods,
    CustomerSwitchedOff,
    EmptyOrder,
    NegativeOrder,
    WrongStatus,
)
from provender.ordering.lines import (
    TYPED,
    OrderLineDraft,
    choose_tracking,
    draft_of,
    invoice_lines,
    price_lines,
    refuse_switched_off,
    take_own_keys,
    totals_of,
    wanted_lines,
)
from provender.ordering.models import Order, OrderLine
from provender.payments.amending import (
    Amended,
    Way,
    Whole,
    amend_invoice,
    credit_whole,
    stays_as_issued,
)
from provender.payments.credits import bill, can_be_changed, cancel_invoice, credits_aside
from provender.people.models import User
from provender.properties.actions import set_value
from provender.properties.models import Property
from provender.properties.queries import Carried, choose_for_lines
from provender.suppliers.actions import hold_numbers, take_free_number
from provender.suppliers.models import Supplier
from provender.timeline.actions import tell
from provender.timeline.wording import what_changed

KIND = "order"  # the story and the counter know orders by this word
Status = Order.Status


class Keep(Enum):
    """Said instead of a value that may itself be None."""

    AS_IT_IS = "as it is"


@transaction.atomic
def create_order(
    supplier: Supplier,
    customer: Customer,
    *,
    lines: Sequence[OrderLineDraft],
    order_date: date | None = None,
    delivery_date: date | None = None,
    purchase_order: str = "",
    comment: str = "",
    once: UUID | None = None,
    by: User | None,
) -> Order:
    """A draft with the supplier's next order number; without an order date it is today's in the supplier's zone.

    A form that is sent twice sends the same `once`: the second time the order that the first made comes back, as it is.

    Raises CustomerSwitchedOff, ProductSwitchedOff, AnotherWholesalersGoods, ValidationError, and what `price_lines`
    raises.
    """
    if once is not None:
        hold_numbers(supplier, KIND)  # whoever comes second waits here until the first is in
        if there := Order.objects.filter(supplier=supplier, pk=once).first():
            return there
    refuse_switched_off(line.product for line in lines)
    order = Order(supplier=supplier, customer=customer, purchase_order=purchase_order, comment=comment)
    order.pk = once or order.pk
    order.order_date = order_date or clock.today(supplier.time_zone)
    order.delivery_date = delivery_date
    return _write_draft(order, lines, by=by, story="Created")


@transaction.atomic
def duplicate_order(order: Order, *, by: User | None) -> Order:
    """A new draft of today with the same customer and goods, at today's prices; typed prices stay as typed.

    Products that were switched off since come along: placing names them. Raises CustomerSwitchedOff.
    """
    lines = [draft_of(line) for line in order.lines.select_related("product")]
    copy = Order(supplier=order.supplier, customer=order.customer, order_date=clock.today(order.supplier.time_zone))
    fresh = [replace(line, key=None, tax_kind=_fresh_tax_kind(line)) for line in lines]
    return _write_draft(copy, fresh, by=by, story=f"Created as a copy of {order.number}")


@transaction.atomic
def edit_order(
    order: Order,
    *,
    lines: Sequence[OrderLineDraft],
    order_date: date | None = None,
    delivery_date: date | Keep | None = Keep.AS_IT_IS,
    purchase_order: str | None = None,
    comment: str | None = None,
    anew: bool = False,
    way: Way | None = None,
    shown: str = "",
    closed: Collection[UUID] = (),
    by: User | None,
) -> Order:
    """Change an order; what is left out stays. Lines keep their identity by their key.

    A placed or delivered order keeps the prices, names and tax it was placed with and takes the products' present
    account codes; its invoice gets its next version. One with money on it stays as it was issued: `way` says what is
    done about the difference, of which the person was `shown` this (`payments.amending`). So does one that is `closed`,
    with money in Xero alone. With `anew` its prices that nobody typed are found again. When nothing differs, nothing is
    written.
    Raises WrongStatus (cancelled), EmptyOrder, NegativeOrder, InvoiceIsVoid, InvoiceHasMoney (there is a difference and
    no `way`), what `amend_invoice` raises, and what `create_order` raises.
    """
    hold(order)
    if order.status == Status.CANCELLED:
        raise WrongStatus(order, "changed")
    before, current = _copy(order), list(order.lines.select_related("product"))
    order.order_date = order_date or order.order_date
    order.delivery_date = order.delivery_date if isinstance(delivery_date, Keep) else delivery_date
    order.purchase_order = order.purchase_order if purchase_order is None else purchase_order
    order.comment = order.comment if comment is None else comment
    order.clean_fields(exclude={"supplier", "customer", "invoice"})
    placed = order.status != Status.DRAFT
    known = {line.key for line in current}
    refuse_switched_off(line.product for line in lines if line.key not in known)
    priced = price_lines(order.customer, lines, current, on=order.priced_on, placed=placed, anew=anew)
    if placed:
        priced = _ready(order, priced)
        choose_tracking(order, priced)
    stays = order.invoice is not None and stays_as_issued(order.invoice, closed)
    if order.invoice and stays:
        take_own_keys(order.invoice, priced)
    changes = [*what_changed(before, order), *(["lines"] if _content(current) != _content(priced) else [])]
    if changes:
        _save(order, priced)
        tell(order.supplier, KIND, order.pk, f"Changed {', '.join(changes)}", who=by)
    if order.invoice and stays and (changes or way):
        _amend(order, order.invoice, priced, way, shown, by, closed=closed)
    elif order.invoice and not stays and (changes or order.own_total is not None):
        _revise(order, order.invoice, priced, dates_moved=_dates(before) != _dates(order), by=by)
    return order


@transaction.atomic
def amend_order(
    order: Order, *, way: Way, shown: str = "", closed: Collection[UUID] = (), by: User | None
) -> Amended | None:
    """Do something about the difference between an order and what is billed for it; None without an invoice.

    An invoice whose money was taken back since follows, unless it is `closed`, in Xero alone. Twice is once: the
    second time there is no difference. Raises WrongStatus, and what `amend_invoice` raises.
    """
    hold(order)
    if order.status not in (Status.PLACED, Status.DELIVERED):
        raise WrongStatus(order, "amended")
    if order.invoice is None:
        return None
    lines = list(order.lines.all())
    if stays_as_issued(order.invoice, closed):
        return _amend(order, order.invoice, lines, way, shown, by, closed=closed)
    if order.own_total is not None:
        _revise(order, order.invoice, lines, dates_moved=False, by=by)
    return None


@transaction.atomic
def place_order(order: Order, *, by: User | None) -> Order:
    """Make a draft binding: fix its prices, and raise its invoice if the customer is invoiced at placing.

    Prices that nobody typed are found anew; a freight line that comes to nothing is left out. Each line takes its
    tracking options, for good. The invoice is dated
    with the order's date. Raises WrongStatus, EmptyOrder, ProductSwitchedOff, CustomerSwitchedOff, NegativeOrder.
    """
    hold(order)
    if order.status != Status.DRAFT:
        raise WrongStatus(order, "placed")
    current = list(order.lines.select_related("product"))
    refuse_switched_off(line.product for line in current)
    customer = _customer_of(order)
    asked = [draft_of(line) for line in current]
    lines = _ready(order, price_lines(customer, asked, current, on=order.priced_on))
    choose_tracking(order, lines)
    order.status, order.placed_at = Status.PLACED, clock.now()
    if customer.invoice_at == Customer.InvoiceAt.PLACING:
        order.invoice = _raise(order, lines, dated=order.order_date, by=by)
    _save(order, lines)
    tell(order.supplier, KIND, order.pk, f"Placed{_with_invoice(order)}", who=by)
    return order


@transaction.atomic
def deliver_order(order: Order, *, delivered_on: date | None = None, by: User | None) -> Order:
    """Note that a placed order arrived, today unless `delivered_on` says otherwise; raises its invoice if it has none.

    The invoice is dated with the delivery. One that was raised at placing follows when its terms count from the
    delivery. Raises WrongStatus.
    """
    hold(order)
    if order.status != Status.PLACED:
        raise WrongStatus(order, "delivered")
    order.delivery_date = delivered_on or clock.today(order.supplier.time_zone)
    order.status, order.delivered_at = Status.DELIVERED, clock.now()
    lines = list(order.lines.all())
    if order.invoice is None:
        order.invoice = _raise(order, lines, dated=order.delivery_date, by=by)
    elif _may_follow(order.invoice) and order.customer.pays_from_delivery:
        due = _due(order, order.invoice.date)
        with credits_aside(order.invoice, by=by):
            revise_invoice(order.invoice, due_date=due, by=by, why=f"Order {order.number} was delivered")
    order.changed_at = clock.now()
    order.save()
    tell(order.supplier, KIND, order.pk, f"Delivered{_with_invoice(order)}", who=by)
    return order


@transaction.atomic
def cancel_order(
    order: Order, *, then: Whole | None = None, closed: Collection[UUID] = (), by: User | None, why: str = ""
) -> Order:
    """Call off a placed or delivered order, and void its invoice. A draft is deleted instead.

    An invoice with money on it is credited as a whole; `then` says what becomes of the money. Raises WrongStatus, and
    InvoiceHasMoney when nothing says so.
    """
    hold(order)
    if order.status not in (Status.PLACED, Status.DELIVERED):
        raise WrongStatus(order, "cancelled")
    order.status = Status.CANCELLED
    order.cancelled_at = order.changed_at = clock.now()
    order.save()
    because, what = why or f"Order {order.number} was cancelled", "Cancelled"
    if order.invoice and then and stays_as_issued(order.invoice, closed):
        if credit_note := credit_whole(order.invoice, then=then, closed=closed, why=because, by=by):
            what = f"Cancelled; credit note {credit_note.number} over {show_amount(credit_note.total)}"
    elif order.invoice:
        cancel_invoice(order.invoice, by=by, why=because)
    tell(order.supplier, KIND, order.pk, what, who=by, why=why)
    return order


@transaction.atomic
def delete_draft(order: Order, *, by: User | None) -> None:
    """Throw a draft away; its number is not given again. Raises WrongStatus."""
    hold(order)
    if order.status != Status.DRAFT:
        raise WrongStatus(order, "deleted")
    tell(order.supplier, KIND, order.pk, f"Draft {order.number} deleted", who=by)
    order.delete()


@transaction.atomic
def set_order_property(order: Order, its: Property, text: str, *, by: User | None) -> bool:
    """Note what a property is on an order (`properties.actions.set_values`); answers whether it changed.

    The lines of a placed order keep the options that they were placed with, so a dropdown can be chosen on a draft
    only. Raises WrongStatus, and what `set_values` raises.
    """
    hold(order)
    if order.status != Status.DRAFT and its.type == Property.Type.DROPDOWN:
        raise WrongStatus(order, f"given another {its.name}")
    return set_value(its, KIND, order.pk, text, by=by)


@transaction.atomic
def set_invoice_property(invoice: Invoice, its: Property, text: str, *, by: User | None) -> bool:
    """The same on an invoice. Its lines whose option isn't the product's own take a dropdown's, as its next version.

    Choosing nothing gives those lines the order's, or the customer's. Raises InvoiceIsVoid, and what `set_values`
    raises.
    """
    changed = set_value(its, "invoice", invoice.pk, text, by=by)
    if not changed or its.type != Property.Type.DROPDOWN:
        return changed
    order = Order.objects.filter(invoice=invoice).order_by("created_at").first()
    (found,) = choose_for_lines(
        invoice.supplier,
        [None],
        customer=invoice.customer_id,
        order=order.pk if order else None,
        invoice=invoice.pk,
    )
    new = [carried for carried in found if carried["property"] == str(its.pk)]
    lines = [_retracked(line_draft(line), its, new) for line in invoice.lines.all()]
    revise_invoice(invoice, lines=lines, by=by, why=f"{its.name} chosen on the invoice")
    for line in lines:
        OrderLine.objects.filter(order__invoice=invoice, key=line.key).update(tracking=line.tracking)
    return True


def _retracked(line: LineDraft, its: Property, new: list[Carried]) -> LineDraft:
    """The line with another option of that property, unless its product says which."""
    before = list(line.tracking or ())
    mine = [carried for carried in before if carried["property"] == str(its.pk)]
    if any(carried["from"] == "product" for carried in mine):
        return line
    return replace(line, tracking=[carried for carried in before if carried not in mine] + new)


def _fresh_tax_kind(line: OrderLineDraft) -> str:
    """That of freight whose price nobody typed is found anew, as its price is."""
    return "" if line.kind == LineKind.FREIGHT and line.unit_price is None else line.tax_kind


def _write_draft(order: Order, drafts: Sequence[OrderLineDraft], *, by: User | None, story: str) -> Order:
    supplier, customer = order.supplier, order.customer
    if customer.supplier_id != supplier.pk:
        raise AnotherWholesalersGoods(customer.trading_name)
    if not customer.active:
        raise CustomerSwitchedOff(customer)
    order.created_at = order.changed_at = clock.now()
    order.number = take_free_number(supplier, KIND, supplier.order_prefix, partial(_numbers_in_use, supplier))
    order.clean_fields(exclude={"supplier", "customer", "invoice"})
    lines = price_lines(customer, drafts, on=order.priced_on)
    order.save(force_insert=True)
    for line in lines:
        line.order = order
    OrderLine.objects.bulk_create(lines)
    tell(supplier, KIND, order.pk, story, who=by)
    return order


def _numbers_in_use(supplier: Supplier, numbers: Sequence[str]) -> set[str]:
    return set(Order.objects.filter(supplier=supplier, number__in=numbers).values_list("number", flat=True))


def _customer_of(order: Order) -> Customer:
    """The order's customer with all that its terms need, who may buy. Raises CustomerSwitchedOff."""
    customer = Customer.objects.select_related("supplier", "price_list", "freight_group").get(pk=order.customer_id)
    if not customer.active:
        raise CustomerSwitchedOff(customer)
    order.customer, order.supplier = customer, customer.supplier
    return customer


def _ready(order: Order, lines: Sequence[OrderLine]) -> list[OrderLine]:
    """The lines that a binding order has. Raises EmptyOrder, NegativeOrder."""
    ready = [line for line in lines if line.unit_price or line.kind not in (LineKind.FREIGHT, LineKind.SURCHARGE)]
    if all(line.kind == LineKind.FREIGHT and line.price_from != TYPED for line in ready):
        raise EmptyOrder  # freight that nobody asked for: its row stands on every form
    total = totals_of(order.supplier, ready).total
    if total < 0:
        raise NegativeOrder(total)
    return ready


def _save(order: Order, lines: Sequence[OrderLine]) -> None:
    for position, line in enumerate(lines, start=1):
        line.order, line.position = order, position
    order.changed_at = clock.now()
    order.save()
    replace_rows(OrderLine.objects.filter(order=order), lines, parent="order")


def _raise(order: Order, lines: Sequence[OrderLine], *, dated: date, by: User | None) -> Invoice:
    return bill(
        order.supplier,
        order.customer,
        lines=invoice_lines(lines),
        date=dated,
        due_date=_due(order, dated),
        order_numbers=order.number,
        purchase_order=order.purchase_order,
        comment=order.comment,
        by=by,
    )


def _revise(order: Order, invoice: Invoice, lines: Sequence[OrderLine], *, dates_moved: bool, by: User | None) -> None:
    """Let the invoice follow; its dates move only when the order's did, since the terms may be others by now."""
    if order.own_total is not None:
        order.own_total = None
        order.save(update_fields=["own_total"])
    dated = _invoice_date(order, invoice) if dates_moved else invoice.date
    with credits_aside(invoice, by=by):
        revise_invoice(
            invoice,
            lines=wanted_lines(invoice, lines),
            date=dated,
            due_date=_due(order, dated) if dates_moved else invoice.due_date,
            purchase_order=order.purchase_order,
            comment=order.comment,
            by=by,
            why=f"Order {order.number} was edited",
        )


def _amend(
    order: Order,
    invoice: Invoice,
    lines: Sequence[OrderLine],
    way: Way | None,
    shown: str,
    by: User | None,
    *,
    closed: Collection[UUID] = (),
) -> Amended:
    """Bring about beside the invoice what the order says by now, in that way; note what the order comes to."""
    found = amend_invoice(
        invoice,
        wanted_lines(invoice, lines),
        way=way or Way.LEAVE,
        shown=shown,
        closed=closed,
        why=f"Order {order.number} was edited",
        by=by,
    )
    if found.difference and way is None:
        raise InvoiceHasMoney(invoice)
    if order.own_total != found.difference.wanted:
        order.own_total, order.changed_at = found.difference.wanted, clock.now()
        order.save(update_fields=["own_total", "changed_at"])
    if found.story:
        tell(order.supplier, KIND, order.pk, f"For the difference to invoice {invoice.number}: {found.story}", who=by)
    elif found.difference:
        billed, wanted = show_amount(found.difference.billed), show_amount(found.difference.wanted)
        left = f"Invoice {invoice.number} is left as it is, over {billed}; the order comes to {wanted}"
        tell(order.supplier, KIND, order.pk, left, who=by)
    return found


def _may_follow(invoice: Invoice) -> bool:
    """Whether the invoice's due date may still move: not once it is void or something was paid."""
    return invoice.status == Invoice.Status.OPEN and can_be_changed(invoice)


def _invoice_date(order: Order, invoice: Invoice) -> date:
    at_delivery = order.delivered_at is not None and invoice.created_at >= order.delivered_at
    return order.delivery_date if at_delivery and order.delivery_date else order.order_date


def _due(order: Order, dated: date) -> date:
    return due_date(order.customer, order_date=order.order_date, delivery_date=order.delivery_date, dated=dated)


def _with_invoice(order: Order) -> str:
    return f"; invoice {order.invoice.number}" if order.invoice else ""


def _copy(order: Order) -> Order:
    return Order(**{field.attname: getattr(order, field.attname) for field in Order._meta.concrete_fields})  # noqa: SLF001


def _dates(order: Order) -> tuple[date, date | None]:
    return order.order_date, order.delivery_date


def _content(lines: Sequence[OrderLine]) -> list[tuple[object, ...]]:
    fields = [field for field in OrderLine._meta.concrete_fields if field.name not in {"id", "order", "position"}]  # noqa: SLF001
    return [tuple(getattr(line, field.attname) for field in fields) for line in lines]
