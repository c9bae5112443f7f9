"""Two people at one form: the second is told what the first changed, loses nothing, and chooses."""

import re

import pytest

import cast
from provender.customers.models import Customer

pytestmark = pytest.mark.django_db


def fields_of(page):
    """What a browser would send of the page's form in the main part, as it stands."""
    main = page.text.partition("<main")[2]
    typed = {}
    for tag in re.findall(r"<input[^>]+>", main):
        parts = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if parts.get("type") in {"checkbox", "radio"} and " checked" not in tag:
            continue
        if parts.get("type") == "checkbox":
            parts.setdefault("value", "on")
        if "name" in parts:
            typed.setdefault(parts["name"], []).append(unescape(parts.get("value", "")))
    for name, text in re.findall(r'<textarea name="([^"]+)"[^>]*>\n?(.*?)</textarea>', main, re.DOTALL):
        typed[name] = [unescape(text)]
    for name, body in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', main, re.DOTALL):
        typed.setdefault(name, []).extend(re.findall(r'value="([^"]*)" selected', body)[:1] or [""])
    return typed


def unescape(text):
    for name, sign in (("&quot;", '"'), ("&#x27;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(name, sign)
    return text


@pytest.fixture
def two(desk):
    """Mai and Theo, with the same form open."""

    def open_(address):
        mai, theo = desk("mai"), desk("theo")
        return (mai, fields_of(mai.get(address))), (theo, fields_of(theo.get(address)))

    return open_


def test_a_price_that_both_changed_is_asked_about_and_nothing_is_saved(two, supplier):
    oats = cast.product(supplier)
    address = f"/w/harbour/products/{oats.pk}/edit"
    (mai, hers), (theo, his) = two(address)
    assert mai.post(address, hers | {"price": "4.80"}).status_code == 302
    page = theo.post(address, his | {"price": "5.00"})
    oats.refresh_from_db()
    assert str(oats.price) == "4.8000"
    assert "Mai changed this" in page.text
    assert "Base price: 4.50 → <b>4.80</b>; you wrote <b>5.00</b>" in page.text
    assert f'<a href="/w/harbour/products/{oats.pk}">leave it as it is now</a>' in page.text
    assert fields_of(page)["price"] == ["5.00"]
    assert theo.post(address, fields_of(page)).status_code == 302
    oats.refresh_from_db()
    assert str(oats.price) == "5.0000"


def test_what_the_second_left_alone_stays_as_the_first_wrote_it(two, supplier):
    oats = cast.product(supplier)
    address = f"/w/harbour/products/{oats.pk}/edit"
    (mai, hers), (theo, his) = two(address)
    del hers["active"]
    mai.post(address, hers | {"price": "4.80"})
    page = theo.post(address, his | {"name": "Oat drink 1L"})
    assert "Base price: 4.50 → <b>4.80</b>; it stays." in page.text
    assert "Can be ordered: yes → <b>no</b>; it stays." in page.text
    theo.post(address, fields_of(page))
    oats.refresh_from_db()
    assert (oats.name, str(oats.price), oats.active) == ("Oat drink 1L", "4.8000", False)


def test_who_wrote_the_same_is_not_asked(two, supplier):
    oats = cast.product(supplier)
    address = f"/w/harbour/products/{oats.pk}/edit"
    (mai, hers), (theo, his) = two(address)
    mai.post(address, hers | {"price": "4.80"})
    assert theo.post(address, his | {"price": "4.80"}).status_code == 302


def test_a_customer_says_its_choices_in_words(two, supplier):
    cafe = cast.venue(supplier, note="Back door\nafter six")
    listed = cast.price_list(supplier)
    address = f"/w/harbour/customers/{cafe.pk}/edit"
    (mai, hers), (theo, his) = two(address)
    mai.post(address, hers | {"price_list": str(listed.pk), "terms_days": "7"})
    page = theo.post(address, his | {"terms_days": "30", "note": "Back door\r\nafter six"})
    assert "Price list: Base prices → <b>Cafés</b>; it stays." in page.text
    assert "Payment terms, in days: 14 → <b>7</b>; you wrote <b>30</b>" in page.text
    assert "Note" not in page.text.partition("while you were at it")[2].partition("</ul>")[0]
    theo.post(address, fields_of(page))
    there = Customer.objects.get(pk=cafe.pk)
    assert (there.price_list, there.terms_days) == (listed, 30)


def test_a_price_list_too(two, supplier):
    listed = cast.price_list(supplier)
    address = f"/w/harbour/price-lists/{listed.pk}/edit"
    (mai, hers), (theo, his) = two(address)
    mai.post(address, hers | {"percent": "-10"})
    page = theo.post(address, his | {"name": "Coffee houses"})
    assert "All else: nothing → <b>−10 %</b>; it stays." in page.text
    theo.post(address, fields_of(page))
    listed.refresh_from_db()
    assert (listed.name, listed.percent) == ("Coffee houses", -10)


def test_an_order_says_who_changed_it_and_what_it_has_by_now(two, supplier):
    order = cast.placed_order(cast.venue(supplier), {"OAT-1L": 4})
    address = f"/w/harbour/orders/{order.pk}/edit"
    (mai, hers), (theo, his) = two(address)
    mai.post(address, first_quantity(hers, "6") | {"do": "save"})
    page = theo.post(address, first_quantity(his, "9") | {"do": "save"})
    assert "Mai changed this order" in page.text
    assert "6 × Oat milk 1L at 4.50" in page.text
    assert str(order.lines.get().quantity) == "6.0000"
    assert fields_of(page)["quantity"][0] == "9"
    assert theo.post(address, fields_of(page) | {"do": "save"}).status_code == 302
    assert str(order.lines.get().quantity) == "9.0000"
    order.invoice.refresh_from_db()
    assert order.invoice.version == 3


def test_pressing_save_twice_is_one_person_not_two(two, supplier):
    order = cast.placed_order(cast.venue(supplier), {"OAT-1L": 4})
    address = f"/w/harbour/orders/{order.pk}/edit"
    (mai, hers), _ = two(address)
    typed = first_quantity(hers, "6") | {"do": "save"}
    assert mai.post(address, typed).status_code == 302
    assert mai.post(address, typed).status_code == 302


def test_an_order_that_was_placed_meanwhile_is_not_placed_as_it_was(two, supplier):
    order = cast.draft_order(cast.venue(supplier), {"OAT-1L": 4})
    address = f"/w/harbour/orders/{order.pk}/edit"
    (mai, hers), (theo, his) = two(address)
    assert mai.post(address, hers | {"do": "place"}).status_code == 302
    page = theo.post(address, first_quantity(his, "9") | {"do": "place"})
    assert "Mai changed this order" in page.text
    assert "Save version 2" in page.text


def test_an_invoice_without_an_order_too(two, supplier):
    invoice = cast.invoice(cast.venue(supplier))
    address = f"/w/harbour/invoices/{invoice.pk}/edit"
    (mai, hers), (theo, his) = two(address)
    assert mai.post(address, first_quantity(hers, "6", "charge_quantity") | {"do": "save"}).status_code == 302
    page = theo.post(address, first_quantity(his, "9", "charge_quantity") | {"do": "save"})
    assert "Mai changed this invoice" in page.text
    assert "6 × Oat milk 1L at 4.50" in page.text
    assert theo.post(address, fields_of(page) | {"do": "save"}).status_code == 302
    invoice.refresh_from_db()
    assert (invoice.version, str(invoice.lines.get().quantity)) == (3, "9.0000")


def first_quantity(typed, number, name="quantity"):
    return typed | {name: [number, *typed[name][1:]]}


@pytest.mark.parametrize("seen", ["", "no json", "[1]", '{"price": 1}'])
def test_a_form_that_was_tampered_with_breaks_nothing(desk, supplier, seen):
    oats = cast.product(supplier)
    address = f"/w/harbour/products/{oats.pk}/edit"
    mai = desk("mai")
    typed = fields_of(mai.get(address))
    assert mai.post(address, typed | {"price": "4.90", "seen": seen}).status_code in {200, 302}
