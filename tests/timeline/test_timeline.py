from uuid import uuid4

import pytest

import cast
from provender.catalogue.models import Product
from provender.timeline.actions import tell, tell_many
from provender.timeline.queries import story
from provender.timeline.wording import what_changed

pytestmark = pytest.mark.django_db


def test_a_story_is_told_newest_first_with_who_and_why(supplier):
    order, mai = uuid4(), cast.person("mai", supplier)
    tell(supplier, "order", order, "Created", who=mai)
    tell(supplier, "order", order, "Cancelled", why="Closed on Monday")
    assert [(entry.what, entry.why, entry.who) for entry in story(supplier, "order", order)] == [
        ("Cancelled", "Closed on Monday", None),
        ("Created", "", mai),
    ]


def test_a_story_is_one_documents_of_one_wholesaler(supplier):
    order = uuid4()
    tell(supplier, "order", order, "Ours")
    tell(supplier, "invoice", order, "Another kind")
    tell(cast.supplier("southern"), "order", order, "Theirs")
    assert [entry.what for entry in story(supplier, "order", order)] == ["Ours"]


def test_a_long_line_is_cut_rather_than_lost(supplier):
    tell_many(supplier, "order", [(order := uuid4(), "x" * 400)], why="y" * 400)
    entry = story(supplier, "order", order).get()
    assert (len(entry.what), len(entry.why)) == (300, 300)


def test_a_story_costs_one_query(supplier, django_assert_num_queries):
    order, mai = uuid4(), cast.person("mai", supplier)
    tell_many(supplier, "order", [(order, f"Step {n}") for n in range(20)], who=mai)
    with django_assert_num_queries(1):
        assert {str(entry.who) for entry in story(supplier, "order", order)} == {"Mai"}


def test_an_edit_is_told_in_words(supplier):
    before = cast.product(supplier)
    after = Product.objects.get(pk=before.pk)
    after.price, after.tax_kind, after.unit, after.active = after.price + 1, "free", "carton", False
    assert what_changed(before, after) == [
        "unit nothing → “carton”",
        "price 4.50 → 5.50",
        "tax kind GST → GST-free",
        "active yes → no",
    ]
