"""Properties, their options and values, and which option a line carries."""

import time
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

import cast
from provender.properties.actions import delete_property, save_option, save_property, set_value, set_values
from provender.properties.errors import (
    OptionNameTaken,
    OptionRefused,
    PropertyNameTaken,
    PropertyNotThere,
    PropertyTypeFixed,
    ValueRefused,
)
from provender.properties.models import Option, Property, Value
from provender.properties.queries import choose_for_customers, choose_for_lines, fields_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def region(supplier):
    return cast.property_(supplier, "Region", ["North", "South", "West Coast"])


def option(its, name):
    return str(its.options.get(name=name).pk)


def test_two_properties_never_share_a_name_or_a_tag(supplier, region):
    with pytest.raises(PropertyNameTaken, match="name “region”"):
        save_property(Property(supplier=supplier, name="region"), by=None)
    with pytest.raises(PropertyNameTaken, match="tag"):
        save_property(Property(supplier=supplier, name="Area", tag="XERO_region"), by=None)


def test_two_options_of_one_property_never_share_a_name(region):
    with pytest.raises(OptionNameTaken):
        save_option(Option(property=region, name="NORTH "), by=None)


def test_an_inactive_option_stays_where_it_is_and_is_not_offered_elsewhere(supplier, region):
    one, other = cast.product(supplier), cast.product(supplier, "SYRUP-VAN")
    set_value(region, "product", one.pk, option(region, "North"), by=None)
    north = region.options.get(name="North")
    north.active = False
    save_option(north, by=None)
    assert [field.shown for field in fields_of(supplier, "product", one.pk)] == ["North"]
    assert "North" not in [each.name for each in fields_of(supplier, "product", other.pk)[0].options]
    with pytest.raises(OptionRefused):
        set_value(region, "product", other.pk, str(north.pk), by=None)


def test_a_value_is_of_its_propertys_type(supplier):
    number, cold = (
        save_property(Property(supplier=supplier, name=name, type=kind), by=None)
        for name, kind in (("Weight", "number"), ("Cold chain", "yes-no"))
    )
    item = cast.product(supplier)
    with pytest.raises(ValueRefused, match="takes a number"):
        set_value(number, "product", item.pk, "heavy", by=None)
    with pytest.raises(ValueRefused, match="yes or no"):
        set_value(cold, "product", item.pk, "maybe", by=None)
    set_value(number, "product", item.pk, "1,250.50", by=None)
    set_value(cold, "product", item.pk, "yes", by=None)
    assert {field.property.name: field.shown for field in fields_of(supplier, "product", item.pk)} == {
        "Weight": "1250.5",
        "Cold chain": "yes",
    }


def test_a_property_sits_only_where_it_is_attached(supplier, region, cafe):
    region.on_customers = False
    save_property(region, by=None)
    with pytest.raises(PropertyNotThere, match="isn't for customers"):
        set_value(region, "customer", cafe.pk, option(region, "North"), by=None)


def test_a_type_stays_once_there_are_values(supplier, region):
    set_value(region, "product", cast.product(supplier).pk, option(region, "North"), by=None)
    region.type = "text"
    with pytest.raises(PropertyTypeFixed):
        save_property(region, by=None)


def test_a_deleted_property_takes_its_values_with_it(supplier, region):
    set_value(region, "product", cast.product(supplier).pk, option(region, "North"), by=None)
    delete_property(region, by=None)
    assert not Value.objects.exists()


def test_many_products_are_set_at_once_and_counted(region):
    many = [uuid4() for _ in range(5000)]
    began = time.monotonic()
    assert set_values(region, "product", many, option(region, "South"), by=None) == 5000
    print(f"5,000 products in {time.monotonic() - began:.2f} s")
    assert set_values(region, "product", many, option(region, "South"), by=None) == 0
    assert set_values(region, "product", many[:7], "", by=None) == 7


# --- precedence ---------------------------------------------------------------------------------------------------

LEVELS = ("product", "invoice", "order", "customer")
CHOSEN = st.fixed_dictionaries({level: st.sampled_from([None, "North", "South", "West Coast"]) for level in LEVELS})
ATTACHED = st.fixed_dictionaries({level: st.booleans() for level in LEVELS})


@given(chosen=CHOSEN, attached=ATTACHED)
@hypothesis(max_examples=60)
def test_product_then_invoice_then_order_then_customer_decides(supplier, chosen, attached):
    its = cast.property_(supplier, f"Region {uuid4()}", ["North", "South", "West Coast"], tag="")
    documents = {level: uuid4() for level in LEVELS}
    for level, name in chosen.items():
        if name:
            set_value(its, level, documents[level], option(its, name), by=None)
    for level in LEVELS:
        setattr(its, f"on_{level}s", attached[level])
    save_property(its, by=None)
    heads = {level: documents[level] for level in LEVELS[1:]}
    (found,) = choose_for_lines(supplier, [documents["product"]], **heads)
    expected = next(((level, chosen[level]) for level in LEVELS if chosen[level] and attached[level]), None)
    assert (
        next(((one["from"], one["option_name"]) for one in found if one["property"] == str(its.pk)), None) == expected
    )


def test_documents_of_many_customers_carry_what_those_of_one_would(supplier, region, django_assert_max_num_queries):
    cafe, bar = cast.venue(supplier, "Corner Cafe"), cast.venue(supplier, "Harbour Bar")
    oat = cast.product(supplier)
    set_value(region, "customer", cafe.pk, option(region, "South"), by=None)
    set_value(region, "product", oat.pk, option(region, "North"), by=None)
    wanted = {cafe.pk: [None, oat.pk], bar.pk: [oat.pk, None, None]}
    with django_assert_max_num_queries(3):
        found = choose_for_customers(supplier, wanted)
    names = {pk: [[one["option_name"] for one in line] for line in lines] for pk, lines in found.items()}
    assert names == {cafe.pk: [["South"], ["North"]], bar.pk: [["North"], [], []]}
    assert found == {pk: choose_for_lines(supplier, products, customer=pk) for pk, products in wanted.items()}


def test_a_line_without_a_product_takes_the_next_that_says_something(supplier, region, cafe):
    set_value(region, "customer", cafe.pk, option(region, "South"), by=None)
    assert [[one["option_name"] for one in line] for line in choose_for_lines(supplier, [None], customer=cafe.pk)] == [
        ["South"]
    ]
