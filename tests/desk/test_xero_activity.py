"""Calls to Xero as the Activity page tells them."""

from zoneinfo import ZoneInfo

import pytest

from provender.desk.activity import documents_in, how_long, in_plain_words
from provender.sync.models import Call

pytestmark = pytest.mark.django_db
ADDRESS = "/w/harbour/xero/activity"


@pytest.mark.parametrize(
    ("method", "path", "query", "words"),
    [
        ("PUT", "/api.xro/2.0/Invoices", "", "Create invoices"),
        ("POST", "/api.xro/2.0/Invoices", "", "Change invoices"),
        ("GET", "/api.xro/2.0/Invoices", "IDs=a%2Cb&page=1", "Look up invoices"),
        ("GET", "/api.xro/2.0/Contacts", "page=1", "Read contacts"),
        ("GET", "/api.xro/2.0/Accounts", "", "Read the chart of accounts"),
        ("GET", "/api.xro/2.0/Quotes/{id}", "", "Read Quotes"),
    ],
)
def test_a_call_is_told_in_plain_words(method, path, query, words):
    assert in_plain_words(Call(method=method, path=path, query=query)) == words


def test_many_documents_are_cut_short():
    assert documents_in(Call(about="INV-1\nINV-2")) == "INV-1, INV-2"
    assert documents_in(Call(about="\n".join(f"INV-{n}" for n in range(1, 51)))).endswith("INV-4 and 46 more")


def test_time_is_told_in_its_own_unit():
    assert how_long(Call(seconds=0.0274)) == "27 ms"
    assert how_long(Call(seconds=2.34)) == "2.3 s"


def test_every_call_is_listed_and_filtered(desk, order, sync):
    sync()
    rex = desk("rex")
    page = rex.get(ADDRESS).text
    for told in ("Create invoices", "Read the chart of accounts", "Done", " ms"):
        assert told in page
    written = rex.get(ADDRESS, {"method": "PUT"}).text
    assert "Create invoices" in written
    assert "Read the organisation" not in written
    assert "No call fits these filters" in rex.get(ADDRESS, {"outcome": "not-connected"}).text


def test_a_download_says_in_whose_time_zone_its_times_are(desk, order, sync):
    sync()
    told = b"".join(desk("rex").get(ADDRESS, {"format": "csv"})).decode("utf-8-sig").splitlines()
    assert told[0].startswith("When (Australia/Sydney),")
    here = Call.objects.latest("at").at.astimezone(ZoneInfo("Australia/Sydney"))
    assert any(line.startswith(f"{here:%Y-%m-%d %H:%M}") for line in told[1:])


def test_a_document_is_searched_by_its_number(desk, order, sync):
    sync()
    page = desk("rex").get(ADDRESS, {"q": order.invoice.number}).text
    assert "Create invoices" in page
    assert "Create contacts" not in page


def test_before_the_first_call_the_page_teaches(desk, supplier):
    assert "No call to Xero yet" in desk("rex").get(ADDRESS).text
