from xml.etree import ElementTree as ET

import pytest
from tests.xero_simulator.conftest import Xero, line

from xero_simulator import Simulator, messages
from xero_simulator.seeds import TEMPLATES


@pytest.mark.parametrize(
    "path",
    [
        "Organisation",
        "Accounts",
        "TaxRates",
        "TrackingCategories",
        "Items",
        "Contacts",
        "Currencies",
        "BrandingThemes",
        "Users",
    ],
)
def test_a_new_organisation_answers_every_list(xero, path):
    answer = xero.get(path)
    assert answer.status_code == 200
    assert answer.json()["Status"] == "OK"


@pytest.mark.parametrize("template", TEMPLATES)
def test_each_country_answers_as_described(template):
    """What the answers hold is checked against Xero's description, as in every test."""
    simulator = Simulator(organisation=template, limits=False)
    xero = Xero(simulator)
    for path in ("Organisation", "Accounts", "TaxRates", "TrackingCategories", "Items", "Contacts", "Users"):
        assert xero.get(path, page=1).status_code == 200
    simulator.close()


def test_dates_have_escaped_slashes_and_money_two_places(xero):
    xero.invoice()
    text = xero.get("Invoices", page=1).text
    assert '"Date":"\\/Date(1795478400000+0000)\\/"' in text
    assert '"Total":22.00' in text
    assert '"Quantity":2.0000' in text
    assert '"CurrencyRate":1.0000000000' in text


def test_a_list_without_page_has_no_lines(xero):
    xero.invoice()
    assert xero.list("Invoices")[0]["LineItems"] == []
    assert len(xero.list("Invoices", page=1)[0]["LineItems"]) == 1


def test_pages_tell_how_many_there_are(xero):
    for number in range(5):
        xero.invoice(InvoiceNumber=f"A-{number}")
    answer = xero.get("Invoices", page=2, pageSize=2).json()
    assert answer["pagination"] == {"page": 2, "pageSize": 2, "pageCount": 3, "itemCount": 5}
    assert len(answer["Invoices"]) == 2


def test_invoices_are_found_by_numbers_ids_and_statuses(xero):
    first = xero.invoice(InvoiceNumber="A-1")
    xero.invoice(InvoiceNumber="A-2", Status="DRAFT")
    assert [i["InvoiceNumber"] for i in xero.list("Invoices", InvoiceNumbers="A-2,A-9")] == ["A-2"]
    assert [i["InvoiceNumber"] for i in xero.list("Invoices", IDs=first["InvoiceID"])] == ["A-1"]
    assert [i["InvoiceNumber"] for i in xero.list("Invoices", Statuses="DRAFT")] == ["A-2"]
    assert xero.get("Invoices/A-1").json()["Invoices"][0]["InvoiceID"] == first["InvoiceID"]


def test_if_modified_since_gives_the_newer_ones(xero, simulator):
    xero.invoice(InvoiceNumber="OLD")
    simulator.clock.advance(60)
    since = simulator.clock.now().strftime("%Y-%m-%dT%H:%M:%S")
    xero.invoice(InvoiceNumber="NEW")
    answer = xero.call("GET", "Invoices", headers={"If-Modified-Since": since})
    assert [i["InvoiceNumber"] for i in answer.json()["Invoices"]] == ["NEW"]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ('Type=="ACCREC" AND Status=="AUTHORISED"', ["A-1", "B-2"]),
        ("Total>=30", ["B-2"]),
        ("Date>=DateTime(2026,11,25)", ["B-2"]),
        ('InvoiceNumber.StartsWith("B")', ["B-2"]),
        ('Reference!=null AND Reference.Contains("rush")', ["B-2"]),
        ('Contact.Name=="basket case café" && !(Status=="DRAFT")', ["A-1", "B-2"]),
        ('Contact.ContactID==Guid("00000000-0000-0000-0000-000000000001")', []),
    ],
)
def test_where(xero, where, found):
    xero.invoice(InvoiceNumber="A-1")
    xero.invoice(
        InvoiceNumber="B-2",
        Date="2026-11-25",
        Reference="Rush",
        LineItems=[line(Quantity=3)],
    )
    assert sorted(i["InvoiceNumber"] for i in xero.list("Invoices", where=where)) == found


