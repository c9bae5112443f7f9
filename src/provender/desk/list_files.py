"""Files of products (and of other lists): upload, look at what would happen, one button, what happened.

`KINDS` says for each kind of list what its fields are called, how a value is written, and what applies it.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from provender.basics.clock import in_words
from provender.basics.money import show_price
from provender.desk.frame import DeskRequest, member
from provender.desk.lists import Echo
from provender.desk.pull import View
from provender.desk.spreadsheet import harmless
from provender.importing import lists, prices, products
from provender.importing.errors import FaultyFile
from provender.importing.models import ListFile, ListRow
from provender.importing.reading import KINDS as FILES
from provender.people.models import User
from provender.people.roles import Doing
from provender.suppliers.models import Supplier

LARGEST = 20 * 1024 * 1024
PAGE = 100
State = ListRow.State
TONES = {State.NEW: "info", State.CHANGED: "warn", State.UNCHANGED: "", State.REJECTED: "danger"}


class FileForm(forms.Form):
    """One file of a list."""

    file = forms.FileField(
        label="File",
        error_messages={"required": "Choose a file."},
        help_text="A .csv, .csv.gz or .xlsx file with headings in its first row.",
        widget=forms.ClearableFileInput(attrs={"accept": ",".join([*FILES, ".gz"])}),
    )

    def clean_file(self) -> "UploadedFile[bytes]":
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if file.size and file.size > LARGEST:
            raise forms.ValidationError("The file is larger than 20 MB. Split it.")
        return file

    def read(self, preview: Callable[["UploadedFile[bytes]", str], ListFile]) -> ListFile | None:
        """What `preview` makes of the file; None when it can't be read, with all that is wrong said at the field."""
        file = self.cleaned_data["file"]
        try:
            return preview(file, file.name)
        except FaultyFile as error:
            self.add_error("file", [fault.sentence(error.file) for fault in error.faults])
            return None


@dataclass(frozen=True)
class ListKind:
    """What the pages say about one kind of list."""

    title: str
    labels: Callable[[Supplier], Mapping[str, str]]  # field → its name, in the order in which they show
    write: Callable[[Supplier, str, str], str]  # a field's value as people read it
    home: Callable[[ListFile], str]  # where the list is
    apply: Callable[[ListFile, User], None]


def _product_labels(supplier: Supplier) -> Mapping[str, str]:
    return {each.name: each.label for each in products.FIELDS if each.name != "sku"} | {"tax_kind": supplier.tax_word}


def _write_product(supplier: Supplier, name: str, text: str) -> str:
    if name == "price" and text:
        return show_price(Decimal(text))
    return supplier.tax_kind_label(text) if name == "tax_kind" and text else text


def _price_labels(_supplier: Supplier) -> Mapping[str, str]:
    return {"price": "Price", "until": "Until"}


def _write_price(_supplier: Supplier, name: str, text: str) -> str:
    if name == "price":
        return show_price(Decimal(text)) if text else "none"
    return in_words(date.fromisoformat(text)) if text else "no limit"


KINDS: dict[str, ListKind] = {
    ListFile.Kind.PRODUCTS: ListKind(
        "Products from a file",
        _product_labels,
        _write_product,
        lambda file: reverse("desk:products", args=[file.supplier.slug]),
        lambda file, user: products.apply_products(file, by=user),
    ),
    ListFile.Kind.PRICES: ListKind(
        "Prices from a file",
        _price_labels,
        _write_price,
        lambda file: reverse("desk:price-list", args=[file.supplier.slug, file.about]),
        lambda file, user: prices.apply_prices(file, by=user),
    ),
    ListFile.Kind.OWN_PRICES: ListKind(
        "Own prices from a file",
        _price_labels,
        _write_price,
        lambda file: reverse("desk:customer-prices", args=[file.supplier.slug, file.about]),
        lambda file, user: prices.apply_prices(file, by=user),
    ),
}


@dataclass(frozen=True)
class Cell:
    """One field of a line: what is here and what the file says, as people read them."""

    label: str
    old: str
    new: str


@dataclass(frozen=True)
class Shown:
    """A line as the page shows it."""

    row: ListRow
    tone: str
    cells: Sequence[Cell]

    @property
    def value(self) -> str:
        """What stands in the cell at fault, unless the reason quotes it already."""
        return "" if f"“{self.row.value[:40]}" in self.row.reason else self.row.value


def address(file: ListFile) -> str:
    """Where a file's page is."""
    return reverse("desk:list-file", args=[file.supplier.slug, file.pk])


@member(Doing.LOOK)
def show_file(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """The preview, or what happened."""
    file = _find(supplier, pk)
    kind, tally = KINDS[file.kind], lists.tally(file)
    first = next((state.value for state in (State.REJECTED, State.CHANGED, State.NEW) if tally[state]), "")
    state = request.GET.get("show", first)
    page = Paginator(lists.rows_of(file, state, request.GET.get("q", "").strip()), PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "file": file,
        "title": kind.title,
        "home": kind.home(file),
        "tally": tally,
        "wanted": tally["new"] + tally["changed"],
        "left": lists.left_count(file) if file.state == ListFile.State.DONE else 0,
        "view": state,
        "views": _views(tally, state),
        "page": page,
        "rows": [_shown(supplier, kind, row) for row in page.object_list],
    }
    return render(request, "desk/imports/list_file.html", context)


def _views(tally: Mapping[str, int], current: str) -> list[View]:
    labels = [(state.value, str(state.label), tally[state]) for state in State]
    labels.append(("", "All", sum(tally.values())))
    return [View(name, label, count, name == current) for name, label, count in labels]


def _shown(supplier: Supplier, kind: ListKind, row: ListRow) -> Shown:
    labels = kind.labels(supplier)
    cells = [
        Cell(
            label,
            kind.write(supplier, name, row.before[name]) if name in row.before else "",
            kind.write(supplier, name, row.after[name]),
        )
        for name, label in labels.items()
        if row.after.get(name) or name in row.before
    ]
    return Shown(row, TONES[State(row.state)], cells)


@require_POST
@member(Doing.TRADE)
def apply(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """The one button; also to go on with what was cut off."""
    file = _find(supplier, pk)
    KINDS[file.kind].apply(file, request.user)
    tally = lists.tally(file)
    messages.success(request, f"{tally['new']:,} added, {tally['changed']:,} changed.")
    if left := lists.left_count(file):
        messages.warning(request, f"{left:,} were changed here since the preview; what differed was left as it is.")
    return redirect(address(file))


@require_POST
@member(Doing.TRADE)
def discard(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Forget a preview."""
    file = _find(supplier, pk)
    lists.discard(file)
    messages.success(request, f"{file.file_name} is discarded. Nothing was changed.")
    return redirect(KINDS[file.kind].home(file))


@member(Doing.LOOK)
def rejects(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponseBase:
    """Every rejected line as it was in the file, with line, column and reason: to be mended and read again."""
    file = _find(supplier, pk)
    writer = csv.writer(Echo())
    table = (writer.writerow([harmless(cell) for cell in line]) for line in lists.rejected_lines(file))
    response = StreamingHttpResponse(table, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="rejects.csv"'
    return response


def _find(supplier: Supplier, pk: UUID) -> ListFile:
    file = lists.find_list_file(supplier, pk)
    if file is None or file.kind not in KINDS:
        raise Http404("No such file.")
    return file
