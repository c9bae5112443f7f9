"""Two people at one form: the second is told what the first changed, loses nothing, and chooses."""

import re

import pytest

import cast
from provender.customers.models import Customer
from provender.desk.settings import SupplierForm
from provender.properties.queries import fields_of as fields_of_document
from provender.suppliers.models import Supplier
from provender.suppliers.queries import next_number
from provender.sync.choices import save_settings
from provender.sync.customers import pull_customers
from provender.sync.errors import SettingsMoved
from provender.sync.mirror import read_contacts
from provender.sync.models import Contact
from provender.sync.products import pull_products
from provender.sync.session import asking_for_a_person
from provender.sync.standing import contact_standing
from provender.sync.tracking_actions import reload_tracking

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
    """Mai and Theo, with the same form open; or two others; or one person at two browsers."""

    def open_(address, one="mai", other="theo"):
        mai = desk(one)
        theo = mai if one == other else desk(other)
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


SMALL_FORMS = {
    "wholesaler": (
        "",
        {"name": "Harbour Foods"},
        {"phone": "02 9999 1111"},
        "Name: Harbour Fine Foods → <b>Harbour Foods</b>",
    ),
    "numbering": ("/numbering", {"order_prefix": "OR-"}, {"invoice_prefix": "R-"}, "Order prefix: SO- → <b>OR-</b>"),
    "payments": ("/money", {"card": "1.5"}, {"transfer": "0.5"}, "Card, %: nothing → <b>1.5</b>"),
    "freight": ("/freight", {"freight_tax_kind": "free"}, {}, "Tax on freight: GST → <b>GST-free</b>"),
}


@pytest.mark.parametrize("page", SMALL_FORMS)
def test_the_wholesalers_own_forms_tell_who_saves_second(two, supplier, page):
    where, first, second, told = SMALL_FORMS[page]
    address = f"/w/harbour/settings{where}"
    (one, hers), (other, his) = two(address, "priya", "priya")
    assert one.post(address, hers | first).status_code == 302
    asked = other.post(address, his | second)
    assert f"{told}; it stays." in asked.text
    assert "Priya changed this" in asked.text
    assert other.post(address, fields_of(asked)).status_code == 302
    there = fields_of(one.get(address))
    assert {name: there[name] for name in first | second} == {name: [text] for name, text in (first | second).items()}


def test_what_is_saved_at_the_very_same_moment_is_asked_about_too(two, supplier, monkeypatch):
    (_, _), (priya, typed) = two("/w/harbour/settings", "priya", "priya")
    may_be_kept = SupplierForm.may_be_kept

    def first_the_other(form):
        Supplier.objects.update(name="Harbour Foods")
        return may_be_kept(form)

    monkeypatch.setattr(SupplierForm, "may_be_kept", first_the_other)
    assert "at the same moment" in priya.post("/w/harbour/settings", typed | {"name": "Harbour & Sons"}).text
    assert Supplier.objects.get().name == "Harbour Foods"


def test_numbers_that_orders_took_meanwhile_are_no_question(two, supplier):
    _, (priya, typed) = two("/w/harbour/settings/numbering", "priya", "priya")
    cast.placed_order(cast.venue(supplier))
    assert priya.post("/w/harbour/settings/numbering", typed | {"order_prefix": "OR-"}).status_code == 302
    assert next_number(supplier, "order") == 2
    assert (
        "Numbers up to 1 were given out"
        in priya.post(
            "/w/harbour/settings/numbering", fields_of(priya.get("/w/harbour/settings/numbering")) | {"next_order": "1"}
        ).text
    )


def test_a_category_too(two, supplier):
    shelf = cast.category(supplier)
    address = f"/w/harbour/categories/{shelf.pk}"
    (mai, hers), (theo, his) = two(address)
    mai.post(address, hers | {"name": "Milks"})
    assert (
        "Name: Drinks → <b>Milks</b>; you wrote <b>Oat drinks</b>"
        in theo.post(address, his | {"name": "Oat drinks"}).text
    )


def test_a_freight_group_too(two, supplier):
    group = cast.freight_group(supplier)
    address = f"/w/harbour/settings/freight/{group.pk}"
    (mai, hers), (theo, his) = two(address)
    mai.post(address, hers | {"charge": "15.00"})
    page = theo.post(address, his | {"free_from": "200.00"})
    assert "Mai changed this" in page.text
    theo.post(address, fields_of(page))
    group.refresh_from_db()
    assert (str(group.charge), str(group.free_from)) == ("15.00", "200.00")


