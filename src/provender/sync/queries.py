"""What screens and commands read: how documents stand in Xero, what is wrong, and what was called."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from provender.basics import clock
from provender.basics.wording import counted
from provender.catalogue.models import Product
from provender.changes.models import UNSETTLED, Change
from provender.customers.models import Customer
from provender.customers.wording import followed_in_words
from provender.invoicing.models import Invoice
from provender.suppliers.models import Supplier
from provender.sync.differences import GONE
from provender.sync.documents import LINED, UNAPPROVED, spell_items
from provender.sync.due import may_go
from provender.sync.kinds import Subject
from provender.sync.mirror import fold_name
from provender.sync.models import (
    Call,
    Connection,
    Contact,
    ContactRefusal,
    CreditInXero,
    Dispatch,
    DispatchDocument,
    Link,
    Problem,
)
from provender.sync.named import Named, name_all
from provender.sync.outstanding import count_outstanding, outstanding, unsettled
from provender.sync.problems import (
    ACCOUNT_CAUSES,
    BY_CODE,
    NEEDS_RECONNECTING,
    PRODUCT,
    SETTINGS,
    Repair,
    repairs_of,
    sentence,
)
from provender.sync.terms import read_terms

WORDS = {
    "invoice": "invoice",
    "credit_note": "credit note",
    "allocation": "allocation",
    "payment": "payment",
    "payout": "deposit",
    "fee": "fee",
}
XERO_STATUS = {
    "DRAFT": "Draft",
    "SUBMITTED": "Awaiting approval",
    "AUTHORISED": "Awaiting payment",
    "PAID": "Paid",
    "VOIDED": "Voided",
    "DELETED": "Deleted",
}


def status_in_words(kind: str, status: str) -> str:
    """A status of Xero's as people say it; an approved credit note awaits no payment."""
    return "Approved" if (kind, status) == ("credit_note", "AUTHORISED") else XERO_STATUS.get(status, status)


def connection_of(supplier: Supplier) -> Connection | None:
    """The live connection (connected or in need of reconnecting), or None."""
    return supplier.connections.exclude(state=Connection.State.DISCONNECTED).first()


def last_connection(supplier: Supplier) -> Connection | None:
    """The live connection, else the one that was connected last."""
    return connection_of(supplier) or supplier.connections.order_by("-connected_at").first()


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

    @property
    def needing(self) -> int:
        """How many things need a person while there is a live connection; one that was lost counts as one more."""
        lost = self.state == Connection.State.NEEDS_RECONNECTING
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
    if connection.state == Connection.State.DISCONNECTED:
        text = f"Disconnected from {connection.organisation}."
    elif connection.state == Connection.State.NEEDS_RECONNECTING:
        words = {"organisation": connection.organisation, "why": connection.state_why}
        text = " ".join(NEEDS_RECONNECTING.sentence.format_map(words).split())
    else:
        text = _in_step_sentence(connection, by_kind, problems)
    return XeroLine(connection.state, text, waiting, problems, checked, words_of(by_kind))


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
    """What needs a person; a contact's problem is told by the documents that wait for it."""
    return Problem.objects.filter(connection=connection, solved_at=None).exclude(kind="contact")


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
    """Causes with how many documents each holds, biggest first; needing to reconnect comes before all."""
    connection = connection_of(supplier)
    if connection is None:
        return []
    rows = open_problems(connection)
    counted = rows.values("cause").annotate(count=Count("pk")).order_by("-count", "cause")
    groups = []
    for row in counted:
        newest = rows.filter(cause=row["cause"]).latest("found_at")
        cause = BY_CODE.get(row["cause"], BY_CODE["refused"])
        groups.append(Group(cause.code, cause.title, sentence(cause.code, newest.words), row["count"], cause.repairs))
    if connection.state == Connection.State.NEEDS_RECONNECTING:
        line = xero_line(supplier)
        cause = NEEDS_RECONNECTING
        groups.insert(0, Group(cause.code, cause.title, line.sentence, line.waiting, cause.repairs))
    return groups


