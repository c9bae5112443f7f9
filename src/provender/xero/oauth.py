"""OAuth 2.0 at Xero: consent, tokens, and the organisations that a consent reaches.

With a client secret it is the ordinary flow with Basic authentication, without one PKCE. Claims are read from the
access token without checking its signature: it came from Xero itself over TLS.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import httpx2
import msgspec

from provender.xero import faults
from provender.xero.client import Endpoints, try_thrice
from provender.xero.deadline import Exchange, carry, open_http
from provender.xero.faults import Fault, NotConnected, Refused, TryLater
from provender.xero.wire import read_instant


@dataclass(frozen=True)
class App:
    """The app as registered at Xero; without a secret it is a PKCE app. `scopes` are separated by spaces."""

    client_id: str
    client_secret: str | None = field(repr=False)
    redirect_uri: str
    scopes: str


@dataclass(frozen=True)
class TokenSet:
    """The tokens of one person's consent. The access token lives 30 minutes; the refresh token is good once, and its
    predecessor for another 30 minutes in case this answer was lost.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime
    scope: str
    user_id: str
    authentication_event_id: str | None


@dataclass(frozen=True)
class Tenant:
    """An organisation that a consent reaches; `connection_id` is what `disconnect` takes."""

    connection_id: str
    tenant_id: str
    tenant_type: str
    tenant_name: str
    auth_event_id: str | None
    created: datetime | None
    updated: datetime | None


def new_state() -> str:
    """A value for `state` that nobody can guess."""
    return secrets.token_urlsafe(32)


def new_verifier() -> str:
    """A PKCE code verifier of 64 characters."""
    return secrets.token_urlsafe(48)


