"""OAuth over HTTP: the consent page, tokens, revocation, connections, discovery."""

import base64
import binascii
from collections.abc import Callable
from functools import partial
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, redirect, render_template, request

from xero_simulator.api import answer_outside
from xero_simulator.clock import from_ms
from xero_simulator.errors import RequestRefused
from xero_simulator.flasking import asked_simulator, respond
from xero_simulator.oauth import ISSUER, App, Connection, OAuthError
from xero_simulator.refusals import answer_refusal
from xero_simulator.simulator import Simulator
from xero_simulator.trouble import Act
from xero_simulator.wire import Answer, json_answer, text_answer

WORDS = {
    "openid": "Know who you are",
    "profile": "See your name",
    "email": "See your e-mail address",
    "offline_access": "Stay connected when you are not there",
    "accounting.invoices": "Invoices, credit notes and items",
    "accounting.payments": "Payments and batch payments",
    "accounting.banktransactions": "Bank transactions",
    "accounting.contacts": "Contacts",
    "accounting.settings": "Organisation settings, accounts, tax rates and tracking",
    "accounting.attachments": "Attachments",
    "accounting.transactions": "Invoices, payments and bank transactions",
}
PASSED_ON = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "acr_values",
)


def _nothing(_answer: Answer) -> None:
    """Tokens have no idempotency keys, so there is no answer to remember."""


def add_routes(app: Flask) -> None:
    def under_faults(path: str, run: Callable[[Simulator], Answer]) -> Response:
        simulator = asked_simulator()
        return respond(answer_outside(simulator, request.method, path, Act(partial(run, simulator), _nothing)))

    @app.get("/identity/connect/authorize")
    def ask() -> Response | tuple[str, int]:
        simulator, query = asked_simulator(), _query(request.args)
        try:
            asking = simulator.oauth.check_authorise(query)
        except OAuthError as error:
            return render_template("consent_refused.html", error=error), 400
        return _page(simulator, asking, query), 200

    @app.post("/identity/connect/authorize")
    def decide() -> Response | tuple[str, int]:
        simulator, query = asked_simulator(), _query(request.form)
        with simulator.lock:
            try:
                asking = simulator.oauth.check_authorise(query)
            except OAuthError as error:
                return render_template("consent_refused.html", error=error), 400
            if request.form.get("decision") != "allow":
                return _back(query, error="access_denied", error_description="The user denied the request")
            chosen = [one for one in request.form.getlist("organisation") if one in simulator.organisations]
            if not chosen or (len(chosen) > 1 and not _may_choose_many(simulator, query)):
                return _page(simulator, asking, query, "Choose one organisation."), 400
            code = simulator.oauth.allow(query, chosen)
            simulator.commit()
        return _back(query, code=code, scope=query["scope"], session_state="simulator")

    @app.post("/connect/token")
    def token() -> Response:
        form = dict(request.form.items())
        caller = _credentials(form)
        return under_faults("/connect/token", lambda simulator: _token(simulator, caller, form))

    @app.post("/connect/revocation")
    def revoke() -> Response:
        form = dict(request.form.items())
        caller = _credentials(form)
        return under_faults("/connect/revocation", lambda simulator: _revoke(simulator, caller, form))

    @app.get("/connections")
    @app.get("/Connections")
    def connections() -> Response:
        header, event = request.headers.get("Authorization"), request.args.get("authEventId")
        return under_faults("/connections", lambda simulator: _connections(simulator, header, event))

    @app.delete("/connections/<connection_id>")
    @app.delete("/Connections/<connection_id>")
    def disconnect(connection_id: str) -> Response:
        header = request.headers.get("Authorization")
        return under_faults(
            f"/connections/{connection_id}", lambda simulator: _disconnect(simulator, header, connection_id.lower())
        )

    @app.get("/.well-known/openid-configuration")
    def discover() -> Response:
        return respond(_discovery(asked_simulator(), request.url_root.rstrip("/")))


def _query(source: dict[str, str]) -> dict[str, str]:
    return {name: source[name] for name in PASSED_ON if name in source}


