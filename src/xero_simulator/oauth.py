"""Apps, consents, codes, tokens and connections: OAuth 2 as Xero does it, apart from HTTP."""

import base64
import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from xero_simulator.clock import Clock, from_ms
from xero_simulator.errors import TenantRefused, Unauthorised
from xero_simulator.switches import Switches

CODE_MS = 5 * 60 * 1000
ACCESS_SECONDS = 1800
ID_SECONDS = 300
REFRESH_MS = 60 * 24 * 3600 * 1000
GRACE_MS = 30 * 60 * 1000
USER_ID = "3f1c9f3e-6f0f-4a0e-8a52-0c5d7d3a9b11"
ISSUER = "https://identity.xero.com"
VERIFIER = re.compile(r"^[A-Za-z0-9._~-]{43,128}$")
CHALLENGE = re.compile(r"^[A-Za-z0-9_-]{43}$")

REPORTS = (
    "aged",
    "balancesheet",
    "banksummary",
    "budgetsummary",
    "executivesummary",
    "profitandloss",
    "trialbalance",
    "taxreports",
)
WRITABLE = (
    "accounting.invoices",
    "accounting.payments",
    "accounting.banktransactions",
    "accounting.manualjournals",
    "accounting.settings",
    "accounting.contacts",
    "accounting.attachments",
    "accounting.transactions",
)
SCOPES = {
    "openid",
    "profile",
    "email",
    "offline_access",
    *WRITABLE,
    *(f"{scope}.read" for scope in WRITABLE),
    "accounting.reports.read",
    "accounting.journals.read",
    "accounting.budgets.read",
    *(f"accounting.reports.{report}.read" for report in REPORTS),
    "files",
    "files.read",
    "assets",
    "assets.read",
    "projects",
    "projects.read",
}