class Login:
    """The calls that make, renew and end a consent. Only `tenants` is repeated when a line drops: it reads."""

    def __init__(
        self,
        endpoints: Endpoints,
        app: App,
        transport: httpx2.BaseTransport | None = None,
        timeout: float = 30,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._endpoints = endpoints
        self._app = app
        self._timeout = timeout
        self._now = now
        self._http = open_http(transport)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def authorise_url(self, state: str, verifier: str | None) -> str:
        """Where to send the person for consent. An app without a secret needs a `verifier`, kept for `exchange`."""
        params = {
            "response_type": "code",
            "client_id": self._app.client_id,
            "redirect_uri": self._app.redirect_uri,
            "scope": self._app.scopes,
            "state": state,
        }
        if self._app.client_secret is None:
            params |= {"code_challenge": _challenge(_require(verifier)), "code_challenge_method": "S256"}
        return f"{self._endpoints.login.rstrip('/')}/identity/connect/authorize?{urlencode(params, quote_via=quote)}"

    def exchange(self, code: str, verifier: str | None) -> TokenSet:
        """Turn the code that came back into tokens. A code is good once, for 5 minutes; raises as `refresh` does."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._app.redirect_uri}
        if self._app.client_secret is None:
            form["code_verifier"] = _require(verifier)
        return self._ask_for_tokens(form)

    def refresh(self, refresh_token: str) -> TokenSet:
        """Get the next tokens; the refresh token given is spent by it.

        Raises NotConnected (`invalid_grant`: consent is needed again; `client`: the app's own settings), TryLater
        (nothing happened), OutcomeUnknown (the answer may be lost: the token given stays good for 30 minutes).
        """
        return self._ask_for_tokens({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def tenants(self, access_token: str, auth_event_id: str | None = None) -> list[Tenant]:
        """The organisations this token reaches, or only those connected in one consent."""
        query = f"?{urlencode({'authEventId': auth_event_id})}" if auth_event_id else ""
        url = f"{self._api()}/connections{query}"
        # Nothing is passed as an argument: what retries may log its arguments, and one of them is the token.
        reply = try_thrice(lambda: self._call("GET", url, _bearer(access_token), secret=access_token))
        try:
            return [_read_tenant(each) for each in msgspec.json.decode(reply.content, type=list[_Connection])]
        except (msgspec.MsgspecError, ValueError):
            raise TryLater(faults.AGAIN_SECONDS, "unreadable") from None

    def disconnect(self, access_token: str, connection_id: str) -> None:
        """Disconnect one organisation; one that is not connected any more is fine. The person's others stay."""
        url = f"{self._api()}/connections/{quote(connection_id, safe='')}"
        try:
            self._call("DELETE", url, _bearer(access_token), secret=access_token)
        except Refused as refusal:
            if refusal.status != 404:
                raise

    def _api(self) -> str:
        return self._endpoints.api.rstrip("/")

    def _ask_for_tokens(self, form: Mapping[str, str]) -> TokenSet:
        asked_at = self._now()
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        if self._app.client_secret is None:
            form = {**form, "client_id": self._app.client_id}
        else:
            headers["Authorization"] = _basic(self._app.client_id, self._app.client_secret)
        reply = self._call(
            "POST", f"{self._endpoints.identity.rstrip('/')}/connect/token", headers, urlencode(form).encode()
        )
        try:
            return _read_tokens(msgspec.json.decode(reply.content, type=_Tokens), asked_at)
        except msgspec.MsgspecError:
            raise faults.OutcomeUnknown("unreadable", reply.status_code) from None

    def _call(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None, secret: str = ""
    ) -> httpx2.Response:
        exchange = Exchange(self._timeout)
        request = self._http.build_request(
            method, url, headers=dict(headers), content=body, extensions={"exchange": exchange}
        )
        reply = carry(self._http, request, exchange)
        if isinstance(reply, Fault):
            raise reply
        fault = _judge(method, url, reply, secret)
        if fault is not None:
            raise fault
        return reply


class _Tokens(msgspec.Struct):
    access_token: str
    expires_in: int
    refresh_token: str | None = None
    scope: str | None = None


class _TokenError(msgspec.Struct):
    error: str = ""
    error_description: str = ""


class _Claims(msgspec.Struct):
    xero_userid: str = ""
    sub: str = ""
    authentication_event_id: str | None = None
    scope: str | list[str] = ""


class _Connection(msgspec.Struct):
    connection_id: str = msgspec.field(name="id")
    tenant_id: str = msgspec.field(name="tenantId")
    tenant_type: str = msgspec.field(default="", name="tenantType")
    tenant_name: str | None = msgspec.field(default=None, name="tenantName")
    auth_event_id: str | None = msgspec.field(default=None, name="authEventId")
    created: str | None = msgspec.field(default=None, name="createdDateUtc")
    updated: str | None = msgspec.field(default=None, name="updatedDateUtc")


def _judge(method: str, url: str, reply: httpx2.Response, secret: str) -> Fault | None:
    if url.endswith("/connect/token") and reply.status_code in (400, 401, 403):
        return _judge_token_error(reply)
    body = reply.content.replace(secret.encode(), b"(access token)") if secret else reply.content
    return faults.judge(method, reply.status_code, reply.headers, body)


def _judge_token_error(reply: httpx2.Response) -> Fault:
    # Only these two fields are kept: a page that repeats the form would repeat the refresh token.
    try:
        told = msgspec.json.decode(reply.content, type=_TokenError)
    except msgspec.MsgspecError:
        told = _TokenError()
    text = f"{told.error} {told.error_description}".strip()
    if told.error == "invalid_grant":
        return NotConnected("invalid_grant", text)
    if told.error:
        return NotConnected("client", text)
    return faults.OutcomeUnknown("unreadable", reply.status_code)


def _read_tokens(tokens: _Tokens, asked_at: datetime) -> TokenSet:
    claims = _read_claims(tokens.access_token)
    granted = claims.scope if isinstance(claims.scope, str) else " ".join(claims.scope)
    return TokenSet(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_at=asked_at + timedelta(seconds=tokens.expires_in),
        scope=tokens.scope or granted,
        user_id=claims.xero_userid or claims.sub,
        authentication_event_id=claims.authentication_event_id,
    )


def _read_claims(access_token: str) -> _Claims:
    parts = access_token.split(".")
    if len(parts) != 3:
        return _Claims()
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Claims)
    except (ValueError, msgspec.MsgspecError):
        return _Claims()


def _read_tenant(connection: _Connection) -> Tenant:
    return Tenant(
        connection_id=connection.connection_id,
        tenant_id=connection.tenant_id,
        tenant_type=connection.tenant_type,
        tenant_name=connection.tenant_name or "",
        auth_event_id=connection.auth_event_id,
        created=read_instant(connection.created) if connection.created else None,
        updated=read_instant(connection.updated) if connection.updated else None,
    )


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _require(verifier: str | None) -> str:
    if verifier is None:
        raise ValueError("an app without a secret needs a verifier")
    return verifier


def _bearer(access_token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}


def _basic(client_id: str, client_secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
