"""How long customers from Xero take with 5,000 contacts: reading and suggesting, applying, following terms, undoing.

    python benchmarks/contacts.py [--contacts 5000] [--rounds 3]

The simulator is in this process, so its own work (writing 5,000 contacts as JSON) is in the first figure. Half of the
contacts are new; the others are customers here, a third each by tax number, name and e-mail address. Each round ends
undone, so that the next finds the same. The database is SQLite in a folder of its own, or the PostgreSQL that
DATABASE_URL names. Printed are seconds on the clock and, since machines are shared, of this process's own processor
time, as is the longest transaction that wrote. The aim: read and suggested in under 5 s, no transaction over 50 ms.
"""

import argparse
import statistics
import tempfile
from typing import Any

from bulk import Figures, timed
from pull import connect, set_up

AIMS = {"read and suggested": "5", "page shown": "0.1", "applied": "", "terms followed": "", "undone": ""}


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("--contacts", type=int, default=5000)
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
            browser = fill(simulator, connection, chosen.contacts)
            took: dict[str, list[Figures]] = {what: [] for what in AIMS}
            for _ in range(chosen.rounds):
                run(connection, browser, took)
        show(took, chosen.contacts)


def fill(simulator: Any, connection: Any, count: int) -> Any:
    """Contacts in Xero, customers here for every second one; the owner's browser."""
    from django.conf import settings
    from django.test import Client

    from provender.cli.serving import collect_static
    from provender.customers.actions import import_customers
    from provender.customers.models import Customer
    from provender.people.models import Membership, User

    settings.ALLOWED_HOSTS = ["testserver"]
    collect_static()
    books, terms = simulator.organisation(), {"Sales": {"Day": 20, "Type": "OFFOLLOWINGMONTH"}}
    address = {"AddressType": "STREET", "AddressLine1": "1 Quay St", "City": "Sydney", "Country": "Australia"}
    for number in range(count):
        signs = {"EmailAddress": f"orders@venue{number}.example", "TaxNumber": f"51{number:09}"}
        books.add_contact(f"Venue number {number}", Addresses=[address], PaymentTerms=terms, **signs)
    import_customers(connection.supplier, [Customer(**known_by(number)) for number in range(0, count, 2)])
    owner = User.objects.create_user("owner@example.test", "oat milk and rye", name="Owner")
    Membership.objects.create(supplier=connection.supplier, user=owner, role="owner")
    browser = Client()
    browser.force_login(owner)
    return browser


def known_by(number: int) -> dict[str, str]:
    """A customer that shares one thing with its contact."""
    if number % 3 == 0:
        return {"trading_name": f"Shop {number}", "tax_number": f"51 {number:09}"}
    if number % 3 == 1:
        return {"trading_name": f"VENUE number  {number}"}
    return {"trading_name": f"Shop {number}", "email": f"Orders@venue{number}.example"}


def run(connection: Any, browser: Any, took: dict[str, list[Figures]]) -> None:
    from provender.sync import customers
    from provender.sync.choices import save_settings

    with timed(took["read and suggested"]):
        pull = customers.pull_customers(connection, None)
    with timed(took["page shown"]):
        page = browser.get(f"/w/{connection.supplier.slug}/xero/customers/{pull.pk}?show=suggested&page=7")
    if page.status_code != 200:
        raise SystemExit("The page of the preview can't be shown.")
    customers.choose_all(pull, ["new", "tax", "name", "email"])
    with timed(took["applied"]):
        customers.apply(pull, None)
    with timed(took["terms followed"]):
        save_settings(connection, {"follow_terms": True}, None)
    save_settings(connection, {"follow_terms": False}, None)
    with timed(took["undone"]):
        customers.undo(pull, None)


def show(took: dict[str, list[Figures]], contacts: int) -> None:
    print(f"{contacts:,} contacts, {len(took['applied'])} rounds; seconds: median, longest, median of processor time;")
    print("then the longest transaction, in milliseconds of processor time")
    for what, figures in took.items():
        clock, processor, writes = zip(*figures, strict=True)
        line = f"  {what:<20}{statistics.median(clock):8.2f}{max(clock):8.2f}{statistics.median(processor):8.2f}"
        print(f"{line}{max(writes) * 1000:8.0f}" + (f"   aim {AIMS[what]}" if AIMS[what] else ""))


if __name__ == "__main__":
    main()
