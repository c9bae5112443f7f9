"""What changes customers and freight groups. Each function is one transaction."""

from collections.abc import Sequence

from django.db import transaction

from provender.basics.money import show_price
from provender.changes.actions import post, post_many
from provender.customers.errors import AnotherWholesalersTerms, CustomerNumberTaken, FreightGroupNameTaken
from provender.customers.models import Customer, FreightGroup
from provender.people.models import User
from provender.suppliers.models import Supplier
from provender.timeline.actions import tell, tell_many
from provender.timeline.wording import what_changed


@transaction.atomic
def save_customer(customer: Customer, *, by: User | None) -> Customer:
    """Add a customer, or keep what was changed; a new one and a new trading name are posted to the outbox.

    Raises CustomerNumberTaken, AnotherWholesalersTerms, ValidationError.
    """
    _check_customer(customer)
    before = Customer.objects.filter(pk=customer.pk).first()
    changes = what_changed(before, customer) if before else []
    if before and not changes:
        return customer
    customer.save()
    story = f"Changed {', '.join(changes)}" if before else "Added"
    tell(customer.supplier, "customer", customer.pk, story, who=by)
    if before is None:
        post(customer.supplier, "contact", customer.pk, "New customer")
    elif before.trading_name != customer.trading_name:
        post(customer.supplier, "contact", customer.pk, f"Renamed from {before.trading_name}")
    return customer


def _check_customer(customer: Customer) -> None:
    same_number = Customer.objects.filter(supplier=customer.supplier, number=customer.number).exclude(pk=customer.pk)
    if customer.number and (twin := same_number.first()):
        raise CustomerNumberTaken(customer.number, twin.trading_name)
    for chosen in (customer.price_list, customer.freight_group):
        if chosen and chosen.supplier_id != customer.supplier_id:
            raise AnotherWholesalersTerms(chosen.name)
    customer.full_clean(validate_unique=False, validate_constraints=False)


@transaction.atomic
def import_customers(supplier: Supplier, customers: Sequence[Customer], *, by: User | None = None) -> list[Customer]:
    """Add many new customers that a file named, in few statements; all or none.

    Raises CustomerNumberTaken, ValidationError.
    """
    numbers = [customer.number for customer in customers if customer.number]
    there = Customer.objects.filter(supplier=supplier, number__in=numbers)
    names = dict(there.values_list("number", "trading_name"))
    for customer in customers:
        if customer.number in names:
            raise CustomerNumberTaken(customer.number, names[customer.number])
        if customer.number:
            names[customer.number] = customer.trading_name
        customer.supplier = supplier
        customer.clean_fields(exclude={"supplier", "price_list", "freight_group"})
    made = Customer.objects.bulk_create(customers)
    tell_many(supplier, "customer", [(customer.pk, "Imported") for customer in made], who=by)
    post_many(supplier, "contact", [customer.pk for customer in made], "Imported", imported=True)
    return made


@transaction.atomic
def save_freight_group(group: FreightGroup, *, by: User | None) -> FreightGroup:
    """Add a freight group, or keep what was changed on it. Raises FreightGroupNameTaken, ValidationError."""
    same_name = FreightGroup.objects.filter(supplier=group.supplier, name=group.name).exclude(pk=group.pk)
    if same_name.exists():
        raise FreightGroupNameTaken(group.name)
    group.full_clean(validate_unique=False, validate_constraints=False)
    before = FreightGroup.objects.filter(pk=group.pk).first()
    changes = what_changed(before, group) if before else []
    if before and not changes:
        return group
    group.save()
    story = f"Changed {', '.join(changes)}" if before else f"Added at {show_price(group.charge)}"
    tell(group.supplier, "freight-group", group.pk, story, who=by)
    return group
