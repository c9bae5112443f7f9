import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx2
import pytest
from tests.xero_simulator.conftest import Xero

from xero_simulator import Simulator
from xero_simulator.testing import Server, connect
from xero_simulator.webhooks import Webhooks, post_by_urllib

KEY = "webhook-key"


class Receiver:
    """An app's webhook address: it checks signatures and remembers events; `status` makes it fail."""

    def __init__(self):
        self.events = []
        self.bodies = []
        self.status = None

    def __call__(self, url, body, headers):
        good = base64.b64encode(hmac.new(KEY.encode(), body, hashlib.sha256).digest()).decode()
        if headers["x-xero-signature"] != good:
            return 401
        if self.status:
            return self.status
        self.bodies.append(json.loads(body))
        self.events += self.bodies[-1]["events"]
        return 200


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture
def xero(receiver):
    simulator = Simulator(limits=False)
    simulator.webhooks = Webhooks(simulator.clock, simulator.switches, "http://localhost/hook", KEY, post=receiver)
    yield Xero(simulator)
    simulator.close()


def test_the_intent_to_receive_has_wrong_signatures_among_it(xero, receiver):
    xero.simulator.webhooks.deliver()
    assert xero.simulator.webhooks.state == "on"
    assert [body["events"] for body in receiver.bodies] == [[], []]
    assert receiver.bodies[0]["firstEventSequence"] == 0


def test_a_receiver_that_trusts_everybody_is_never_switched_on(xero):
    webhooks = xero.simulator.webhooks
    webhooks._post = lambda *_call: 200
    webhooks.deliver()
    assert webhooks.state == "intent-to-receive"


def test_events_are_thin_and_numbered(xero, receiver):
    xero.simulator.webhooks.deliver()
    saved = xero.invoice(InvoiceNumber="A-1", Contact={"Name": "New"})
    xero.post("Invoices/A-1", {"Reference": "x"})
    xero.simulator.webhooks.deliver()
    told = [(event["eventCategory"], event["eventType"]) for event in receiver.events]
    assert told == [("CONTACT", "CREATE"), ("INVOICE", "CREATE"), ("INVOICE", "UPDATE")]
    assert receiver.events[1]["resourceId"] == saved["InvoiceID"]
    assert (receiver.bodies[-1]["firstEventSequence"], receiver.bodies[-1]["lastEventSequence"]) == (1, 3)


@pytest.mark.parametrize(("answer", "told"), [(True, ["INVOICE", "INVOICE"]), (False, ["INVOICE"])])
def test_payments_tell_of_the_invoice_by_switch(xero, receiver, answer, told):
    xero.simulator.switches["payment_sends_invoice_event"] = answer
    xero.simulator.webhooks.deliver()
    xero.invoice(InvoiceNumber="A-1")
    xero.simulator.organisation().pay("A-1")
    xero.simulator.webhooks.deliver()
    assert [event["eventCategory"] for event in receiver.events] == told


def test_a_failure_is_tried_again_at_once(xero, receiver):
    xero.simulator.webhooks.deliver()
    xero.invoice()
    receiver.status = 500
    xero.simulator.webhooks.deliver()
    receiver.status = None
    xero.simulator.webhooks.deliver()
    assert len(receiver.events) == 1


def test_credit_tells_of_itself(xero, receiver):
    books = xero.simulator.organisation()
    xero.simulator.webhooks.deliver()
    note = books.type_credit_note("Basket Case Café")
    books.edit_credit_note(note, Status="VOIDED")
    made = books.type_bank_transaction("RECEIVE-OVERPAYMENT", "Basket Case Café", 50)
    xero.simulator.webhooks.deliver()
    told = [(event["eventCategory"], event["eventType"], event.get("data")) for event in receiver.events]
    assert told[0] == ("CREDITNOTE", "CREATE", {"Type": "ACCRECCREDIT", "Status": "AUTHORISED"})
    assert told[1] == ("CREDITNOTE", "UPDATE", {"Type": "ACCRECCREDIT", "Status": "VOIDED"})
    assert told[2][:2] == ("OVERPAYMENT", "CREATE")
    assert receiver.events[2]["resourceId"] == made["OverpaymentID"]


def test_what_waits_and_how_far_it_came_survive_a_restart(receiver, tmp_path):
    def start():
        simulator = Simulator(limits=False, state=tmp_path / "state", webhook_url="http://localhost/h", webhook_key=KEY)
        simulator.webhooks._post = receiver
        return simulator

    first = start()
    xero = Xero(first)
    first.webhooks.deliver()
    xero.invoice(InvoiceNumber="A-1")
    first.webhooks.deliver()
    xero.invoice(InvoiceNumber="A-2")
    again = start()  # the first one never closed: it was killed
    assert again.webhooks.state == "on"
    again.webhooks.deliver()
    assert [event["eventType"] for event in receiver.events] == ["CREATE", "CREATE"]
    assert receiver.bodies[-1]["firstEventSequence"] == 2
    assert start().webhooks.show()["waiting"] == 0
    other = Simulator(state=tmp_path / "state", webhook_url="http://localhost/elsewhere", webhook_key=KEY)
    assert other.webhooks.state == "intent-to-receive"
    for simulator in (first, again, other):
        simulator.close()


def test_a_receiver_that_sends_elsewhere_has_not_answered():
    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(303)
            self.send_header("Location", "/there")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_line):
            """Quietly."""

    hook = HTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    status = post_by_urllib(f"http://127.0.0.1:{hook.server_port}/", b"{}", {})
    hook.shutdown()
    hook.server_close()
    assert status == 303


def test_failures_are_tried_again_each_quarter_hour_and_given_up_after_a_day(xero, receiver):
    webhooks, clock = xero.simulator.webhooks, xero.simulator.clock
    webhooks.deliver()
    xero.invoice()
    receiver.status = 500
    webhooks.deliver()
    webhooks.deliver()  # once more at once
    receiver.status = None
    webhooks.deliver()
    assert receiver.events == []
    clock.advance(15 * 60)
    webhooks.deliver()
    assert len(receiver.events) == 1
    receiver.status = 500
    xero.invoice()
    for _ in range(98):
        webhooks.deliver()
        clock.advance(15 * 60)
    assert webhooks.state == "disabled"
    receiver.status = None
    webhooks.enable()
    webhooks.deliver()
    assert len(receiver.events) == 2


def test_over_sockets_the_thread_proves_the_receiver_and_delivers(receiver):
    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(receiver("", body, {"x-xero-signature": self.headers["x-xero-signature"]}))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_line):
            """Quietly."""

    hook = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{hook.server_port}/hook"
    simulator = Simulator(limits=False, webhook_url=url, webhook_key=KEY)
    with Server(simulator) as server, httpx2.Client(base_url=server.url) as http:
        connect(http, simulator)
        simulator.organisation().type_invoice("A-1", "Somebody New")
        while not receiver.events:
            time.sleep(0.02)
        shown = http.get("/_simulator/webhooks").json()
        told = receiver.events[0]
        read = http.get(told["resourceUrl"], headers=connect(http, simulator).headers)
    simulator.close()
    hook.shutdown()
    hook.server_close()
    assert (shown["state"], read.status_code) == ("on", 200)
    assert {event["eventCategory"] for event in receiver.events} == {"CONTACT", "INVOICE"}


def test_no_events_when_no_app_is_connected(xero, receiver):
    xero.simulator.webhooks.deliver()
    xero.simulator.organisation().disconnect()
    xero.simulator.organisation().type_invoice("A-1")
    xero.simulator.webhooks.deliver()
    assert receiver.events == []
