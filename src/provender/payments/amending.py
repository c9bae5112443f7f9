"""Where an invoice with money on it should have been another: what to credit and what to bill further, by line.

Such an invoice stays as it was issued. What its order says by now is brought about beside it: a credit note over the
lines that came to less, a further invoice over those that came to more, at the tax rates of the invoice. The difference
is kept nowhere: it is what is wanted less what the invoice, its further invoices and the credit notes that amend it
come to. So a second press finds none, and a credit note that is cancelled opens it again.

Of what amends it, the newest further invoice on which nothing was paid and the newest credit note of which nothing is
used can still be changed: the next edit makes them what they should be, or void, rather than adding another. What Xero
alone has money on is `closed`: it stays as the invoice does, and nothing is set against it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Q, QuerySet

from provender.basics import clock
from provender.basics.money import ZERO, exact_price, line_amount, show_amount, show_price, show_quantity
from provender.basics.rows import hold
from provender.customers.queries import due_date
from provender.invoicing.actions import revise_invoice
from provender.invoicing.credit_notes import (
    credited_of,
    lines_worth,
    raise_credit_note,
    revise_credit_note,
    void_credit_note,
)
from provender.invoicing.errors import InvoiceIsVoid
from provender.invoicing.models import CreditNote, CreditNoteLine, DocumentLine, Invoice, InvoiceLine, LineKind
from provender.invoicing.totals import LONGEST_DESCRIPTION, LineDraft, Totals, build_lines, draft_of, sum_lines
from provender.payments.actions import allocate_credit
from provender.payments.credits import (
    allocation_day,
    bill,
    can_be_changed,
    cancel_invoice,
    credits_aside,
    give_credit,
    hold_credits,
)
from provender.payments.errors import DifferenceMoved
from provender.payments.models import Payment
from provender.payments.refunds import pay_back
from provender.people.models import User
from provender.suppliers.models import TaxKind
from provender.timeline.actions import tell

ROUNDING = UUID("6d1c8f6e-9d0b-4d0e-8a53-5f2f4a6d7c10")  # the key of the line for cents that tax by line leaves over


class Way(StrEnum):
    """What is done about a difference. The first three are documents; each may also be taken alone, or none."""

    BOTH = "both"
    CREDIT = "credit"
    FURTHER = "further"
    LEAVE = "leave"


class Whole(StrEnum):
    """What becomes of the money when all of a paid invoice is credited: kept for the next invoices, or paid back."""

    KEEP = "keep"
    PAY_BACK = "pay-back"


@dataclass(frozen=True)
class Part:
    """A document that would make up for a difference: what is asked for, its lines unsaved, what they come to.

    `of` is the one that is there and would be that instead; without lines, it would be void.
    """

    drafts: Sequence[LineDraft]
    lines: Sequence[InvoiceLine]
    totals: Totals
    of: Invoice | CreditNote | None = None

    @property
    def shown(self) -> str:
        """What a person is shown of it, to be told when it is another."""
        return f"{self.of.number} {self.totals.total}" if self.of else str(self.totals.total)


@dataclass(frozen=True)
class Difference:
    """What is wanted and what is billed, with tax, and what would make one of the other. False where nothing would."""

    wanted: Decimal
    billed: Decimal
    credit: Part | None = None
    further: Part | None = None

    def __bool__(self) -> bool:
        return self.credit is not None or self.further is not None

    @property
    def amount(self) -> Decimal:
        """How much more is wanted than is billed; below zero where too much is billed."""
        return self.wanted - self.billed

    @property
    def excess(self) -> Decimal:
        """How much more is billed than is wanted."""
        return -self.amount

    @property
    def ways(self) -> list[Way]:
        """What can be done about it, the fullest first; leaving it is always one."""
        if self.credit and self.further:
            return [Way.BOTH, Way.CREDIT, Way.FURTHER, Way.LEAVE]
        return [*([Way.CREDIT] if self.credit else []), *([Way.FURTHER] if self.further else []), Way.LEAVE]

    @property
    def shown(self) -> str:
        """Both totals as a page carries them, to be told when they are others by the time a button is pressed."""
        return "/".join(part.shown if part else str(ZERO) for part in (self.credit, self.further))


@dataclass(frozen=True)
class Amended:
    """What was found, and the documents that were made for it."""

    difference: Difference
    credit_note: CreditNote | None = None
    further: Invoice | None = None

    @property
    def story(self) -> str:
        """What was made, in words; or ""."""
        made = []
        if self.credit_note:
            made.append(f"credit note {self.credit_note.number} {_became(self.difference.credit, self.credit_note)}")
        if self.further:
            made.append(f"further invoice {self.further.number} {_became(self.difference.further, self.further)}")
        return " and ".join(made)


def _became(part: Part | None, made: Invoice | CreditNote) -> str:
    if part is None or part.of is None:
        return f"over {show_amount(made.total)}"
    if part.drafts:
        return f"changed to {show_amount(made.total)}"
    return "cancelled" if isinstance(made, CreditNote) else "void"


@dataclass
class _Billed:
    """What is billed of one line so far: its newest draft, how many at that price, and the amount without tax."""

    draft: LineDraft
    quantity: Decimal = Decimal(0)
    amount: Decimal = ZERO

    @property
    def price(self) -> Decimal | None:
        """Its unit price, unless it was amended in a way that leaves it none."""
        fits = line_amount(self.quantity, self.draft.unit_price) == self.amount
        return self.draft.unit_price if fits else None


# --- reading ------------------------------------------------------------------------------------------------------


def further_of(invoice: Invoice) -> QuerySet[Invoice]:
    """The live invoices that bill what came on top of this one."""
    return Invoice.objects.filter(further_to=invoice, status=Invoice.Status.OPEN).order_by("created_at")


def amendments_of(invoice: Invoice) -> QuerySet[CreditNote]:
    """The live credit notes that take back what came off this invoice; those for returned goods are not among them."""
    return CreditNote.objects.filter(invoice=invoice, amends=True, status=CreditNote.Status.OPEN).order_by("created_at")


def stays_as_issued(invoice: Invoice, closed: Collection[UUID] = ()) -> bool:
    """Whether the invoice has money that keeps it as it is, or was amended: what is wanted comes about beside it."""
    if invoice.pk in closed or not can_be_changed(invoice):
        return True
    return further_of(invoice).exists() or amendments_of(invoice).exists()


def due_date_moves(invoice: Invoice, closed: Collection[UUID] = ()) -> bool:
    """Whether an invoice that stays may be due on another day: it is paid in part, and nothing amends it."""
    if invoice.pk in closed or not invoice.has_money or invoice.due <= 0:
        return False
    return not (further_of(invoice).exists() or amendments_of(invoice).exists())


@dataclass(frozen=True)
class _Beside:
    """What amends an invoice: all of it, and what of it can still be changed."""

    further: Sequence[Invoice]
    credit_notes: Sequence[CreditNote]
    bill: Invoice | None
    credit: CreditNote | None

    @classmethod
    def of(cls, invoice: Invoice, closed: Collection[UUID] = (), there: Collection[UUID] = ()) -> "_Beside":
        """Those `there`, in Xero, are counted though they are void here."""
        further = list(further_of(invoice))
        if there:
            further += Invoice.objects.filter(further_to=invoice, status=Invoice.Status.VOID, pk__in=there)
        credit_notes = list(amendments_of(invoice))
        shut = {*closed, *there}
        bills = [each for each in further if each.pk not in shut and can_be_changed(each)]
        unused = [each for each in credit_notes if each.pk not in shut and not each.used]
        return cls(further, credit_notes, bills[-1] if bills else None, unused[-1] if unused else None)

    @property
    def total(self) -> Decimal:
        """What all of it comes to, credit notes taken off."""
        billed = sum((each.total for each in self.further), ZERO)
        return billed - sum((each.total for each in self.credit_notes), ZERO)

    def kept(self) -> "_Beside":
        """What can't be changed any more."""
        further = [each for each in self.further if each != self.bill]
        return _Beside(further, [each for each in self.credit_notes if each != self.credit], None, None)