def problems_of(
    supplier: Supplier, cause: str | None = None, *, documents: Iterable[UUID] | None = None
) -> list[ProblemRow]:
    """Open problems, newest first; of one cause, or of some documents. The same few queries for any number of them."""
    connection = connection_of(supplier)
    if connection is None:
        return []
    wanted = Q()
    if cause is not None:
        wanted &= Q(cause=cause)
    if documents is not None:
        wanted &= Q(document__in=list(documents))
    return _problem_rows(connection, wanted)


def _problem_rows(connection: Connection, wanted: Q) -> list[ProblemRow]:
    problems = list(open_problems(connection).filter(wanted).order_by("-found_at", "-pk"))
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


# --- one document -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """How one invoice or credit note stands in Xero."""

    state: str  # off, waiting, sent, needs-you, locked
    label: str
    xero_status: str = ""
    xero_id: str = ""
    url: str = ""
    number: str = ""
    sent_at: datetime | None = None
    total: Decimal | None = None
    revision: int = 0
    in_doubt: bool = False
    problem: ProblemRow | None = None


COUNTED = 5000  # invoices in Xero are told by their number up to here
LABELS = {"off": "Off", "waiting": "Waiting", "sent": "Sent", "needs-you": "Needs you", "locked": "Locked"}
LOCKED_CAUSES = frozenset({"paid-or-credited", "period-locked"})


@dataclass
class _Facts:
    """What is known of many documents, one query each."""

    connection: Connection
    kind: str
    links: dict[UUID, Link] = field(default_factory=dict)
    waiting: set[UUID] = field(default_factory=set)
    doubtful: set[UUID] = field(default_factory=set)
    problems: dict[UUID, ProblemRow] = field(default_factory=dict)


def standing(supplier: Supplier, invoices: Iterable[UUID]) -> dict[UUID, Standing]:
    """How each of these invoices stands in Xero; the same few queries for any number of them."""
    return standing_in(last_connection(supplier), invoices)


def credit_note_standing(supplier: Supplier, credit_note: UUID) -> Standing:
    """The same of a credit note."""
    return standing_in(last_connection(supplier), [credit_note], "credit_note")[credit_note]


def standing_in(
    connection: Connection | None, documents: Iterable[UUID], kind: str = "invoice"
) -> dict[UUID, Standing]:
    """The same, of a wholesaler's last connection; without any, all are off."""
    ids = list(documents)
    if connection is None:
        return {pk: Standing("off", LABELS["off"]) for pk in ids}
    links = Link.objects.filter(connection=connection, kind=kind, document__in=ids).defer("sent", "lines")
    live = connection.state != Connection.State.DISCONNECTED
    facts = _Facts(
        connection,
        kind,
        {link.document: link for link in links},
        set(unsettled(connection).filter(kind=kind, document__in=ids).values_list("document", flat=True)),
        set(
            DispatchDocument.objects.filter(connection=connection, kind=kind, document__in=ids).values_list(
                "document", flat=True
            )
        ),
        {row.problem.document: row for row in _problem_rows(connection, Q(document__in=ids))} if live else {},
    )
    return {pk: _stand(facts, pk) for pk in ids}


def _stand(facts: _Facts, pk: UUID) -> Standing:
    link, problem = facts.links.get(pk), facts.problems.get(pk)
    state = "off"
    if problem is not None:
        state = "locked" if problem.problem.cause in LOCKED_CAUSES else "needs-you"
    elif pk in facts.waiting or pk in facts.doubtful:
        state = "waiting"
    elif link is not None:
        state = "sent"
    if link is None:
        return Standing(state, LABELS[state], in_doubt=pk in facts.doubtful, problem=problem)
    over = state == "sent" and link.status in GONE  # nothing more can be sent to it
    return Standing(
        state,
        XERO_STATUS[link.status] if over else LABELS[state],
        status_in_words(facts.kind, link.status),
        link.xero_id,
        url_in_xero(facts.connection, link.xero_id, facts.kind) if link.status not in GONE else "",
        link.number,
        link.sent_at,
        link.total,
        link.revision,
        pk in facts.doubtful,
        problem,
    )


@dataclass(frozen=True)
class DepositStanding:
    """How a closed payout stands in Xero: its deposit, its fee, and what needs a person."""

    state: str  # off, waiting, deposited, deleted, held
    label: str
    posted: Decimal | None = None
    sent_at: datetime | None = None
    fee: Decimal | None = None  # as it was spent there
    problems: tuple[ProblemRow, ...] = ()


