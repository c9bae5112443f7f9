"""Which contact in Xero a customer is: matched by name without writing to it, else created once, from then on by id."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from provender.changes.models import Change
from provender.customers.models import Customer
from provender.sync.documents import Built, Trouble, build_contact, contact_number
from provender.sync.mirror import fold_name
from provender.sync.models import Connection, Contact, Link

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


def plan_contacts(connection: Connection, customers: Iterable[UUID]) -> Plan:
    """Match each by our own number, then by folded name among active contacts; the rest are created.

    Two customers that are one name, or whose contact is another customer's already, are a question to a person.
    """
    wanted = list(Customer.objects.filter(supplier=connection.supplier_id, pk__in=list(customers)))
    folded = {customer.pk: fold_name(customer.trading_name) for customer in wanted}
    revisions = _revisions(connection, folded)
    ours, named = _mirrored(connection, wanted, folded)
    taken = dict(Link.objects.filter(connection=connection, kind=KIND).values_list("xero_id", "document"))
    plan = Plan()
    first_of_name: dict[str, UUID] = {}
    for customer in wanted:
        revision, name = revisions.get(customer.pk, 0), folded[customer.pk]
        words = {"customer": customer.trading_name, "number": customer.trading_name}
        contact = ours.get(contact_number(customer.pk)) or named.get(name)
        if name in first_of_name or (contact and taken.get(contact, customer.pk) != customer.pk):
            plan.troubles.append(Trouble(customer.pk, revision, "same-name", words, customer.pk))
        elif contact:
            plan.matched[customer.pk] = contact
        else:
            plan.create.append(build_contact(customer, revision))
        first_of_name.setdefault(name, customer.pk)
    return plan


def _revisions(connection: Connection, customers: Mapping[UUID, str]) -> dict[UUID, int]:
    return dict(
        Change.objects.filter(supplier=connection.supplier_id, kind=KIND, document__in=customers).values_list(
            "document", "revision"
        )
    )


def _mirrored(
    connection: Connection, customers: list[Customer], folded: Mapping[UUID, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Contacts that carry our number, and active contacts by folded name, both to contact ids."""
    rows = Contact.objects.filter(connection=connection, merged_to="")
    numbers = [contact_number(customer.pk) for customer in customers]
    ours = dict(rows.filter(number__in=numbers).values_list("number", "contact_id"))
    named = dict(
        rows.filter(status="ACTIVE", folded_name__in=list(folded.values())).values_list("folded_name", "contact_id")
    )
    return ours, named
