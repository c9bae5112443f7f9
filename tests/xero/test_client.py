"""Calls for one organisation: what goes out, what comes back, and how often."""

import traceback
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import httpx2
import pytest

from provender.xero import (
    Fault,
    MemoryBudget,
    NotConnected,
    NotSent,
    OutcomeUnknown,
    Page,
    Refused,
    TryLater,
    Windows,
    wire,
)
from provender.xero.deadline import open_http

ACCEPTED = {"Invoices": [{"InvoiceID": "id-1", "InvoiceNumber": "INV-1", "HasErrors": False, "Total": 5.5}]}
INVOICES = {"pagination": {"page": 1, "pageSize": 1000, "pageCount": 1, "itemCount": 1}, "Invoices": [{"Total": 5.50}]}


def test_write_sends_the_frozen_body_under_its_key(put, xero):
    xero.answers(200, ACCEPTED)
    answer = put(body=b'{"Invoices":[{"InvoiceNumber":"INV-1","Total":5.50}]}')
    (request,) = xero.requests
    assert str(request.url) == "https://api.example/api.xro/2.0/Invoices?summarizeErrors=false&unitdp=4"
    assert (request.method, request.content) == ("PUT", b'{"Invoices":[{"InvoiceNumber":"INV-1","Total":5.50}]}')
    sent = {"authorization", "xero-tenant-id", "accept", "content-type", "idempotency-key"}
    assert {name: request.headers[name] for name in sent} == {
        "authorization": "Bearer secret-access-token",
        "xero-tenant-id": "tenant-1",
        "accept": "application/json",
        "content-type": "application/json",
        "idempotency-key": "key-1",
    }
    assert [(element.ok, element.value.invoice_id) for element in answer.elements] == [(True, "id-1")]


def test_one_bad_element_leaves_the_others_accepted(put, xero):
    bad = {"InvoiceNumber": "INV-2", "HasErrors": True, "ValidationErrors": [{"Message": "Invoice # must be unique."}]}
    xero.answers(200, {"Invoices": [*ACCEPTED["Invoices"], bad]})
    verdicts = {e.value.invoice_number: (e.ok, e.messages) for e in put().elements}
    assert verdicts == {"INV-1": (True, ()), "INV-2": (False, ("Invoice # must be unique.",))}


@pytest.mark.parametrize("status", [500, 502, 503])
def test_failed_write_is_never_sent_again(put, xero, status):
    xero.answers(status, "oops").answers(200, ACCEPTED)
    with pytest.raises(OutcomeUnknown):
        put()
    assert len(xero.requests) == 1


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (httpx2.ReadTimeout("late"), OutcomeUnknown, "timeout"),
        (httpx2.WriteTimeout("late"), OutcomeUnknown, "timeout"),
        (httpx2.ReadError("reset"), OutcomeUnknown, "dropped"),
        (httpx2.WriteError("reset"), OutcomeUnknown, "dropped"),
        (httpx2.RemoteProtocolError("cut"), OutcomeUnknown, "dropped"),
        (httpx2.ConnectError("refused"), TryLater, "no-connection"),
        (httpx2.ConnectTimeout("late"), TryLater, "no-connection"),
        (httpx2.PoolTimeout("busy"), TryLater, "no-connection"),
    ],
)
def test_write_without_answer_is_open_unless_the_server_was_never_reached(put, xero, error, kind, told):
    xero.fails(error)
    with pytest.raises(kind) as caught:
        put()
    assert told == (caught.value.reason if kind is OutcomeUnknown else caught.value.problem)
    assert len(xero.requests) == 1


@pytest.mark.parametrize(
    "body", [b'{"Invoices":[{"Total":"much"}]}', b'{"Status":"OK"}', b'{"Invoices":[5]}', b'{"Invoices":[{"Date":7}]}']
)
def test_answer_that_is_json_but_no_verdict_leaves_the_write_open(put, xero, body):
    xero.answers(200, body)
    with pytest.raises(OutcomeUnknown) as caught:
        put()
    assert (caught.value.reason, caught.value.status) == ("unreadable", 200)


