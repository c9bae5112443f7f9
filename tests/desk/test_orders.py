"""The screens of orders: the list, taking one with and without a browser's help, editing, and its life."""

import re
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

import cast
from provender.basics import clock
from provender.ordering import actions
from provender.ordering.models import Order
from provender.properties.models import Value

NEW = "/w/harbour/orders/new"


@pytest.fixture
def mai(desk):
    return desk("mai")


@pytest.fixture
def larder(supplier):
    """The goods of the cast."""
    return [cast.product(supplier, sku) for sku in cast.GOODS]


def typed(*goods, charges=(), do="save", **header):
    """The form as a browser sends it: (item, quantity, price) each, charges (kind, item, quantity, price, tax)."""
    rows = [*goods, ("", "", "")]
    freight = [*charges] or [("freight", "Freight", "", "", "gst")]
    today = clock.today("Australia/Sydney").isoformat()
    fields = {
        "do": do,
        "customer": "Corner Cafe",
        "order_date": today,
        "delivery_date": "",
        "purchase_order": "",
        "comment": "",
        "key": [""] * len(rows),
        "item": [row[0] for row in rows],
        "quantity": [row[1] for row in rows],
        "price": [row[2] for row in rows],
        "charge_key": [""] * len(freight),
        "charge_kind": [row[0] for row in freight],
        "charge_item": [row[1] for row in freight],
        "charge_quantity": [row[2] for row in freight],
        "charge_price": [row[3] for row in freight],
        "charge_tax": [row[4] for row in freight],
    }
    return fields | header


def typed_again(order, **changes):
    """The form of an order that is there, as it was shown."""
    lines = list(order.lines.select_related("product"))
    goods, charges = [line for line in lines if line.product], [line for line in lines if not line.product]
    fields = typed(
        *[(line.product.sku, str(line.quantity), "") for line in goods],
        charges=[
            (line.kind, line.description, str(line.quantity), str(line.unit_price), line.tax_kind) for line in charges
        ],
        purchase_order=order.purchase_order,
        comment=order.comment,
        order_date=order.order_date.isoformat(),
    )
    fields |= {"key": [*[str(line.key) for line in goods], ""]}
    if charges:
        fields |= {"charge_key": [str(line.key) for line in charges]}
    else:
        fields |= {"charge_price": ["0.00"]}
    del fields["customer"]
    return fields | changes


def test_a_typed_draft_gets_its_prices_by_the_customers_list(mai, supplier, larder):
    cast.venue(supplier, price_list=cast.price_list(supplier, prices={"OAT-1L": "4.05"}))
    answer = mai.post(NEW, typed(("OAT-1L", "6", ""), ("BEANS-1KG", "2", "25")), follow=True)
    order = Order.objects.get()
    lines = {line.sku: (line.unit_price, line.price_from) for line in order.lines.all() if line.sku}
    assert answer.redirect_chain[-1][0] == f"/w/harbour/orders/{order.pk}"
    assert order.status == Order.Status.DRAFT
    assert lines == {"OAT-1L": (Decimal("4.05"), "List Cafés"), "BEANS-1KG": (Decimal(25), "Typed")}


def test_placing_from_the_form_raises_the_invoice_and_says_its_number(mai, cafe, larder):
    answer = mai.post(NEW, typed(("oat milk", "4", ""), do="place"), follow=True)
    order = Order.objects.get()
    assert order.invoice.total == Decimal("19.80")
    assert f"invoice {order.invoice.number} is raised" in answer.text


def test_a_form_sent_twice_makes_one_order(mai, cafe, larder):
    once = re.search(r'name="once" value="([0-9a-f-]{36})"', mai.get(NEW).text)[1]
    form = typed(("OAT-1L", "4", ""), do="place", once=once)
    assert mai.post(NEW, form)["Location"] == mai.post(NEW, form)["Location"]
    assert Order.objects.count() == 1


def test_gone_back_to_a_saved_draft_changes_that_draft(mai, cafe, larder):
    once = str(uuid4())
    mai.post(NEW, typed(("OAT-1L", "4", ""), once=once))
    mai.post(NEW, typed(("OAT-1L", "7", ""), once=once))
    assert Order.objects.get().lines.get(sku="OAT-1L").quantity == 7


