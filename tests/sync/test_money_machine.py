"""The write protocol driven by chance with money: payments, credits, refunds and payouts, made and taken back here and
in Xero, and read back from there, with crashes at every place, lost and late answers and locked periods.

In the end both sides' books are equal, by verify-books, which shares no code with what sends, unless a person was told.
Then a difference is made on purpose: the comparison names it and nothing else, and the next readings and the comparison
by night leave none of it but what a person is asked about.
"""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test

import cast
from provender.invoicing.credit_notes import revise_credit_note, void_credit_note
from provender.invoicing.errors import CreditBeyondInvoice, CreditNoteIsUsed, InvoiceHasMoney
from provender.invoicing.models import CreditNote, Invoice
from provender.payments.actions import allocate_credit, refund_credit, remove_payment, undo_allocation
from provender.payments.amending import Way, Whole
from provender.payments.credits import give_credit
from provender.payments.errors import SurchargeNeedsRoom
from provender.payments.models import Allocation, Payment, Payout
from provender.payments.payouts import PayoutEntry, close_payout, enter_payout, undo_payout
from provender.payments.surcharges import (
    may_take_surcharge_back,
    record_with_surcharge,
    remove_with_surcharge,
    set_surcharges,
)
from provender.sync.models import Connection, Dispatch, Link, Problem
from provender.sync.nightly import compare_nightly
from provender.sync.poll import poll
from provender.sync.verify import verify_books
from sync.test_protocol_machine import EXAMPLES, FAULTS, LATE, WHICH, Machine, Worker, pick
from xero_simulator.errors import Invalid

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.hypothesis]
CENT = Decimal("0.01")
WAYS = strategies.sampled_from(list(Way))
# What somebody does in Xero with money: by the kind of our document that it is done to, or with what Xero has.
TAKEN_OUT = ("payment", "refund", "allocation", "payout", "fee")
PUT_IN = ("pay a part", "pay the rest", "set ours against", "pay ours back", "credit by hand")
ON_PURPOSE = (
    "nothing",
    "reference",
    "void",
    "double",
    "pay a part",
    "payment",
    "refund",
    "allocation",
    "payout",
    "fee",
)


