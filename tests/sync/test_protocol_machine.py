"""The write protocol driven by chance: two workers that pause, crash and overtake each other, lost and late answers,
people editing here and in Xero, time passing. The real code, the real database, the simulator in this process.

A worker is a thread that stops at each failpoint until the machine lets it go on; a crash is one that never goes on.
PROTOCOL_EXAMPLES sets how many histories each machine tries. What is drawn never depends on what has happened: ids are
random and time passes, so a history that is tried again may go another way, and Hypothesis must draw the same for it.
"""

import os
import threading
from datetime import timedelta

import pytest
from django.db import connections
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

import cast
from provender.basics import clock
from provender.changes.models import Change
from provender.customers.models import Customer
from provender.invoicing.models import CreditNote, Invoice
from provender.ordering import actions as ordering
from provender.ordering.models import Order
from provender.payments.models import Allocation, Payment, Payout, PayoutLine
from provender.suppliers.models import Counter, Supplier
from provender.sync import actions, failpoints
from provender.sync.differences import GONE
from provender.sync.drain import drain
from provender.sync.errors import LinkRefused, ProblemGone
from provender.sync.failpoints import Failpoint
from provender.sync.models import Connection, Consent, Dispatch, Problem
from provender.sync.queries import waiting_invoices
from provender.sync.session import carried_by
from sync.conftest import Reversed
from sync.connected import connect
from xero_simulator import Simulator
from xero_simulator.testing import FaultyTransport, asked_switches

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.hypothesis]

EXAMPLES = int(os.environ.get("PROTOCOL_EXAMPLES", "10"))
# In a transaction: pausing there would hold the database.
INSIDE = frozenset({Failpoint.RECORDING, Failpoint.RECOVERING})
FAULTS = ("drop-before-commit", "drop-after-commit", "commit-late", "500", "500-after-commit", "cut-body")
LATE = 110  # a late request commits at most so long after we hung up
WHICH = strategies.integers(0, 11)


class Crashed(BaseException):
    """Ends an abandoned thread when all is judged."""


class Worker:
    """A drain, or a reading, in a thread of its own that stops at each failpoint."""

    def __init__(self, connection, does=drain):
        self.does = does
        self.go, self.stopped = threading.Semaphore(0), threading.Semaphore(0)
        self.done, self.crashed, self.place = False, False, ""
        self.thread = threading.Thread(target=self._work, args=[connection], daemon=True)
        self.thread.worker = self
        self.thread.start()

    def _work(self, connection):
        try:
            self._wait()
            self.does(connection)
        except Crashed:
            return
        finally:
            connections.close_all()
            self.done = True
            self.stopped.release()

    def _wait(self):
        self.go.acquire()
        if self.crashed:
            raise Crashed

    def pause(self, place):
        self.place = place
        self.stopped.release()
        self._wait()

    def step(self):
        self.go.release()
        assert self.stopped.acquire(timeout=30), f"a worker hangs after {self.place}"

    def end(self):
        self.crashed = True
        self.go.release()
        self.thread.join(timeout=30)


def watch(place):
    worker = getattr(threading.current_thread(), "worker", None)
    if worker is None or place in INSIDE:
        return
    if worker.crashed:
        raise Crashed
    worker.pause(place)


def pick(which, rows):
    """One of them, or None of none."""
    found = list(rows)
    return found[which % len(found)] if found else None


