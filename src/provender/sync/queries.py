"""What screens and commands read: how the link stands in a sentence, what is wrong, and what was called."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet, Window
from django.db.models.functions import RowNumber

from provender.basics import clock
from provender.basics.wording import counted
from provender.changes.models import UNSETTLED, Change
from provender.suppliers.models import Supplier
from provender.sync.addresses import OPENS_IN_XERO, url_in_xero
from provender.sync.connections import connection_of, last_connection
from provender.sync.differences import GONE
from provender.sync.documents import LINED
from provender.sync.errors import why_busy
from provender.sync.kinds import Subject
from provender.sync.models import Call, Connection, Dispatch, Link, Problem
from provender.sync.named import Named, name_all
from provender.sync.outstanding import count_outstanding, outstanding, unsettled
from provender.sync.problems import (
    ACCOUNT_CAUSES,
    APP_REFUSED,
    BY_CODE,
    NEEDS_RECONNECTING,
    PRODUCT,
    SETTINGS,
    Repair,
    repairs_of,
    sentence,
)

WORDS = {
    "invoice": "invoice",
    "credit_note": "credit note",
    "allocation": "allocation",
    "payment": "payment",
    "payout": "deposit",
    "fee": "fee",
}


# --- one line about it all ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class XeroLine:
    """The one sentence about Xero that stands on Today and on the Xero page."""

    state: str  # none, connected, needs-reconnecting, disconnected
    sentence: str
    waiting: int = 0
    problems: int = 0
    checked_at: datetime | None = None
    what_waits: str = ""  # in words, by kind
    app_refused: bool = False  # Xero refuses the app that Provender has: connected, yet nothing goes
    away: bool = False  # something waits, and Xero can't be asked

    @property
    def light(self) -> str:
        """Its state, told apart from one that is connected in vain or can't be asked."""
        return APP_REFUSED.code if self.app_refused else "away" if self.away else self.state

    @property
    def needing(self) -> int:
        """How many things need a person while there is a live connection; one that can't be used counts as one more."""
        lost = self.state == Connection.State.NEEDS_RECONNECTING or self.app_refused
        return self.problems + lost if lost or self.state == Connection.State.CONNECTED else 0


def xero_line(supplier: Supplier) -> XeroLine:
    """How it stands with Xero, in plain words."""
    connection = last_connection(supplier)
    if connection is None:
        return XeroLine("none", "Not connected to Xero yet.")
    by_kind = count_outstanding(connection)
    waiting = sum(by_kind.values())
    problems = open_problems(connection).count()
    checked = connection.last_checked_at
    refused = connection.state == Connection.State.CONNECTED and connection.app_refused_at is not None
    if connection.state == Connection.State.DISCONNECTED:
        text = f"Disconnected from {connection.organisation}."
    elif connection.state == Connection.State.NEEDS_RECONNECTING:
        words = {"organisation": connection.organisation, "why": connection.state_why}
        text = " ".join(NEEDS_RECONNECTING.sentence.format_map(words).split())
    elif refused:
        text = APP_REFUSED.sentence.format(organisation=connection.organisation)
    else:
        text = _in_step_sentence(connection, by_kind, problems)
    away = connection.state == Connection.State.CONNECTED and not refused and waiting > 0 and _is_away(connection)
    if away:
        text += f" Xero can't be asked right now ({why_busy(connection.drain_why)}); it is tried again by itself."
    return XeroLine(connection.state, text, waiting, problems, checked, words_of(by_kind), refused, away)


def _is_away(connection: Connection) -> bool:
    """Whether the last try, a moment ago, failed for more than a limit of the minute, which any large sending meets."""
    again = connection.drain_after
    return connection.drain_why in AWAY and again is not None and again > clock.now() - timedelta(minutes=1)


AWAY = {"no-connection", "offline", "server-error", "timeout", "dropped", "unreadable", "day"}
COUNTED = 5000  # invoices in Xero are told by their number up to here


def _in_step_sentence(connection: Connection, waiting: Mapping[str, int], problems: int) -> str:
    # Every page says this, so a long history isn't counted to its end for it.
    links = {kind: Link.objects.filter(connection=connection, kind=kind) for kind in ("invoice", "credit_note")}
    sent = {kind: there[: COUNTED + 1].count() for kind, there in links.items()}
    parts = []
    of_invoices = not open_problems(connection).exclude(kind="invoice").exists() if problems else False
    if problems:
        what = counted(problems, "invoice" if of_invoices else "problem")
        parts.append(f"{what} {'needs' if problems == 1 else 'need'} a person")
    if waiting:
        alone = of_invoices and waiting.keys() == {"invoice"}
        what = f"{waiting['invoice']:,}" if alone else words_of(waiting)
        parts.append(f"{what} {'waits' if sum(waiting.values()) == 1 else 'wait'} to be sent")
    many, only_one = words_of(sent, up_to=COUNTED), sum(sent.values()) == 1
    if parts:
        there = f"{many} {'is' if only_one else 'are'} in {connection.organisation}" if many else ""
        return f"{' and '.join(parts)}; {there or f'none is in {connection.organisation} yet'}."
    if not many:
        return f"Connected to {connection.organisation}; no invoice has been sent yet."
    if only_one:
        return f"The {many.removeprefix('1 ')} is in {connection.organisation}."
    every = "All " if 1 < sent["invoice"] <= COUNTED else ""
    return f"{every}{many[:1].upper()}{many[1:]} are in {connection.organisation}."


