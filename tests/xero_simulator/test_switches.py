"""Each open question has two answers; here are those that no other test asks."""

from datetime import UTC, datetime

import pytest
from tests.xero_simulator.conftest import Xero, invoice, line, texts

from xero_simulator import Simulator, messages
from xero_simulator.switches import SWITCHES


def test_every_switch_tells_both_answers(xero):
    explained = xero.http.get("/_simulator/switches", params={"explain": 1}).json()
    assert explained.keys() == SWITCHES.keys() == xero.http.get("/_simulator/switches").json().keys()
    assert all(one["true"] != one["false"] for one in explained.values())


@pytest.mark.parametrize(("answer", "tax"), [(True, 0.05), (False, 0.04)])
def test_half_cents(xero, simulator, answer, tax):
    simulator.switches["half_cents_away_from_zero"] = answer
    saved = xero.invoice(LineItems=[line(Quantity=1, UnitAmount="0.25"), line(Quantity=1, UnitAmount="0.15")])
    assert saved["TotalTax"] == tax


@pytest.mark.parametrize("answer", [True, False])
def test_a_voided_number(xero, simulator, answer):
    simulator.switches["void_frees_number"] = answer
    xero.invoice(InvoiceNumber="A-1")
    xero.post("Invoices/A-1", {"Status": "VOIDED"})
    expected = [] if answer else [messages.INVOICE_NUMBER_TAKEN]
    assert texts(xero.put("Invoices", invoice(InvoiceNumber="A-1"))) == expected


@pytest.mark.parametrize("answer", [True, False])
def test_a_deleted_payment_and_modified_since(xero, simulator, answer):
    simulator.switches["deleted_payment_is_modified"] = answer
    xero.invoice(InvoiceNumber="A-1")
    payment = simulator.organisation().pay("A-1")
    simulator.clock.advance(60)
    since = simulator.clock.now().strftime("%Y-%m-%dT%H:%M:%S")
    simulator.organisation().remove_payment(payment)
    found = xero.call("GET", "Payments", headers={"If-Modified-Since": since}).json()["Payments"]
    assert [one["Status"] for one in found] == (["DELETED"] if answer else [])


@pytest.mark.parametrize("answer", [True, False])
def test_the_due_date_of_a_paid_invoice(xero, simulator, answer):
    simulator.switches["paid_invoice_due_date_editable"] = answer
    xero.invoice(InvoiceNumber="A-1")
    simulator.organisation().pay("A-1")
    assert (xero.post("Invoices/A-1", {"DueDate": "2027-03-01"}).status_code == 200) is answer


@pytest.mark.parametrize(("answer", "status"), [(True, 304), (False, 200)])
def test_nothing_newer(xero, simulator, answer, status):
    simulator.switches["not_modified_304"] = answer
    assert xero.call("GET", "Contacts", headers={"If-Modified-Since": "2099-01-01T00:00:00"}).status_code == status


