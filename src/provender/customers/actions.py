"""What changes customers and freight groups. Each function is one transaction."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction

from provender.basics.money import show_price
from provender.basics.rows import find_named, hold
from provender.catalogue.actions import delete_price_list
from provender.catalogue.errors import EndsBeforeItBegins
from provender.catalogue.models import PriceList
from provender.catalogue.offers import Offers, judge_offers, write_offers
from provender.changes.actions import post, post_many
from provender.customers.errors import AnotherWholesalersTerms, CustomerNumberTaken, FreightGroupNameTaken
from provender.customers.models import Customer, FreightGroup
from provender.customers.tax_numbers import read_tax_number
from provender.customers.wording import followed_in_words
from provender.people.models import User
from provender.suppliers.models import Supplier
from provender.timeline.actions import tell, tell_many
from provender.timeline.wording import what_changed


@transaction.atomic
def save_customer(customer: Customer, *, by: User | None) -> Customer:
    """Add a customer, or keep what was changed; a new one and a new trading name are posted to the outbox.

    Raises CustomerNumberTaken, TaxNumberUnreadable, AnotherWholesalersTerms, EndsBeforeItBegins, ValidationError.
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
    customer.full_clean(validate_unique=False, validate_constraints=False)
    same_number = Customer.objects.filter(supplier=customer.supplier, number=customer.number).exclude(pk=customer.pk)
    if customer.number and (twin := same_number.first()):
        raise CustomerNumberTaken(customer.number, twin.trading_name)
    for chosen in (customer.price_list, customer.freight_group):
        if chosen and chosen.supplier_id != customer.supplier_id:
            raise AnotherWholesalersTerms(chosen.name)
    first, last = customer.percent_from, customer.percent_to
    if first and last and last < first:
        raise EndsBeforeItBegins("The own percentage", first, last)
    customer.tax_number = read_tax_number(customer.tax_number)


@transaction.atomic
def import_customers(
    supplier: Supplier, customers: Sequence[Customer], *, by: User | None = None, story: str = "Imported"
) -> list[Customer]:
    """Add many new customers that came from elsewhere, in few statements; all or none.

    Raises CustomerNumberTaken, ValidationError.
    """
    for customer in customers:
        customer.supplier = supplier
        customer.clean_fields(exclude={"supplier", "price_list", "freight_group"})
    numbers = [customer.number for customer in customers if customer.number]
    there = Customer.objects.filter(supplier=supplier, number__in=numbers)
    names = dict(there.values_list("number", "trading_name"))
    for customer in customers:
        if customer.number in names:
            raise CustomerNumberTaken(customer.number, names[customer.number])
        if customer.number:
            names[customer.number] = customer.trading_name
    made = Customer.objects.bulk_create(customers)
    tell_many(supplier, "customer", [(customer.pk, story) for customer in made], who=by)
    post_many(supplier, "contact", [customer.pk for customer in made], story, imported=True)
    return made


@transaction.atomic
def remove_customers(supplier: Supplier, ids: Iterable[UUID], *, by: User | None, why: str = "") -> set[UUID]:
    """Delete those of the customers that nothing names: no order, no invoice. Answers which went."""
    found = dict(Customer.objects.filter(supplier=supplier, pk__in=list(ids)).values_list("pk", "trading_name"))
    named = find_named(Customer, found)
    gone = {pk: name for pk, name in found.items() if pk not in named}
    Customer.objects.filter(supplier=supplier, pk__in=list(gone)).delete()
    stories = [(supplier.pk, f"Removed the customer {name}") for name in gone.values()]
    tell_many(supplier, "supplier", stories, who=by, why=why)
    return set(gone)


