"""Products from Xero on the screen: look, untick, apply, undo."""

import re

import pytest

import cast
from provender.sync.models import Pull, PullRule

pytestmark = pytest.mark.django_db

HOME = "/w/harbour/xero/products"


@pytest.fixture
def tea(connection, supplier, books):
    """Tea, which is dearer in Xero and has another name there; and something new beside it."""
    made = cast.product(supplier, "TEA-1", name="Tea", price="4.00")
    books.add_item("TEA-1", "Green tea", "5.00")
    books.add_item("NEW-1", "Something <new>", "2.50")
    return made


@pytest.fixture
def theo(desk):
    return desk("theo")


@pytest.fixture
def pulled(tea, theo):
    """Theo has pressed the button; where it led him."""
    return theo.post(HOME).headers["Location"]


def row_of(code):
    return Pull.objects.get().rows.get(code=code)


def test_the_button_leads_to_the_preview(theo, pulled):
    page = theo.get(pulled).text
    for told in ("What would change", "TEA-1", "<del>4.00</del> → <ins>5.00</ins>", "+25.00 %", "Changed 1"):
        assert told in page
    new = theo.get(f"{pulled}?show=new").text
    assert "Something &lt;new&gt;" in new
    assert "Add this product" in new


def test_one_name_taken_and_one_price_refused(theo, pulled, tea):
    row = row_of("TEA-1").pk
    answer = theo.post(pulled, {"row": row, f"take-{row}": "name", "go": "apply"}, follow=True)
    tea.refresh_from_db()
    assert (tea.name, str(tea.price)) == ("Green tea", "4.0000")
    assert "1 changed" in answer.text
    assert "(not taken)" in answer.text


def test_ticks_are_kept_on_the_way_to_another_view(theo, pulled):
    row = row_of("TEA-1").pk
    answer = theo.post(pulled, {"row": row, f"take-{row}": ["price"], "show": "changed", "go": "show:new"})
    assert answer.headers["Location"].startswith(f"{pulled}?show=new")
    assert row_of("TEA-1").chosen == ["price"]


def test_a_choice_for_all_is_remembered(theo, pulled, connection):
    theo.post(pulled, {"part": ["name", "new"], "go": "parts"})
    assert row_of("TEA-1").chosen == ["name"]
    assert PullRule.objects.get(connection=connection).parts == ["new", "name"]
    assert "Ticked at first: New products, Names" in re.sub(r"\s+", " ", theo.get(HOME).text)


def test_new_ones_are_in_unsorted_with_a_link(theo, pulled, supplier):
    page = theo.post(pulled, {"go": "apply"}, follow=True).text
    unsorted = supplier.products.get(sku="NEW-1").category
    assert f"/w/harbour/products?category={unsorted.pk}" in page


def test_undo(theo, pulled, tea, supplier):
    theo.post(pulled, {"go": "apply"})
    assert "Undo" in theo.get(pulled).text
    page = theo.post(f"{pulled}/undo", follow=True).text
    tea.refresh_from_db()
    assert (tea.name, supplier.products.count()) == ("Tea", 1)
    assert "1 put back" in page


def test_with_nothing_ticked_nothing_happens(theo, pulled, tea):
    theo.post(pulled, {"part": [], "go": "parts"})
    assert "Nothing is ticked" in theo.post(pulled, {"go": "apply"}, follow=True).text
    assert Pull.objects.get().state == "preview"


def test_a_preview_can_be_discarded(theo, pulled):
    theo.post(f"{pulled}/discard")
    assert theo.get(pulled).status_code == 404


def test_applying_twice_says_so(theo, pulled):
    theo.post(pulled, {"go": "apply"})
    page = theo.post(pulled, {"go": "apply"}, headers={"referer": f"http://testserver{pulled}"}, follow=True)
    assert "was applied or undone meanwhile" in page.text


def test_who_only_takes_orders_looks_but_does_not_tick(desk, pulled):
    page = desk("mai").get(pulled).text
    assert "TEA-1" in page
    assert "take-" not in page
    assert "Apply" not in page


def test_many_items_come_in_pages(theo, tea, books):
    for number in range(105):
        books.add_item(f"ITEM-{number}", f"Item {number}", "1.00")
    pulled = theo.post(HOME).headers["Location"]
    page = theo.get(f"{pulled}?show=new&page=2")
    assert "Back" in page.text
    assert "page:1" in page.text
    found = theo.get(f"{pulled}?show=&q=item-104").text
    assert "ITEM-104" in found
    assert "ITEM-103" not in found
