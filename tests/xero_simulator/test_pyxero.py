"""pyxero reads from the simulator with nothing changed but the base address; it writes XML, which is refused."""

# ruff: noqa: DTZ001 - pyxero takes UTC without a zone

import datetime as dt
from types import SimpleNamespace

import httpx2
import pytest
from tests.xero_simulator.conftest import invoice
from xero.exceptions import XeroBadRequest, XeroForbidden, XeroNotFound, XeroUnauthorized

from xero import Xero
from xero_simulator import Simulator
from xero_simulator.testing import Server, connect

NEVER = "00000000-0000-0000-0000-000000000007"


@pytest.fixture(scope="module")
def x():
    simulator = Simulator(limits=False)
    with Server(simulator) as server, httpx2.Client(base_url=server.url) as http:
        tokens = connect(http, simulator)
        body = {
            "Invoices": [invoice(InvoiceNumber="P-1", Reference="rush"), invoice(InvoiceNumber="P-2", Status="DRAFT")]
        }
        http.put("/api.xro/2.0/Invoices", json=body, headers=tokens.headers).raise_for_status()
        simulator.organisation().pay("P-1", "5")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # its OAuth library insists on https, even on loopback
            yield SimpleNamespace(xero=pyxero(server.url, tokens), tokens=tokens, url=server.url)
    simulator.close()


def pyxero(url, tokens, tenant_id=None, access_token=None):
    from xero.auth import OAuth2Credentials

    token = {
        "access_token": access_token or tokens["access_token"],
        "token_type": "Bearer",
        "expires_at": 32_503_680_000,
    }
    credentials = OAuth2Credentials("simulator", "simulator-secret", token=token)
    credentials.base_url = url
    credentials.tenant_id = tenant_id or tokens.tenant_id
    return Xero(credentials)


READS = {
    "all invoices": lambda x: {i["InvoiceNumber"] for i in x.invoices.all()} == {"P-1", "P-2"},
    "one invoice": lambda x: x.invoices.get("P-1")[0]["InvoiceNumber"] == "P-1",
    "invoices by status": lambda x: [i["InvoiceNumber"] for i in x.invoices.filter(Status="DRAFT")] == ["P-2"],
    "invoices by contact name": lambda x: len(x.invoices.filter(Contact_Name="Basket Case Café")) == 2,
    "invoices by date": lambda x: len(x.invoices.filter(Date__gte=dt.datetime(2026, 11, 24))) == 2,
    "invoices by text": lambda x: len(x.invoices.filter(InvoiceNumber__startswith="P-")) == 2,
    "invoices since": lambda x: x.invoices.filter(since=dt.datetime(2099, 1, 1)) == [],
    "a page of invoices": lambda x: x.invoices.filter(page=1)[0]["LineItems"] != [],
    "ordered invoices": lambda x: x.invoices.filter(order="InvoiceNumber DESC")[0]["InvoiceNumber"] == "P-2",
    "a raw query": lambda x: len(x.invoices.filter(raw='Type=="ACCREC" AND Total>0')) == 2,
    "dates are dates": lambda x: x.invoices.get("P-1")[0]["Date"].date() == dt.date(2026, 11, 24),
    "contacts": lambda x: any(c["Name"] == "Ridgeway Bakery" for c in x.contacts.all()),
    "accounts": lambda x: len(x.accounts.filter(Type="BANK")) >= 2,
    "items": lambda x: any(i["Code"] == "SOURDOUGH" for i in x.items.all()),
    "tax rates": lambda x: any(t["TaxType"] == "OUTPUT" for t in x.taxrates.all()),
    "payments": lambda x: x.payments.all()[0]["Amount"] == 5,
    "organisation": lambda x: x.organisations.all()[0]["Name"] == "Demo Company (AU)",
    "tracking categories": lambda x: {c["Name"] for c in x.trackingcategories.all()} == {"Region", "Salesperson"},
}


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
def test_reading(x, read):
    assert read(x.xero)


def test_what_is_not_there(x):
    with pytest.raises(XeroNotFound):
        x.xero.invoices.get(NEVER)


def test_a_tenant_that_is_not_connected(x):
    with pytest.raises(XeroForbidden):
        pyxero(x.url, x.tokens, tenant_id=NEVER).invoices.all()


def test_a_token_that_is_none(x):
    with pytest.raises(XeroUnauthorized):
        pyxero(x.url, x.tokens, access_token="nonsense").invoices.all()


def test_xml_is_refused_as_unreadable(x):
    with pytest.raises(XeroBadRequest):
        x.xero.contacts.put({"Name": "By XML"})