def test_freight_comes_from_the_group_and_a_zero_leaves_it_out(mai, supplier, larder):
    cast.venue(supplier, freight_group=cast.freight_group(supplier))
    mai.post(NEW, typed(("OAT-1L", "4", ""), do="place"))
    mai.post(NEW, typed(("OAT-1L", "4", ""), charges=[("freight", "Freight", "", "0", "gst")], do="place"))
    totals = [order.invoice.subtotal for order in Order.objects.order_by("created_at")]
    assert totals == [Decimal("30.00"), Decimal("18.00")]


def test_charges_keep_their_kind_and_tax(mai, cafe, larder):
    charges = [("surcharge", "Public holiday", "", "5", "free"), ("other", "Crate", "2", "7.50", "gst")]
    mai.post(NEW, typed(("OAT-1L", "4", ""), charges=charges, do="place"))
    kinds = list(Order.objects.get().lines.values_list("kind", "description", "quantity", "unit_price", "tax_kind"))
    assert kinds[1:] == [
        ("surcharge", "Public holiday", Decimal(1), Decimal(5), "free"),
        ("other", "Crate", Decimal(2), Decimal("7.5"), "gst"),
    ]


def test_what_was_typed_stays_beside_what_is_wrong(mai, cafe, larder):
    goods = [("OAT-1L", "6", ""), ("nonsense", "2", ""), ("SYRUP-VAN", "", "x"), ("CUP-8OZ", "-1", "")]
    page = mai.post(NEW, typed(*goods, purchase_order="PO 7")).text
    assert Order.objects.count() == 0
    for kept in ('value="nonsense"', 'value="PO 7"', 'value="x"', 'value="-1"'):
        assert kept in page
    for said in ("No product has “nonsense”", "How many?", "is not a number", "needs a credit note"):
        assert said in page
    assert page.count('aria-invalid="true"') == 4


def test_a_mistyped_year_is_seen_and_an_old_orders_own_days_stay(mai, cafe, larder):
    page = mai.post(NEW, typed(("OAT-1L", "4", ""), delivery_date="1999-01-01", do="place")).text
    assert "1 Jan 1999 is more than a year from today. Is the year right?" in page
    assert 'value="1999-01-01"' in page
    assert Order.objects.count() == 0
    order = cast.draft_order(cafe)
    Order.objects.update(order_date="1999-01-01", delivery_date="1999-01-02")
    order.refresh_from_db()
    mai.post(f"/w/harbour/orders/{order.pk}/edit", typed_again(order, delivery_date="1999-01-02", comment="Ring twice"))
    order.refresh_from_db()
    assert (order.comment, order.delivery_date.isoformat()) == ("Ring twice", "1999-01-02")


def test_a_name_that_several_have_asks_which(mai, supplier, larder):
    one, two = (
        cast.venue(supplier, "Blue Door", number=number, city=city) for number, city in [("7", "Bondi"), ("8", "Manly")]
    )
    page = mai.post(NEW, typed(("OAT-1L", "1", ""), customer="blue door")).text
    assert "Several customers could be meant" in page
    assert "Bondi" in page
    mai.post(NEW, typed(("OAT-1L", "1", ""), customer="blue door", customer_id=str(two.pk)))
    assert Order.objects.get().customer == two
    mai.post(NEW, typed(("OAT-1L", "1", ""), customer="7"))
    assert Order.objects.filter(customer=one).count() == 1


def test_nobody_is_a_customer_of_that_name(mai, cafe, larder):
    page = mai.post(NEW, typed(("OAT-1L", "1", ""), customer="Nowhere")).text
    assert "No customer has that name or number." in page


def test_an_empty_order_is_not_placed_but_kept_on_the_form(mai, cafe):
    page = mai.post(NEW, typed(do="place", comment="Ring twice")).text
    assert "This order has no lines, freight aside." in page
    assert "Ring twice" in page
    assert Order.objects.count() == 0


def test_another_wholesalers_customer_and_goods_are_unknown(mai, cafe):
    southern = cast.supplier("southern")
    cast.venue(southern, "Harbour View")
    cast.product(southern, "KIWI", name="Kiwi fruit")
    page = mai.post(NEW, typed(("KIWI", "1", ""), customer="Harbour View")).text
    assert "No customer has that name" in page
    assert "No product has “KIWI”" in page


