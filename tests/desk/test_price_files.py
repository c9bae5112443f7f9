"""Prices in and out as files, on the screens."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

import cast
from desk.test_price_lists import CHRISTMAS, DECEMBER
from importing.files import csv_of
from provender.importing.models import ListFile

pytestmark = pytest.mark.django_db


@pytest.fixture
def mai(desk):
    return desk("mai")


@pytest.fixture
def cafes(supplier):
    cast.product(supplier, "CUP-8OZ", name="=Cup", price="0.0375")
    cast.product(supplier, "GONE", active=False)
    made = cast.price_list(supplier, "Cafés", {"OAT-1L": "4.20"})
    cast.dated_price(made, "4.40", DECEMBER, CHRISTMAS)
    return made


def page_of(holder):
    rooms = {"PriceList": "price-lists/{}", "Customer": "customers/{}/prices"}
    return f"/w/harbour/{rooms[type(holder).__name__].format(holder.pk)}"


def download_of(holder, ending):
    at = page_of(holder)
    return f"{at}/prices.{ending}" if "price-lists" in at else f"{at}.{ending}"


def send(browser, holder, content, name="prices.csv"):
    return browser.post(f"{page_of(holder)}/file", {"file": SimpleUploadedFile(name, content)})


def content_of(answer):
    return b"".join(answer.streaming_content)


def test_a_file_is_looked_at_then_applied(cafes, mai):
    content = csv_of(["OAT-1L", "4.25"], ["CUP-8OZ", "0.0349"], ["RYE", "1"], header=["SKU", "Price"])
    there = send(mai, cafes, content).headers["Location"]
    page = mai.get(there).text
    assert "1 would be added, 1 changed" in page
    assert "No product has this SKU" in page
    assert "<del>4.20</del> → <ins>4.25</ins>" in mai.get(f"{there}?show=changed").text
    done = mai.post(f"{there}/apply", follow=True).text
    assert "1 added, 1 changed." in done
    assert f'href="{page_of(cafes)}"' in done
    assert {str(price) for price in cafes.prices.values_list("price", flat=True)} == {"4.2500", "4.4000", "0.0349"}


def test_a_price_that_would_be_taken_away_is_shown_so(cafes, mai):
    content = csv_of(["OAT-1L", "", "2026-12-01"], header=["SKU", "Price", "From"])
    page = mai.get(send(mai, cafes, content).headers["Location"]).text
    assert "<del>4.40</del> → <ins>none</ins>" in page
    assert "from 1 Dec 2026" in page


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@pytest.mark.parametrize("whose", ["list", "customer"])
def test_what_is_downloaded_and_read_again_changes_nothing(supplier, cafes, mai, ending, whose):
    holder = cafes if whose == "list" else cast.venue(supplier, "Bar Lune")
    cast.dated_price(holder, "4.10", CHRISTMAS, sku="GONE")
    send(mai, holder, content_of(mai.get(download_of(holder, ending))), f"prices.{ending}")
    rows = ListFile.objects.get().rows.all()
    assert {row.state for row in rows} == {"unchanged"}
    assert len(rows) == (4 if whose == "list" else 3)


def test_the_download_has_a_line_for_each_price_and_one_to_fill_in(cafes, mai):
    text = content_of(mai.get(download_of(cafes, "csv"))).decode("utf-8-sig")
    assert text.splitlines() == [
        "SKU,Name,Price,From,Until",
        "CUP-8OZ,'=Cup,,,",
        "OAT-1L,Oat milk 1L,4.2000,,",
        "OAT-1L,Oat milk 1L,4.4000,2026-12-01,2026-12-24",
    ]


def test_own_prices_come_from_a_file_too(supplier, cafes, mai):
    lune = cast.venue(supplier, "Bar Lune")
    there = send(mai, lune, csv_of(["OAT-1L", "3.9025"], header=["SKU", "Own price"])).headers["Location"]
    assert "Own prices from a file" in mai.get(there).text
    mai.post(f"{there}/apply")
    assert str(lune.own_prices.get().price) == "3.9025"


def test_a_file_that_can_not_be_read_is_said_at_its_field(cafes, mai):
    page = send(mai, cafes, b"SKU\nOAT-1L\n").text
    assert "no column is called “Price”" in page
    assert mai.get(f"{page_of(cafes)}/file").status_code == 200
    assert mai.get(f"{page_of(cafes)}/prices.exe").status_code == 404


def test_a_reader_downloads_and_sends_nothing(cafes, desk):
    rex = desk("rex")
    assert rex.get(download_of(cafes, "csv")).status_code == 200
    assert rex.get(f"{page_of(cafes)}/file").status_code == 403
    assert send(rex, cafes, b"SKU,Price\n").status_code == 403