def test_garbled_compression_leaves_the_write_open(put, xero):
    xero.answers(200, b"not gzip at all", content_encoding="gzip")
    with pytest.raises(OutcomeUnknown):
        put()


def test_last_check_that_says_no_sends_nothing(put, xero, budget):
    xero.answers(200, ACCEPTED)
    with pytest.raises(NotSent) as caught:
        put(before_first_byte=lambda: False)
    assert caught.value.problem == "not-sent"
    assert xero.requests == []
    assert budget.windows.in_flight == 0


def test_last_check_is_asked_once_before_the_request_goes(put, xero):
    xero.answers(200, ACCEPTED)
    seen = []
    put(before_first_byte=lambda: seen.append(len(xero.requests)) or True)
    assert seen == [0]


def test_write_of_something_else_is_refused_before_it_is_sent(client, xero):
    with pytest.raises(KeyError):
        client.write("PUT", "Journals", b"{}", key="k", access_token="t")
    assert xero.requests == []


@pytest.mark.parametrize("status", [500, 503])
def test_read_is_tried_three_times(client, xero, status):
    xero.answers(status).answers(200, "<html>").answers(200, INVOICES)
    assert client.invoices(1).items == [wire.Invoice(total=Decimal("5.5"))]
    assert len(xero.requests) == 3


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (httpx2.ReadTimeout("late"), "timeout"),
        (httpx2.ReadError("x"), "dropped"),
        (httpx2.ConnectError("x"), "no-connection"),
    ],
)
def test_read_that_keeps_failing_may_be_tried_later(client, xero, error, problem):
    xero.fails(error)
    with pytest.raises(TryLater) as caught:
        client.invoices(1)
    assert caught.value.problem == problem
    assert len(xero.requests) == 3


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (429, {"x-rate-limit-problem": "minute", "retry-after": "20"}),
        (429, {"x-rate-limit-problem": "concurrent"}),
        (503, {"retry-after": "600"}),
    ],
)
def test_read_that_was_told_to_wait_is_not_repeated(client, xero, status, headers):
    xero.answers(status, "", **headers)
    with pytest.raises(TryLater):
        client.accounts()
    assert len(xero.requests) == 1


def test_invoices_are_asked_for_with_xeros_own_filters(client, xero):
    xero.answers(200, INVOICES)
    since = datetime(2026, 11, 24, 22, 30, 15, 999, tzinfo=timezone(timedelta(hours=13)))
    page = client.invoices(
        2,
        ids=["a", "b"],
        numbers=["INV-1"],
        statuses=["DRAFT"],
        where='Type=="ACCREC"',
        order="Date",
        modified_since=since,
    )
    (request,) = xero.requests
    assert dict(request.url.params) == {
        "page": "2",
        "pageSize": "1000",
        "unitdp": "4",
        "IDs": "a,b",
        "InvoiceNumbers": "INV-1",
        "Statuses": "DRAFT",
        "where": 'Type=="ACCREC"',
        "order": "Date",
    }
    assert request.headers["if-modified-since"] == "2026-11-24T09:30:15"
    assert (page.page, page.page_count, page.item_count) == (1, 1, 1)


def test_number_with_a_comma_is_not_cut_in_two(client, xero):
    xero.answers(200, INVOICES)
    client.invoices(1, numbers=["A,1", 'B"2'], where='Type=="ACCREC"')
    params = dict(xero.requests[0].url.params)
    assert params["where"] == '(Type=="ACCREC") AND (InvoiceNumber=="A,1" OR InvoiceNumber=="B\\"2")'
    assert "InvoiceNumbers" not in params


def test_unchanged_list_is_an_empty_page(client, xero):
    xero.answers(304)
    assert client.contacts(1, modified_since=datetime.now(UTC)) == Page([], 1, 1, 0)


