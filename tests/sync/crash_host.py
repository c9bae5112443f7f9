"""A real Provender process for the crash tests: some commands in turn, in a child of its own, which may be killed.

They come as a JSON line on standard input; what each answered before the child ended goes as a JSON line to standard
output. The parent keeps Django loaded and never opens the database, so that a child costs milliseconds instead of a
start.
"""

import gc
import json
import os
import re
import signal
import sys
import time
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import django
import httpx2

django.setup()

import encodings.idna  # noqa: E402, F401 -- or each child would load it with its first call

import django.db.models.sql.compiler  # noqa: E402 -- likewise, with its first query

import cast  # noqa: E402
from provender.basics import clock  # noqa: E402
from provender.invoicing.models import Invoice  # noqa: E402
from provender.ordering import actions as ordering  # noqa: E402
from provender.ordering.models import Order  # noqa: E402
from provender.payments.actions import allocate_credit, remove_payment, undo_allocation  # noqa: E402
from provender.payments.models import Allocation, Payment, Payout  # noqa: E402
from provender.payments.payouts import PayoutEntry, close_payout, enter_payout, undo_payout  # noqa: E402
from provender.suppliers.models import Supplier  # noqa: E402
from provender.sync import connecting, failpoints  # noqa: E402
from provender.sync.choices import propose, save_settings  # noqa: E402
from provender.sync.drain import drain  # noqa: E402
from provender.sync.models import Connection, Consent, Dispatch, Problem  # noqa: E402
from provender.sync.queries import waiting_invoices  # noqa: E402
from provender.sync.verify import verify_books  # noqa: E402

# Made once: each new one reads the system's certificates.
controls = httpx2.Client(base_url=os.environ["XERO_API_URL"])


def set_up():
    """A new database with Harbour Fine Foods, connected."""
    from django.apps import apps
    from django.conf import settings
    from django.core.management import call_command

    settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}  # as in all tests: only the tables
    call_command("migrate", run_syncdb=True, verbosity=0)
    supplier = cast.supplier()
    with httpx2.Client() as browser:
        page = browser.get(connecting.begin(supplier, None))
        form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        organisation = re.search(r'<(?:option|input[^>]*name="organisation")[^>]*value="([0-9a-f-]{36})"', page.text)[1]
        answer = browser.post(str(page.url), data=form | {"organisation": organisation, "decision": "allow"})
    params = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    attempt = connecting.finish(params, None)
    made = connecting.choose(attempt, attempt.tenants[0]["tenant_id"], None)
    money = {"payments_to_xero": True, "auto_reconcile": True, "fee_account": made.accounts.get(code="404").account_id}
    save_settings(made, propose(made) | money | {"automatic_sync": True}, None)


def place(venue, quantity=4):
    """A placed order; its invoice's number."""
    supplier = Supplier.objects.get()
    customer = supplier.customers.filter(trading_name=venue).first() or cast.venue(supplier, venue)
    return cast.placed_order(customer, {"OAT-1L": quantity, "BEANS-1KG": 1}).invoice.number


def edit(number, quantity=7):
    order = Order.objects.get(invoice__number=number)
    ordering.edit_order(order, lines=cast.goods(order.supplier, {"OAT-1L": quantity, "SYRUP-VAN": 2}), by=None)


def cancel(number):
    ordering.cancel_order(Order.objects.get(invoice__number=number), by=None)


def pay(number):
    """A payment of all that is due."""
    invoice = Invoice.objects.get(number=number)
    cast.payment(invoice, str(invoice.due))


def take_payments_back(number):
    for payment in Payment.objects.filter(invoice__number=number, payout=None, removed_at=None):
        remove_payment(payment)


def credit(number):
    """A credit note of 9.90 for the invoice, of which 4.00 are set against it."""
    invoice = Invoice.objects.get(number=number)
    made = cast.credit_note(invoice.customer, cast.line(quantity=2), invoice=invoice)
    allocate_credit(made, invoice, amount=Decimal("4.00"), date=invoice.date)


def take_credits_off(number):
    for allocation in Allocation.objects.filter(invoice__number=number, removed_at=None):
        undo_allocation(allocation)


def pay_out(number):
    """A closed payout that pays the invoice."""
    invoice = Invoice.objects.get(number=number)
    entries = [PayoutEntry(gross=invoice.due, fee=Decimal("0.30"), invoice_number=number)]
    fields = {"provider": "PayWave", "reference": f"PO {number}", "date": invoice.date, "entries": entries}
    close_payout(enter_payout(Supplier.objects.get(), **fields))


