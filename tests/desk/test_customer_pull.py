"""Customers from Xero on the screen: who is who, apply, undo; linking by hand and unlinking."""

import pytest

import cast
from provender.sync.choices import SETTINGS
from provender.sync.models import Contact, ContactRefusal, CustomerPull, Link

pytestmark = pytest.mark.django_db

HOME = "/w/harbour/xero/customers"


@pytest.fixture
def cafe(connection, supplier, books):
    """Corner Cafe, which Xero knows by its tax number; and a bar that is only there."""
    books.add_contact("Corner Holdings", TaxNumber="51 824 753 556", EmailAddress="office@corner.test")
    terms = {"Sales": {"Day": 20, "Type": "OFFOLLOWINGMONTH"}}
    books.add_contact("New <Bar>".replace("<", "(").replace(">", ")"), PaymentTerms=terms)
    return cast.venue(supplier, "Corner Cafe", tax_number="51824753556")


@pytest.fixture
def theo(desk):
    return desk("theo")


@pytest.fixture
def pulled(cafe, theo):
    """Theo has pressed the button; where it led him."""
    return theo.post(HOME).headers["Location"]


def row_of(name):
    return CustomerPull.objects.get().rows.get(name=name)


def linked(customer):
    return Link.objects.filter(kind="contact", document=customer.pk).exists()


def test_the_button_leads_to_who_is_who(theo, pulled):
    page = theo.get(pulled).text
    for told in ("Who is who?", "Corner Holdings", "It is Corner Cafe", "Strong: same tax number", "Decide later"):
        assert told in page
    new = theo.get(f"{pulled}?show=new").text
    assert "Add as a customer" in new
    assert "Terms not taken, since they aren’t days: The 20th of the month after the invoice" in new


def test_a_suggestion_is_confirmed_and_a_new_one_added(theo, pulled, cafe, supplier):
    holdings, bar = row_of("Corner Holdings").pk, row_of("New (Bar)").pk
    form = {"row": [holdings, bar], f"choice-{holdings}": f"link:{cafe.pk}", f"choice-{bar}": "new", "go": "apply"}
    page = theo.post(pulled, form, follow=True).text
    assert "1 customer added, 1 linked." in page
    assert linked(cafe)
    assert linked(supplier.customers.get(trading_name="New (Bar)"))


def test_choices_are_kept_on_the_way_to_another_view(theo, pulled):
    holdings = row_of("Corner Holdings").pk
    answer = theo.post(pulled, {"row": holdings, f"choice-{holdings}": "not", "go": "show:new"})
    assert answer.headers["Location"].startswith(f"{pulled}?show=new")
    assert row_of("Corner Holdings").choice == "not"


def test_all_by_tax_number_and_all_new_at_once(theo, pulled, cafe, supplier):
    page = theo.get(pulled).text
    assert "Confirm 1 by tax number" in page
    assert "by name" not in page
    theo.post(pulled, {"go": "all:tax"})
    assert "Chosen for" in theo.post(pulled, {"go": "all:new"}, follow=True).text
    new = CustomerPull.objects.get().rows.filter(choice="new").count()
    assert f"{new:,} customers added, 1 linked." in theo.post(pulled, {"go": "apply"}, follow=True).text
    assert supplier.customers.count() == new + 1


def test_choosing_nothing_takes_it_back(theo, pulled):
    theo.post(pulled, {"go": "all:tax"})
    theo.post(pulled, {"go": "none"})
    assert "Nothing is chosen" in theo.post(pulled, {"go": "apply"}, follow=True).text


def test_undo(theo, pulled, cafe, supplier):
    for go in ("all:tax", "all:new", "apply"):
        theo.post(pulled, {"go": go})
    assert "Undo" in theo.get(HOME).text
    page = theo.post(f"{pulled}/undo", follow=True).text
    assert "1 unlinked again" in page
    assert (linked(cafe), supplier.customers.count()) == (False, 1)


def test_a_preview_can_be_discarded(theo, pulled):
    theo.post(f"{pulled}/discard")
    assert theo.get(pulled).status_code == 404


