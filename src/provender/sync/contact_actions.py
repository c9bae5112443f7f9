"""What a person says of a customer's contact in Xero: it is that one, it isn't, or a new one is to be made."""

from django.db import transaction

from provender.basics import clock
from provender.basics.rows import hold
from provender.customers.models import Customer
from provender.people.models import User
from provender.sync.connections import connection_of
from provender.sync.drain import release_customers
from provender.sync.errors import LinkRefused
from provender.sync.models import Connection, Contact, ContactRefusal, DispatchDocument, Link
from provender.sync.terms import keep_terms
from provender.timeline.actions import tell


@transaction.atomic
def link_contact(customer: Customer, contact_id: str, by: User | None, *, shown: str | None = None) -> None:
    """This customer is that contact from now on; what waited for it is tried again. Raises LinkRefused.

    `shown`, if given, is the contact that it was when the person chose ("" for none): refused when it no longer is.

    Invoices that are in Xero keep the contact that they went with until they are changed here. The contact that it was
    before is never taken for it by name again.
    """
    hold(customer)
    connection = _connection_of(customer)
    before = Link.objects.filter(connection=connection, kind="contact", document=customer.pk).first()
    now = before.xero_id if before else ""
    if contact_id == now:
        return
    if shown not in {None, now}:
        there = Contact.objects.filter(connection=connection, contact_id=now).first()
        raise LinkRefused(f"{customer} is {f'linked to {there.name}' if there else 'unlinked'} by now. Look again.")
    contact = Contact.objects.filter(connection=connection, contact_id=contact_id, merged_to="").first()
    if contact is None:
        raise LinkRefused("That contact is no longer in Xero. Search again.")
    if contact.status != "ACTIVE":
        raise LinkRefused(f"{contact.name} is archived in Xero. Restore it there first, or choose another contact.")
    _refuse_on_its_way(connection, customer)
    other = Link.objects.filter(connection=connection, kind="contact", xero_id=contact_id).exclude(document=customer.pk)
    if owner := other.first():
        name = customer.supplier.customers.filter(pk=owner.document).values_list("trading_name", flat=True).first()
        raise LinkRefused(f"{contact.name} is the contact of {name} already. One contact belongs to one customer.")
    if before:
        _refuse_contact(connection, customer, before.xero_id, ask=False)
    ContactRefusal.objects.filter(connection=connection, customer=customer.pk, contact_id=contact_id).delete()
    Link.objects.update_or_create(
        connection=connection,
        kind="contact",
        document=customer.pk,
        defaults={
            "xero_id": contact_id,
            "matched": True,
            "number": contact.number,
            "status": contact.status,
            "updated": "",
            "sent": "",
            "sent_at": clock.now(),
        },
    )
    keep_terms(connection, [customer.pk])
    release_customers(connection, [customer.pk], "linked by hand")
    tell(customer.supplier, "customer", customer.pk, f"Linked to the contact {contact.name} in Xero", who=by)


@transaction.atomic
def unlink_contact(customer: Customer, by: User | None, *, ask: bool) -> None:
    """This customer isn't that contact, which is never taken for it by name again. Raises LinkRefused.

    For its next invoice a new contact is made or, with `ask`, a person is asked. Invoices that are in Xero stay with
    the contact that they went with.
    """
    connection = _connection_of(customer)
    link = Link.objects.filter(connection=connection, kind="contact", document=customer.pk).first()
    if link is None:
        raise LinkRefused(f"{customer} is not linked to any contact.")
    name = Contact.objects.filter(connection=connection, contact_id=link.xero_id).values_list("name", flat=True).first()
    _refuse_contact(connection, customer, link.xero_id, ask=ask)
    link.delete()
    keep_terms(connection, [customer.pk])
    tell(
        customer.supplier, "customer", customer.pk, f"Unlinked from the contact {name or 'that it had'} in Xero", who=by
    )


@transaction.atomic
def make_contact(customer: Customer, by: User | None) -> None:
    """Nobody need be asked any more: the next invoice of this unlinked customer makes a contact."""
    connection = _connection_of(customer)
    ContactRefusal.objects.filter(connection=connection, customer=customer.pk).update(ask=False)
    release_customers(connection, [customer.pk], "a new contact")
    tell(customer.supplier, "customer", customer.pk, "Chose to have a contact made in Xero", who=by)


def _connection_of(customer: Customer) -> Connection:
    connection = connection_of(customer.supplier)
    if connection is None:
        raise LinkRefused("Xero is not connected. Connect it first.")
    return connection


def _refuse_on_its_way(connection: Connection, customer: Customer) -> None:
    if DispatchDocument.objects.filter(connection=connection, kind="contact", document=customer.pk).exists():
        raise LinkRefused("A contact for this customer is on its way to Xero. Try again in some minutes.")


def _refuse_contact(connection: Connection, customer: Customer, contact_id: str, *, ask: bool) -> None:
    ContactRefusal.objects.filter(connection=connection, customer=customer.pk).update(ask=ask)
    ContactRefusal.objects.update_or_create(
        connection=connection, customer=customer.pk, contact_id=contact_id, defaults={"ask": ask}
    )
