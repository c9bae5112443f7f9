"""Fixtures for other people's suites: `pytest_plugins = ["xero_simulator.pytest_plugin"]` in a conftest."""

from collections.abc import Iterator

import httpx2
import pytest

from xero_simulator.server import Server
from xero_simulator.simulator import Simulator
from xero_simulator.testing import FaultyTransport, Tokens, asked_switches, connect


@pytest.fixture
def xero_simulator() -> Iterator[Simulator]:
    """A simulator with the Australian demonstration organisation and no limits; XERO_SWITCHES sets its switches."""
    simulator = Simulator(limits=False, switches=asked_switches())
    yield simulator
    simulator.close()


@pytest.fixture
def xero_client(xero_simulator: Simulator) -> Iterator[httpx2.Client]:
    """An in-process client at the simulator's root."""
    with httpx2.Client(transport=FaultyTransport(xero_simulator), base_url="http://localhost") as client:
        yield client


@pytest.fixture
def xero_tokens(xero_client: httpx2.Client, xero_simulator: Simulator) -> Tokens:
    """Tokens for its first organisation, with every scope."""
    return connect(xero_client, xero_simulator)


@pytest.fixture
def xero_server(xero_simulator: Simulator) -> Iterator[Server]:
    """The simulator on a free port, for clients that need a real address: `xero_server.url`."""
    with Server(xero_simulator) as server:
        yield server
