"""The import screens: from a file to what happened, and who may."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

import cast
from importing.files import MAPPING, csv_of, row
from provender.importing import actions
from provender.importing.models import Import
from provender.invoicing.models import CreditNote, Invoice

FILE = csv_of(row("1"), row("2"), row("3", who=""))


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def mai(desk):
    return desk("mai")


def url(name, source=None):
    return reverse(f"desk:{name}", args=["harbour", source.pk] if source else ["harbour"])


def upload(browser, content=FILE, name="invoices.csv"):
    return browser.post(url("import-new"), {"file": SimpleUploadedFile(name, content)})


def check(browser, **changed):
    source = Import.objects.get()
    return browser.post(url("import-columns", source), MAPPING | {"create_missing": "on"} | changed, follow=True)


def text_of(response):
    return response.text


def test_from_the_file_to_what_happened(mai):
    columns = mai.get(upload(mai)["Location"])
    assert columns.context["form"].initial["number"] == "InvoiceNo"
    assert "T-LIGHT HOLDER" in text_of(columns)

    preview = text_of(check(mai))
    assert "2 invoices, together $33.66, can be imported. Nothing is in yet." in preview
    assert "1 without a customer" in preview
    assert "Customer 17850" in preview
    assert not Invoice.objects.exists()

    done = text_of(mai.post(url("import-apply", Import.objects.get()), follow=True))
    assert "2 invoices imported." in done
    assert Invoice.objects.count() == 2
    assert Import.objects.get().by.name == "Mai"


def test_credit_notes_are_told_apart(mai):
    upload(mai, csv_of(row("1"), row("2"), row("C3", quantity="-1")))
    preview = text_of(check(mai))
    assert "2 invoices, 1 credit note, together $30.85, can be imported." in preview
    assert "Import 2 invoices, 1 credit note</button>" in preview
    source = Import.objects.get()
    credits_ = {"state": "ready", "kind": "credit_note"}
    assert f"{url('import-documents', source)}?state=ready&amp;kind=credit_note" in preview
    assert "C3" in (shown := text_of(mai.get(url("import-documents", source), credits_)))
    assert "1 document" in shown
    assert "2 invoices, 1 credit note imported." in text_of(mai.post(url("import-apply", source), follow=True))
    page = text_of(mai.get(url("import-documents", source)))
    assert reverse("desk:credit-note", args=["harbour", CreditNote.objects.get().pk]) in page


def test_an_import_from_before_credit_notes_were_taken_is_still_told(mai):
    upload(mai)
    check(mai)
    Import.objects.get().documents.filter(state="rejected").update(code="negative-total")
    assert "1 with a negative total" in text_of(mai.get(url("import", Import.objects.get())))


def test_every_number_leads_to_the_documents_it_counts(mai):
    upload(mai)
    check(mai)
    source = Import.objects.get()
    mai.post(url("import-apply", source))
    imported = text_of(mai.get(url("import-documents", source), {"state": "imported"}))
    assert reverse("desk:invoice", args=["harbour", Invoice.objects.get(number="1").pk]) in imported
    assert "Invoice 3 has no customer." not in imported
    rejected = text_of(mai.get(url("import-documents", source), {"code": "no-customer"}))
    assert "Invoice 3 has no customer." in rejected


def test_the_rejects_are_downloaded(mai):
    upload(mai)
    check(mai)
    response = mai.get(url("import-rejects", Import.objects.get()))
    lines = b"".join(response.streaming_content).decode().splitlines()
    assert lines[1] == "3,85123A,T-LIGHT HOLDER,6,2010-12-01,2.55,,4,CustomerID,Invoice 3 has no customer."


def test_a_file_that_cant_be_read_says_where_and_what(mai):
    upload(mai, csv_of(row(price="2.x")))
    page = text_of(check(mai))
    assert "invoices.csv, line 2, column UnitPrice: “2.x” is not a number" in page
    assert "Nothing was imported." in page


@pytest.mark.parametrize(("content", "name"), [(b"", "empty.csv"), (b"%PDF", "invoices.pdf"), (b"PK", "broken.xlsx")])
def test_a_file_without_a_header_isnt_taken(mai, content, name):
    assert upload(mai, content, name).status_code == 200
    assert not Import.objects.exists()


def test_a_column_that_was_not_chosen_is_asked_for(mai):
    upload(mai)
    page = check(mai, price="")
    assert page.context["form"].errors["price"] == ["This field is required."]
    assert Import.objects.get().state == "uploaded"


def test_columns_may_be_changed_after_the_preview(mai):
    upload(mai)
    check(mai, create_missing="")
    assert "of a customer who isn" in text_of(mai.get(url("import", Import.objects.get())))
    assert "2 invoices, together" in text_of(check(mai))


def test_a_large_file_is_read_by_the_worker_while_the_page_asks(mai, monkeypatch):
    monkeypatch.setattr(actions, "is_small", lambda _: False)
    upload(mai)
    waiting = check(mai)
    source = Import.objects.get()
    assert 'hx-trigger="every 2s"' in text_of(waiting)
    actions.work()
    asked = mai.get(url("import", source), headers={"HX-Request": "true"})
    assert asked["HX-Refresh"] == "true"
    assert "Importing: 0 of 2 lines" in text_of(mai.post(url("import-apply", source), follow=True))
    actions.work()
    assert "2 invoices, together $33.66, imported" in text_of(mai.get(url("import", source)))


def test_a_file_may_be_discarded_until_it_is_in(mai):
    upload(mai)
    check(mai)
    source = Import.objects.get()
    mai.post(url("import-apply", source))
    mai.post(url("import-discard", source))
    assert Import.objects.count() == 1
    upload(mai)
    mai.post(url("import-discard", Import.objects.get(state="uploaded")))
    assert Import.objects.count() == 1


def test_the_second_time_there_is_nothing_to_import(mai):
    for _ in range(2):
        upload(mai, csv_of(row()))
        source = Import.objects.latest("started_at")
        page = mai.post(url("import-columns", source), MAPPING | {"create_missing": "on"}, follow=True)
        mai.post(url("import-apply", source))
    assert "All of this file is here already, the same: 1 invoice." in text_of(page)


def test_who_only_reads_sees_and_changes_nothing(mai, desk):
    upload(mai)
    check(mai)
    source = Import.objects.get()
    rex = desk("rex")
    assert rex.get(url("imports")).status_code == 200
    assert "Import 2 invoices" not in text_of(rex.get(url("import", source)))
    for name in ("import-apply", "import-discard", "import-columns"):
        assert rex.post(url(name, source)).status_code == 403


def test_another_wholesalers_import_isnt_there(mai, desk):
    upload(mai)
    check(mai)
    source = Import.objects.get()
    stranger = desk("priya", cast.supplier("southern"))
    for name in ("import", "import-columns", "import-documents", "import-rejects"):
        assert stranger.get(url(name, source)).status_code == 404
        assert stranger.get(url(name, source).replace("harbour", "southern")).status_code == 404


def test_a_long_list_of_imports_costs_as_much_as_a_short_one(mai, django_assert_max_num_queries):
    for number in range(12):
        upload(mai, csv_of(row()), f"{number}.csv")
    with django_assert_max_num_queries(14):
        mai.get(url("imports"))
