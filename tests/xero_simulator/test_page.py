import re
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xero_simulator import messages
from xero_simulator.errors import BadPost
from xero_simulator.views.page import ACTS

VIEWS = ["invoices", "credit-notes", "contacts", "payments", "bank", "items", "accounts", "settings", "calls"]


def do(xero, act, **form):
    """Press a button; what the page then says."""
    answer = xero.http.post(f"/_simulator/do/{act}", data=form)
    assert answer.status_code == 303, answer.text
    back = xero.http.get(answer.headers["Location"])
    assert back.status_code == 200
    said = parse_qs(urlsplit(answer.headers["Location"]).query)
    return said.get("said", said.get("bad"))[0]


@pytest.fixture
def trading(xero):
    xero.invoice(InvoiceNumber="A-1")
    return xero


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_with_something_and_with_nothing(trading, simulator, view):
    simulator.organisation().type_credit_note("Basket Case Café")
    simulator.organisation().pay("A-1", "5")
    assert trading.http.get("/_simulator/", params={"view": view}).status_code == 200
    empty = simulator.add_organisation("empty-au").organisation_id
    assert trading.http.get("/_simulator/", params={"view": view, "organisation": empty}).status_code == 200


def test_a_person_pays_part_takes_it_back_and_voids(trading, simulator):
    found = simulator.organisation().find_invoice("A-1")
    owed = found["InvoiceID"]
    assert do(trading, "pay", id=owed, amount="5.00", account="090", back=f"/_simulator/invoice/{owed}") == "Done."
    page = trading.http.get(f"/_simulator/invoice/{owed}").text
    payment = re.search(r'do/remove-payment".*?name="id" value="([^"]+)"', page, re.DOTALL)[1]
    assert do(trading, "void", id=owed) == messages.status_blocked_by_payment("VOIDED")
    assert do(trading, "remove-payment", id=payment) == "Done."
    assert do(trading, "void", id=owed) == "Done."
    assert simulator.organisation().find_invoice("A-1")["Status"] == "VOIDED"


def test_a_person_edits_lines_and_dates(trading, simulator):
    found = simulator.organisation().find_invoice("A-1")
    line = found["LineItems"][0]["LineItemID"]
    form = {"reference": "by hand", "due_date": "2027-01-31", "line": line, "description": "Better oil"}
    assert do(trading, "edit-invoice", id=found["InvoiceID"], quantity="3", price="12.5", **form) == "Done."
    edited = simulator.organisation().find_invoice("A-1")
    assert (edited["Reference"], edited["SubTotal"]) == ("by hand", 37.5)
    assert edited["LineItems"][0]["LineItemID"] == line


def test_the_rest_of_the_buttons(trading, simulator):
    bookkeeper = simulator.organisation()
    new = {"contact": "Basket Case Café", "description": "x", "price": "10"}
    assert do(trading, "new-invoice", number="A-2", status="DRAFT", **new) == "Done."
    assert do(trading, "approve", id="A-2") == "Done."
    assert do(trading, "new-credit-note", **new) == "Done."
    assert do(trading, "allocate", id="CN-0001", invoice="A-2", amount="5") == "Done."
    allocation = bookkeeper.find_credit_note("CN-0001")["Allocations"][0]["AllocationID"]
    assert do(trading, "remove-allocation", id=allocation) == "Done."
    assert do(trading, "void-credit-note", id="CN-0001") == "Done."
    assert do(trading, "new-credit-note", **new) == "Done."
    assert do(trading, "refund", id="CN-0002") == "Done."
    assert "Refund of CN-0002" in trading.http.get("/_simulator/", params={"view": "bank"}).text
    assert do(trading, "rename-contact", id="Ridgeway Bakery", name="Ridgeway & Sons") == "Done."
    assert do(trading, "archive-contact", id="Ridgeway & Sons") == "Done."
    assert do(trading, "restore-contact", id="Ridgeway & Sons") == "Done."
    assert do(trading, "merge-contact", id="Ridgeway & Sons", name="Basket Case Café") == "Done."
    assert do(trading, "archive-account", code="260") == "Done."
    assert do(trading, "restore-account", code="260") == "Done."
    assert do(trading, "add-item", code="NEW", name="New", price="3") == "Done."
    assert do(trading, "edit-item", code="NEW", price="4", name="Newer") == "Done."
    assert do(trading, "remove-item", code="NEW") == "Done."
    assert do(trading, "lock", period="2026-10-31", year="") == "Done."
    payment = bookkeeper.pay("A-1")
    assert do(trading, "reconcile", id=payment["PaymentID"]) == "Done."
    assert do(trading, "remove-payment", id=payment["PaymentID"]) == messages.PAYMENT_RECONCILED
    assert do(trading, "reconcile", id=payment["PaymentID"], off="1") == "Done."
    assert do(trading, "disconnect") == "Done."
    assert trading.get("Organisation").status_code == 403


