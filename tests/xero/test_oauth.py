"""Consent, tokens and the organisations they reach."""

import base64
import hashlib
import json
import traceback
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from provender.xero import (
    App,
    Endpoints,
    Fault,
    Login,
    NotConnected,
    OutcomeUnknown,
    TryLater,
    new_state,
    new_verifier,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HERE = Endpoints("https://login.example", "https://identity.example/", "https://api.example/")
WEB = App("app-1", "secret-of-app", "http://localhost:8000/xero/callback", "offline_access accounting.invoices")
PKCE = App("app-2", None, "http://localhost:8000/xero/callback", "offline_access")
CLAIMS = {"xero_userid": "user-1", "authentication_event_id": "event-1", "scope": ["offline_access"]}


def jwt(claims):
    return "secret." + base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode() + ".signature"


def tokens(**kwargs):
    usual = {"access_token": jwt(CLAIMS), "refresh_token": "secret-refresh", "expires_in": 1800, "token_type": "Bearer"}
    return usual | kwargs


@pytest.fixture
def login(xero):
    return Login(HERE, WEB, transport=xero, now=lambda: NOON)


@pytest.fixture
def pkce(xero):
    return Login(HERE, PKCE, transport=xero, now=lambda: NOON)


def form_of(request):
    return {name: values[0] for name, values in parse_qs(request.content.decode()).items()}


def test_consent_address_names_the_app_and_what_it_asks_for(login):
    address = urlsplit(login.authorise_url("state-1", None))
    assert (address.netloc, address.path) == ("login.example", "/identity/connect/authorize")
    assert parse_qs(address.query) == {
        "response_type": ["code"],
        "client_id": ["app-1"],
        "redirect_uri": ["http://localhost:8000/xero/callback"],
        "scope": ["offline_access accounting.invoices"],
        "state": ["state-1"],
    }
    assert "+" not in address.query


def test_app_without_secret_challenges_with_its_verifier(pkce, xero):
    verifier = new_verifier()
    query = parse_qs(urlsplit(pkce.authorise_url("state-1", verifier)).query)
    digest = hashlib.sha256(verifier.encode()).digest()
    assert query["code_challenge"] == [base64.urlsafe_b64encode(digest).decode().rstrip("=")]
    assert query["code_challenge_method"] == ["S256"]
    xero.answers(200, tokens())
    pkce.exchange("code-1", verifier)
    assert form_of(xero.requests[0]) == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": "http://localhost:8000/xero/callback",
        "code_verifier": verifier,
        "client_id": "app-2",
    }
    assert "authorization" not in xero.requests[0].headers


def test_app_without_secret_needs_a_verifier(pkce):
    with pytest.raises(ValueError, match="verifier"):
        pkce.authorise_url("state-1", None)


def test_code_becomes_tokens_with_their_claims(login, xero):
    xero.answers(200, tokens(scope="offline_access accounting.invoices"))
    got = login.exchange("code-1", None)
    (request,) = xero.requests
    assert str(request.url) == "https://identity.example/connect/token"
    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"app-1:secret-of-app").decode()
    assert form_of(request) == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": "http://localhost:8000/xero/callback",
    }
    assert (got.user_id, got.authentication_event_id) == ("user-1", "event-1")
    assert (got.scope, got.expires_at) == ("offline_access accounting.invoices", NOON + timedelta(minutes=30))
    assert (got.access_token, got.refresh_token) == (jwt(CLAIMS), "secret-refresh")


def test_refresh_sends_the_refresh_token(login, pkce, xero):
    xero.answers(200, tokens(refresh_token="secret-next"))
    assert login.refresh("secret-refresh").refresh_token == "secret-next"
    pkce.refresh("secret-refresh")
    first, second = (form_of(request) for request in xero.requests)
    assert first == {"grant_type": "refresh_token", "refresh_token": "secret-refresh"}
    assert second == first | {"client_id": "app-2"}


