"""The run as a whole: nothing by half, the same file twice, dying in between, and sums that must agree."""

import errno
import io
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from django.db import OperationalError, connection
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import cast
from importing.files import MAPPING, bring_in, csv_of, plan, row, stage
from provender.basics import clock
from provender.catalogue.models import Product
from provender.customers.models import Customer
from provender.importing import actions, applying
from provender.importing.errors import FaultyFile, ImportNotReady, ImportOutOfBalance, ImportTakenOver
from provender.importing.holding import Hold
from provender.importing.models import Import, StagedDocument, StagedRun
from provender.importing.queries import as_json, imports_of, tally
from provender.invoicing.actions import import_invoices, prepare_invoices
from provender.invoicing.models import CreditNote, CreditNoteLine, Invoice, InvoiceLine
from provender.timeline.models import Entry

FILE = csv_of(*(row(str(number), sku=f"SKU{n}") for number in range(1, 8) for n in range(number)), row("8", who=""))


def documents(source):
    found = tally(source)
    return found.imported.documents, found.unchanged.documents, found.rejected.documents


def test_staging_puts_nothing_in_the_books(giftware):
    source = stage(giftware, FILE)
    assert source.state == "ready"
    assert not any(model.objects.exists() for model in (Invoice, Customer, Product, Entry))
    found = tally(source)
    assert (found.ready.documents, found.rejected.documents, found.customers, found.products) == (7, 1, 1, 7)


def test_lines_and_sums_in_are_lines_and_sums_out(giftware):
    answer = as_json(bring_in(giftware, FILE), tally(Import.objects.get()), None)
    assert answer["lines"] == {"read": 29, "imported": 28, "unchanged": 0, "rejected": 1}
    assert answer["sums"]["read"]["subtotal"] == "443.70"
    assert answer["sums"]["imported"] == {"subtotal": "428.40", "tax": "85.68", "total": "514.08"}
    assert answer["created"] == {"customers": 1, "products": 7}


def test_the_same_file_twice_changes_nothing(giftware):
    bring_in(giftware, FILE)
    before = [list(model.objects.order_by("pk").values()) for model in (Invoice, InvoiceLine, Customer, Product, Entry)]
    assert documents(bring_in(giftware, FILE)) == (0, 7, 1)
    after = [list(model.objects.order_by("pk").values()) for model in (Invoice, InvoiceLine, Customer, Product, Entry)]
    assert after == before


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"price": "2.56"}, "another price: 2.5500 here, 2.5600 in the file"),
        ({"quantity": "7"}, "another quantity"),
        ({"sku": "X"}, "another SKU"),
        ({"what": "MUG"}, "another description"),
        ({"date": "2010-12-02"}, "another date: 2010-12-01 here"),
        ({"who": "17851"}, "another customer"),
    ],
)
def test_a_number_that_is_taken_by_other_content_is_rejected(giftware, changed, what):
    bring_in(giftware, csv_of(row()))
    source = bring_in(giftware, csv_of(row(**changed)))
    document = source.documents.get()
    assert (document.state, document.code) == ("rejected", "number-taken")
    assert what in document.reason
    assert InvoiceLine.objects.get().unit_price == Decimal("2.55")
    assert not Customer.objects.filter(number="17851").exists()


def test_another_number_of_lines_is_other_content(giftware):
    bring_in(giftware, csv_of(row()))
    assert "another number of lines" in bring_in(giftware, csv_of(row(), row())).documents.get().reason


def test_two_wholesalers_import_the_same_file(giftware):
    southern = cast.supplier("southern")
    assert documents(bring_in(giftware, FILE)) == documents(bring_in(southern, FILE)) == (7, 0, 1)
    assert list(imports_of(southern)) == list(Import.objects.filter(supplier=southern))


def test_a_run_that_dies_goes_on_where_it_was(giftware, monkeypatch):
    monkeypatch.setattr(applying, "LINES_A_TRANSACTION", 10)
    source = stage(giftware, FILE)

    def die(_what, done, _of):
        if done >= 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        actions.apply(source, told=die)
    assert 0 < Invoice.objects.count() < 7
    with clock.moved(timedelta(minutes=2)):  # a killed process can't let go: its hold runs out
        actions.apply(Import.objects.get())
    assert documents(source) == (7, 0, 1)
    assert Product.objects.count() == 7


def test_a_run_that_died_can_also_be_started_anew(giftware, monkeypatch):
    monkeypatch.setattr(applying, "DOCUMENTS_A_TRANSACTION", 2)
    batches = applying._ready_batches(first := stage(giftware, FILE))
    known = applying.load_expected(first)
    with Hold(first) as hold:
        applying._apply_batch(first, next(batches), known, hold)
    assert documents(bring_in(giftware, FILE)) == (5, 2, 1)


def test_what_was_invoiced_since_the_preview_is_not_imported_over(giftware):
    source = stage(giftware, csv_of(row("1"), row("2"), row("3")))
    bring_in(giftware, csv_of(row("1"), row("2", price="9")))
    assert documents(actions.apply(source)) == (1, 1, 1)


