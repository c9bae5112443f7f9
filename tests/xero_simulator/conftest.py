"""A client in-process, already connected to the first organisation, and short ways of saying things."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from xero_simulator import Simulator
from xero_simulator.testing import FaultyTransport, Tokens, connect

API = "/api.xro/2.0/"


class Xero:
    """A connected client that speaks in resources."""

    def __init__(self, simulator: Simulator, organisation: str | None = None, scope: str | None = None) -> None:
        self.simulator = simulator
        self.http = httpx2.Client(transport=FaultyTransport(simulator), base_url="http://localhost")
        extra = {"scope": scope} if scope else {}
        self.tokens: Tokens = connect(self.http, simulator, organisation, **extra)

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **params: Any):
        content = {"json": body} if body is not None else {}
        return self.http.request(
            method, API + path, params=params, headers={**self.tokens.headers, **(headers or {})}, **content
        )

    def get(self, path: str, **params: Any):
        return self.call("GET", path, **params)

    def list(self, path: str, **params: Any) -> list[dict[str, Any]]:
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()[path.split("/", maxsplit=1)[0]]

    def put(self, path: str, body: Any, **params: Any):
        return self.call("PUT", path, body, **params)

    def post(self, path: str, body: Any, **params: Any):
        return self.call("POST", path, body, **params)

    def invoice(self, **fields: Any) -> dict[str, Any]:
        """Create one, and give it back as Xero shows it."""
        answer = self.put("Invoices", invoice(**fields), unitdp=4)
        assert answer.status_code == 200, answer.text
        return answer.json()["Invoices"][0]


def line(**fields: Any) -> dict[str, Any]:
    return {"Description": "Olive oil", "Quantity": 2, "UnitAmount": "10.00", "AccountCode": "200", **fields}


def invoice(**fields: Any) -> dict[str, Any]:
    return {
        "Type": "ACCREC",
        "Contact": {"Name": "Basket Case Café"},
        "Date": "2026-11-24",
        "DueDate": "2026-12-08",
        "Status": "AUTHORISED",
        "LineItems": [line()],
        **fields,
    }


def texts(answer: Any) -> list[str]:
    """All validation messages of an answer, nested ones too, each once."""
    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            found.extend(error["Message"] for error in value.get("ValidationErrors") or [])
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(answer.json())
    return list(dict.fromkeys(found))


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    simulator = Simulator(limits=False)
    yield simulator
    simulator.close()


@pytest.fixture
def xero(simulator: Simulator) -> Xero:
    return Xero(simulator)
