"""The write protocol driven by chance with money: payments, credits, refunds and payouts, made and taken back here and
in Xero, with crashes, lost and late answers and locked periods. In the end both sides' books are equal, by
verify-books, which shares no code with what sends, unless a person was told.
"""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test

import cast
from provender.invoicing.errors import InvoiceHasMoney
from provender.invoicing.models import CreditNote, Invoice
from provender.payments.actions import allocate_credit, refund_credit, remove_payment, undo_allocation
from provender.payments.models import Allocation, Payment, Payout
from provender.payments.payouts import PayoutEntry, close_payout, enter_payout, undo_payout
from provender.sync.models import Connection, Link, Problem
from provender.sync.poll import poll
from provender.sync.verify import verify_books
from sync.test_protocol_machine import EXAMPLES, FAULTS, LATE, WHICH, Machine, pick

pytestmark = pytest.mark.django_db(transaction=True)
CENT = Decimal("0.01")


class WithMoney(Machine):
    """The machine of invoices, and the money on them."""

    paid_out = 0

    @initialize()
    def begin(self):
        super().begin()
        fees = self.connection.accounts.get(code="404").account_id
        self.supplier.connections.update(
            payments_to_xero=True, auto_reconcile=True, fee_account=fees, mark_as_paid=self.people
        )
        self.connection.refresh_from_db()

    # --- here -----------------------------------------------------------------------------------------------------

    @rule(which=WHICH, quantity=strategies.integers(1, 9), more=strategies.booleans())
    def edit(self, which, quantity, more):
        try:
            super().edit(which, quantity, more)
        except InvoiceHasMoney:
            return

    @rule(which=WHICH)
    def cancel(self, which):
        try:
            super().cancel(which)
        except InvoiceHasMoney:
            return

    @rule(which=WHICH, whole=strategies.booleans())
    def pay(self, which, whole):
        if invoice := pick(which, self._owing()):
            cast.payment(invoice, str(invoice.due if whole else self._half(invoice.due)))

    @rule(which=WHICH)
    def take_back(self, which):
        rows = Payment.objects.filter(removed_at=None, payout=None)
        if payment := pick(which, rows.order_by("recorded_at")):
            remove_payment(payment)

    @rule(which=WHICH, quantity=strategies.integers(1, 2))
    def credit(self, which, quantity):
        """A credit note of one of the venues, set against what it owes."""
        if CreditNote.objects.count() < 3:
            credit_note = cast.credit_note(self.venues[which % 2], cast.line(quantity=quantity))
            self._set_against(which, credit_note)

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

    # --- a bookkeeper in Xero -------------------------------------------------------------------------------------

    @precondition(lambda self: self.people)
    @rule(which=WHICH, what=strategies.sampled_from(("remove payment", "take off", "remove deposit", "pay a part")))
    def bookkeeper_with_money(self, which, what):
        kind = {"remove payment": "payment", "take off": "allocation", "remove deposit": "payout"}.get(what)
        try:
            if kind is None:
                owing = [one for one in self._ours() if one["Status"] == "AUTHORISED" and one["AmountDue"] > 1]
                if invoice := pick(which, sorted(owing, key=lambda one: one["InvoiceNumber"])):
                    self.books.pay(invoice["InvoiceNumber"], "1.00")
                return
            rows = Link.objects.filter(kind=kind).exclude(status="DELETED").order_by("sent_at", "pk")
            if link := pick(which, rows):
                remove = {
                    "payment": self.books.remove_payment,
                    "allocation": self.books.remove_allocation,
                    "payout": self.books.remove_batch,
                }[kind]
                remove(link.xero_id)
        except Exception as refusal:
            if type(refusal).__name__ not in {"Invalid", "LookupError"}:  # Xero's own refusals, and what is gone
                raise

    @precondition(lambda self: self.people)
    @rule(locked=strategies.booleans())
    def lock(self, locked):
        """Close the period that everything is dated in, or open it again."""
        self.books.set_lock_dates(period=date(2027, 12, 31) if locked else None)

    # --- judging --------------------------------------------------------------------------------------------------

    def _sync(self):
        super()._sync()
        if self.people:
            poll(Connection.objects.get())
            super()._sync()

    def _quiesce(self):
        self.books.set_lock_dates()
        super()._quiesce()

    def _judge(self):
        super()._judge()
        report = verify_books(self.supplier)
        assert not [one for one in report.differences if one.field == "double"], report.differences
        touched = self.decided or self.raced or self.by_hand or self.theirs
        if not touched and not Problem.objects.filter(solved_at=None).exists():
            assert report.differences == []

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
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def settings_of_xero(settings):
    settings.XERO_LOGIN_URL = settings.XERO_IDENTITY_URL = settings.XERO_API_URL = "http://localhost:8765"
    settings.XERO_CLIENT_ID, settings.XERO_CLIENT_SECRET = "simulator", "simulator-secret"
