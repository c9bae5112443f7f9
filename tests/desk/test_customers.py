"""Customers at the desk: list, page, form, what is done to many."""

import csv
import io
from datetime import date

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

import cast
from provender.customers.models import Customer
from provender.sync.drain import drain

pytestmark = pytest.mark.django_db
LIST = "/w/harbour/customers"


@pytest.fixture
def mai(desk):
    return desk("mai")


def typed(**changed):
    """What a browser sends of the form for a new customer."""
    fields = {
        "trading_name": "Bar Lune", "terms_days": "7", "terms_from": "delivery", "invoice_at": "delivery",
        "pays": "here", "price_list": "", "freight_group": "", "country": "",
    }  # fmt: skip
    return fields | changed


def names(page):
    return [row.name for row in page.context["list"].page.rows]


# --- the list -----------------------------------------------------------------------------------------------------


def test_an_empty_list_teaches_and_starts(mai, desk):
    page = mai.get(LIST).text
    assert "A customer is a venue that buys" in page
    assert 'href="/w/harbour/customers/new"' in page
    assert 'href="/w/harbour/customers/new"' not in desk("rex").get(LIST).text


@pytest.mark.parametrize("text", ["lune", "Moonlight Pty", "C07", "moon@", "glebe"])
def test_search_finds_by_name_number_address_and_city(supplier, cafe, mai, text):
    cast.venue(
        supplier, "Bar Lune", legal_name="Moonlight Pty Ltd", number="C07", email="moon@lune.example", city="Glebe"
    )
    assert names(mai.get(LIST, {"q": text})) == ["Bar Lune"]


def test_filters_narrow_by_price_list_terms_and_status(supplier, cafe, mai):
    cafes = cast.price_list(supplier, "Cafés")
    cast.venue(supplier, "Bar Lune", price_list=cafes, terms_days=30, terms_from="delivery", active=False)
    for query in ({"price_list": cafes.pk}, {"terms": "30-delivery"}, {"status": "inactive"}):
        assert names(mai.get(LIST, query)) == ["Bar Lune"]
    for query in ({"price_list": "null"}, {"terms": "14-order"}, {"status": "active"}):
        assert names(mai.get(LIST, query)) == ["Corner Cafe"]
    assert "30 days from the delivery" in mai.get(LIST).text


def test_the_list_says_when_each_ordered_last_and_how_many_invoices_it_has(supplier, cafe, mai):
    cast.placed_order(cafe, order_date=date(2026, 11, 2))
    cast.placed_order(cafe, order_date=date(2026, 11, 5))
    cast.draft_order(cafe, order_date=date(2026, 11, 9))
    cast.venue(supplier, "Bar Lune")
    rows = list(csv.reader(io.StringIO(b"".join(mai.get(LIST, {"format": "csv"})).decode("utf-8-sig"))))
    assert rows[0] == ["Name", "Number", "City", "Payment terms", "Prices", "Last order", "Invoices", "Status"]
    assert rows[1:] == [
        ["Bar Lune", "", "", "14 days", "Base prices", "", "0", "Active"],
        ["Corner Cafe", "", "", "14 days", "Base prices", "2026-11-05", "2", "Active"],
    ]
    assert f"/w/harbour/invoices?customer={cafe.pk}" in mai.get(LIST).text


def test_no_other_wholesalers_price_list_is_a_filter(cafe, mai):
    theirs = cast.price_list(cast.supplier("southern"), "Theirs")
    page = mai.get(LIST, {"price_list": theirs.pk})
    assert "Theirs" not in page.text


def test_the_list_costs_the_same_queries_for_any_number_of_rows(supplier, cafe, mai):
    few = queries(mai, LIST)
    for number in range(20):
        cast.placed_order(cast.venue(supplier, f"Venue {number}", price_list=cast.price_list(supplier, f"P{number}")))
    assert queries(mai, LIST) == few < 16


def queries(browser, url):
    browser.get(url)  # what is only done once, such as the session's first write
    with CaptureQueriesContext(database) as run:
        assert browser.get(url).status_code == 200
    return len(run)


def test_many_get_a_price_list_after_it_was_chosen(supplier, cafe, mai):
    cafes = cast.price_list(supplier, "Cafés")
    form = {"action": "price-list", "pick": [str(cafe.pk)]}
    asked = mai.post(LIST, form)
    assert "Give a price list: 1 customer?" in asked.text
    answer = mai.post(LIST, form | {"sure": "1", "price_list": str(cafes.pk)}, follow=True)
    assert "1 customer changed to Cafés." in answer.text
    cafe.refresh_from_db()
    assert cafe.price_list == cafes


def test_a_price_list_that_is_not_ones_own_is_asked_for_again(cafe, mai):
    theirs = cast.price_list(cast.supplier("southern"))
    form = {"action": "price-list", "pick": [str(cafe.pk)], "sure": "1", "price_list": str(theirs.pk)}
    answer = mai.post(LIST, form)
    assert answer.status_code == 200
    assert "Select a valid choice" in answer.text
    cafe.refresh_from_db()
    assert cafe.price_list is None


def test_many_are_switched_off_and_on(cafe, mai):
    for action, active in (("off", False), ("on", True)):
        mai.post(LIST, {"action": action, "pick": [str(cafe.pk)], "sure": "1"})
        cafe.refresh_from_db()
        assert cafe.active is active


# --- one customer -------------------------------------------------------------------------------------------------


def test_the_page_says_who_on_which_terms_and_what_was_ordered(supplier, mai):
    metro = cast.freight_group(supplier)
    venue = cast.venue(
        supplier, "Bar Lune", tax_number="51824753556", terms_days=0, terms_from="delivery", freight_group=metro
    )
    order = cast.placed_order(venue)
    page = mai.get(f"{LIST}/{venue.pk}").text
    for said in ("51 824 753 556", "On delivery", "Base prices", "Metro, $12.00, free from $150.00", "Added"):
        assert said in page
    for linked in (f"orders/{order.pk}", f"invoices/{order.invoice_id}", f"orders/new?customer={venue.pk}"):
        assert f'href="/w/harbour/{linked}"' in page