@pytest.mark.parametrize("answer", [True, False])
def test_the_very_second(xero, simulator, answer):
    simulator.switches["modified_since_inclusive"] = answer
    saved = int(xero.invoice()["UpdatedDateUTC"][6:-7]) // 1000
    since = datetime.fromtimestamp(saved, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    found = xero.call("GET", "Invoices", headers={"If-Modified-Since": since}).json()["Invoices"]
    assert bool(found) is answer


@pytest.mark.parametrize(("answer", "count"), [(True, 0), (False, 1)])
def test_rfc_dates(xero, simulator, answer, count):
    simulator.switches["rfc_dates_accepted"] = answer
    xero.invoice()
    headers = {"If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT"}
    assert len(xero.call("GET", "Invoices", headers=headers).json()["Invoices"]) == count


@pytest.mark.parametrize(("answer", "name"), [(True, "Minute"), (False, "minute")])
def test_how_a_limit_is_named(xero, simulator, answer, name):
    simulator.switches["limit_names_capitalised"] = answer
    simulator.switches["limit_body_empty"] = answer
    simulator.faults.add("429-minute", count=1)
    refused = xero.get("Contacts")
    assert refused.headers["X-Rate-Limit-Problem"] == name
    assert bool(refused.content) is not answer


def test_where_a_key_clash_is_told(xero, simulator):
    simulator.switches["idempotency_clash_in_elements"] = True
    for number in ("A-1", "A-2"):
        answer = xero.call("PUT", "Invoices", invoice(InvoiceNumber=number), {"Idempotency-Key": "k"})
    assert texts(answer) == [messages.idempotency_clash("k")]


@pytest.mark.parametrize("answer", [True, False])
def test_the_body_of_a_404(xero, simulator, answer):
    simulator.switches["not_found_json"] = answer
    assert xero.get("Invoices/nothing").headers["Content-Type"].startswith("application/json") is answer


@pytest.mark.parametrize(("answer", "price"), [(True, 9), (False, 6.8)])
def test_what_wins_line_or_item(xero, simulator, answer, price):
    simulator.switches["line_values_beat_item"] = answer
    saved = xero.invoice(LineItems=[line(ItemCode="SOURDOUGH", UnitAmount=9)])
    assert saved["LineItems"][0]["UnitAmount"] == price


@pytest.mark.parametrize(("answer", "status"), [(True, 200), (False, 404)])
def test_numbers_in_paths(xero, simulator, answer, status):
    simulator.switches["find_by_number_in_path"] = answer
    assert xero.get("Items/SOURDOUGH").status_code == status


@pytest.mark.parametrize(("answer", "status"), [(True, 400), (False, 200)])
def test_refreshing_with_nothing_connected(xero, simulator, answer, status):
    simulator.switches["last_disconnect_ends_refresh"] = answer
    simulator.organisation().disconnect()
    form = {"grant_type": "refresh_token", "refresh_token": xero.tokens["refresh_token"]}
    answered = xero.http.post("/connect/token", data=form, auth=("simulator", "simulator-secret"))
    assert answered.status_code == status


@pytest.mark.parametrize(("answer", "status"), [(True, 400), (False, 200)])
def test_line_totals(xero, simulator, answer, status):
    simulator.switches["line_total_checked"] = answer
    assert xero.put("Invoices", invoice(LineItems=[line(LineAmount="19.99")])).status_code == status


@pytest.mark.parametrize(("answer", "status"), [(True, 200), (False, 400)])
def test_long_history_notes(xero, simulator, answer, status):
    simulator.switches["history_details_long"] = answer
    owed = xero.invoice()
    body = {"HistoryRecords": [{"Details": "x" * 451}]}
    assert xero.put(f"Invoices/{owed['InvoiceID']}/History", body).status_code == status


@pytest.mark.parametrize(("answer", "status"), [(True, 400), (False, 200)])
def test_a_hundred_tracking_options(xero, simulator, answer, status):
    simulator.switches["tracking_options_limited"] = answer
    region = xero.list("TrackingCategories")[0]
    path = f"TrackingCategories/{region['TrackingCategoryID']}/Options"
    for number in range(100 - len(region["Options"])):
        xero.put(path, {"Name": f"option {number}"})
    assert xero.put(path, {"Name": "one more"}).status_code == status


@pytest.mark.parametrize("answer", [True, False])
def test_how_long_to_wait_for_the_applications_limit(answer):
    simulator = Simulator(switches={"app_limit_tells_wait": answer})
    simulator.limits.set({"app_minute": 1})
    xero = Xero(simulator)
    assert xero.get("Organisation").headers["X-AppMinLimit-Remaining"] == "0"
    refused = xero.get("Organisation")
    assert refused.headers["X-Rate-Limit-Problem"] == "appminute"
    assert ("Retry-After" in refused.headers) is answer
    simulator.close()


@pytest.mark.parametrize("answer", [True, False])
def test_texts_that_are_known_from_memory(xero, simulator, answer):
    simulator.switches["uncertain_texts_known"] = answer
    told = [
        *texts(xero.put("Accounts", {"Code": "200", "Name": "Again", "Type": "REVENUE"})),
        *texts(xero.put("Invoices", invoice(LineItems=[line(LineAmount="19.99")]))),
    ]
    known = [messages.ACCOUNT_CODE_TAKEN, messages.line_total_differs("19.99", "20.00")]
    assert (told == known) is answer
    assert not answer or told[0].startswith("Please enter")
    assert answer or not any(text.startswith(("Please enter", "The line total")) for text in told)


@pytest.mark.parametrize(("answer", "number"), [(True, 16), (False, 10)])
def test_error_numbers(xero, simulator, answer, number):
    simulator.switches["error_numbers_known"] = answer
    xero.invoice()
    assert xero.get("Invoices", where="Nope==1").json()["ErrorNumber"] == number
    assert xero.put("Invoices", {"Invoices": []}).json()["ErrorNumber"] == (17 if answer else 10)


@pytest.mark.parametrize(("answer", "status"), [(True, 200), (False, 404)])
def test_discovery(xero, simulator, answer, status):
    simulator.switches["discovery_published"] = answer
    assert xero.http.get("/.well-known/openid-configuration").status_code == status


@pytest.mark.parametrize(("answer", "status"), [(True, 302), (False, 400)])
def test_several_organisations_in_one_consent(xero, simulator, answer, status):
    simulator.switches["bulk_connections"] = answer
    second = simulator.add_organisation("demo-uk").organisation_id
    form = {
        "response_type": "code",
        "client_id": "simulator",
        "redirect_uri": "http://localhost:1/x",
        "scope": "openid",
        "organisation": [xero.tokens.tenant_id, second],
        "decision": "allow",
    }
    assert xero.http.post("/identity/connect/authorize", data=form).status_code == status


@pytest.mark.parametrize(("answer", "left"), [(True, "999"), (False, "4999")])
def test_the_tier(answer, left):
    simulator = Simulator()
    simulator.switches["starter_tier"] = answer
    assert Xero(simulator).get("Organisation").headers["X-DayLimit-Remaining"] == left
    simulator.close()


def test_a_duplicate_in_flight_is_refused_when_it_does_not_wait(xero, simulator):
    simulator.switches["in_flight_duplicate_waits"] = False
    inner = []

    def meanwhile(_seconds):
        inner.append(xero.call("PUT", "Invoices", invoice(InvoiceNumber="A-1"), {"Idempotency-Key": "k"}).status_code)

    simulator.faults.add("slow", methods=["PUT"], count=1)
    simulator.pause = meanwhile
    outer = xero.call("PUT", "Invoices", invoice(InvoiceNumber="A-1"), {"Idempotency-Key": "k"})
    assert (inner, outer.status_code) == ([409], 200)


def test_the_rate_of_the_day(xero):
    xero.put("Currencies", {"Code": "USD"})
    assert xero.put("Invoices", invoice(CurrencyCode="USD")).status_code == 200
    xero.simulator.switches["day_rate_fills_in"] = False
    assert texts(xero.put("Invoices", invoice(CurrencyCode="USD"))) == [messages.CURRENCY_RATE_REQUIRED]
    xero.simulator.organisation().add_currency("USD", "0.65")
    assert xero.put("Invoices", invoice(CurrencyCode="USD")).status_code == 200
