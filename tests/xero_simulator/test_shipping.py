"""What the package ships for others: fixtures and a command."""

import subprocess
import sys

import httpx2
from click.testing import CliRunner

from xero_simulator.cli import command
from xero_simulator.simulator import Simulator

pytest_plugins = ["xero_simulator.pytest_plugin"]


def test_the_fixtures_work_together(xero_client, xero_tokens):
    answer = xero_client.get("/api.xro/2.0/Organisation", headers=xero_tokens.headers)
    assert answer.json()["Organisations"][0]["Name"] == "Demo Company (AU)"


def test_the_server_fixture_has_an_address(xero_server):
    assert httpx2.get(f"{xero_server.url}/_simulator/clock").status_code == 200


def test_the_command_names_its_options():
    shown = CliRunner().invoke(command, ["--help"]).output
    for option in ("--state", "--organisation", "--client-secret", "--webhook-url", "--webhook-key", "--no-limits"):
        assert option in shown


def test_a_port_that_is_taken_is_told_in_a_sentence(xero_server):
    taken = [sys.executable, "-m", "xero_simulator", "--port", str(xero_server.port)]
    ended = subprocess.run(taken, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: cannot listen on 127.0.0.1:")


def test_reset_goes_back_to_the_seed_and_the_state_file_with_it(tmp_path):
    state = tmp_path / "state.sqlite"
    simulator = Simulator(state=state)
    simulator.add_organisation("demo-nz", "Second")
    simulator.organisation().type_invoice("A-1")
    simulator.reset()
    simulator.organisation().type_invoice("A-2")
    simulator.close()
    again = Simulator(state=state)
    assert [one["InvoiceNumber"] for one in again.organisation().invoices()] == ["A-2"]
    assert len(again.organisations) == 1
    again.close()


def test_several_organisations_come_back_in_their_order(tmp_path):
    state = tmp_path / "state.sqlite"
    simulator = Simulator(state=state)
    simulator.add_organisation("demo-uk", "Second")
    simulator.organisation(0).set_approval_limit(7)
    simulator.switches["starter_tier"] = True
    simulator.save_kernel()
    simulator.close()
    again = Simulator(state=state)
    assert [again.organisation(number).name for number in (0, 1)] == ["Demo Company (AU)", "Second"]
    assert again.switches["starter_tier"] is True
    again.close()
