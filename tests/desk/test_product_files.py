"""Products in and out as files, on the screens."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given, settings
from hypothesis import strategies as st

import cast
from importing.files import csv_of
from provender.catalogue.models import Product
from provender.importing.models import ListFile

pytestmark = pytest.mark.django_db
LIST = "/w/harbour/products"


@pytest.fixture
def mai(desk):
    return desk("mai")


def send(browser, content, name="products.csv"):
    return browser.post(f"{LIST}/file", {"file": SimpleUploadedFile(name, content)})


def download(browser, ending, **query):
    return b"".join(browser.get(LIST, {"format": ending, **query}).streaming_content)


def states():
    return list(ListFile.objects.get(state="preview").rows.values_list("state", flat=True))


def test_a_file_is_looked_at_then_applied(supplier, mai):
    oat = cast.product(supplier)
    content = csv_of(
        ["OAT-1L", "4.80", ""], ["RYE", "6.10", "Dark rye"], ["X", "x", "y"], header=["SKU", "Price", "Name"]
    )
    there = send(mai, content).headers["Location"]
    page = mai.get(there).text
    assert "1 would be added, 1 changed" in page
    assert "“x” is not a number that can be read as a price" in page
    assert "<del>4.50</del> → <ins>4.80</ins>" in mai.get(f"{there}?show=changed").text
    done = mai.post(f"{there}/apply", follow=True).text
    assert "1 added, 1 changed." in done
    oat.refresh_from_db()
    assert str(oat.price) == "4.8000"
    assert supplier.products.filter(sku="RYE").exists()


def test_rejected_lines_come_back_with_their_reasons(mai):
    there = send(mai, csv_of(["X", "four", "=A1"], header=["SKU", "Price", "Name"])).headers["Location"]
    text = b"".join(mai.get(f"{there}/rejects.csv").streaming_content).decode()
    assert text.splitlines()[0] == "SKU,Price,Name,line,column,reason"
    assert text.splitlines()[1].startswith("X,four,'=A1,2,Price,“four” is not a number")


def test_a_preview_is_discarded(mai):
    there = send(mai, csv_of(["X", "1", "Y"], header=["SKU", "Price", "Name"])).headers["Location"]
    assert "Nothing was changed" in mai.post(f"{there}/discard", follow=True).text
    assert mai.get(there).status_code == 404


def test_what_is_wrong_with_the_file_is_said_at_its_field(mai):
    assert "no column is called “SKU”" in send(mai, b"Name\nTea\n").text
    assert "Choose a file." in mai.post(f"{LIST}/file").text
    assert not ListFile.objects.exists()


def test_a_file_applied_twice_says_so(mai):
    there = send(mai, csv_of(["X", "1", "Y"], header=["SKU", "Price", "Name"])).headers["Location"]
    mai.post(f"{there}/apply")
    again = mai.post(f"{there}/apply", headers={"referer": f"http://testserver{there}"}, follow=True)
    assert "This file was applied meanwhile" in again.text


def test_lines_come_in_pages_with_a_search(mai):
    rows = [[f"NEW-{number}", "1", "Y"] for number in range(120)]
    there = send(mai, csv_of(*rows, header=["SKU", "Price", "Name"])).headers["Location"]
    assert "1–100 of 120" in mai.get(there).text
    found = mai.get(f"{there}?show=new&q=NEW-119").text
    assert "NEW-119" in found
    assert "NEW-118" not in found


def test_a_reader_reads_no_file(desk):
    assert send(desk("rex"), b"SKU\nX\n").status_code == 403


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_download_read_in_again_changes_nothing(supplier, mai, ending):
    hostile = cast.product(
        supplier, "=1+1", name="'=Tea", description="one\r\ntwo, “three”\t", unit="-kg", sales_account="201"
    )
    cast.product(supplier, "OAT-1L", category=cast.category(supplier), active=False)
    cast.product(supplier, "CUP-8OZ")
    assert hostile.name == "'=Tea"
    send(mai, download(mai, ending), f"p.{ending}")
    assert states() == ["unchanged"] * 3


def test_a_download_of_the_filtered_is_what_is_shown(supplier, mai):
    cast.product(supplier, "OAT-1L"), cast.product(supplier, "BEANS-1KG", active=False)
    text = download(mai, "csv", status="inactive").decode("utf-8-sig")
    assert [line.split(",")[0] for line in text.splitlines()] == ["SKU", "BEANS-1KG"]


ODD = [
    "\0",
    "\r",
    "\r\n",
    "\x0b",
    "\x1c",
    "\x85",
    "\u2028",
    "\ufeff",
    "\uffff",
    "\ud800",
    "\xa0",
    "_x000D_",
    "'",
    "=",
    '"',
    "\t",
]
texts = st.text(st.characters(), max_size=20) | st.lists(st.sampled_from([*ODD, "a", " "]), max_size=8).map("".join)
kept = st.builds(
    dict, name=texts.filter(str.strip), description=texts, unit=texts, sales_account=st.sampled_from(["", "200", "=2"]),
    price=st.decimals(0, 10**6, places=4), tax_kind=st.sampled_from(["gst", "free"]), active=st.booleans(),
)  # fmt: skip


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@settings(max_examples=20)
@given(st.lists(kept, min_size=1, max_size=4))
def test_whatever_is_here_comes_back_unchanged(supplier, mai, ending, products):
    supplier.products.all().delete()
    Product.objects.bulk_create(
        Product(supplier=supplier, sku=f"=SKU-{number}", **fields) for number, fields in enumerate(products)
    )
    send(mai, download(mai, ending), f"p.{ending}")
    assert states() == ["unchanged"] * len(products)
