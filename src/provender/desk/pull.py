"""Products from Xero: "Sync products", look at what differs, tick what to take, apply, see what happened, undo.

The preview is one form. Every button in it, those that lead to another view or page too, first keeps the ticks of the
rows that are shown, so nothing ticked is lost without a script.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from provender.basics.wording import counted
from provender.catalogue.actions import UNSORTED
from provender.desk.frame import DeskRequest, connected, member
from provender.people.roles import Doing
from provender.suppliers.models import Supplier
from provender.sync import previews, products
from provender.sync import pulls as reading
from provender.sync.models import Pull, PullRow
from provender.sync.previews import Kept
from provender.sync.pulls import PARTS, PRICES, Cell, Tally

PAGE = 100
LONGEST_KEY = 18  # digits; a forged one may have more than a database takes
State = PullRow.State
TONES = {State.NEW: "info", State.CHANGED: "warn", State.UNCHANGED: "", State.GONE: "warn", State.REFUSED: "danger"}
PULL_TONES: dict[str, str] = {Pull.State.PREVIEW: "warn", Pull.State.APPLIED: "ok"}


@dataclass(frozen=True)
class View:
    """One way to look at the rows: its name in the address, its label, how many there are."""

    name: str
    label: str
    count: int
    current: bool


@dataclass(frozen=True)
class Shown:
    """A row as the page shows it; the price stands in a column of its own."""

    row: PullRow
    tone: str
    cells: Sequence[Cell]
    price: Cell | None
    product: UUID | None


@member(Doing.LOOK, post=Doing.BOOKS)
def pulls(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """What was pulled so far; the button reads Xero's items and leads to the preview."""
    connection = connected(supplier)
    if request.method == "POST":
        pull = products.pull_products(connection, request.user)
        return redirect("desk:xero-pull", slug=supplier.slug, pk=pull.pk)
    context = {
        "connection": connection,
        "pulls": rows_of_pulls(previews.pulls_of(Pull, supplier).filter(connection=connection), "items"),
        "parts": _parts(supplier, products.rule(connection)),
    }
    return render(request, "desk/xero/products.html", context)


@member(Doing.LOOK, post=Doing.BOOKS)
def show_pull(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """The preview, or what happened. A form keeps the ticks, then does what its button says."""
    pull = find_pull(Pull, supplier, pk)
    if request.method == "POST":
        return _do(request, pull)
    tally = reading.tally(pull)
    view = request.GET.get("show", first_view(tally.states, State.CHANGED, State.NEW))  # what most needs a look first
    rows = reading.rows_of(pull, view, request.GET.get("q", "").strip())
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "pull": pull,
        "tally": tally,
        "view": view,
        "views": _views(tally, view),
        "page": page,
        "rows": _shown(supplier, list(page.object_list)),
        "parts": _parts(supplier, products.rule(pull.connection)),
        "editable": pull.state == Pull.State.PREVIEW and request.membership.may(Doing.BOOKS),
        "can_undo": previews.can_undo(pull),
        "unsorted": supplier.categories.filter(name=UNSORTED).first(),
        "applied": products.what_was_applied(pull) if pull.state == Pull.State.APPLIED else None,
        "undone": products.what_was_undone(pull) if pull.state == Pull.State.UNDONE else None,
    }
    return render(request, "desk/xero/pull.html", context)