def test_while_typing_the_server_says_names_prices_and_sums(mai, supplier, larder):
    cast.venue(supplier, price_list=cast.price_list(supplier, prices={"OAT-1L": "4.05"}))
    fields = typed(("OAT-1L", "6", ""), ("Vanilla syrup", "1", ""), do="")
    part = mai.post(NEW, fields, headers={"HX-Request": "true"}).text
    assert "4.05 · List Cafés" in part
    assert "Vanilla syrup" in part
    assert "$39.88" in part  # (24.30 + 11.95) with 10 %
    assert 'hx-swap-oob="beforeend:#lines"' in part  # a row more, so that typing needn't stop
    assert Order.objects.count() == 0


def test_more_rows_and_taking_one_off_work_without_javascript(mai, cafe, larder):
    page = mai.post(NEW, typed(("OAT-1L", "6", ""), do="rows")).text
    assert page.count('name="item"') == 7
    page = mai.post(NEW, typed(("OAT-1L", "6", ""), ("SYRUP-VAN", "1", ""), do="remove-0")).text
    assert 'value="OAT-1L"' not in page
    assert 'value="SYRUP-VAN"' in page


def test_suggestions_name_only_this_wholesalers(mai, supplier, cafe, larder):
    southern = cast.supplier("southern")
    cast.venue(southern, "Corner Deli")
    cast.product(southern, "OAT-2L", name="Oat milk 2L")
    customers = mai.get("/w/harbour/orders/customers?customer=corner").text
    products = mai.get("/w/harbour/orders/products?item=&item=oat").text
    assert "Corner Cafe" in customers
    assert "Corner Deli" not in customers
    assert "OAT-1L" in products
    assert "OAT-2L" not in products


def test_editing_a_placed_order_says_what_it_does_and_makes_the_next_version(mai, cafe, larder):
    order = cast.placed_order(cafe, {"OAT-1L": 4})
    url = f"/w/harbour/orders/{order.pk}/edit"
    assert "its version 2" in mai.get(url).text
    answer = mai.post(url, typed_again(order, quantity=["6", ""]), follow=True).text
    order.invoice.refresh_from_db()
    assert (order.invoice.version, order.invoice.total) == (2, Decimal("29.70"))
    assert "is in its version 2" in answer


def test_saving_an_order_as_it_was_changes_nothing(mai, supplier, larder):
    venue = cast.venue(supplier, freight_group=cast.freight_group(supplier))
    order = cast.placed_order(venue, lines=[*cast.goods(supplier, {"OAT-1L": 4, "BEANS-1KG": "1.25"})])
    mai.post(f"/w/harbour/orders/{order.pk}/edit", typed_again(order))
    order.invoice.refresh_from_db()
    assert order.invoice.version == 1


def test_a_cancelled_order_is_not_edited(mai, cafe, larder):
    order = actions.cancel_order(cast.placed_order(cafe), by=None)
    answer = mai.get(f"/w/harbour/orders/{order.pk}/edit", follow=True)
    assert "can&#x27;t be changed any more" in answer.text


def test_an_order_goes_from_draft_to_delivered(mai, supplier, larder):
    order = cast.draft_order(cast.venue(supplier, invoice_at="delivery"))
    page = f"/w/harbour/orders/{order.pk}"
    mai.post(f"{page}/place")
    assert "This raises the invoice." in mai.get(page).text
    refused = mai.post(f"{page}/deliver", {"delivered_on": "1999-01-01"}, follow=True).text
    assert "1 Jan 1999 is more than a year from today. Is the year right? Choose the day" in refused
    yesterday = clock.today("Australia/Sydney") - timedelta(days=1)
    answer = mai.post(f"{page}/deliver", {"delivered_on": yesterday.isoformat()}, follow=True).text
    order.refresh_from_db()
    assert (order.status, order.invoice.date) == (Order.Status.DELIVERED, yesterday)
    assert f"is delivered; invoice {order.invoice.number} is raised" in answer


def test_cancelling_says_what_becomes_of_the_invoice_first(mai, cafe, larder):
    order = cast.placed_order(cafe)
    page = f"/w/harbour/orders/{order.pk}/cancel"
    question = mai.get(page).text
    assert f"Invoice {order.invoice.number} becomes void" in question
    assert "It isn’t in Xero" in question
    mai.post(page, {"why": "Closed"})
    order.refresh_from_db()
    assert (order.status, order.invoice.status) == (Order.Status.CANCELLED, "void")


