"""Each command: what it says, and with what status it ends."""

import json
import os
import re
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import httpx2

import cast
from provender.ordering.actions import edit_order
from provender.people.actions import find_invitation
from provender.sync.lease import take_lease
from provender.sync.models import Connection, Consent
from provender.sync.secrets import _box, unseal

STARTS_FAST = """
import sys
from click.testing import CliRunner
from provender.cli import main
shown = CliRunner().invoke(main, ["--help"]).output
assert "verify-books" in shown and "Compare every document with Xero." in shown
assert not {"django", "rich", "httpx2", "flask", "msgspec"} & sys.modules.keys(), "help loads what it doesn't need"
"""


def test_help_loads_nothing_that_it_does_not_need():
    subprocess.run([sys.executable, "-c", STARTS_FAST], check=True)


def test_what_it_writes_is_nobody_elses_to_read(tmp_path):
    environment = os.environ | {"PROVENDER_HOME": str(tmp_path / "state"), "DATABASE_URL": ""}
    command = [sys.executable, "-c", "from provender.cli import main; main()", "supplier", "list"]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    (tmp_path / "state" / "provender.sqlite3").chmod(0o644)  # as an older version left it
    subprocess.run(command, check=True, env=environment, capture_output=True)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "state").iterdir()}
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert modes["provender.sqlite3"] == 0o600
    assert not any(mode & 0o077 for mode in modes.values()), modes


# --- wholesalers and people ---------------------------------------------------------------------------------------


def test_a_wholesaler_is_made_and_listed(provender, as_json):
    said = provender("supplier create retail --country GB --name", "Giftware Wholesale")
    assert "Giftware Wholesale (retail): GBP" in said
    assert as_json("supplier list") == {
        "suppliers": [
            {"slug": "retail", "name": "Giftware Wholesale", "country": "GB", "currency": "GBP", "closed": None}
        ]
    }


def test_a_short_name_that_is_taken_or_unusable_is_wrong_use(provender):
    provender("supplier create retail --name Retail --country GB")
    provender("supplier create retail --name Retail --country GB", status=2)
    assert "there already" in provender.said
    provender("supplier create Retail! --name Retail --country GB", status=2)
    assert "small letters" in provender.said


def test_an_unknown_wholesaler_is_wrong_use_and_names_those_there_are(provender):
    cast.supplier()
    provender("status --supplier harbor", status=2)
    assert "There are: harbour" in provender.said


def test_a_user_link_opens_once_for_that_person(provender):
    cast.supplier()
    address = provender("user link --supplier harbour --email mai@example.test --role bookkeeper").strip()
    invitation = find_invitation(address.rpartition("/join/")[2])
    assert (invitation.email, invitation.role) == ("mai@example.test", "bookkeeper")


# --- connecting ---------------------------------------------------------------------------------------------------


def test_connect_goes_through_the_simulators_consent(connected, home, server):
    connection = Connection.objects.get()
    assert connection.organisation == server.simulator.organisation().name
    assert connection.automatic_sync
    assert connection.accounts.get(account_id=connection.sales_account).code == "200"
    assert json.loads((home / "xero.json").read_text())["XERO_API_URL"] == f"http://localhost:{server.port}"


def test_connect_chooses_the_organisation_by_name(provender, server):
    cast.supplier()
    server.simulator.add_organisation("empty-au", "Second Books")
    provender(f"connect --supplier harbour --simulator http://localhost:{server.port} --organisation", "Second Books")
    assert Connection.objects.get().organisation == "Second Books"


def test_connect_without_a_simulator_says_how_to_start_one(provender):
    cast.supplier()
    provender("connect --supplier harbour --simulator http://localhost:9", status=1)
    assert "provender xero-simulator" in provender.said


def test_the_simulator_never_takes_the_place_of_a_real_app(provender, monkeypatch):
    monkeypatch.setenv("XERO_CLIENT_ID", "A1B2")
    provender("connect --supplier harbour --simulator", status=2)
    assert "real Xero" in provender.said


def test_a_simulator_that_is_named_by_half_says_what_else_to_set(provender, monkeypatch, server):
    cast.supplier()
    monkeypatch.setenv("XERO_API_URL", f"http://localhost:{server.port}")
    provender("connect --supplier harbour --simulator", status=2)
    assert "but not XERO_LOGIN_URL, XERO_IDENTITY_URL, XERO_CLIENT_ID" in provender.said


def test_a_wrong_secret_is_told_from_a_spent_code(provender, server, settings):
    settings.XERO_CLIENT_SECRET = "mistyped"
    cast.supplier()
    provender(f"connect --supplier harbour --simulator http://localhost:{server.port}", status=1)
    assert "Xero doesn't accept this Provender's app" in provender.said


def test_connect_by_hand_prints_the_consent_address_and_takes_the_answer(provender, server):
    cast.supplier()
    address = provender("connect --supplier harbour").strip()
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    chosen = {"organisation": server.simulator.organisation().id, "decision": "allow"}
    back = httpx2.post(address.partition("?")[0], data=query | chosen)
    said = provender("connect --supplier harbour --answer", back.headers["Location"])
    assert "is connected to" in said
    assert not Connection.objects.get().automatic_sync


