"""Tracking: bound to Xero's categories, carried by lines, checked before it is sent."""

from types import SimpleNamespace

import pytest

import cast
from provender.customers.actions import save_customer
from provender.ordering.actions import edit_order, set_invoice_property, set_order_property
from provender.properties.models import Option, Property
from provender.sync import actions, tracking_actions
from provender.sync.errors import TooManyCategories, TrackingRefused
from provender.sync.mirror import read_tracking
from provender.sync.models import Problem
from provender.sync.nightly import compare_nightly
from provender.sync.problems import repairs_of, sentence
from provender.sync.tracking import bind_category, check_tracking, make_properties, save_tracked_property
from provender.sync.verify import verify_books
from provender.xero import wire

pytestmark = pytest.mark.django_db


@pytest.fixture
def region(supplier):
    return cast.property_(supplier, "Region", ["North", "South"])


@pytest.fixture
def made(connection):
    """The properties made from Xero's categories, by name."""
    return {its.name: its for its in make_properties(connection, by=None)}


@pytest.fixture
def tracked(connection, supplier, made):
    """An order whose oat milk says North, for a cafe in the South; its invoice is on no way yet."""
    cafe = cast.venue(supplier, "Corner Cafe")
    cast.choose(made["Region"], cast.product(supplier), "North")
    cast.choose(made["Region"], cafe, "South")
    return cast.placed_order(cafe, {"OAT-1L": 4, "BEANS-1KG": 2})


def on_lines(books, order):
    """What each line carries in Xero, as "Region=North"."""
    lines = books.find_invoice(order.invoice.number)["LineItems"]
    return [", ".join(f"{one['Name']}={one['Option']}" for one in line.get("Tracking", [])) for line in lines]


def problem():
    return Problem.objects.get(solved_at=None)


def words():
    found = problem()
    return sentence(found.cause, found.words)


def test_what_cannot_be_seen_in_xeros_names_keeps_nothing_apart(connection, supplier, region):
    theirs = wire.TrackingCategory(
        "c1",
        "\ufeffRegion ",
        "ACTIVE",
        (wire.TrackingOption("o1", "North\0 "), wire.TrackingOption("o2", " South\u2028")),
    )
    client = SimpleNamespace(tracking_categories=lambda **_: (theirs,))
    read_tracking(SimpleNamespace(client=client, connection=connection))
    (carrier,) = check_tracking(connection)
    assert carrier.ok
    assert carrier.category == "Region"
    assert [one.name_in_xero for one in carrier.options] == ["North", "South"]
    assert list(region.options.values_list("name", flat=True)) == ["North", "South"]


def test_lines_carry_their_options_into_xero(tracked, sync, books, supplier):
    sync()
    assert on_lines(books, tracked) == ["Region=North", "Region=South"]
    assert verify_books(supplier).equal


def test_a_tag_finds_its_category_and_options_by_name(region, connection, supplier, sync, books):
    cast.choose(region, cast.product(supplier), "North")
    actions.reload_chart(connection, None)
    order = cast.placed_order(cast.venue(supplier))
    sync()
    assert on_lines(books, order) == ["Region=North"]


def test_a_property_of_another_name_is_bound_by_pick_list(connection, supplier, sync, books):
    seller = cast.property_(supplier, "Sold by whom", ["Ana"], tag="")
    actions.reload_chart(connection, None)
    category = connection.tracking_categories.get(name="Salesperson")
    bind_category(connection, seller, category.category_id, by=None)
    cast.choose(seller, cast.product(supplier), "Ana")
    order = cast.placed_order(cast.venue(supplier))
    sync()
    assert on_lines(books, order) == ["Salesperson=Ana"]


def test_two_categories_go_on_one_line(tracked, made, sync, books):
    set_invoice_property(tracked.invoice, made["Salesperson"], option(made["Salesperson"], "Chika"), by=None)
    sync()
    assert on_lines(books, tracked) == ["Region=North, Salesperson=Chika", "Region=South, Salesperson=Chika"]


def option(its, name):
    return str(its.options.get(name=name).pk)