def test_a_copy_is_a_draft_that_opens_for_editing(mai, cafe, larder):
    order = cast.placed_order(cafe)
    answer = mai.post(f"/w/harbour/orders/{order.pk}/duplicate")
    copy = Order.objects.exclude(pk=order.pk).get()
    assert answer.url == f"/w/harbour/orders/{copy.pk}/edit"
    assert copy.status == Order.Status.DRAFT


def test_only_a_draft_is_deleted(mai, cafe, larder):
    draft, placed = cast.draft_order(cafe), cast.placed_order(cafe)
    mai.post(f"/w/harbour/orders/{draft.pk}/delete")
    answer = mai.post(f"/w/harbour/orders/{placed.pk}/delete", follow=True)
    assert list(Order.objects.all()) == [placed]
    assert "can&#x27;t be deleted" in answer.text


def test_the_list_narrows_by_status_customer_delivery_and_text(mai, supplier, larder):
    today = clock.today(supplier.time_zone)
    cafe, bar = cast.venue(supplier), cast.venue(supplier, "Bar Lune")
    first = cast.placed_order(cafe, delivery_date=today, purchase_order="PO 77")
    second = cast.draft_order(bar, delivery_date=today - timedelta(days=1))
    third = actions.deliver_order(cast.placed_order(bar, delivery_date=today - timedelta(days=1)), by=None)

    def found(query):
        page = mai.get(f"/w/harbour/orders?{query}").text
        return [order.number for order in (first, second, third) if f"/orders/{order.pk}" in page]

    assert found("status=placed&delivery=today") == [first.number]
    assert found("delivery=past") == [second.number]  # the third came today
    assert found("status=live") == [first.number, third.number]
    assert found(f"customer={bar.pk}") == found("customer=bar+lune") == [second.number, third.number]
    assert found("q=po+77") == [first.number]
    assert found(f"delivery_from={today}&delivery_to={today}") == [first.number, third.number]
    assert found("invoiced=yes") == [first.number, third.number]


def test_the_sum_counts_drafts_and_leaves_cancelled_ones_out(mai, cafe, larder):
    cast.draft_order(cafe)
    cast.placed_order(cafe)
    actions.cancel_order(cast.placed_order(cafe), by=None)
    page = mai.get("/w/harbour/orders").text
    assert "3 orders" in page
    assert "$39.60" in page


def test_placing_many_tells_what_was_not_done(mai, cafe, larder, supplier):
    good, bad = cast.draft_order(cafe), cast.placed_order(cafe)
    picked = {"action": "place", "pick": [good.pk, bad.pk]}
    assert "Place: 2 orders?" in mai.post("/w/harbour/orders", picked).text
    page = mai.post("/w/harbour/orders", picked | {"sure": "1"}, follow=True).text
    assert "Placed 1 order. Not done" in page
    assert Order.objects.filter(status=Order.Status.PLACED).count() == 2


def test_a_reader_looks_but_changes_nothing(desk, cafe, larder):
    order, rex = cast.draft_order(cafe), desk("rex")
    assert rex.get(f"/w/harbour/orders/{order.pk}").status_code == 200
    assert "New order" not in rex.get("/w/harbour/orders").text
    for url in (NEW, f"/w/harbour/orders/{order.pk}/edit", f"/w/harbour/orders/{order.pk}/cancel"):
        assert rex.get(url).status_code == 403
    assert rex.post(f"/w/harbour/orders/{order.pk}/place").status_code == 403


@pytest.mark.parametrize("end", ["", "/edit", "/cancel", "/delete"])
def test_another_wholesalers_order_is_not_there(mai, end):
    southern = cast.supplier("southern")
    order = cast.draft_order(cast.venue(southern))
    assert mai.get(f"/w/harbour/orders/{order.pk}{end}").status_code == 404


def test_the_lists_queries_do_not_grow_with_its_rows(mai, cafe, larder):
    def queries():
        with CaptureQueriesContext(connection) as run:
            mai.get("/w/harbour/orders")
        return len(run)

    queries()  # the first visit is noted in the session
    cast.draft_order(cafe)
    cast.placed_order(cafe)
    few = queries()
    for _ in range(6):
        cast.draft_order(cafe)
        cast.placed_order(cafe)
    assert queries() == few <= 14