def billed_lines(invoice: Invoice) -> list[LineDraft]:
    """The lines that invoice, further invoices and amending credit notes come to together; what is gone is left out."""
    lines = []
    for each in _billed(invoice.lines.all(), _Beside.of(invoice)).values():
        if each.price is not None and each.quantity:
            lines.append(replace(each.draft, quantity=each.quantity))
        elif each.amount:
            lines.append(replace(each.draft, quantity=Decimal(1), unit_price=each.amount))
    return lines


def own_keys(invoice: Invoice, wanted: Iterable[LineDraft]) -> dict[UUID, UUID]:
    """Key → another key, for wanted lines that are another product or tax than was billed under their key.

    They are other lines then: the one is credited, the other billed. The same line gets the same key each time.
    """
    return _own_keys(_billed(invoice.lines.all(), _Beside.of(invoice)), list(wanted))


def _own_keys(billed: Mapping[UUID, _Billed], wanted: Sequence[LineDraft]) -> dict[UUID, UUID]:
    keys = {line.key: uuid5(line.key, f"{line.product_id} {line.tax_kind}") for line in wanted}
    return {
        line.key: keys[line.key]
        for line in wanted
        if keys[line.key] in billed or (line.key in billed and _what(billed[line.key].draft) != _what(line))
    }