def test_an_app_that_is_not_set_up_is_said(provender, settings):
    settings.XERO_CLIENT_ID = ""
    cast.supplier()
    provender("connect --supplier harbour", status=1)
    assert "XERO_CLIENT_ID" in provender.said


# --- sending and comparing ----------------------------------------------------------------------------------------


def test_sync_sends_what_is_due_and_the_books_are_equal(connected, as_json):
    cast.placed_order(cast.venue(connected), {"OAT-1L": 4, "BEANS-1KG": 2})
    assert as_json("sync --supplier harbour --wait") == {
        "supplier": "harbour",
        "in_step": True,
        "waiting": 0,
        "open_dispatches": 0,
        "problems": 0,
    }
    found = as_json("verify-books --supplier harbour")
    assert (found["equal"], found["checked"]["invoices"]) == (True, 1)
    assert as_json("status --supplier harbour")["in_step"]["invoices"] == 1


def test_sync_ends_with_3_while_a_problem_waits_and_leaves_it_there(connected, provender, server):
    product = cast.product(connected, "OAT-1L", sales_account="260")
    cast.placed_order(cast.venue(connected), {product.sku: 4})
    server.simulator.organisation().archive_account("260")
    said = provender("sync --supplier harbour --wait", status=3)
    assert "Account archived in Xero" in said
    server.simulator.stats.reset()
    provender("sync --supplier harbour --wait", status=3)
    assert "POST /api.xro/2.0/Invoices" not in server.simulator.stats.as_dict()["calls"]


def test_sync_says_whose_turn_it_waits_for_and_until_when(connected, provender, settings):
    settings.SYNC_LEASE_SECONDS = 1
    cast.placed_order(cast.venue(connected))
    take_lease(connected.connections.get().pk)  # as a killed process leaves it
    provender("sync --supplier harbour --wait")
    assert re.search(r"Waiting until \d\d:\d\d:\d\d at the latest: another run has", provender.said)


def test_verify_books_ends_with_3_and_names_the_difference(connected, provender, server):
    order = cast.placed_order(cast.venue(connected))
    provender("sync --supplier harbour")
    server.simulator.organisation().edit_invoice(order.invoice.number, Reference="typed over")
    said = provender("verify-books --supplier harbour", status=3)
    assert f"invoice {order.invoice.number}: reference: here “{order.number}”, in Xero “typed over”" in said


def test_an_edit_after_sending_goes_with_the_next_sync(connected, provender):
    order = cast.placed_order(cast.venue(connected))
    provender("sync --supplier harbour")
    edit_order(order, lines=cast.goods(connected, {"SYRUP-VAN": 2}), by=None)
    provender("verify-books --supplier harbour", status=3)
    provender("sync --supplier harbour")
    provender("verify-books --supplier harbour")


def test_without_a_connection_sync_and_verify_fail_in_a_sentence(provender):
    cast.supplier()
    for command in ("sync", "verify-books"):
        provender(f"{command} --supplier harbour", status=1)
        assert "not connected to Xero" in provender.said


def test_a_lost_consent_fails_in_a_sentence(connected, provender, server):
    cast.placed_order(cast.venue(connected))
    server.simulator.organisation().disconnect()
    provender("sync --supplier harbour --wait", status=1)
    assert "Connect again" in provender.said


def test_status_without_a_connection(as_json):
    cast.supplier()
    found = as_json("status --supplier harbour")
    assert (found["connection"]["state"], found["problems"]["total"]) == ("none", 0)


def test_rotate_keys_encrypts_the_tokens_anew_and_they_still_work(connected, provender, home):
    before = bytes(Consent.objects.get().tokens)
    provender("rotate-keys")
    after = bytes(Consent.objects.get().tokens)
    assert before != after
    assert unseal(before) == unseal(after)
    assert (home / "tokens.key").stat().st_mode & 0o777 == 0o600
    provender("verify-books --supplier harbour")


def test_tokens_that_no_key_opens_need_a_new_consent(connected, provender, home):
    (home / "tokens.key").unlink()
    _box.cache_clear()
    provender("verify-books --supplier harbour", status=1)
    assert "(the key that opens the access kept here is lost)" in provender.said
    assert "Connect again" in provender.said


# --- settings -----------------------------------------------------------------------------------------------------


def test_settings_read_where_the_simulator_is(home):
    (home / "xero.json").write_text(
        json.dumps({"XERO_API_URL": "http://localhost:8799", "XERO_CLIENT_ID": "simulator"})
    )
    ask = "from provender.config import settings as s; print(s.XERO_API_URL, s.XERO_LOGIN_URL, s.XERO_CLIENT_ID)"

    def told(**more):
        done = subprocess.run(
            [sys.executable, "-c", ask], env={**os.environ, **more}, check=True, capture_output=True, text=True
        )
        return done.stdout.split()

    assert told() == ["http://localhost:8799", "https://login.xero.com", "simulator"]
    assert told(XERO_CLIENT_ID="A1B2") == ["https://api.xero.com", "https://login.xero.com", "A1B2"]
    assert told(XERO_API_URL="http://localhost:1/")[0] == "http://localhost:1"