def _may_choose_many(simulator: Simulator, query: dict[str, str]) -> bool:
    refused = len(simulator.organisations) == 1 or "bulk_connect:false" in query.get("acr_values", "")
    return not refused and simulator.switches["bulk_connections"]


def _page(simulator: Simulator, asking: App, query: dict[str, str], complaint: str | None = None) -> str:
    return render_template(
        "consent.html",
        app=asking,
        scopes=[_in_words(scope) for scope in query["scope"].split()],
        organisations=[books.settings for books in simulator.organisations.values()],
        many=_may_choose_many(simulator, query),
        hidden=query,
        complaint=complaint,
        host=urlsplit(query["redirect_uri"]).netloc,
    )


def _in_words(scope: str) -> str:
    words = WORDS.get(scope.removesuffix(".read"), scope)
    return f"{words} (only reading)" if scope.endswith(".read") else words


def _back(query: dict[str, str], **facts: str) -> Response:
    """Back to the app, with its state."""
    if "state" in query:
        facts["state"] = query["state"]
    joint = "&" if "?" in query["redirect_uri"] else "?"
    return redirect(query["redirect_uri"] + joint + urlencode(facts), 302)  # type: ignore[return-value]


def _credentials(form: dict[str, str]) -> tuple[str | None, str | None]:
    """Client id and secret: from Basic authentication, or from the form."""
    scheme, _, encoded = (request.headers.get("Authorization") or "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None, None
        return client_id, secret
    return form.get("client_id"), form.get("client_secret")


def _token(simulator: Simulator, caller: tuple[str | None, str | None], form: dict[str, str]) -> Answer:
    with simulator.lock:
        try:
            app = simulator.oauth.authenticate(*caller)
            tokens = simulator.oauth.grant(app, form)
        except OAuthError as error:
            return json_answer({"error": error.code}, 400)
        simulator.commit()
    answer = json_answer(tokens)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _revoke(simulator: Simulator, caller: tuple[str | None, str | None], form: dict[str, str]) -> Answer:
    with simulator.lock:
        try:
            app = simulator.oauth.authenticate(*caller)
        except OAuthError as error:
            return json_answer({"error": error.code}, 400)
        simulator.oauth.revoke(app, form)
        simulator.commit()
    return Answer(200)


def _connections(simulator: Simulator, header: str | None, event: str | None) -> Answer:
    with simulator.lock:
        try:
            bearer = simulator.oauth.read_bearer(header)
        except RequestRefused as refusal:
            return answer_refusal(simulator.switches, refusal)
        found = simulator.oauth.connections(bearer.client_id, bearer.user_id)
        return json_answer([_show(simulator, c) for c in found if event is None or c.auth_event_id == event])


def _show(simulator: Simulator, connection: Connection) -> dict[str, object]:
    return {
        "id": connection.id,
        "authEventId": connection.auth_event_id,
        "tenantId": connection.tenant_id,
        "tenantType": "ORGANISATION",
        "tenantName": simulator.organisations[connection.tenant_id].settings.name,
        "createdDateUtc": _seven_digits(connection.created),
        "updatedDateUtc": _seven_digits(connection.updated),
    }


def _seven_digits(milliseconds: int) -> str:
    return from_ms(milliseconds).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"


def _disconnect(simulator: Simulator, header: str | None, connection_id: str) -> Answer:
    with simulator.lock:
        try:
            bearer = simulator.oauth.read_bearer(header)
        except RequestRefused as refusal:
            return answer_refusal(simulator.switches, refusal)
        own = {c.id for c in simulator.oauth.connections(bearer.client_id, bearer.user_id)}
        if connection_id not in own:
            return text_answer("The connection could not be found.", 404)
        simulator.oauth.disconnect(connection_id)
        simulator.commit()
    return Answer(204)


def _discovery(simulator: Simulator, root: str) -> Answer:
    if not simulator.switches["discovery_published"]:
        return text_answer("Not found", 404)
    return json_answer(
        {
            "issuer": ISSUER,
            "authorization_endpoint": f"{root}/identity/connect/authorize",
            "token_endpoint": f"{root}/connect/token",
            "revocation_endpoint": f"{root}/connect/revocation",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }
    )