def test_who_only_takes_orders_looks_but_does_not_choose(desk, pulled):
    page = desk("mai").get(pulled).text
    assert "Corner Holdings" in page
    assert "choice-" not in page
    assert "Apply" not in page


def test_contacts_are_searched_and_come_in_pages(theo, cafe, books):
    for number in range(55):
        books.add_contact(f"Venue {number}", EmailAddress=f"v{number}@example.test")
    pulled = theo.post(HOME).headers["Location"]
    page = theo.get(f"{pulled}?show=new&page=2").text
    assert "page:1" in page
    found = theo.get(f"{pulled}?show=&q=v54@").text
    assert "Venue 54" in found
    assert "Venue 53" not in found


def test_another_contact_is_chosen_by_search_and_back_in_the_list_it_shows(theo, pulled, cafe):
    address = f"/w/harbour/customers/{cafe.pk}/contact?pull={pulled.rsplit('/', 1)[1]}"
    assert address in theo.get(pulled).text
    bar = Contact.objects.get(name="New (Bar)").contact_id
    answer = theo.post(address, {"contact": bar})
    assert answer.headers["Location"] == pulled
    assert "is linked to it by now" in theo.get(f"{pulled}?show=new").text
    theo.post(pulled, {"go": "all:tax"})
    assert "1 were linked by somebody else" in theo.post(pulled, {"go": "apply"}, follow=True).text


# --- a customer's contact -----------------------------------------------------------------------------------------


@pytest.fixture
def page(theo, pulled, cafe):
    """The customer's page, linked to Corner Holdings."""
    for go in ("all:tax", "apply"):
        theo.post(pulled, {"go": go})
    return f"/w/harbour/customers/{cafe.pk}"


def test_the_customers_page_shows_its_contact(theo, page):
    text = theo.get(page).text
    assert "Corner Holdings" in text
    assert "opens Xero in a new window" in text


def test_a_search_finds_by_tax_number_and_says_whose_it_is(theo, page, supplier):
    other = cast.venue(supplier, "Deli")
    found = theo.get(f"/w/harbour/customers/{other.pk}/contact?q=824 753").text
    assert "Corner Holdings" in found
    assert "Is Corner Cafe" in found
    assert ">Link<" not in found


def test_unlinking_asks_and_says_what_comes_next(theo, page, cafe):
    asked = theo.get(f"{page}/contact/unlink").text
    assert "Unlink Corner Cafe from Corner Holdings?" in asked
    text = theo.post(f"{page}/contact/unlink", {"then": "ask"}, follow=True).text
    assert "You are asked with its next invoice" in text
    assert "waits until somebody has chosen the contact" in text
    assert not linked(cafe)
    contact = theo.get(f"{page}/contact").text
    assert "Make a new contact" in contact
    theo.post(f"{page}/contact", {"make": "1"})
    assert not ContactRefusal.objects.filter(ask=True).exists()
    assert "Its next invoice makes a new contact" in theo.get(page).text


def test_unlinking_may_make_a_new_one(theo, page):
    text = theo.post(f"{page}/contact/unlink", {"then": "make"}, follow=True).text
    assert "Its next invoice makes a new contact" in text
    assert theo.get(f"{page}/contact/unlink").status_code == 404


def test_following_terms_shows_on_the_customer_and_in_the_list(theo, page, cafe, connection, books, supplier):
    cast.venue(supplier, "Deli")
    books.edit_contact("Corner Holdings", PaymentTerms={"Sales": {"Day": 31, "Type": "OFCURRENTMONTH"}})
    theo.post(HOME)
    assert "due dates follow them" not in theo.get(page).text
    chosen = {setting.field: getattr(connection, setting.field) for setting in SETTINGS}
    form = {name: value for name, value in chosen.items() if value} | {"follow_terms": "on"}
    theo.post("/w/harbour/xero/settings", form)
    text = theo.get(page).text
    assert "The last day of the invoice’s month" in text
    assert "due dates follow them" in text
    listed = theo.get("/w/harbour/customers?terms=31-this-month").text
    assert "Corner Cafe" in listed
    assert "Corner Cafe" not in theo.get("/w/harbour/customers?terms=14-order").text.split("<tbody")[-1]
