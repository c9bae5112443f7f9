"""A Xero that says what it is told to, and a client that talks to it."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
import stamina

from provender.xero import CallRecord, Endpoints, MemoryBudget, XeroClient

TOKEN = "secret-access-token"
HERE = Endpoints("https://login.example", "https://identity.example", "https://api.example")

Reply = httpx2.Response | Exception


class ScriptedXero(httpx2.BaseTransport):
    """Answers each request with the next of its replies, the last one for ever, and remembers what was asked."""

    def __init__(self) -> None:
        self.replies: list[Callable[[], Reply]] = []
        self.requests: list[httpx2.Request] = []

    def answers(self, status: int = 200, body: Any = "", **headers: str) -> "ScriptedXero":
        content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else dump(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.replies.append(lambda: httpx2.Response(status, content=content, headers=named))
        return self

    def fails(self, error: Exception) -> "ScriptedXero":
        self.replies.append(lambda: error)
        return self

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        self.requests.append(request)
        reply = self.replies[min(len(self.requests), len(self.replies)) - 1]()
        if isinstance(reply, Exception):
            raise reply
        return reply


def dump(body: Any) -> bytes:
    return json.dumps(body).encode()


@pytest.fixture(autouse=True)
def _no_waiting_between_tries() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture(autouse=True)
def _nothing_secret_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    assert "secret" not in caplog.text


@pytest.fixture
def xero() -> ScriptedXero:
    return ScriptedXero()


@pytest.fixture
def budget() -> MemoryBudget:
    return MemoryBudget()


@pytest.fixture
def calls() -> list[CallRecord]:
    return []


@pytest.fixture
def open_client(xero: ScriptedXero, budget: MemoryBudget, calls: list[CallRecord]) -> Callable[..., XeroClient]:
    """Opens a client to the scripted Xero; whatever is given takes the place of the usual."""

    def open_it(**kwargs: Any) -> XeroClient:
        usual: dict[str, Any] = {
            "endpoints": HERE,
            "access_token": lambda: TOKEN,
            "tenant_id": "tenant-1",
            "budget": budget,
            "observe": calls.append,
            "transport": xero,
        }
        return XeroClient(**(usual | kwargs))

    return open_it


@pytest.fixture
def client(open_client: Callable[..., XeroClient]) -> XeroClient:
    return open_client()


@pytest.fixture
def put(client: XeroClient, budget: MemoryBudget) -> Callable[..., Any]:
    """Creates one invoice as sync does: the budget first, then the write."""

    def put_invoice(**kwargs: Any) -> Any:
        budget.take()
        body = kwargs.pop("body", b'{"Invoices":[{"InvoiceNumber":"INV-1"}]}')
        return client.write("PUT", "Invoices", body, key="key-1", access_token=TOKEN, **kwargs)

    return put_invoice
