"""What raises, changes and voids invoices. Each function is one transaction and posts to the outbox in it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date as Date  # noqa: N812 -- `date` is what an invoice calls it
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from provender.basics import clock
from provender.basics.money import show_amount
from provender.basics.rows import ReadyRows, hold, replace_rows
from provender.catalogue.models import Product
from provender.changes.actions import post, post_many
from provender.customers.models import Customer
from provender.invoicing.errors import (
    AnotherWholesalersCustomer,
    InvoiceHasMoney,
    InvoiceIsVoid,
    InvoiceNumberTaken,
    InvoiceWithoutLines,
    NegativeInvoice,
)
from provender.invoicing.models import Invoice, InvoiceLine, InvoiceVersion
from provender.invoicing.numbers import next_invoice_number, refuse_taken
from provender.invoicing.totals import LineDraft, build_lines, draft_of, sum_lines
from provender.invoicing.versions import differences, freeze, lines_of, rates_of, same_content
from provender.people.models import User
from provender.properties.queries import choose_for_customers, choose_for_lines
from provender.suppliers.actions import hold_numbers
from provender.suppliers.models import Supplier
from provender.timeline.actions import prepare, tell

KIND = "invoice"  # the outbox, the story and the counter know invoices by this word


@dataclass(frozen=True)
class InvoiceDraft:
    """An invoice as a file has it. It keeps its number; without a currency it has the supplier's."""

    number: str
    customer_id: UUID
    date: Date
    due_date: Date
    lines: Sequence[LineDraft]
    purchase_order: str = ""
    comment: str = ""
    currency: str = ""


@transaction.atomic
def raise_invoice(
    supplier: Supplier,
    customer: Customer,
    *,
    lines: Sequence[LineDraft],
    date: Date,
    due_date: Date,
    order_numbers: str = "",
    purchase_order: str = "",
    comment: str = "",
    further_to: Invoice | None = None,
    by: User | None = None,
) -> Invoice:
    """Issue an invoice with the supplier's next number, as its first version.

    One that bills what came on top of another (`further_to`) has its currency and the tax rates that it was issued at.
    Raises InvoiceWithoutLines, NegativeInvoice, AnotherWholesalersCustomer, and what `build_lines` raises.
    """
    if customer.supplier_id != supplier.pk:
        raise AnotherWholesalersCustomer(customer)
    now = clock.now()
    invoice = Invoice(
        supplier=supplier,
        customer=customer,
        number=next_invoice_number(supplier),
        date=date,
        due_date=due_date,
        order_numbers=order_numbers,
        purchase_order=purchase_order,
        comment=comment,
        currency=further_to.currency if further_to else supplier.currency,
        further_to=further_to,
        created_at=now,
        changed_at=now,
    )
    rates = _rates_of_further(invoice)
    built = build_lines(InvoiceLine, supplier, _choose_options(invoice, lines), rates)
    _put_lines(invoice, built)
    invoice.save(force_insert=True)
    InvoiceLine.objects.bulk_create(built)
    _version(invoice, built, by=by, why="Raised").save(force_insert=True)
    post(supplier, KIND, invoice.pk, "Raised")
    tell(supplier, KIND, invoice.pk, f"Raised, {invoice.currency} {show_amount(invoice.total)}", who=by)
    return invoice


def import_invoices(supplier: Supplier, drafts: Sequence[InvoiceDraft], *, by: User | None = None) -> list[Invoice]:
    """Take in invoices that were issued elsewhere, with their own numbers; all or none, in one short transaction.

    They wait in the outbox until somebody asks for them to go out. To change what is answered, read it anew: these
    objects don't know that they are saved. Raises InvoiceNumberTaken for a number that is in use or comes twice, and
    what `raise_invoice` raises.
    """
    if not drafts:
        return []
    ready = prepare_invoices(supplier, drafts, by=by)
    with transaction.atomic():
        ready.insert()
    return ready.invoices


