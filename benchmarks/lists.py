"""How long the long lists take: 100,000 invoices, with an order, a payment and a credit note for each, in SQLite.

    python benchmarks/lists.py [--invoices 100000] [--tries 40] [--only orders]

Fills a database of its own (a folder under the system's temporary one, removed at the end), then asks for pages the
way a browser does, through every layer up to the HTML, and prints for each kind the median, the 95th percentile and the
longest, and the median and the 95th percentile of this process's own processor time, which a busy machine stretches
less. With DATABASE_URL it does the same in that PostgreSQL database, which has to be empty.
The aim: under 100 ms at the 95th percentile.
"""

import argparse
import math
import os
import random
import shutil
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

AIM_MS = 100
CUSTOMERS = 1000
DAYS = 730
AT_ONCE = 5000


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("--invoices", type=int, default=100_000)
    wanted.add_argument("--tries", type=int, default=40)
    wanted.add_argument("--only", default="", help="the lists whose address begins so: invoices, orders, payments …")
    chosen = wanted.parse_args()
    home = tempfile.mkdtemp(prefix="provender-benchmark-")
    try:
        set_up(home)
        began = time.perf_counter()
        fill(chosen.invoices)
        took = time.perf_counter() - began
        print(f"{chosen.invoices:,} invoices of {CUSTOMERS:,} customers, filled in {took:.0f} s\n")
        measure(chosen.invoices, chosen.tries, chosen.only)
    finally:
        shutil.rmtree(home)


def set_up(home: str) -> None:
    """An empty database in that folder."""
    os.environ |= {"PROVENDER_HOME": home, "DJANGO_SETTINGS_MODULE": "provender.config.settings"}
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from provender.cli.serving import collect_static

    collect_static()