def look(xero, view="invoices", **query):
    return xero.http.get("/_simulator/", params={"view": view, **query}).text


def test_lists_are_searched_and_come_in_pages(trading, simulator):
    books = simulator.organisation()
    for number in range(60):
        books.type_invoice(f"P-{number:03d}", "Ridgeway Bakery", Reference=f"van {number}")
    assert "61 in all" in look(trading)
    first, second = look(trading), look(trading, page=2)
    assert ("P-059" in first, "P-000" in first, "P-000" in second) == (True, False, True)
    assert "Page 2 of 2" in look(trading, page=99)
    assert "Page 1 of 2" in look(trading, page="x")
    found = look(trading, q="ridgeway VAN 42")
    assert ("1 found" in found, "P-042" in found, "P-041" in found) == (True, True, False)
    assert "Nothing here holds “&lt;b&gt;”" in look(trading, q="<b>")
    assert "P-042" in look(trading, q="P-042 authorised 11.00")
    books.pay("P-042", 3, reference="from the till")
    for view, word in (("payments", "till"), ("contacts", "ridgeway"), ("items", "olive"), ("accounts", "rent")):
        assert f'value="{word}"' in look(trading, view, q=word)
        assert "Nothing here holds" not in look(trading, view, q=word)
        assert "Nothing here holds" in look(trading, view, q="zzz")


def test_what_is_done_on_a_page_of_a_search_leads_back_there(trading):
    page = look(trading, "contacts", q="ridgeway", page=1)
    back = re.search(r'name="back" value="([^"]+)"', page)[1].replace("&amp;", "&")
    answer = trading.http.post("/_simulator/do/archive-contact", data={"id": "Ridgeway Bakery", "back": back})
    assert "q=ridgeway" in answer.headers["Location"]


def test_credit_is_offered_to_what_it_can_go_to(trading, simulator):
    books = simulator.organisation()
    books.add_currency("EUR")
    books.type_invoice("E-1", "Basket Case Café", CurrencyCode="EUR")
    books.type_invoice("B-1", "Basket Case Café", Type="ACCPAY")
    books.type_invoice("O-1", "Ridgeway Bakery")
    books.type_credit_note("Basket Case Café")
    assert re.findall(r">([A-Z]-\d) \(", look(trading, "credit-notes")) == ["A-1"]


