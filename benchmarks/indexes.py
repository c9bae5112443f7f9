"""What the indexes of the long lists cost when something is written, and how large they are.

    python benchmarks/indexes.py [--invoices 20000] [--rounds 7]

Fills a database of its own as `lists.py` does, then places orders, records payments and inserts many rows at once, in
turns with the indexes and without them, and prints the median processor time of each and their ratio; the size of each
index; and how long the page that it is for takes with it and without it. With DATABASE_URL it does the same in that
PostgreSQL database, which has to be empty.
The aim: placing an order takes at most a tenth longer with them.
"""

import argparse
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from lists import ask, credit_note_of, fill, make_invoice, order_of, payment_of, set_up

PLACED, RECORDED, INSERTED = 20, 20, 1000  # of each in a round
PAGES = {  # index: the page that it is for
    "credit_note_by_total": "credit-notes?sort=-total",
    "credit_note_left": "payments/owed",
    "order_last_of_customer": "customers",
    "order_by_date": "orders?sort=date",
    "order_next_delivery": "orders?sort=delivery",
    "order_of_purchase_order": "orders?sort=po",
    "payment_by_amount": "payments?sort=amount",
    "payment_by_source": "payments?source=payout",
}


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("--invoices", type=int, default=20_000)
    wanted.add_argument("--rounds", type=int, default=7)
    chosen = wanted.parse_args()
    home = tempfile.mkdtemp(prefix="provender-benchmark-")
    try:
        set_up(home)
        fill(chosen.invoices)
        print_sizes(chosen.invoices)
        print_pages(chosen.rounds)
        print_times(chosen.rounds, chosen.invoices)
    finally:
        shutil.rmtree(home)


def list_indexes() -> list[tuple[Any, Any]]:
    """Model and index, for those that are there for the lists of orders, payments and credit notes alone."""
    from provender.invoicing.models import CreditNote
    from provender.ordering.models import Order
    from provender.payments.models import Payment

    there = [(model, index) for model in (CreditNote, Order, Payment) for index in model._meta.indexes]  # noqa: SLF001
    found = [(model, index) for model, index in there if index.name in PAGES]
    assert len(found) == len(PAGES), "an index has another name now"
    return found


def print_sizes(count: int) -> None:
    from django.db import connection

    print(f"{'index':26}{'KB':>9}   of {count:,} invoices, with an order and a credit note each, payments for most\n")
    with connection.cursor() as cursor:
        for _, index in list_indexes():
            if connection.vendor == "postgresql":
                cursor.execute("SELECT pg_relation_size(%s::regclass)", [index.name])
            else:
                cursor.execute("SELECT SUM(pgsize) FROM dbstat WHERE name = %s", [index.name])
            print(f"{index.name:26}{cursor.fetchone()[0] / 1024:9,.0f}")


def print_pages(rounds: int) -> None:
    from django.test import Client

    from provender.people.models import User

    browser = Client(headers={"host": "localhost"})
    browser.force_login(User.objects.get())
    taken: dict[tuple[str, bool], list[float]] = {
        (page, there): [] for page in PAGES.values() for there in (True, False)
    }
    for number in range(rounds + 1):
        for with_them in (True, False):
            set_indexes(there=with_them)
            for page in PAGES.values():
                _, busy = ask(browser, "", page)
                if number:
                    taken[page, with_them].append(busy)
    set_indexes(there=True)
    print(f"\n{'processor, milliseconds a page':34}{'with':>9}{'without':>9}{'ratio':>8}")
    for page in PAGES.values():
        print_ratio(page, taken[page, True], taken[page, False])


def print_ratio(name: str, with_them: list[float], without: list[float]) -> None:
    one, other = statistics.median(with_them), statistics.median(without)
    print(f"{name:34}{one:9.3f}{other:9.3f}{one / other:8.2f}")


def print_times(rounds: int, count: int) -> None:
    work = works(count)
    taken: dict[tuple[str, bool], list[float]] = {(name, with_them): [] for name in work for with_them in (True, False)}
    for number in range(rounds + 1):
        for with_them in (True, False) if number % 2 else (False, True):
            set_indexes(there=with_them)
            for name, (times, do) in work.items():
                began = time.process_time()
                do()
                if number:  # the first round warms up
                    taken[name, with_them].append((time.process_time() - began) * 1000 / times)
    set_indexes(there=True)
    print(f"\n{'processor, milliseconds of one':34}{'with':>9}{'without':>9}{'ratio':>8}")
    for name in work:
        print_ratio(name, taken[name, True], taken[name, False])


def set_indexes(*, there: bool) -> None:
    """Make them or drop them."""
    from django.db import connection

    with connection.cursor() as cursor:
        present = {
            name
            for model in {model for model, _ in list_indexes()}
            for name in connection.introspection.get_constraints(cursor, model._meta.db_table)  # noqa: SLF001
        }
    with connection.schema_editor() as editor:
        for model, index in list_indexes():
            if there and index.name not in present:
                editor.add_index(model, index)
            elif not there and index.name in present:
                editor.remove_index(model, index)


def works(count: int) -> dict[str, tuple[int, Callable[[], None]]]:
    """What is measured: how many a call does, and the call."""
    from provender.catalogue.models import Product
    from provender.invoicing.models import CreditNote, Invoice
    from provender.ordering.actions import create_order, place_order
    from provender.ordering.lines import OrderLineDraft
    from provender.ordering.models import Order
    from provender.payments.actions import record_payment
    from provender.payments.models import Payment
    from provender.suppliers.models import Supplier

    Supplier.objects.update(credits_apply=False)  # or there is nothing left to pay
    chance, supplier = random.Random(3), Supplier.objects.get()
    customers = list(supplier.customers.all())
    product = Product.objects.create(supplier=supplier, sku="OAT-1L", name="Oat milk 1L", price=Decimal("4.50"))
    numbers = iter(range(10 * count, 10**9))
    placed: list[Any] = []

    def place() -> None:
        for _ in range(PLACED):
            lines = [OrderLineDraft(product=product, quantity=Decimal(chance.randrange(1, 20)))]
            order = create_order(supplier, chance.choice(customers), lines=lines, by=None)
            placed.append(place_order(order, by=None).invoice)

    def record() -> None:
        for invoice in placed[-RECORDED:]:
            record_payment(invoice, amount=invoice.total, date=date(2026, 11, 20))

    def insert() -> None:
        made = [
            make_invoice(supplier, chance.choice(customers), next(numbers), 11 * count, chance) for _ in range(INSERTED)
        ]
        Invoice.objects.bulk_create(made)
        Order.objects.bulk_create(order_of(invoice) for invoice in made)
        Payment.objects.bulk_create(payment_of(invoice) for invoice in made if invoice.settled_on)
        CreditNote.objects.bulk_create(credit_note_of(invoice, chance) for invoice in made)

    return {
        "an order placed and invoiced": (PLACED, place),
        "a payment recorded": (RECORDED, record),
        "a row of each, many at once": (INSERTED, insert),
    }


if __name__ == "__main__":
    main()
