"""Price lists at the desk: the lists, the prices of one written many at once, copy, rename, delete."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

import cast
from browsers import needs_browser
from desk.test_customers import names, queries
from desk.test_frame_axe import cookie, window
from provender.basics import clock
from provender.catalogue.models import PriceList

pytestmark = pytest.mark.django_db
LISTS = "/w/harbour/price-lists"
DECEMBER, CHRISTMAS = date(2026, 12, 1), date(2026, 12, 24)


@pytest.fixture
def mai(desk):
    return desk("mai")


@pytest.fixture
def cafes(supplier):
    """4.20 for oat milk; cups, beans and syrup at base price."""
    for sku in ("CUP-8OZ", "BEANS-1KG", "SYRUP-VAN"):
        cast.product(supplier, sku)
    return cast.price_list(supplier, "Cafés", {"OAT-1L": "4.20"})


def typed(supplier, **moves):
    """What a browser sends: by SKU (hyphens left out) what the page showed and what was typed."""
    form = {}
    for product in supplier.products.all():
        before, after = moves.get(product.sku.replace("-", ""), ("", ""))
        form |= {f"was-{product.pk}": before, f"price-{product.pk}": after}
    return form


def prices(price_list):
    return dict(price_list.prices.values_list("product__sku", "price"))


def test_an_empty_page_teaches_and_starts(mai):
    page = mai.get(LISTS).text
    assert "A price list gives a group of customers prices of its own" in page
    assert f'href="{LISTS}/new"' in page


def test_the_lists_say_how_much_is_on_them_and_who_has_them(supplier, cafes, mai):
    cast.venue(supplier, "Bar Lune", price_list=cafes)
    cast.price_list(supplier, "Groups")
    page = mai.get(LISTS)
    assert names(page) == ["Cafés", "Groups"]
    assert [cell.text for cell in page.context["list"].page.rows[0].cells] == [
        "Cafés",
        "1",
        "base price",
        "always",
        "1",
    ]
    assert f"/w/harbour/customers?price_list={cafes.pk}" in page.text


def test_the_lists_cost_the_same_queries_for_any_number_of_them(supplier, cafes, mai):
    few = queries(mai, LISTS)
    for number in range(20):
        cast.venue(supplier, f"Venue {number}", price_list=cast.price_list(supplier, f"P{number}", {"OAT-1L": "1"}))
    assert queries(mai, LISTS) == few < 16


# --- its prices ---------------------------------------------------------------------------------------------------


def test_base_and_own_prices_stand_side_by_side(cafes, mai):
    page = mai.get(f"{LISTS}/{cafes.pk}", {"q": "oat"})
    (row,) = page.context["list"].page.rows
    assert [cell.text for cell in row.cells] == ["Oat milk 1L", "OAT-1L", "4.50", "4.20", "4.20", "−6.7 %", "Add"]
    assert 'value="4.20"' in page.text


def test_search_and_filter_narrow_the_prices(cafes, mai):
    assert names(mai.get(f"{LISTS}/{cafes.pk}", {"own": "yes"})) == ["Oat milk 1L"]
    assert len(names(mai.get(f"{LISTS}/{cafes.pk}", {"own": "no"}))) == 3


def test_many_prices_are_written_at_once(supplier, cafes, mai):
    form = typed(supplier, OAT1L=("4.20", "4.10"), CUP8OZ=("", "0.035"), SYRUPVAN=("", " "))
    answer = mai.post(f"{LISTS}/{cafes.pk}", form, follow=True)
    assert "2 prices changed." in answer.text
    assert prices(cafes) == {"OAT-1L": Decimal("4.10"), "CUP-8OZ": Decimal("0.035")}


def test_a_cleared_price_is_the_base_price_again_and_zero_is_a_price(supplier, cafes, mai):
    mai.post(f"{LISTS}/{cafes.pk}", typed(supplier, OAT1L=("4.20", ""), CUP8OZ=("", "0")))
    assert prices(cafes) == {"CUP-8OZ": Decimal(0)}


def test_one_wrong_price_keeps_all_back_and_what_was_typed_stays(supplier, cafes, mai):
    form = typed(supplier, OAT1L=("4.20", "cheap"), CUP8OZ=("", "0.035"), SYRUPVAN=("", "-1"))
    page = mai.post(f"{LISTS}/{cafes.pk}", form)
    assert page.status_code == 200
    for said in ("“cheap” is not a number", "The price of SYRUP-VAN is below zero", "Nothing was changed."):
        assert said in page.text
    for text in ("cheap", "0.035", "-1"):
        assert f'value="{text}"' in page.text
    assert page.text.count('aria-invalid="true"') == 2
    assert prices(cafes) == {"OAT-1L": Decimal("4.20")}


def test_a_field_that_was_not_touched_leaves_what_somebody_else_wrote_meanwhile(supplier, cafes, mai):
    form = typed(supplier, OAT1L=("4.50", "4.50"), CUP8OZ=("", "0.03"))
    mai.post(f"{LISTS}/{cafes.pk}", form)
    assert prices(cafes)["OAT-1L"] == Decimal("4.20")


def test_a_price_that_somebody_else_changed_meanwhile_is_replaced_only_when_saved_again(supplier, cafes, mai):
    url = f"{LISTS}/{cafes.pk}"
    cast.dated_price(cafes, "4.10")
    page = mai.post(url, typed(supplier, OAT1L=("4.20", "4.00")))
    assert "Somebody made it 4.10 since you opened the page." in page.text
    assert prices(cafes) == {"OAT-1L": Decimal("4.10")}
    (line,) = [line for line in page.context["list"].lines if line.error]
    mai.post(url, typed(supplier, OAT1L=(line.before, line.typed)))
    assert prices(cafes) == {"OAT-1L": Decimal("4.00")}
    mai.post(url, typed(supplier, OAT1L=("4.00", "")))
    assert "Somebody took it away" in mai.post(url, typed(supplier, OAT1L=("4.00", "3.90"))).text


def test_saving_can_lead_to_the_next_page(supplier, cafes, mai):
    for number in range(30):
        cast.product(supplier, f"P-{number:02}")
    url = f"{LISTS}/{cafes.pk}"
    assert "Save, next page" in mai.get(url).text
    assert mai.post(f"{url}?q=P-", {"then": "next"}).headers["location"] == f"{url}?q=P-&page=2"
    assert mai.post(f"{url}?own=no", {"then": "next"}).headers["location"] == f"{url}?own=no"
    assert "Save, next page" not in mai.get(f"{url}?page=2").text


def test_no_other_wholesalers_product_gets_a_price(supplier, cafes, mai):
    theirs = cast.product(cast.supplier("southern"))
    mai.post(f"{LISTS}/{cafes.pk}", {f"price-{theirs.pk}": "1", "price-x": "1", "was-y": "2"})
    assert prices(cafes) == {"OAT-1L": Decimal("4.20")}


def test_a_reader_sees_prices_and_no_fields(cafes, desk):
    page = desk("rex").get(f"{LISTS}/{cafes.pk}").text
    assert "4.20" in page
    assert 'name="price-' not in page
    assert desk("rex", cast.supplier("southern")).get(f"/w/southern/price-lists/{cafes.pk}").status_code == 404


def test_the_prices_cost_the_same_queries_for_any_number_of_them(supplier, cafes, mai):
    url = f"{LISTS}/{cafes.pk}"
    few = queries(mai, url)
    for number in range(15):
        cast.product(supplier, f"P-{number}")
    assert queries(mai, url) == few < 20


def test_htmx_gets_the_rows_alone(cafes, mai):
    part = mai.get(f"{LISTS}/{cafes.pk}", headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith('<div id="rows"')
    assert "Save prices" in part


def test_prices_that_begin_on_a_day_are_written_beside_those_that_hold_now(supplier, cafes, mai):
    url = f"{LISTS}/{cafes.pk}?begins=2026-12-01"
    page = mai.get(url)
    assert "Cafés price from 1 Dec 2026" in page.text
    assert 'value="4.20"' not in page.text
    mai.post(url, typed(supplier, OAT1L=("", "4.40"), CUP8OZ=("", "0.036")))
    assert set(cafes.prices.values_list("product__sku", "price", "valid_from")) == {
        ("OAT-1L", Decimal("4.20"), None),
        ("OAT-1L", Decimal("4.40"), date(2026, 12, 1)),
        ("CUP-8OZ", Decimal("0.036"), date(2026, 12, 1)),
    }
    (row,) = mai.get(f"{url}&q=oat").context["list"].page.rows
    assert [cell.text for cell in row.cells][3:5] == ["4.40", "4.40"]
    assert row.cells[4].note == "List Cafés from 1 Dec 2026"
    mai.post(url, typed(supplier, OAT1L=("4.40", "")))
    assert cafes.prices.filter(product__sku="OAT-1L").count() == 1


def test_a_price_typed_over_keeps_its_last_day(supplier, cafes, mai):
    cast.dated_price(cafes, "4.40", DECEMBER, CHRISTMAS)
    mai.post(f"{LISTS}/{cafes.pk}?begins=2026-12-01", typed(supplier, OAT1L=("4.40", "4.45")))
    row = cafes.prices.get(valid_from=DECEMBER)
    assert (row.price, row.valid_to) == (Decimal("4.45"), CHRISTMAS)


@pytest.mark.parametrize("begins", ["nonsense", "2026-13-01", ""])
def test_a_day_that_can_not_be_read_is_no_day(cafes, mai, begins):
    assert 'value="4.20"' in mai.get(f"{LISTS}/{cafes.pk}?begins={begins}").text


def test_a_list_with_a_percentage_says_what_all_else_costs(supplier, cafes, mai):
    mai.post(f"{LISTS}/{cafes.pk}/edit", {"name": "Cafés", "percent": "−10 %", "valid_from": "2026-01-01"})
    page = mai.get(f"{LISTS}/{cafes.pk}", {"q": "syrup"})
    (row,) = page.context["list"].page.rows
    assert [cell.text for cell in row.cells][3:6] == ["–", "10.755", "−10 %"]
    assert "all else −10 % on the base price" in page.text
    assert "It counts from 1 Jan 2026." in page.text


def test_a_list_that_does_not_count_yet_says_so(supplier, mai):
    later = cast.price_list(supplier, "Summer", {"OAT-1L": "4.00"}, valid_from=date(2999, 1, 1))
    page = mai.get(f"{LISTS}/{later.pk}").text
    assert "Doesn’t count today" in page
    assert "not now; from 1 Jan 2999" in mai.get(LISTS).text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"percent": "cheap"}, "“cheap” is not a number"),
        ({"percent": "-100.5"}, "from −100 to +1,000"),
        ({"percent": "1.23456"}, "more than 4 decimal places"),
        ({"valid_from": "2026-12-01", "valid_to": "2026-11-01"}, "Cafés would count from 1 Dec 2026 until 1 Nov 2026"),
    ],
)
def test_what_can_not_be_kept_of_a_list_is_said_at_its_field(cafes, mai, wrong, said):
    page = mai.post(f"{LISTS}/{cafes.pk}/edit", {"name": "Cafés"} | wrong)
    assert said in page.text
    cafes.refresh_from_db()
    assert (cafes.percent, cafes.valid_from) == (None, None)


# --- one product's prices by day ----------------------------------------------------------------------------------


def rows_typed(page, *changed):
    """What a browser sends of that page: its rows, with (row, field, text) changed."""
    form = {"row": []}
    for number, row in enumerate(page.context["sheet"].forms):
        form["row"].append(str(number))
        for field in row:
            form[field.html_name] = str(field.value() or "")
    return form | {f"{number}-{field}": text for number, field, text in changed}


@pytest.fixture
def by_day(supplier, cafes):
    """The address of oat milk's prices on the Cafés list: 4.20, and 4.40 from 1 to 24 December."""
    cast.dated_price(cafes, "4.40", DECEMBER, CHRISTMAS)
    return f"{LISTS}/{cafes.pk}/products/{cast.product(supplier).pk}"


