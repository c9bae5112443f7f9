import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from tests.xero_simulator.conftest import Xero, invoice, texts

from xero_simulator import Simulator, messages
from xero_simulator.testing import Server, connect


def numbers(xero):
    return [i["InvoiceNumber"] for i in xero.list("Invoices")]


def put(xero, number="A-1", key=None, **params):
    headers = {"Idempotency-Key": key} if key else {}
    return xero.call("PUT", "Invoices", invoice(InvoiceNumber=number), headers, **params)


def test_a_key_replays_its_answer_for_six_minutes(xero, simulator):
    first = put(xero, key="k")
    assert put(xero, key="k").json()["Invoices"][0]["InvoiceID"] == first.json()["Invoices"][0]["InvoiceID"]
    assert simulator.stats.as_dict()["replays"] == 1
    simulator.clock.advance(361)
    assert texts(put(xero, key="k")) == [messages.INVOICE_NUMBER_TAKEN]


def test_errors_are_kept_under_their_key_too(xero, simulator):
    simulator.faults.add("500", methods=["PUT"], count=1)
    assert put(xero, key="k").status_code == 500
    assert put(xero, key="k").status_code == 500
    assert put(xero, key="other").status_code == 200


@pytest.mark.parametrize("kind", ["500", "500-after-commit"])
def test_an_injected_error_is_kept_over_a_restart(tmp_path, kind):
    simulator = Simulator(limits=False, state=tmp_path / "state")
    simulator.faults.add(kind, methods=["PUT"], count=1)
    xero = Xero(simulator)
    assert put(xero, key="k").status_code == 500
    simulator.close()
    again = Simulator(limits=False, state=tmp_path / "state")
    assert put(Xero(again), key="k").status_code == 500
    assert len(again.books()["organisations"][0]["Invoices"]) == (kind == "500-after-commit")
    again.close()


def test_a_key_belongs_to_one_request(xero):
    put(xero, "A-1", key="k")
    answer = put(xero, "A-2", key="k")
    assert answer.status_code == 400
    assert answer.json()["Message"] == messages.idempotency_clash("k")
    assert put(xero, "A-3", key="k" * 129).status_code == 400


def test_a_line_dropped_before_the_commit_saves_nothing(xero, simulator):
    simulator.faults.add("drop-before-commit", methods=["PUT"], count=1)
    with pytest.raises(httpx2.RemoteProtocolError):
        put(xero)
    assert numbers(xero) == []


def test_a_line_dropped_after_the_commit_saves_and_can_be_replayed(xero, simulator):
    simulator.faults.add("drop-after-commit", methods=["PUT"], count=1)
    with pytest.raises(httpx2.RemoteProtocolError):
        put(xero, key="k")
    assert numbers(xero) == ["A-1"]
    assert put(xero, key="k").status_code == 200
    assert numbers(xero) == ["A-1"]


def test_a_late_commit_comes_when_the_clock_says_so(xero, simulator):
    simulator.faults.add("commit-late", methods=["PUT"], count=1, seconds=100)
    with pytest.raises(httpx2.RemoteProtocolError):
        put(xero)
    simulator.clock.advance(99)
    assert numbers(xero) == []
    simulator.clock.advance(2)
    assert numbers(xero) == ["A-1"]


def test_a_slow_answer_times_out_and_has_committed(xero, simulator):
    simulator.faults.add("slow", methods=["PUT"], count=1, seconds=60)
    with pytest.raises(httpx2.ReadTimeout):
        put(xero)
    assert numbers(xero) == ["A-1"]


def test_several_clients_share_one_simulator(simulator):
    first, _second = Xero(simulator), Xero(simulator)
    simulator.faults.add("slow", methods=["PUT"], count=1, seconds=60)
    with pytest.raises(httpx2.ReadTimeout):
        put(first)