def test_a_role_that_another_owner_changed_is_not_changed_back(two, supplier):
    rex = cast.person("rex", supplier).memberships.get()
    address = f"/w/harbour/people/{rex.pk}"
    (one, hers), (other, his) = two(address, "priya", "priya")
    one.post(address, hers | {"role": "bookkeeper"})
    page = other.post(address, his | {"role": "staff"})
    assert "Priya changed this" in page.text
    rex.refresh_from_db()
    assert rex.role == "bookkeeper"
    other.post(address, fields_of(page))
    rex.refresh_from_db()
    assert rex.role == "staff"


def test_the_settings_of_the_connection_too(two, connection):
    address = "/w/harbour/xero/settings"
    (priya, hers), (theo, his) = two(address, "priya", "theo")
    assert priya.post(address, hers | {"invoice_status": "DRAFT"}).status_code == 302
    page = theo.post(address, his | {"credit_note_status": "DRAFT"})
    assert "Priya changed this" in page.text
    assert "Invoice default status: Awaiting payment → <b>Draft</b>; it stays." in page.text
    assert theo.post(address, fields_of(page)).status_code == 302
    connection.refresh_from_db()
    assert (connection.invoice_status, connection.credit_note_status) == ("DRAFT", "DRAFT")


def test_settings_saved_while_xero_was_asked_are_asked_about(connection):
    person, mine = cast.person("theo", connection.supplier), connection
    shown = {"invoice_status": mine.invoice_status}
    save_settings(type(mine).objects.get(), {"invoice_status": "DRAFT"}, person)
    with pytest.raises(SettingsMoved):
        save_settings(mine, {"invoice_status": "SUBMITTED"}, person, shown=shown)
    assert type(mine).objects.get().invoice_status == "DRAFT"


def test_a_property_and_its_options_too(two, supplier):
    region = cast.property_(supplier, options=["North"])
    address = f"/w/harbour/settings/properties/{region.pk}"
    north = region.options.get()
    (mai, hers), (theo, his) = two(address)
    mai.post(f"{address}/option", {"option": north.pk, "name": "Far north", "active": "on", "seen": hers["seen"][1]})
    theo.post(f"{address}/option", {"option": north.pk, "name": "Nord", "active": "on", "seen": his["seen"][1]})
    assert "Name: North → Far north" in theo.get(address).text
    assert region.options.get().name == "Far north"
    whole = {name: values for name, values in his.items() if name not in {"option", "csrfmiddlewaretoken"}}
    mai.post(address, whole | {"name": "Area", "seen": hers["seen"][0]})
    assert "you wrote <b>Zone</b>" in theo.post(address, whole | {"name": "Zone", "seen": his["seen"][0]}).text


def row_shown(page, *fields):
    """The hidden fields of the form on the page that has these."""
    forms = [part.partition("</form>")[0] for part in page.text.split("<form ")]
    mine = next(form for form in forms if all(f'value="{value}"' in form for value in fields))
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', mine))


def test_a_tracking_category_that_both_chose_is_the_first_ones(two, connection, supplier):
    its = cast.property_(supplier, "Sold by", ["Ana"], tag="")
    region, seller = (connection.tracking_categories.get(name=name) for name in ("Region", "Salesperson"))
    address = "/w/harbour/xero/tracking"
    (theo, _), (priya, _) = two(address, "theo", "priya")
    shown = row_shown(theo.get(address), "bind", its.pk) | {"do": "bind"}
    theo.post(address, shown | {"category": region.category_id})
    page = priya.post(address, shown | {"category": seller.category_id}, headers={"referer": address}, follow=True)
    assert "Sold by is Region in Xero by now: somebody changed it while you were at it" in page.text
    assert connection.category_bindings.get().category_id == region.category_id
    assert "Sold by is saved." in priya.post(address, shown | {"category": region.category_id}, follow=True).text
    again = row_shown(priya.get(address), "bind", its.pk) | {"do": "bind", "category": seller.category_id}
    priya.post(address, again)
    assert connection.category_bindings.get().category_id == seller.category_id


def test_an_option_in_xero_that_both_chose_is_the_first_ones(two, connection, supplier):
    its = cast.property_(supplier, "Region", ["North"])
    reload_tracking(connection)
    north = its.options.get()
    east, south = (connection.tracking_options.get(name=name).option_id for name in ("Eastside", "South"))
    address = "/w/harbour/xero/tracking"
    (theo, _), (priya, _) = two(address, "theo", "priya")
    shown = row_shown(theo.get(address), "choose", north.pk) | {"do": "choose"}
    theo.post(address, shown | {"xero_option": east})
    page = priya.post(address, shown | {"xero_option": south}, headers={"referer": address}, follow=True)
    assert "North is “Eastside” in Xero by now" in page.text
    assert connection.option_bindings.get(option=north).xero_id == east
    priya.post(address, row_shown(page, "choose", north.pk) | {"do": "choose", "xero_option": south})
    assert connection.option_bindings.get(option=north).xero_id == south


