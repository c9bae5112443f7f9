"""Properties and tracking, as people at the desk meet them."""

import html

import pytest

import cast
from provender.basics import clock
from provender.properties.models import Property, Value
from provender.sync import tracking_actions
from provender.sync.errors import ProblemGone
from provender.sync.models import Problem

pytestmark = pytest.mark.django_db
TRACKING = "/w/harbour/xero/tracking"


@pytest.fixture
def region(supplier):
    return cast.property_(supplier, "Region", ["North", "South"])


def key(its, name):
    return str(its.options.get(name=name).pk)


def test_a_property_is_made_with_its_options(desk, supplier):
    mai = desk("mai")
    answer = mai.post("/w/harbour/settings/properties/new", {"name": "Route", "type": "dropdown", "on_customers": "on"})
    its = Property.objects.get(name="Route")
    assert answer.headers["location"].endswith(f"/properties/{its.pk}")
    mai.post(f"/w/harbour/settings/properties/{its.pk}/option", {"name": "Monday", "active": "on"})
    monday = its.options.get()
    mai.post(f"/w/harbour/settings/properties/{its.pk}/option", {"option": monday.pk, "name": "Mondays"})
    monday.refresh_from_db()
    assert (monday.name, monday.active) == ("Mondays", False)
    assert "Route" in mai.get("/w/harbour/settings/properties").text


def test_an_option_that_is_there_already_is_refused_beside_its_field(desk, region):
    mai, url = desk("mai"), f"/w/harbour/settings/properties/{region.pk}/option"
    page = mai.post(url, {"name": "North", "active": "on"}).text
    assert "Region has an option “North” already." in page
    assert page.count('value="North"') == 2  # the option, and what was typed for a new one
    page = mai.post(url, {"option": key(region, "South"), "name": "", "active": "on"}).text
    assert page.count('aria-invalid="true"') == 1
    assert set(region.options.values_list("name", flat=True)) == {"North", "South"}


def test_a_third_tag_is_refused_beside_its_field(desk, supplier, region):
    cast.property_(supplier, "Salesperson")
    page = desk("priya").post(
        "/w/harbour/settings/properties/new", {"name": "Route", "type": "dropdown", "tag": "xero_Route"}
    )
    assert "Region and Salesperson are tracking categories already" in page.text
    assert not Property.objects.filter(name="Route").exists()


def test_a_property_is_deleted_after_asking(priya, region):
    url = f"/w/harbour/settings/properties/{region.pk}/delete"
    assert "Nothing has happened yet" in priya.get(url).text
    priya.post(url)
    assert not Property.objects.exists()


@pytest.mark.parametrize("kind", ["product", "customer", "order", "invoice"])
def test_an_option_is_chosen_on_each_kind_of_page(desk, supplier, cafe, region, kind):
    mai = desk("mai")
    order = cast.placed_order(cafe)
    document = {
        "product": order.lines.get().product,
        "customer": cafe,
        "order": cast.draft_order(cafe),
        "invoice": order.invoice,
    }[kind]
    page = f"/w/harbour/{kind}s/{document.pk}"
    assert "No" not in mai.get(page).context["card"].fields[0].shown
    mai.post(f"/w/harbour/properties/{kind}/{document.pk}", {str(region.pk): key(region, "North")})
    assert Value.objects.get().option.name == "North"
    assert mai.get(page).context["card"].fields[0].shown == "North"


def test_a_draft_shows_which_option_each_line_will_carry_and_why(desk, supplier, cafe, region):
    cast.choose(region, cast.product(supplier), "North")
    cast.choose(region, cafe, "South")
    draft = cast.draft_order(cafe, {"OAT-1L": 1, "SYRUP-VAN": 1})
    page = desk("mai").get(f"/w/harbour/orders/{draft.pk}").text
    assert "Region: North, from the product" in page
    assert "Region: South, from the customer" in page


def test_the_lines_of_a_placed_order_are_not_retracked(desk, supplier, cafe, region):
    order = cast.placed_order(cafe)
    desk("mai").post(f"/w/harbour/properties/order/{order.pk}", {str(region.pk): key(region, "North")})
    assert not Value.objects.exists()


