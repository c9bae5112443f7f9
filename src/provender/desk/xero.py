"""The Xero page: how the link to Xero stands, connecting through Xero's consent page, disconnecting."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from provender import engine
from provender.basics import clock
from provender.basics.errors import ProvenderError
from provender.basics.wording import counted
from provender.changes.actions import DRAIN
from provender.desk.choosing import as_uuid
from provender.desk.frame import DeskRequest, back, connected, member
from provender.people.models import User
from provender.people.queries import memberships_of
from provender.people.roles import Doing
from provender.suppliers.models import Supplier
from provender.sync import actions, choices, connecting, queries
from provender.sync.connections import last_connection
from provender.sync.drain import drain
from provender.sync.models import ConnectAttempt, Connection
from provender.sync.outstanding import outstanding
from provender.sync.poll import POLL, check_now
from provender.sync.session import asking_for_a_person

SCOPES = {
    "accounting.invoices": "invoices and credit notes",
    "accounting.payments": "payments",
    "accounting.banktransactions": "bank transactions",
    "accounting.contacts": "contacts",
    "accounting.settings": "accounts, tax rates and items",
    "accounting.transactions": "invoices, credit notes and payments",
}
READ_HERE = 1000  # one page of invoices
SENT_HERE = 50  # as many as one call carries; a person waits no longer than for that
UNSAID = frozenset({"offline_access", "openid", "profile", "email"})  # they open no books
FAILURES = {
    "app-not-set-up": "Provender has no Xero app yet",
    "consent-cancelled": "Nothing was connected",
    "state-unknown": "That answer from Xero was not expected",
    "app-refused": "Xero doesn’t accept this Provender’s app",
    "code-refused": "Xero didn’t accept the code",
    "no-organisation": "No organisation was chosen",
    "organisation-taken": "That organisation is connected already",
    "already-connected": "Another organisation is connected",
    "xero-busy": "Xero can’t be asked right now",
    "needs-reconnecting": "Xero let us in and shut the door",
    "xero-refused": "Xero refused",
}
STATUSES = {"consent-cancelled": 200, "xero-busy": 503}  # who cancels did nothing wrong; the rest is a bad request
NOT_YOURS_TO_REPEAT = frozenset({"app-not-set-up", "app-refused", "already-connected"})  # trying again changes nothing


@member(Doing.LOOK)
def integrations(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """What this wholesaler can be linked with: the Xero tile."""
    connection = last_connection(supplier)
    return render(request, "desk/xero/integrations.html", {"connection": connection})


@member(Doing.LOOK)
def xero(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """How the link stands: connected, in need of a new consent, disconnected, or not there yet."""
    connection = last_connection(supplier)
    context: dict[str, Any] = {"connection": connection}
    if connection is not None:
        context |= {
            "line": queries.xero_line(supplier),
            "scopes": _scopes(connection),
            "day_left": _day_left(connection),
        }
    if connection is not None and connection.state == Connection.State.CONNECTED:
        context |= {
            "promises": choices.check_promises(connection),
            "rate_differs": choices.tax_rate_differs(supplier, connection),
        }
    return render(request, "desk/xero/xero.html", context)


def _scopes(connection: Connection) -> list[tuple[str, str]]:
    """What the consent opens, as (words, Xero's name for it)."""
    given = connection.consent.scopes.split() if connection.consent else []
    return [(SCOPES.get(scope, scope), scope) for scope in given if scope not in UNSAID]


def _day_left(connection: Connection) -> int | None:
    """Calls that Xero still allows today; None when nothing was asked since the day began anew."""
    resets = connection.day_resets_at
    return connection.day_left if resets and resets > clock.now() else None


@member(Doing.LOOK)
def skus(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """The products whose SKU is no item in Xero."""
    connection = connected(supplier)
    missing = choices.check_promises(connection).skus_missing
    page = Paginator(missing, 100).get_page(request.GET.get("page"))
    products = supplier.products.filter(sku__in=page.object_list).order_by("sku")
    return render(request, "desk/xero/skus.html", {"page": page, "products": products, "connection": connection})


# --- consent ------------------------------------------------------------------------------------------------------


@member(Doing.BOOKS)
@require_POST
def connect(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """Off to Xero's consent page."""
    try:
        return HttpResponseRedirect(connecting.begin(supplier, request.user))
    except ProvenderError as error:
        return _failed(request, error, supplier)


@login_required
def callback(request: HttpRequest) -> HttpResponse:
    """Back from Xero's consent page: connect the one organisation, or ask which."""
    person = _person(request)
    try:
        attempt = connecting.finish(request.GET.dict(), person)
    except ProvenderError as error:
        return _failed(request, error)
    membership = memberships_of(person).filter(supplier=attempt.supplier).first()
    if membership is None or not membership.may(Doing.BOOKS):
        raise PermissionDenied(f"You may not connect {attempt.supplier}.")
    if len(attempt.tenants) > 1:
        return redirect("desk:xero-choose", slug=attempt.supplier.slug, pk=attempt.pk)
    return _connect(request, attempt, attempt.tenants[0]["tenant_id"], person)


@member(Doing.BOOKS)
def choose(request: DeskRequest, supplier: Supplier, pk: int) -> HttpResponse:
    """Which of the organisations that the consent opened."""
    mine = ConnectAttempt.objects.select_related("consent", "supplier").filter(supplier=supplier, user=request.user)
    attempt = get_object_or_404(mine.filter(began_at__gt=clock.now() - connecting.ATTEMPT_LIVES), pk=pk)
    if request.method == "POST":
        return _connect(request, attempt, request.POST.get("organisation", ""), request.user)
    return render(request, "desk/xero/choose.html", {"attempt": attempt})


def _connect(request: HttpRequest, attempt: ConnectAttempt, tenant: str, person: User) -> HttpResponse:
    supplier = attempt.supplier
    try:
        connection = connecting.choose(attempt, tenant, person)
    except ProvenderError as error:
        return _failed(request, error, supplier, attempt)
    if connection.settings_saved_at:
        messages.success(request, f"Connected to {connection.organisation}. Its links and settings are as they were.")
    else:
        messages.success(
            request, f"Connected to {connection.organisation}. Look over the accounts proposed below, then save."
        )
    return redirect("desk:xero-settings", slug=supplier.slug)


def _failed(
    request: HttpRequest, error: ProvenderError, supplier: Supplier | None = None, attempt: ConnectAttempt | None = None
) -> HttpResponse:
    """The page of a connection that didn't come about: what happened and a way on."""
    several = attempt is not None and len(attempt.tenants) > 1
    context = {
        "error": error,
        "title": FAILURES.get(error.code, "Nothing was connected"),
        "attempt": attempt if several else None,
        "again": error.code not in NOT_YOURS_TO_REPEAT,
    }
    if supplier is not None:
        context["supplier"] = supplier
    return render(request, "desk/xero/failed.html", context, status=STATUSES.get(error.code, 400))


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied("Log in first.")
    return request.user


# --- what a person does with a connection -------------------------------------------------------------------------


@member(Doing.BOOKS)
def disconnect(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """Ask, saying what is kept; then end the connection."""
    connection = connected(supplier)
    if request.method == "POST":
        connecting.disconnect(connection, request.user)
        messages.success(request, f"Disconnected from {connection.organisation}. Links and settings are kept.")
        return redirect("desk:xero", slug=supplier.slug)
    line = queries.xero_line(supplier)
    return render(request, "desk/xero/disconnect.html", {"connection": connection, "line": line})


@member(Doing.BOOKS)
@require_POST
def reload_chart(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """Read accounts, tax rates and items again."""
    connection = connected(supplier)
    actions.reload_chart(connection, request.user)
    accounts, items = connection.accounts.count(), connection.items.count()
    messages.success(request, f"Read from Xero: {counted(accounts, 'account')} and {counted(items, 'item')}.")
    return back(request)


@member(Doing.BOOKS)
@require_POST
def check(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """Ask Xero whether we are still let in, then send what waits: a little here and now, much by the worker."""
    connection = connected(supplier)
    with asking_for_a_person(connection) as session:
        session.client.organisation()
    Connection.objects.filter(pk=connection.pk).update(drain_after=None, drain_why="", app_refused_at=None)
    if outstanding(connection).count() <= SENT_HERE:
        drain(connection)
    else:
        engine.wake(DRAIN)
    read = _read_payments(connection) if connection.mark_as_paid else ""
    messages.success(request, f"Xero answered. {queries.xero_line(supplier).sentence}{read}")
    return back(request)


def _read_payments(connection: Connection) -> str:
    """Read back what was paid, here and now; the very first time, which may be long, by the worker."""
    if connection.invoices_read_to is None and connection.links.filter(kind="invoice").count() > READ_HERE:
        Connection.objects.filter(pk=connection.pk).update(poll_after=None)
        engine.wake(POLL)
        return " Payments are being read."
    tally = check_now(connection)
    told = [counted(count, noun) for count, noun in ((tally.payments, "payment"), (tally.credits, "credit")) if count]
    if tally.removed:
        told.append(f"{tally.removed} taken back")
    return f" {' and '.join(told)} read." if told else " No payment is new."


@member(Doing.BOOKS)
@require_POST
def send(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """Let these invoices or credit notes go now: "Send to Xero", "Send again"."""
    # A forged form may hold anything: what is no id is passed over.
    invoices, credit_notes = (
        list(filter(None, map(as_uuid, request.POST.getlist(kind)))) for kind in ("invoice", "credit_note")
    )
    count = actions.send_now(supplier, invoices, request.user)
    credits_ = sum(actions.send_credit_note_now(supplier, each, request.user) for each in credit_notes)
    if count or credits_:
        what = [counted(number, noun) for number, noun in ((count, "invoice"), (credits_, "credit note")) if number]
        messages.success(request, f"{' and '.join(what)} on the way to Xero.")
    else:
        messages.info(request, "There is nothing to send: Xero has the newest version already.")
    return back(request)
