"""How one thing of ours stands in Xero: an invoice or credit note, a payout, a payment, a product, a customer."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from provender.catalogue.models import Product
from provender.changes.models import UNSETTLED, Change
from provender.customers.models import Customer
from provender.customers.wording import followed_in_words
from provender.invoicing.models import Invoice
from provender.suppliers.models import Supplier
from provender.sync.addresses import contact_url, url_in_xero
from provender.sync.connections import connection_of, last_connection
from provender.sync.differences import GONE
from provender.sync.documents import UNAPPROVED, spell_items
from provender.sync.due import may_go
from provender.sync.mirror import fold_name
from provender.sync.models import Connection, Contact, ContactRefusal, CreditInXero, DispatchDocument, Link, Problem
from provender.sync.outstanding import unsettled
from provender.sync.problems import sentence
from provender.sync.queries import ProblemRow, open_problems, problem_rows, problems_of, waiting_invoices
from provender.sync.terms import read_terms

XERO_STATUS = {
    "DRAFT": "Draft",
    "SUBMITTED": "Awaiting approval",
    "AUTHORISED": "Awaiting payment",
    "PAID": "Paid",
    "VOIDED": "Voided",
    "DELETED": "Deleted",
}
LABELS = {"off": "Off", "waiting": "Waiting", "sent": "Sent", "needs-you": "Needs you", "locked": "Locked"}
LOCKED_CAUSES = frozenset({"paid-or-credited", "period-locked"})
UNAPPROVED_THERE = "unapproved"  # beside the states of LABELS: sent, but nothing can be paid on them


def status_in_words(kind: str, status: str) -> str:
    """A status of Xero's as people say it; an approved credit note awaits no payment."""
    return "Approved" if (kind, status) == ("credit_note", "AUTHORISED") else XERO_STATUS.get(status, status)


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
        {
            row.problem.document: row
            for row in problem_rows(connection, open_problems(connection).filter(document__in=ids))
        }
        if live
        else {},
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


# --- money --------------------------------------------------------------------------------------------------------


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