def deposit_standing(supplier: Supplier, payout: UUID) -> DepositStanding | None:
    """How the payout's deposit stands in Xero; None without a connection. A handful of queries."""
    connection = last_connection(supplier)
    if connection is None:
        return None
    links = {link.kind: link for link in Link.objects.filter(connection=connection, document=payout)}
    deposit, fee = links.get("payout"), links.get("fee")
    live = deposit is not None and deposit.status not in GONE
    problems = tuple(problems_of(supplier, documents=[payout]))
    changes = Change.objects.filter(supplier=supplier, kind__in=("payout", "fee"), document=payout)
    moving = changes.filter(UNSETTLED, may_go(connection))
    if problems:
        state, label = "held", "Needs you"
    elif moving.exists() or DispatchDocument.objects.filter(connection=connection, document=payout).exists():
        state, label = "waiting", "On its way"
    elif live:
        state, label = "deposited", "Deposited"
    else:
        state, label = ("deleted", "Deleted") if deposit else ("off", "Not in Xero")
    return DepositStanding(
        state,
        label,
        deposit.total if deposit and live else None,
        deposit.sent_at if deposit and live else None,
        fee.total if fee and fee.status not in GONE else None,
        problems,
    )


UNAPPROVED_THERE = "unapproved"  # beside the states of LABELS: sent, but nothing can be paid on them


def drafts_in_xero(connection: Connection) -> QuerySet[Link]:
    """The links of the invoices that went to Xero as drafts, or wait for approval there."""
    return Link.objects.filter(connection=connection, kind="invoice", status__in=UNAPPROVED)


def invoices_standing(connection: Connection, state: str) -> Q:
    """A condition on invoices by how they stand, for the filter of the invoice list."""
    if state == UNAPPROVED_THERE:
        return Q(pk__in=drafts_in_xero(connection).values("document"))
    problems = Problem.objects.filter(connection=connection, kind="invoice", solved_at=None)
    locked = problems.filter(cause__in=LOCKED_CAUSES).values("document")
    needing = problems.exclude(cause__in=LOCKED_CAUSES).values("document")
    waiting = waiting_invoices(connection).values("document")
    # Asked per invoice: nearly all have a link, and a set of them all would be built for each page.
    linked = Q(Exists(Link.objects.filter(connection=connection, kind="invoice", document=OuterRef("pk"))))
    return {
        "needs-you": Q(pk__in=needing),
        "locked": Q(pk__in=locked),
        "waiting": Q(pk__in=waiting),
        "sent": linked & ~Q(pk__in=needing) & ~Q(pk__in=locked) & ~Q(pk__in=waiting),
        "off": ~linked & ~Q(pk__in=needing) & ~Q(pk__in=locked) & ~Q(pk__in=waiting),
    }[state]


def unlinked_invoices(connection: Connection) -> QuerySet[Invoice, UUID]:
    """Keys of the supplier's invoices that have no twin in Xero: two indexes read side by side, no look-up for each."""
    ours = Invoice.objects.filter(supplier=connection.supplier_id).order_by().values_list("pk", flat=True)
    linked = Link.objects.filter(connection=connection, kind="invoice").order_by().values_list("document", flat=True)
    return ours.difference(linked).order_by("pk")


OPENS_IN_XERO = ("invoice", "credit_note")
OF_OTHERS = ("number-taken", "orphan")  # causes that are about a document in Xero that isn't the twin of ours


def url_in_xero(connection: Connection, xero_id: str, kind: str = "invoice") -> str:
    """The address that opens this invoice or credit note in Xero, or "" when there is none."""
    if not xero_id or kind not in OPENS_IN_XERO:
        return ""
    login = _login()
    if "login.xero.com" not in login:  # the simulator has pages of its own
        if kind == "credit_note":
            return f"{login}/_simulator/?organisation={connection.tenant}&view=credit-notes#{xero_id}"
        return f"{login}/_simulator/invoice/{xero_id}?organisation={connection.tenant}"
    return _inside_xero(connection, f"/AccountsReceivable/View.aspx?InvoiceID={xero_id}")


