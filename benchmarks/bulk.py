"""How long it takes to set something for 5,000 products at once, and to read a file of as many.

    python benchmarks/bulk.py [--products 5000] [--rounds 3]

Each act goes through the screen's own form, from the request to the answer, as "all that fit" does. The database is
SQLite in a folder of its own, or the PostgreSQL that DATABASE_URL names. Printed are seconds on the clock and, since
machines are shared, of this process's own processor time, as is the longest transaction that wrote.
The aim: 5,000 products set in under 2 s, and no transaction over 50 ms.
"""

import argparse
import os
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

LIST = "/w/bench/products"
AIMS = {
    "option set": "2", "option set again": "2", "put back": "2", "sales account set": "2", "switched off": "2",
    "file previewed": "", "file applied": "",
}  # fmt: skip

Figures = tuple[float, float, float]  # seconds: on the clock, of the processor, of it in the longest transaction


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("--products", type=int, default=5000)
    wanted.add_argument("--rounds", type=int, default=3)
    chosen = wanted.parse_args()
    with tempfile.TemporaryDirectory() as home:
        set_up(home)
        browser, option = fill(chosen.products)
        took: dict[str, list[Figures]] = {what: [] for what in AIMS}
        for number in range(chosen.rounds):
            run(browser, option, chosen.products, number, took)
        show(took, chosen.products)


def set_up(home: str) -> None:
    os.environ |= {"PROVENDER_HOME": home, "DJANGO_SETTINGS_MODULE": "provender.config.settings"}
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    from provender.cli.serving import collect_static

    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0)
    collect_static()


def fill(count: int) -> tuple[Any, str]:
    """The owner's browser, and the option to choose."""
    from django.test import Client

    from provender.catalogue.actions import import_products
    from provender.catalogue.models import Product
    from provender.people.models import Membership, User
    from provender.properties.actions import save_option, save_property
    from provender.properties.models import Option, Property
    from provender.suppliers.actions import create_supplier

    supplier = create_supplier(slug="bench", name="Bench", country="AU")
    owner = User.objects.create_user("owner@example.test", "oat milk and rye", name="Owner")
    Membership.objects.create(supplier=supplier, user=owner, role="owner")
    import_products(
        supplier, [Product(sku=f"SKU-{number}", name=f"Item {number}", price=Decimal(3)) for number in range(count)]
    )
    region = save_property(Property(supplier=supplier, name="Region", tag="xero_Region"), by=None)
    north = save_option(Option(property=region, name="North"), by=None)
    browser = Client()
    browser.force_login(owner)
    return browser, f"{region.pk} {north.pk}"


def run(browser: Any, option: str, count: int, number: int, took: dict[str, list[Figures]]) -> None:
    """One round; it ends as it began, but for the account."""
    every = {"all": "1", "sure": "1"}
    with timed(took["option set"]):
        browser.post(LIST, {**every, "action": "properties", "option": option})
    with timed(took["option set again"]):
        browser.post(LIST, {**every, "action": "properties", "option": option})
    undo = re.search(rf"{LIST}/undo/[0-9a-f-]+", browser.get(LIST).content.decode())
    if undo is None:
        raise SystemExit("There is nothing to undo: the option was not set.")
    with timed(took["put back"]):
        browser.post(undo[0])
    with timed(took["sales account set"]):
        browser.post(LIST, {**every, "action": "account", "account": str(200 + number)})
    with timed(took["switched off"]):
        browser.post(LIST, {**every, "action": "off"})
    browser.post(LIST, {**every, "action": "on"})
    lines = "\n".join(f"SKU-{at},Item {at} again {number},{number + 4}.50" for at in range(count))
    read_file(browser, f"SKU,Name,Price\n{lines}\n", took)


def read_file(browser: Any, text: str, took: dict[str, list[Figures]]) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    with timed(took["file previewed"]):
        there = browser.post(f"{LIST}/file", {"file": SimpleUploadedFile("p.csv", text.encode())}).headers["Location"]
        browser.get(there)
    with timed(took["file applied"]):
        browser.post(f"{there}/apply")


@contextmanager
def timed(into: list[Figures]) -> Iterator[None]:
    began, worked = time.perf_counter(), time.process_time()
    with watched() as spans:
        yield
    longest = max((processor for _, processor in spans), default=0.0)
    into.append((time.perf_counter() - began, time.process_time() - worked, longest))


@contextmanager
def watched() -> Iterator[list[tuple[float, float]]]:
    """How long each transaction of this thread took until it was committed: seconds on the clock, of the processor."""
    from django.db import connection

    spans: list[tuple[float, float]] = []
    began, worked = 0.0, 0.0
    commit, atomic = connection.commit, connection.set_autocommit

    def committed() -> None:
        commit()
        spans.append((time.perf_counter() - began, time.thread_time() - worked))

    def switched(autocommit: bool, **more: Any) -> None:
        nonlocal began, worked
        if not autocommit:
            began, worked = time.perf_counter(), time.thread_time()
        atomic(autocommit, **more)

    connection.commit, connection.set_autocommit = committed, switched
    try:
        yield spans
    finally:
        connection.commit, connection.set_autocommit = commit, atomic


def show(took: dict[str, list[Figures]], products: int) -> None:
    rounds = len(took["option set"])
    print(f"{products:,} products, {rounds} rounds; seconds: median, longest, median of processor time;")
    print("then the longest transaction, in milliseconds of processor time")
    for what, figures in took.items():
        clock, processor, writes = zip(*figures, strict=True)
        line = f"  {what:<20}{statistics.median(clock):8.2f}{max(clock):8.2f}{statistics.median(processor):8.2f}"
        print(f"{line}{max(writes) * 1000:8.0f}" + (f"   aim {AIMS[what]}" if AIMS[what] else ""))


if __name__ == "__main__":
    main()