@dataclass(frozen=True)
class ReadyInvoices:
    """Invoices from elsewhere, made ready before the transaction that inserts them."""

    supplier: Supplier
    invoices: list[Invoice]
    rows: list[ReadyRows]

    def insert(self) -> None:
        """To be called in a transaction. Raises InvoiceNumberTaken."""
        hold_numbers(self.supplier, KIND)
        refuse_taken(self.supplier.invoices.all(), [one.number for one in self.invoices], InvoiceNumberTaken)
        for rows in self.rows:
            rows.insert()
        post_many(self.supplier, KIND, [invoice.pk for invoice in self.invoices], "Imported", imported=True)


def prepare_invoices(supplier: Supplier, drafts: Sequence[InvoiceDraft], *, by: User | None = None) -> ReadyInvoices:
    """What `import_invoices` does before its transaction, for one draft or more; raises what `raise_invoice` raises."""
    customers = customers_of(supplier, {draft.customer_id for draft in drafts})
    chosen = choose_for_imported(supplier, [(draft.customer_id, draft.lines) for draft in drafts])
    built = [
        _build_imported(supplier, customers[draft.customer_id], draft, lines)
        for draft, lines in zip(drafts, chosen, strict=True)
    ]
    invoices = [invoice for invoice, _ in built]
    story = prepare(
        supplier, KIND, [(each.pk, f"Imported, {each.currency} {show_amount(each.total)}") for each in invoices], who=by
    )
    rows = [
        ReadyRows.of(invoices),
        ReadyRows.of([line for _, lines in built for line in lines]),
        ReadyRows.of([_version(invoice, lines, by=by, why="Imported") for invoice, lines in built]),
        *filter(None, [story]),
    ]
    return ReadyInvoices(supplier, invoices, rows)


@transaction.atomic
def revise_invoice(
    invoice: Invoice,
    *,
    lines: Sequence[LineDraft] | None = None,
    date: Date | None = None,
    due_date: Date | None = None,
    order_numbers: str | None = None,
    purchase_order: str | None = None,
    comment: str | None = None,
    by: User | None = None,
    why: str = "",
) -> Invoice:
    """Issue the invoice's next version under the same number; what is None stays as it is.

    Lines are matched by their key. When nothing differs, nothing is written. Raises InvoiceIsVoid, InvoiceHasMoney,
    and what `raise_invoice` raises.
    """
    current = _hold_open(invoice)
    before = freeze(invoice, current)
    asked = {"date": date, "due_date": due_date, "order_numbers": order_numbers}
    asked |= {"purchase_order": purchase_order, "comment": comment}
    for name, value in asked.items():
        if value is not None:
            setattr(invoice, name, value)
    rates = _rates_of_further(invoice) | {line.tax_kind: line.tax_rate for line in current}
    built = (
        current if lines is None else build_lines(InvoiceLine, invoice.supplier, _choose_options(invoice, lines), rates)
    )
    _put_lines(invoice, built)
    if same_content(before, freeze(invoice, built)):
        return invoice
    if lines is not None:
        replace_rows(InvoiceLine.objects.filter(invoice=invoice), built, parent="invoice")
    _issue_next(invoice, built, before, by=by, why=why)
    return invoice


@transaction.atomic
def move_due_date(invoice: Invoice, due_date: Date, *, by: User | None = None, why: str = "") -> Invoice:
    """Issue the next version with another due date and nothing else, which money on it doesn't hold up.

    When it is the same, nothing is written. Raises InvoiceIsVoid, and InvoiceHasMoney when nothing is left to pay.
    """
    current = _hold_open(invoice)
    if invoice.due_date == due_date:
        return invoice
    if invoice.due <= 0:
        raise InvoiceHasMoney(invoice)
    before = freeze(invoice, current)
    invoice.due_date = due_date
    _issue_next(invoice, current, before, by=by, why=why, with_money=True)
    return invoice


