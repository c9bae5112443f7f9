"""For test suites, ours and other people's: a transport with broken lines, a server, a client's tokens."""

import json
import os
import threading
from urllib.parse import parse_qs, urlsplit

import httpx2

from xero_simulator.app import create_app
from xero_simulator.errors import DroppedLine
from xero_simulator.oauth import SCOPES
from xero_simulator.server import Server
from xero_simulator.simulator import Simulator

__all__ = ["DroppedLine", "FaultyTransport", "Server", "Tokens", "asked_switches", "connect"]
REDIRECT = "http://localhost:8000/callback"
EVERYTHING = " ".join(sorted(scope for scope in SCOPES if scope.startswith(("accounting.", "offline", "openid"))))
# How long the call on this thread was held up, whichever transport it went through.
_waited = threading.local()


def asked_switches() -> dict[str, bool]:
    """What the environment asks of the switches, so that a whole suite can run under another answer.

    XERO_SWITCHES='{"half_cents_away_from_zero": false}' for instance.
    """
    asked: dict[str, bool] = json.loads(os.environ.get("XERO_SWITCHES") or "{}")
    return asked


class FaultyTransport(httpx2.BaseTransport):
    """Calls the simulator in-process and turns its faults into what a client would see on a real line.

    A dropped line is RemoteProtocolError ("server disconnected", raised before any byte of the answer), a cut body
    too. `slow` moves the simulator's clock instead of sleeping; when it lasts longer than the client's read time-out
    the request is carried out all the same and the client gets ReadTimeout.
    """

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self._wsgi = httpx2.WSGITransport(app=create_app(simulator))
        simulator.pause = self._pause

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        _waited.seconds = 0.0
        try:
            response = self._wsgi.handle_request(request)
            response.read()
        except DroppedLine as error:
            self._raise_if_timed_out(request)
            raise httpx2.RemoteProtocolError(f"Server disconnected: {error}", request=request) from error
        self._raise_if_timed_out(request)
        self._raise_if_cut(request, response)
        return response

    def _pause(self, seconds: float) -> None:
        _waited.seconds = getattr(_waited, "seconds", 0.0) + seconds
        self.simulator.clock.advance(seconds)

    def _raise_if_timed_out(self, request: httpx2.Request) -> None:
        limit = request.extensions.get("timeout", {}).get("read")
        if limit is not None and _waited.seconds > limit:
            raise httpx2.ReadTimeout("The read operation timed out", request=request)

    @staticmethod
    def _raise_if_cut(request: httpx2.Request, response: httpx2.Response) -> None:
        promised = response.headers.get("Content-Length")
        if promised is not None and response.num_bytes_downloaded < int(promised):
            raise httpx2.RemoteProtocolError(
                "peer closed connection without sending complete message body", request=request
            )


class Tokens(dict[str, object]):
    """A token endpoint's answer, with the tenant that it is for."""

    tenant_id: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What a call of the API needs."""
        return {
            "Authorization": f"Bearer {self['access_token']}",
            "xero-tenant-id": self.tenant_id,
            "Accept": "application/json",
        }


def connect(
    client: httpx2.Client,
    simulator: Simulator,
    organisation: str | None = None,
    scope: str = EVERYTHING,
    redirect: str = REDIRECT,
) -> Tokens:
    """Go through consent and token exchange as the simulator's own app, for its first organisation or another."""
    app = next(iter(simulator.oauth.state.apps.values()))
    tenant_id = organisation or next(iter(simulator.organisations))
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": redirect,
        "scope": scope,
        "state": "of-the-test",
    }
    answer = client.post("/identity/connect/authorize", data={**query, "organisation": tenant_id, "decision": "allow"})
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}
    answer = client.post("/connect/token", data=form, auth=(app.client_id, app.secret or ""))
    tokens = Tokens(answer.raise_for_status().json())
    tokens.tenant_id = tenant_id
    return tokens
