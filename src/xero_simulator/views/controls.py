"""The controls under /_simulator/: JSON, loopback only, no login."""

from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from typing import Any

import msgspec
from flask import Flask, Response, request

from xero_simulator.books import Books
from xero_simulator.calls import replaced
from xero_simulator.faults import UnknownFault
from xero_simulator.flasking import asked_simulator, respond
from xero_simulator.simulator import Simulator
from xero_simulator.switches import SWITCHES
from xero_simulator.wire import Answer, json_answer

LOOPBACK = ("127.", "::1", "::ffff:127.")
View = Callable[[Simulator], Answer]


class BadControl(ValueError):
    """The control's body makes no sense: told as 400 with a sentence."""


def add_routes(app: Flask) -> None:
    def control(path: str, method: str, act: View) -> None:
        app.add_url_rule(f"/_simulator/{path}", f"{method} {path}", _explaining(act), methods=[method])

    control("stats", "GET", lambda simulator: json_answer(simulator.stats.as_dict()))
    control("stats", "DELETE", lambda simulator: _done(simulator.stats.reset))
    control("faults", "GET", lambda simulator: json_answer(simulator.faults.as_dict()))
    control("faults", "POST", _set_faults)
    control("faults", "DELETE", lambda simulator: _done(simulator.faults.clear))
    control("clock", "GET", _show_clock)
    control("clock", "POST", _move_clock)
    control("lock-dates", "POST", _set_lock_dates)
    control("books", "GET", lambda simulator: json_answer(simulator.books()))
    control("organisations", "GET", _list_organisations)
    control("organisations", "POST", _add_organisation)
    control("switches", "GET", _show_switches)
    control("switches", "POST", _set_switches)
    control("limits", "GET", lambda simulator: json_answer(dict(simulator.limits.values)))
    control("limits", "POST", _set_limits)
    control("plan", "POST", _set_plan)
    control("late", "POST", lambda simulator: json_answer({"committed": simulator.deliver_late()}))
    control("webhooks", "GET", lambda simulator: json_answer(simulator.webhooks.show()))
    control("webhooks", "POST", lambda simulator: _done(simulator.webhooks.enable))
    control("reset", "POST", lambda simulator: _done(simulator.reset))


def is_loopback() -> bool:
    """Whether the request comes from this machine and no web page of somebody else's sent it."""
    local = (request.remote_addr or "").startswith(LOOPBACK)
    origin = request.headers.get("Origin")
    if origin is None:
        return local
    # The name too: a stranger's name may lead to this machine, and its pages then come from the same host.
    name = request.host.rpartition(":")[0] if ":" in request.host else request.host
    same = origin.partition("://")[2] == request.host
    return local and same and (name == "localhost" or name.strip("[]").startswith(LOOPBACK))


def _explaining(act: View) -> Callable[[], Response]:
    @wraps(act)
    def view() -> Response:
        try:
            return respond(act(asked_simulator()))
        except BadControl as error:
            return respond(json_answer({"error": str(error)}, 400))

    return view


def _done(act: Callable[[], object]) -> Answer:
    act()
    return json_answer({"done": True})


def _body() -> dict[str, Any]:
    try:
        body = msgspec.json.decode(request.get_data() or b"{}")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BadControl("the body is not JSON") from None
    if not isinstance(body, dict):
        raise BadControl("the body is not a JSON object")
    return body


def _set_faults(simulator: Simulator) -> Answer:
    body = _body()
    rules = body.get("faults", [])
    seed = body.get("seed", 0)
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules) or not isinstance(seed, int):
        raise BadControl("faults is a list of objects, seed a number")
    try:
        simulator.faults.set(rules, seed)
    except UnknownFault as error:
        raise BadControl(str(error)) from None
    return json_answer(simulator.faults.as_dict())


def _show_clock(simulator: Simulator) -> Answer:
    return json_answer({"now": simulator.clock.now().isoformat().replace("+00:00", "Z")})


