"""Every list page: filters, sort, pages, count and sum, download, selection, all kept in the address.

A list is a class; a view shows it. The whole of a page of invoices:

    class InvoiceFilter(FilterSet):                                  # django_filters; labels and choices as in any form
        q = CharFilter(label="Search", method="search")
        class Meta:
            model, fields = Invoice, ["status", "customer"]

    class InvoiceList(List[Invoice]):
        title, one, many = "Invoices", "invoice", "invoices"
        sentence = "Every tax invoice, and what Xero knows about it."
        filters = InvoiceFilter
        sort = "-date"                                               # a column's key; "-" for descending
        columns = (
            Column("number", "Number", lambda i: i.number, link=lambda i: reverse(...), sort="number", phone="title"),
            Column("customer", "Customer", lambda i: i.customer.trading_name, sort="customer__trading_name"),
            Column("date", "Date", lambda i: i.date, kind="date", sort="date", phone="meta"),
            Column("total", "Total", lambda i: i.total, kind="money", sort="total", total="total", phone="side"),
            Column("status", "Status", lambda i: Badge("Open", "info"), kind="badge"),
        )
        actions = (BulkAction("send", "Send to Xero", Doing.BOOKS, send_many),)  # (supplier, rows, user) -> str
        empty = Empty("No invoices yet", "Placing an order raises its invoice.", "New order", "desk:order-new")

        def rows(self) -> QuerySet[Invoice]:  # start from the supplier; join what the columns read
            return self.supplier.invoices.select_related("customer")

    @member(Doing.LOOK, post=Doing.TRADE)                            # post: only when there are actions
    def invoices(request: DeskRequest, supplier: Supplier) -> HttpResponseBase:
        return show(request, InvoiceList(request))

`templates/desk/list.html` draws it. For more around the list extend it and fill its blocks `actions` (buttons at the
title), `above` and `below`, and name it in `template`. `phone` says what a column is on a phone: "title" (first line),
"side" (first line, right), "meta" (second line, with its label), "badge", or "hide". `extra_context()` adds to the
template's context; `prepare(rows)` may read for all rows of a page at once what columns show from other tables. An
action asks first, on a page of its own that says how many; then it runs and its sentence shows. One that needs to know
more has a form for it there (`BulkAction.ask`), whose fields `run` gets by name. A list whose rows are drawn in another
way names the template in `rows_template`; that draws `<div id="rows">` with `desk/parts/list_foot.html` in it.

Addresses: `?q=…&status=open&sort=-total&page=3&per=50`, `&format=csv|xlsx` for all rows that the filters let through,
with the columns as shown (or, by `downloaded_columns`, with more). Count and sum come with the page up to 5,000 rows;
beyond that the page is sent without them and asks for them (`&totals=1`) by itself, so that a page of 100,000 invoices
costs no more than one of 100.
"""

import csv
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar, Concatenate, Generic, Literal, TypeVar
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Model, QuerySet, Sum
from django.forms import Form
from django.http import HttpResponseBase, HttpResponseRedirect, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django_filters import FilterSet

from provender.basics import clock
from provender.desk import spreadsheet
from provender.desk.frame import DeskRequest
from provender.desk.templatetags.desk import amount, day, exact, price, quantity
from provender.people.models import User
from provender.people.roles import Doing
from provender.suppliers.models import Supplier

Row = TypeVar("Row", bound=Model)
Kind = Literal["text", "money", "price", "quantity", "number", "date", "moment", "badge"]
Tone = Literal["ok", "info", "warn", "danger", "mute"]
Phone = Literal["title", "side", "meta", "badge", "hide"]

PAGE_SIZES = (25, 50, 100)
CHUNK = 2000  # rows that a download reads at once
COUNTED = 5000  # rows that are counted with every page; more are counted when asked
BADGE, LINK, TEXT = '<span class="badge {tone}">{text}</span>', '<a class="ref" href="{url}">{text}</a>', "{text}"
NUMERIC = ("money", "price", "quantity", "number")
WRITE: dict[str, Callable[[Any], str]] = {
    "money": amount, "price": price, "quantity": quantity, "date": day, "moment": exact,
}  # fmt: skip