def words_of(counts: Mapping[str, int], up_to: int | None = None) -> str:
    """Numbers of kinds in words: "2 invoices, 1 credit note and 3 payments"; above `up_to` "more than" that."""
    named = [(counts[kind], word) for kind, word in WORDS.items() if counts.get(kind)]
    parts = [
        counted(count, word) if up_to is None or count <= up_to else f"more than {counted(up_to, word)}"
        for count, word in named
    ]
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def waiting_invoices(connection: Connection) -> QuerySet[Change]:
    """Invoices that may go and haven't, those in doubt included."""
    return unsettled(connection).filter(kind="invoice")


# --- problems -----------------------------------------------------------------------------------------------------


def open_problems(connection: Connection) -> QuerySet[Problem]:
    """What needs a person, newest first; a contact's problem is told by the documents that wait for it."""
    open_ = Problem.objects.filter(connection=connection, solved_at=None).exclude(kind="contact")
    return open_.order_by("-found_at", "-pk")


@dataclass(frozen=True)
class Group:
    """A cause and how many documents it holds."""

    cause: str
    title: str
    sentence: str  # the sentence of its newest document
    count: int
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True)
class ProblemRow:
    """One document's problem, ready for a screen."""

    problem: Problem
    title: str
    sentence: str
    repairs: tuple[Repair, ...]
    number: str
    customer: str  # or whose payout it is
    total: Decimal | None
    url_in_xero: str
    raw: str
    subject: Subject | None  # the document whose page tells of it
    currency: str


def problem_groups(supplier: Supplier) -> list[Group]:
    """Causes with how many documents each holds, biggest first; what ails the connection itself comes before all."""
    connection = connection_of(supplier)
    if connection is None:
        return []
    counted = open_problems(connection).values("cause").annotate(count=Count("pk")).order_by("-count", "cause")
    words = {one.cause: one.words for one in newest_of_each_cause(connection, 1)}
    groups = []
    for row in counted:
        cause = BY_CODE.get(row["cause"], BY_CODE["refused"])
        groups.append(
            Group(
                cause.code, cause.title, sentence(cause.code, words.get(row["cause"], {})), row["count"], cause.repairs
            )
        )
    lost = connection.state == Connection.State.NEEDS_RECONNECTING
    if lost or connection.app_refused_at is not None:
        line, cause = xero_line(supplier), NEEDS_RECONNECTING if lost else APP_REFUSED
        groups.insert(0, Group(cause.code, cause.title, line.sentence, line.waiting, cause.repairs))
    return groups


def problems_of(
    supplier: Supplier, cause: str | None = None, *, documents: Iterable[UUID] | None = None
) -> list[ProblemRow]:
    """The open problems of the live connection, newest first, ready for a screen; of one cause, or of some documents.

    A page that may hold thousands takes its part of `open_problems` instead.
    """
    connection = connection_of(supplier)
    if connection is None:
        return []
    wanted = open_problems(connection)
    if cause is not None:
        wanted = wanted.filter(cause=cause)
    if documents is not None:
        wanted = wanted.filter(document__in=list(documents))
    return problem_rows(connection, wanted)


def newest_of_each_cause(connection: Connection, count: int) -> QuerySet[Problem]:
    """Up to `count` open problems of each cause, newest first."""
    place = Window(RowNumber(), partition_by="cause", order_by=["-found_at", "-pk"])
    first = open_problems(connection).annotate(place=place).filter(place__lte=count)
    return open_problems(connection).filter(pk__in=list(first.order_by().values_list("pk", flat=True)))


def problem_rows(connection: Connection, wanted: Iterable[Problem]) -> list[ProblemRow]:
    """These problems, ready for a screen; the same few queries for any number."""
    problems = list(wanted)
    if not problems:
        return []
    for problem in problems:
        problem.connection = connection
    named = name_all(problems)
    # In Xero money is shown on its document, as it is here.
    shown_by = {
        one.pk: (one.kind, one.document)
        if one.kind in OPENS_IN_XERO or one.document not in named
        else named[one.document].subject
        for one in problems
    }
    links = {
        (kind, document): xero_id
        for kind, document, xero_id in Link.objects.filter(
            connection=connection, kind__in=OPENS_IN_XERO, document__in={pk for _, pk in shown_by.values()}
        ).values_list("kind", "document", "xero_id")
    }
    of_products = {pk for pk, _ in _products_at_fault(problems)}
    return [
        _problem_row(
            problem,
            named.get(problem.document),
            _url_of(problem, shown_by[problem.pk], links),
            of_product=problem.pk in of_products,
        )
        for problem in problems
    ]


def product_at_fault(problem: Problem) -> UUID | None:
    """The product whose own account Xero doesn't take; None when the account is one of the settings."""
    return next((product for _, product in _products_at_fault([problem])), None)


