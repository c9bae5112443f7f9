"""What stands around every staff page: who may open it, and what the bars at its edges show.

A view of a wholesaler is written so:

    @member(Doing.LOOK, post=Doing.TRADE)          # reading needs LOOK, sending a form needs TRADE
    def customer(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
        venue = get_object_or_404(supplier.customers, pk=pk)       # always start from the supplier
        ...
        return render(request, "desk/customers/customer.html", {"customer": venue})

and its address `path("w/<slug:slug>/customers/<uuid:pk>", customers.customer, name="customer")`.

* A stranger to the wholesaler gets 404, who isn't logged in the login page, a member whose role may not the 403 page.
* Without `post=`, a view that needs only LOOK answers 405 to a form; one that needs more takes forms by the same right.
* A `ProvenderError` that a form's view doesn't show by itself becomes a message on the page where the person was.
* What it answers is kept by nobody on the way, and by a browser only to be asked about again.
* While the view runs, the time zone is the wholesaler's, so templates show its local times.
* The character zero is taken out of what came with the address or the form.
* `request.supplier` and `request.membership` are there; templates have `supplier`, `membership`, `may.trade`,
  `may.books`, `may.run`, and `frame` (`frame.places`, `frame.problems`, `frame.xero`, `frame.suppliers`), each read
  from the database only if the template shows it.

A page extends `desk/base.html` and fills the blocks `title` and `main`:

    {% extends "desk/base.html" %}{% load desk heroicons %}
    {% block title %}{{ customer }}{% endblock %}
    {% block main %}
    <div class="head"><div><h1>{{ customer }}</h1><p>The one sentence that matters.</p></div>
      <div class="row">{% if may.trade %}<a class="btn primary" href="…">New customer</a>{% endif %}</div></div>
    <section class="card"><header><h2>…</h2></header><div class="body">…</div></section>
    {% endblock %}

Form pages include `desk/parts/form.html` (its first lines say what it takes), timelines `desk/parts/story.html`, bars
`desk/parts/bars.html`. Filters for money, quantities and times are in `templatetags/desk.py`. What
`django.contrib.messages` is told shows above the page. No inline style or script: the content security policy refuses
both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, QueryDict
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from provender.basics.errors import ProvenderError
from provender.people.models import Membership, User
from provender.people.queries import memberships_of
from provender.people.roles import Doing
from provender.suppliers.models import Supplier
from provender.sync.connections import connection_of
from provender.sync.models import Connection
from provender.sync.queries import XeroLine, xero_line

READING = ("GET", "HEAD", "OPTIONS")
LAST = "supplier"  # the session's key for the wholesaler that this person looked at last


class DeskRequest(HttpRequest):
    """A request that `member` let in."""

    user: User
    htmx: HtmxDetails
    supplier: Supplier
    membership: Membership


Rest = ParamSpec("Rest")
View = Callable[Concatenate[DeskRequest, Supplier, Rest], HttpResponseBase]


def member(doing: Doing, *, post: Doing | None = None) -> Callable[[View[Rest]], Callable[..., HttpResponseBase]]:
    """Only members of the wholesaler in the address whose role may do `doing` (to send a form: `post`) come in."""

    def decorate(view: View[Rest]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def gate(request: DeskRequest, slug: str, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_login(request)
            membership = _membership(request.user, slug)
            needed = doing if request.method in READING else (post or doing)
            if not membership.may(needed):
                raise PermissionDenied(f"Your role here, {membership.get_role_display()}, may not {needed.label}.")
            if request.method not in READING and needed == Doing.LOOK:
                return HttpResponseNotAllowed(READING)
            request.membership, request.supplier = membership, membership.supplier
            _drop_zeros(request)
            if request.session.get(LAST) != slug:
                request.session[LAST] = slug
            with timezone.override(ZoneInfo(membership.supplier.time_zone)):
                try:
                    answer = view(request, membership.supplier, *args, **kwargs)
                except ProvenderError as error:
                    if request.method in READING:
                        raise
                    messages.error(request, error.sentence)
                    return back(request)
                answer.headers.setdefault("Cache-Control", "private, no-cache")
                return answer

        return gate

    return decorate


def _drop_zeros(request: HttpRequest) -> None:
    """Nobody types the character zero, and PostgreSQL refuses it even in what is only looked for."""
    for name in ("GET", "POST"):
        came: QueryDict = getattr(request, name)
        if any("\0" in text for _, texts in came.lists() for text in texts):
            kept = came.copy()
            for key, texts in came.lists():
                kept.setlist(key, [text.replace("\0", "") for text in texts])
            setattr(request, name, kept)


def back(request: DeskRequest) -> HttpResponse:
    """To the page of ours that the person came from, else to Today."""
    came_from = request.headers.get("referer", "")
    here = {request.get_host()}
    if url_has_allowed_host_and_scheme(came_from, allowed_hosts=here, require_https=request.is_secure()):
        parts = urlsplit(came_from)
        return redirect((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    return redirect("desk:today", slug=request.supplier.slug)


def connected(supplier: Supplier) -> Connection:
    """The live connection to Xero. Raises Http404 without one: the page is about nothing then."""
    connection = connection_of(supplier)
    if connection is None:
        raise Http404("Not connected.")
    return connection


def _to_login(request: DeskRequest) -> HttpResponse:
    """The login page; an htmx request would swap it into the middle of a page, so the browser is sent there."""
    if request.htmx:
        return HttpResponseClientRedirect(resolve_url("account_login"))
    return redirect_to_login(request.get_full_path())


def _membership(user: User, slug: str) -> Membership:
    membership = memberships_of(user).filter(supplier__slug=slug).first()
    if membership is None:
        raise Http404("No such wholesaler.")  # the same answer whether it exists or not
    return membership


@dataclass(frozen=True)
class Place:
    """One entry of the bars: a room of the product and the address names that belong to it."""

    label: str
    name: str
    icon: str
    prefixes: tuple[str, ...]
    on_phone: bool = False


PLACES = (
    Place("Today", "today", "home", ("today",), on_phone=True),
    Place("Orders", "orders", "clipboard-document-list", ("order",), on_phone=True),
    Place("Invoices", "invoices", "document-text", ("invoice",), on_phone=True),
    Place("Customers", "customers", "building-storefront", ("customer",), on_phone=True),
    Place("Money", "payments", "banknotes", ("payment", "payout", "credit-note", "allocation")),
    Place("Products", "products", "tag", ("product", "price-list", "categor", "list-file")),
    Place("Xero", "xero", "arrows-right-left", ("xero", "problem", "activity")),
    Place(
        "Settings",
        "settings",
        "cog-6-tooth",
        ("settings", "people", "person", "freight", "import", "invitation", "integration", "propert"),
    ),
)


@dataclass(frozen=True)
class ShownPlace:
    """An entry as the bars show it."""

    label: str
    url: str
    icon: str
    current: bool
    count: int
    on_phone: bool


class Frame:
    """What the bars show; each part is read when a template first asks for it, and once a request."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def memberships(self) -> list[Membership]:
        user = getattr(self._request, "user", None)  # an error page may come from before the login is known
        if user is None or not user.is_authenticated:
            return []
        return list(memberships_of(user))

    @cached_property
    def membership(self) -> Membership | None:
        """Of the page; on a page of no wholesaler (account pages), of the one looked at last."""
        if hasattr(self._request, "membership"):
            return self._request.membership  # type: ignore[no-any-return]
        last = self._request.session.get(LAST) if hasattr(self._request, "session") else None
        mine = self.memberships
        return next((m for m in mine if m.supplier.slug == last), mine[0] if mine else None)

    @cached_property
    def supplier(self) -> Supplier | None:
        return self.membership.supplier if self.membership else None

    @cached_property
    def suppliers(self) -> list[Supplier]:
        """All that this person works for, by name."""
        return [m.supplier for m in self.memberships]

    @cached_property
    def may(self) -> dict[str, bool]:
        """By `trade`, `books`, `run`: whether this person may."""
        return {doing.value: bool(self.membership and self.membership.may(doing)) for doing in Doing}

    @cached_property
    def problems(self) -> int:
        """How many documents need a person."""
        return self.xero.needing if self.xero else 0

    @cached_property
    def xero(self) -> XeroLine | None:
        """The one line about Xero: `state`, `sentence`, `waiting`, `problems`, `checked_at`."""
        return xero_line(self.supplier) if self.supplier else None

    @cached_property
    def places(self) -> list[ShownPlace]:
        supplier, match = self.supplier, self._request.resolver_match
        if supplier is None:
            return []
        here = match.url_name or "" if match and match.app_name == "desk" else ""
        return [
            ShownPlace(
                label=place.label,
                url=reverse(f"desk:{place.name}", args=[supplier.slug]),
                icon=place.icon,
                current=here.startswith(place.prefixes),
                count=self.problems if place.name == "xero" else 0,
                on_phone=place.on_phone,
            )
            for place in PLACES
        ]

    @cached_property
    def elsewhere(self) -> bool:
        """Whether the page's place is under "More" on a phone."""
        return any(place.current and not place.on_phone for place in self.places)

    @cached_property
    def new_order(self) -> str:
        """Where the key `n` goes; nowhere for those who may not take orders."""
        if not self.supplier or not self.may["trade"]:
            return ""
        return reverse("desk:order-new", args=[self.supplier.slug])


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the frame, and the parts of it that most templates name."""
    around = Frame(request)
    return {
        "frame": around,
        "supplier": SimpleLazyObject(lambda: around.supplier),
        "membership": SimpleLazyObject(lambda: around.membership),
        "may": SimpleLazyObject(lambda: around.may),
    }
