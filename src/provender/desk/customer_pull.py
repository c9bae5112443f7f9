"""Customers from Xero: "Read contacts", say of each who it is, apply, see what happened, undo.

As with products (`pull.py`) the preview is one form, and every button in it first keeps what was chosen in the rows
that are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from provender.basics.wording import counted
from provender.desk.frame import DeskRequest, connected, member
from provender.desk.pull import View, chosen_here, find_pull, first_view, rows_of_pulls, where_to
from provender.people.roles import Doing
from provender.suppliers.models import Supplier
from provender.sync import customer_pulls as reading
from provender.sync import customers, previews
from provender.sync.customer_pulls import CHOSEN, Offer, Tally
from provender.sync.likeness import EMAIL, NAME, TAX
from provender.sync.models import CustomerPull, CustomerPullRow
from provender.sync.standing import customers_linked

PAGE = 50
State = CustomerPullRow.State
TONES = {
    State.SUGGESTED: "warn",
    State.QUESTION: "warn",
    State.NEW: "info",
    State.SUPPLIER: "",
    State.LINKED: "ok",
    State.HERE: "",
    State.REFUSED: "danger",
}
DONE = {"new": "Added", "link": "Linked", "not": "Not the same"}
SIGNS = ((TAX, "tax number"), (NAME, "name"), (EMAIL, "e-mail address"))


@dataclass(frozen=True)
class Shown:
    """A row as the page shows it: who the contact may be, what it would become, and which customer it is by now."""

    row: CustomerPullRow
    tone: str
    offers: Sequence[Offer]
    after: Sequence[str]
    customer: UUID | None
    customer_name: str
    done: str

    @property
    def open(self) -> bool:
        """Whether there is something to choose."""
        return bool(customers.choices_of(self.row)) and self.customer is None


@member(Doing.LOOK, post=Doing.BOOKS)
def pulls(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """What was pulled so far; the button reads Xero's contacts and leads to the preview."""
    connection = connected(supplier)
    if request.method == "POST":
        pull = customers.pull_customers(connection, request.user)
        return redirect("desk:xero-customer-pull", slug=supplier.slug, pk=pull.pk)
    context = {
        "connection": connection,
        "pulls": rows_of_pulls(previews.pulls_of(CustomerPull, supplier).filter(connection=connection), "contacts"),
        "linked": customers_linked(connection),
        "customers": supplier.customers.count(),
    }
    return render(request, "desk/xero/customers.html", context)


@member(Doing.LOOK, post=Doing.BOOKS)
def show_pull(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """The preview, or what happened. A form keeps the choices, then does what its button says."""
    pull = find_pull(CustomerPull, supplier, pk)
    if request.method == "POST":
        return _do(request, pull)
    tally = reading.tally(pull)
    view = request.GET.get("show", first_view(tally.states, State.SUGGESTED, State.QUESTION, State.NEW))
    rows = reading.rows_of(pull, view, request.GET.get("q", "").strip())
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "pull": pull,
        "tally": tally,
        "view": view,
        "views": _views(tally, view),
        "page": page,
        "rows": _shown(pull, list(page.object_list)),
        "signs": [(sign, label, tally.signs[sign]) for sign, label in SIGNS if tally.signs[sign]],
        "editable": pull.state == CustomerPull.State.PREVIEW and request.membership.may(Doing.BOOKS),
        "can_undo": previews.can_undo(pull),
        "applied": customers.what_was_applied(pull) if pull.state == CustomerPull.State.APPLIED else None,
        "undone": customers.what_was_undone(pull) if pull.state == CustomerPull.State.UNDONE else None,
    }
    return render(request, "desk/xero/customer_pull.html", context)


@require_POST
@member(Doing.BOOKS)
def undo(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Take back what the last application did."""
    done = customers.undo(find_pull(CustomerPull, supplier, pk), request.user)
    said = [f"{done.removed:,} removed again", f"{done.unlinked:,} unlinked again"]
    said += [f"{done.reopened:,} open again"] if done.reopened else []
    said += [f"{done.left:,} left, since they are in use or were changed"] if done.left else []
    messages.success(request, f"Undone: {', '.join(said)}.")
    return redirect("desk:xero-customer-pull", slug=supplier.slug, pk=pk)


@require_POST
@member(Doing.BOOKS)
def discard(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Forget a preview."""
    previews.discard(find_pull(CustomerPull, supplier, pk))
    messages.success(request, "The preview is gone. No customer was added or linked.")
    return redirect("desk:xero-customers", slug=supplier.slug)


# --- what the form does -------------------------------------------------------------------------------------------


def _do(request: DeskRequest, pull: CustomerPull) -> HttpResponse:
    """`go` is the button: `apply`, `all:SIGN` (choose these everywhere), `none`, `show:VIEW`, `page:N` or `keep`."""
    form = request.POST
    what, _, which = form.get("go", "keep").partition(":")
    if pull.state == CustomerPull.State.PREVIEW:
        _keep_choices(pull, form)
    if what == "all":
        found = customers.choose_all(pull, [which])
        messages.success(request, f"Chosen for {counted(found, 'more contact')}. Apply to do it.")
    elif what == "none":
        customers.choose_nothing(pull)
        messages.success(request, "Nothing is chosen any more.")
    elif what == "apply":
        return _apply(request, pull)
    return redirect(f"{_address(pull)}?{where_to(form)}")


def _keep_choices(pull: CustomerPull, form: QueryDict) -> None:
    customers.choose_rows(pull, {pk: "".join(one) for pk, one in chosen_here(form, "choice").items()})


def _apply(request: DeskRequest, pull: CustomerPull) -> HttpResponse:
    done = customers.apply(pull, request.user)
    if done == customers.Applied():
        messages.info(request, "Nothing is chosen, so nothing was changed.")
        return redirect(_address(pull))
    said = f"{counted(done.added, 'customer')} added, {done.linked:,} linked"
    messages.success(request, f"{said}, {done.refused:,} told apart." if done.refused else f"{said}.")
    if done.left:
        messages.warning(request, f"{done.left:,} were linked by somebody else since the preview, and were left.")
    return redirect(f"{_address(pull)}?show={CHOSEN}")


def _address(pull: CustomerPull) -> str:
    return reverse("desk:xero-customer-pull", args=[pull.connection.supplier.slug, pull.pk])


# --- what the page shows ------------------------------------------------------------------------------------------


def _views(tally: Tally, current: str) -> list[View]:
    labels = [(state.value, str(state.label), tally.states[state.value]) for state in State]
    labels += [(CHOSEN, "Chosen", tally.chosen), ("", "All", sum(tally.states.values()))]
    return [View(name, label, count, name == current) for name, label, count in labels]


def _shown(pull: CustomerPull, rows: Sequence[CustomerPullRow]) -> list[Shown]:
    supplier = pull.connection.supplier
    linked = reading.customers_of(pull, rows)
    here = {row.pk: row.customer for row in rows if row.state == State.HERE}
    owners = {row.pk: linked.get(row.contact_id) or here.get(row.pk) for row in rows}
    names = reading.names_of(supplier, {pk for pk in owners.values() if pk})
    return [
        Shown(
            row,
            TONES[State(row.state)],
            reading.offers_of(row),
            reading.as_customer(row, supplier),
            owner if owner in names else None,
            names.get(owner, "") if owner else "",
            DONE.get(row.applied, ""),
        )
        for row in rows
        for owner in [owners[row.pk]]
    ]
