from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

import cast
from provender.suppliers.actions import create_supplier
from provender.suppliers.errors import SupplierExists, SupplierUnknown
from provender.suppliers.queries import find_supplier

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("slug", "expected"),
    [("harbour", ("AUD", "Australia/Sydney", 10, "GST-free")),
     ("southern", ("NZD", "Pacific/Auckland", 15, "GST-free")),
     ("giftware", ("GBP", "Europe/London", 20, "VAT-free"))],
)  # fmt: skip
def test_a_wholesaler_starts_with_its_countrys_ways(slug, expected):
    made = cast.supplier(slug)
    assert (made.currency, made.time_zone, made.tax_rate, made.tax_kind_label("free")) == expected


def test_only_gst_lines_are_taxed():
    made = cast.supplier("southern")
    assert (made.tax_rate_of("gst"), made.tax_rate_of("free")) == (Decimal(15), Decimal(0))


def test_a_short_name_is_taken_once():
    cast.supplier()
    with pytest.raises(SupplierExists, match="harbour"):
        cast.supplier()


@pytest.mark.parametrize("slug", ["", "Harbour", "a b", "-a", "a--b", "a/b"])
def test_a_short_name_fits_into_an_address(slug):
    with pytest.raises(ValidationError):
        create_supplier(slug=slug, name="X", country="AU")


def test_an_unknown_country_is_refused():
    with pytest.raises(ValidationError, match="AU, NZ, GB"):
        create_supplier(slug="x", name="X", country="FR")


def test_a_wholesaler_is_found_by_its_short_name():
    made = cast.supplier()
    assert find_supplier("harbour") == made
    with pytest.raises(SupplierUnknown, match="There are: harbour"):
        find_supplier("harbor")


def test_with_no_wholesaler_the_way_to_make_one_is_told():
    with pytest.raises(SupplierUnknown, match="provender supplier create"):
        find_supplier("harbour")
