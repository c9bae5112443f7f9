"""Invoices and credit notes from a file: upload, which column is which, what would happen, one button, what happened.

A small file is read and imported while the person waits; a large one by the worker, and the page asks how far it is.
"""

import csv
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_filters import CharFilter, ChoiceFilter, FilterSet
from django_htmx.http import HttpResponseClientRefresh

from provender.basics.errors import ProvenderError
from provender.desk.frame import DeskRequest, member
from provender.desk.lists import Badge, Column, Echo, Empty, List, show
from provender.importing import actions, queries
from provender.importing.actions import Plan
from provender.importing.errors import FaultyFile
from provender.importing.judging import REASONS
from provender.importing.mapping import DATE_FORMATS, FIELDS, Field
from provender.importing.models import Import, StagedDocument
from provender.importing.reading import KINDS
from provender.people.roles import Doing
from provender.suppliers.models import Supplier

State = Import.State
LARGEST_FILE = 100 * 1024 * 1024
TONES = {State.FAULTY: "danger", State.STOPPED: "danger", State.DONE: "ok", State.READY: "warn"}
DOCUMENT_TONES = {"ready": "info", "imported": "ok", "unchanged": "mute", "rejected": "warn"}
SHOWN_REJECTS, SHOWN_NAMES = 8, 6


def address(source: Import) -> str:
    """Where an import's page is."""
    return reverse("desk:import", args=[source.supplier.slug, source.pk])


class ImportFilter(FilterSet):  # type: ignore[misc]  # django_filters has no types
    q = CharFilter("file_name", "icontains", label="File")
    state = ChoiceFilter(label="State", choices=State.choices, empty_label="Any state")

    class Meta:
        model = Import
        fields: list[str] = []


class ImportList(List[Import]):
    title, one, many = "Imports", "import", "imports"
    sentence = "Files of invoices and credit notes that were brought in, or are on their way."
    filters = ImportFilter
    sort = "-when"
    template = "desk/imports/imports.html"
    empty = Empty(
        "Nothing imported yet",
        "Bring in invoices and credit notes from a CSV or Excel file. You see what would happen before anything does.",
        "Import invoices",
        "desk:import-new",
    )
    columns = (
        Column("file", "File", lambda i: i.file_name, phone="title", link=address),
        Column("when", "When", lambda i: i.started_at, kind="moment", sort="started_at"),
        Column("by", "By", lambda i: str(i.by or "Provender")),
        Column("lines", "Lines", lambda i: i.lines_read, kind="quantity", sort="lines_read", phone="side"),
        Column(
            "state",
            "State",
            lambda i: Badge(i.get_state_display(), TONES.get(i.state, "info")),  # type: ignore[arg-type]
            kind="badge",
            sort="state",
            phone="badge",
        ),
    )

    def rows(self) -> QuerySet[Import]:
        return queries.imports_of(self.supplier).select_related("supplier", "by")


@member(Doing.LOOK)
def imports(request: DeskRequest, supplier: Supplier) -> HttpResponseBase:
    return show(request, ImportList(request))


class UploadForm(forms.Form):
    file = forms.FileField(
        label="File",
        help_text="A .csv, .csv.gz or .xlsx file: one line for each line of an invoice, headings in the first row.",
        widget=forms.ClearableFileInput(attrs={"accept": ",".join([*KINDS, ".gz"])}),
    )

    def clean_file(self) -> "UploadedFile[bytes]":
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if file.size and file.size > LARGEST_FILE:
            raise forms.ValidationError("The file is larger than 100 MB. The command “provender import” takes it.")
        return file