def test_properties_are_made_from_xero_once_and_refreshed(made, connection, books):
    assert {name: [each.name for each in its.options.all()] for name, its in made.items()} == {
        "Region": ["Eastside", "North", "South", "West Coast"],
        "Salesperson": ["Ana", "Bruno", "Chika"],
    }
    books.edit_tracking("Region", "North", Name="Far North")
    books.edit_tracking("Region", "South", Status="ARCHIVED")
    books.add_tracking_option("Region", "Islands")
    actions.reload_chart(connection, None)
    make_properties(connection, by=None)
    region = made["Region"].options.values_list("name", "active")
    assert Property.objects.count() == 2
    assert sorted(region) == [
        ("Eastside", True), ("Far North", True), ("Islands", True), ("South", False), ("West Coast", True),
    ]  # fmt: skip


def test_a_rename_in_xero_is_followed_by_id(tracked, made, connection, sync, books, supplier):
    books.edit_tracking("Region", "North", Name="Far North")
    books.edit_tracking("Region", Name="Area")
    actions.reload_chart(connection, None)
    sync()
    assert on_lines(books, tracked) == ["Area=Far North", "Area=South"]
    assert verify_books(supplier).equal


def test_a_third_category_is_refused_when_it_is_saved(made, supplier, connection):
    with pytest.raises(TooManyCategories, match="Region and Salesperson are tracking categories already"):
        save_tracked_property(Property(supplier=supplier, name="Route", tag="xero_Route"), by=None)
    assert not Property.objects.filter(name="Route").exists()
    route = save_tracked_property(Property(supplier=supplier, name="Route"), by=None)
    with pytest.raises(TrackingRefused, match="is the category of Region already"):
        bind_category(connection, route, connection.tracking_categories.get(name="Region").category_id, by=None)


def test_an_archived_option_is_found_before_it_is_sent(tracked, connection, sync, books, xero):
    books.edit_tracking("Region", "North", Status="ARCHIVED")
    actions.reload_chart(connection, None)
    xero.stats.reset()
    sync()
    assert words().startswith(
        f"{tracked.invoice.number} can't be sent with its tracking: the option “North” of Region is archived in Xero."
    )
    assert not [call for call in xero.stats.calls if "Invoices" in call]
    (carrier,) = [one for one in check_tracking(connection) if not one.ok]
    assert [(one.option.name, one.lacking.what) for one in carrier.options if one.lacking] == [
        ("North", "the option “North” of Region is archived in Xero")
    ]


def test_an_option_that_came_back_goes_on_send_again(tracked, connection, sync, books, supplier):
    books.edit_tracking("Region", "North", Status="ARCHIVED")
    actions.reload_chart(connection, None)
    sync()
    books.edit_tracking("Region", "North", Status="ACTIVE")
    actions.send_again(connection, "tracking-missing", None)
    sync()
    assert on_lines(books, tracked) == ["Region=North", "Region=South"]


def test_another_option_is_chosen_for_the_one_that_is_missing(tracked, made, connection, sync, books, supplier):
    books.edit_tracking("Region", "North", Status="ARCHIVED")
    actions.reload_chart(connection, None)
    sync()
    east = connection.tracking_options.get(name="Eastside").option_id
    assert tracking_actions.choose_option(connection, made["Region"].options.get(name="North"), east, None) == 1
    sync()
    assert on_lines(books, tracked) == ["Region=Eastside", "Region=South"]
    assert verify_books(supplier).equal


def test_a_missing_option_is_added_in_xero(made, connection, supplier, sync, books):
    islands = Option.objects.create(property=made["Region"], name="Islands")
    cast.choose(made["Region"], cast.product(supplier), "Islands")
    order = cast.placed_order(cast.venue(supplier))
    sync()
    assert "the tracking category Region has no option “Islands” in Xero" in words()
    tracking_actions.add_option(connection, islands, None)
    sync()
    assert on_lines(books, order) == ["Region=Islands"]
    assert verify_books(supplier).equal