def weigh_difference(
    invoice: Invoice,
    wanted: Sequence[LineDraft],
    *,
    closed: Collection[UUID] = (),
    there: Mapping[UUID, Sequence[InvoiceLine]] | None = None,
) -> Difference:
    """What would make the invoice, with all that amends it, come to these lines.

    `there`: invoices whose lines are taken to be these, and which are closed too. What the parts come to is the
    difference to the cent: cents that tax by line leaves over are a line without tax. Raises what `build_lines` raises.
    """
    there = there or {}
    issued = list(there.get(invoice.pk) or invoice.lines.all())
    beside = _Beside.of(invoice, closed, list(there))
    keys = _own_keys(_billed(issued, beside, there), wanted)
    wanted = [replace(line, key=keys.get(line.key, line.key)) for line in wanted]
    rates = {line.tax_kind: line.tax_rate for line in issued}
    lines = build_lines(InvoiceLine, invoice.supplier, wanted, rates)
    kept = beside.kept()
    billed = {key: one for key, one in _billed(issued, kept, there).items() if one.amount or one.quantity}
    new = {line.key: line for line in lines}
    less: list[LineDraft] = []
    more: list[LineDraft] = []
    for key in dict.fromkeys((*billed, *new)):
        before, after = billed.get(key), new.get(key)
        amount = (after.amount if after else ZERO) - (before.amount if before else ZERO)
        if amount:
            (more if amount > 0 else less).append(_line_over(before, after, abs(amount)))
    for each in kept.further:
        if each.pk in there:
            each.total = sum_lines(there[each.pk]).total
    wanted_total, billed_total = sum_lines(lines).total, sum_lines(issued).total + kept.total
    cents = wanted_total - billed_total - _total(invoice, more, rates) + _total(invoice, less, rates)
    if cents:  # on the document that there is anyway; with both or none, where the line is above zero
        billed_further = cents > 0 if bool(more) == bool(less) else bool(more)
        more.append(_rounding(cents)) if billed_further else less.append(_rounding(-cents))
    billed_total += (beside.bill.total if beside.bill else ZERO) - (beside.credit.total if beside.credit else ZERO)
    credit, further = _part(invoice, less, rates, beside.credit), _part(invoice, more, rates, beside.bill)
    return Difference(wanted_total, billed_total, credit, further)


def _billed(
    issued: Iterable[InvoiceLine], beside: _Beside, there: Mapping[UUID, Sequence[InvoiceLine]] | None = None
) -> dict[UUID, _Billed]:
    found: dict[UUID, _Billed] = {}
    for line, sign in _signed_lines(issued, beside, there or {}):
        if line.key == ROUNDING:
            continue
        one = found.setdefault(line.key, _Billed(draft_of(line)))
        one.amount += sign * line.amount
        if line.unit_price == one.draft.unit_price:
            one.quantity += sign * line.quantity
    return found


def _signed_lines(
    issued: Iterable[InvoiceLine], beside: _Beside, there: Mapping[UUID, Sequence[InvoiceLine]]
) -> Iterator[tuple[DocumentLine, int]]:
    for line in issued:
        yield line, 1
    billed = [each for each in beside.further if each.pk not in there]
    for line in InvoiceLine.objects.filter(invoice__in=billed).order_by("invoice__created_at", "position"):
        yield line, 1
    for line in (line for each in beside.further for line in there.get(each.pk, ())):
        yield line, 1
    for credited in CreditNoteLine.objects.filter(credit_note__in=beside.credit_notes):
        yield credited, -1


def _what(line: LineDraft) -> tuple[object, ...]:
    return line.product_id, line.tax_kind