class WithMoney(Machine):
    """The machine of invoices, and the money on them."""

    paid_out = 0
    on_purpose = "nothing"

    @initialize()
    def begin(self):
        super().begin()
        fees = self.connection.accounts.get(code="404").account_id
        self.supplier.connections.update(
            payments_to_xero=True, auto_reconcile=True, fee_account=fees, mark_as_paid=True
        )
        self.connection.refresh_from_db()
        set_surcharges(self.supplier, {"visa": Decimal(2)})

    # --- here -----------------------------------------------------------------------------------------------------

    @rule(which=WHICH, quantity=strategies.integers(1, 9), more=strategies.booleans(), way=WAYS)
    def edit(self, which, quantity, more, way):
        """An invoice with money on it is amended beside it, or left."""
        try:
            super().edit(which, quantity, more, way=way)
        except CreditBeyondInvoice:  # too much of it was given back before
            return

    @rule(which=WHICH, then=strategies.sampled_from(list(Whole)))
    def cancel(self, which, then):
        super().cancel(which, then=then)

    @rule(which=WHICH, whole=strategies.booleans())
    def pay(self, which, whole):
        if invoice := pick(which, self._owing()):
            cast.payment(invoice, str(invoice.due if whole else self._half(invoice.due)))

    @rule(which=WHICH, whole=strategies.booleans())
    def pay_by_card(self, which, whole):
        """With a surcharge, unless there is a payment already."""
        if invoice := pick(which, self._owing()):
            amount = invoice.due if whole else self._half(invoice.due)
            try:
                record_with_surcharge(invoice, amount=amount, date=invoice.date, method=Payment.Method.VISA)
            except (SurchargeNeedsRoom, InvoiceHasMoney):
                return

    @rule(which=WHICH)
    def take_back_with_surcharge(self, which):
        rows = Payment.objects.filter(removed_at=None, payout=None, surcharge_line__isnull=False)
        if (payment := pick(which, rows.order_by("recorded_at"))) and may_take_surcharge_back(payment):
            remove_with_surcharge(payment)

    @rule(which=WHICH)
    def take_back(self, which):
        rows = Payment.objects.filter(removed_at=None, payout=None)
        if payment := pick(which, rows.order_by("recorded_at")):
            remove_payment(payment)

    @rule(which=WHICH, quantity=strategies.integers(1, 2))
    def credit(self, which, quantity):
        """A credit note of one of the venues, free or of an invoice, against which it then sets itself."""
        if CreditNote.objects.count() < 3:
            customer, day = self.venues[which % 2], date(2026, 11, 3)
            owing = [one for one in self._owing() if one.customer_id == customer.pk]
            invoice = pick(which, owing) if which % 3 else None
            lines = [cast.line(quantity=quantity)]
            give_credit(self.supplier, customer, invoice=invoice, lines=lines, date=day, beyond=True)

    @rule(which=WHICH)
    def set_against(self, which):
        if credit_note := pick(which, CreditNote.objects.order_by("created_at")):
            self._set_against(which, credit_note)

    def _set_against(self, which, credit_note):
        owing = [one for one in self._owing() if one.customer_id == credit_note.customer_id]
        invoice = pick(which, owing)
        if invoice and credit_note.remaining > 0:
            amount = min(credit_note.remaining, invoice.due)
            allocate_credit(credit_note, invoice, amount=amount, date=invoice.date)

    @rule(which=WHICH)
    def take_off(self, which):
        rows = Allocation.objects.filter(removed_at=None, credit_note__isnull=False)
        if allocation := pick(which, rows.order_by("made_at")):
            undo_allocation(allocation)

    @rule(which=WHICH, quantity=strategies.integers(0, 3))
    def change_credit(self, which, quantity):
        """A credit note gives other goods back, or nothing any more; one that is used stays."""
        open_ = CreditNote.objects.filter(status=CreditNote.Status.OPEN).order_by("created_at")
        if credit_note := pick(which, open_):
            try:
                if quantity:
                    revise_credit_note(credit_note, lines=[cast.line(quantity=quantity)])
                else:
                    void_credit_note(credit_note)
            except CreditNoteIsUsed:
                return

    @rule(which=WHICH)
    def refund(self, which):
        left = [one for one in CreditNote.objects.order_by("created_at") if one.remaining > 0]
        if credit_note := pick(which, left):
            refund_credit(credit_note, amount=self._half(credit_note.remaining), date=credit_note.date)

    @rule(which=WHICH)
    def pay_out(self, which):
        """A payout of one or two invoices, closed."""
        owing = self._owing()
        chosen = [one for one in (pick(which, owing), pick(which + 1, owing)) if one]
        if chosen and self.paid_out < 3:
            self.paid_out += 1
            entries = [
                PayoutEntry(gross=one.due, fee=Decimal("0.20"), invoice_number=one.number)
                for one in {one.pk: one for one in chosen}.values()
            ]
            reference, day = f"PO-{self.paid_out}", chosen[0].date
            close_payout(
                enter_payout(self.supplier, provider="PayWave", reference=reference, date=day, entries=entries)
            )

    @rule(which=WHICH)
    def undo_payout(self, which):
        if payout := pick(which, Payout.objects.filter(undone_at=None).order_by("created_at")):
            undo_payout(payout)

    @rule(kind=strategies.sampled_from(FAULTS))
    def next_write_fails(self, kind):
        self.simulator.faults.clear()
        more = {"seconds": LATE} if kind == "commit-late" else {}
        methods = ["PUT", "POST", "DELETE"]
        self.simulator.faults.add(kind, methods=methods, path="/api.xro/2.0/*", count=1, **more)

    # --- reading back ---------------------------------------------------------------------------------------------

    @rule(who=strategies.integers(1, 2), steps=strategies.integers(1, 6))
    def read(self, who, steps):
        """A worker that is free begins to read what was paid; it stops and crashes like one that sends."""
        if who not in self.workers:
            self.workers[who] = Worker(Connection.objects.get(), poll)
        self.work(who, steps)

    # --- a bookkeeper in Xero -------------------------------------------------------------------------------------

    @precondition(lambda self: self.people)
    @rule(which=WHICH, what=strategies.sampled_from(("edit", "void", "pay")))
    def bookkeeper(self, which, what):
        try:
            super().bookkeeper(which, what)
        except Invalid:  # the period is locked
            return

    @precondition(lambda self: self.people and not self.theirs)
    @rule()
    def type_our_next_number(self):
        try:
            super().type_our_next_number()
        except Invalid:
            return

    @precondition(lambda self: self.people)
    @rule(which=WHICH, what=strategies.sampled_from(TAKEN_OUT + PUT_IN))
    def bookkeeper_with_money(self, which, what):
        try:
            self._take_out(which, what) if what in TAKEN_OUT else self._put_in(which, what)
        except (Invalid, LookupError):  # Xero's own refusals, and what is gone
            return

    def _take_out(self, which, kind):
        """Take something of ours of that kind out; its link, or None when there was nothing."""
        rows = Link.objects.filter(kind="payment" if kind == "refund" else kind).exclude(status="DELETED")
        refunds = Payment.objects.filter(credit_note__isnull=False).values("pk")
        if kind == "refund":
            rows = rows.filter(document__in=refunds)
        elif kind == "payment":
            rows = rows.exclude(document__in=refunds)
        if link := pick(which, rows.order_by("sent_at", "pk")):
            remove = {
                "allocation": self.books.remove_allocation,
                "payout": self.books.remove_batch,
                "fee": self.books.end_bank_transaction,
            }.get(kind, self.books.remove_payment)
            remove(link.xero_id)
        return link

    def _put_in(self, which, what):
        owing = [one for one in self._ours() if one["Status"] == "AUTHORISED" and one["AmountDue"] > 1]
        invoice = pick(which, sorted(owing, key=lambda one: one["InvoiceNumber"]))
        if what == "pay ours back":
            if note := pick(which, self._open_notes()):
                self.books.refund(note["CreditNoteNumber"], "0.50")
        elif invoice is None:
            return None
        elif what == "set ours against":
            mine = [one for one in self._open_notes() if one["Contact"]["ContactID"] == invoice["Contact"]["ContactID"]]
            if note := pick(which, mine):
                amount = min(note["RemainingCredit"], invoice["AmountDue"])
                self.books.allocate(note["CreditNoteNumber"], invoice["InvoiceNumber"], amount)
        elif what == "credit by hand":
            note = self.books.type_credit_note(invoice["Contact"]["Name"])
            self.books.allocate(note, invoice["InvoiceNumber"], "0.75")
        else:
            self.books.pay(invoice["InvoiceNumber"], "1.00" if what == "pay a part" else None)
        return invoice

    def _open_notes(self):
        """Credit notes of ours that Xero has something left of."""
        left = [one for one in self._shown()["CreditNotes"] if one["Status"] == "AUTHORISED" and one["RemainingCredit"]]
        return [one for one in left if "pv-" in one.get("Reference", "")]

    @precondition(lambda self: self.people)
    @rule(locked=strategies.booleans())
    def lock(self, locked):
        """Close the period that everything is dated in, or open it again."""
        self.books.set_lock_dates(period=date(2027, 12, 31) if locked else None)

    @rule(what=strategies.sampled_from(ON_PURPOSE))
    def differ_in_the_end(self, what):
        """When all is equal, this is made different on purpose."""
        self.on_purpose = what

    # --- judging --------------------------------------------------------------------------------------------------

    def _sync(self):
        super()._sync()
        poll(Connection.objects.get())
        super()._sync()

    def _quiesce(self):
        self.books.set_lock_dates()
        super()._quiesce()

    def _judge(self):
        super()._judge()
        found = self._differences()
        assert not [one for one in found if one.field == "double"], found
        asked = Problem.objects.filter(solved_at=None)
        touched = self.decided or self.raced or self.by_hand or self.theirs
        if not touched and not asked.exists():
            assert found == []
            assert compare_nightly(Connection.objects.get()) == 0
            self._differ()

    def _differences(self):
        return verify_books(self.supplier).differences

    def _differ(self):
        """Make the difference; exactly it is named, and the next readings leave none, or ask a person about it."""
        try:
            names = self._make_different(self.on_purpose)
        except (Invalid, LookupError):  # there is nothing that it could be done to
            return
        if names is None:
            return
        found = self._differences()
        assert found, f"{self.on_purpose} was not noticed"
        assert {one.number for one in found} <= names, (self.on_purpose, names, found)
        if self.on_purpose not in {"pay a part", *TAKEN_OUT}:
            compare_nightly(Connection.objects.get())
            assert Problem.objects.filter(solved_at=None).exists()
        else:
            for _ in range(3):
                self._later(2000)
                self._sync()
            assert not Dispatch.objects.exists()
            compare_nightly(Connection.objects.get())  # of a fee nothing else hears
            left = self._differences()
            told = {one.words.get("number", "") for one in Problem.objects.filter(solved_at=None)}
            told |= {number.removeprefix("Fee of ") for number in told}
            assert {one.number for one in left} <= told, (self.on_purpose, left, told)

    def _make_different(self, what):
        """The numbers that a difference may be named by, or None when there was nothing to do it to."""
        if what in TAKEN_OUT:
            if link := self._take_out(0, what):
                payments = Payment.objects.filter(payout=link.document) if what == "payout" else ()
                of = link.number.rpartition(" of ")[2]  # of a fee, a payment or a refund
                return {link.number, of, *self._numbers_of(link), *(one.invoice.number for one in payments)}
            return None
        if what == "pay a part":
            invoice = self._put_in(0, what)
        else:
            plain = [one for one in self._ours() if one["Status"] == "AUTHORISED" and one["AmountDue"] == one["Total"]]
            invoice = pick(0, plain)
            if invoice and what == "reference":
                self.books.edit_invoice(invoice["InvoiceNumber"], Reference="changed on purpose")
            elif invoice and what == "void":
                self.books.void(invoice["InvoiceNumber"])
            elif invoice and what == "double":
                self.books.type_invoice("DOUBLE-1", Url=invoice["Url"])
        return {invoice["InvoiceNumber"]} if invoice and what != "nothing" else None

    @staticmethod
    def _numbers_of(link):
        """An allocation is named by both of its documents."""
        row = Allocation.objects.filter(pk=link.document).select_related("credit_note", "invoice").first()
        return [f"{row.credit_name} on {row.invoice.number}", row.invoice.number] if row else []

    # --- small things ---------------------------------------------------------------------------------------------

    def _owing(self):
        open_ = Invoice.objects.filter(status=Invoice.Status.OPEN).order_by("created_at")
        return [one for one in open_ if one.due > 0]

    @staticmethod
    def _half(amount):
        return max((amount / 2).quantize(CENT), CENT)


class CalmWithMoney(WithMoney):
    """Nobody acts in Xero, so nobody here may be asked anything, and both sides end equal."""

    people = False


@pytest.mark.parametrize("machine", [WithMoney, CalmWithMoney], ids=["with people", "calm"])
def test_both_sides_end_equal_in_every_history(machine, settings_of_xero):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
        ),
    )


@pytest.fixture
def settings_of_xero(settings):
    settings.XERO_LOGIN_URL = settings.XERO_IDENTITY_URL = settings.XERO_API_URL = "http://localhost:8765"
    settings.XERO_CLIENT_ID, settings.XERO_CLIENT_SECRET = "simulator", "simulator-secret"