@require_POST
@member(Doing.BOOKS)
def undo(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Put back what the last application did."""
    done = products.undo(find_pull(Pull, supplier, pk), request.user)
    said = [f"{done.put_back:,} put back", f"{done.removed:,} removed again"]
    said += [f"{done.switched_off:,} switched off, since they are used or were changed"] if done.switched_off else []
    said += [f"{done.left:,} changed meanwhile and left in part"] if done.left else []
    messages.success(request, f"Undone: {', '.join(said)}.")
    return redirect("desk:xero-pull", slug=supplier.slug, pk=pk)


@require_POST
@member(Doing.BOOKS)
def discard(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Forget a preview."""
    previews.discard(find_pull(Pull, supplier, pk))
    messages.success(request, "The preview is gone. No product was changed.")
    return redirect("desk:xero-products", slug=supplier.slug)


def find_pull(kind: type[Kept], supplier: Supplier, pk: UUID) -> Kept:
    """The wholesaler's own pull of that kind, or 404."""
    return get_object_or_404(previews.pulls_of(kind, supplier), pk=pk)


def rows_of_pulls(pulls: Iterable[Kept], counted: str) -> list[tuple[Kept, int, str, bool]]:
    """Each pull with how many were read, by the field that says so, its tone, and whether it can be undone."""
    return [(pull, getattr(pull, counted), PULL_TONES.get(pull.state, ""), previews.can_undo(pull)) for pull in pulls]


# --- what the form does -------------------------------------------------------------------------------------------


def _do(request: DeskRequest, pull: Pull) -> HttpResponse:
    """`go` is the button: `apply`, `parts` (tick these everywhere), `show:VIEW`, `page:N` or `keep`."""
    form, go = request.POST, request.POST.get("go", "keep")
    if pull.state == Pull.State.PREVIEW:
        _keep_ticks(pull, form)
    if go == "parts":
        products.choose_parts(pull, form.getlist("part"))
        messages.success(request, "Ticked everywhere, and remembered for the next time.")
    if go == "apply":
        return _apply(request, pull)
    return redirect(f"{_address(pull)}?{where_to(form)}")


def where_to(form: QueryDict) -> str:
    """The rows that the form's button leads to, as the end of an address: another view, another page, or the same."""
    where = {"show": form.get("show", ""), "q": form.get("q", ""), "page": form.get("page", "")}
    what, _, which = form.get("go", "keep").partition(":")
    if what == "show":
        where |= {"show": which, "page": ""}
    elif what == "page":
        where |= {"page": which}
    return urlencode(where)


def _keep_ticks(pull: Pull, form: QueryDict) -> None:
    products.choose_rows(pull, chosen_here(form, "take"))


def chosen_here(form: QueryDict, field: str) -> dict[int, list[str]]:
    """By the key of its row, what is chosen in the form, of rows in which it isn't what the page showed.

    The others are left: somebody else may be at the same preview.
    """
    shown = [pk for pk in form.getlist("row") if pk.isdecimal() and len(pk) < LONGEST_KEY]
    chosen = {pk: form.getlist(f"{field}-{pk}") for pk in shown}
    return {
        int(pk): those
        for pk, those in chosen.items()
        if (was := form.get(f"was-{pk}")) is None or {*those} - {""} != {*was.split()}
    }


def _apply(request: DeskRequest, pull: Pull) -> HttpResponse:
    done = products.apply(pull, request.user)
    if done == products.Applied():
        messages.info(request, "Nothing is ticked, so nothing was changed.")
        return redirect(_address(pull))
    messages.success(request, f"{counted(done.added, 'product')} added, {done.changed:,} changed.")
    if done.left:
        messages.warning(
            request, f"{done.left:,} were changed here since the preview; what differed was left as it is."
        )
    return redirect(_address(pull))


def _address(pull: Pull) -> str:
    return reverse("desk:xero-pull", args=[pull.connection.supplier.slug, pull.pk])


# --- what the page shows ------------------------------------------------------------------------------------------


def first_view(counts: Mapping[str, int], *states: str) -> str:
    """The first of these states that has rows; else all."""
    return next((state for state in states if counts[state]), "")


def _views(tally: Tally, current: str) -> list[View]:
    labels = [(state.value, state.label, tally.states[state.value]) for state in State]
    labels.insert(2, (PRICES, "Price changes", tally.prices))
    labels.append(("", "All", sum(tally.states.values())))
    return [View(name, str(label), count, name == current) for name, label, count in labels]


def _parts(supplier: Supplier, ticked: Collection[str]) -> list[dict[str, Any]]:
    """What can be taken, with the country's word for the tax."""
    labels = dict(PARTS.values()) | {"tax_kind": f"{supplier.tax_word} status"}
    return [{"name": part, "label": label, "ticked": part in ticked} for part, label in labels.items()]


def _shown(supplier: Supplier, rows: Sequence[PullRow]) -> list[Shown]:
    named = [row.product for row in rows if row.product]
    there = set(supplier.products.filter(pk__in=named).values_list("pk", flat=True))
    found = []
    for row in rows:
        cells = reading.cells_of(row, supplier)
        price = next((cell for cell in cells if cell.column == "price"), None)
        beside = {"price", "name"} if row.state == State.NEW else {"price"}  # these have their place already
        others = [cell for cell in cells if cell.column not in beside]
        found.append(Shown(row, TONES[State(row.state)], others, price, row.product if row.product in there else None))
    return found