def test_two_processes_dont_apply_one_import_at_once(giftware):
    source = stage(giftware, FILE)
    with Hold(source), pytest.raises(ImportTakenOver):
        actions.apply(Import.objects.get())
    with pytest.raises(ImportTakenOver):
        Hold(source).renew()


def test_others_write_while_a_file_is_checked(at_once):
    """On SQLite a transaction can't begin beside a query that is still read, once somebody else has written."""
    giftware = cast.supplier("giftware")

    def write(what, *_):
        if what == "Checking":
            at_once(1, lambda _: giftware.save())

    source = stage(giftware, csv_of(*(row(str(number)) for number in range(250))), told=write)
    assert tally(source).ready.documents == 250


def test_an_import_is_applied_once(giftware):
    source = bring_in(giftware, FILE)
    with pytest.raises(ImportNotReady):
        actions.apply(source)


def test_a_file_with_a_fault_in_it_is_not_in_by_half(giftware):
    with pytest.raises(FaultyFile, match=r"invoices.csv, line 3, column UnitPrice: “2.x”.*\n.*line 4, column Inv"):
        stage(giftware, csv_of(row(), row(price="2.x"), row(date="1.12.2010"), *[row()] * 1500))
    assert not any(model.objects.exists() for model in (Import, StagedRun, StagedDocument, Invoice))


def test_lines_that_get_lost_stop_the_import(giftware, monkeypatch):
    monkeypatch.setattr(actions, "judge_documents", lambda *_: None)
    source = stage(giftware, FILE)
    with pytest.raises(ImportOutOfBalance, match="number of lines in the file is 29, but accounted for is 0"):
        actions.apply(source)


def test_an_invoice_that_comes_out_otherwise_keeps_its_batch_out(giftware, monkeypatch):
    source = stage(giftware, csv_of(row()))

    def prepare_another(*arguments, **more):
        ready = prepare_invoices(*arguments, **more)
        ready.invoices[0].total += 1
        return ready

    monkeypatch.setattr(applying, "prepare_invoices", prepare_another)
    with pytest.raises(ImportOutOfBalance, match=r"total of invoice 536365 in the file is 18.36, .* 19.36"):
        actions.apply(source)
    assert not Invoice.objects.exists()


def test_a_number_that_is_taken_while_its_batch_is_made_ready_is_judged_again(giftware, monkeypatch):
    source = stage(giftware, csv_of(row()))

    def prepare_late(supplier, drafts, **more):
        monkeypatch.setattr(applying, "prepare_invoices", prepare_invoices)
        lines = [replace(line, quantity=line.quantity + 1) for line in drafts[0].lines]
        import_invoices(supplier, [replace(drafts[0], lines=lines)])
        return prepare_invoices(supplier, drafts, **more)

    monkeypatch.setattr(applying, "prepare_invoices", prepare_late)
    actions.apply(source)
    assert source.documents.get().state == "rejected"
    assert Invoice.objects.count() == 1


def test_tax_is_of_the_day_it_comes_in(giftware):
    source = stage(giftware, csv_of(row()))
    giftware.tax_rate = source.supplier.tax_rate = Decimal(10)
    giftware.save()
    actions.apply(source)
    assert Invoice.objects.get().total == source.documents.get().total == Decimal("16.83")


def test_after_it_is_in_only_rejected_lines_stay_staged(giftware):
    source = bring_in(giftware, FILE)
    assert [run.number for run in source.runs.all()] == ["8"]


def test_what_a_command_left_that_died_while_it_read_is_forgotten(giftware):
    dead = Import.objects.create(
        supplier=giftware, file_name="invoices.csv", state="reading", mapping=MAPPING, started_at=clock.now()
    )
    with Hold(dead) as hold:
        actions.read_rows(dead, io.BytesIO(FILE), hold, actions.hear_nothing)
        actions.forget_old(giftware)
    assert StagedRun.objects.exists()
    actions.work()
    actions.forget_old(giftware)
    assert not Import.objects.exists()


def test_nobody_finished_it_for_a_week(giftware):
    stage(giftware, FILE)
    with clock.moved(timedelta(days=8)):
        actions.forget_old(giftware)
    assert not Import.objects.exists()