def test_contacts_come_with_the_archived_ones_unless_told_otherwise(client, xero):
    xero.answers(200, {"Contacts": []})
    client.contacts(1)
    client.contacts(1, include_archived=False, page_size=50)
    asked = [dict(request.url.params) for request in xero.requests]
    assert asked == [
        {"page": "1", "pageSize": "1000", "includeArchived": "true"},
        {"page": "1", "pageSize": "50", "includeArchived": "false"},
    ]


@pytest.mark.parametrize("status", [404, 200])
def test_invoice_that_xero_lacks_is_none(client, xero, status):
    xero.answers(status, {"Invoices": []})
    assert client.invoice("INV-404") is None


def test_invoice_is_read_by_id_or_number(client, xero):
    xero.answers(200, INVOICES)
    assert client.invoice("INV-1").total == Decimal("5.5")
    assert client.invoice("A/1 b").total == Decimal("5.5")
    by_path, by_filter = xero.requests
    assert by_path.url.path == "/api.xro/2.0/Invoices/INV-1"
    assert by_filter.url.params["where"] == 'InvoiceNumber=="A/1 b"'


def test_refused_read_of_one_invoice_is_not_taken_for_none(client, xero):
    xero.answers(400, {"Message": "No"})
    with pytest.raises(Refused):
        client.invoice("INV-1")


def test_lists_of_the_organisation_are_typed(client, xero):
    xero.answers(
        200, {"Organisations": [{"Name": "Demo", "PeriodLockDate": "/Date(1539993600000+0000)/", "Class": "DEMO"}]}
    )
    xero.answers(200, {"Accounts": [{"AccountID": "a", "Class": "REVENUE"}]})
    xero.answers(200, {"TaxRates": [{"TaxType": "OUTPUT", "EffectiveRate": 10.0, "CanApplyToRevenue": True}]})
    xero.answers(200, {"TrackingCategories": [{"Name": "Region", "Options": [{"Name": "North"}]}]})
    xero.answers(200, {"Items": [{"Code": "EGGS", "SalesDetails": {"UnitPrice": 2.5}}]})
    organisation = client.organisation()
    assert (organisation.name, str(organisation.period_lock_date), organisation.class_) == (
        "Demo",
        "2018-10-20",
        "DEMO",
    )
    assert client.accounts()[0].class_ == "REVENUE"
    assert client.tax_rates()[0].can_apply_to_revenue
    assert client.tracking_categories()[0].options[0].name == "North"
    assert client.items()[0].sales_details.unit_price == Decimal("2.5")
    paths = [request.url.path.rpartition("/")[2] for request in xero.requests]
    assert paths == ["Organisation", "Accounts", "TaxRates", "TrackingCategories", "Items"]


def test_no_organisation_at_all_is_an_answer_that_tells_nothing(client, xero):
    xero.answers(200, {"Organisations": []})
    with pytest.raises(TryLater):
        client.organisation()


