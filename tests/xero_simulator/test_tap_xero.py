"""tap-xero 2.6.0 reads from the simulator over a socket, with nothing changed but the base address.

It pins versions that we don't use, so it lives in a virtual environment of its own, made once for each state of
`requirements-tap-xero.lock`. (Its own package forgets to ask for `six`, which the lock therefore names.)
"""

import json
import os
import subprocess
import sys
import venv
from collections import defaultdict
from decimal import Decimal
from hashlib import sha256
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.xero_simulator.conftest import Xero, invoice, line

from xero_simulator import Simulator
from xero_simulator.testing import Server

pytestmark = pytest.mark.tap
LOCK = Path(__file__).parents[2] / "requirements-tap-xero.lock"
LAUNCHER = Path(__file__).with_name("tap_at.py")
STREAMS = {  # those that exist here, with the resource and its key
    "accounts": ("Accounts", "AccountID"),
    "bank_transactions": ("BankTransactions", "BankTransactionID"),
    "branding_themes": ("BrandingThemes", "BrandingThemeID"),
    "contacts": ("Contacts", "ContactID"),
    "credit_notes": ("CreditNotes", "CreditNoteID"),
    "currencies": ("Currencies", "Code"),
    "invoices": ("Invoices", "InvoiceID"),
    "items": ("Items", "ItemID"),
    "organisations": ("Organisations", "OrganisationID"),
    "overpayments": ("Overpayments", "OverpaymentID"),
    "payments": ("Payments", "PaymentID"),
    "tax_rates": ("TaxRates", "TaxType"),
    "tracking_categories": ("TrackingCategories", "TrackingCategoryID"),
    "users": ("Users", "UserID"),
}
SAME = ("Total", "AmountDue", "Amount", "RemainingCredit", "Name", "Code", "Status", "EffectiveRate", "Reference")


def install(folder):
    """Its virtual environment, whole or not at all: the mark is written last. Raises CalledProcessError."""
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        pip_is_here = find_spec("pip") is not None  # it installs into another environment too, so that needs none
        venv.create(folder, with_pip=not pip_is_here, clear=True)
        pip = [sys.executable, "-m", "pip", "--python", python] if pip_is_here else [python, "-m", "pip"]
        quick = ["install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--no-compile"]
        subprocess.run([*pip, *quick, "--require-hashes", "-r", LOCK], check=True, capture_output=True, text=True)
        (folder / "complete").touch()
    return python