def of_oat(cafes):
    rows = cafes.prices.filter(product__sku="OAT-1L").order_by("price")
    return [(str(row.price), row.valid_from, row.valid_to) for row in rows]


def test_each_price_says_how_it_stands_today(cafes, by_day, mai):
    with clock.moved(datetime(2026, 12, 2, tzinfo=UTC) - clock.now()):
        assert [said for _, said in mai.get(by_day).context["sheet"].rows][:2] == [
            "Counts today", "Another began later",
        ]  # fmt: skip
    with clock.moved(datetime(2026, 12, 30, tzinfo=UTC) - clock.now()):
        assert [said for _, said in mai.get(by_day).context["sheet"].rows][:2] == ["Over", "Counts today"]
    with clock.moved(datetime(2026, 11, 20, tzinfo=UTC) - clock.now()):
        page = mai.get(by_day)
    assert [said for _, said in page.context["sheet"].rows] == ["To come", "Counts today", "", ""]
    assert "today <b>4.20</b>: List Cafés" in page.text


def test_prices_by_day_are_changed_moved_added_and_taken_away_together(cafes, by_day, mai):
    page = mai.get(by_day)
    form = rows_typed(
        page, (0, "first", "2026-12-05"), (1, "price", ""), (2, "price", "4.00"), (2, "last", "2026-11-30")
    )
    mai.post(by_day, form)
    assert of_oat(cafes) == [("4.0000", None, date(2026, 11, 30)), ("4.4000", date(2026, 12, 5), CHRISTMAS)]
    assert "No change." in mai.post(by_day, rows_typed(mai.get(by_day)), follow=True).text