def _line_over(before: _Billed | None, after: InvoiceLine | None, amount: Decimal) -> LineDraft:
    """A line that comes to that amount (without tax): so many more or less, or so much each, or the amount itself."""
    draft = draft_of(after) if after else before.draft if before else None
    assert draft is not None  # noqa: S101 -- a difference has a line on one of its sides
    for quantity, price, about in _spellings(before, after, amount):
        if quantity and line_amount(quantity, price) == amount:
            description = draft.description[: LONGEST_DESCRIPTION - len(about)] + about
            return replace(draft, quantity=quantity, unit_price=exact_price(price), description=description)
    raise AssertionError(f"{amount} is no amount of a line")


def _spellings(
    before: _Billed | None, after: InvoiceLine | None, amount: Decimal
) -> Iterator[tuple[Decimal, Decimal, str]]:
    """Quantity, unit price and what to add to the description, the plainest first."""
    old = (before.quantity, before.price) if before else (Decimal(0), after.unit_price if after else None)
    new = (after.quantity, after.unit_price) if after else (Decimal(0), old[1])
    (quantity, price), (more, other) = old, new
    if price is not None and price == other:
        yield abs(more - quantity), abs(price), ""
    if price is not None and other is not None and quantity == more:
        yield quantity, abs(other - price), f": {show_price(price)} → {show_price(other)} each"
    if price is not None and other is not None and before and after:
        about = f": {show_quantity(quantity)} × {show_price(price)} → {show_quantity(more)} × {show_price(other)}"
        yield Decimal(1), amount, about
    was, now = (show_amount(each.amount if each else ZERO) for each in (before, after))
    yield Decimal(1), amount, f": {was} → {now}"


def _rounding(cents: Decimal) -> LineDraft:
    return LineDraft(
        kind=LineKind.OTHER,
        description="Rounding",
        quantity=Decimal(1),
        unit_price=cents,
        tax_kind=TaxKind.FREE,
        key=ROUNDING,
        tracking=(),
    )


def _total(invoice: Invoice, drafts: Sequence[LineDraft], rates: Mapping[str, Decimal]) -> Decimal:
    return sum_lines(build_lines(InvoiceLine, invoice.supplier, drafts, rates)).total


def _part(
    invoice: Invoice, drafts: Sequence[LineDraft], rates: Mapping[str, Decimal], of: Invoice | CreditNote | None
) -> Part | None:
    """A document of these lines; none where the one that can be changed comes to them already."""
    lines = build_lines(InvoiceLine, invoice.supplier, drafts, rates)
    same = _amounts(of.lines.all() if of else ()) == _amounts(lines)
    return None if same else Part(drafts, lines, sum_lines(lines), of)


def _amounts(lines: Iterable[DocumentLine]) -> dict[UUID, tuple[Decimal, Decimal, str]]:
    return {line.key: (line.amount, line.tax, line.tax_kind) for line in lines}


# --- doing --------------------------------------------------------------------------------------------------------


@transaction.atomic
def amend_invoice(
    invoice: Invoice,
    wanted: Sequence[LineDraft],
    *,
    way: Way,
    shown: str = "",
    closed: Collection[UUID] = (),
    why: str = "",
    by: User | None = None,
) -> Amended:
    """Make up for the difference between what is billed and what is wanted, in that way; where there is none, nothing.

    What amends it already and can be changed is; else a credit note is raised, which applies itself, but not to an
    invoice that is `closed`, and a further invoice. `shown` is the difference's own word of what a person was shown.
    Raises InvoiceIsVoid, DifferenceMoved, CreditBeyondInvoice, and what `build_lines` raises.
    """
    hold_credits(invoice.customer, further_of(invoice))
    for each in sorted([invoice, *further_of(invoice)], key=lambda one: one.pk):
        hold(each)
    if invoice.status == Invoice.Status.VOID:
        raise InvoiceIsVoid(invoice)
    difference = weigh_difference(invoice, wanted, closed=closed)
    if difference and shown and shown != difference.shown:
        raise DifferenceMoved(invoice)
    credit_note = further = None
    if difference.credit and way in (Way.CREDIT, Way.BOTH):
        credit_note = _change_credit(difference.credit, why, by)
        if credit_note is None:
            raising = raise_credit_note if invoice.pk in closed else give_credit
            credit_note = _credit(raising, invoice, difference.credit.drafts, why, by)
    if difference.further and way in (Way.FURTHER, Way.BOTH):
        further = _change_further(invoice, difference.further, why, by)
        further = further or _bill(invoice, difference.further.drafts, by)
    return Amended(difference, credit_note, further)