@pytest.fixture(scope="module")
def tap_python():
    folder = Path(sys.prefix) / f"tap-xero-{sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    try:
        return install(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        why = f"tap-xero cannot be installed: {getattr(error, 'stderr', None) or error}"
        return pytest.fail(why) if os.environ.get("CI") == "true" else pytest.skip(why)


class Tap:
    """The tap as its user meets it: a configuration file, a catalogue, and lines on standard output."""

    def __init__(self, python, url, folder, tokens):
        self.python, self.url, self.folder = python, url, folder
        self.config = {
            "client_id": "simulator",
            "client_secret": "simulator-secret",
            "tenant_id": tokens.tenant_id,
            "refresh_token": tokens["refresh_token"],
            "start_date": "2020-01-01T00:00:00Z",
        }
        self.catalog = json.loads(self.run("--discover", **self.config).stdout)

    def run(self, *options, **config):
        place = self._write("config", config)
        command = [self.python, LAUNCHER, self.url, "--config", place, *options]
        done = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
        if "refresh_token" in config and config["refresh_token"] == self.config["refresh_token"]:
            self.config["refresh_token"] = json.loads(place.read_text())[
                "refresh_token"
            ]  # it writes the next one there
        return done

    def read(self, *streams, state=None, **config):
        """Run it for some streams; answers records by stream, the last state, and the process."""
        options = ["--catalog", self._write("catalog", self._choose(streams))]
        options += ["--state", self._write("state", state)] if state else []
        done = self.run(*options, **self.config | config)
        records, last = defaultdict(list), None
        for said in map(json.loads, done.stdout.splitlines()):
            if said["type"] == "RECORD":
                records[said["stream"]].append(said["record"])
            elif said["type"] == "STATE":
                last = said["value"]
        return SimpleNamespace(records=records, state=last, status=done.returncode, log=done.stderr)

    def _choose(self, streams):
        chosen = [stream for stream in self.catalog["streams"] if stream["tap_stream_id"] in streams]
        for part in (part for stream in chosen for part in stream["metadata"]):
            part["metadata"]["selected"] = True
        return {"streams": chosen}

    def _write(self, name, value):
        place = self.folder / f"{name}.json"
        place.write_text(json.dumps(value))
        return place


def trade(xero):
    """105 invoices, so that there are two pages; one credited, one paid, one paid too much; a fee; and a last one."""
    for first in (0, 50, 100):
        many = [invoice(InvoiceNumber=f"T-{number}") for number in range(first, min(first + 50, 105))]
        assert xero.put("Invoices", {"Invoices": many}).status_code == 200
    books = xero.simulator.organisation()
    books.allocate(books.type_credit_note("Basket Case Café", number="CN-1"), "T-1", 4)
    books.pay("T-2", "5")
    books.archive_contact(books.add_contact("Long Gone"))
    money = {"BankAccount": {"Code": "090"}, "Contact": {"Name": "Basket Case Café"}, "LineAmountTypes": "NoTax"}
    fee = money | {"Type": "SPEND", "LineItems": [line(AccountCode="404")]}
    too_much = money | {"Type": "RECEIVE-OVERPAYMENT", "LineItems": [{"Description": "Twice", "UnitAmount": 9}]}
    assert xero.put("BankTransactions", {"BankTransactions": [fee, too_much]}).status_code == 200
    xero.simulator.clock.advance(5)
    xero.invoice(InvoiceNumber="LAST")


@pytest.fixture(scope="module")
def x(tap_python, tmp_path_factory):
    simulator = Simulator(limits=False)
    xero = Xero(simulator)
    trade(xero)
    with Server(simulator) as server:
        tap = Tap(tap_python, server.url, tmp_path_factory.mktemp("tap"), xero.tokens)
        yield SimpleNamespace(simulator=simulator, xero=xero, tap=tap, all=tap.read(*STREAMS))
    simulator.close()


def kept(x, resource):
    """What there is, as the books show it, or the API for what the books have no list of."""
    books = x.simulator.books()["organisations"][0]
    if resource == "Organisations":
        return [books]
    return books[resource] if resource in books else x.xero.list(resource)


def comparable(record):
    return {
        name: Decimal(str(value)) if isinstance(value, int | float | Decimal) else value
        for name, value in record.items()
        if name in SAME and value is not None
    }


def test_it_finds_out_what_there_is(x):
    assert {stream["tap_stream_id"] for stream in x.tap.catalog["streams"]} >= set(STREAMS)


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_holds_what_the_books_hold(x, stream):
    resource, key = STREAMS[stream]
    read = {record[key]: comparable(record) for record in x.all.records[stream]}
    there = {r[key]: comparable(r) for r in kept(x, resource) if r.get("ContactStatus") != "ARCHIVED"}
    assert read
    assert {one: {name: there[one].get(name) for name in facts} for one, facts in read.items()} == read
    assert set(read) == set(there)


def test_it_reads_every_page(x):
    assert x.all.status == 0, x.all.log
    assert len(x.all.records["invoices"]) == len({one["InvoiceID"] for one in x.all.records["invoices"]}) == 106


def test_lines_come_with_their_account_and_tax(x):
    (last,) = [one for one in x.all.records["invoices"] if one["InvoiceNumber"] == "LAST"]
    assert [(one["AccountCode"], one["TaxType"], one["TaxAmount"]) for one in last["LineItems"]] == [
        ("200", "OUTPUT", 2)
    ]


def test_dates_are_read_as_utc(x):
    (last,) = [one for one in x.all.records["invoices"] if one["InvoiceNumber"] == "LAST"]
    assert (last["Date"], last["DueDate"]) == ("2026-11-24T00:00:00.000000Z", "2026-12-08T00:00:00.000000Z")


def test_from_where_it_stopped_it_reads_what_changed_since(x):
    x.simulator.clock.advance(60)
    x.simulator.organisation().pay("T-3", "5")
    again = x.tap.read("invoices", "payments", state=x.all.state)
    assert {one["InvoiceNumber"] for one in again.records["invoices"]} == {"LAST", "T-3"}  # its own second once more
    assert len(again.records["payments"]) == 2


def test_archived_contacts_come_when_asked_for(x):
    read = x.tap.read("contacts", include_archived_contacts="true").records["contacts"]
    assert {one["ContactID"] for one in read} == {one["ContactID"] for one in kept(x, "Contacts")}


def error_of(status):
    """What the tap writes of an answer with that status; most of its errors are called by the status' own words."""
    return f"Xero{status.phrase.replace(' ', '')}Error: HTTP-error-code: {status.value}"


def test_it_says_that_a_stream_is_not_there(x):
    refused = x.tap.read("quotes")
    assert refused.status != 0
    assert error_of(HTTPStatus.NOT_IMPLEMENTED) in refused.log


def test_an_organisation_that_is_not_connected_is_forbidden(x):
    assert error_of(HTTPStatus.FORBIDDEN) in x.tap.read("items", tenant_id="0" * 8).log


def test_a_spent_refresh_token_is_an_invalid_grant(x):
    log = x.tap.read("items", refresh_token="?").log
    assert f"{error_of(HTTPStatus.BAD_REQUEST)}, Error: invalid_grant" in log


def test_it_tries_again_after_an_error_of_xero(x):
    x.simulator.faults.add("500", methods=["GET"], path="*/Items", count=1)
    assert len(x.tap.read("items").records["items"]) == len(kept(x, "Items"))


def test_the_day_limit_ends_it(x):
    x.simulator.faults.add("429-day", methods=["GET"], path="*/Items", count=1)
    assert "XeroTooManyError: HTTP-error-code: 429" in x.tap.read("items").log


def test_its_own_fault_is_that_unavailable_ends_it_at_once(x):
    """It means to wait after a 503, but waits for requests' HTTPError while its client raises errors of its own."""
    x.simulator.faults.add("503", methods=["GET"], path="*/Items", count=1)
    assert "XeroNotAvailableError: HTTP-error-code: 503" in x.tap.read("items").log
