"""How long products from Xero take with 4,000 items: reading and previewing, applying, undoing.

    python benchmarks/pull.py [--items 4000] [--rounds 3]

The simulator is in this process, so its own work (writing 4,000 items as JSON) is in the first figure. Half of the
items are new; the others are products here whose name, price and account differ. Each round ends undone, so that the
next finds the same. The database is SQLite in a folder of its own, or the PostgreSQL that DATABASE_URL names. Printed
are seconds on the clock and, since machines are shared, of this process's own processor time.
The aim: read and previewed in under 3 s, applied in under 5 s, on two cores.
"""

import argparse
import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

SIMULATOR = "http://localhost:8765"
AIMS = {"read and previewed": 3, "applied": 5, "undone": 5, "read again, nothing new": 3}


Seconds = tuple[float, float]  # on the clock, of the processor


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("--items", type=int, default=4000)
    wanted.add_argument("--rounds", type=int, default=3)
    chosen = wanted.parse_args()
    with tempfile.TemporaryDirectory() as home:
        set_up(home)
        from provender.sync.session import carried_by
        from xero_simulator import Simulator
        from xero_simulator.testing import FaultyTransport

        simulator = Simulator(organisation="empty-au", limits=False)
        transport = FaultyTransport(simulator)
        with carried_by(transport):
            connection = connect(simulator, transport)
            fill(simulator, connection, chosen.items)
            show(run(connection, chosen.rounds), chosen.items)


def set_up(home: str) -> None:
    """An empty database, and the simulator for a Xero."""
    os.environ |= {
        "PROVENDER_HOME": home,
        "DJANGO_SETTINGS_MODULE": "provender.config.settings",
        "XERO_LOGIN_URL": SIMULATOR,
        "XERO_IDENTITY_URL": SIMULATOR,
        "XERO_API_URL": SIMULATOR,
        "XERO_CLIENT_ID": "simulator",
        "XERO_CLIENT_SECRET": "simulator-secret",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def connect(simulator: Any, transport: httpx2.BaseTransport) -> Any:
    """A wholesaler that went through the consent page."""
    from provender.suppliers.actions import create_supplier
    from provender.sync import connecting

    supplier = create_supplier(slug=f"bench-{os.getpid()}", name="Bench", country="AU")
    with httpx2.Client(transport=transport) as browser:
        page = browser.get(connecting.begin(supplier, None))
        form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        answer = browser.post(
            str(page.url), data=form | {"organisation": simulator.organisation().id, "decision": "allow"}
        )
    params = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    attempt = connecting.finish(params, None)
    return connecting.choose(attempt, attempt.tenants[0]["tenant_id"], None)


def fill(simulator: Any, connection: Any, count: int) -> None:
    """Items in Xero, and products here for every second one."""
    from provender.catalogue.actions import import_products
    from provender.catalogue.models import Product

    books = simulator.organisation()
    for number in range(count):
        sale = {"UnitPrice": f"{number % 90 + 1}.2575", "AccountCode": "200", "TaxType": "OUTPUT"}
        books.add_item(f"SKU-{number}", f"Item {number}", SalesDetails=sale, Description=f"What item {number} is")
    import_products(
        connection.supplier,
        [Product(sku=f"SKU-{number}", name=f"Old name {number}", price=Decimal(3)) for number in range(0, count, 2)],
    )


def run(connection: Any, rounds: int) -> dict[str, list[Seconds]]:
    """Seconds by what was measured."""
    from provender.sync import products

    took: dict[str, list[Seconds]] = {what: [] for what in AIMS}
    for _ in range(rounds):
        pull = timed(took["read and previewed"], lambda: preview(connection))
        timed(took["applied"], lambda: products.apply(pull, None))  # noqa: B023 -- called at once
        timed(took["read again, nothing new"], lambda: preview(connection))
        timed(took["undone"], lambda: products.undo(pull, None))  # noqa: B023
    return took


def preview(connection: Any) -> Any:
    """A pull, and what the first page shows of it."""
    from provender.sync import products, pulls

    pull = products.pull_products(connection, None)
    pulls.tally(pull)
    for row in pulls.rows_of(pull)[:100]:
        pulls.cells_of(row, connection.supplier)
    return pull


def timed(into: list[Seconds], act: Callable[[], Any]) -> Any:
    began, worked = time.perf_counter(), time.process_time()
    done = act()
    into.append((time.perf_counter() - began, time.process_time() - worked))
    return done


def show(took: dict[str, list[Seconds]], items: int) -> None:
    print(f"{items:,} items, {len(took['applied'])} rounds; seconds: median, longest, median of processor time")
    for what, seconds in took.items():
        clock, processor = [one for one, _ in seconds], [one for _, one in seconds]
        figures = (statistics.median(clock), max(clock), statistics.median(processor))
        print(f"  {what:<24}" + "".join(f"{figure:8.2f}" for figure in figures) + f"   aim {AIMS[what]}")


if __name__ == "__main__":
    main()