def _login() -> str:
    from provender.sync.tokens import endpoints

    return str(endpoints().login)


def _inside_xero(connection: Connection, path: str) -> str:
    return f"https://go.xero.com/organisationlogin/default.aspx?shortcode={connection.short_code}&redirecturl={path}"


# --- items --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ItemStanding:
    """Which item in Xero a product is: its code there ("" when there is none), and when it was last synced."""

    organisation: str
    code: str
    tracked: bool = False
    pulled_at: datetime | None = None


def item_standing(product: Product) -> ItemStanding | None:
    """None when Xero isn't connected, or its items were never read."""
    connection = connection_of(product.supplier)
    if connection is None or connection.chart_read_at is None:
        return None
    spelled = spell_items(connection)
    code = spelled.get(product.sku) or spelled.get(product.sku.casefold()) or ""
    item = connection.items.filter(code=code, sold=True).first() if code else None
    pulled = connection.item_products.filter(product=product.pk).values_list("pulled_at", flat=True).first()
    return ItemStanding(connection.organisation, code, bool(item and item.tracked), pulled)


def skus_without_item(supplier: Supplier, skus: Iterable[str]) -> list[str]:
    """Those of these SKUs that are no item in Xero: their lines go without an item code. None are named unread."""
    wanted = sorted(set(skus) - {""})
    connection = connection_of(supplier) if wanted else None
    if connection is None or connection.chart_read_at is None:
        return []
    spelled = spell_items(connection)
    return [sku for sku in wanted if sku not in spelled and sku.casefold() not in spelled]


# --- money --------------------------------------------------------------------------------------------------------


def money_in_xero(supplier: Supplier, rows: Iterable[UUID]) -> dict[UUID, str]:
    """Payment or allocation → its id in Xero, for those that Xero has."""
    connection = last_connection(supplier)
    if connection is None:
        return {}
    links = Link.objects.filter(connection=connection, kind__in=("payment", "allocation"), document__in=list(rows))
    return dict(links.exclude(status__in=GONE).values_list("document", "xero_id"))


def credits_in_xero(supplier: Supplier, customer: UUID) -> list[CreditInXero]:
    """What the customer's contact has left of credit that lives in Xero alone, such as what it paid too much."""
    connection = connection_of(supplier)
    if connection is None:
        return []
    contact = Link.objects.filter(connection=connection, kind="contact", document=customer).values_list("xero_id")
    left = CreditInXero.objects.filter(connection=connection, contact_id__in=contact, remaining__gt=0)
    return list(left.order_by("date", "name"))


# --- contacts -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ContactStanding:
    """How a customer stands in Xero."""

    state: str  # linked, none, problem
    name: str = ""
    contact_id: str = ""
    archived: bool = False
    matched: bool = False
    sentence: str = ""
    url: str = ""
    unlinked: bool = False  # a person unlinked it, so it isn't found by its name any more
    asks: bool = False  # and its next invoice waits until somebody has chosen
    terms: str = ""  # the contact's payment terms, in words


def contact_standing(customer: Customer) -> ContactStanding:
    """The contact that this customer is in Xero."""
    connection = last_connection(customer.supplier)
    if connection is None:
        return ContactStanding("none")
    link = Link.objects.filter(connection=connection, kind="contact", document=customer.pk).first()
    if link is None:
        return _without_contact(connection, customer)
    contact = Contact.objects.filter(connection=connection, contact_id=link.xero_id).first()
    terms = read_terms(contact.terms, contact.terms_day) if contact else None
    return ContactStanding(
        "linked",
        contact.name if contact else customer.trading_name,
        link.xero_id,
        bool(contact and contact.status != "ACTIVE"),
        link.matched,
        url=contact_url(connection, link.xero_id),
        terms=followed_in_words(*terms) if terms else "",
    )


def _without_contact(connection: Connection, customer: Customer) -> ContactStanding:
    problem = Problem.objects.filter(
        connection=connection, kind="contact", document=customer.pk, solved_at=None
    ).first()
    said = list(
        ContactRefusal.objects.filter(connection=connection, customer=customer.pk).values_list("ask", flat=True)
    )
    return ContactStanding(
        "problem" if problem else "none",
        sentence=sentence(problem.cause, problem.words) if problem else "",
        unlinked=bool(said),
        asks=any(said),
    )


