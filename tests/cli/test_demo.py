"""The demonstration, as a person starts it: a real process in a folder of its own, twice."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx2
import pytest

import cast
from provender.cli.connecting import BASES, SIMULATOR_APP
from provender.cli.demo import _bring_into_step
from provender.sync.lease import take_lease

PROVENDER = [sys.executable, "-c", "from provender.cli import main; main(prog_name='provender')"]
LIMIT = 240


@pytest.fixture
def environment(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XERO_", "PROVENDER_"))}
    return {**kept, "PROVENDER_HOME": str(tmp_path), "DATABASE_URL": "", "PYTHONUNBUFFERED": "1"}


@contextmanager
def running(environment, out):
    """A demonstration, from its announcement to Ctrl-C; gives the addresses and the login that it printed."""
    with out.open("w") as file:
        process = subprocess.Popen([*PROVENDER, "demo"], env=environment, stdout=file, stderr=subprocess.STDOUT)
        try:
            yield announced(process, out)
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(LIMIT) == 0, out.read_text()


def announced(process, out):
    began = time.monotonic()
    while "Ctrl-C ends it" not in out.read_text():
        assert process.poll() is None, out.read_text()
        assert time.monotonic() - began < LIMIT, out.read_text()
        time.sleep(0.1)
    said = out.read_text()
    login = re.search(r"log in as (\S+)\n *password +(\S+)", said)
    web, simulator = re.findall(r"http://localhost:\d+", said)[:2]
    return {"web": web, "simulator": simulator, "login": login.groups()}


def ask(environment, *words):
    done = subprocess.run([*PROVENDER, *words, "--supplier", "larkfield", "--json"], env=environment,
                          check=False, capture_output=True, text=True)  # fmt: skip
    return done.returncode, json.loads(done.stdout)


@pytest.mark.sqlite  # whatever database the tests have, the demonstration makes its own
@pytest.mark.kill
def test_the_demonstration_trades_is_in_step_and_survives_a_restart(environment, tmp_path):
    with running(environment, tmp_path / "first.out") as first:
        assert httpx2.get(f"{first['web']}/account/login/", follow_redirects=True, timeout=LIMIT).status_code == 200
        status, found = ask(environment, "verify-books")
        assert (status, found["equal"], found["checked"]["contacts"]) == (0, True, 25)
        assert found["checked"]["invoices"] > 150
        assert (tmp_path / "demo-login.txt").stat().st_mode & 0o777 == 0o600
        second = subprocess.run([*PROVENDER, "demo"], env=environment, check=False, capture_output=True, text=True)
        assert second.returncode == 1
        assert "running in" in second.stderr
    with running(environment, tmp_path / "again.out") as again:
        assert again["login"] == first["login"]
        assert ask(environment, "verify-books") == (0, found)
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(first["simulator"])


def test_a_folder_in_use_is_not_taken_for_a_demonstration(provender, monkeypatch):
    for name in ("PROVENDER_PUBLIC_URL", *BASES, *SIMULATOR_APP):  # the command sets these for its own process
        monkeypatch.setenv(name, "")
    cast.supplier()
    with socket.create_server(("127.0.0.1", 0)) as taken:  # not the usual port: other demonstrations may want it now
        port = taken.getsockname()[1]
    provender("demo", "--simulator-port", str(port), status=2)
    assert "Provender in use" in provender.said


def test_after_a_start_that_was_broken_off_while_sending_it_says_what_it_waits_for(connected, settings, capsys):
    settings.SYNC_LEASE_SECONDS = 1
    cast.placed_order(cast.venue(connected))
    take_lease(connected.connections.get().pk)  # as a killed process leaves it
    _bring_into_step(connected)
    assert "at the latest: another run has this wholesaler's turn, or was broken off in it." in capsys.readouterr().err
