"""The accounting API: from a request's facts to an answer, with everything that can stand between."""

from collections.abc import Iterable

from xero_simulator import messages
from xero_simulator.calls import Call, Incoming, Route
from xero_simulator.errors import (
    NotFound,
    NotImplementedHere,
    RequestRefused,
    Unauthorised,
)
from xero_simulator.faults import Strike
from xero_simulator.idempotency import KEPT_METHODS, KeyClash, fingerprint
from xero_simulator.oauth import Bearer
from xero_simulator.refusals import answer_clash, answer_refusal
from xero_simulator.resources import (
    accounts,
    bank_transactions,
    batch_payments,
    contacts,
    credit_notes,
    history,
    invoices,
    items,
    organisation,
    overpayments,
    payments,
    small_lists,
    tax_rates,
    tracking_categories,
)
from xero_simulator.simulator import Simulator
from xero_simulator.stats import endpoint_name
from xero_simulator.trouble import Act, carry_out, strike
from xero_simulator.wire import Answer, as_xml, compress

PREFIX = "/api.xro/2.0/"
MODULES = (
    organisation,
    accounts,
    tax_rates,
    tracking_categories,
    items,
    contacts,
    invoices,
    credit_notes,
    payments,
    batch_payments,
    overpayments,
    bank_transactions,
    history,
    small_lists,
)
ROUTES: list[Route] = [route for module in MODULES for route in module.ROUTES]

# Which scopes open a resource; the first is the granular one of 2026, the last the broad one before it.
SETTINGS = ("accounting.settings",)
TRANSACTIONS = ("accounting.invoices", "accounting.transactions")
PAYMENTS = ("accounting.payments", "accounting.transactions")
BANK = ("accounting.banktransactions", "accounting.transactions")
SCOPES_OF = {
    "organisation": SETTINGS,
    "organisations": SETTINGS,
    "accounts": SETTINGS,
    "taxrates": SETTINGS,
    "brandingthemes": SETTINGS,
    "currencies": SETTINGS,
    "users": SETTINGS,
    "trackingcategories": SETTINGS,
    "items": ("accounting.settings", *TRANSACTIONS),
    "contacts": ("accounting.contacts",),
    "invoices": TRANSACTIONS,
    "creditnotes": TRANSACTIONS,
    "payments": PAYMENTS,
    "batchpayments": PAYMENTS,
    "overpayments": PAYMENTS,
    "banktransactions": BANK,
}
# Endpoints that Xero has and we have not: they answer 501.
ELSEWHERE = {
    "banktransfers",
    "budgets",
    "contactgroups",
    "employees",
    "expenseclaims",
    "invoicereminders",
    "journals",
    "linkedtransactions",
    "manualjournals",
    "paymentservices",
    "prepayments",
    "purchaseorders",
    "quotes",
    "receipts",
    "repeatinginvoices",
    "reports",
    "setup",
}
PARTS_ELSEWHERE = {"attachments", "email", "pdf", "cisettings", "cissettings"}


def answer_call(simulator: Simulator, incoming: Incoming) -> Answer:
    """One call of the API. Raises DroppedLine when a fault says so."""
    simulator.stats.call(endpoint_name(incoming.method, incoming.path))
    struck = strike(simulator, incoming.method, incoming.path)
    simulator.deliver_due()
    limit_headers: dict[str, str] = {}
    try:
        answer = _admit(simulator, incoming, struck, limit_headers)
    except RequestRefused as refusal:
        answer = answer_refusal(simulator.switches, refusal)
    _count_refusal(simulator, answer)
    for watch in simulator.watchers:
        watch(incoming, answer)
    return _dress(answer, incoming, limit_headers)


def _count_refusal(simulator: Simulator, answer: Answer) -> None:
    if problem := answer.headers.get("X-Rate-Limit-Problem"):
        name = problem.lower()
        simulator.stats.refuse(f"429-{'app' if name == 'appminute' else name}")
    elif answer.status >= 400:
        simulator.stats.refuse(str(answer.status))


def _dress(answer: Answer, incoming: Incoming, limit_headers: dict[str, str]) -> Answer:
    """Headers of the limits, XML for those who asked for no JSON, gzip for those who take it."""
    dressed = Answer(answer.status, answer.body, answer.headers | limit_headers)
    if answer.is_json and answer.status in {200, 400} and not incoming.wants_json:
        dressed.body = as_xml(answer.body)
        dressed.headers["Content-Type"] = "text/xml; charset=utf-8"
    if "gzip" in incoming.headers.get("accept-encoding", ""):
        return compress(dressed)
    return dressed


def _admit(simulator: Simulator, incoming: Incoming, struck: Strike, limit_headers: dict[str, str]) -> Answer:
    """Past OAuth, scopes, tenant and limits, in this order."""
    with simulator.lock:
        bearer = simulator.oauth.read_bearer(incoming.headers.get("authorization"))
        parts = tuple(part for part in incoming.path.removeprefix(PREFIX).split("/") if part)
        check_scopes(bearer, parts, incoming.method)
        tenant_id = simulator.oauth.check_tenant(bearer, incoming.headers.get("xero-tenant-id"))
    with simulator.limits.metered(bearer.client_id, tenant_id) as headers:
        limit_headers.update(headers)
        return _answer_once(simulator, incoming, struck, parts, (bearer.client_id, tenant_id))