def test_what_somebody_else_wrote_meanwhile_stays(cafes, by_day, mai):
    page = mai.get(by_day)
    cast.dated_price(cafes, "4.10")
    cast.dated_price(cafes, "4.50", date(2027, 1, 1))
    mai.post(by_day, rows_typed(page, (0, "price", "4.41")))
    assert [price for price, *_ in of_oat(cafes)] == ["4.1000", "4.4100", "4.5000"]


def test_the_same_price_by_day_changed_by_two_is_asked_about(cafes, by_day, mai):
    page = mai.get(by_day)
    cast.dated_price(cafes, "4.10")
    cast.dated_price(cafes, "4.60", date(2027, 1, 1))
    form = rows_typed(page, (1, "price", ""), (2, "price", "4.70"), (2, "first", "2027-01-01"))
    asked = mai.post(by_day, form)
    assert "Somebody made it 4.10 since you opened the page." in asked.text
    assert "By now another price begins then: 4.60." in asked.text
    assert [price for price, *_ in of_oat(cafes)] == ["4.1000", "4.4000", "4.6000"]
    mai.post(by_day, rows_typed(asked, (2, "first", "2027-02-01")))
    assert [price for price, *_ in of_oat(cafes)] == ["4.4000", "4.6000", "4.7000"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ([(2, "price", "1"), (2, "first", "2026-12-01")], "Another price begins on 1 Dec 2026."),
        ([(2, "price", "1")], "Another price begins without a first day."),
        ([(2, "price", "cheap"), (2, "first", "2027-01-01")], "“cheap” is not a number"),
        ([(2, "price", "-1"), (2, "first", "2027-01-01")], "The price of OAT-1L is below zero"),
        ([(2, "price", "1"), (2, "first", "2027-01-02"), (2, "last", "2027-01-01")], "which is before"),
        ([(2, "first", "2027-01-02")], "What does it cost on these days?"),
        ([(2, "price", "1"), (2, "first", "soon")], "Enter a valid date."),
    ],
)
def test_a_price_by_day_that_makes_no_sense_keeps_all_back(cafes, by_day, mai, changed, said):
    before = of_oat(cafes)
    page = mai.post(by_day, rows_typed(mai.get(by_day), (0, "price", "9.99"), *changed))
    assert said in page.text
    assert 'value="9.99"' in page.text
    assert of_oat(cafes) == before