def test_the_download_holds_what_is_shown(mai, cafe, larder):
    cast.draft_order(cafe, purchase_order="=1+1")
    cast.placed_order(cafe)
    text = mai.get("/w/harbour/orders?status=draft&format=csv").getvalue().decode()
    assert "SO-1,Corner Cafe" in text
    assert "'=1+1" in text
    assert "SO-2" not in text


def test_the_form_asks_few_questions_of_the_database(mai, cafe, supplier, larder):
    goods = [(sku, "1", "") for sku in cast.GOODS]
    mai.get(NEW)  # the first visit is noted in the session
    with CaptureQueriesContext(connection) as run:
        mai.post(NEW, typed(*goods * 5, do=""), headers={"HX-Request": "true"})
    assert len(run) <= 12


# --- options ------------------------------------------------------------------------------------------------------


@pytest.fixture
def region(supplier):
    """Region, where oat milk is North."""
    its = cast.property_(supplier, "Region", ["North", "South", "East"])
    cast.choose(its, cast.product(supplier, "OAT-1L"), "North")
    return its


def carried(page):
    """What the form says that each line will carry, by the id of its place."""
    places = re.findall(r'<div class="carried" id="([^"]+)"[^>]*>(.*?)</div>', page.text, re.DOTALL)
    return {place: re.sub(r"<[^>]+>", "", said).strip() for place, said in places if "note" in said}


def test_the_form_shows_what_each_line_will_carry_and_why(supplier, cafe, region, mai):
    cast.choose(region, cafe, "South")
    form = typed(("OAT-1L", "4", ""), ("CUP-8OZ", "1", ""), charges=[("freight", "Freight", "", "9", "gst")])
    cast.product(supplier, "CUP-8OZ")
    live = mai.post(NEW, form, headers={"HX-Request": "true"})
    assert carried(live) == {
        "line-0-carried": "Region: North, from the product",
        "line-1-carried": "Region: South, from the customer",
        "charge-0-carried": "Region: South, from the customer",
    }
    form[f"property-{region.pk}"] = str(region.options.get(name="East").pk)
    live = mai.post(NEW, form, headers={"HX-Request": "true"})
    assert carried(live)["line-1-carried"] == "Region: East, from the order"
    assert not Value.objects.filter(kind="order").exists()


def test_an_option_chosen_on_the_form_is_what_the_placed_lines_carry(supplier, cafe, region, mai):
    cast.product(supplier, "CUP-8OZ")
    east = region.options.get(name="East")
    form = typed(("OAT-1L", "4", ""), ("CUP-8OZ", "1", ""), do="place") | {f"property-{region.pk}": str(east.pk)}
    mai.post(NEW, form)
    order = supplier.orders.get()
    assert [[one["option_name"] for one in line.tracking] for line in order.lines.all()][:2] == [["North"], ["East"]]
    page = mai.get(f"/w/harbour/orders/{order.pk}/edit")
    assert "Choose another one on the invoice" in page.text
    assert carried(page)["line-1-carried"] == "Region: East, from the order"


def test_a_draft_keeps_the_option_and_an_edit_takes_it_off(supplier, cafe, region, mai):
    south = str(region.options.get(name="South").pk)
    mai.post(NEW, typed(("OAT-1L", "4", ""), do="save") | {f"property-{region.pk}": south})
    order = supplier.orders.get()
    there = f"/w/harbour/orders/{order.pk}/edit"
    assert f'<option value="{south}" selected>' in mai.get(there).text
    mai.post(there, typed_again(order) | {f"property-{region.pk}": ""})
    assert not Value.objects.filter(kind="order").exists()


def test_an_option_that_is_not_offered_is_refused_on_the_form(supplier, cafe, region, mai):
    region.options.filter(name="East").update(active=False)
    east = region.options.get(name="East")
    page = mai.post(NEW, typed(("OAT-1L", "4", ""), do="place") | {f"property-{region.pk}": str(east.pk)})
    assert "“East” can&#x27;t be chosen for Region." in page.text
    assert not supplier.orders.exists()


def test_without_dropdowns_the_form_says_nothing_of_options(cafe, mai):
    assert "carried" not in mai.get(NEW).text