@pytest.mark.parametrize(
    ("kind", "status", "saved"),
    [("500", 500, []), ("500-after-commit", 500, ["A-1"]), ("503", 503, []), ("html", 200, [])],
)
def test_broken_answers(xero, simulator, kind, status, saved):
    simulator.faults.add(kind, methods=["PUT"], count=1)
    assert put(xero).status_code == status
    assert numbers(xero) == saved


def test_a_cut_body_has_committed(xero, simulator):
    simulator.faults.add("cut-body", methods=["PUT"], count=1)
    with pytest.raises(httpx2.RemoteProtocolError):
        put(xero)
    assert numbers(xero) == ["A-1"]


@pytest.mark.parametrize(
    ("kind", "problem", "waits"),
    [
        ("429-minute", "minute", True),
        ("429-day", "day", True),
        ("429-concurrent", "concurrent", False),
        ("429-app", "appminute", False),
    ],
)
def test_limit_faults_say_which_and_how_long(xero, simulator, kind, problem, waits):
    simulator.faults.add(kind, count=1)
    answer = xero.get("Invoices")
    assert (answer.status_code, answer.headers["X-Rate-Limit-Problem"]) == (429, problem)
    assert ("Retry-After" in answer.headers) is waits


def test_the_sixty_first_call_of_a_minute_is_refused():
    simulator = Simulator()
    xero = Xero(simulator)
    answers = [xero.get("Organisation") for _ in range(61)]
    refused = answers[-1]
    assert [a.status_code for a in answers[:60]] == [200] * 60
    assert answers[59].headers["X-MinLimit-Remaining"] == "0"
    assert refused.status_code == 429
    assert refused.headers["X-DayLimit-Remaining"] == "4940"
    simulator.clock.advance(int(refused.headers["Retry-After"]))
    assert xero.get("Organisation").status_code == 200


def test_the_sixth_call_in_flight_is_refused():
    simulator = Simulator()
    simulator.faults.add("slow", path="/api.xro/2.0/Items", seconds=0.5)
    with Server(simulator) as server, httpx2.Client(base_url=server.url) as http:
        headers = connect(http, simulator).headers
        with ThreadPoolExecutor(6) as pool:
            asked = [pool.submit(http.get, "/api.xro/2.0/Items", headers=headers) for _ in range(6)]
        answers = [one.result() for one in asked]
    refused = [one for one in answers if one.status_code == 429]
    assert [one.headers["X-Rate-Limit-Problem"] for one in refused] == ["concurrent"]
    assert "Retry-After" not in refused[0].headers
    assert simulator.stats.as_dict()["most_in_flight"] == 5


def test_over_sockets_a_late_commit_comes_by_itself(simulator):
    simulator.faults.add("commit-late", methods=["PUT"], seconds=0.1)
    with Server(simulator) as server, httpx2.Client(base_url=server.url) as http:
        headers = connect(http, simulator).headers
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            http.put("/api.xro/2.0/Invoices", json=invoice(InvoiceNumber="A-1"), headers=headers)
        while simulator.has_late:
            time.sleep(0.02)
        found = http.get("/api.xro/2.0/Invoices", headers=headers)
    assert found.json()["Invoices"][0]["InvoiceNumber"] == "A-1"


def test_simulators_side_by_side_each_answer_from_their_own_books():
    theirs = [Xero(Simulator(limits=False)) for _ in range(4)]
    for number, one in enumerate(theirs):
        put(one, f"A-{number}")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda one: [numbers(one) for _ in range(10)], theirs))
    assert found == [[[f"A-{number}"]] * 10 for number in range(4)]