@pytest.mark.parametrize("token", ["opaque", "a.b.c", "a.%%%.c", "a." + base64.b64encode(b"[1]").decode() + ".c"])
def test_token_without_claims_is_still_a_token(login, xero, token):
    xero.answers(200, tokens(access_token=token))
    got = login.refresh("secret-refresh")
    assert (got.access_token, got.user_id, got.authentication_event_id) == (token, "", None)


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (400, "invalid_grant", "invalid_grant"),
        (401, "invalid_client", "client"),
        (400, "invalid_client", "client"),
        (400, "unauthorized_client", "client"),
        (400, "invalid_scope", "client"),
    ],
)
def test_refused_tokens_name_the_reason(login, xero, status, error, reason):
    xero.answers(status, {"error": error, "error_description": "because"})
    with pytest.raises(NotConnected) as caught:
        login.refresh("secret-refresh")
    assert (caught.value.reason, caught.value.raw) == (reason, f"{error} because")


@pytest.mark.parametrize(
    ("status", "body"), [(500, ""), (503, ""), (200, "<html>"), (200, "{}"), (200, '{"access_token":'), (400, "<html>")]
)
def test_answer_to_a_refresh_may_be_lost(login, xero, status, body):
    xero.answers(status, body)
    with pytest.raises(OutcomeUnknown):
        login.refresh("secret-refresh")
    assert len(xero.requests) == 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx2.ReadTimeout("late"), OutcomeUnknown),
        (httpx2.ReadError("reset"), OutcomeUnknown),
        (httpx2.ConnectError("refused"), TryLater),
    ],
)
def test_refresh_that_never_left_costs_nothing(login, xero, error, kind):
    xero.fails(error)
    with pytest.raises(kind):
        login.refresh("secret-refresh")
    assert len(xero.requests) == 1


def test_limit_on_tokens_is_waited_for(login, xero):
    xero.answers(429, "", Retry_After="9")
    with pytest.raises(TryLater) as caught:
        login.refresh("secret-refresh")
    assert caught.value.seconds == 9


def test_tenants_of_one_consent(login, xero):
    xero.answers(503).answers(
        200,
        [
            {
                "id": "connection-1",
                "authEventId": "event-1",
                "tenantId": "tenant-1",
                "tenantType": "ORGANISATION",
                "tenantName": "Demo Company (AU)",
                "createdDateUtc": "2019-12-07T18:46:19.5165400",
                "updatedDateUtc": None,
            }
        ],
    )
    (tenant,) = login.tenants("secret-access", auth_event_id="event-1")
    assert str(xero.requests[1].url) == "https://api.example/connections?authEventId=event-1"
    assert (tenant.connection_id, tenant.tenant_id, tenant.tenant_name) == (
        "connection-1",
        "tenant-1",
        "Demo Company (AU)",
    )
    assert (tenant.created, tenant.updated) == (datetime(2019, 12, 7, 18, 46, 19, 516540, tzinfo=UTC), None)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [(200, "<html>", TryLater), (200, "{}", TryLater), (500, "", TryLater), (401, "secret-access", NotConnected)],
)
def test_tenants_that_cannot_be_read_are_one_of_the_four_faults(login, xero, status, body, kind):
    xero.answers(status, body)
    with pytest.raises(kind):
        login.tenants("secret-access")


@pytest.mark.parametrize("status", [204, 404])
def test_disconnecting_twice_is_fine(login, xero, status):
    xero.answers(status)
    login.disconnect("secret-access", "connection/1")
    (request,) = xero.requests
    assert (request.method, request.url.raw_path) == ("DELETE", b"/connections/connection%2F1")


def test_disconnecting_may_stay_in_doubt(login, xero):
    xero.answers(500)
    with pytest.raises(OutcomeUnknown):
        login.disconnect("secret-access", "connection-1")


def test_nothing_secret_is_shown(login, xero):
    xero.answers(200, tokens())
    assert "secret" not in repr(login.refresh("secret-refresh")) + repr(WEB)


@pytest.mark.parametrize("status", [400, 401, 500, 429, 200])
def test_page_that_repeats_the_form_does_not_leak_it(login, xero, status):
    xero.answers(status, "you sent refresh_token=secret-refresh and secret-of-app")
    with pytest.raises(Fault) as caught:
        login.refresh("secret-refresh")
    shown = "".join(traceback.format_exception(caught.value)) + str(vars(caught.value))
    assert "secret" not in shown.replace('login.refresh("secret-refresh")', "")


def test_states_and_verifiers_are_never_the_same():
    assert new_state() != new_state()
    assert 43 <= len(new_verifier()) <= 128