def test_a_doubtful_tax_number_is_said_to_be(supplier, mai):
    venue = cast.venue(supplier, "Bar Lune", tax_number="980 7806 8", country="GB")
    page = mai.get(f"{LIST}/{venue.pk}").text
    assert "VAT number" in page
    assert "A VAT number has 9 digits; this one has 8." in page


def test_a_namesake_is_pointed_out(supplier, cafe, mai):
    twin = cast.venue(supplier, "corner cafe", city="Glebe")
    page = mai.get(f"{LIST}/{cafe.pk}").text
    assert f"/w/harbour/customers/{twin.pk}" in page
    assert "ask which is meant" in page


def test_the_page_shows_its_contact_in_xero(cafe, connection, mai):
    cast.placed_order(cafe)
    drain(connection)
    page = mai.get(f"{LIST}/{cafe.pk}").text
    assert "Made from here." in page
    assert '<span class="badge ok">Sent</span>' in page


def test_a_reader_sees_the_page_without_buttons(cafe, desk):
    page = desk("rex").get(f"{LIST}/{cafe.pk}").text
    assert "Corner Cafe" in page
    assert "Switch off" not in page
    assert "New order" not in page


def test_switched_off_no_order_is_offered(cafe, mai):
    page = mai.post(f"{LIST}/{cafe.pk}/switch", {"active": "0"}, follow=True).text
    assert "isn’t offered for new orders" in page
    assert "orders/new?customer" not in page
    assert "Switched off" in page
    assert "Corner Cafe is active" in mai.post(f"{LIST}/{cafe.pk}/switch", {"active": "1"}, follow=True).text


def test_the_page_costs_the_same_queries_for_any_number_of_orders(cafe, mai):
    cast.placed_order(cafe)
    few = queries(mai, f"{LIST}/{cafe.pk}")
    for _ in range(6):
        cast.placed_order(cafe)
    assert queries(mai, f"{LIST}/{cafe.pk}") == few


# --- the form -----------------------------------------------------------------------------------------------------


def test_a_customer_is_added(supplier, mai):
    answer = mai.post(f"{LIST}/new", typed(tax_number=" 51 824 753 556 "), follow=True)
    made = Customer.objects.get(supplier=supplier)
    assert answer.redirect_chain[-1][0] == f"{LIST}/{made.pk}"
    assert "Bar Lune is saved." in answer.text
    assert (made.trading_name, made.terms_days, made.terms_from, made.tax_number) == (
        "Bar Lune",
        7,
        "delivery",
        "51 824 753 556",
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"trading_name": " "}, "What is it called?"),
        ({"email": "luca at lune"}, "That can’t be an e-mail address."),
        ({"terms_days": "two weeks"}, "Write a whole number of days, like 14."),
        ({"terms_days": "-1"}, "0 or more"),
        ({"terms_days": "400"}, "At most 365 days."),
        ({"tax_number": "ask Luca"}, "“ask Luca” can’t be a tax number"),
        ({"number": "C01"}, "Customer number C01 belongs to “Corner Cafe” already."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(supplier, mai, wrong, said):
    cast.venue(supplier, "Corner Cafe", number="C01")
    page = mai.post(f"{LIST}/new", typed(note="Rings the bell twice") | wrong)
    assert page.status_code == 200
    assert said in page.text
    field = next(iter(wrong))
    assert page.context["form"].errors.keys() == {field}
    assert f'id="id_{field}_error"' in page.text
    assert "Rings the bell twice" in page.text
    assert Customer.objects.count() == 1


def test_a_doubtful_tax_number_is_kept_with_a_warning(mai):
    answer = mai.post(f"{LIST}/new", typed(tax_number="51 824 753 557"), follow=True)
    assert "The check digits of this ABN don’t fit" in answer.text
    assert Customer.objects.get().tax_number == "51 824 753 557"


def test_a_second_customer_of_one_name_is_kept_with_a_warning(cafe, mai):
    answer = mai.post(f"{LIST}/new", typed(trading_name="Corner Cafe"), follow=True)
    assert "Another customer is called Corner Cafe too." in answer.text


def test_an_edit_is_kept_and_told(cafe, mai):
    answer = mai.post(f"{LIST}/{cafe.pk}/edit", typed(trading_name="Corner Kitchen"), follow=True)
    assert "Changed trading name “Corner Cafe” → “Corner Kitchen”" in answer.text


def test_a_refused_edit_names_the_customer_as_it_is(cafe, mai):
    page = mai.post(f"{LIST}/{cafe.pk}/edit", typed(trading_name="", legal_name="Kitchen Ltd")).text
    assert "Edit Corner Cafe" in page
    assert 'value="Kitchen Ltd"' in page


def test_only_ones_own_price_lists_and_freight_groups_can_be_chosen(cafe, mai):
    southern = cast.supplier("southern")
    theirs = typed(price_list=cast.price_list(southern).pk, freight_group=cast.freight_group(southern).pk)
    page = mai.post(f"{LIST}/{cafe.pk}/edit", theirs)
    assert page.context["form"].errors.keys() == {"price_list", "freight_group"}


@pytest.mark.parametrize(("slug", "word"), [("southern", "GST number"), ("giftware", "VAT number")])
def test_the_form_says_tax_number_in_the_countrys_word(desk, slug, word):
    wholesaler = cast.supplier(slug)
    assert word in desk("mai", wholesaler).get(f"/w/{slug}/customers/new").text