def test_a_mistake_of_its_own_shows_in_process_and_is_an_error_over_sockets(simulator, caplog):
    simulator.watchers.append(lambda _incoming, _answer: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Xero(simulator).get("Organisation")
    with Server(simulator) as server, httpx2.Client(base_url=server.url) as http:
        headers = connect(http, simulator).headers
        assert http.get("/api.xro/2.0/Organisation", headers=headers).status_code == 500
    assert "ZeroDivisionError" in caplog.text


def test_long_answers_are_compressed_for_who_takes_it(xero):
    packed = xero.get("Accounts")
    assert packed.headers["Content-Encoding"] == "gzip"
    plain = xero.call("GET", "Accounts", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.json()["Accounts"] == packed.json()["Accounts"]


def test_seeded_chances_repeat(xero, simulator):
    def outcomes():
        rule = {"kind": "503", "path": "/api.xro/2.0/Items", "chance": 0.5}
        xero.http.post("/_simulator/faults", json={"seed": 7, "faults": [rule]})
        return [xero.get("Items").status_code for _ in range(20)]

    first = outcomes()
    assert set(first) == {200, 503}
    assert outcomes() == first


def test_the_controls_speak_json(xero, simulator):
    http = xero.http
    put(xero)
    stats = http.get("/_simulator/stats").json()
    assert stats["calls"]["PUT /api.xro/2.0/Invoices"] == 1
    assert http.post("/_simulator/faults", json={"faults": [{"kind": "nonsense"}]}).status_code == 400
    http.post("/_simulator/faults", json={"seed": 7, "faults": [{"kind": "503", "path": "/api.xro/2.0/*", "count": 1}]})
    assert xero.get("Organisation").status_code == 503
    assert http.get("/_simulator/faults").json()["faults"][0]["struck"] == 1
    books = http.get("/_simulator/books").json()["organisations"][0]
    assert [i["InvoiceNumber"] for i in books["Invoices"]] == ["A-1"]
    assert http.post("/_simulator/switches", json={"half_cents_away_from_zero": False}).status_code == 200
    assert http.post("/_simulator/switches", json={"misspelt": False}).status_code == 400
    assert (
        http.post("/_simulator/lock-dates", json={"organisation": None, "period_lock_date": "2026-12-31"}).status_code
        == 200
    )
    assert texts(put(xero, "A-2"))
    assert (
        http.post("/_simulator/clock", json={"now": "2027-01-30T09:00:00Z"}).json()["now"].startswith("2027-01-30T09")
    )
    assert http.post("/_simulator/reset").status_code == 200
    assert http.get("/_simulator/books").json()["organisations"][0]["Invoices"] == []


def test_over_sockets_a_dropped_line_is_really_cut(simulator):
    simulator.faults.add("drop-after-commit", methods=["PUT"], count=1)
    simulator.faults.add("cut-body", methods=["GET"], path="/api.xro/2.0/Contacts", count=1)
    with Server(simulator) as server, httpx2.Client(base_url=server.url) as http:
        tokens = connect(http, simulator)
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            http.put("/api.xro/2.0/Invoices", json=invoice(InvoiceNumber="A-1"), headers=tokens.headers)
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            http.get("/api.xro/2.0/Contacts", headers=tokens.headers)
        found = http.get("/api.xro/2.0/Invoices", headers=tokens.headers).json()["Invoices"]
    assert [one["InvoiceNumber"] for one in found] == ["A-1"]


def test_the_state_file_survives_a_kill(tmp_path):
    state = tmp_path / "state.sqlite"
    command = [sys.executable, "-m", "xero_simulator", "--port", "0", "--no-limits", "--state", str(state)]

    def start():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        return process, process.stdout.readline().split()[3]

    process, url = start()
    twin = Simulator()
    with httpx2.Client(base_url=url) as http:
        tokens = connect(http, twin)
        http.put("/api.xro/2.0/Invoices", json=invoice(InvoiceNumber="A-1"), headers=tokens.headers)
        http.post("/_simulator/clock", json={"advance": 100})
    process.kill()
    process.wait()
    process.stdout.close()

    process, url = start()
    with httpx2.Client(base_url=url) as http:
        found = http.get("/api.xro/2.0/Invoices", headers=tokens.headers).json()["Invoices"]
        moved = http.get("/_simulator/clock").json()["now"]
    process.terminate()
    assert process.wait(timeout=20) == 0
    process.stdout.close()
    assert [one["InvoiceNumber"] for one in found] == ["A-1"]
    assert moved > time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 60))
