"""One slow organisation doesn't keep the others waiting."""

import threading

import httpx2
import pytest

import cast
from provender.sync import connecting
from provender.sync import drain as drain_module
from provender.sync.choices import propose, save_settings
from provender.sync.drain import drain_due
from provender.sync.session import carried_by, transport
from provender.sync.standing import standing
from sync.connected import consent

pytestmark = pytest.mark.django_db(transaction=True)


class Both(httpx2.BaseTransport):
    """Lets a new invoice through only when two organisations are at it at the same time."""

    def __init__(self, inner):
        self.inner, self.meeting = inner, threading.Barrier(2)

    def handle_request(self, request):
        if request.method == "PUT" and request.url.path.endswith("/Invoices"):
            self.meeting.wait(timeout=30)
        return self.inner.handle_request(request)


def connected(xero, slug, number):
    """That wholesaler, connected to that organisation, with an invoice that waits."""
    attempt = connecting.finish(
        consent(xero, connecting.begin(cast.supplier(slug), None), organisation=xero.organisation(number).id), None
    )
    made = connecting.choose(attempt, attempt.tenants[0]["tenant_id"], None)
    save_settings(made, propose(made) | {"automatic_sync": True}, None)
    return cast.placed_order(cast.venue(made.supplier)).invoice


def test_two_organisations_are_sent_to_at_the_same_time(at_once, xero):
    xero.add_organisation("demo-nz", "Southern Books")
    invoices = [connected(xero, "harbour", 0), connected(xero, "southern", 1)]
    with carried_by(Both(transport())):
        drain_due()
    states = [standing(invoice.supplier, [invoice.pk])[invoice.pk].state for invoice in invoices]
    assert states == ["sent", "sent"]


def test_a_fault_at_one_leaves_the_others_be(at_once, xero, monkeypatch):
    xero.add_organisation("demo-nz", "Southern Books")
    bad, good = connected(xero, "harbour", 0), connected(xero, "southern", 1)

    def fail(work):
        if work.connection.supplier == bad.supplier:
            raise ZeroDivisionError
        return whole(work)

    whole = drain_module._round
    monkeypatch.setattr(drain_module, "_round", fail)
    drain_due()
    assert standing(good.supplier, [good.pk])[good.pk].state == "sent"
    assert bad.supplier.connections.get().drain_after is not None