def test_an_archived_category_is_named_and_can_be_left_out(tracked, connection, sync, books, supplier):
    books.edit_tracking("Region", Status="ARCHIVED")
    actions.reload_chart(connection, None)
    sync()
    assert "the tracking category Region is archived in Xero" in words()
    actions.without_tracking(problem(), None)
    sync()
    assert on_lines(books, tracked) == ["", ""]
    assert verify_books(supplier).equal


def test_what_xero_refuses_gets_the_same_cause(tracked, sync, books, xero):
    xero.switches["unknown_tracking_refused"] = True
    books.edit_tracking("Region", "North", Status="ARCHIVED")
    sync()
    assert problem().cause == "tracking-missing"


def test_a_changed_option_in_xero_is_seen(tracked, made, sync, books, supplier):
    sync()
    lines = books.find_invoice(tracked.invoice.number)["LineItems"]
    south = lines[1]["Tracking"]
    books.edit_invoice(tracked.invoice.number, LineItems=[{**line, "Tracking": south} for line in lines])
    (difference,) = verify_books(supplier).differences
    assert difference.field == "lines[0].tracking"
    edit_order(tracked, lines=cast.goods(supplier, {"OAT-1L": 5}), by=None)
    sync()
    assert problem().cause == "edited-in-xero"
    assert "line 1 tracking" in words()
    actions.send_ours(problem(), None)
    sync()
    assert on_lines(books, tracked) == ["Region=North"]


def test_tracking_of_the_bookkeepers_own_is_left_alone(order, made, sync, books, supplier):
    sync()
    number = order.invoice.number
    lines = books.find_invoice(number)["LineItems"]
    mine = [{"Name": "Region", "Option": "South"}]
    books.edit_invoice(number, LineItems=[{**line, "Tracking": mine} for line in lines])
    assert verify_books(supplier).equal
    edit_order(
        order, lines=order.lines.all() and [*map(cast.ordering.draft_of, order.lines.all())], comment="!", by=None
    )
    sync()
    assert on_lines(books, order)[:2] == ["Region=South", "Region=South"]


def test_lines_keep_what_they_were_placed_with(tracked, made, sync, books, supplier):
    cast.choose(made["Region"], cast.product(supplier), "South")
    lines = [cast.ordering.draft_of(line) for line in tracked.lines.all()]
    edit_order(tracked, lines=[*lines, *cast.goods(supplier, {"SYRUP-VAN": 1})], by=None)
    sync()
    assert on_lines(books, tracked) == ["Region=North", "Region=South", "Region=South"]


def test_an_invoices_own_option_beats_the_orders_and_the_customers(connection, supplier, made, sync, books):
    its = made["Region"]
    cafe = cast.venue(supplier)
    cast.choose(its, cafe, "South")
    draft = cast.draft_order(cafe, {"OAT-1L": 4, "BEANS-1KG": 2})
    set_order_property(draft, its, option(its, "West Coast"), by=None)
    cast.choose(its, cast.product(supplier, "BEANS-1KG"), "North")
    order = cast.ordering.place_order(draft, by=None)
    assert [[one["option_name"] for one in line.tracking] for line in order.lines.all()] == [["West Coast"], ["North"]]
    set_invoice_property(order.invoice, its, option(its, "Eastside"), by=None)
    sync()
    assert on_lines(books, order) == ["Region=Eastside", "Region=North"]
    set_invoice_property(order.invoice, its, "", by=None)
    sync()
    assert on_lines(books, order) == ["Region=West Coast", "Region=North"]
    assert verify_books(supplier).equal


def test_a_renamed_customer_and_the_night_find_nothing(tracked, sync, connection):
    sync()
    customer = tracked.customer
    customer.trading_name = "Corner Café"
    save_customer(customer, by=None)
    assert compare_nightly(connection) == 0


# --- how fresh the pre-check is -----------------------------------------------------------------------------------


def reads(xero):
    """How often the tracking categories were asked for."""
    return sum(count for call, count in xero.stats.calls.items() if "TrackingCategories" in call)


def sends(xero):
    return [call for call in xero.stats.calls if "Invoices" in call]