def contact_url(connection: Connection, contact_id: str) -> str:
    """The address that opens this contact in Xero."""
    login = _login()
    if "login.xero.com" not in login:  # the simulator has a page of its own
        return f"{login}/_simulator/?organisation={connection.tenant}&view=contacts"
    return _inside_xero(connection, f"/Contacts/View/{contact_id}")


def invoices_sent_for(customer: Customer) -> int:
    """How many invoices of this customer are in Xero."""
    connection = last_connection(customer.supplier)
    sent = Link.objects.filter(connection=connection, kind="invoice").exclude(status__in=GONE)
    return customer.invoices.filter(pk__in=sent.values("document")).count()


def customers_linked(connection: Connection) -> int:
    """How many customers have a contact."""
    return Link.objects.filter(connection=connection, kind="contact").count()


@dataclass(frozen=True)
class FoundContact:
    """A contact that a search found: what tells it from others, and the customer that it is, if any."""

    contact_id: str
    name: str
    about: str
    owner: str


def find_contacts(connection: Connection, text: str) -> list[FoundContact]:
    """Up to 20 active contacts that have that text in their name, e-mail address or tax number."""
    rows = Contact.objects.filter(connection=connection, status="ACTIVE", merged_to="")
    found = rows.filter(
        Q(folded_name__contains=fold_name(text)) | Q(email__icontains=text) | Q(tax_number__icontains=text)
    )
    contacts = list(found.order_by("name", "pk")[:20])
    links = Link.objects.filter(connection=connection, kind="contact", xero_id__in=[one.contact_id for one in contacts])
    owners = dict(links.values_list("xero_id", "document"))
    names = dict(
        Customer.objects.filter(supplier=connection.supplier_id, pk__in=list(owners.values())).values_list(
            "pk", "trading_name"
        )
    )
    return [
        FoundContact(
            one.contact_id,
            one.name,
            " · ".join(filter(None, (one.email, one.tax_number, *(place.get("city", "") for place in one.addresses)))),
            names.get(owners[one.contact_id], "") if one.contact_id in owners else "",
        )
        for one in contacts
    ]


# --- calls and status ---------------------------------------------------------------------------------------------


def calls_of(connection: Connection) -> QuerySet[Call]:
    """Calls made to Xero, newest first."""
    return Call.objects.filter(connection=connection).order_by("-at", "-pk")


def status(supplier: Supplier) -> dict[str, Any]:
    """The state of a wholesaler's link, in the shape that scripts rely on (docs/reference/status.md)."""
    connection = last_connection(supplier)
    if connection is None:
        return {
            "supplier": supplier.slug,
            "connection": {"state": "none", "organisation": None, "tenant_id": None, "since": None},
            "automatic_sync": False,
            "waiting": 0,
            "open_dispatches": 0,
            "problems": {"total": 0, "by_cause": {}},
            "in_step": dict.fromkeys(("contacts", "invoices", "credit_notes", "payments", "allocations", "payouts"), 0),
            "budget": {"minute_left": None, "day_left": None, "parked_until": None},
            "last_checked": None,
        }
    causes = Problem.objects.filter(connection=connection, solved_at=None).values("cause").annotate(count=Count("pk"))
    by_cause = {row["cause"]: row["count"] for row in causes.order_by("cause")}
    return {
        "supplier": supplier.slug,
        "connection": {
            "state": connection.state,
            "organisation": connection.organisation,
            "tenant_id": connection.tenant,
            "since": _iso(connection.connected_at),
        },
        "automatic_sync": connection.automatic_sync,
        "waiting": outstanding(connection).count(),
        "open_dispatches": Dispatch.objects.filter(connection=connection).count(),
        "problems": {"total": sum(by_cause.values()), "by_cause": by_cause},
        "in_step": {
            "contacts": Link.objects.filter(connection=connection, kind="contact").count(),
            "invoices": _in_step(connection, "invoice"),
            "credit_notes": _in_step(connection, "credit_note"),
            "payments": _in_step(connection, "payment"),
            "allocations": _in_step(connection, "allocation"),
            "payouts": _in_step(connection, "payout"),
        },
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
