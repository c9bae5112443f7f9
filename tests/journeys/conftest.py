"""A whole Provender of its own for each journey (`provender up` beside `provender xero-simulator`), and a browser.

A journey fails on whatever the browser's console complains about, violations of the content policy included, and when
a process of ours told of an error.
"""

import os
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

import browsers
from databases import own_database

# Leaving a page while its sums are asked for ends that request, which htmx tells too.
OF_LEAVING = ("htmx:sendAbort", "htmx:afterRequest")
PROVENDER = Path(sys.executable).with_name("provender")
NOT_INHERITED = ("PROVENDER_", "XERO_", "DATABASE_URL", "DJANGO_")


class House(NamedTuple):
    url: str
    books: str
    link: str


@pytest.fixture(scope="session")
def wholesaler(request, tmp_path_factory):
    """Harbour Fine Foods just created, which each journey begins with a copy of: its folder, its database."""
    home = tmp_path_factory.mktemp("wholesaler") / "home"
    database = own_database(request, "wholesaler")
    environment = inherited() | {"PROVENDER_HOME": str(home)} | database
    create = [PROVENDER, "supplier", "create", "harbour", "--country", "AU", "--name", "Harbour Fine Foods"]
    subprocess.run(create, env=environment, check=True, stdout=subprocess.DEVNULL)
    return home, database


@pytest.fixture
def house(request, tmp_path, wholesaler):
    """Harbour Fine Foods: where its screens are, where the bookkeeper's page is, and the link for its first owner."""
    screens, xero = free_port(), free_port()
    folder, database = wholesaler
    home = {"PROVENDER_HOME": str(shutil.copytree(folder, tmp_path / "home")), "PYTHONUNBUFFERED": "1"}
    bases = dict.fromkeys(("XERO_LOGIN_URL", "XERO_IDENTITY_URL", "XERO_API_URL"), f"http://localhost:{xero}")
    app = {"XERO_CLIENT_ID": "simulator", "XERO_CLIENT_SECRET": "simulator-secret"}
    environment = inherited() | home | bases | app | own_database(request, "journey", like=database)
    with (
        running(f"xero-simulator --port {xero}", "Xero simulator on", environment, tmp_path / "xero.log"),
        running(f"up --port {screens}", "/join/", environment, tmp_path / "up.log") as link,
    ):
        yield House(f"http://localhost:{screens}", f"http://localhost:{xero}/_simulator/", link)


def inherited():
    """This process's environment without what is Provender's own."""
    return {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(command, sign, environment, log):
    """A command that serves until it is told to end; what it says with `sign` in it is the sign that it does."""
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [PROVENDER, *command.split()], env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            line = next((line for line in process.stdout if sign in line), None)
            assert line, f"{command} ended: {log.read_text()}"
            yield line.strip()
        finally:
            process.terminate()
            process.wait(timeout=20)
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="package")
def browser():
    """The same for all journeys."""
    from playwright.sync_api import expect

    expect.set_options(timeout=10_000)
    with browsers.browser() as started:
        yield started


@contextmanager
def window(browser, size=(1280, 900), **options):
    """A page of that size; whatever its console complains about fails the test at the end."""
    with browsers.window(browser, size, **options) as (page, complaints):
        yield page, complaints
    assert [told for told in complaints if not told.startswith(OF_LEAVING)] == []