def test_a_reader_sees_prices_by_day_and_no_fields(by_day, desk):
    page = desk("rex").get(by_day).text
    assert "1 Dec 2026" in page
    assert "Save prices" not in page


# --- new, copy, rename, delete ------------------------------------------------------------------------------------


def test_a_new_list_is_empty_or_begins_with_anothers_prices(supplier, cafes, mai):
    mai.post(f"{LISTS}/new", {"name": "Groups", "like": ""})
    mai.post(f"{LISTS}/new", {"name": "Bars", "like": str(cafes.pk)})
    assert prices(PriceList.objects.get(name="Groups")) == {}
    assert prices(PriceList.objects.get(name="Bars")) == {"OAT-1L": Decimal("4.20")}


def test_a_copy_is_proposed_under_a_name_of_its_own(cafes, mai):
    page = mai.get(f"{LISTS}/new?like={cafes.pk}").text
    assert 'value="Cafés (copy)"' in page
    assert f'<option value="{cafes.pk}" selected>' in page
    assert mai.get(f"{LISTS}/new?like=nonsense").status_code == 200


def test_a_name_that_is_taken_is_refused_and_kept_as_typed(supplier, cafes, mai):
    groups = cast.price_list(supplier, "Groups")
    for url in (f"{LISTS}/new", f"{LISTS}/{groups.pk}/edit"):
        page = mai.post(url, {"name": "Cafés"}).text
        assert "There is a price list “Cafés” already." in page
        assert 'value="Cafés"' in page
    assert "Edit Groups" in page


