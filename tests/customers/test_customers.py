from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

import cast
from provender.catalogue.models import PriceList
from provender.changes.models import Change
from provender.customers.actions import (
    give_price_list,
    import_customers,
    retire_price_list,
    save_customer,
    set_customers_active,
)
from provender.customers.errors import (
    AnotherWholesalersTerms,
    CustomerNumberTaken,
    FreightGroupNameTaken,
    TaxNumberUnreadable,
)
from provender.customers.models import Customer
from provender.customers.queries import due_date, freight_for
from provender.timeline.queries import story

pytestmark = pytest.mark.django_db


def posted(customer):
    return Change.objects.get(kind="contact", document=customer.pk)


def test_a_new_customer_is_posted(cafe):
    assert (posted(cafe).revision, posted(cafe).why) == (1, "New customer")


def test_a_new_trading_name_is_posted_and_told(supplier, cafe):
    cafe.trading_name = "Corner Kitchen"
    save_customer(cafe, by=cast.person("mai", supplier))
    assert (posted(cafe).revision, posted(cafe).why) == (2, "Renamed from Corner Cafe")
    entry = story(supplier, "customer", cafe.pk)[0]
    assert (entry.what, str(entry.who)) == ("Changed trading name “Corner Cafe” → “Corner Kitchen”", "Mai")


def test_a_number_is_taken_however_it_is_typed(supplier):
    cast.venue(supplier, number="C-1")
    with pytest.raises(CustomerNumberTaken):
        cast.venue(supplier, "Dockside", number="\tC-1\x01")
    with pytest.raises(CustomerNumberTaken):
        import_customers(supplier, [Customer(trading_name="Dockside", number="C-1\r")])


def test_a_number_that_nobody_can_see_is_none(supplier):
    first, second = cast.venue(supplier, number="\x01"), cast.venue(supplier, "Dockside", number="\ufeff")
    assert (first.number, second.number) == ("", "")


def test_the_same_words_again_are_no_change(supplier, cafe):
    cafe.trading_name, cafe.note = "Corner\r\nCafe\0", "\r\n"
    save_customer(cafe, by=None)
    assert [entry.what for entry in story(supplier, "customer", cafe.pk)] == ["Added"]


def test_other_edits_concern_nobody_outside(cafe):
    cafe.terms_days, cafe.phone = 30, "02 9000 0000"
    save_customer(cafe, by=None)
    assert posted(cafe).revision == 1


def test_saving_without_a_change_tells_nothing(supplier, cafe):
    save_customer(Customer.objects.get(pk=cafe.pk), by=None)
    assert story(supplier, "customer", cafe.pk).count() == 1


def test_a_customer_number_is_given_once_and_may_be_missing(supplier):
    cast.venue(supplier, "Corner Cafe", number="17850")
    cast.venue(supplier, "Harbour Hotel")
    cast.venue(supplier, "Corner Cafe")
    cast.venue(cast.supplier("southern"), "Cafe Sud", number="17850")
    with pytest.raises(CustomerNumberTaken, match="Corner Cafe"):
        cast.venue(supplier, "Deli", number="17850")


def test_terms_must_be_the_wholesalers_own(supplier):
    southern = cast.supplier("southern")
    with pytest.raises(AnotherWholesalersTerms):
        cast.venue(supplier, "Deli", price_list=cast.price_list(southern))
    with pytest.raises(AnotherWholesalersTerms):
        cast.venue(supplier, "Deli", freight_group=cast.freight_group(southern))


@pytest.mark.parametrize("wrong", [{"trading_name": ""}, {"terms_days": 366}, {"email": "x"}, {"country": "FR"}])
def test_what_makes_no_sense_is_refused(supplier, wrong):
    with pytest.raises(ValidationError):
        cast.venue(supplier, **({"trading_name": "Deli"} | wrong))