@pytest.fixture
def uploaded(giftware, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return lambda content=FILE, name="invoices.csv": actions.upload(giftware, ContentFile(content), name, by=None)


def test_an_upload_proposes_its_columns(uploaded):
    source = uploaded()
    assert (source.state, source.mapping["number"], source.date_format) == ("uploaded", "InvoiceNo", "%Y-%m-%d")


def test_a_small_upload_is_read_and_applied_at_once(uploaded):
    source = actions.go_on(actions.choose(uploaded(), plan()))
    assert source.state == "ready"
    actions.go_on(actions.ask_to_apply(source))
    assert (source.state, documents(source), bool(source.file)) == ("done", (7, 0, 1), False)


def test_a_large_upload_is_left_to_the_job(uploaded, monkeypatch):
    monkeypatch.setattr(actions, "is_small", lambda _: False)
    source = actions.go_on(actions.choose(uploaded(), plan()))
    assert source.state == "reading"
    actions.work()
    source.refresh_from_db()
    actions.go_on(actions.ask_to_apply(source))
    actions.work()
    source.refresh_from_db()
    assert (source.state, documents(source)) == ("done", (7, 0, 1))


def test_a_job_that_died_while_reading_reads_again_from_the_start(uploaded):
    source = actions.choose(uploaded(), plan())
    with Hold(source) as hold, source.file.open("rb") as file:
        actions.read_rows(source, file, hold, actions.hear_nothing)
    source.save()
    actions.work()
    source.refresh_from_db()
    assert (source.state, source.lines_read) == ("ready", 29)


def test_a_faulty_upload_says_so_and_may_be_mapped_anew(uploaded):
    source = actions.go_on(actions.choose(uploaded(), plan(date_format="%d/%m/%Y")))
    assert source.state == "faulty"
    assert "line 2, column InvoiceDate: “2010-12-01” is not a date like %d/%m/%Y" in source.faults[0]
    assert actions.go_on(actions.choose(source, plan())).state == "ready"


def test_trouble_nobody_foresaw_stops_one_import_and_not_the_others(uploaded, monkeypatch):
    first, second = actions.choose(uploaded(), plan()), actions.choose(uploaded(), plan())
    read = actions.read_rows
    monkeypatch.setattr(
        actions, "read_rows", lambda source, *rest: 1 / 0 if source.pk == first.pk else read(source, *rest)
    )
    actions.work()
    assert [Import.objects.get(pk=each.pk).state for each in (first, second)] == ["faulty", "ready"]


@pytest.mark.sqlite
def test_a_full_disk_breaks_a_reading_off_and_it_goes_on_when_there_is_room(uploaded):
    source = actions.choose(uploaded(csv_of(*(row(str(number)) for number in range(2000)))), plan())
    with connection.cursor() as cursor:
        limit = cursor.execute("PRAGMA max_page_count").fetchone()[0]
        cursor.execute("PRAGMA max_page_count=1")  # what is there already, and no page more
        try:
            with pytest.raises(OperationalError, match="full"):
                actions.work()
        finally:
            cursor.execute(f"PRAGMA max_page_count={limit}")
    source.refresh_from_db()
    assert (source.state, source.faults) == ("reading", [])
    actions.work()
    source.refresh_from_db()
    assert (source.state, source.lines_read) == ("ready", 2000)


def test_a_disk_that_fills_up_keeps_no_part_of_an_upload(giftware, settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path

    def fill_up(file, chunk_size=None):
        yield file.read(20)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ContentFile, "chunks", fill_up)
    with pytest.raises(OSError, match="No space"):
        actions.upload(giftware, ContentFile(FILE), "invoices.csv", by=None)
    assert not Import.objects.exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_discarding_leaves_nothing(uploaded, tmp_path):
    source = actions.go_on(actions.choose(uploaded(), plan()))
    actions.discard(source)
    assert not any(model.objects.exists() for model in (Import, StagedRun, StagedDocument))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


AMOUNTS = st.decimals(min_value=-9, max_value=99, places=4).map(str)
ROWS = st.lists(
    st.builds(
        row,
        number=st.sampled_from(["1", "2", "3", ""]),
        sku=st.sampled_from(["a", "A", "B", "POST", ""]),
        what=st.sampled_from(["", "MUG", "PLATE"]),
        quantity=AMOUNTS,
        price=AMOUNTS,
        who=st.sampled_from(["17850", "17850", "17851", ""]),
    ),
    min_size=1,
    max_size=12,
)


@hypothesis_settings(max_examples=60)
@given(rows=ROWS, create_missing=st.booleans())
def test_whatever_the_file_every_line_ends_in_a_state(giftware, rows, create_missing):
    CreditNote.objects.all().delete()
    Invoice.objects.all().delete()
    source = bring_in(giftware, csv_of(*rows), freight=["post"], create_missing=create_missing)
    found = tally(source)
    parts = (found.imported, found.unchanged, found.rejected)
    lines_in = InvoiceLine.objects.count() + CreditNoteLine.objects.count()
    assert sum(part.lines for part in parts) == len(rows) == lines_in + found.rejected.lines
    assert sum(part.subtotal for part in parts) == found.read.subtotal
    invoiced, credited = (sum(model.objects.values_list("total", flat=True)) for model in (Invoice, CreditNote))
    assert invoiced - credited == found.imported.total
    assert (invoiced, -credited) == (found.of("imported", "invoice").total, found.of("imported", "credit_note").total)
    again = tally(bring_in(giftware, csv_of(*rows), freight=["post"], create_missing=create_missing))
    assert (again.unchanged, again.rejected) == (found.imported, found.rejected)
