"""A real process, killed with SIGKILL at each failpoint and at random, over sockets, on either database.

Whatever happens, each document ends in Xero once, in its newest version, and nobody is asked about it.
"""

import json
import os
import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from databases import own_database
from xero_simulator import Simulator
from xero_simulator.testing import Server, asked_switches

pytestmark = pytest.mark.kill
TESTS = Path(__file__).resolve().parent.parent
NOTHING = {"open": 0, "waiting": 0, "problems": []}


class Process:
    """Provender in a process of its own, with a database of its own and Xero on a socket."""

    def __init__(self, server, environment):
        self.simulator = server.simulator
        self.offset = 0
        self.host = subprocess.Popen(
            [sys.executable, "-m", "sync.crash_host"],
            cwd=TESTS,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def do(self, *steps, kill_after=None):
        """Commands in turn, (name, its arguments), in one child."""
        self.host.stdin.write(json.dumps({"steps": steps, "offset": self.offset, "kill_after": kill_after}) + "\n")
        self.host.stdin.flush()
        answer = json.loads(self.host.stdout.readline())
        assert not answer["failed"], f"{steps} failed"
        return answer

    def ask(self, step, **arguments):
        answer = self.do((step, arguments))
        assert not answer["killed"]
        return answer["results"][-1]

    def later(self, seconds):
        self.offset += seconds
        self.simulator.clock.advance(seconds)

    def settle(self):
        """What there is when nothing is due or in doubt any more."""
        settled = self.ask("settle")
        self.offset += settled["later"]
        return settled["state"]

    def close(self):
        self.host.stdin.close()
        self.host.wait(timeout=20)
        self.host.stdout.close()


@pytest.fixture(scope="module")
def process(tmp_path_factory, request):
    home = tmp_path_factory.mktemp("home")
    environment = {"PROVENDER_HOME": str(home)} | own_database(request, "crashes")
    with Server(Simulator(organisation="demo-au", limits=False, switches=asked_switches())) as server:
        xero = dict.fromkeys(("XERO_LOGIN_URL", "XERO_IDENTITY_URL", "XERO_API_URL"), server.url)
        app = {"XERO_CLIENT_ID": "simulator", "XERO_CLIENT_SECRET": "simulator-secret"}
        made = Process(server, environment | xero | app)
        made.ask("set_up")
        yield made
        made.close()


def drain_after(process, operation, venue, number, **plan):
    """Do the operation's last step, and drain once: the invoice's number, the places passed, and whether it died."""
    if operation == "match a contact":
        process.simulator.organisation().add_contact(venue)
    act = ("act", {"operation": operation, "venue": venue, "number": number})
    if operation == "recover":  # the contact's answer was recorded, the invoice's was lost with the process
        lost = process.do(act, ("run_drain", {"failpoint": "answered", "nth": 2}))
        assert lost["killed"]
        process.later(100)
        number, act = lost["results"][0], ("look", {})
    answer = process.do(act, ("run_drain", plan))
    return number or answer["results"][0], answer["results"][1:], answer["killed"]


def let_it_pass(process, operation):
    """Nobody is killed; the places that are passed, in order, the invoice's number, and what there is then."""
    venue = f"{operation} whole"
    (number,) = process.ask("prepare", operation=operation, venues=[venue])
    number, (places,), _ = drain_after(process, operation, venue, number)
    # Any drain renews a token whose time has come; its places are those of the operation that ends it each time.
    if operation != "refresh the token":
        places = [place for place in places if not place.startswith("token-")]
    return places, number, process.settle()


def kill_at_each(process, operation, places):
    """Die at each (place, how often it was passed) on an invoice of its own; gives the place, the number, and what
    there is when all has settled.
    """
    venues = [f"{operation} {place} {nth}" for place, nth in places]
    numbers = process.ask("prepare", operation=operation, venues=venues)
    for (place, nth), venue, prepared in zip(places, venues, numbers, strict=True):
        number, _, killed = drain_after(process, operation, venue, prepared, failpoint=place, nth=nth)
        assert killed, f"{place}:{nth} wasn't reached"
        state = process.settle()
        assert state["unsettled"] == NOTHING, f"after dying at {place}:{nth}"
        yield f"{place}:{nth}", number, state


def in_xero(process, number):
    """All documents there with that number."""
    shown = process.simulator.books()["organisations"][0]["Invoices"]
    return [one for one in shown if one["InvoiceNumber"] == number]


def is_once_and_newest(process, state, number):
    total, status = state["invoices"][number]
    (theirs,) = in_xero(process, number)
    if status == "void":
        assert theirs["Status"] == "VOIDED"
    else:
        assert theirs["Status"] == "AUTHORISED"
        assert Decimal(theirs["Total"]) == Decimal(total)


@pytest.mark.parametrize("operation", ["create", "match a contact", "change", "void", "refresh the token", "recover"])
def test_killed_at_each_failpoint_each_document_ends_once(process, operation):
    places, number, state = let_it_pass(process, operation)
    is_once_and_newest(process, state, number)
    assert len(places) > 4
    passed = [(place, places[: index + 1].count(place)) for index, place in enumerate(places)]
    for _, killed, then in kill_at_each(process, operation, passed):
        is_once_and_newest(process, then, killed)


def money_in_xero(process):
    """What counts there, in the shape of what counts here."""
    books = process.simulator.books()["organisations"][0]
    organisation = process.simulator.organisation()

    def live(name):
        return [one for one in books[name] if one["Status"] == "AUTHORISED"]

    allocations = [
        one
        for note in books["CreditNotes"]
        for one in organisation.find_credit_note(note["CreditNoteID"])["Allocations"]
    ]
    return {
        "Payments": sorted([one["Invoice"]["InvoiceNumber"], str(one["Amount"])] for one in live("Payments")),
        "Allocations": sorted([one["Invoice"]["InvoiceNumber"], str(one["Amount"])] for one in allocations),
        "BatchPayments": sorted([one["Reference"], str(one["TotalAmount"])] for one in live("BatchPayments")),
        "BankTransactions": sorted(
            [one["Reference"].removeprefix("Fee of ")[:-40], str(one["Total"])] for one in live("BankTransactions")
        ),
    }


@pytest.mark.parametrize(
    "operation",
    ["pay", "take a payment back", "credit and set against", "take a credit off", "pay out", "undo a payout"],
)
def test_killed_with_money_on_its_way_it_is_there_once(process, operation):
    places, _, state = let_it_pass(process, operation)
    assert money_in_xero(process) == state["money"]
    # Of a place that is passed several times in a row the last and the first: the first call, and what follows on it.
    passed = sorted({(place, nth) for place in places for nth in {1, places.count(place)}})
    assert len(passed) > 6
    for place, _, then in kill_at_each(process, operation, passed):
        assert money_in_xero(process) == then["money"], f"after dying at {place}"


def test_killed_twenty_times_in_a_row_at_random(process):
    chance = random.Random(20101201)
    numbers = [process.ask("place", venue=f"Random {n % 7}", quantity=n + 1) for n in range(12)]
    for _ in range(20):
        what = chance.choice(["place", "edit", "cancel"])
        number = chance.choice(numbers)
        if what == "place":
            numbers.append(process.ask("place", venue=f"Random {chance.randrange(9)}"))
        elif process.ask("look")["invoices"][number][1] == "open":
            process.ask("cancel", number=number) if what == "cancel" else process.ask(
                "edit", number=number, quantity=chance.randrange(1, 30)
            )
        process.do(("run_drain", {}), kill_after=chance.uniform(0.002, 0.35))
        process.later(95)
    state = process.settle()
    assert state["unsettled"] == NOTHING
    for number, (_, status) in state["invoices"].items():
        there = in_xero(process, number)
        assert len(there) <= 1
        if number in numbers and (there or status == "open"):  # the others were paid by the tests before
            is_once_and_newest(process, state, number)
    report = process.ask("verify")
    assert report["equal"], report["differences"][:5]