@pytest.mark.parametrize(
    ("terms_from", "days", "delivered", "due"),
    [("order", 0, 5, 1), ("order", 14, 5, 15), ("delivery", 14, 5, 19),
     ("delivery", 0, 5, 5), ("delivery", 14, None, 15)],
)  # fmt: skip
def test_the_due_day_by_terms(supplier, terms_from, days, delivered, due):
    deli = cast.venue(supplier, "Deli", terms_days=days, terms_from=terms_from)
    delivery_date = date(2026, 11, delivered) if delivered else None
    ordered = date(2026, 11, 1)
    assert due_date(deli, order_date=ordered, delivery_date=delivery_date, dated=ordered) == date(2026, 11, due)


@pytest.mark.parametrize(
    ("goods", "freight"), [("0", "12.00"), ("149.99", "12.00"), ("150.00", "0.00"), ("900", "0.00")]
)
def test_freight_is_free_from_the_groups_value_on(supplier, goods, freight):
    deli = cast.venue(supplier, "Deli", freight_group=cast.freight_group(supplier))
    assert freight_for(deli, Decimal(goods)) == Decimal(freight)


def test_freight_without_a_limit_and_without_a_group(supplier, cafe):
    far = cast.venue(supplier, "Deli", freight_group=cast.freight_group(supplier, "Country", "35.00", free_from=None))
    assert (freight_for(far, Decimal(10_000)), freight_for(cafe, Decimal(1))) == (Decimal(35), Decimal(0))


def test_a_freight_groups_name_is_taken_once(supplier):
    cast.freight_group(supplier)
    with pytest.raises(FreightGroupNameTaken):
        cast.freight_group(supplier)


def test_a_files_customers_come_in_all_or_none_and_wait(supplier, django_assert_max_num_queries):
    new = [Customer(trading_name=f"Customer {number}", number=str(number)) for number in range(100)]
    with django_assert_max_num_queries(12):
        made = import_customers(supplier, new)
    assert Change.objects.filter(kind="contact", imported=True).count() == len(made) == 100
    with pytest.raises(CustomerNumberTaken, match="Customer 7"):
        import_customers(supplier, [Customer(trading_name=n, number=n) for n in ("200", "7")])
    assert not Customer.objects.filter(number="200").exists()


def test_many_customers_are_switched_off_and_only_those_that_were_on_are_counted(supplier, cafe):
    off = cast.venue(supplier, "Bar Lune", active=False)
    theirs = cast.venue(cast.supplier("southern"))
    assert set_customers_active(supplier, [cafe.pk, off.pk, theirs.pk], active=False, by=None) == 1
    assert story(supplier, "customer", cafe.pk)[0].what == "Switched off"


def test_many_customers_get_a_price_list(supplier, cafe):
    cafes = cast.price_list(supplier, "Cafés")
    has_it = cast.venue(supplier, "Bar Lune", price_list=cafes)
    assert give_price_list(supplier, [cafe.pk, has_it.pk], cafes, by=None) == 1
    assert story(supplier, "customer", cafe.pk)[0].what == "Changed price list base prices → Cafés"
    with pytest.raises(AnotherWholesalersTerms):
        give_price_list(supplier, [cafe.pk], cast.price_list(cast.supplier("southern")), by=None)


def test_a_retired_price_list_sends_its_customers_back_to_base_prices(supplier):
    cafes = cast.price_list(supplier, "Cafés", {"OAT-1L": "4.20"})
    venue = cast.venue(supplier, "Bar Lune", price_list=cafes)
    assert retire_price_list(cafes, by=None) == 1
    venue.refresh_from_db()
    assert venue.price_list is None
    assert story(supplier, "customer", venue.pk)[0].what == "Changed price list Cafés → base prices"
    assert not PriceList.objects.exists()


def test_a_customers_tax_number_must_be_readable(cafe):
    cafe.tax_number = "ask Luca"
    with pytest.raises(TaxNumberUnreadable):
        save_customer(cafe, by=None)