@transaction.atomic
def put_back(invoice: Invoice, version: InvoiceVersion, *, by: User | None = None, why: str = "") -> Invoice:
    """Issue an earlier version's content as the next one, since that is what the outside has; a void one is open again.

    Money on it doesn't hold that up; whoever calls it weighs the invoice anew. When nothing differs, nothing happens.
    """
    hold(invoice)
    current = list(InvoiceLine.objects.filter(invoice=invoice))
    before, document = freeze(invoice, current), version.document
    for name in ("order_numbers", "purchase_order", "comment"):
        setattr(invoice, name, document[name])
    for name in ("date", "due_date"):
        setattr(invoice, name, Date.fromisoformat(document[name]))
    built = build_lines(InvoiceLine, invoice.supplier, lines_of(invoice.supplier, document), rates_of(document))
    _put_lines(invoice, built)
    void = invoice.status == Invoice.Status.VOID
    if not void and same_content(before, freeze(invoice, built)):
        return invoice
    invoice.status, invoice.voided_at = Invoice.Status.OPEN, None
    replace_rows(InvoiceLine.objects.filter(invoice=invoice), built, parent="invoice")
    _issue_next(invoice, built, before, by=by, why=why, with_money=True)
    return invoice


@transaction.atomic
def recode_invoice(invoice: Invoice, *, by: User | None = None, why: str = "") -> Invoice:
    """Put the products' present account codes on the invoice's lines, as its next version.

    For an account that went bad in Xero after the invoice was raised. Raises InvoiceIsVoid, InvoiceHasMoney.
    """
    current = _hold_open(invoice)
    mine = Product.objects.filter(supplier=invoice.supplier_id)
    products = mine.in_bulk([line.product_id for line in current if line.product_id])
    drafts = [
        replace(draft_of(line), sales_account=products[line.product_id].sales_account)
        if line.product_id
        else draft_of(line)
        for line in current
    ]
    return revise_invoice(invoice, lines=drafts, by=by, why=why or "Accounts taken from the products")


@transaction.atomic
def renumber_invoice(invoice: Invoice, number: str, *, by: User | None = None) -> Invoice:
    """Give the invoice another number, as its next version.

    Raises InvoiceNumberTaken, InvoiceIsVoid, InvoiceHasMoney, ValidationError.
    """
    hold_numbers(invoice.supplier, KIND)
    lines = _hold_open(invoice)
    if number == invoice.number:
        return invoice
    refuse_taken(invoice.supplier.invoices.all(), [number], InvoiceNumberTaken)
    before = freeze(invoice, lines)
    invoice.number = number
    _put_lines(invoice, lines)
    _issue_next(invoice, lines, before, by=by, why="Renumbered")
    return invoice


@transaction.atomic
def void_invoice(invoice: Invoice, *, by: User | None = None, why: str = "") -> Invoice:
    """Make the invoice count for nothing. It keeps its number and its lines; a void one stays as it is.

    Raises InvoiceHasMoney.
    """
    hold(invoice)
    if invoice.status == Invoice.Status.VOID:
        return invoice
    if invoice.has_money:
        raise InvoiceHasMoney(invoice)
    invoice.status = Invoice.Status.VOID
    invoice.voided_at = invoice.changed_at = clock.now()
    invoice.save(update_fields=["status", "voided_at", "changed_at"])
    post(invoice.supplier, KIND, invoice.pk, why or "Voided")
    tell(invoice.supplier, KIND, invoice.pk, "Voided", who=by, why=why)
    return invoice


def customers_of(supplier: Supplier, ids: Collection[UUID]) -> dict[UUID, Customer]:
    """This supplier's customers with these ids. Raises AnotherWholesalersCustomer."""
    customers = Customer.objects.filter(supplier=supplier).in_bulk(list(ids))
    strangers = [each for each in ids if each not in customers]
    if strangers:
        raise AnotherWholesalersCustomer(strangers[0])
    return customers