@member(Doing.TRADE)
def upload(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """Take a file; its columns come next."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            source = actions.upload(supplier, file, file.name, by=request.user)
        except FaultyFile as error:
            form.add_error("file", [fault.sentence(error.file) for fault in error.faults])
        else:
            return redirect("desk:import-columns", slug=supplier.slug, pk=source.pk)
    return render(request, "desk/imports/upload.html", {"form": form})


def _find(supplier: Supplier, pk: UUID) -> Import:
    source = queries.find_import(supplier, pk)
    if source is None:
        raise Http404("No such import.")
    source.supplier = supplier
    return source


def date_choices() -> list[tuple[str, str]]:
    """Date formats by an example that can't be misread."""
    examples = {"%Y": "2026", "%y": "26", "%m": "01", "%d": "31", "%b": "Jan", "%H": "14", "%M": "05", "%S": "00"}
    choices = [("", "As in the sheet, or 2026-01-31")]
    for pattern in DATE_FORMATS:
        text = pattern
        for part, example in examples.items():
            text = text.replace(part, example)
        choices.append((pattern, text))
    return choices


class ColumnsForm(forms.Form):
    """Which column is which: a pick-list for each field, and how to read the rest."""

    date_format = forms.ChoiceField(label="Dates look like", choices=date_choices, required=False)
    freight = forms.CharField(
        label="SKUs that are freight",
        required=False,
        max_length=500,
        help_text="Parted by commas, such as POST, DELIVERY. Their lines become freight lines.",
    )
    create_missing = forms.BooleanField(
        label="Create customers and products that are not here yet",
        required=False,
        help_text="Otherwise their documents are rejected.",
    )

    def __init__(self, source: Import, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = self.fields
        columns = [(column, column) for column in dict.fromkeys(source.columns) if column]
        self.fields = {field.name: pick_list(field, columns) for field in FIELDS} | own
        self.initial.update(source.mapping)
        self.initial.update(
            date_format=source.date_format, freight=", ".join(source.freight), create_missing=source.create_missing
        )

    def plan(self) -> Plan:
        """What was chosen."""
        chosen = self.cleaned_data
        return Plan(
            mapping={field.name: chosen[field.name] for field in FIELDS if chosen[field.name]},
            date_format=chosen["date_format"],
            freight=chosen["freight"].split(","),
            create_missing=chosen["create_missing"],
        )


def pick_list(field: Field, columns: list[tuple[str, str]]) -> forms.ChoiceField:
    """Which of the file's columns holds that field."""
    none = ("", "Choose the column" if field.needed else "Not in the file")
    return forms.ChoiceField(label=field.label, help_text=field.help, required=field.needed, choices=[none, *columns])


@member(Doing.TRADE)
def columns(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Ask which column is which, with what was proposed or chosen, and the file's first lines beside it."""
    source = _find(supplier, pk)
    if not source.file or source.is_busy:
        return redirect("desk:import", slug=supplier.slug, pk=pk)
    form = ColumnsForm(source, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.go_on(actions.choose(source, form.plan()))
        except ProvenderError as error:
            form.add_error(None, error.sentence)
        else:
            return redirect("desk:import", slug=supplier.slug, pk=pk)
    context = {"form": form, "source": source, "rows": queries.first_rows(source)}
    return render(request, "desk/imports/columns.html", context)


@member(Doing.LOOK)
def show_import(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponseBase:
    """How an import stands: columns to be chosen, being read, the preview, being imported, what happened."""
    source = _find(supplier, pk)
    if source.state == State.UPLOADED and request.membership.may(Doing.TRADE):
        return redirect("desk:import-columns", slug=supplier.slug, pk=pk)
    if request.htmx and not source.is_busy:
        return HttpResponseClientRefresh()  # the part that asks how far it is would not show what came of it
    found = queries.tally(source)
    context = {
        "source": source,
        "tally": found,
        "parts": _parts(found),
        "unchanged": found.say(StagedDocument.State.UNCHANGED),
        "reasons": [(code, REASONS[code], part) for code, part in found.by_reason.items()],
        "rejects": queries.rejected_documents(source)[:SHOWN_REJECTS],
        "customers": source.customers.order_by("pk")[:SHOWN_NAMES],
        "products": source.products.order_by("pk")[:SHOWN_NAMES],
        "to_import": found.ready.lines + found.imported.lines,
    }
    return render(request, "desk/imports/import.html", context)


def _parts(found: queries.Tally) -> list[tuple[str, str, queries.Sum]]:
    """The rows of the table of counts and sums: which documents, label, figures. The last is what the others add up to.

    Kinds are told apart where the file has both.
    """
    both = len({kind for _, kind in found.by_kind}) > 1
    rows = []
    for state in StagedDocument.State:
        parts = [(kind, found.of(state, kind)) for kind in StagedDocument.Kind]
        for kind, part in parts:
            if part.documents:
                which = f"{state.label}: {kind.label.lower()}s" if both else state.label
                rows.append((f"?state={state}&kind={kind}" if both else f"?state={state}", which, part))
    return [*rows, ("", "In the file", found.read)]


@require_POST
@member(Doing.TRADE)
def apply(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """The one button."""
    source = actions.go_on(actions.ask_to_apply(_find(supplier, pk)))
    if source.state == State.DONE:
        messages.success(request, f"{queries.tally(source).came or 'Nothing'} imported.")
    return redirect("desk:import", slug=supplier.slug, pk=pk)


@require_POST
@member(Doing.TRADE)
def discard(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Forget a file that isn't wanted after all."""
    source = _find(supplier, pk)
    actions.discard(source)
    messages.success(request, f"{source.file_name} was discarded. Nothing of it was imported.")
    return redirect("desk:imports", slug=supplier.slug)


class DocumentFilter(FilterSet):  # type: ignore[misc]  # django_filters has no types
    q = CharFilter("number", "icontains", label="Number")
    kind = ChoiceFilter(label="Kind", choices=StagedDocument.Kind.choices, empty_label="Any kind")
    state = ChoiceFilter(label="State", choices=StagedDocument.State.choices, empty_label="Any state")
    code = ChoiceFilter(label="Rejected", choices=list(REASONS.items()), empty_label="For any reason")

    class Meta:
        model = StagedDocument
        fields: list[str] = []


DOCUMENT_COLUMNS: Sequence[Column[Any]] = (
    Column("kind", "Kind", lambda d: d.get_kind_display(), sort="kind"),
    Column("line", "Line", lambda d: d.line, kind="quantity", sort="line"),
    Column("customer", "Customer", lambda d: d.customer, sort="customer"),
    Column("date", "Date", lambda d: d.date, kind="date", sort="date"),
    Column("lines", "Lines", lambda d: d.lines, kind="quantity", sort="lines", phone="hide"),
    Column("total", "Total", lambda d: d.total, kind="money", sort="total", total="total", phone="side"),
    Column(
        "state",
        "State",
        lambda d: Badge(d.get_state_display(), DOCUMENT_TONES[d.state]),  # type: ignore[arg-type]
        kind="badge",
        sort="state",
        phone="badge",
    ),
)
REASON: Column[Any] = Column("reason", "Reason", lambda d: d.reason, note=lambda d: d.column)


class DocumentList(List[StagedDocument]):
    title, one, many = "Documents in the file", "document", "documents"
    filters = DocumentFilter
    sort = "line"
    template = "desk/imports/documents.html"
    empty = Empty("No documents", "The file holds none, or wasn't read yet.")

    def __init__(self, request: DeskRequest, source: Import) -> None:
        super().__init__(request)
        self.source = source
        self.here: dict[tuple[str, str], str] = {}  # kind and number → address

    def shown_columns(self) -> Sequence[Column[Any]]:
        number = Column("number", "Number", lambda d: d.number or "none", sort="number", phone="title", link=self.where)
        may_be_rejected = self.request.GET.get("state", "") in {"", StagedDocument.State.REJECTED}
        return (number, *DOCUMENT_COLUMNS, *([REASON] if may_be_rejected else []))

    def rows(self) -> QuerySet[StagedDocument]:
        return self.source.documents.all()

    def prepare(self, rows: Sequence[StagedDocument]) -> None:
        numbers = [row.number for row in rows]
        kinds = (
            (StagedDocument.Kind.INVOICE, self.supplier.invoices, "desk:invoice"),
            (StagedDocument.Kind.CREDIT_NOTE, self.supplier.credit_notes, "desk:credit-note"),
        )
        for kind, documents, name in kinds:
            for number, pk in documents.filter(number__in=numbers).values_list("number", "pk"):
                self.here[kind, number] = reverse(name, args=[self.supplier.slug, pk])

    def where(self, document: StagedDocument) -> str:
        """The page of the invoice or credit note that has that number, where there is one."""
        return self.here.get((document.kind, document.number), "")

    def extra_context(self) -> dict[str, Any]:
        return {"source": self.source}


@member(Doing.LOOK)
def documents(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponseBase:
    """Every document of a file, and what became of it."""
    return show(request, DocumentList(request, _find(supplier, pk)))


@member(Doing.LOOK)
def rejects(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponseBase:
    """Every rejected line as it was in the file, with line, column and reason: to be mended and imported again."""
    source = _find(supplier, pk)
    writer = csv.writer(Echo(), lineterminator="\n")
    lines: Iterator[str] = (writer.writerow(line) for line in queries.reject_lines(source))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="rejects.csv"'
    return response