def test_money_is_read_with_xeros_own_filters(client, xero):
    xero.answers(200, {"CreditNotes": [{"CreditNoteID": "c", "Allocations": [{"AllocationID": "a", "Amount": 1.5}]}]})
    xero.answers(200, {"Payments": [{"PaymentID": "p", "Invoice": {"InvoiceID": "i"}}]})
    xero.answers(200, {"BankTransactions": [{"BankTransactionID": "t", "BankAccount": {"AccountID": "b"}}]})
    xero.answers(200, {"Overpayments": [{"OverpaymentID": "o", "RemainingCredit": 2.0}]})
    xero.answers(200, {"BatchPayments": [{"BatchPaymentID": "b", "Payments": [{"PaymentID": "p"}]}]})
    since = datetime(2026, 11, 24, tzinfo=UTC)
    (note,) = client.credit_notes(1, ids=["c", "d"], where='Type=="ACCRECCREDIT"').items
    (payment,) = client.payments(2, modified_since=since, page_size=50, order="Date").items
    (spent,) = client.bank_transactions(1, where='Type=="SPEND"').items
    (over,) = client.overpayments(1).items
    (batch,) = client.batch_payments(where='Reference=="PO-1"', modified_since=since)
    assert (note.allocations[0].amount, payment.invoice.invoice_id) == (Decimal("1.5"), "i")
    assert (spent.bank_account.account_id, over.remaining_credit) == ("b", Decimal("2.0"))
    assert batch.payments[0].payment_id == "p"
    assert [(request.url.path.rpartition("/")[2], dict(request.url.params)) for request in xero.requests] == [
        (
            "CreditNotes",
            {
                "page": "1",
                "pageSize": "1000",
                "unitdp": "4",
                "where": '(Type=="ACCRECCREDIT") AND (CreditNoteID==guid("c") OR CreditNoteID==guid("d"))',
            },
        ),
        ("Payments", {"page": "2", "pageSize": "50", "order": "Date"}),
        ("BankTransactions", {"page": "1", "pageSize": "1000", "unitdp": "4", "where": 'Type=="SPEND"'}),
        ("Overpayments", {"page": "1", "pageSize": "1000"}),
        ("BatchPayments", {"where": 'Reference=="PO-1"'}),
    ]
    assert [request.headers.get("if-modified-since") for request in xero.requests] == [
        None,
        "2026-11-24T00:00:00",
        None,
        None,
        "2026-11-24T00:00:00",
    ]


def test_unchanged_batches_are_none(client, xero):
    xero.answers(304)
    assert client.batch_payments(modified_since=datetime.now(UTC)) == []


def test_allocation_is_written_under_its_credit_note(client, xero, budget, calls):
    xero.answers(200, {"Allocations": [{"AllocationID": "a", "Amount": 5.0, "StatusAttributeString": "OK"}]})
    budget.take()
    answer = client.write("PUT", "CreditNotes/c-1/Allocations", b'{"Allocations":[{}]}', key="k", access_token="t")
    assert answer.elements[0].value.allocation_id == "a"
    assert dict(xero.requests[0].url.params) == {"summarizeErrors": "false", "unitdp": "4"}
    assert calls[0].path == "/api.xro/2.0/CreditNotes/{id}/Allocations"


@pytest.mark.parametrize(
    ("status", "body", "ok", "messages"),
    [
        (200, {"AllocationId": "a-1", "Invoice": [{"InvoiceID": "i"}], "IsDeleted": True}, True, ()),
        (204, b"", True, ()),
        (200, {"AllocationId": "a-1", "IsDeleted": False}, False, ()),
        (200, {"ValidationErrors": [{"Message": "No"}]}, False, ("No",)),
    ],
)
def test_removal_is_known_by_the_id_in_its_path(client, xero, budget, calls, status, body, ok, messages):
    xero.answers(status, body)
    budget.take()
    answer = client.write("DELETE", "CreditNotes/c-1/Allocations/a-1", b"", key="k", access_token="t")
    (element,) = answer.elements
    assert (element.ok, element.value, element.messages) == (ok, "a-1", messages)
    assert xero.requests[0].method == "DELETE"
    assert calls[0].path == "/api.xro/2.0/CreditNotes/{id}/Allocations/{id}"


def test_removal_with_an_answer_that_tells_nothing_is_in_doubt(client, xero, budget):
    xero.answers(200, [])
    budget.take()
    with pytest.raises(OutcomeUnknown):
        client.write("DELETE", "CreditNotes/c-1/Allocations/a-1", b"", key="k", access_token="t")


def test_record_is_written_by_its_own_path(client, xero, budget, calls):
    xero.answers(200, {"Payments": [{"PaymentID": "p-1", "Status": "DELETED"}]})
    budget.take()
    answer = client.write("POST", "Payments/p-1", b'{"Status":"DELETED"}', key="k", access_token="t")
    assert answer.elements[0].value == wire.Payment(payment_id="p-1", status="DELETED")
    assert dict(xero.requests[0].url.params) == {}
    assert calls[0].path == "/api.xro/2.0/Payments/{id}"