def undo_payouts(number):
    for payout in Payout.objects.filter(payments__invoice__number=number, undone_at=None).distinct():
        undo_payout(payout)


def expire_token():
    Consent.objects.update(expires_at=clock.now() - timedelta(minutes=1))


def run_drain(failpoint="", nth=1):
    """Drain once, dying at that failpoint; the places reached, in order."""
    reached = []
    failpoints.plan.name, failpoints.plan.left = failpoint, nth
    failpoints.plan.watch = lambda place: reached.append(str(place))
    drain(Connection.objects.select_related("supplier").get())
    return reached


# What is done to an invoice of its own after it was placed; the last step is the one that is killed.
SCENES = {
    "create": (),
    "match a contact": (),
    "recover": (),
    "change": (edit,),
    "refresh the token": (lambda number: (expire_token(), edit(number)),),
    "void": (cancel,),
    "pay": (pay,),
    "take a payment back": (pay, take_payments_back),
    "credit and set against": (credit,),
    "take a credit off": (credit, take_credits_off),
    "pay out": (pay_out,),
    "undo a payout": (pay_out, undo_payouts),
}


def prepare(operation, venues):
    """Do and send all but the last step for each of them; the invoices' numbers, None where placing is the last."""
    if not SCENES[operation]:
        return [None for _ in venues]
    numbers = [place(venue) for venue in venues]
    run_drain()
    for step in SCENES[operation][:-1]:
        for number in numbers:
            step(number)
        run_drain()
    return numbers


def act(operation, venue, number):
    """Do the last step, unsent; the invoice's number."""
    if number is None:
        return place(venue)
    SCENES[operation][-1](number)
    return number


def look():
    """What is not in step, each invoice's total and whether it is void, and what of the money counts here."""
    connection = Connection.objects.get()
    payments = Payment.objects.filter(removed_at=None, invoice__isnull=False).select_related("invoice")
    allocations = Allocation.objects.filter(removed_at=None).select_related("invoice")
    payouts = Payout.objects.filter(undone_at=None)
    return {
        "unsettled": {
            "open": Dispatch.objects.count(),
            "waiting": waiting_invoices(connection).count(),
            "problems": [f"{one.cause}: {one.raw}" for one in Problem.objects.filter(solved_at=None)],
        },
        "invoices": {one.number: [str(one.total), one.status] for one in Invoice.objects.all()},
        "money": {
            "Payments": sorted([one.invoice.number, str(one.amount)] for one in payments),
            "Allocations": sorted([one.invoice.number, str(one.amount)] for one in allocations),
            "BatchPayments": sorted([one.reference, str(one.gross)] for one in payouts),
            "BankTransactions": sorted([one.reference, str(one.fee)] for one in payouts),
        },
    }


def settle():
    """Drain again as the engine would, until nothing is due or in doubt; what there is then, and how many seconds later
    it is on both sides' clocks.
    """
    later = 0
    for seconds in (100, *[300] * 4):  # the dead process's lease runs out, then what was sent settles
        clock.move(timedelta(seconds=seconds))
        controls.post("/_simulator/clock", json={"advance": seconds}).raise_for_status()
        later += seconds
        run_drain()
        state = look()
        if not state["unsettled"]["open"] and not state["unsettled"]["waiting"]:
            break
    return {"state": state, "later": later}


def verify():
    return verify_books(Supplier.objects.get()).as_json()


COMMANDS = {one.__name__: one for one in (set_up, place, edit, cancel, prepare, act, run_drain, look, settle, verify)}


def run_in_child(steps, offset, kill_after):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        clock.move(timedelta(seconds=offset))
        status = 1
        try:
            for name, arguments in steps:
                os.write(write, json.dumps(COMMANDS[name](**arguments)).encode() + b"\n")
            status = 0
        except Exception:  # noqa: BLE001 -- told on standard error, and by the exit status
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(write)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.readlines()
    _, status = os.waitpid(child, 0)
    return {
        "killed": os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL,
        "failed": os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0,
        "results": [json.loads(line) for line in said if line.endswith(b"\n")],
    }


def main():
    gc.disable()  # a child lives for moments
    gc.freeze()  # what is loaded stays shared with the children
    for line in sys.stdin:
        answer = run_in_child(**json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