def test_an_option_archived_a_while_ago_is_found_before_it_is_sent(tracked, sync, books, xero, later):
    books.edit_tracking("Region", "North", Status="ARCHIVED")
    later(minutes=11)
    xero.stats.reset()
    sync()
    assert "the option “North” of Region is archived in Xero" in words()
    assert (reads(xero), sends(xero)) == (1, [])


def test_categories_are_read_again_at_most_once_in_ten_minutes(tracked, supplier, connection, sync, xero, later):
    later(minutes=11)
    xero.stats.reset()
    sync()
    for _ in range(3):
        cast.placed_order(tracked.customer)
        later(minutes=3)
        sync()
    assert reads(xero) == 1


def test_without_tracking_nothing_is_read_for_it(order, sync, xero, later):
    later(minutes=11)
    xero.stats.reset()
    sync()
    assert reads(xero) == 0


def test_what_xero_refuses_is_read_at_once_and_named(tracked, sync, books, xero):
    xero.switches["unknown_tracking_refused"] = True
    books.edit_tracking("Region", "North", Status="ARCHIVED")
    sync()
    assert "the option “North” of Region is archived in Xero" in words()
    assert "could not be found" in problem().raw


def test_what_xero_leaves_out_without_a_word_is_a_problem_and_named(tracked, connection, sync, books, xero, supplier):
    xero.switches["unknown_tracking_refused"] = False
    books.edit_tracking("Region", "North", Status="ARCHIVED")
    sync()
    assert on_lines(books, tracked) == ["", "Region=South"]
    assert "the option “North” of Region is archived in Xero" in words()
    assert problem().raw == "Xero took it and left out the tracking of line 1"
    north = Option.objects.get(name="North")
    assert tracking_actions.restore_option(connection, north, None) == 1
    sync()
    assert on_lines(books, tracked) == ["Region=North", "Region=South"]
    assert verify_books(supplier).equal


def test_what_was_left_out_can_stay_out(tracked, sync, books, xero, supplier):
    xero.switches["unknown_tracking_refused"] = False
    books.edit_tracking("Region", "North", Status="ARCHIVED")
    sync()
    actions.without_tracking(problem(), None)
    sync()
    assert not Problem.objects.filter(solved_at=None).exists()
    assert books.find_invoice(tracked.invoice.number)["LineItems"][0]["Tracking"] == []


def test_an_archived_option_is_restored_in_xero(tracked, connection, sync, books, supplier):
    books.edit_tracking("Region", "North", Name="Far North", Status="ARCHIVED")
    actions.reload_chart(connection, None)
    sync()
    assert tracking_actions.restore_option(connection, Option.objects.get(name="North"), None) == 1
    sync()
    assert on_lines(books, tracked) == ["Region=Far North", "Region=South"]
    assert verify_books(supplier).equal


def test_an_archived_category_is_restored_in_xero(tracked, made, connection, sync, books, supplier):
    books.edit_tracking("Region", Name="Area", Status="ARCHIVED")
    actions.reload_chart(connection, None)
    sync()
    assert "the tracking category Area is archived in Xero" in words()
    assert tracking_actions.restore_category(connection, made["Region"], None) == 1
    sync()
    assert on_lines(books, tracked) == ["Area=North", "Area=South"]
    assert verify_books(supplier).equal
    assert tracking_actions.restore_category(connection, made["Region"], None) == 0  # a second press finds it active


def test_a_category_is_not_restored_beside_two_active_ones(made, connection, books):
    books.edit_tracking("Region", Status="ARCHIVED")
    books.add_tracking_category("Channel")
    with pytest.raises(TrackingRefused, match="two active tracking categories, Channel and Salesperson, and takes no"):
        tracking_actions.restore_category(connection, made["Region"], None)


def test_a_category_that_was_deleted_is_added_anew(tracked, made, connection, sync, books, supplier):
    books.delete_tracking("Region")
    actions.reload_chart(connection, None)
    sync()
    assert "the tracking category of Region is no longer in Xero" in words()
    with pytest.raises(TrackingRefused, match="no longer in Xero"):
        tracking_actions.restore_category(connection, made["Region"], None)
    tracking_actions.mend_tracking(problem(), None)
    sync()
    assert on_lines(books, tracked) == ["Region=North", "Region=South"]
    assert verify_books(supplier).equal


