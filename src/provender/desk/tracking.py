"""The tracking page: which property is which tracking category in Xero, and whether Xero has every option of ours."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from provender.basics.errors import ProvenderError
from provender.basics.wording import counted
from provender.desk.frame import DeskRequest, connected, member
from provender.people.roles import Doing
from provender.properties.models import Option, Property
from provender.suppliers.models import Supplier
from provender.sync import tracking_actions
from provender.sync.mirror import tracking_is_stale
from provender.sync.models import Connection, Problem
from provender.sync.tracking import MISSING, bind_category, check_tracking


@member(Doing.LOOK, post=Doing.BOOKS)
def tracking(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """The check of every bound property; sent, do what the button says."""
    connection = connected(supplier)
    if request.method == "POST":
        act = DOING.get(request.POST.get("do", ""))
        if act is None:
            raise Http404("No such thing to do.")
        messages.success(request, act(request, connection))
        return redirect("desk:xero-tracking", slug=supplier.slug)
    if request.method == "GET":
        _freshen(request, connection)
    bound = dict(connection.category_bindings.values_list("property", "category_id"))
    dropdowns = supplier.properties.filter(type=Property.Type.DROPDOWN)
    categories = list(connection.tracking_categories.all())
    options: dict[str, list[tuple[str, str]]] = {}
    for one in connection.tracking_options.filter(status="ACTIVE"):
        options.setdefault(one.category_id, []).append((one.option_id, one.name))
    context = {
        "connection": connection,
        "carriers": [(one, options.get(one.category_id, [])) for one in check_tracking(connection)],
        # One that is archived stays chosen where it is bound, so that saving changes nothing.
        "dropdowns": [
            (
                its,
                bound.get(its.pk, ""),
                [one for one in categories if one.status == "ACTIVE" or one.category_id == bound.get(its.pk)],
            )
            for its in dropdowns
        ],
        "waiting": Problem.objects.filter(connection=connection, cause=MISSING, solved_at=None).count(),
        "cause": MISSING,
    }
    return render(request, "desk/xero/tracking.html", context)


def _freshen(request: DeskRequest, connection: Connection) -> None:
    """Read the categories again when they may be out of date; if Xero can't be asked, what was read before shows."""
    known = connection.tracking_read_at is not None and connection.state == Connection.State.CONNECTED
    if known and request.membership.may(Doing.BOOKS) and tracking_is_stale(connection):
        try:
            tracking_actions.reload_tracking(connection)
        except ProvenderError as error:
            messages.warning(request, error.sentence)


def _check(request: DeskRequest, connection: Connection) -> str:
    tracking_actions.reload_tracking(connection)
    lacking = sum(not one.ok for one in check_tracking(connection))
    return "Read from Xero. Something is missing there." if lacking else "Read from Xero. Nothing is missing there."


def _make(request: DeskRequest, connection: Connection) -> str:
    made = tracking_actions.properties_from_xero(connection, request.user)
    names = ", ".join(its.name for its in made)
    return f"In step with Xero: {names}." if made else "The organisation has no active tracking categories."


def _bind(request: DeskRequest, connection: Connection) -> str:
    its = _property(request, connection)
    chosen, shown = request.POST.get("category", ""), request.POST.get("seen")
    bind_category(connection, its, chosen, by=request.user, shown=shown)
    return f"{its.name} is saved."


def _choose(request: DeskRequest, connection: Connection) -> str:
    option = _option(request, connection)
    chosen, shown = request.POST.get("xero_option", ""), request.POST.get("seen")
    count = tracking_actions.choose_option(connection, option, chosen, request.user, shown=shown)
    return f"{option.name} is saved.{_going(count)}"


def _add(request: DeskRequest, connection: Connection) -> str:
    option = _option(request, connection)
    count = tracking_actions.add_option(connection, option, request.user)
    return f"{option.name} is in Xero.{_going(count)}"


def _add_category(request: DeskRequest, connection: Connection) -> str:
    its = _property(request, connection)
    count = tracking_actions.add_category(connection, its, request.user)
    return f"{its.name} is in Xero.{_going(count)}"


def _restore(request: DeskRequest, connection: Connection) -> str:
    option = _option(request, connection)
    count = tracking_actions.restore_option(connection, option, request.user)
    return f"{option.name} is active in Xero again.{_going(count)}"


def _restore_category(request: DeskRequest, connection: Connection) -> str:
    its = _property(request, connection)
    count = tracking_actions.restore_category(connection, its, request.user)
    return f"{its.name} is active in Xero again.{_going(count)}"


def _going(count: int) -> str:
    return f" {counted(count, 'invoice')} on the way to Xero again." if count else ""


DOING: dict[str, Callable[[DeskRequest, Connection], str]] = {
    "check": _check,
    "make": _make,
    "bind": _bind,
    "choose": _choose,
    "add-option": _add,
    "restore-option": _restore,
    "add-category": _add_category,
    "restore-category": _restore_category,
}


def _option(request: DeskRequest, connection: Connection) -> Option:
    mine = Option.objects.filter(property__supplier=connection.supplier_id).select_related("property")
    return get_object_or_404(mine, pk=_uuid(request.POST.get("option", "")))


def _property(request: DeskRequest, connection: Connection) -> Property:
    return get_object_or_404(connection.supplier.properties, pk=_uuid(request.POST.get("property", "")))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404("No such thing.") from None
