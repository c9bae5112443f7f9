"""A real Provender process for the crash tests: some commands in turn, in a child of its own, which may be killed.

They come as JSON lines on standard input, the last one's answer goes as a JSON line to standard output. The parent
keeps Django loaded and never opens the database, so that a child costs milliseconds instead of a start.
"""

import gc
import json
import os
import re
import signal
import sys
import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import django
import httpx2

django.setup()

import django.db.models.sql.compiler  # noqa: E402 -- or each child would load it with its first query

import cast  # noqa: E402
from provender.basics import clock  # noqa: E402
from provender.invoicing.models import Invoice  # noqa: E402
from provender.ordering import actions as ordering  # noqa: E402
from provender.ordering.models import Order  # noqa: E402
from provender.suppliers.models import Supplier  # noqa: E402
from provender.sync import connecting, failpoints  # noqa: E402
from provender.sync.choices import propose, save_settings  # noqa: E402
from provender.sync.drain import drain  # noqa: E402
from provender.sync.models import Connection, Consent, Dispatch, Problem  # noqa: E402
from provender.sync.queries import waiting_invoices  # noqa: E402
from provender.sync.verify import verify_books  # noqa: E402


def set_up():
    """A new database with Harbour Fine Foods, connected."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    supplier = cast.supplier()
    with httpx2.Client() as browser:
        page = browser.get(connecting.begin(supplier, None))
        form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        organisation = re.search(r'<(?:option|input[^>]*name="organisation")[^>]*value="([0-9a-f-]{36})"', page.text)[1]
        answer = browser.post(str(page.url), data=form | {"organisation": organisation, "decision": "allow"})
    params = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    attempt = connecting.finish(params, None)
    made = connecting.choose(attempt, attempt.tenants[0]["tenant_id"], None)
    save_settings(made, propose(made) | {"automatic_sync": True}, None)


def place(venue, quantity=4):
    """A placed order; its invoice's number."""
    supplier = Supplier.objects.get()
    customer = supplier.customers.filter(trading_name=venue).first() or cast.venue(supplier, venue)
    return cast.placed_order(customer, {"OAT-1L": quantity, "BEANS-1KG": 1}).invoice.number


def edit(number, quantity):
    order = Order.objects.get(invoice__number=number)
    ordering.edit_order(order, lines=cast.goods(order.supplier, {"OAT-1L": quantity, "SYRUP-VAN": 2}), by=None)


def cancel(number):
    ordering.cancel_order(Order.objects.get(invoice__number=number), by=None)


def expire_token():
    Consent.objects.update(expires_at=clock.now() - timedelta(minutes=1))


def run_drain(failpoint="", nth=1):
    """Drain once, dying at that failpoint; the places reached, in order."""
    reached = []
    failpoints.plan.name, failpoints.plan.left = failpoint, nth
    failpoints.plan.watch = lambda place: reached.append(str(place))
    drain(Connection.objects.select_related("supplier").get())
    return reached


def look():
    """What is not in step."""
    connection = Connection.objects.get()
    return {
        "open": Dispatch.objects.count(),
        "waiting": waiting_invoices(connection).count(),
        "problems": [f"{one.cause}: {one.raw}" for one in Problem.objects.filter(solved_at=None)],
    }


def expected():
    """Number → total and whether it is void."""
    return {one.number: [str(one.total), one.status] for one in Invoice.objects.all()}


def verify():
    return verify_books(Supplier.objects.get()).as_json()


COMMANDS = {one.__name__: one for one in (set_up, place, edit, cancel, expire_token, run_drain, look, expected, verify)}


def run_in_child(steps, offset, kill_after):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        clock.move(timedelta(seconds=offset))
        status = 1
        try:
            for name, arguments in steps:
                result = COMMANDS[name](**arguments)
            os.write(write, json.dumps(result).encode())
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
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return {
        "killed": os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL,
        "failed": os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0,
        "result": json.loads(said) if said else None,
    }


def main():
    gc.freeze()  # what is loaded stays shared with the children
    for line in sys.stdin:
        answer = run_in_child(**json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