def test_a_contact_that_another_linked_stays_linked(two, connection, supplier, books):
    cafe = cast.venue(supplier, trading_name="Bayside")
    books.add_contact("Bayside Club")
    with asking_for_a_person(connection) as session:
        read_contacts(session)
    store, club = (Contact.objects.get(name=name) for name in ("Bayside Corner Store", "Bayside Club"))
    address = f"/w/harbour/customers/{cafe.pk}/contact"
    (theo, _), (priya, _) = two(f"{address}?q=bayside", "theo", "priya")
    shown = row_shown(theo.get(f"{address}?q=bayside"), store.contact_id)
    theo.post(address, shown)
    page = priya.post(address, shown | {"contact": club.contact_id}, headers={"referer": address}, follow=True)
    assert "Bayside is linked to Bayside Corner Store by now." in page.text
    assert contact_standing(cafe).contact_id == store.contact_id


def test_what_another_unticked_in_a_preview_stays_so(two, connection, supplier, books):
    cast.product(supplier, "TEA-1", name="Tea", price="4.00")
    books.add_item("TEA-1", "Green tea", "5.00")
    pull = pull_products(connection, None)
    row, address = pull.rows.get(code="TEA-1"), f"/w/harbour/xero/products/{pull.pk}"
    (theo, his), (priya, hers) = two(address, "theo", "priya")
    theo.post(address, his | {f"take-{row.pk}": ["name"], "go": "keep"})
    priya.post(address, hers | {"go": "keep"})
    row.refresh_from_db()
    assert row.chosen == ["name"]
    priya.post(address, fields_of(priya.get(address)) | {f"take-{row.pk}": [], "go": "keep"})
    row.refresh_from_db()
    assert row.chosen == []


def test_what_another_decided_in_a_preview_of_customers_stays_so(two, connection, supplier):
    cast.venue(supplier, trading_name="Corner Cafe")
    pull = pull_customers(connection, None)
    row = pull.rows.filter(state="new").first()
    address = f"/w/harbour/xero/customers/{pull.pk}?show=new"
    (theo, his), (priya, hers) = two(address, "theo", "priya")
    theo.post(address, his | {f"choice-{row.pk}": "new", "go": "keep"})
    priya.post(address, hers | {"go": "keep"})
    row.refresh_from_db()
    assert row.choice == "new"
    priya.post(address, fields_of(priya.get(address)) | {f"choice-{row.pk}": "", "go": "keep"})
    row.refresh_from_db()
    assert row.choice == ""


def test_properties_of_a_document_keep_what_another_chose(two, supplier):
    cafe = cast.venue(supplier)
    door, bell = (cast.property_(supplier, name, type="text", tag="") for name in ("Door", "Bell"))
    page, address = f"/w/harbour/customers/{cafe.pk}", f"/w/harbour/properties/customer/{cafe.pk}"
    (mai, hers), (theo, his) = two(page)
    mai.post(address, hers | {str(door.pk): "Blue"})
    theo.post(address, his | {str(bell.pk): "Twice"})
    assert noted(supplier, cafe) == {"Door": "Blue", "Bell": "Twice"}
    theo.post(address, his | {str(door.pk): "Green"})
    assert noted(supplier, cafe) == {"Door": "Blue", "Bell": "Twice"}
    assert "Door is Blue by now" in theo.get(page).text


def noted(supplier, cafe):
    return {field.property.name: field.value for field in fields_of_document(supplier, "customer", cafe.pk)}


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


def test_a_credit_note_too(two, supplier):
    credit = cast.credit_note(cast.venue(supplier))
    address = f"/w/harbour/credit-notes/{credit.pk}/edit"
    (priya, hers), (theo, his) = two(address, "priya", "theo")
    assert priya.post(address, first_quantity(hers, "6", "charge_quantity") | {"do": "save"}).status_code == 302
    page = theo.post(address, first_quantity(his, "9", "charge_quantity") | {"do": "save"})
    assert "Priya changed this credit note" in page.text
    assert "6 × Oat milk 1L at 4.50" in page.text
    assert str(credit.lines.get().quantity) == "6.0000"
    assert theo.post(address, fields_of(page) | {"do": "save"}).status_code == 302
    credit.refresh_from_db()
    assert (credit.version, str(credit.lines.get().quantity)) == (3, "9.0000")


def first_quantity(typed, number, name="quantity"):
    return typed | {name: [number, *typed[name][1:]]}


@pytest.mark.parametrize("seen", ["", "no json", "[1]", '{"price": 1}'])
def test_a_form_that_was_tampered_with_breaks_nothing(desk, supplier, seen):
    oats = cast.product(supplier)
    address = f"/w/harbour/products/{oats.pk}/edit"
    mai = desk("mai")
    typed = fields_of(mai.get(address))
    assert mai.post(address, typed | {"price": "4.90", "seen": seen}).status_code in {200, 302}
