"""How much memory `provender up` takes while it sends 10,000 invoices and a person looks at the screens.

    python benchmarks/memory.py [--invoices 10000] [--lines 4] [--customers 500] [--minutes 15]

Starts `provender xero-simulator` without limits and `provender up`, both with a folder of their own that is gone at
the end; raises the invoices in a third process, lets them go, and watches until all are in step. Meanwhile somebody
reads the list of invoices, a page of it each second. Prints resident memory by progress and the peaks, which are the
kernel's (VmHWM). The aim: `provender up` peaks under 250 MB. Ends by itself, in step or after that many minutes.
"""

import argparse
import multiprocessing
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2

AIM_MB = 250
AT_ONCE = 1000
PROVENDER = [sys.executable, "-c", "from provender.cli import main; main(prog_name='provender')"]
LIST = "/w/bench/invoices"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--invoices", type=int, default=10_000)
    parser.add_argument("--lines", type=int, default=4)
    parser.add_argument("--customers", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=15)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="provender-benchmark-") as home:
        xero, screens = free_port(), free_port()
        prepare_environment(home, f"http://localhost:{xero}", f"http://localhost:{screens}")
        with running("xero-simulator", "--port", str(xero), "--no-limits", sign="Xero simulator on") as (simulator, _):
            provender("supplier", "create", "bench", "--name", "Bench", "--country", "AU")
            provender("connect", "--supplier", "bench", "--simulator")
            with running("up", "--port", str(screens), sign="/join/") as (up, link):
                measure(asked, up, simulator, come_in(link))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def prepare_environment(home: str, xero: str, screens: str) -> None:
    """This process's environment, which the others inherit: nothing but what they need to find each other."""
    for name in [name for name in os.environ if name.startswith(("PROVENDER_", "XERO_", "DATABASE_URL"))]:
        del os.environ[name]
    os.environ |= dict.fromkeys(("XERO_LOGIN_URL", "XERO_IDENTITY_URL", "XERO_API_URL"), xero)
    os.environ |= {"XERO_CLIENT_ID": "simulator", "XERO_CLIENT_SECRET": "simulator-secret", "PYTHONUNBUFFERED": "1"}
    os.environ |= {"PROVENDER_HOME": home, "PROVENDER_PUBLIC_URL": screens}
    os.environ["DJANGO_SETTINGS_MODULE"] = "provender.config.settings"


def provender(*words: str) -> None:
    subprocess.run([*PROVENDER, *words], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def running(*words: str, sign: str) -> Iterator[tuple[int, str]]:
    """A command that serves until it is told to end: its process id, and the line in which it said `sign`."""
    with subprocess.Popen([*PROVENDER, *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            said = next((line.strip() for line in process.stdout if sign in line), None)
            if said is None:
                raise SystemExit(f"provender {words[0]} didn't start.")
            yield process.pid, said
        finally:
            process.terminate()
            process.wait(timeout=60)


def come_in(link: str) -> httpx2.Client:
    """A browser of the first owner, logged in through the link that was printed."""
    browser = httpx2.Client(follow_redirects=True, timeout=60)
    page = browser.get(link)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token is not None
    typed = {"email": "priya@example.test", "name": "Priya", "password": "oat milk and rye"}
    browser.post(link, data={"csrfmiddlewaretoken": token[1], **typed}).raise_for_status()
    browser.base_url = link.partition("/join/")[0]
    browser.get(LIST).raise_for_status()
    return browser


def measure(asked: argparse.Namespace, up: int, simulator: int, browser: httpx2.Client) -> None:
    idle = resident(up)
    began = time.monotonic()
    raising = multiprocessing.get_context("spawn").Process(
        target=raise_invoices, args=(asked.invoices, asked.lines, asked.customers)
    )
    raising.start()
    raising.join(asked.minutes * 60)
    if raising.exitcode != 0:
        raising.kill()
        raise SystemExit("The invoices couldn't be raised in that time.")
    raised = time.monotonic()
    print(f"{asked.invoices:,} invoices of {asked.lines} lines, {asked.customers:,} customers")
    print(f"raised in {raised - began:.0f} s by another process\n")
    print("| in Xero | `provender up`, MB | simulator, MB |\n| --- | --- | --- |")
    print(f"| before the first was raised | {idle:.0f} | |")
    in_step = watch(asked, up, simulator, browser, began + asked.minutes * 60)
    print(f"\nall in step {time.monotonic() - raised:.0f} s later" if in_step else "\nstopped before all were in step")
    peak = resident(up, "VmHWM")
    print(f"peak of `provender up`: {peak:.0f} MB (aim: under {AIM_MB}: {'met' if peak < AIM_MB else 'missed'})")
    print(f"peak of the simulator: {resident(simulator, 'VmHWM'):.0f} MB")


def watch(asked: argparse.Namespace, up: int, simulator: int, browser: httpx2.Client, until: float) -> bool:
    """Tell memory at each tenth of the way, reading the list meanwhile; whether all came into step in time."""
    told = -1
    for page in range(1, 1_000_000):
        if time.monotonic() > until:
            return False
        browser.get(LIST, params={"page": page % 20 + 1}).raise_for_status()
        there = invoices_in_step()
        if there * 10 // asked.invoices > told:
            told = there * 10 // asked.invoices
            print(f"| {there:,} | {resident(up):.0f} | {resident(simulator):.0f} |", flush=True)
        if there >= asked.invoices:
            return True
        time.sleep(1)
    return False


def invoices_in_step() -> int:
    said = subprocess.run(
        [*PROVENDER, "status", "--supplier", "bench", "--json"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    found = re.search(r'"in_step": \{[^}]*"invoices": (\d+)', said)
    assert found is not None
    return int(found[1])


def resident(process: int, measured: str = "VmRSS") -> float:
    """Memory of that process, in MB; `VmHWM` is the most it ever was."""
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(rf"^{measured}:\s+(\d+) kB", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


# --- in the third process ------------------------------------------------------------------------------------------


def raise_invoices(count: int, lines: int, customers: int) -> None:
    """Rows as an import leaves them, then all are asked to go."""
    import django

    django.setup()
    from provender.invoicing.actions import import_invoices
    from provender.suppliers.models import Supplier
    from provender.sync.waiting import ask_for_everything

    supplier = Supplier.objects.get(slug="bench")
    venues = make_customers(supplier, customers)
    for start in range(0, count, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, count))
        import_invoices(supplier, [draft(number, venues, lines) for number in numbers])
    ask_for_everything(supplier)


def make_customers(supplier: Any, count: int) -> list[Any]:
    from provender.customers.models import Customer

    new = [Customer(supplier=supplier, trading_name=f"Venue {number}") for number in range(count)]
    return Customer.objects.bulk_create(new)


def draft(number: int, venues: list[Any], lines: int) -> Any:
    from provender.invoicing.actions import InvoiceDraft
    from provender.invoicing.totals import LineDraft

    day = date(2026, 6, 1) + timedelta(days=number % 150)
    return InvoiceDraft(
        number=f"B-{number}",
        customer_id=venues[number % len(venues)].pk,
        date=day,
        due_date=day + timedelta(days=14),
        lines=[
            LineDraft("product", f"Oat milk, line {line}", Decimal(line + 1), Decimal("4.5025"), "gst", sku=f"S-{line}")
            for line in range(lines)
        ],
    )


if __name__ == "__main__":
    main()