def _change_credit(part: Part, why: str, by: User | None) -> CreditNote | None:
    """The credit note that is there, as it should be or cancelled; None without one."""
    if not isinstance(part.of, CreditNote):
        return None
    if part.drafts:
        return revise_credit_note(part.of, lines=part.drafts, by=by)
    return void_credit_note(part.of, by=by, why=why)


def _change_further(invoice: Invoice, part: Part, why: str, by: User | None) -> Invoice | None:
    """The further invoice that is there, in its next version or void; None without one."""
    further = part.of
    if not isinstance(further, Invoice):
        return None
    if part.drafts:
        with credits_aside(further, by=by):
            revise_invoice(further, lines=part.drafts, by=by, why=why)
    else:
        cancel_invoice(further, by=by, why=why)
    what = f"Further invoice {further.number} {_became(part, further)}"
    tell(invoice.supplier, "invoice", invoice.pk, what, who=by, why=why)
    return further


@transaction.atomic
def credit_whole(
    invoice: Invoice, *, then: Whole, closed: Collection[UUID] = (), why: str = "", by: User | None = None
) -> CreditNote | None:
    """Give back all that an invoice with money on it, and its further ones, came to and isn't credited yet.

    Further invoices on which nothing was paid become void. The credit note is set against what is left to pay; the rest
    is kept for the next invoices, or paid back as far as it was paid. Answers None where all is credited already.
    Raises InvoiceIsVoid.
    """
    payments = Payment.objects.filter(Q(invoice=invoice) | Q(invoice__further_to=invoice), removed_at=None)
    for payment in payments.order_by("pk"):
        hold(payment)  # payments are held before credits, and credits before invoices, wherever both are
    hold_credits(invoice.customer)
    hold(invoice)
    if invoice.status == Invoice.Status.VOID:
        raise InvoiceIsVoid(invoice)
    for each in further_of(invoice):
        if each.pk not in closed and can_be_changed(each):
            cancel_invoice(each, by=by, why=why)
    documents = [invoice, *further_of(invoice)]
    left = sum((each.total - credited_of(each) for each in documents), ZERO)
    if left <= 0:
        return None
    kept = {*closed, *amendments_of(invoice).values_list("pk", flat=True)}
    all_of_it = weigh_difference(invoice, [], closed=kept).credit
    if all_of_it and all_of_it.totals.total == left:
        drafts = all_of_it.drafts
    else:  # goods came back before: what is left has no lines of its own
        drafts = lines_worth(invoice, left, f"Rest of invoice {invoice.number}")
    credit_note = _credit(raise_credit_note, invoice, drafts, why, by)
    _use(credit_note, [each for each in documents if each.pk not in closed], by)
    if then == Whole.PAY_BACK:
        pay_back(credit_note, documents, date=clock.today(invoice.supplier.time_zone), by=by)
    return credit_note


def _credit(
    raising: Callable[..., CreditNote], invoice: Invoice, drafts: Sequence[LineDraft], why: str, by: User | None
) -> CreditNote:
    return raising(
        invoice.supplier,
        invoice.customer,
        lines=drafts,
        date=clock.today(invoice.supplier.time_zone),
        invoice=invoice,
        reason=why,
        amends=True,
        by=by,
    )


def _use(credit_note: CreditNote, invoices: Iterable[Invoice], by: User | None) -> None:
    """Set it against what is left to pay of these."""
    for invoice in invoices:
        if (amount := min(credit_note.remaining, invoice.due)) > 0:
            day = allocation_day(credit_note, invoice)
            allocate_credit(credit_note, invoice, amount=amount, date=day, by=by)


def _bill(invoice: Invoice, drafts: Sequence[LineDraft], by: User | None) -> Invoice:
    """Raise the further invoice, due by the customer's terms from today on."""
    today = clock.today(invoice.supplier.time_zone)
    further = bill(
        invoice.supplier,
        invoice.customer,
        lines=drafts,
        date=today,
        due_date=due_date(invoice.customer, order_date=today, delivery_date=None, dated=today),
        order_numbers=invoice.order_numbers,
        purchase_order=invoice.purchase_order,
        comment=f"In addition to invoice {invoice.number}",
        further_to=invoice,
        by=by,
    )
    what = f"Further invoice {further.number} over {show_amount(further.total)}"
    tell(invoice.supplier, "invoice", invoice.pk, what, who=by)
    return further