@dataclass(frozen=True)
class Badge:
    """A state in a word; its colour only repeats what the word says."""

    text: str
    tone: Tone = "mute"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column: what it shows of a row, and how."""

    key: str
    label: str
    value: Callable[[Row], Any]
    kind: Kind = "text"
    sort: str | tuple[str, ...] = ""  # the field to order by, or several that make the order certain; empty: none
    total: str = ""  # the field to sum under the list
    link: Callable[[Row], str] | None = None
    note: Callable[[Row], Any] | None = None  # a second, smaller line; not downloaded
    phone: Phone = "meta"
    unbroken: bool = False  # a text that stays on one line, such as a SKU

    @property
    def numeric(self) -> bool:
        return self.kind in NUMERIC

    @property
    def on_one_line(self) -> bool:
        return self.unbroken or self.kind in ("date", "moment")


@dataclass(frozen=True)
class BulkAction(Generic[Row]):
    """Something done to many rows at once; `run` answers the sentence that says what happened.

    `ask` makes the form of what must be known first, empty or with what was typed.
    """

    key: str
    label: str
    needs: Doing
    run: Callable[Concatenate[Supplier, Sequence[Row], User, ...], str]
    danger: bool = False
    ask: Callable[[Supplier, QueryDict | None], Form] | None = None


@dataclass(frozen=True)
class Empty:
    """What a list without any row teaches: what it will hold, and the one button that starts it."""

    title: str
    sentence: str
    button: str = ""
    url_name: str = ""
    needs: Doing = Doing.TRADE


@dataclass(frozen=True)
class Cell:
    """A cell as the template draws it."""

    column: Column[Any]
    text: str
    url: str
    note: str
    tone: str

    @property
    def html(self) -> SafeString:
        """The whole cell: a template takes ten times as long to draw it, and a page has 700."""
        form = BADGE if self.tone else LINK if self.url else TEXT
        note = format_html('<small class="note">{}</small>', self.note) if self.note else ""
        drawn = format_html(form, text=self.text, url=self.url, tone=self.tone)
        return format_html("{}{}{}</td>", _opening(self.column), drawn, note)


@dataclass(frozen=True)
class DrawnRow:
    pk: str
    name: str
    cells: list[Cell]


class List(ABC, Generic[Row]):
    """A list page; subclasses say what it holds (see the top of this module)."""

    title: ClassVar[str]
    one: ClassVar[str]
    many: ClassVar[str]
    sentence: ClassVar[str] = ""
    columns: ClassVar[Sequence[Column[Any]]]
    filters: ClassVar[type[FilterSet]]
    sort: ClassVar[str]
    actions: ClassVar[Sequence[BulkAction[Any]]] = ()
    empty: ClassVar[Empty]
    template: ClassVar[str] = "desk/list.html"
    rows_template: ClassVar[str] = "desk/parts/list_rows.html"

    def __init__(self, request: DeskRequest) -> None:
        self.request, self.supplier = request, request.supplier

    @abstractmethod
    def rows(self) -> QuerySet[Row]:
        """All rows of the supplier that the list is about, with what its columns read joined."""

    def extra_context(self) -> dict[str, Any]:
        """What a template of its own needs beside the list."""
        return {}

    def shown_columns(self) -> Sequence[Column[Any]]:
        """The columns of this request; a list may leave some out."""
        return self.columns

    def downloaded_columns(self) -> Sequence[Column[Any]]:
        """The columns of a download: those shown, unless a list whose files can be read back has more."""
        return self.shown_columns()

    def prepare(self, rows: Sequence[Row]) -> None:
        """Read at once what columns show of these rows from elsewhere; called before they are drawn or downloaded."""

    @cached_property
    def filter(self) -> FilterSet:
        return self.filters(self.request.GET, queryset=self.rows(), request=self.request)

    @cached_property
    def sorted_by(self) -> str:
        """The column's key, with "-" for descending."""
        asked = self.request.GET.get("sort", self.sort)
        known = {column.key for column in self.shown_columns() if column.sort}
        return asked if asked.removeprefix("-") in known else self.sort

    @cached_property
    def found(self) -> QuerySet[Row]:
        """The rows that the filters let through, in order; the primary key makes the order certain.

        A long list names fields that an index has in that order (`sort=("date", "number")`), or each page sorts it all;
        its column `customer` is read in its own way.
        """
        key = self.sorted_by.removeprefix("-")
        sort = next((column.sort for column in self.shown_columns() if column.key == key), key)
        fields = (sort, "pk") if isinstance(sort, str) else sort
        sign = "-" if self.sorted_by.startswith("-") else ""
        rows: QuerySet[Row] = self.filter.qs.order_by(*(f"{sign}{field}" for field in fields))
        return rows

    @cached_property
    def filtered(self) -> bool:
        """Whether any filter is set."""
        return any(self.request.GET.get(name) for name in self.filter.form.fields)

    @cached_property
    def per(self) -> int:
        asked = self.request.GET.get("per", "")
        return int(asked) if asked.isdecimal() and int(asked) in PAGE_SIZES else PAGE_SIZES[0]

    @cached_property
    def counted(self) -> int:
        """How many rows there are, but no more than COUNTED + 1."""
        return self.found.order_by()[: COUNTED + 1].count()

    @cached_property
    def is_long(self) -> bool:
        """More rows than are counted with every page."""
        return self.counted > COUNTED

    @cached_property
    def totals(self) -> "Totals":
        """Count and sums of everything the filters let through: one query over all of it."""
        summed = [column for column in self.shown_columns() if column.total]
        sums = {f"sum_{column.key}": Sum(column.total) for column in summed}
        found: dict[str, Any] = self.filter.qs.order_by().aggregate(count=Count("pk"), **sums)
        return Totals(found["count"], [(column, found[f"sum_{column.key}"] or Decimal(0)) for column in summed])

    @cached_property
    def page(self) -> "Page":
        asked = self.request.GET.get("page", "1")
        number = max(1, int(asked)) if asked.isdecimal() and len(asked) < 8 else 1
        if not self.is_long:  # a page beyond the end: the last one, so that a row less doesn't make an empty page
            number = min(number, max(1, -(-self.counted // self.per)))
        start = (number - 1) * self.per
        rows = self.read(start, start + self.per + 1) if self.counted else []
        self.prepare(rows)
        last = None if self.is_long else max(1, -(-self.counted // self.per))
        return Page(number, start, [self.draw(row) for row in rows[: self.per]], len(rows) > self.per, last)

    def read(self, start: int, stop: int) -> list[Row]:
        """The rows found from one place to another."""
        if self.is_long and self.sorted_by.removeprefix("-") == "customer":
            return self._read_by_customer(start, stop)
        return list(self.found[start:stop])

    def _read_by_customer(self, start: int, stop: int) -> list[Row]:
        """The same rows, of a long list: no index has them in the order of another table's names.

        So the customers are gone through by name, more and more at a time, and only the rows of those are sorted whose
        turn it is.
        """
        customers = self.supplier.customers.order_by("trading_name", "pk").values_list("pk", flat=True)
        keys = list(customers.reverse() if self.sorted_by.startswith("-") else customers)
        counts = self.filter.qs.order_by().values_list("customer").annotate(count=Count("pk"))
        rows: list[Row] = []
        passed, size = 0, 8
        while keys and len(rows) < stop - start:
            turn, keys, size = keys[:size], keys[size:], min(2 * size, 800)
            count = sum(count for _, count in counts.filter(customer__in=turn))
            if passed + count > start:
                first = max(0, start - passed)
                rows += self.found.filter(customer__in=turn)[first : first + stop - start - len(rows)]
            passed += count
        return rows

    def draw(self, row: Row) -> DrawnRow:
        cells = [_cell(column, row) for column in self.shown_columns()]
        title = next((cell.text for cell in cells if cell.column.phone == "title"), cells[0].text)
        return DrawnRow(str(row.pk), title, cells)

    def allowed_actions(self) -> list[BulkAction[Any]]:
        return [action for action in self.actions if self.request.membership.may(action.needs)]

    @property
    def sizes(self) -> tuple[int, ...]:
        return PAGE_SIZES

    @property
    def start_url(self) -> str:
        """Where the empty list's button goes; nowhere for those who may not."""
        if not self.empty.url_name or not self.request.membership.may(self.empty.needs):
            return ""
        return reverse(self.empty.url_name, args=[self.supplier.slug])

    def address(self, **changes: Any) -> str:
        """This list's address with some parameters set, or taken out (None)."""
        query = self.request.GET.copy()
        for name, value in changes.items():
            query.pop(name, None)
            if value is not None:
                query[name] = str(value)
        return f"{self.request.path}?{query.urlencode()}" if query else self.request.path

    def headings(self) -> list["Heading"]:
        """The columns with the address that sorts by each, and which way they are sorted now."""
        return [self._heading(column) for column in self.shown_columns()]

    def _heading(self, column: Column[Any]) -> "Heading":
        now = {column.key: "ascending", f"-{column.key}": "descending"}.get(self.sorted_by, "")
        first = f"-{column.key}" if column.kind in (*NUMERIC, "date", "moment") else column.key
        turned = column.key if self.sorted_by.startswith("-") else f"-{column.key}"
        url = self.address(sort=turned if now else first, page=None) if column.sort else ""
        return Heading(column, url, now)

    def selected(self) -> QuerySet[Row]:
        """The rows a form picked: those ticked, or all that the filters let through."""
        if self.request.POST.get("all"):
            return self.found
        return self.found.filter(pk__in=_whole_keys(self.found, self.request.POST.getlist("pick")))


@dataclass(frozen=True)
class Heading:
    column: Column[Any]
    url: str
    sorted: str


@dataclass(frozen=True)
class Totals:
    count: int
    sums: list[tuple[Column[Any], Decimal]]


@dataclass(frozen=True)
class Page:
    number: int
    start: int
    rows: list[DrawnRow]
    has_next: bool
    last: int | None  # None: so many that they were not counted

    @property
    def first_row(self) -> int:
        return self.start + 1

    @property
    def last_row(self) -> int:
        return self.start + len(self.rows)

    @property
    def next_number(self) -> int:
        return self.number + 1

    @property
    def numbers(self) -> list[int | None]:
        """The page numbers to offer: the ends and those around this one; None is a gap."""
        end = self.last or self.number + self.has_next
        near = {1, *range(self.number - 1, self.number + 2), *([end] if self.last else [])}
        shown: list[int | None] = []
        for number in sorted(n for n in near if 1 <= n <= end):
            if shown and shown[-1] is not None and number - shown[-1] > 1:
                shown.append(None)
            shown.append(number)
        return shown


def show(request: DeskRequest, listed: List[Any]) -> HttpResponseBase:
    """The list's answer: page, rows for htmx, totals, a download, or an action's question and result."""
    if request.method == "POST":
        return _act(request, listed)
    wanted = request.GET.get("format", "")
    if wanted in ("csv", "xlsx"):
        return download(listed.supplier, listed.many, wanted, _table(listed))
    context = {"list": listed, **listed.extra_context()}
    response = render(request, _template(request, listed), context)
    patch_vary_headers(response, ["HX-Request"])  # one address, a page or a part of it
    return response


def _template(request: DeskRequest, listed: List[Any]) -> str:
    if not request.htmx or request.htmx.history_restore_request:
        return listed.template
    return "desk/parts/list_totals.html" if request.GET.get("totals") else listed.rows_template


def _act(request: DeskRequest, listed: List[Any]) -> HttpResponseBase:
    """Ask first, saying how many and which; with `sure` do it and say what happened."""
    action = next((a for a in listed.actions if a.key == request.POST.get("action")), None)
    if action is None or not request.membership.may(action.needs):
        raise PermissionDenied("Your role may not do that to this list.")
    rows = listed.selected()
    if not rows.exists():
        messages.warning(request, f"Nothing is selected. Tick the {listed.many} that you mean first.")
        return HttpResponseRedirect(request.get_full_path())
    sure = bool(request.POST.get("sure"))
    form = action.ask(listed.supplier, request.POST if sure else None) if action.ask else None
    if not sure or (form and not form.is_valid()):
        some = list(rows[:10])
        listed.prepare(some)
        context = {
            "list": listed, "action": action, "count": rows.count(), "some": [listed.draw(row) for row in some],
            "picked": request.POST.getlist("pick"), "all": request.POST.get("all", ""), "form": form,
        }  # fmt: skip
        return render(request, "desk/list_sure.html", context)
    said = action.run(listed.supplier, list(rows), request.user, **(form.cleaned_data if form else {}))
    messages.success(request, said)
    return HttpResponseRedirect(request.get_full_path())


def _whole_keys(rows: QuerySet[Any], keys: Iterable[str]) -> list[Any]:
    """The keys that can be one; a forged form may hold anything."""
    field = rows.model._meta.pk  # noqa: SLF001 -- the public way to a table's key
    good = []
    for key in keys:
        try:
            good.append(field.to_python(key))
        except ValidationError:
            continue
    return good


def _opening(column: Column[Any]) -> SafeString:
    kind = "num " if column.numeric else "nowrap " if column.on_one_line else ""
    label = format_html(' data-label="{}"', column.label) if column.phone == "meta" else ""
    return format_html('<td class="{}on-{}"{}>', kind, column.phone, label)


def _cell(column: Column[Any], row: Model) -> Cell:
    value = column.value(row)
    url = column.link(row) if column.link else ""
    note = column.note(row) if column.note else ""
    return Cell(column, _text(column, value), url, str(note or ""), value.tone if isinstance(value, Badge) else "")


def _text(column: Column[Any], value: Any) -> str:
    write = WRITE.get(column.kind)
    if write:
        return write(value)
    return "" if value is None else str(value)


def _table(listed: List[Any]) -> Iterator[list[Any]]:
    """All rows that the filters let through, first the labels; values, not texts, so that a spreadsheet can add up."""
    columns = listed.downloaded_columns()
    zone = ZoneInfo(listed.supplier.time_zone)  # rows are drawn while they are sent, after the view has ended
    yield [f"{column.label} ({zone})" if column.kind == "moment" else column.label for column in columns]
    rows = listed.found.iterator(chunk_size=CHUNK)
    while chunk := list(islice(rows, CHUNK)):
        listed.prepare(chunk)
        for row in chunk:
            yield [_plain(column.value(row), zone) for column in columns]


def _plain(value: Any, zone: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date | Decimal | int) and not isinstance(value, bool):
        return value
    return "" if value is None else str(value)


class Echo:
    """A file for csv.writer that hands back what is written."""

    def write(self, text: str) -> str:
        return text


def _csv(table: Iterable[list[Any]]) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield "\ufeff"  # so that Excel reads it as UTF-8
    for row in table:
        yield writer.writerow([spreadsheet.harmless(value) for value in row])


def download(supplier: Supplier, what: str, ending: str, table: Iterable[list[Any]]) -> StreamingHttpResponse:
    """A table, its headings first, as a file with that ending: csv or xlsx."""
    name = f"{supplier.slug}-{slugify(what)}-{clock.today(supplier.time_zone)}.{ending}"
    parts: Iterable[Any] = _csv(table) if ending == "csv" else spreadsheet.stream(what.capitalize(), table)
    content_type = "text/csv; charset=utf-8" if ending == "csv" else spreadsheet.CONTENT_TYPE
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(parts, content_type=content_type, headers=headers)
