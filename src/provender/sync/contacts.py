"""Which contact in Xero a customer is: matched by name without writing to it, else created once, from then on by id."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from provender.changes.models import Change
from provender.customers.models import Customer
from provender.sync.differences import TheirLined, moved_to, read_sent
from provender.sync.documents import Built, Trouble, build_contact, contact_number
from provender.sync.mirror import fold_name, read_contacts
from provender.sync.models import Connection, Contact, ContactRefusal, Link
from provender.sync.session import Session

KIND = "contact"


@dataclass
class Plan:
    """What becomes of customers that have no contact yet."""

    matched: dict[UUID, str] = field(default_factory=dict)  # customer -> contact id; nothing is written to it
    create: list[Built] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)


def linked_contacts(connection: Connection, customers: Iterable[UUID]) -> dict[UUID, str]:
    """Customer → contact id, for those that have a link."""
    return dict(
        Link.objects.filter(connection=connection, kind=KIND, document__in=list(customers)).values_list(
            "document", "xero_id"
        )
    )


def merged_contacts(connection: Connection) -> dict[str, str]:
    """Contact → the one that it was merged into, in the end."""
    into = dict(
        Contact.objects.filter(connection=connection).exclude(merged_to="").values_list("contact_id", "merged_to")
    )
    found = {}
    for contact, target in into.items():
        passed = {contact}
        while target in into and target not in passed:
            passed.add(target)
            target = into[target]  # noqa: PLW2901 -- followed to its end
        found[contact] = target
    return found


def hear_of_merges(session: Session, documents: Iterable[tuple[Link | None, TheirLined | None]]) -> dict[str, str]:
    """`merged_contacts`, read anew when a document stands under another contact than it went with.

    Whether that was a merge, only the newest contacts tell: a call for 1,000 of those that changed.
    """
    merged = merged_contacts(session.connection)
    for link, theirs in documents:
        if link and link.sent and theirs and moved_to(read_sent(link.sent), theirs, merged):
            read_contacts(session)
            return merged_contacts(session.connection)
    return merged


def plan_contacts(connection: Connection, customers: Iterable[UUID]) -> Plan:
    """Match each by our own number, then by folded name among active contacts; the rest are created.

    Two customers that are one name, or whose contact is another customer's already, are a question to a person; so is
    one that a person unlinked, if so wished. A contact that a person refused for a customer is never taken for it.
    """
    facts = _Facts.load(connection, customers)
    plan = Plan()
    first_of_name: dict[str, UUID] = {}
    for customer in facts.customers:
        name = facts.folded[customer.pk]
        found = facts.contact_of(customer)
        if customer.pk in facts.asking:
            plan.troubles.append(facts.trouble(customer, "contact-unlinked"))
        elif name in first_of_name or (found and facts.taken.get(found, customer.pk) != customer.pk):
            plan.troubles.append(facts.trouble(customer, "same-name"))
        elif found:
            plan.matched[customer.pk] = found
        elif name in facts.named:  # it was refused for this customer, and Xero takes no second one of its name
            plan.troubles.append(facts.trouble(customer, "contact-name-taken"))
        else:
            plan.create.append(build_contact(customer, facts.revisions.get(customer.pk, 0), facts.free_mark(customer)))
        first_of_name.setdefault(name, customer.pk)
    return plan


@dataclass(frozen=True)
class _Facts:
    """What is known of customers without a contact, in a handful of queries."""

    customers: list[Customer]
    folded: dict[UUID, str]
    revisions: dict[UUID, int]
    refused: dict[UUID, set[str]]  # customer → contacts that a person said it isn't
    asking: set[UUID]
    marked: dict[str, str]  # our number → the contact that carries it
    named: dict[str, str]  # folded name → the active contact of that name
    taken: dict[str, UUID]  # contact → the customer that it is

    @classmethod
    def load(cls, connection: Connection, customers: Iterable[UUID]) -> "_Facts":
        wanted = list(Customer.objects.filter(supplier=connection.supplier_id, pk__in=list(customers)))
        folded = {customer.pk: fold_name(customer.trading_name) for customer in wanted}
        refused: dict[UUID, set[str]] = defaultdict(set)
        asking = set()
        said = ContactRefusal.objects.filter(connection=connection, customer__in=list(folded))
        for customer, contact, ask in said.values_list("customer", "contact_id", "ask"):
            refused[customer].add(contact)
            if ask:
                asking.add(customer)
        rows = Contact.objects.filter(connection=connection, merged_to="")
        marks = [mark for pk in folded for mark in _marks(pk, refused)]
        names = rows.filter(status="ACTIVE", folded_name__in=list(folded.values()))
        return cls(
            wanted,
            folded,
            _revisions(connection, folded),
            refused,
            asking,
            dict(rows.filter(number__in=marks).values_list("number", "contact_id")),
            dict(names.values_list("folded_name", "contact_id")),
            dict(Link.objects.filter(connection=connection, kind=KIND).values_list("xero_id", "document")),
        )

    def contact_of(self, customer: Customer) -> str:
        """The contact that carries our mark, else the one of its name, unless a person refused them; or ""."""
        refused = self.refused.get(customer.pk, set())
        marked = (self.marked.get(mark, "") for mark in _marks(customer.pk, self.refused))
        found = [*marked, self.named.get(self.folded[customer.pk], "")]
        return next((one for one in found if one and one not in refused), "")

    def free_mark(self, customer: Customer) -> str:
        """Our first mark for it that no contact carries: of those that do, none is the customer's any more."""
        return next(mark for mark in _marks(customer.pk, self.refused) if mark not in self.marked)

    def trouble(self, customer: Customer, cause: str) -> Trouble:
        words = {"customer": customer.trading_name, "number": customer.trading_name}
        return Trouble(customer.pk, self.revisions.get(customer.pk, 0), cause, words, customer.pk)


def _marks(customer: UUID, refused: Mapping[UUID, set[str]]) -> list[str]:
    """Our marks for it that contacts may carry: one more than were refused."""
    return [contact_number(customer, nth) for nth in range(1, len(refused.get(customer, ())) + 2)]


def _revisions(connection: Connection, customers: Mapping[UUID, str]) -> dict[UUID, int]:
    return dict(
        Change.objects.filter(supplier=connection.supplier_id, kind=KIND, document__in=customers).values_list(
            "document", "revision"
        )
    )
