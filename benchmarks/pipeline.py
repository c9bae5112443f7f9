"""The whole pipeline (read rows, build, send, record) beside the official SDK's own loop that only builds and sends.

Both talk over loopback to a simulator without limits in a process of its own, in turns, in one run. The SDK's loop is
what its own documentation shows: models in batches of 50, `create_invoices`, one after another. It has its invoices
ready in memory and keeps nothing of the answer. Figures are medians; machines are noisy, so read the ratio.

    python benchmarks/pipeline.py [--invoices 1000] [--lines 10] [--rounds 3]
"""

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
from bulk import watched

PORT = 8797
SIMULATOR = f"http://localhost:{PORT}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=1000)
    parser.add_argument("--lines", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        prepare_environment(home)
        simulator = start_simulator()
        try:
            import django

            django.setup()
            report(asked, run(asked))
        finally:
            simulator.terminate()
            simulator.wait(timeout=20)


def prepare_environment(home: str) -> None:
    os.environ.pop("DATABASE_URL", None)
    os.environ |= {
        "PROVENDER_HOME": home,
        "DJANGO_SETTINGS_MODULE": "provender.config.settings",
        "XERO_LOGIN_URL": SIMULATOR,
        "XERO_IDENTITY_URL": SIMULATOR,
        "XERO_API_URL": SIMULATOR,
        "XERO_CLIENT_ID": "simulator",
        "XERO_CLIENT_SECRET": "simulator-secret",
    }


def start_simulator() -> subprocess.Popen:
    command = [sys.executable, "-m", "xero_simulator", "--port", str(PORT), "--no-limits"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    for _ in range(100):
        try:
            httpx2.get(f"{SIMULATOR}/_simulator/stats")
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            return process
    process.terminate()
    raise SystemExit("The simulator didn't start.")


def run(asked) -> dict[str, list[dict[str, float]]]:
    connection = connect()
    results: dict[str, list[dict[str, float]]] = {"Provender": [], "xero-python": []}
    for number in range(asked.rounds):
        results["Provender"].append(measure(asked, partial(ours, connection, f"R{number}-", asked)))
        results["xero-python"].append(measure(asked, theirs(connection, f"S{number}-", asked)))
    return results


def connect():
    from django.core.management import call_command

    from provender.suppliers.actions import create_supplier
    from provender.sync import connecting
    from provender.sync.choices import propose, save_settings

    call_command("migrate", verbosity=0)
    supplier = create_supplier(slug="bench", name="Bench", country="AU")
    with httpx2.Client() as browser:
        page = browser.get(connecting.begin(supplier, None))
        form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        organisation = re.search(r'<(?:option|input[^>]*name="organisation")[^>]*value="([0-9a-f-]{36})"', page.text)[1]
        answer = browser.post(str(page.url), data=form | {"organisation": organisation, "decision": "allow"})
    params = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    attempt = connecting.finish(params, None)
    connection = connecting.choose(attempt, attempt.tenants[0]["tenant_id"], None)
    save_settings(connection, propose(connection), None)
    raise_invoices(connection.supplier, "W-", 1, 1)  # the contact is made before anything is measured
    drain_all(connection)
    return connection


def raise_invoices(supplier, prefix: str, count: int, lines: int) -> None:
    """Rows in our database, as an import leaves them; not measured."""
    from provender.customers.models import Customer
    from provender.invoicing.actions import InvoiceDraft, import_invoices
    from provender.invoicing.totals import LineDraft

    customer = Customer.objects.get_or_create(supplier=supplier, trading_name="Bench Cafe")[0]
    drafts = [
        InvoiceDraft(
            number=f"{prefix}{number}",
            customer_id=customer.pk,
            date=date(2026, 11, 2),
            due_date=date(2026, 11, 16),
            currency="AUD",
            lines=[
                LineDraft(
                    "product", f"Oat milk, line {line}", Decimal(line + 1), Decimal("4.5025"), "gst", sku=f"SKU-{line}"
                )
                for line in range(lines)
            ],
        )
        for number in range(count)
    ]
    import_invoices(supplier, drafts)


def drain_all(connection) -> None:
    from provender.sync.waiting import ask_for_everything, drain_until_in_step

    ask_for_everything(connection.supplier)
    outcome = drain_until_in_step(connection, wait=True)
    if not outcome.in_step or outcome.problems:
        raise SystemExit(f"The drain didn't end in step: {outcome}")


def ours(connection, prefix: str, asked):
    raise_invoices(connection.supplier, prefix, asked.invoices, asked.lines)
    began = start_clocks()
    with watched() as spans:
        drain_all(connection)
    return began, [processor for _, processor in spans]


def theirs(connection, prefix: str, asked):
    """The SDK's loop, its token and contact fetched beforehand."""
    from xero_python.accounting import AccountingApi, Contact, Invoice, Invoices, LineItem
    from xero_python.api_client import ApiClient, Configuration
    from xero_python.api_client.oauth2 import OAuth2Token

    from provender.sync.models import Link
    from provender.sync.tokens import access_token

    token = {
        "access_token": access_token(connection.consent_id),
        "expires_at": time.time() + 1800,
        "expires_in": 1800,
        "refresh_token": "none",
        "scope": ["accounting.invoices"],
        "token_type": "Bearer",
    }
    client = ApiClient(Configuration(oauth2_token=OAuth2Token(client_id="simulator", client_secret="simulator-secret")))
    client.oauth2_token_getter(lambda: token)
    client.oauth2_token_saver(token.update)
    api = AccountingApi(client, base_url=f"{SIMULATOR}/api.xro/2.0")
    contact = Contact(contact_id=Link.objects.get(connection=connection, kind="contact").xero_id)

    def send() -> tuple:
        began = start_clocks()
        for start in range(0, asked.invoices, 50):
            batch = [
                Invoice(
                    type="ACCREC",
                    contact=contact,
                    invoice_number=f"{prefix}{number}",
                    date=date(2026, 11, 2),
                    due_date=date(2026, 11, 16),
                    status="AUTHORISED",
                    line_items=[
                        LineItem(
                            description=f"Oat milk {line}",
                            quantity=Decimal(line + 1),
                            unit_amount=Decimal("4.5025"),
                            account_code="200",
                            tax_type="OUTPUT",
                        )
                        for line in range(asked.lines)
                    ],
                )
                for number in range(start, min(start + 50, asked.invoices))
            ]
            api.create_invoices(connection.tenant, Invoices(invoices=batch), unitdp=4, summarize_errors=False)
        return began, [0.0]

    return send


def start_clocks() -> tuple[float, float]:
    return time.perf_counter(), cpu()


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(asked, act) -> dict[str, float]:
    before = calls()
    (wall, used), spans = act()
    wall, used = time.perf_counter() - wall, cpu() - used
    spans = sorted(spans)
    return {
        "invoices/s": asked.invoices / wall,
        "CPU ms/invoice": 1000 * used / asked.invoices,
        "calls/invoice": (calls() - before) / asked.invoices,
        "longest write ms": 1000 * spans[-1],
        "95th write ms": 1000 * spans[int(len(spans) * 0.95) - 1],
    }


def calls() -> int:
    counted = httpx2.get(f"{SIMULATOR}/_simulator/stats").json()["calls"]
    return sum(count for name, count in counted.items() if "/api.xro/" in name)


def report(asked, results: dict[str, list[dict[str, float]]]) -> None:
    names = list(results["Provender"][0])
    print(f"{asked.invoices} invoices of {asked.lines} lines, {asked.rounds} rounds in turns, medians\n")
    print(f"| | {' | '.join(names)} |\n| --- |{' --- |' * len(names)}")
    medians = {}
    for who, rounds in results.items():
        medians[who] = {name: statistics.median(one[name] for one in rounds) for name in names}
        print(f"| {who} | {' | '.join(f'{medians[who][name]:.3g}' for name in names)} |")
    ratio = medians["Provender"]["invoices/s"] / medians["xero-python"]["invoices/s"]
    print(f"\nProvender's whole pipeline sends {ratio:.2f} times as many invoices a second as the SDK's loop alone.")
    for who, rounds in results.items():
        rates = ", ".join(f"{one['invoices/s']:.0f}" for one in rounds)
        print(f"{who}: {rates} invoices/s by round")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))
    main()
