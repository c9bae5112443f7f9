"""Commands called in this process, on the test's database, against a simulator on a socket of its own."""

import json

import pytest
from click.testing import CliRunner

from provender.cli import main
from provender.sync.secrets import _box
from xero_simulator import Simulator
from xero_simulator.server import Server
from xero_simulator.testing import asked_switches


@pytest.fixture
def home(tmp_path, monkeypatch, settings):
    """A folder of state for this test alone, and nothing in the environment about Xero."""
    monkeypatch.setenv("PROVENDER_HOME", str(tmp_path))
    for name in ("XERO_LOGIN_URL", "XERO_IDENTITY_URL", "XERO_API_URL", "XERO_CLIENT_ID", "XERO_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    settings.PROVENDER_HOME = tmp_path
    _box.cache_clear()
    yield tmp_path
    _box.cache_clear()


@pytest.fixture
def server(settings, home):
    """A simulator on a free port, which is where this process finds its Xero."""
    with Server(Simulator(limits=False, switches=asked_switches())) as there:
        url = f"http://localhost:{there.port}"
        settings.XERO_LOGIN_URL = settings.XERO_IDENTITY_URL = settings.XERO_API_URL = url
        settings.XERO_CLIENT_ID, settings.XERO_CLIENT_SECRET = "simulator", "simulator-secret"
        yield there


@pytest.fixture
def provender(home, transactional_db):
    """Call a command: `provender("status --supplier harbour", status=0)` gives what it said on standard output."""

    def call(line, *more, status=0):
        result = CliRunner().invoke(main, [*line.split(), *more], catch_exceptions=False)
        assert result.exit_code == status, result.output
        call.said = result.stderr
        return result.stdout

    call.said = ""
    return call


@pytest.fixture
def as_json(provender):
    """Call a command with --json; what it answered, parsed."""

    def call(line, *more, status=0):
        return json.loads(provender(line, *more, "--json", status=status))

    return call


@pytest.fixture
def connected(provender, server):
    """Harbour Fine Foods, connected by the command."""
    import cast

    wholesaler = cast.supplier()
    provender(f"connect --supplier harbour --simulator http://localhost:{server.port}")
    return wholesaler