@pytest.mark.parametrize("what", ["option", "category"])
def test_a_problem_knows_what_mends_it_in_xero(tracked, connection, sync, books, what):
    books.edit_tracking("Region", *(["North"] if what == "option" else []), Status="ARCHIVED")
    actions.reload_chart(connection, None)
    sync()
    assert [one.do for one in repairs_of(problem())][:2] == ["restore-in-xero", "open-tracking"]
    tracking_actions.mend_tracking(problem(), None)
    sync()
    assert on_lines(books, tracked) == ["Region=North", "Region=South"]


def test_an_option_of_an_archived_category_is_neither_added_nor_restored(tracked, connection, books):
    books.edit_tracking("Region", Status="ARCHIVED")
    for act in (tracking_actions.add_option, tracking_actions.restore_option):
        with pytest.raises(TrackingRefused, match="the tracking category Region is archived in Xero"):
            act(connection, Option.objects.get(name="North"), None)


def test_an_option_that_is_gone_is_added_not_restored(made, connection, supplier, sync, books):
    islands = Option.objects.create(property=made["Region"], name="Islands")
    with pytest.raises(TrackingRefused, match="no longer in Xero at all"):
        tracking_actions.restore_option(connection, islands, None)
    tracking_actions.add_option(connection, islands, None)
    unbound = Option.objects.create(property=cast.property_(supplier, "Route"), name="Monday")
    with pytest.raises(TrackingRefused, match="no tracking category"):
        tracking_actions.restore_option(connection, unbound, None)


# --- a category that Xero lacks -----------------------------------------------------------------------------------


@pytest.fixture
def routed(connection, supplier):
    """An order whose customer is on the Monday route, which is tagged for a category that Xero doesn't have."""
    its = cast.property_(supplier, "Route", ["Monday", "Tuesday"])
    cafe = cast.venue(supplier)
    cast.choose(its, cafe, "Monday")
    return cast.placed_order(cafe)


def test_a_tag_without_its_category_is_named_before_anything_is_sent(routed, connection, sync, xero):
    xero.stats.reset()
    sync()
    assert "the tracking category Route, which the tag of Route asks for, isn’t there in Xero" in words()
    assert sends(xero) == []
    assert [(one.its.name, one.ok, one.category_id) for one in check_tracking(connection)] == [("Route", False, "")]
    actions.without_tracking(problem(), None)
    sync()
    assert not Problem.objects.filter(solved_at=None).exists()


def test_the_category_is_added_in_xero_with_its_options(routed, connection, sync, books, supplier):
    sync()
    books.edit_tracking("Salesperson", Status="ARCHIVED")
    assert tracking_actions.add_category(connection, Property.objects.get(name="Route"), None) == 1
    sync()
    assert on_lines(books, routed) == ["Route=Monday"]
    assert connection.option_bindings.count() == 2
    assert verify_books(supplier).equal


def test_a_third_category_is_not_added(routed, connection):
    with pytest.raises(TrackingRefused, match="two active tracking categories, Region and Salesperson"):
        tracking_actions.add_category(connection, Property.objects.get(name="Route"), None)


def test_a_category_somebody_made_meanwhile_is_bound_not_added_twice(routed, connection, sync, books, xero):
    sync()
    books.edit_tracking("Salesperson", Name="Route")
    xero.stats.reset()
    tracking_actions.add_category(connection, Property.objects.get(name="Route"), None)
    assert connection.category_bindings.count() == 1
    assert not [call for call in xero.stats.calls if call.startswith("PUT")]


def test_two_properties_cannot_be_one_category(connection, supplier, books):
    seller = cast.property_(supplier, "Sold by", ["Ana"], tag="")
    category = connection.tracking_categories.get(name="Salesperson").category_id
    bind_category(connection, seller, category, by=None)
    tagged = cast.property_(supplier, "Salesperson", ["Ana"])
    with pytest.raises(TrackingRefused, match="Xero has a tracking category Salesperson already"):
        tracking_actions.add_category(connection, tagged, None)
