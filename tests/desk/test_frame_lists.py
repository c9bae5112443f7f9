"""List pages: filters, sort, pages, totals, downloads and bulk actions, on a list of products made for the purpose."""

import csv
import io
from decimal import Decimal

import pytest
from django.test import RequestFactory
from django_filters import CharFilter, FilterSet
from django_htmx.middleware import HtmxDetails
from python_calamine import CalamineWorkbook

import cast
from provender.catalogue.actions import set_products_active
from provender.catalogue.models import Product
from provender.desk import lists
from provender.desk.lists import Badge, BulkAction, Column, Empty, List, show
from provender.people.models import Membership
from provender.people.roles import Doing, Role


class ProductFilter(FilterSet):
    q = CharFilter(field_name="name", lookup_expr="icontains")

    class Meta:
        model = Product
        fields = ("active",)


def stop(supplier, rows, user):
    count = set_products_active(supplier, [row.pk for row in rows], False, by=user)
    return f"{count} products are no longer sold."


class Goods(List[Product]):
    title, one, many = "Goods", "product", "products"
    filters = ProductFilter
    sort = "name"
    empty = Empty("Nothing yet", "Goods come here.", "Invite", "desk:people-invite", Doing.RUN)
    actions = (BulkAction("stop", "Stop selling", Doing.TRADE, stop),)
    columns = (
        Column("sku", "SKU", lambda p: p.sku, sort="sku", phone="title"),
        Column("name", "Name", lambda p: p.name, sort="name"),
        Column("price", "Price", lambda p: p.price, kind="price", sort="price", total="price", phone="side"),
        Column("sold", "Sold", lambda p: Badge("Yes", "ok") if p.active else Badge("No"), kind="badge"),
    )

    def rows(self):
        return self.supplier.products.all()


@pytest.fixture
def mai(supplier):
    return cast.person("mai", supplier)


@pytest.fixture
def ask(supplier, mai):
    """Ask for the list's page: `ask("sort=-price")`."""

    def asked(query="", *, post=None, htmx=False):
        url = f"/w/harbour/goods?{query}"
        headers = {"HX-Request": "true"} if htmx else {}
        factory = RequestFactory()
        request = factory.get(url, headers=headers) if post is None else factory.post(url, post, headers=headers)
        request.user, request.supplier, request.session = mai, supplier, {}
        request.membership = Membership.objects.select_related("supplier").get(user=mai)
        request.htmx, request.resolver_match, request._messages = HtmxDetails(request), None, Told()
        return show(request, Goods(request))

    return asked


class Told(list):
    def add(self, level, message, extra_tags=""):
        self.append(message)


def goods(supplier, count):
    for number in range(count):
        cast.product(supplier, f"P-{number:03}", name=f"Good {number:03}", price=f"{number + 1}.00")


def read_csv(answer):
    return list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))


def skus(listed):
    return [row.name for row in listed.page.rows]


@pytest.fixture
def listed(supplier, mai):
    """The list itself, for an address."""

    def made(query=""):
        request = RequestFactory().get(f"/w/harbour/goods?{query}")
        request.user, request.supplier = mai, supplier
        request.membership = Membership.objects.select_related("supplier").get(user=mai)
        return Goods(request)

    return made


def test_rows_come_sorted_and_in_pages(supplier, listed):
    goods(supplier, 30)
    assert skus(listed("sort=-price"))[:2] == ["P-029", "P-028"]
    second = listed("sort=-price&page=2").page
    assert [row.name for row in second.rows] == ["P-004", "P-003", "P-002", "P-001", "P-000"]
    assert (second.first_row, second.last_row, second.has_next) == (26, 30, False)


def test_an_odd_address_shows_the_nearest_page(supplier, listed):
    goods(supplier, 3)
    for query in ("page=99", "page=-1", "page=x", "per=7", "sort=secret", "sort=-active", "per=&page=&sort="):
        assert skus(listed(query)) == ["P-000", "P-001", "P-002"]


def test_a_filter_narrows_and_an_empty_result_offers_to_clear_it(supplier, ask):
    goods(supplier, 12)
    assert "1–10 of" in ask("q=Good+00").text
    page = ask("q=nothing+like+it").text
    assert "No product fits these filters" in page