def test_a_list_is_renamed(cafes, mai):
    assert "Cafés and bars is saved." in mai.post(
        f"{LISTS}/{cafes.pk}/edit", {"name": "Cafés and bars"}, follow=True
    ).text  # fmt: skip


def test_deleting_a_list_says_who_falls_back_to_base_prices(supplier, cafes, mai):
    venue = cast.venue(supplier, "Bar Lune", price_list=cafes)
    asked = mai.get(f"{LISTS}/{cafes.pk}/delete").text
    assert "1 customer</a> has it and will pay base prices" in asked
    assert "Bar Lune" in asked
    done = mai.post(f"{LISTS}/{cafes.pk}/delete", follow=True).text
    assert "The price list Cafés is deleted. 1 customer pays base prices now." in done
    venue.refresh_from_db()
    assert venue.price_list is None


@pytest.mark.browser
@needs_browser
def test_typed_prices_are_not_lost_to_a_search_without_a_question(live_server, supplier, cafes, desk):
    from playwright.sync_api import expect

    with window("phone", [cookie(desk("mai"), live_server)]) as (page, complaints):
        page.goto(f"{live_server.url}{LISTS}/{cafes.pk}", wait_until="networkidle")
        cups = page.get_by_label("Cafés price of Paper cup 8oz")
        cups.fill("0.035")
        page.get_by_text("Filters").click()
        page.once("dialog", lambda question: question.dismiss())
        page.get_by_label("Price of its own").select_option("yes")
        expect(cups).to_have_value("0.035")
        page.get_by_role("button", name="Save prices").click()
        expect(page.get_by_text("1 price changed.")).to_be_visible()
        page.get_by_text("Filters").click()
        page.get_by_label("Price of its own").select_option("no")
        expect(page.locator("tbody tr")).to_have_count(2)
        assert complaints == []