class Machine(RuleBasedStateMachine):
    """One wholesaler, two venues, two workers."""

    people = True

    def __init__(self):
        super().__init__()
        self.moved = timedelta(0)
        self.workers, self.abandoned = {}, []
        self.by_hand, self.decided, self.raced = {}, set(), set()
        self.typed, self.theirs = 0, None

    @initialize()
    def begin(self):
        self.simulator = Simulator(organisation="demo-au", limits=False, switches=asked_switches())
        self.carried = carried_by(Reversed(FaultyTransport(self.simulator)))
        self.carried.__enter__()
        self.books = self.simulator.organisation()
        self.supplier = cast.supplier()
        self.connection = connect(self.supplier, self.simulator)
        self.venues = [cast.venue(self.supplier, name) for name in ("Corner Cafe", "Harbour Kiosk")]
        failpoints.plan.watch = watch

    # --- here -----------------------------------------------------------------------------------------------------

    @rule(venue=strategies.integers(0, 1), quantity=strategies.integers(1, 9))
    def place(self, venue, quantity):
        if Order.objects.count() < 4:
            cast.placed_order(self.venues[venue], {"OAT-1L": quantity})

    @rule(which=WHICH, quantity=strategies.integers(1, 9), more=strategies.booleans())
    def edit(self, which, quantity, more, **money):
        if order := pick(which, Order.objects.exclude(status="cancelled").order_by("created_at")):
            goods = {"OAT-1L": quantity} | ({"SYRUP-VAN": 1} if more else {})
            ordering.edit_order(order, lines=cast.goods(self.supplier, goods), by=None, **money)

    @rule(which=WHICH)
    def cancel(self, which, **money):
        if order := pick(which, Order.objects.exclude(status="cancelled").order_by("created_at")):
            ordering.cancel_order(order, by=None, **money)

    @precondition(lambda self: self.people)
    @rule(which=WHICH, keep=strategies.booleans())
    def decide(self, which, keep):
        """Keep theirs or send ours."""
        if problem := pick(which, Problem.objects.filter(solved_at=None, cause="edited-in-xero").order_by("pk")):
            try:
                actions.keep_theirs(problem, None) if keep else actions.send_ours(problem, None)
            except (LinkRefused, ProblemGone):
                return
            self.decided.add(problem.document)

    # --- workers --------------------------------------------------------------------------------------------------

    @rule(who=strategies.integers(1, 2), steps=strategies.integers(1, 6))
    def work(self, who, steps):
        """A few steps of one worker."""
        for _ in range(steps):
            worker = self.workers.get(who) or Worker(Connection.objects.get())
            self.workers[who] = worker
            worker.step()
            if worker.done:
                del self.workers[who]
                return

    @rule(who=strategies.integers(1, 2))
    def work_to_the_end(self, who):
        for _ in range(200):
            self.work(who, 1)
            if who not in self.workers:
                return

    @rule(kind=strategies.sampled_from(FAULTS))
    def next_write_fails(self, kind):
        self.simulator.faults.clear()
        more = {"seconds": LATE} if kind == "commit-late" else {}
        self.simulator.faults.add(kind, methods=["PUT", "POST"], path="/api.xro/2.0/*", count=1, **more)

    @rule(which=WHICH)
    def crash(self, which):
        if who := pick(which, sorted(self.workers)):
            self.abandoned.append(self.workers.pop(who))

    @rule(seconds=strategies.sampled_from((30, 95, 160, 330)))
    def wait(self, seconds):
        self._later(seconds)

    # --- a bookkeeper in Xero -------------------------------------------------------------------------------------

    @precondition(lambda self: self.people)
    @rule(which=WHICH, what=strategies.sampled_from(("edit", "void", "pay")))
    def bookkeeper(self, which, what):
        untouched = [one for one in self._ours() if not one["AmountPaid"] and not one["AmountCredited"]]
        live = [one for one in untouched if one["Status"] == "AUTHORISED"]
        theirs = pick(which, sorted(live, key=lambda one: one["InvoiceNumber"]))
        if theirs is None:
            return
        document = theirs["Url"].rsplit("/", 1)[-1]
        if any(worker.place for worker in self.workers.values()):
            self.raced.add(document)  # between our look and our write: what no protocol can close
        if what == "edit":
            self.typed += 1
            said = f"by hand {self.typed}"
            self.books.edit_invoice(theirs["InvoiceNumber"], Reference=said)
            self.by_hand[document] = said  # unless Xero refused it
        elif what == "void":
            self.books.void(theirs["InvoiceNumber"])
        else:
            self.books.pay(theirs["InvoiceNumber"])

    @precondition(lambda self: self.people and not self.theirs)
    @rule()
    def type_our_next_number(self):
        """Somebody types an invoice in Xero that has the number ours will have."""
        counter = Counter.objects.filter(supplier=self.supplier, kind="invoice").first()
        number = f"{self.supplier.invoice_prefix}{counter.next if counter else 1}"
        self.theirs = self.books.type_invoice(number, contact="Typed by hand")

    @precondition(lambda self: self.people)
    @rule(venue=strategies.integers(0, 1))
    def type_contact(self, venue):
        name = self.venues[venue].trading_name
        if name not in {one["Name"] for one in self._shown()["Contacts"]}:
            self.books.add_contact(name)

    # --- judging --------------------------------------------------------------------------------------------------

    def teardown(self):
        try:
            if hasattr(self, "connection"):
                self._quiesce()
                self._judge()
        finally:
            failpoints.plan.watch = None
            for worker in [*self.workers.values(), *self.abandoned]:
                worker.end()
            clock.move(-self.moved)
            if hasattr(self, "carried"):
                self.carried.__exit__(None, None, None)
            _empty()

    def _quiesce(self):
        self.simulator.faults.clear()
        for who in list(self.workers):
            self.work_to_the_end(who)
        failpoints.plan.watch = None
        for _ in range(14):
            self._later(100)
            self._sync()
            if not Dispatch.objects.exists() and not waiting_invoices(self.connection).exists():
                break
        for _ in range(4):  # what is quiet has to stay so, past every late commit
            self._later(1000)
            self._sync()

    def _sync(self):
        drain(Connection.objects.get())

    def _judge(self):
        assert not Dispatch.objects.exists(), "a doubt is never settled"
        assert not waiting_invoices(self.connection).exists(), "something waits for ever"
        named = set(Problem.objects.filter(solved_at=None).values_list("document", flat=True))
        if not self.people:
            assert not named, list(Problem.objects.filter(solved_at=None).values("cause", "raw", "words"))
        names = [one["Name"] for one in self._shown()["Contacts"] if one["ContactStatus"] == "ACTIVE"]
        assert len(names) == len(set(names)), "a contact is there twice"
        if self.theirs:
            ids = {one["InvoiceID"] for one in self._ours()}
            assert self.theirs["InvoiceID"] not in ids, "somebody else's invoice was written over"
        for invoice in Invoice.objects.all():
            self._judge_invoice(invoice, invoice.pk in named)

    def _judge_invoice(self, invoice, named):
        mine = [one for one in self._ours() if one["Url"].endswith(str(invoice.pk))]
        live = [one for one in mine if one["Status"] not in GONE]
        assert len(live) <= 1, "twice in Xero"
        kept = self.by_hand.get(str(invoice.pk))
        if kept and live and invoice.pk not in self.decided and str(invoice.pk) not in self.raced:
            assert live[0]["Reference"] == kept, "a person's edit was overwritten blindly"
        if named or invoice.pk in self.decided or kept or str(invoice.pk) in self.raced:
            return
        if invoice.status == Invoice.Status.VOID:
            assert not live, "cancelled but alive"
        elif live:
            assert str(live[0]["Total"]) == str(invoice.total), "the newest version isn't there"
        else:
            assert any(one["Status"] in GONE for one in mine), "not in Xero"
            assert self.people, "not in Xero"

    # --- small things ---------------------------------------------------------------------------------------------

    def _later(self, seconds):
        by = timedelta(seconds=seconds)
        clock.move(by)
        self.moved += by
        self.simulator.clock.advance(seconds)

    def _shown(self):
        return self.simulator.books()["organisations"][0]

    def _ours(self):
        return [one for one in self._shown()["Invoices"] if "/invoice/" in one.get("Url", "")]


class Calm(Machine):
    """Nobody acts in Xero, so nobody here may be asked anything."""

    people = False


def _empty():
    """Nothing of this history is left for the next one."""
    PayoutLine.objects.all().delete()
    Payment.objects.filter(refund_of__isnull=False).delete()  # what refers to its like goes first
    Payment.objects.all().delete()
    Payout.objects.all().delete()
    Allocation.objects.all().delete()
    CreditNote.objects.all().delete()
    Order.objects.all().delete()
    Invoice.objects.filter(further_to__isnull=False).delete()
    Invoice.objects.all().delete()
    Customer.objects.all().delete()
    Change.objects.all().delete()
    Supplier.objects.all().delete()
    Consent.objects.all().delete()


@pytest.mark.parametrize("machine", [Machine, Calm], ids=["with people", "calm"])
def test_the_protocol_holds_in_every_history(machine, settings_of_xero):
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