def check_scopes(bearer: Bearer, parts: tuple[str, ...], method: str) -> None:
    """Raises Unauthorised when the token's scopes do not reach this resource."""
    wanted = SCOPES_OF.get(parts[0].lower(), ()) if parts else ()
    if not wanted:
        return
    reading = {f"{scope}.read" for scope in wanted} if method == "GET" else set()
    if not bearer.scopes & (set(wanted) | reading):
        raise Unauthorised("AuthorizationUnsuccessful")


def _answer_once(
    simulator: Simulator, incoming: Incoming, struck: Strike, parts: tuple[str, ...], who: tuple[str, str]
) -> Answer:
    """Under the idempotency key, if there is one: a repeated request gets the answer of the first."""
    app_id, tenant_id = who
    key = incoming.headers.get("idempotency-key", "") if incoming.method in KEPT_METHODS else ""
    request = fingerprint(incoming.method, incoming.url, tenant_id, incoming.body) if key else ""

    def run() -> Answer:
        return _run(simulator, incoming, parts, who, key, request)

    def keep(answer: Answer) -> None:
        if key:
            with simulator.lock:
                simulator.idempotency.keep(app_id, key, request, answer)
                simulator.commit(simulator.organisations[tenant_id], (app_id, key))

    act = Act(run, keep, app_id, tenant_id)
    return _with_key(simulator, struck, act, (app_id, key)) if key else carry_out(simulator, struck, act)


def _with_key(simulator: Simulator, struck: Strike, act: Act, key: tuple[str, str]) -> Answer:
    """A second request with a key in flight waits for the lock and finds the first one's answer, or is refused."""
    with simulator.lock:
        if key in simulator.in_flight_keys and not simulator.switches["in_flight_duplicate_waits"]:
            return answer_clash(simulator.switches, KeyClash(messages.IDEMPOTENCY_IN_FLIGHT, 409))
        simulator.in_flight_keys.add(key)
    try:
        return carry_out(simulator, struck, act)
    finally:
        with simulator.lock:
            simulator.in_flight_keys.discard(key)


def _run(
    simulator: Simulator,
    incoming: Incoming,
    parts: tuple[str, ...],
    who: tuple[str, str],
    key: str,
    request: str,
) -> Answer:
    """Look the key up, do the work and commit it, all under the lock."""
    app_id, tenant_id = who
    with simulator.lock:
        if key:
            try:
                kept = simulator.idempotency.find(app_id, key, request)
            except KeyClash as clash:
                return answer_clash(simulator.switches, clash)
            if kept is not None:
                simulator.stats.replay()
                return kept
        books = simulator.organisations[tenant_id]
        call = Call(books, app_id, incoming.method, (), incoming.args, incoming.headers, incoming.body)
        answer = _handle(simulator, call, parts)
        if key:
            simulator.idempotency.keep(app_id, key, request, answer)
        if key or books.changes:
            simulator.commit(books, (app_id, key) if key else None)
        return answer


def _handle(simulator: Simulator, call: Call, parts: tuple[str, ...]) -> Answer:
    """The resource's own answer; whatever it had changed is undone when it refuses."""
    try:
        with call.books.as_a_whole():
            route, call.ids = find_route(call.method, parts)
            refuse_printing(call)
            return route.handler(call)
    except RequestRefused as refusal:
        return answer_refusal(simulator.switches, refusal)


def refuse_printing(call: Call) -> None:
    """Raises NotImplementedHere when a PDF is asked for."""
    if "application/pdf" in call.headers.get("accept", ""):
        raise NotImplementedHere("documents are not printed here")


def find_route(method: str, parts: tuple[str, ...]) -> tuple[Route, tuple[str, ...]]:
    """The handler and the ids in the path. Raises NotFound or NotImplementedHere."""
    candidates = [route for route in ROUTES if _fits(route.path, parts)]
    for route in candidates:
        if route.method == method:
            return route, tuple(part for part, name in zip(parts, route.path, strict=True) if name is None)
    if candidates or _is_elsewhere(parts):
        raise NotImplementedHere(f"{method} is not implemented")
    raise NotFound(messages.NOT_FOUND)


def _is_elsewhere(parts: Iterable[str]) -> bool:
    names = [part.lower() for part in parts]
    return bool(names) and (names[0] in ELSEWHERE or (names[0] in SCOPES_OF and not PARTS_ELSEWHERE.isdisjoint(names)))


def _fits(path: tuple[str | None, ...], parts: tuple[str, ...]) -> bool:
    if len(path) != len(parts):
        return False
    return all(name is None or name.lower() == part.lower() for name, part in zip(path, parts, strict=True))


def answer_outside(simulator: Simulator, method: str, path: str, act: Act) -> Answer:
    """A call outside the accounting API (tokens, connections): counted, and struck by faults like any other."""
    simulator.stats.call(endpoint_name(method, path))
    struck = strike(simulator, method, path)
    simulator.deliver_due()
    answer = carry_out(simulator, struck, act)
    _count_refusal(simulator, answer)
    return answer