@transaction.atomic
def save_freight_group(group: FreightGroup, *, by: User | None) -> FreightGroup:
    """Add a freight group, or keep what was changed on it. Raises FreightGroupNameTaken, ValidationError."""
    group.full_clean(validate_unique=False, validate_constraints=False)
    same_name = FreightGroup.objects.filter(supplier=group.supplier, name=group.name).exclude(pk=group.pk)
    if same_name.exists():
        raise FreightGroupNameTaken(group.name)
    before = FreightGroup.objects.filter(pk=group.pk).first()
    changes = what_changed(before, group) if before else []
    if before and not changes:
        return group
    group.save()
    story = f"Changed {', '.join(changes)}" if before else f"Added at {show_price(group.charge)}"
    tell(group.supplier, "freight-group", group.pk, story, who=by)
    return group


@transaction.atomic
def set_customers_active(supplier: Supplier, ids: Iterable[UUID], active: bool, *, by: User | None) -> int:
    """Switch many customers on or off; answers how many changed. What they ordered and owe stays as it is."""
    chosen = Customer.objects.filter(supplier=supplier, pk__in=list(ids)).exclude(active=active)
    changed = list(chosen.values_list("pk", flat=True))
    Customer.objects.filter(supplier=supplier, pk__in=changed).update(active=active)
    tell_many(supplier, "customer", [(pk, "Switched on" if active else "Switched off") for pk in changed], who=by)
    return len(changed)


@transaction.atomic
def give_price_list(supplier: Supplier, ids: Iterable[UUID], price_list: PriceList | None, *, by: User | None) -> int:
    """Let many customers buy by a price list (None: at base prices), in new orders; answers how many changed."""
    if price_list and price_list.supplier_id != supplier.pk:
        raise AnotherWholesalersTerms(price_list.name)
    customers = Customer.objects.filter(supplier=supplier, pk__in=list(ids)).select_related("price_list")
    moved = [each for each in customers if each.price_list != price_list]
    Customer.objects.filter(supplier=supplier, pk__in=[each.pk for each in moved]).update(price_list=price_list)
    after = _called(price_list)
    told = [(each.pk, f"Changed price list {_called(each.price_list)} → {after}") for each in moved]
    tell_many(supplier, "customer", told, who=by)
    return len(moved)


@transaction.atomic
def follow_terms_of(supplier: Supplier, ids: Iterable[UUID], terms: str, day: int) -> None:
    """Let customers follow terms that are kept elsewhere (FollowedTerms), or with "" their own again."""
    chosen = list(ids)
    Customer.objects.filter(supplier=supplier, pk__in=chosen).update(followed_terms=terms, followed_day=day)
    story = f"Due now: {followed_in_words(terms, day)}" if terms else "Due by its own terms again"
    tell_many(supplier, "customer", [(pk, story) for pk in chosen], why="Its contact’s terms")


def _called(price_list: PriceList | None) -> str:
    return price_list.name if price_list else "base prices"


@transaction.atomic
def set_own_prices(customer: Customer, offers: Offers, *, by: User | None, why: str = "") -> int:
    """Set many dated prices of one customer's own at once, all or none; answers how many changed.

    Raises what `catalogue.offers.judge_offers` raises.
    """
    offers = judge_offers(customer.supplier, offers)
    hold(customer)
    moved = write_offers(customer.own_prices, offers, customer=customer)
    supplier, name = customer.supplier, customer.trading_name
    of_customer = [(customer.pk, f"Own price of {product.sku}: {move}") for product, move in moved]
    of_products = [(product.pk, f"For {name}: {move}") for product, move in moved]
    tell_many(supplier, "customer", of_customer, who=by, why=why)
    tell_many(supplier, "product", of_products, who=by, why=why)
    return len(moved)


@transaction.atomic
def retire_price_list(price_list: PriceList, *, by: User | None) -> int:
    """Delete a price list; customers who have it go back to base prices. Answers how many they were."""
    theirs = Customer.objects.filter(supplier=price_list.supplier, price_list=price_list)
    moved = give_price_list(price_list.supplier, theirs.values_list("pk", flat=True), None, by=by)
    delete_price_list(price_list, by=by)
    return moved