def test_an_option_chosen_on_an_invoice_is_its_next_version(desk, supplier, cafe, region):
    invoice = cast.placed_order(cafe).invoice
    mai = desk("mai")
    mai.post(f"/w/harbour/properties/invoice/{invoice.pk}", {str(region.pk): key(region, "North")})
    page = mai.get(f"/w/harbour/invoices/{invoice.pk}").text
    assert "Region nothing → North" in page
    assert "Region: North, from the invoice" in page


def test_many_products_get_an_option_at_once(desk, supplier, region):
    mai = desk("mai")
    for sku in cast.GOODS:
        cast.product(supplier, sku)
    form = {"action": "properties", "all": "1"}
    assert "Region" in mai.post("/w/harbour/products", form).text
    option = f"{region.pk} {key(region, 'South')}"
    page = mai.post("/w/harbour/products", {**form, "sure": "1", "option": option}, follow=True)
    assert "4 products given Region South." in page.text
    mai.post("/w/harbour/products", {**form, "sure": "1", "option": f"{region.pk} "})
    assert not Value.objects.exists()


# --- the tracking page --------------------------------------------------------------------------------------------


@pytest.fixture
def theo(desk, connection):
    """The bookkeeper of a connected wholesaler."""
    return desk("theo")


def test_properties_are_made_from_xero_in_one_step(theo):
    assert "Nothing is tracked yet" in theo.get(TRACKING).text
    page = theo.post(TRACKING, {"do": "make"}, follow=True).text
    assert "In step with Xero: Region, Salesperson." in page
    assert "All in Xero" in page


def test_a_category_is_bound_and_unbound_by_pick_list(theo, connection, supplier):
    seller = cast.property_(supplier, "Sold by", ["Ana"], tag="")
    category = connection.tracking_categories.get(name="Salesperson").category_id
    theo.post(TRACKING, {"do": "bind", "property": seller.pk, "category": category})
    assert connection.category_bindings.get().category_id == category
    assert connection.option_bindings.count() == 1
    theo.post(TRACKING, {"do": "bind", "property": seller.pk, "category": ""})
    assert not connection.category_bindings.exists()


def test_a_missing_option_is_added_or_replaced_or_left_out(theo, connection, supplier, sync, books):
    theo.post(TRACKING, {"do": "make"})
    its = Property.objects.get(name="Region")
    cast.choose(its, cast.product(supplier), "North")
    order = cast.placed_order(cast.venue(supplier))
    books.edit_tracking("Region", "North", Status="ARCHIVED")
    page = theo.post(TRACKING, {"do": "check"}, follow=True).text
    assert "Something is missing there" in page
    assert "the option “North” of Region is archived in Xero" in page
    sync()
    problem = Problem.objects.get(solved_at=None)
    listed = theo.get("/w/harbour/xero/problems").text
    assert "Restore it in Xero<" in listed
    assert "Add it in Xero<" not in listed
    assert TRACKING in listed
    shown = theo.get(f"/w/harbour/xero/problems/{problem.pk}/without-tracking")
    assert "without any tracking option" in shown.text
    east = connection.tracking_options.get(name="Eastside").option_id
    page = theo.post(TRACKING, {"do": "choose", "option": key(its, "North"), "xero_option": east}, follow=True)
    assert "1 invoice on the way to Xero again" in page.text
    sync()
    assert books.find_invoice(order.invoice.number)["LineItems"][0]["Tracking"][0]["Option"] == "Eastside"


def test_an_option_of_ours_is_added_in_xero(theo, supplier, books):
    theo.post(TRACKING, {"do": "make"})
    its = Property.objects.get(name="Region")
    theo.post(f"/w/harbour/settings/properties/{its.pk}/option", {"name": "Islands", "active": "on"})
    assert "Add it in Xero" in theo.get(TRACKING).text
    page = theo.post(TRACKING, {"do": "add-option", "option": key(its, "Islands")}, follow=True).text
    assert "Islands is in Xero." in page


def test_a_category_that_xero_lacks_is_added_from_the_page(theo, supplier, books):
    cast.property_(supplier, "Route", ["Monday"])
    books.edit_tracking("Region", Status="ARCHIVED")
    page = theo.get(TRACKING).text
    assert "which the tag of Route asks for, isn’t there in Xero" in page
    done = theo.post(TRACKING, {"do": "add-category", "property": Property.objects.get().pk}, follow=True).text
    assert "Route is in Xero." in done
    assert "All in Xero" in done