def _products_at_fault(problems: Iterable[Problem]) -> list[tuple[int, UUID]]:
    """Problem → product, for accounts that stand on a product. Two queries for any number."""
    named = {
        one.document: (one.pk, account)
        for one in problems
        if one.cause in ACCOUNT_CAUSES and (account := one.words.get("account") or one.words.get("account2"))
    }
    if not named:
        return []
    found: list[tuple[int, UUID]] = []
    for kind, lined in LINED.items():
        lines = lined.line._default_manager.filter(**{f"{kind}__in": list(named)})  # noqa: SLF001 -- its public name
        accounts = lines.exclude(product=None).exclude(sales_account="").order_by("position")
        rows = accounts.values_list(kind, "sales_account", "product")
        found += [(named[pk][0], product) for pk, account, product in rows if account == named[pk][1]]
    return found


OF_OTHERS = ("number-taken", "orphan")  # causes that are about a document in Xero that isn't the twin of ours


def _url_of(problem: Problem, shown_by: Subject, links: Mapping[Subject, str]) -> str:
    """Where Xero shows it: our twin, or what isn't ours, where that is what the problem is about."""
    other = problem.words.get("theirs", "") if problem.cause in OF_OTHERS and problem.kind in OPENS_IN_XERO else ""
    return url_in_xero(problem.connection, other or links.get(shown_by, ""), shown_by[0])


def _problem_row(problem: Problem, named: Named | None, url: str, *, of_product: bool) -> ProblemRow:
    cause = BY_CODE.get(problem.cause, BY_CODE["refused"])
    words = dict(problem.words)
    if named and not words.get("customer"):  # a refusal of an invoice doesn't name its customer
        words["customer"] = named.whose
    mending = repairs_of(problem)
    return ProblemRow(
        problem=problem,
        title=cause.title,
        sentence=sentence(problem.cause, words),
        repairs=(PRODUCT, *(one for one in mending if one != SETTINGS)) if of_product else mending,
        number=named.number if named else problem.words.get("number", ""),
        customer=named.whose if named else "",
        total=named.total if named else None,
        url_in_xero=url,
        raw=problem.raw,
        subject=named.subject if named else None,
        currency=named.currency if named else "",
    )


# --- calls and status ---------------------------------------------------------------------------------------------


def calls_of(connection: Connection) -> QuerySet[Call]:
    """Calls made to Xero, newest first."""
    return Call.objects.filter(connection=connection).order_by("-at", "-pk")


IN_STEP = {
    "invoices": "invoice",
    "credit_notes": "credit_note",
    "payments": "payment",
    "allocations": "allocation",
    "payouts": "payout",
}


def status(supplier: Supplier) -> dict[str, Any]:
    """The state of a wholesaler's link, in the shape that scripts rely on (docs/reference/status.md)."""
    connection = last_connection(supplier)
    if connection is None:
        return {
            "supplier": supplier.slug,
            "connection": {
                "state": "none",
                "organisation": None,
                "tenant_id": None,
                "since": None,
                "app_refused_since": None,
            },
            "automatic_sync": False,
            "waiting": 0,
            "open_dispatches": 0,
            "problems": {"total": 0, "by_cause": {}},
            "in_step": dict.fromkeys(("contacts", *IN_STEP), 0),
            "budget": {"minute_left": None, "day_left": None, "parked_until": None},
            "last_checked": None,
        }
    causes = Problem.objects.filter(connection=connection, solved_at=None).values("cause").annotate(count=Count("pk"))
    by_cause = {row["cause"]: row["count"] for row in causes.order_by("cause")}
    contacts = Link.objects.filter(connection=connection, kind="contact").count()
    return {
        "supplier": supplier.slug,
        "connection": {
            "state": connection.state,
            "organisation": connection.organisation,
            "tenant_id": connection.tenant,
            "since": _iso(connection.connected_at),
            "app_refused_since": _iso(connection.app_refused_at),
        },
        "automatic_sync": connection.automatic_sync,
        "waiting": outstanding(connection).count(),
        "open_dispatches": Dispatch.objects.filter(connection=connection).count(),
        "problems": {"total": sum(by_cause.values()), "by_cause": by_cause},
        "in_step": {"contacts": contacts} | {name: _in_step(connection, kind) for name, kind in IN_STEP.items()},
        "budget": {
            "minute_left": _minute_left(connection),
            "day_left": connection.day_left,
            "parked_until": _iso(connection.parked_until or connection.drain_after),
        },
        "last_checked": _iso(connection.last_checked_at),
    }


def _in_step(connection: Connection, kind: str) -> int:
    """How many documents of that kind Xero has in their newest state; money that was taken out counts no more."""
    unsettled = Change.objects.filter(UNSETTLED, supplier=connection.supplier_id, kind=kind)
    there = Link.objects.filter(connection=connection, kind=kind).exclude(document__in=unsettled.values("document"))
    return there.count() if kind in OPENS_IN_XERO else there.exclude(status__in=GONE).count()


def _minute_left(connection: Connection) -> int | None:
    if connection.minute_resets_at is not None and connection.minute_resets_at <= clock.now():
        return None
    return connection.minute_left


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
