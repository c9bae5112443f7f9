import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from tests.xero_simulator.conftest import Xero

from xero_simulator import Simulator
from xero_simulator.testing import FaultyTransport, connect

QUERY = {
    "response_type": "code",
    "client_id": "simulator",
    "redirect_uri": "http://localhost:8000/cb",
    "scope": "offline_access accounting.invoices",
    "state": "s1",
}


def refresh(xero, token):
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return xero.http.post("/connect/token", data=form, auth=("simulator", "simulator-secret"))


def test_the_consent_page_shows_the_app_and_leads_back(xero):
    page = xero.http.get("/identity/connect/authorize", params=QUERY)
    assert page.status_code == 200
    assert "Demo Company (AU)" in page.text
    assert "Allow access" in page.text
    cancelled = xero.http.post("/identity/connect/authorize", data={**QUERY, "decision": "cancel"})
    back = parse_qs(urlsplit(cancelled.headers["Location"]).query)
    assert back["error"] == ["access_denied"]
    assert back["state"] == ["s1"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "http://127.0.0.1:8000/cb"},
        {"redirect_uri": "http://example.com/cb"},
        {"scope": "accounting.everything"},
        {"response_type": "token"},
        {"code_challenge": "x" * 43, "code_challenge_method": "plain"},
    ],
)
def test_wrong_questions_get_a_page_and_no_redirect(xero, wrong):
    assert xero.http.get("/identity/connect/authorize", params={**QUERY, **wrong}).status_code == 400


def test_a_code_works_once_and_for_five_minutes(xero, simulator):
    def code():
        form = {**QUERY, "organisation": xero.tokens.tenant_id, "decision": "allow"}
        answer = xero.http.post("/identity/connect/authorize", data=form)
        return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]

    def exchange(code):
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": QUERY["redirect_uri"]}
        return xero.http.post("/connect/token", data=form, auth=("simulator", "simulator-secret"))

    first = code()
    assert exchange(first).status_code == 200
    assert exchange(first).json() == {"error": "invalid_grant"}
    second = code()
    simulator.clock.advance(301)
    assert exchange(second).json() == {"error": "invalid_grant"}


def test_a_replaced_refresh_token_has_thirty_minutes_of_grace(xero, simulator):
    old = xero.tokens["refresh_token"]
    new = refresh(xero, old).json()["refresh_token"]
    assert new != old
    simulator.clock.advance(29 * 60)
    assert refresh(xero, old).status_code == 200
    simulator.clock.advance(2 * 60)
    assert refresh(xero, old).json() == {"error": "invalid_grant"}
    assert refresh(xero, new).status_code == 200


def test_access_tokens_expire_with_xeros_words(xero, simulator):
    simulator.clock.advance(1801)
    answer = xero.get("Organisation")
    assert answer.status_code == 401
    assert answer.json()["Detail"].startswith("TokenExpired: token expired at ")


def test_a_missing_scope_is_401_and_a_wrong_tenant_403(simulator):
    xero = Xero(simulator, scope="accounting.contacts.read")
    assert xero.get("Contacts").status_code == 200
    assert xero.put("Contacts", {"Name": "x"}).json()["Detail"] == "AuthorizationUnsuccessful"
    assert xero.get("Invoices").status_code == 401
    answer = xero.call("GET", "Contacts", headers={"xero-tenant-id": "nowhere"})
    assert (answer.status_code, answer.json()["Detail"]) == (403, "AuthenticationUnsuccessful")


def test_disconnecting_leaves_other_organisations_alone(simulator):
    other = simulator.add_organisation("demo-nz", "Second")
    xero = Xero(simulator)
    connect(xero.http, simulator, other.organisation_id)
    listed = xero.http.get("/Connections", headers=xero.tokens.headers).json()
    assert {one["tenantName"] for one in listed} == {"Demo Company (AU)", "Second"}
    first = next(one for one in listed if one["tenantId"] == xero.tokens.tenant_id)
    assert xero.http.delete(f"/connections/{first['id']}", headers=xero.tokens.headers).status_code == 204
    assert xero.get("Organisation").status_code == 403
    assert refresh(xero, xero.tokens["refresh_token"]).status_code == 200


def test_who_comes_back_is_known_from_the_first_time(xero, simulator):
    (first,) = xero.http.get("/connections", headers=xero.tokens.headers).json()
    assert first["createdDateUtc"] == first["updatedDateUtc"]
    assert xero.http.delete(f"/connections/{first['id']}", headers=xero.tokens.headers).status_code == 204
    simulator.clock.advance(60)
    (again,) = xero.http.get("/connections", headers=connect(xero.http, simulator).headers).json()
    assert again["createdDateUtc"] == first["createdDateUtc"] < again["updatedDateUtc"]


def test_revoking_ends_everything(xero):
    form = {"token": xero.tokens["refresh_token"]}
    answer = xero.http.post("/connect/revocation", data=form, auth=("simulator", "simulator-secret"))
    assert (answer.status_code, answer.content) == (200, b"")
    assert refresh(xero, xero.tokens["refresh_token"]).json() == {"error": "invalid_grant"}
    assert xero.get("Organisation").status_code == 403  # the access token lives on, with nothing connected to it
    assert xero.http.get("/connections", headers=xero.tokens.headers).json() == []


def test_pkce_needs_the_verifier_of_the_challenge():
    simulator = Simulator(client_secret=None)
    http = httpx2.Client(transport=FaultyTransport(simulator), base_url="http://localhost")
    verifier = "v" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {**QUERY, "code_challenge": challenge, "code_challenge_method": "S256"}
    assert http.get("/identity/connect/authorize", params=QUERY).status_code == 400

    def tokens(verifier):
        chosen = {**asked, "organisation": next(iter(simulator.organisations)), "decision": "allow"}
        answer = http.post("/identity/connect/authorize", data=chosen)
        code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": QUERY["redirect_uri"]}
        return http.post("/connect/token", data={**form, "client_id": "simulator", "code_verifier": verifier})

    assert tokens("w" * 50).json() == {"error": "invalid_grant"}
    assert tokens(verifier).json()["expires_in"] == 1800


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "client_credentials", "scope": "accounting.contacts"}, "unauthorized_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "made-up"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "made-up"}, "invalid_grant"),
    ],
)
def test_each_way_to_ask_wrongly_for_tokens_has_its_name(xero, form, error):
    answer = xero.http.post("/connect/token", data=form, auth=("simulator", "simulator-secret"))
    assert (answer.status_code, answer.json()) == (400, {"error": error})


@pytest.mark.parametrize("redirect", ["http://localhost/cb", "http://localhost:8000/cb?x=1"])
def test_any_page_of_this_machine_may_be_redirected_to(xero, redirect):
    page = xero.http.get("/identity/connect/authorize", params={**QUERY, "redirect_uri": redirect})
    assert page.status_code == 200


@pytest.mark.parametrize("secret", ["wrong", ""])
def test_a_wrong_secret_is_invalid_client(xero, secret):
    form = {"grant_type": "refresh_token", "refresh_token": xero.tokens["refresh_token"]}
    answer = xero.http.post("/connect/token", data=form, auth=("simulator", secret))
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_client"})