def test_an_archived_category_is_restored_from_the_page(theo, connection, books):
    theo.post(TRACKING, {"do": "make"})
    books.edit_tracking("Region", Status="ARCHIVED")
    page = theo.post(TRACKING, {"do": "check"}, follow=True).text
    assert "the tracking category Region is archived in Xero. Restore it there" in page
    assert "selected>Region (archived in Xero)<" in page
    its = Property.objects.get(name="Region")
    archived = connection.category_bindings.get(property=its).category_id
    theo.post(TRACKING, {"do": "bind", "property": its.pk, "category": archived})
    assert connection.category_bindings.get(property=its).category_id == archived
    form = {"do": "restore-category", "property": Property.objects.get(name="Region").pk}
    done = theo.post(TRACKING, form, follow=True).text
    assert "Region is active in Xero again." in done
    assert "Restore it in Xero" not in done


def test_what_is_lacking_is_restored_from_the_problem(theo, supplier, sync, books):
    theo.post(TRACKING, {"do": "make"})
    cast.choose(Property.objects.get(name="Region"), cast.product(supplier), "North")
    order = cast.placed_order(cast.venue(supplier))
    books.edit_tracking("Region", Status="ARCHIVED")
    theo.post(TRACKING, {"do": "check"})
    sync()
    problem = Problem.objects.get(solved_at=None)
    url = f"/w/harbour/xero/problems/{problem.pk}/restore-in-xero"
    assert "is made active again in Xero" in theo.get(url).text
    done = theo.post(url, {"shown": problem.found_at.isoformat()}, follow=True).text
    assert "what it lacked is active in Xero again" in done
    sync()
    assert books.find_invoice(order.invoice.number)["LineItems"][0]["Tracking"][0]["Option"] == "North"


def test_a_forged_repair_of_another_problem_finds_it_gone(theo, supplier, connection):
    problem = cast_problem(connection, cast.placed_order(cast.venue(supplier)).invoice)
    form = {"shown": problem.found_at.isoformat()}
    page = theo.post(f"/w/harbour/xero/problems/{problem.pk}/add-in-xero", form, follow=True).text
    assert ProblemGone().sentence.split(".")[0] in html.unescape(page)


def cast_problem(connection, invoice):
    return Problem.objects.create(
        connection=connection, kind="invoice", document=invoice.pk, cause="refused", found_at=clock.now()
    )


def test_an_archived_option_is_restored_from_the_page(theo, supplier, books, later):
    theo.post(TRACKING, {"do": "make"})
    its = Property.objects.get(name="Region")
    books.edit_tracking("Region", "North", Status="ARCHIVED")
    assert "All in Xero" in theo.get(TRACKING).text
    later(minutes=11)
    page = theo.get(TRACKING).text
    assert "the option “North” of Region is archived in Xero" in page
    assert "Restore it in Xero" in page
    done = theo.post(TRACKING, {"do": "restore-option", "option": key(its, "North")}, follow=True).text
    assert "North is active in Xero again." in done
    assert "Restore it in Xero" not in done


def test_the_page_shows_what_was_read_when_xero_cannot_be_asked(theo, desk, connection, books, later, xero):
    theo.post(TRACKING, {"do": "make"})
    later(minutes=11)
    xero.stats.reset()
    assert desk("rex").get(TRACKING).status_code == 200
    assert not xero.stats.calls
    xero.faults.add("503", path="/api.xro/2.0/TrackingCategories", count=5)
    page = theo.get(TRACKING)
    assert "Xero can&#x27;t be asked right now" in page.text
    assert "All in Xero" in page.text


@pytest.mark.parametrize(
    "form", [{"do": "dance"}, {"do": "bind", "property": "x"}, {"do": "add-option", "option": "x"}]
)
def test_a_forged_form_finds_nothing(theo, form):
    assert theo.post(TRACKING, form).status_code == 404


def test_who_only_takes_orders_binds_nothing(desk, connection):
    assert desk("mai").post(TRACKING, {"do": "make"}).status_code == 403
    tracking_actions.reload_tracking(connection)
    assert not Property.objects.exists()
