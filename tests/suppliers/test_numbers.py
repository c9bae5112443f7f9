import pytest
from django.db import transaction

import cast
from provender.suppliers.actions import skip_numbers_to, take_free_number, take_numbers

pytestmark = pytest.mark.django_db


def test_numbers_go_up_by_kind_and_wholesaler(supplier):
    other = cast.supplier("southern")
    assert [take_numbers(supplier, "invoice").start for _ in range(3)] == [1, 2, 3]
    assert take_numbers(supplier, "order").start == 1
    assert take_numbers(other, "invoice").start == 1


def test_many_are_taken_at_once(supplier):
    assert take_numbers(supplier, "invoice", 5) == range(1, 6)
    assert take_numbers(supplier, "invoice", 2) == range(6, 8)


def test_what_is_rolled_back_leaves_no_hole(supplier):
    with transaction.atomic():
        take_numbers(supplier, "invoice", 10)
        transaction.set_rollback(True)
    assert take_numbers(supplier, "invoice").start == 1


def test_skipping_goes_forward_only(supplier):
    skip_numbers_to(supplier, "invoice", 100)
    skip_numbers_to(supplier, "invoice", 50)
    assert take_numbers(supplier, "invoice").start == 100


def test_numbers_in_use_are_stepped_over_in_few_looks(supplier):
    used = {f"INV-{number}" for number in range(1, 1600)}
    looks = []

    def taken(numbers):
        looks.append(len(numbers))
        return used & set(numbers)

    assert take_free_number(supplier, "invoice", "INV-", taken) == "INV-1600"
    assert looks == [1, 500, 500, 500, 500]
    assert take_free_number(supplier, "invoice", "INV-", taken) == "INV-1601"
    assert len(looks) == 6