def test_an_empty_list_teaches(ask):
    page = ask().text
    assert "Goods come here." in page
    assert "people/invite" not in page  # Mai may not


def test_count_and_sum_are_of_everything_that_fits(supplier, listed):
    goods(supplier, 30)
    totals = listed("q=Good 00").totals
    assert totals.count == 10
    assert [(column.key, total) for column, total in totals.sums] == [("price", Decimal("55.0000"))]


def test_htmx_gets_the_rows_alone(supplier, ask):
    goods(supplier, 1)
    part = ask(htmx=True)
    assert part.text.lstrip().startswith('<div id="rows"')
    assert part.headers["vary"] == "HX-Request"


def test_csv_holds_every_page_as_filtered_and_sorted(supplier, ask):
    goods(supplier, 30)
    rows = read_csv(ask("format=csv&sort=-price&q=Good+02"))
    assert rows[0] == ["SKU", "Name", "Price", "Sold"]
    assert [row[0] for row in rows[1:]] == [f"P-{number:03}" for number in range(29, 19, -1)]
    assert rows[1][2:] == ["30.0000", "Yes"]


@pytest.mark.parametrize("name", ["=1+1", "+61", "-x", "@SUM(A1)"])
def test_no_cell_is_a_formula(supplier, ask, name):
    cast.product(supplier, "P-1", name=name)
    assert read_csv(ask("format=csv"))[1][1] == f"'{name}"


def test_excel_holds_the_same(supplier, ask, tmp_path):
    goods(supplier, 3)
    cast.product(supplier, "P-1", name="=1+1 <b>&")
    file = tmp_path / "goods.xlsx"
    file.write_bytes(b"".join(ask("format=xlsx")))
    rows = CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()
    assert rows[0] == ["SKU", "Name", "Price", "Sold"]
    assert rows[1] == ["P-1", "=1+1 <b>&", 1.0, "Yes"]
    assert len(rows) == 5


def test_an_action_asks_first_and_says_how_many(supplier, ask):
    goods(supplier, 30)
    picked = [str(product.pk) for product in Product.objects.all()[:2]]
    page = ask(post={"action": "stop", "pick": picked}).text
    assert "Stop selling: 2 products?" in page
    assert Product.objects.filter(active=True).count() == 30
    ask(post={"action": "stop", "pick": picked, "sure": "1"})
    assert Product.objects.filter(active=False).count() == 2


def test_an_action_on_all_keeps_to_the_filter(supplier, ask):
    goods(supplier, 30)
    ask("q=Good+00", post={"action": "stop", "all": "1", "sure": "1"})
    assert Product.objects.filter(active=False).count() == 10


def test_an_action_reaches_nobody_elses_rows(supplier, ask):
    theirs = cast.product(cast.supplier("southern"))
    ask(post={"action": "stop", "pick": [str(theirs.pk), "not-a-key"], "sure": "1"})
    theirs.refresh_from_db()
    assert theirs.active


def test_an_action_needs_its_right(supplier, mai, ask):
    from django.core.exceptions import PermissionDenied

    goods(supplier, 1)
    Membership.objects.update(role=Role.READER)
    assert "Stop selling" not in ask().text
    with pytest.raises(PermissionDenied):
        ask(post={"action": "stop", "all": "1", "sure": "1"})


def test_a_long_list_is_counted_only_when_asked(supplier, ask, listed, monkeypatch):
    monkeypatch.setattr(lists, "COUNTED", 20)
    goods(supplier, 30)
    page = ask().text
    assert "1–25 of" in page
    assert "more than 20" in page
    assert "30 products" in ask("totals=1").text
    assert ask("totals=1", htmx=True).text.strip().startswith('<span class="totals">30 products')
    assert listed("page=2").page.last_row == 30


@pytest.mark.parametrize("count", [3, 25])
def test_the_number_of_queries_does_not_grow_with_the_rows(supplier, listed, count, django_assert_num_queries):
    goods(supplier, count)
    shown = listed()
    with django_assert_num_queries(3):  # count, rows, totals
        assert len(shown.page.rows) == count
        assert shown.totals.count == count