@pytest.mark.parametrize("where", ['Reference.Contains("x")', "Nonsense==1", 'Type="', "((", "Total", "Date>5", "1 2"])
def test_a_query_that_cannot_be_run_is_a_query_parse_exception(xero, where):
    xero.invoice()
    answer = xero.get("Invoices", where=where)
    assert answer.status_code == 400
    assert answer.json()["Type"] == "QueryParseException"


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("Invoices", {"where": 'Type=="ACCREC" AND Contact.Name!=null', "order": "UpdatedDateUTC DESC"}, 200),
        ("Invoices", {"where": 'Status=="PAID" AND Total>5'}, 400),
        ("Invoices", {"order": "DueDate"}, 400),
        ("Payments", {"where": 'Status=="AUTHORISED"'}, 200),
        ("Payments", {"where": "Amount>5"}, 400),
        ("BatchPayments", {"where": "TotalAmount>5"}, 400),
        ("BatchPayments", {"order": "Date"}, 200),
        ("Contacts", {"where": "IsCustomer==true"}, 200),
    ],
)
def test_over_a_hundred_thousand_records_only_optimised_fields_are_asked_for(xero, monkeypatch, path, query, status):
    monkeypatch.setattr("xero_simulator.calls.MOST_UNOPTIMISED", 1)
    for number in ("A-1", "A-2"):
        xero.invoice(InvoiceNumber=number)
        xero.simulator.organisation().pay(number, 1)
        xero.simulator.organisation().pay_batch([number])
    assert xero.get(path, **query).status_code == status
    assert xero.call("GET", path, headers={"If-Modified-Since": "2099-01-01T00:00:00"}, **query).status_code == 200


def test_order_sorts_both_ways(xero):
    for number in ("B", "C", "A"):
        xero.invoice(InvoiceNumber=number)
    numbers = [i["InvoiceNumber"] for i in xero.list("Invoices", order="InvoiceNumber DESC")]
    assert numbers == ["C", "B", "A"]


def test_archived_contacts_are_hidden_unless_asked_for(xero):
    names = {c["Name"] for c in xero.list("Contacts")}
    everyone = {c["Name"] for c in xero.list("Contacts", includeArchived="True")}
    assert everyone - names == {"Old Town Deli (closed)"}


def test_without_asking_for_json_the_answer_is_xml(xero):
    answer = xero.call("GET", "Organisation", headers={"Accept": "*/*"})
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert answer.text.startswith('<?xml version="1.0" encoding="utf-8"?><Response><Id>')
    assert "<Organisations><Organisation><Name>Demo Company (AU)</Name>" in answer.text


def test_what_xml_cannot_hold_is_left_out_of_it(xero):
    assert xero.put("Contacts", {"Name": "Bell\x07 & \x00Nul"}).status_code == 200
    answer = xero.call("GET", "Contacts", headers={"Accept": "text/xml"})
    names = [one.text for one in ET.fromstring(answer.content).iter("Name")]  # noqa: S314 - our own
    assert "Bell & Nul" in names


@pytest.mark.parametrize(
    ("path", "status"), [("Invoices/nothing", 404), ("Nowhere", 404), ("Quotes", 501), ("Invoices/x/Attachments", 501)]
)
def test_what_is_not_there(xero, path, status):
    assert xero.get(path).status_code == status


def test_a_condition_that_is_no_time_is_refused(xero):
    answer = xero.call("GET", "Invoices", headers={"If-Modified-Since": "yesterday"})
    assert (answer.status_code, answer.text) == (412, messages.CONDITION_INVALID)


def test_each_list_has_its_own_filters_only(xero):
    """What the description doesn't list for a resource does nothing there."""
    for number in ("A-1", "A-2"):
        xero.invoice(InvoiceNumber=number)
        xero.simulator.organisation().pay(number)
    both = xero.list("Payments", Statuses="DELETED", IDs="x", summaryOnly="true")
    assert len(both) == 2
    assert "pagination" not in xero.get("Payments", summaryOnly="true", Statuses="PAID").json()
    assert "pagination" in xero.get("Invoices", Statuses="PAID").json()
    assert "pagination" in xero.get("Contacts", summaryOnly="TRUE").json()
    assert "pagination" not in xero.get("Items", page=1).json()


@pytest.mark.parametrize(("path", "name"), [("Users", "UserID"), ("BrandingThemes", "BrandingThemeID")])
def test_short_lists_are_read_by_id_too(xero, path, name):
    (one,) = xero.list(path)
    assert xero.get(f"{path}/{one[name]}").json()[path] == [one]
    assert xero.get(f"{path}/00000000-0000-0000-0000-00000000000a").status_code == 404


def test_a_document_by_itself_shows_its_contact_in_full(xero):
    saved = xero.invoice()
    alone = xero.get(f"Invoices/{saved['InvoiceID']}").json()["Invoices"][0]["Contact"]
    assert (alone["EmailAddress"], alone["ContactStatus"]) == ("orders@basketcase.example", "ACTIVE")
    assert "EmailAddress" not in xero.list("Invoices", page=1)[0]["Contact"]


def test_a_refusal_in_xml_tells_what_kind_of_thing_was_refused(xero):
    body = {"Type": "ACCREC", "BrandingThemeID": "00000000-0000-0000-0000-00000000000a"}
    answer = xero.call("PUT", "Invoices", body, headers={"Accept": "text/xml"})
    assert '<Elements><DataContractBase xsi:type="Invoice"' in answer.text
    assert f"<ValidationError><Message>{messages.CONTACT_REQUIRED}</Message></ValidationError>" in answer.text


def test_documents_are_not_printed(xero):
    saved = xero.invoice()
    path = f"Invoices/{saved['InvoiceID']}"
    assert xero.call("GET", path, headers={"Accept": "application/pdf"}).status_code == 501