def test_another_currency_is_added_and_shown(trading, simulator):
    assert do(trading, "add-currency", code="eur", rate="0") == messages.CURRENCY_RATE_INVALID
    assert do(trading, "add-currency", code="eur", rate="0.55") == "Done."
    assert do(trading, "add-currency", code="AUD", rate="2") == messages.CURRENCY_RATE_INVALID
    bank = {"Code": "095", "Name": "Euro", "Type": "BANK", "BankAccountNumber": "1", "CurrencyCode": "EUR"}
    assert trading.put("Accounts", bank).status_code == 200
    assert "EUR Euro at 0.55" in trading.http.get("/_simulator/", params={"view": "settings"}).text
    abroad = {"contact": "Basket Case Café", "description": "x", "price": "10", "currency": "EUR"}
    assert do(trading, "new-invoice", number="A-9", **abroad) == "Done."
    path = f"/_simulator/invoice/{simulator.organisation().find_invoice('A-9')['InvoiceID']}"
    assert "0.55 EUR for one AUD" in trading.http.get(path).text
    assert "095 Euro" in trading.http.get(path).text
    home = simulator.organisation().find_invoice("A-1")["InvoiceID"]
    assert "095 Euro" not in trading.http.get(f"/_simulator/invoice/{home}").text
    assert do(trading, "pay", id="A-9", amount="11", account="090") == "Done."
    assert "20.00" in trading.http.get("/_simulator/", params={"view": "bank"}).text  # 11 at 0.55
    assert "EUR 11.00" in trading.http.get("/_simulator/").text
    simulator.organisation().set_multicurrency(allowed=False)
    assert "includes no other currencies" in trading.http.get("/_simulator/", params={"view": "settings"}).text


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"id": "nobody"},
        {"id": "A-1", "amount": "much", "account": "090"},
        {"id": "A-1", "amount": "NaN", "account": "090"},
        {"id": "A-1", "day": "soon", "account": "090"},
    ],
)
def test_what_makes_no_sense_is_said_and_changes_nothing(trading, form):
    answer = trading.http.post("/_simulator/do/pay", data=form)
    assert answer.status_code in {303, 400}
    assert trading.list("Invoices")[0]["AmountPaid"] == 0


def test_other_web_pages_cannot_press_buttons(trading, simulator):
    answer = trading.http.post("/_simulator/do/disconnect", headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 404
    assert trading.get("Organisation").status_code == 200


@pytest.mark.parametrize("headers", [{"Origin": "http://trap.example"}, {"Origin": "null"}, {"Origin": "http://["}])
def test_nor_can_pages_whose_name_leads_to_this_machine(trading, headers):
    host = {"Host": "trap.example"}
    assert trading.http.post("/_simulator/do/disconnect", headers=host | headers).status_code == 404
    assert trading.http.post("/_simulator/reset", headers=host | headers).status_code == 404
    assert trading.get("Organisation").status_code == 200


@pytest.mark.parametrize("path", ["/_simulator/", "/identity/connect/authorize"])
def test_pages_take_nothing_but_their_own_style(xero, path):
    answer = xero.http.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert 'href="/_simulator/style.css"' in answer.text
    assert "style=" not in answer.text
    assert xero.http.get("/_simulator/style.css").headers["Content-Type"].startswith("text/css")


ODD = st.sampled_from(
    ["A-1", "Basket Case Café", "090", "200", "5", "-1", "1e400", "NaN", "∞", "0001-01-01", "\x00", "", "a\r\nb: c"]
)
FIELDS = ["id", "amount", "account", "day", "invoice", "contact", "name", "code", "price", "quantity", "description",
          "number", "status", "line", "due_date", "reference", "period", "year", "back"]  # fmt: skip


@settings(max_examples=100)
@given(act=st.sampled_from(sorted(ACTS)), form=st.dictionaries(st.sampled_from(FIELDS), ODD | st.text(max_size=20)))
def test_whatever_a_form_holds_the_page_answers(trading, act, form):
    answer = trading.http.post(f"/_simulator/do/{act}", data=form)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/_simulator/")


def test_what_people_type_is_shown_as_text(xero, simulator):
    xero.invoice(InvoiceNumber="<script>alert(1)</script>")
    page = xero.http.get("/_simulator/").text
    assert "<script>" not in page


def test_a_half_done_act_leaves_nothing_behind(trading, simulator):
    before = len(simulator.books()["organisations"][0]["Contacts"])
    with pytest.raises(BadPost):
        simulator.organisation().type_invoice("A-2", "Somebody New", Date="soon")
    assert len(simulator.books()["organisations"][0]["Contacts"]) == before
