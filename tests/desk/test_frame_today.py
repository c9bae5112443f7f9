"""Today's figures and chart, search, and the wholesaler's settings."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

import cast
from provender.basics import clock
from provender.desk.chart import bars_by_day
from provender.desk.search import find
from provender.desk.templatetags.desk import ago, amount, money, price, quantity
from provender.desk.today import greeting, money_figures, order_figures, sales_by_day
from provender.invoicing.actions import void_invoice
from provender.suppliers.actions import take_numbers
from provender.suppliers.queries import next_number
from provender.timeline.queries import story


@pytest.fixture
def day(supplier):
    return clock.today(supplier.time_zone)


def bill(cafe, dated, days=14, **fields):
    return cast.invoice(cafe, date=dated, due_date=dated + timedelta(days=days), **fields)  # 19.80 with GST


def test_orders_today_stand_beside_the_same_day_last_week(supplier, cafe, day):
    cast.placed_order(cafe)
    cast.draft_order(cafe)
    for _ in range(2):
        cast.placed_order(cafe, order_date=day - timedelta(days=7))
    today, to_invoice = order_figures(supplier, day)
    assert (today.value, today.then[:2]) == ("1", "2 ")
    assert to_invoice.value == "0"


def test_what_is_placed_without_an_invoice_waits(supplier, day):
    bistro = cast.venue(supplier, "Wharf Street Bistro", invoice_at="delivery")
    cast.placed_order(bistro)
    cast.placed_order(bistro, order_date=day - timedelta(days=3))
    assert order_figures(supplier, day)[1].value == "2"
    assert order_figures(supplier, day)[1].then == "1 of them from before today"


def test_outstanding_and_overdue_stand_beside_a_week_ago(supplier, cafe, day):
    bill(cafe, day)
    bill(cafe, day - timedelta(days=20))  # due 6 days ago
    bill(cafe, day - timedelta(days=30))  # due 16 days ago
    void_invoice(bill(cafe, day - timedelta(days=30)), by=None)  # today: a week ago it was still owed
    outstanding, overdue = money_figures(supplier, day)
    assert (outstanding.value, outstanding.then) == ("$59.40", "$59.40 a week ago")
    assert (overdue.value, overdue.then) == ("$39.60", "2 invoices · $39.60 a week ago")
    assert overdue.bad


def test_figures_in_the_millions_are_set_smaller(priya, supplier, cafe, day):
    bill(cafe, day)
    assert '<span class="big">$19.80</span>' in priya.get("/w/harbour/").text
    bill(cafe, day, lines=[cast.line(quantity=1, price=1_200_000)])
    assert '<span class="big long">$1,320,019.80</span>' in priya.get("/w/harbour/").text


def test_sales_are_thirty_days_without_tax_and_without_voids(supplier, cafe, day):
    bill(cafe, day)
    bill(cafe, day)
    void_invoice(bill(cafe, day), by=None)
    bill(cafe, day - timedelta(days=29))
    bill(cafe, day - timedelta(days=30))
    sales = sales_by_day(supplier, day)
    assert len(sales) == 30
    assert [value for _, value in sales if value] == [Decimal("18.00"), Decimal("36.00")]


@pytest.mark.parametrize("most", ["0", "0.01", "1", "7", "10", "99.99", "100", "831460.24", "9999999"])
def test_every_bar_stays_inside_the_chart(most):
    days = [(date(2026, 11, 1) + timedelta(days=n), Decimal(most) * n / 29) for n in range(30)]
    chart = bars_by_day(days, size="wide", width=720, height=230, labels=6)
    assert all(0 <= bar.height <= bar.y + bar.height <= chart.height for bar in chart.bars)
    assert all(chart.left <= bar.x and bar.x + bar.width <= chart.right for bar in chart.bars)
    assert 2 <= len(chart.ticks) <= 6
    assert chart.ticks[-1].y <= min(bar.y for bar in chart.bars)


def test_the_page_greets_by_the_wholesalers_clock(supplier, priya):
    assert "Good " in priya.get("/w/harbour/").text
    hours = {6: "Good morning", 13: "Good afternoon", 19: "Good evening"}
    assert {hour: greeting(clock.now().replace(hour=hour)) for hour in hours} == hours


@pytest.mark.parametrize("count", [1, 12])
def test_today_asks_the_database_as_often_for_many_as_for_few(
    supplier, cafe, priya, count, django_assert_max_num_queries
):
    for _ in range(count):
        cast.placed_order(cafe)
    priya.get("/w/harbour/")  # the first visit remembers the wholesaler
    with django_assert_max_num_queries(16):
        assert priya.get("/w/harbour/").status_code == 200


def test_search_finds_by_part_of_a_number_or_name(supplier, cafe):
    order = cast.placed_order(cafe, purchase_order="PO-7781")
    found = {kind.kind: [hit.name for hit in kind.hits] for kind in find(supplier, "7781", 5)}
    assert found == {"Orders": [order.number], "Invoices": [order.invoice.number]}
    assert [kind.kind for kind in find(supplier, "corner", 5)] == ["Customers"]
    assert [kind.hits[0].about for kind in find(supplier, "oat milk", 5)] == ["OAT-1L"]


def test_search_stays_inside_the_wholesaler(supplier):
    cast.venue(cast.supplier("southern"), "Corner Cafe")
    assert find(supplier, "corner", 5) == []


def test_a_whole_number_leads_straight_there(supplier, cafe, priya):
    order = cast.placed_order(cafe)
    answer = priya.get("/w/harbour/search", {"q": order.invoice.number.lower()})
    assert answer.headers["location"].endswith(str(order.invoice.pk))


def test_while_typing_only_what_was_found_comes(supplier, cafe, priya):
    part = priya.get("/w/harbour/search", {"q": "corn"}, headers={"HX-Request": "true"})
    assert "Corner Cafe" in part.text
    assert "<html" not in part.text


def test_an_odd_search_is_only_a_search(priya):
    for text in ("", " ", "%", "_", "'; drop table", "\x00", "x" * 5000, "<b>"):
        page = priya.get("/w/harbour/search", {"q": text})
        assert page.status_code == 200
        assert "<b>”" not in page.text


def whole(supplier, **changed):
    return {
        "name": supplier.name, "legal_name": "", "tax_number": "", "tax_rate": "10", "email": "", "phone": "",
        "address": "", "time_zone": supplier.time_zone, **changed,
    }  # fmt: skip


def test_settings_are_saved_and_told(supplier, priya):
    priya.post("/w/harbour/settings", whole(supplier, legal_name="Harbour Pty Ltd", time_zone="Australia/Perth"))
    supplier.refresh_from_db()
    assert (supplier.legal_name, supplier.time_zone) == ("Harbour Pty Ltd", "Australia/Perth")
    assert "Harbour Pty Ltd" in story(supplier, "supplier", supplier.pk)[0].what


def test_what_was_typed_stays_when_something_is_wrong(supplier, priya):
    page = priya.post("/w/harbour/settings", whole(supplier, name="New name", tax_rate="ten"))
    assert 'value="New name"' in page.text
    assert "<title>Settings · Harbour Fine Foods</title>" in page.text
    assert 'aria-invalid="true"' in page.text


def test_an_unknown_time_zone_is_refused(supplier, priya):
    assert (
        "time_zone" in priya.post("/w/harbour/settings", whole(supplier, time_zone="Mars/Base")).context["form"].errors
    )


def test_others_see_the_settings_without_a_button(desk):
    page = desk("theo").get("/w/harbour/settings")
    assert "only an owner may change" in page.text
    assert "Save" not in page.text


def test_numbering_goes_forward_only(supplier, priya):
    take_numbers(supplier, "invoice", 9)
    numbers = {"order_prefix": "O", "invoice_prefix": "HF-", "next_order": "100", "next_invoice": "9"}
    numbers |= {"credit_note_prefix": "HC-", "next_credit_note": "7"}
    refused = priya.post("/w/harbour/settings/numbering", numbers)
    assert "Numbers up to 9 were given out" in refused.text
    priya.post("/w/harbour/settings/numbering", numbers | {"next_invoice": "5000"})
    supplier.refresh_from_db()
    assert (supplier.invoice_prefix, next_number(supplier, "invoice"), next_number(supplier, "order")) == (
        "HF-",
        5000,
        100,
    )
    assert (supplier.credit_note_prefix, next_number(supplier, "credit_note")) == ("HC-", 7)


def test_a_freight_group_is_added_and_changed(supplier, desk):
    mai = desk("mai")
    mai.post("/w/harbour/settings/freight/new", {"name": "City", "charge": "12", "free_from": ""})
    group = supplier.freight_groups.get()
    mai.post(f"/w/harbour/settings/freight/{group.pk}", {"name": "City", "charge": "14.50", "free_from": "250"})
    group.refresh_from_db()
    assert (group.charge, group.free_from) == (Decimal("14.50"), Decimal(250))
    twice = mai.post("/w/harbour/settings/freight/new", {"name": "City", "charge": "1", "free_from": ""})
    assert twice.context["form"].errors
    below = mai.post("/w/harbour/settings/freight/new", {"name": "Coast", "charge": "-1", "free_from": ""})
    assert below.context["form"].errors["charge"] == ["Write zero or more."]


def test_an_owner_invites_changes_and_removes(supplier, priya, client):
    shown = priya.post("/w/harbour/people/invite", {"email": "nora@example.test", "role": "staff"})
    link = shown.context["link"]
    client.post(link[link.index("/join/") :], {"name": "Nora", "password": "barley and quince"})
    nora = supplier.memberships.get(user__email="nora@example.test")
    priya.post(f"/w/harbour/people/{nora.pk}", {"role": "bookkeeper"})
    nora.refresh_from_db()
    assert nora.role == "bookkeeper"
    priya.post(f"/w/harbour/people/{nora.pk}/remove")
    assert client.get("/w/harbour/people").status_code == 404
    told = [entry.what for entry in story(supplier, "supplier", supplier.pk)]
    assert told == [
        "Removed Nora", "Made Nora Bookkeeper", "Nora joined as Order desk", "Invited nora@example.test as Order desk",
    ]  # fmt: skip


def test_the_last_owner_is_told_why_not(supplier, priya):
    me = supplier.memberships.get()
    page = priya.post(f"/w/harbour/people/{me.pk}/remove", follow=True)
    assert "would be left without an owner" in page.text
    assert "would be left without an owner" in priya.post(f"/w/harbour/people/{me.pk}", {"role": "reader"}).text


def test_an_error_leads_back_only_to_our_own_pages(supplier, priya):
    me = supplier.memberships.get()
    where = f"/w/harbour/people/{me.pk}/remove"
    ours = priya.post(where, headers={"referer": "http://testserver/w/harbour/people?role=owner"})
    assert ours.headers["location"] == "/w/harbour/people?role=owner"
    bare = priya.post(where, headers={"referer": "http://testserver"})
    assert bare["Location"] == "/"
    elsewhere = priya.post(where, headers={"referer": "https://evil.example/"})
    assert elsewhere.headers["location"] == "/w/harbour/"


def test_figures_are_written_as_people_read_them():
    assert amount(Decimal("1234.5")) == "1,234.50"
    assert money(Decimal("-12.5"), "GBP") == "-£12.50"
    assert (price(Decimal("0.0375")), price(Decimal("4.5000")), price(Decimal("27.1250"))) == (
        "0.0375",
        "4.50",
        "27.125",
    )
    assert (quantity(Decimal("12.0000")), quantity(Decimal("1.2500")), quantity(Decimal(100))) == ("12", "1.25", "100")
    assert (amount(None), price(None), quantity(None)) == ("–", "–", "–")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "just now"), (60, "1 minute ago"), (7200, "2 hours ago"), (86400, "1 day ago"), (-30, "just now")],
)
def test_a_moment_is_told_by_its_distance(seconds, words):
    assert f">{words}</time>" in ago(clock.now() - timedelta(seconds=seconds, milliseconds=5))
