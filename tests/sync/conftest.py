"""A wholesaler connected to the simulator in this process, through the consent page like anybody."""

import json
from datetime import timedelta
from http import HTTPStatus

import httpx2
import pytest

import cast
from provender.basics import clock
from provender.sync.drain import drain
from provender.sync.session import carried_by
from sync.connected import connect
from sync.kept import once
from xero_simulator import Simulator
from xero_simulator.testing import FaultyTransport, asked_switches

LISTS = frozenset({"Contacts", "Invoices", "CreditNotes"})


class Reversed(httpx2.BaseTransport):
    """Answers a write with its elements in the opposite order: nobody has promised another."""

    def __init__(self, inner):
        self.inner = inner

    def handle_request(self, request):
        answer = self.inner.handle_request(request)
        resource = request.url.path.rpartition("/")[2]
        if request.method not in {"PUT", "POST"} or answer.status_code != HTTPStatus.OK or resource not in LISTS:
            return answer
        said = json.loads(answer.read())
        said[resource].reverse()
        return httpx2.Response(answer.status_code, json=said, request=request)


@pytest.fixture
def xero(settings):
    """A Xero of our own, reached without a socket; our clock and its move together by `later`."""
    settings.XERO_LOGIN_URL = settings.XERO_IDENTITY_URL = settings.XERO_API_URL = "http://localhost:8765"
    settings.XERO_CLIENT_ID, settings.XERO_CLIENT_SECRET = "simulator", "simulator-secret"
    simulator = Simulator(organisation="demo-au", limits=False, switches=asked_switches())
    with carried_by(FaultyTransport(simulator)):
        yield simulator


@pytest.fixture
def later(xero):
    """Let time pass, for Provender and for Xero."""
    moved = []

    def pass_time(**units):
        by = timedelta(**units)
        clock.move(by)
        moved.append(by)
        xero.clock.advance(by.total_seconds())

    yield pass_time
    for by in moved:
        clock.move(-by)


@pytest.fixture
def connection(supplier, xero):
    """Harbour Fine Foods, connected, with the proposed settings and automatic sync on."""
    return connect(supplier, xero)


@pytest.fixture
def books(xero):
    """The bookkeeper's view of the organisation."""
    return xero.organisation()


@pytest.fixture
def sync(connection):
    """Drain, until nothing more comes of it."""

    def run():
        return drain(connection)

    return run


@pytest.fixture
def order(connection, supplier, xero):
    """A placed order of Corner Cafe, with its invoice."""

    def make():
        return cast.placed_order(cast.venue(supplier, "Corner Cafe"), {"OAT-1L": 4, "BEANS-1KG": 2})

    return once(make, connection, xero)