def test_each_try_is_metered_and_learned_from(client, xero, budget):
    xero.answers(500, "", X_MinLimit_Remaining="41", X_DayLimit_Remaining="900")
    with pytest.raises(TryLater):
        client.items()
    assert (budget.windows.minute_left, budget.windows.day_left, budget.windows.in_flight) == (41, 900, 0)


def test_spent_budget_asks_nobody(open_client, xero):
    client = open_client(budget=MemoryBudget(Windows(parked_until=datetime.now(UTC) + timedelta(hours=1))))
    with pytest.raises(TryLater) as caught:
        client.items()
    assert caught.value.problem == "budget"
    assert xero.requests == []


def test_person_may_use_what_is_kept_back(open_client, xero):
    xero.answers(200, {"Items": []})
    client = open_client(budget=MemoryBudget(reserve=60))
    with pytest.raises(TryLater):
        client.items()
    assert client.items(person=True) == []


def test_guard_stops_reads_and_writes_and_nothing_stays_counted(open_client, xero, budget):
    def refuse():
        raise RuntimeError("inside a transaction")

    client = open_client(guard=refuse)
    with pytest.raises(RuntimeError):
        client.items()
    budget.take()
    with pytest.raises(RuntimeError):
        client.write("PUT", "Invoices", b'{"Invoices":[]}', key="k", access_token="t")
    assert budget.windows.in_flight == 0
    assert xero.requests == []


def test_observer_hears_of_each_call_without_ids(client, xero, put, calls):
    xero.answers(200, INVOICES).answers(200, ACCEPTED).answers(401).answers(400)
    xero.fails(httpx2.ReadError("reset")).answers(429)
    client.invoice("4f1b9f5e-7b7c-4f0e-9d5a-0c1d2e3f4a5b")
    put()
    for _ in range(4):
        with pytest.raises(Fault):
            put()
    assert [(c.method, c.path, c.status, c.outcome, c.count) for c in calls] == [
        ("GET", "/api.xro/2.0/Invoices/{id}", 200, "ok", 1),
        ("PUT", "/api.xro/2.0/Invoices", 200, "ok", 1),
        ("PUT", "/api.xro/2.0/Invoices", 401, "not-connected", 1),
        ("PUT", "/api.xro/2.0/Invoices", 400, "refused", 1),
        ("PUT", "/api.xro/2.0/Invoices", None, "unknown", 1),
        ("PUT", "/api.xro/2.0/Invoices", 429, "try-later", 1),
    ]
    assert calls[1].bytes_sent == 40
    assert calls[1].query == "summarizeErrors=false&unitdp=4"
    assert calls[0].at.tzinfo is UTC


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_page_that_repeats_the_token_does_not_leak_it(put, xero, status):
    xero.answers(status, "you sent Bearer secret-access-token")
    with pytest.raises((Refused, NotConnected)) as caught:
        put()
    assert "secret" not in repr(caught.value) + str(vars(caught.value)) + "".join(
        traceback.format_exception(caught.value)
    )


def test_fault_drags_no_request_along(put, xero):
    xero.fails(httpx2.ReadError("reset"))
    with pytest.raises(OutcomeUnknown) as caught:
        put()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_cookies_of_one_organisation_do_not_ride_with_another(client, xero):
    xero.answers(200, {"Items": []}, set_cookie="session=1; Path=/")
    client.items()
    client.items()
    assert "cookie" not in xero.requests[1].headers


def test_shared_connections_outlive_one_client(open_client, xero):
    xero.answers(200, {"Items": []})
    http = open_http(xero)
    for tenant in ("one", "two"):
        client = open_client(tenant_id=tenant, http=http)
        client.items()
        client.close()
    assert [request.headers["xero-tenant-id"] for request in xero.requests] == ["one", "two"]
    http.close()