def fill(count: int) -> None:
    """A wholesaler that has traded for two years: all but the last invoices are in Xero, some need a person."""
    from django.db import connection, transaction

    from provender.invoicing.models import CreditNote, Invoice
    from provender.ordering.models import Order
    from provender.payments.models import Payment
    from provender.people.models import Membership, User
    from provender.suppliers.actions import create_supplier
    from provender.sync.models import Link

    chance = random.Random(7)
    supplier = create_supplier(slug="harbour", name="Harbour Fine Foods", country="AU")
    Membership.objects.create(supplier=supplier, user=User.objects.create_user("theo@example.test"), role="owner")
    customers = make_customers(supplier)
    link = connect(supplier)
    with transaction.atomic():
        for start in range(0, count, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, count))
            made = [make_invoice(supplier, chance.choice(customers), n, count, chance) for n in numbers]
            Invoice.objects.bulk_create(made)
            waiting = max(0, count - 200)
            sent = [invoice for invoice, n in zip(made, numbers, strict=True) if n < waiting]
            Link.objects.bulk_create(twin(link, invoice) for invoice in sent)
            post_changes(supplier, made, {invoice.pk for invoice in sent})
            find_problems(link, sent[:: AT_ONCE // 10])
            Order.objects.bulk_create(order_of(invoice) for invoice in made)
            Payment.objects.bulk_create(payment_of(invoice) for invoice in made if invoice.settled_on)
            CreditNote.objects.bulk_create(credit_note_of(invoice, chance) for invoice in made)
    if connection.vendor == "postgresql":  # what its own housekeeper does within a minute
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def make_customers(supplier: Any) -> list[Any]:
    from provender.customers.models import Customer

    kinds = ("Cafe", "Bistro", "Bakery", "Kitchen", "Hotel", "Deli", "Bar", "Grocer")
    return Customer.objects.bulk_create(
        Customer(supplier=supplier, trading_name=f"{kinds[n % len(kinds)]} number {n}", number=f"C{n:05}")
        for n in range(CUSTOMERS)
    )


def connect(supplier: Any) -> Any:
    from provender.basics import clock
    from provender.sync.models import Connection

    since = clock.now() - timedelta(days=DAYS)
    return Connection.objects.create(
        supplier=supplier, tenant=str(uuid.uuid4()), organisation="Harbour Fine Foods Pty Ltd", automatic_sync=True,
        automatic_since=since, connected_at=since,
    )  # fmt: skip


def make_invoice(supplier: Any, customer: Any, n: int, count: int, chance: random.Random) -> Any:
    from provender.basics import clock
    from provender.invoicing.models import Invoice

    raised = clock.now() - timedelta(days=DAYS * (count - n) / count)
    subtotal = Decimal(chance.randrange(1_000, 250_000)) / 100
    total = (subtotal * 11 / 10).quantize(Decimal("0.01"))
    void, late = n % 50 == 0, n % 60 == 1
    settled = raised + timedelta(days=20)
    paid = not void and not late and settled < clock.now()
    return Invoice(
        supplier=supplier, customer=customer, number=f"INV-{n + 1}", date=raised.date(),
        due_date=raised.date() + timedelta(days=14), order_numbers=f"SO-{n + 1}",
        purchase_order=f"PO{chance.randrange(90_000):05}" if n % 3 == 0 else "", currency="AUD", subtotal=subtotal,
        tax=total - subtotal, total=total, paid=total if paid else 0, settled_on=settled.date() if paid else None,
        status="void" if void else "open", created_at=raised, changed_at=raised,
    )  # fmt: skip


def order_of(invoice: Any) -> Any:
    from provender.ordering.models import Order

    return Order(
        supplier=invoice.supplier, customer=invoice.customer, number=invoice.order_numbers, invoice=invoice,
        status="cancelled" if invoice.status == "void" else "delivered", purchase_order=invoice.purchase_order,
        order_date=invoice.date, delivery_date=invoice.date + timedelta(days=1), created_at=invoice.created_at,
        changed_at=invoice.created_at, placed_at=invoice.created_at,
    )  # fmt: skip


def payment_of(invoice: Any) -> Any:
    from provender.payments.models import Payment

    return Payment(
        supplier=invoice.supplier, invoice=invoice, date=invoice.settled_on, amount=invoice.total, source="xero",
        reference=f"EFT {invoice.number[4:]}", recorded_at=invoice.created_at + timedelta(days=20),
    )  # fmt: skip


def credit_note_of(invoice: Any, chance: random.Random) -> Any:
    from provender.invoicing.models import CreditNote

    total = Decimal(chance.randrange(100, 10_000)) / 100
    return CreditNote(
        supplier=invoice.supplier, customer=invoice.customer, invoice=invoice, number=f"CN-{invoice.number[4:]}",
        date=invoice.date, reason="Short delivered", currency="AUD", subtotal=total, tax=0, total=total,
        used=total if invoice.settled_on else 0, created_at=invoice.created_at, changed_at=invoice.created_at,
    )  # fmt: skip


def twin(link: Any, invoice: Any) -> Any:
    from provender.sync.models import Link

    return Link(
        connection=link, kind="invoice", document=invoice.pk, xero_id=str(uuid.uuid4()), number=invoice.number,
        status="AUTHORISED", total=invoice.total, revision=1, sent_at=invoice.created_at, sent="{}" * 600,
    )  # fmt: skip


def post_changes(supplier: Any, invoices: list[Any], sent: set[uuid.UUID]) -> None:
    from provender.changes.models import Change

    Change.objects.bulk_create(
        Change(
            supplier=supplier, kind="invoice", document=invoice.pk, settled=int(invoice.pk in sent), why="Raised",
            first_at=invoice.created_at, changed_at=invoice.created_at,
        )
        for invoice in invoices
    )  # fmt: skip


def find_problems(link: Any, invoices: list[Any]) -> None:
    from provender.sync.models import Problem

    Problem.objects.bulk_create(
        Problem(
            connection=link, kind="invoice", document=invoice.pk, cause=cause, revision=1, found_at=invoice.created_at
        )
        for invoice, cause in zip(invoices, ["archived-account", "paid-or-credited"] * len(invoices), strict=False)
    )


def cases(count: int, only: str) -> dict[str, Iterator[str]]:
    """Each kind of page of those lists, with addresses that differ from one try to the next."""
    chance = random.Random(11)
    today = date(*datetime.now().astimezone().timetuple()[:3])

    def each(make: Any) -> Iterator[str]:
        while True:
            yield make()

    def some_month() -> str:
        first = today - timedelta(days=chance.randrange(30, DAYS))
        return f"date_from={first}&date_to={first + timedelta(days=30)}"

    def some_customer() -> str:
        return f"customer=Cafe+number+{8 * chance.randrange(120)}"

    def both_ways(*columns: str) -> dict[str, Callable[[], str]]:
        return {f"sort by {way}{column}": lambda way=way, column=column: f"sort={way}{column}"
                for column in columns for way in ("", "-")}  # fmt: skip

    lists: dict[str, dict[str, Callable[[], str]]] = {
        "invoices": {
            "first page": lambda: "",
            "page 5": lambda: "page=5",
            "page 40, 100 rows each": lambda: "page=40&per=100",
            "open": lambda: "status=open",
            "overdue": lambda: "status=overdue",
            "paid": lambda: "status=paid",
            "void, page 5": lambda: "status=void&page=5",
            **{f"in Xero: {state}": lambda state=state: f"xero={state}" for state in STATES},
            "a customer by name": some_customer,
            "one month": some_month,
            "search a whole number": lambda: f"q=INV-{chance.randrange(1, count)}",
            "search the end of a number": lambda: f"q={chance.randrange(count // 2, count)}",
            "search a purchase order": lambda: f"q=PO{chance.randrange(90_000):05}",
            "search a customer": lambda: f"q=bakery+number+{8 * chance.randrange(120) + 2}",
            "search what isn't there": lambda: f"q=nobody{chance.randrange(1000)}",
            **both_ways("total", "due", "number", "customer"),
            "sort by total, page 5": lambda: "sort=total&page=5",
            "sort by customer, page 40": lambda: "sort=customer&page=40",
            "open, sort by customer": lambda: "sort=customer&status=open",
            "paid, sort by customer": lambda: "sort=customer&status=paid",
            "count and sum of all (apart)": lambda: "totals=1",
        },
        "orders": {
            "first page": lambda: "",
            "page 40, 100 rows each": lambda: "page=40&per=100",
            "delivered": lambda: "status=delivered",
            "cancelled": lambda: "status=cancelled",
            "live": lambda: "status=live",
            "not invoiced": lambda: "invoiced=no",
            "a customer by name": some_customer,
            "one month": some_month,
            "search a whole number": lambda: f"q=SO-{chance.randrange(1, count)}",
            "search a customer": lambda: f"q=bakery+number+{8 * chance.randrange(120) + 2}",
            "search what isn't there": lambda: f"q=nobody{chance.randrange(1000)}",
            **both_ways("number", "customer", "date", "delivery", "po", "status"),
            "count and sum of all (apart)": lambda: "totals=1",
        },
        "payments": {
            "first page": lambda: "",
            "page 40, 100 rows each": lambda: "page=40&per=100",
            "from Xero": lambda: "source=xero",
            "from payouts": lambda: "source=payout",
            "a customer by name": some_customer,
            "one month": some_month,
            "search a whole number": lambda: f"q=INV-{chance.randrange(1, count)}",
            "search a reference": lambda: f"q=EFT+{chance.randrange(1, count)}",
            "search what isn't there": lambda: f"q=nobody{chance.randrange(1000)}",
            **both_ways("date", "amount"),
            "count and sum of all (apart)": lambda: "totals=1",
        },
        "credit-notes": {
            "first page": lambda: "",
            "page 40, 100 rows each": lambda: "page=40&per=100",
            **{state: lambda state=state: f"state={state}" for state in ("issued", "applied", "void")},
            "a customer by name": some_customer,
            "one month": some_month,
            "search a whole number": lambda: f"q=CN-{chance.randrange(1, count)}",
            "search what isn't there": lambda: f"q=nobody{chance.randrange(1000)}",
            **both_ways("number", "customer", "date", "total"),
            "count and sum of all (apart)": lambda: "totals=1",
        },
        "customers": {
            "first page": lambda: "",
            "100 rows": lambda: "per=100",
            "search": lambda: f"q=bakery+number+{8 * chance.randrange(120) + 2}",
        },
        "payments/owed": {"first page": lambda: "", "one customer": lambda: f"q=number+{chance.randrange(CUSTOMERS)}"},
    }  # fmt: skip
    return {f"{of}: {name}": each(lambda of=of, make=make: f"{of}?{make()}")
            for of, kinds in lists.items() if of.startswith(only) for name, make in kinds.items()}  # fmt: skip


STATES = ("waiting", "sent", "needs-you", "locked", "off")


def measure(count: int, tries: int, only: str) -> None:
    from django.test import Client

    from provender.people.models import User

    browser = Client(headers={"host": "localhost"})
    browser.force_login(User.objects.get())
    print(f"{'':42}{'median':>9}{'95th':>9}{'most':>9}{'processor':>11}{'95th':>9}   milliseconds")
    late = []
    for name, addresses in cases(count, only).items():
        ask(browser, name, next(addresses))  # templates are read once
        asked = [ask(browser, name, next(addresses)) for _ in range(tries)]
        taken, busy = sorted(wall for wall, _ in asked), sorted(cpu for _, cpu in asked)
        place = math.ceil(0.95 * tries) - 1
        print(
            f"{name:42}{statistics.median(taken):9.1f}{taken[place]:9.1f}{taken[-1]:9.1f}"
            f"{statistics.median(busy):11.1f}{busy[place]:9.1f}"
        )
        if taken[place] > AIM_MS:
            late.append(name)
    print(f"\nOver {AIM_MS} ms: {', '.join(late) or 'none'}")


def ask(browser: Any, name: str, address: str) -> tuple[float, float]:
    """One page: milliseconds by the clock, and of the processor."""
    partial = {"HX-Request": "true"} if "apart" in name else {}
    began, busy = time.perf_counter(), time.process_time()
    answer = browser.get(f"/w/harbour/{address}", headers=partial)
    taken = (time.perf_counter() - began) * 1000, (time.process_time() - busy) * 1000
    if answer.status_code != 200:
        raise SystemExit(f"{address}: answered {answer.status_code}")
    return taken


if __name__ == "__main__":
    main()
