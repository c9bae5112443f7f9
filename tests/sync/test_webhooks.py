"""Xero's webhook only makes a reading come sooner: signed, once each, in any order, or not at all."""

import base64
import hmac
import json
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client

from provender.basics import clock
from provender.invoicing.models import Invoice
from provender.sync import jobs
from provender.sync.models import Connection, Event
from provender.sync.poll import due_connections, poll_due
from xero_simulator.webhooks import Webhooks

pytestmark = pytest.mark.django_db
KEY = "webhook-key"
ADDRESS = "/webhooks/xero"


@pytest.fixture(autouse=True)
def _key(settings):
    settings.XERO_WEBHOOK_KEY = KEY


def knock(body, signature=None, **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = signature or base64.b64encode(hmac.digest(KEY.encode(), raw, "sha256")).decode()
    return Client(enforce_csrf_checks=True).post(
        ADDRESS, raw, content_type="application/json", headers={"x-xero-signature": signature} | headers
    )


def event(connection, **changed):
    return {
        "resourceUrl": "https://api.xero.com/api.xro/2.0/Invoices/1",
        "resourceId": "00000000-0000-0000-0000-000000000001",
        "eventDateUtc": "2026-11-20T01:15:39.902",
        "eventType": "UPDATE",
        "eventCategory": "INVOICE",
        "tenantId": connection.tenant,
        "tenantType": "ORGANISATION",
    } | changed


def told(*events):
    return {"events": list(events), "firstEventSequence": 1, "lastEventSequence": len(events), "entropy": "S0M3"}


def test_a_signed_event_is_kept_and_answered_empty_and_without_cookies(connection):
    answer = knock(told(event(connection)))
    assert (answer.status_code, answer.content, answer.cookies) == (200, b"", {})
    assert not answer.has_header("Set-Cookie")
    assert Event.objects.get().category == "INVOICE"


@pytest.mark.parametrize("signature", ["wrong", "", "é", "A" * 5000])
def test_a_wrong_signature_is_401_and_keeps_nothing(connection, signature):
    raw = json.dumps(told(event(connection))).encode()
    answer = Client().post(
        ADDRESS, raw, content_type="application/json", headers={"x-xero-signature": signature} if signature else {}
    )
    assert (answer.status_code, answer.content) == (401, b"")
    assert not Event.objects.exists()


def test_the_raw_bytes_are_what_is_signed(connection):
    raw = json.dumps(told(event(connection)), indent=3).encode()
    assert knock(raw).status_code == 200
    right = base64.b64encode(hmac.digest(KEY.encode(), raw, "sha256")).decode()
    assert knock(raw.replace(b" ", b""), signature=right).status_code == 401


def test_without_a_key_there_is_no_webhook(settings, connection):
    settings.XERO_WEBHOOK_KEY = ""
    raw = json.dumps(told(event(connection))).encode()
    empty = base64.b64encode(hmac.digest(b"", raw, "sha256")).decode()
    assert knock(raw, signature=empty).status_code == 404


def test_only_posts_are_taken():
    assert Client().get(ADDRESS).status_code == 405


def test_a_repeated_event_is_one_and_unknown_kinds_are_kept(connection):
    knock(told(event(connection), event(connection, eventCategory="SUBSCRIPTION", eventType="BORN")))
    knock(told(event(connection)))
    knock(told(event(connection, tenantId="of-nobody-here", resourceId=None)))
    assert sorted(Event.objects.values_list("category", "kind")) == [
        ("INVOICE", "UPDATE"),
        ("INVOICE", "UPDATE"),
        ("SUBSCRIPTION", "BORN"),
    ]


@pytest.mark.parametrize(
    "body", [b"not json", b"[]", b"{}", b'{"events": 7}', b'{"events": [7, null]}', b'{"events": [{"tenantId": {}}]}']
)
def test_what_is_signed_never_fails(body):
    assert knock(body).status_code == 200


def test_the_simulator_is_convinced_and_its_events_bring_the_payment(connection, order, sync, books, xero, later):
    xero.switches["payment_sends_invoice_event"] = True
    Connection.objects.update(mark_as_paid=True)
    sync()
    poll_due()

    def post(url, body, headers):
        answer = Client().post(urlsplit(url).path, body, content_type="application/json", headers=headers)
        return 0 if answer.content or answer.cookies else answer.status_code

    xero.webhooks = Webhooks(xero.clock, xero.switches, f"http://localhost{ADDRESS}", KEY, post=post)
    xero.webhooks.deliver()
    assert xero.webhooks.state == "on"
    later(minutes=1)
    poll_due()
    assert not due_connections(clock.database_now()).exists()
    books.pay(order.invoice.number, day=date(2026, 11, 20))
    xero.webhooks.deliver()
    assert Event.objects.filter(heard_at=None).exists()
    poll_due()
    assert Invoice.objects.get().settled_on == date(2026, 11, 20)
    assert not Event.objects.filter(heard_at=None).exists()


def test_a_swarm_of_events_is_one_reading(connection, order, sync, xero, later):
    Connection.objects.update(mark_as_paid=True)
    sync()
    poll_due()
    for number in range(3):
        knock(told(event(connection, eventDateUtc=f"2026-11-20T01:15:0{number}")))
    assert not due_connections(clock.database_now()).exists()
    later(seconds=31)
    xero.stats.reset()
    poll_due()
    poll_due()
    assert sum(xero.stats.calls.values()) == 1
    assert not Event.objects.filter(heard_at=None).exists()


def test_events_of_contacts_hurry_nothing(connection, order, sync, later):
    Connection.objects.update(mark_as_paid=True)
    sync()
    poll_due()
    knock(told(event(connection, eventCategory="CONTACT")))
    later(seconds=31)
    assert not due_connections(clock.database_now()).exists()


def test_events_are_forgotten_after_a_month(connection):
    knock(told(event(connection)))
    Event.objects.update(received_at=clock.now() - timedelta(days=32))
    jobs.keep_house()
    assert not Event.objects.exists()