def _move_clock(simulator: Simulator) -> Answer:
    body = _body()
    try:
        if "now" in body:
            simulator.clock.set(datetime.fromisoformat(str(body["now"])))
        else:
            simulator.clock.advance(float(body.get("advance", 0)))
    except (ValueError, TypeError, OverflowError):
        raise BadControl('say {"advance": seconds} or {"now": "2026-11-30T09:00:00Z"}') from None
    return _show_clock(simulator)


def _organisation(simulator: Simulator, wanted: object) -> Books:
    """By id or name; None is the first."""
    found = list(simulator.organisations.values())
    if wanted is None:
        return found[0]
    for books in found:
        if str(wanted) in {books.organisation_id, books.settings.name}:
            return books
    raise BadControl(f"there is no organisation {wanted!r}")


def _date(value: object) -> date | None:
    try:
        return None if value is None else date.fromisoformat(str(value))
    except ValueError:
        raise BadControl(f"{value!r} is not a date") from None


def _set_lock_dates(simulator: Simulator) -> Answer:
    body = _body()
    names = ("period_lock_date", "end_of_year_lock_date")
    changes = {name: _date(body[name]) for name in names if name in body}
    with simulator.lock:
        books = _organisation(simulator, body.get("organisation"))
        books.put(replaced(books.settings, **changes))
        simulator.commit(books)
        shown = {name: day.isoformat() if (day := getattr(books.settings, name)) else None for name in names}
    return json_answer({"organisation": books.organisation_id} | shown)


def _set_plan(simulator: Simulator) -> Answer:
    """How many sales invoices and how many bills a month the plan lets approve (null is no limit), and whether it
    knows other currencies than the organisation's own.
    """
    body = _body()
    limits = ("approval_limit", "bill_approval_limit")
    changes = {name: body[name] for name in (*limits, "multicurrency") if name in body}
    if any(changes.get(name) is not None and type(changes[name]) is not int for name in limits):
        raise BadControl(f"{' and '.join(limits)} are whole numbers or null")
    if not isinstance(changes.get("multicurrency", True), bool):
        raise BadControl("multicurrency is true or false")
    with simulator.lock:
        books = _organisation(simulator, body.get("organisation"))
        books.put(replaced(books.settings, **changes))
        simulator.commit(books)
        shown = {name: getattr(books.settings, name) for name in (*limits, "multicurrency")}
    return json_answer({"organisation": books.organisation_id} | shown)


def _show_organisation(books: Books) -> dict[str, str]:
    settings = books.settings
    return {"OrganisationID": settings.id, "Name": settings.name, "organisation": settings.template}


def _list_organisations(simulator: Simulator) -> Answer:
    shown = [_show_organisation(books) for books in simulator.organisations.values()]
    return json_answer({"organisations": shown})


def _add_organisation(simulator: Simulator) -> Answer:
    body = _body()
    name = body.get("name")
    try:
        books = simulator.add_organisation(str(body.get("organisation", "demo-au")), str(name) if name else None)
    except KeyError as error:
        raise BadControl(f"there is no organisation template {error}") from None
    return json_answer(_show_organisation(books))


def _show_switches(simulator: Simulator) -> Answer:
    explain = request.args.get("explain", "").lower() in {"1", "true"}
    return json_answer(simulator.switches.explained() if explain else simulator.switches.as_dict())


def _set_switches(simulator: Simulator) -> Answer:
    body = _body()
    if not all(isinstance(value, bool) for value in body.values()):
        raise BadControl("a switch is true or false")
    try:
        simulator.switches.update(body)
    except KeyError as error:
        raise BadControl(f"there is no switch {error}; there are {', '.join(SWITCHES)}") from None
    simulator.save_kernel()
    return _show_switches(simulator)


def _set_limits(simulator: Simulator) -> Answer:
    body = _body()
    if not all(value is None or (type(value) is int and value >= 0) for value in body.values()):
        raise BadControl("a limit is a whole number, or null for none")
    try:
        simulator.limits.set(body)
    except KeyError as error:
        raise BadControl(f"there is no limit {error}") from None
    return json_answer(dict(simulator.limits.values))