def _build_imported(
    supplier: Supplier, customer: Customer, draft: InvoiceDraft, lines: Sequence[LineDraft]
) -> tuple[Invoice, list[InvoiceLine]]:
    now = clock.now()
    invoice = Invoice(
        supplier=supplier,
        customer=customer,
        number=draft.number,
        date=draft.date,
        due_date=draft.due_date,
        purchase_order=draft.purchase_order,
        comment=draft.comment,
        currency=draft.currency or supplier.currency,
        origin=Invoice.Origin.IMPORTED,
        created_at=now,
        changed_at=now,
    )
    built = build_lines(InvoiceLine, supplier, lines)
    _put_lines(invoice, built)
    return invoice, built


def _choose_options(invoice: Invoice, lines: Sequence[LineDraft]) -> list[LineDraft]:
    """The lines with their tracking options: those that don't say take the product's, the invoice's, the customer's."""
    if all(line.tracking is not None for line in lines):
        return list(lines)
    products = [line.product_id for line in lines]
    found = choose_for_lines(invoice.supplier, products, customer=invoice.customer_id, invoice=invoice.pk)
    return [
        replace(line, tracking=carried) if line.tracking is None else line
        for line, carried in zip(lines, found, strict=True)
    ]


def choose_for_imported(
    supplier: Supplier, documents: Sequence[tuple[UUID, Sequence[LineDraft]]]
) -> list[list[LineDraft]]:
    """The lines of new documents (customer, lines) with their tracking options."""
    of_customer: dict[UUID, list[UUID | None]] = {}
    for customer, lines in documents:
        of_customer.setdefault(customer, []).extend(line.product_id for line in lines)
    found = {customer: iter(carried) for customer, carried in choose_for_customers(supplier, of_customer).items()}
    return [[replace(line, tracking=next(found[customer])) for line in lines] for customer, lines in documents]


def _rates_of_further(invoice: Invoice) -> dict[str, Decimal]:
    """Tax kind → the rate of the invoice that this one bills further; empty for any other."""
    return dict(invoice.further_to.lines.values_list("tax_kind", "tax_rate")) if invoice.further_to else {}


def _put_lines(invoice: Invoice, lines: Sequence[InvoiceLine]) -> None:
    """Give the invoice these lines' totals, and refuse what can't be issued."""
    if not lines:
        raise InvoiceWithoutLines
    totals = sum_lines(lines)
    if totals.total < 0:
        raise NegativeInvoice(invoice.number, totals.total)
    invoice.subtotal, invoice.tax, invoice.total = totals.subtotal, totals.tax, totals.total
    for line in lines:
        line.invoice = invoice
    invoice.clean_fields(exclude={"supplier", "customer"})


def _hold_open(invoice: Invoice) -> list[InvoiceLine]:
    """The lines of an invoice that may be changed, which nobody else changes meanwhile."""
    hold(invoice)
    if invoice.status == Invoice.Status.VOID:
        raise InvoiceIsVoid(invoice)
    return list(InvoiceLine.objects.filter(invoice=invoice))


def _issue_next(
    invoice: Invoice,
    lines: Sequence[InvoiceLine],
    before: dict[str, object],
    *,
    by: User | None,
    why: str,
    with_money: bool = False,
) -> None:
    if invoice.has_money and not with_money:
        raise InvoiceHasMoney(invoice)
    invoice.version += 1
    invoice.changed_at = clock.now()
    invoice.save()
    version = _version(invoice, lines, by=by, why=why)
    version.save(force_insert=True)
    what = f"Version {invoice.version}. {'; '.join(differences(before, version.document))}"
    post(invoice.supplier, KIND, invoice.pk, why or f"Version {invoice.version}")
    tell(invoice.supplier, KIND, invoice.pk, what, who=by, why=why)


def _version(invoice: Invoice, lines: Sequence[InvoiceLine], *, by: User | None, why: str) -> InvoiceVersion:
    return InvoiceVersion(
        invoice=invoice,
        version=invoice.version,
        document=freeze(invoice, lines),
        made_at=invoice.changed_at,
        made_by=by,
        why=why[:200],
    )
