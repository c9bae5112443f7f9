"""Who may open what: every address, as a stranger, as nobody, and as somebody who may only look."""

import pytest
from django.test import Client

import cast
from desk.examples import EXAMPLES, Address, Things, addresses

ALL = addresses()
# An address without an example fails one test, not each.
EXEMPLIFIED = [address for address in ALL if not address.needs_example or address.name in EXAMPLES]
OF_A_WHOLESALER = [address for address in EXEMPLIFIED if "slug" in address.parts]
OF_A_THING = [address for address in OF_A_WHOLESALER if "pk" in address.parts]
# Addresses outside /w/<slug>/: what they are to somebody who isn't logged in.
OPEN = {"join"}
FOR_ANYBODY_LOGGED_IN = {"choose", "xero-callback"}
LEADS_INSIDE = {"invoice-link"}
NOTHING = {404, 405}  # 405: an address that only takes forms, whoever asks
LOGIN = "/account/login/?next=/w/harbour/"


def ids(address: Address) -> str:
    return address.name


@pytest.fixture
def things(supplier):
    return Things(supplier)


@pytest.fixture
def stranger(db):
    """The owner of another wholesaler, logged in."""
    client = Client()
    client.force_login(cast.person("priya", cast.supplier("southern")))
    return client


def test_every_address_has_a_name_and_an_example():
    missing = [a.name for a in ALL if not a.name or (a.needs_example and a.name not in EXAMPLES)]
    assert not missing, f"Add an example of {missing} to tests/desk/examples.py."
    assert len({a.name for a in ALL}) == len(ALL)


def test_every_address_is_inside_a_wholesaler_or_known_not_to_be():
    outside = {a.name for a in ALL if "slug" not in a.parts}
    assert outside <= OPEN | FOR_ANYBODY_LOGGED_IN | LEADS_INSIDE


def wrong(those, answers, fits):
    """Of these addresses the answers that don't fit, by name: all are asked with the same things, made once."""
    found = {address.name: [answer for answer in answers(address) if not fits(answer)] for address in those}
    return {name: misfits for name, misfits in found.items() if misfits}


def test_a_stranger_finds_nothing(things, stranger):
    def answers(address):
        url = address.url(things)
        return [("get", stranger.get(url).status_code), ("post", stranger.post(url, {}).status_code)]

    assert not wrong(OF_A_WHOLESALER, answers, lambda said: said[1] == 404 or said == ("get", 405))


def test_nobody_is_sent_to_the_login(things, client):
    def answers(address):
        url = address.url(things)
        return [client.get(url), client.post(url, {})]

    def fits(answer):
        only_forms = answer.status_code == 405 and answer.request["REQUEST_METHOD"] == "GET"
        return only_forms or (answer.status_code == 302 and answer.headers["location"].startswith(LOGIN))

    assert not wrong(OF_A_WHOLESALER, answers, fits)


def test_a_reader_sends_no_form(things, desk):
    rex = desk("rex")
    assert not wrong(
        OF_A_WHOLESALER, lambda address: [rex.post(address.url(things), {}).status_code], {403, 405}.__contains__
    )


def test_no_other_wholesalers_thing_under_ones_own_name(things, desk):
    """An owner puts another wholesaler's key into an address of their own."""
    priya = desk("priya", cast.supplier("southern"))

    def answers(address):
        url = address.url(things).replace("/w/harbour/", "/w/southern/")
        return [priya.get(url).status_code, priya.post(url, {}).status_code]

    assert not wrong(OF_A_THING, answers, NOTHING.__contains__)


@pytest.mark.parametrize("address", [a for a in EXEMPLIFIED if a.name in LEADS_INSIDE], ids=ids)
def test_a_link_from_outside_leads_only_members_in(address, things, stranger, client):
    url = address.url(things)
    assert stranger.get(url).status_code == 404
    assert client.get(url).headers["location"].startswith("/account/login/")


@pytest.mark.parametrize("address", [a for a in EXEMPLIFIED if a.name in FOR_ANYBODY_LOGGED_IN], ids=ids)
def test_outside_a_wholesaler_one_must_be_logged_in_too(address, things, client):
    assert client.get(address.url(things)).headers["location"].startswith("/account/login/")


def test_an_htmx_request_is_not_shown_the_login_inside_a_page(things, client):
    answer = client.get("/w/harbour/people", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == "/account/login/"


def test_the_refusal_names_the_role_and_what_it_lacks(desk):
    page = desk("mai").get("/w/harbour/people/invite")
    assert page.status_code == 403
    assert "Your role here, Order desk, may not change the wholesaler" in page.text


def test_who_was_removed_finds_nothing_at_once(supplier, desk):
    browser = desk("mai")
    assert browser.get("/w/harbour/people").status_code == 200
    supplier.memberships.all().delete()
    assert browser.get("/w/harbour/people").status_code == 404


FOUND = {
    "search?q=": "Oat milk 1L",
    "products?q=": "OAT-1L",
    "customers?q=": "Oat &amp; Co",
    "orders/customers?customer=": "Oat &amp; Co",
    "orders/products?item=": "OAT-1L",
    "invoices?q=": "INV-1",
}


def test_the_character_zero_in_a_search_is_passed_over(supplier, desk):
    cast.product(supplier), cast.invoice(cast.venue(supplier, "Oat & Co"))
    mai = desk("mai")
    assert [search for search, found in FOUND.items() if found not in mai.get(f"/w/harbour/{search}O%00at").text] == []


def test_the_character_zero_in_a_form_is_passed_over(supplier, cafe, desk):
    payment = cast.payment(cast.invoice(cafe))
    desk("theo").post(f"/w/harbour/payments/{payment.pk}/remove", {"why": "wrong\0 one"})
    payment.refresh_from_db()
    assert payment.removed_why == "wrong one"