class OAuthError(Exception):
    """Told to the client as `{"error": code}` with status 400."""

    def __init__(self, code: str, description: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.description = description


class App(msgspec.Struct):
    """A registered app. Without a secret it is a PKCE app. No redirect addresses: any http://localhost one."""

    client_id: str
    secret: str | None
    name: str = "Your app"
    redirects: list[str] = []

    def allows(self, redirect: str) -> bool:
        """Exact match with a registered https address; http only for localhost, and never 127.0.0.1."""
        if redirect in self.redirects:
            return True
        try:
            parts = urlsplit(redirect)
            local = parts.scheme == "http" and parts.hostname == "localhost" and parts.port != 0
        except ValueError:
            return False
        return local and not self.redirects


class Consent(msgspec.Struct):
    """What one person allowed at one time: Xero calls it the authentication event."""

    id: str
    client_id: str
    user_id: str
    scopes: list[str]
    at: int
    ended: bool = False


class Code(msgspec.Struct):
    consent_id: str
    redirect: str
    challenge: str | None
    since: int
    used: bool = False


class RefreshToken(msgspec.Struct):
    consent_id: str
    since: int
    replaced: int | None = None


class Connection(msgspec.Struct):
    id: str
    client_id: str
    user_id: str
    auth_event_id: str
    tenant_id: str
    created: int
    updated: int


class OAuthState(msgspec.Struct):
    """All that a restart must find again."""

    key: bytes = b""
    apps: dict[str, App] = {}
    consents: dict[str, Consent] = {}
    codes: dict[str, Code] = {}
    refresh_tokens: dict[str, RefreshToken] = {}
    connections: dict[str, Connection] = {}
    first_connected: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who calls: read from an access token."""

    client_id: str
    user_id: str
    auth_event_id: str
    scopes: frozenset[str]


class OAuth:
    """The rules. Callers hold the simulator's lock; `state` is what is persisted."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self.state = OAuthState(key=secrets.token_bytes(32))

    def register(self, client_id: str, secret: str | None, name: str, redirects: Iterable[str] = ()) -> App:
        app = App(client_id=client_id, secret=secret, name=name, redirects=list(redirects))
        self.state.apps[client_id] = app
        return app

    def check_authorise(self, query: dict[str, str]) -> App:
        """The app that asks for consent. Raises OAuthError for anything that must not be redirected."""
        app = self.state.apps.get(query.get("client_id", ""))
        if app is None:
            raise OAuthError("unauthorized_client", "Unknown client or client not enabled")
        if not app.allows(query.get("redirect_uri", "")):
            raise OAuthError("unauthorized_client", "Invalid redirect_uri")
        if query.get("response_type") != "code":
            raise OAuthError("unsupported_response_type")
        wanted = query.get("scope", "").split()
        if not wanted or not set(wanted) <= SCOPES:
            raise OAuthError("invalid_scope", " ".join(scope for scope in wanted if scope not in SCOPES))
        self._check_challenge(app, query)
        return app

    @staticmethod
    def _check_challenge(app: App, query: dict[str, str]) -> None:
        challenge = query.get("code_challenge")
        if challenge is None:
            if app.secret is None:
                raise OAuthError("invalid_request", "code challenge required")
        elif query.get("code_challenge_method") != "S256":
            raise OAuthError("invalid_request", "Transform algorithm not supported")
        elif not CHALLENGE.match(challenge):
            raise OAuthError("invalid_request", "Invalid code challenge")

    def allow(self, query: dict[str, str], tenant_ids: list[str]) -> str:
        """A person said yes: connect the organisations and answer the code."""
        now = self._clock.now_ms()
        consent = Consent(
            id=str(uuid.uuid4()),
            client_id=query["client_id"],
            user_id=USER_ID,
            scopes=self._all_scopes(query["client_id"], query["scope"].split()),
            at=now,
        )
        self.state.consents[consent.id] = consent
        for tenant_id in tenant_ids:
            self._connect(consent, tenant_id, now)
        code = secrets.token_urlsafe(32)
        self.state.codes[code] = Code(
            consent_id=consent.id, redirect=query["redirect_uri"], challenge=query.get("code_challenge"), since=now
        )
        return code

    def _all_scopes(self, client_id: str, wanted: list[str]) -> list[str]:
        """Scopes are additive: what the user allowed this app earlier stays allowed."""
        earlier = [
            scope
            for c in self.state.consents.values()
            if c.client_id == client_id and not c.ended
            for scope in c.scopes
        ]
        return list(dict.fromkeys([*wanted, *(scope for scope in earlier if scope != "offline_access")]))

    def _connect(self, consent: Consent, tenant_id: str, now: int) -> None:
        known = self.connection(consent.client_id, consent.user_id, tenant_id)
        if known:
            known.auth_event_id, known.updated = consent.id, now
            return
        place = f"{consent.client_id}/{consent.user_id}/{tenant_id}"
        connection = Connection(
            id=str(uuid.uuid4()),
            client_id=consent.client_id,
            user_id=consent.user_id,
            auth_event_id=consent.id,
            tenant_id=tenant_id,
            created=self.state.first_connected.setdefault(place, now),  # older than `updated` after a disconnection
            updated=now,
        )
        self.state.connections[connection.id] = connection

    def authenticate(self, client_id: str | None, secret: str | None) -> App:
        """The app that calls the token endpoint. Raises OAuthError invalid_client."""
        app = self.state.apps.get(client_id or "")
        if app is None:
            raise OAuthError("invalid_client")
        if app.secret is not None and not hmac.compare_digest(app.secret.encode(), (secret or "").encode()):
            raise OAuthError("invalid_client")
        return app

    def grant(self, app: App, form: dict[str, str]) -> dict[str, object]:
        """Tokens for what the form brings. Raises OAuthError."""
        match form.get("grant_type"):
            case "authorization_code":
                return self.exchange(app, form)
            case "refresh_token":
                return self.refresh(app, form)
            case "client_credentials":  # only for custom connections, which no app here is
                raise OAuthError("unauthorized_client")
            case None | "":
                raise OAuthError("invalid_request")
        raise OAuthError("unsupported_grant_type")

    def exchange(self, app: App, form: dict[str, str]) -> dict[str, object]:
        """A code for tokens: once, within five minutes, with the same redirect address and the right verifier."""
        if not form.get("code"):
            raise OAuthError("invalid_request")
        code = self.state.codes.get(form["code"])
        if code is None or code.used or self._clock.now_ms() - code.since >= CODE_MS:
            raise OAuthError("invalid_grant")
        consent = self.state.consents[code.consent_id]
        if consent.client_id != app.client_id or consent.ended or code.redirect != form.get("redirect_uri"):
            raise OAuthError("invalid_grant")
        if code.challenge and not _verifies(form.get("code_verifier", ""), code.challenge):
            raise OAuthError("invalid_grant")
        code.used = True
        return self._tokens(consent)

    def refresh(self, app: App, form: dict[str, str]) -> dict[str, object]:
        """A refresh token for new ones. The one that was replaced works for 30 more minutes, for lost answers."""
        if not form.get("refresh_token"):
            raise OAuthError("invalid_request")
        now = self._clock.now_ms()
        token = self.state.refresh_tokens.get(form["refresh_token"])
        if token is None:
            raise OAuthError("invalid_grant")
        consent = self.state.consents[token.consent_id]
        too_old = now - token.since >= REFRESH_MS
        past_grace = token.replaced is not None and now - token.replaced >= GRACE_MS
        if consent.client_id != app.client_id or consent.ended or too_old or past_grace:
            raise OAuthError("invalid_grant")
        alone = not self.connections(app.client_id, consent.user_id)
        if alone and self._switches["last_disconnect_ends_refresh"]:
            raise OAuthError("invalid_grant")
        if token.replaced is None:
            token.replaced = now
        return self._tokens(consent)

    def revoke(self, app: App, form: dict[str, str]) -> None:
        """Ends every consent of this user to this app and disconnects all organisations."""
        token = self.state.refresh_tokens.get(form.get("token", ""))
        if token is None:
            return
        user_id = self.state.consents[token.consent_id].user_id
        for consent in self.state.consents.values():
            if consent.client_id == app.client_id and consent.user_id == user_id:
                consent.ended = True
        for connection in self.connections(app.client_id, user_id):
            del self.state.connections[connection.id]

    def _tokens(self, consent: Consent) -> dict[str, object]:
        now = self._clock.now_ms()
        tokens: dict[str, object] = {
            "access_token": self._access_token(consent, now // 1000),
            "expires_in": ACCESS_SECONDS,
            "token_type": "Bearer",
            "scope": " ".join(consent.scopes),
        }
        if "openid" in consent.scopes:
            tokens["id_token"] = self._id_token(consent, now // 1000)
        if "offline_access" in consent.scopes:
            refresh = secrets.token_urlsafe(32)
            self.state.refresh_tokens[refresh] = RefreshToken(consent_id=consent.id, since=now)
            tokens["refresh_token"] = refresh
        return tokens

    def _access_token(self, consent: Consent, now: int) -> str:
        claims = {
            "nbf": now,
            "exp": now + ACCESS_SECONDS,
            "iss": ISSUER,
            "aud": f"{ISSUER}/resources",
            "client_id": consent.client_id,
            "sub": consent.user_id.replace("-", ""),
            "auth_time": consent.at // 1000,
            "xero_userid": consent.user_id,
            "global_session_id": uuid.uuid5(uuid.NAMESPACE_OID, consent.user_id).hex,
            "jti": uuid.uuid4().hex.upper(),
            "authentication_event_id": consent.id,
            "scope": consent.scopes,
        }
        return sign_jwt(claims, self.state.key)

    def _id_token(self, consent: Consent, now: int) -> str:
        claims = {
            "nbf": now,
            "exp": now + ID_SECONDS,
            "iss": ISSUER,
            "aud": consent.client_id,
            "iat": now,
            "sub": consent.user_id.replace("-", ""),
            "xero_userid": consent.user_id,
            "email": "bookkeeper@demo.example",
            "given_name": "Demo",
            "family_name": "Bookkeeper",
        }
        return sign_jwt(claims, self.state.key)

    def read_bearer(self, header: str | None) -> Bearer:
        """The caller behind an Authorization header. Raises Unauthorised with Xero's Detail."""
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorised("AuthenticationUnsuccessful")
        claims = read_jwt(token.strip(), self.state.key)
        consent = self.state.consents.get(str(claims.get("authentication_event_id"))) if claims else None
        if claims is None or consent is None:
            raise Unauthorised("TokenInvalidSignature")
        expiry = int(claims["exp"])
        if self._clock.now_ms() >= expiry * 1000:
            raise Unauthorised(f"TokenExpired: token expired at {_us_time(expiry)}")
        return Bearer(consent.client_id, consent.user_id, consent.id, frozenset(claims["scope"]))

    def check_tenant(self, bearer: Bearer, tenant_id: str | None) -> str:
        """The organisation of the call. Raises TenantRefused when it is not connected."""
        wanted = (tenant_id or "").strip().lower()
        if self.connection(bearer.client_id, bearer.user_id, wanted) is None:
            raise TenantRefused("AuthenticationUnsuccessful")
        return wanted

    def connection(self, client_id: str, user_id: str, tenant_id: str) -> Connection | None:
        return next((c for c in self.connections(client_id, user_id) if c.tenant_id == tenant_id), None)

    def connections(self, client_id: str, user_id: str) -> list[Connection]:
        return [c for c in self.state.connections.values() if c.client_id == client_id and c.user_id == user_id]

    def disconnect(self, connection_id: str) -> bool:
        return self.state.connections.pop(connection_id, None) is not None


def _verifies(verifier: str, challenge: str) -> bool:
    if not VERIFIER.match(verifier):
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(_base64(digest), challenge.encode())


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def sign_jwt(claims: dict[str, object], key: bytes) -> str:
    header = {"alg": "HS256", "kid": "simulator", "typ": "JWT"}
    signed = _base64(msgspec.json.encode(header)) + b"." + _base64(msgspec.json.encode(claims))
    return (signed + b"." + _base64(hmac.digest(key, signed, "sha256"))).decode()


def read_jwt(token: str, key: bytes) -> dict[str, Any] | None:
    """The claims, or None when we did not sign them."""
    signed, _, signature = token.encode("utf-8", "replace").rpartition(b".")
    if not hmac.compare_digest(_base64(hmac.digest(key, signed, "sha256")), signature):
        return None
    body = signed.partition(b".")[2]
    claims: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
    return claims


def _us_time(seconds: int) -> str:
    return from_ms(seconds * 1000).strftime("%m/%d/%Y %H:%M:%S")
