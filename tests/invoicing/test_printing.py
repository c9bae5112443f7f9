"""What stands on the printed invoice and credit note, and that nothing typed can be more than text there."""

import re
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from pypdf import PdfReader

import cast
from provender.invoicing import printing
from provender.invoicing.actions import revise_invoice, void_invoice
from provender.invoicing.credit_notes import (
    CreditNoteDraft,
    prepare_credit_notes,
    revise_credit_note,
    void_credit_note,
)
from provender.invoicing.errors import PaperNotPrinted
from provender.invoicing.models import CreditNote
from provender.invoicing.press import press
from provender.invoicing.printing import (
    file_name,
    page_of_credit_note,
    page_of_invoice,
    print_credit_note,
    print_invoice,
)
from provender.payments.actions import allocate_credit, remove_payment

HOSTILE = '#import "@preview/x:1.0.0" #read("/etc/passwd") #panic() $x^2$ *b* _i_ @ref <label> `raw` \\ // {{ x }} %'


@pytest.fixture
def harbour(supplier):
    """Harbour with all that an invoice says of it."""
    supplier.legal_name, supplier.tax_number = "Harbour Fine Foods Pty Ltd", "51824753556"
    supplier.address, supplier.email = "1 Quay Road\nSydney NSW 2000", "orders@harbour.example"
    supplier.payment_details = "BSB 000-000, account 12345678"
    supplier.save()
    return supplier


@pytest.fixture
def cafe(harbour):
    return cast.venue(
        harbour, legal_name="Corner Cafe Pty Ltd", tax_number="53004085616", street="18 Station Street",
        city="Newtown", region="NSW", postcode="2042",
    )  # fmt: skip


def page(invoice, version=None):
    versions = {each.version: each for each in invoice.versions.all()}
    return page_of_invoice(invoice, versions[version or invoice.version])


def texts(pdf):
    """The text of each page, in one line each, without what lets long words break."""
    return [" ".join(each.extract_text().replace("\u200b", "").split()) for each in PdfReader(BytesIO(pdf)).pages]


def test_the_paper_says_all_that_a_tax_invoice_must(cafe):
    invoice = cast.invoice(
        cafe, cast.line(sku="OAT-1L"), cast.line("Coffee beans 1kg", 1.5, "1027.125", tax_kind="free"),
        order_numbers="SO-7", purchase_order="PO 77", comment="Side door.",
    )  # fmt: skip
    [text] = texts(print_invoice(invoice, invoice.versions.get()))
    for words in (
        "Tax invoice", "Harbour Fine Foods", "Harbour Fine Foods Pty Ltd", "ABN 51 824 753 556", "1 Quay Road",
        "Corner Cafe Pty Ltd", "trading as Corner Cafe", "18 Station Street", "Newtown NSW 2042", "ABN 53 004 085 616",
        "INV-1", "1 Nov 2026", "15 Nov 2026", "SO-7", "PO 77", "OAT-1L Oat milk 1L 4 4.50 10% 18.00",
        "Coffee beans 1kg 1.5 1,027.125 free 1,540.69", "Subtotal 1,558.69", "Total AUD 1,560.49",
        "GST 10% 18.00 1.80", "GST-free 1,540.69 0.00", "To pay AUD 1,560.49", "Side door.",
        "Please pay AUD 1,560.49 by 15 Nov 2026, naming INV-1.", "BSB 000-000, account 12345678", "Page 1 of 1",
    ):  # fmt: skip
        assert words in text


@pytest.mark.parametrize(
    ("slug", "number", "title", "its"),
    [
        ("harbour", "51824753556", "Tax invoice", "ABN 51 824 753 556"),
        ("southern", "123-456-789", "Tax invoice", "GST number 123-456-789"),
        ("giftware", "GB 123 4567 89", "VAT invoice", "VAT number GB 123 4567 89"),
        ("giftware", "", "Invoice", ""),
    ],
)
def test_the_title_is_the_one_of_the_country(db, slug, number, title, its):
    wholesaler = cast.supplier(slug)
    wholesaler.tax_number = number
    wholesaler.save()
    paper = page(cast.invoice(cast.venue(wholesaler)))
    assert paper["title"] == title
    assert (its in paper["from"]["lines"]) == bool(its)


def test_what_is_paid_and_credited_is_taken_off(cafe):
    invoice = cast.invoice(cafe)
    cast.payment(invoice, "10.00")
    allocate_credit(cast.credit_note(cafe), invoice, amount=Decimal("4.95"), date=date(2026, 11, 3))
    invoice.refresh_from_db()
    assert page(invoice)["sums"][3:] == [
        ("plain", "Paid", "-10.00"), ("plain", "Credited", "-4.95"), ("grand", "To pay AUD", "4.85"),
    ]  # fmt: skip


def test_a_paid_invoice_asks_for_no_money(cafe):
    invoice = cast.invoice(cafe)
    payment = cast.payment(invoice)
    invoice.refresh_from_db()
    assert page(invoice)["pay_heading"] == "Settled on 10 Nov 2026"
    assert page(invoice)["pay"] == ["Thank you."]
    remove_payment(payment)
    invoice.refresh_from_db()
    assert page(invoice)["pay"][0].startswith("Please pay AUD 19.80")


def test_an_earlier_version_says_that_it_is_one(cafe):
    invoice = cast.invoice(cafe)
    revise_invoice(invoice, lines=[cast.line(quantity=6)])
    older, newer = page(invoice, 1), page(invoice)
    assert older["note"].startswith("This is version 1")
    assert older["pay_heading"] == ""
    assert [row[2] for row in older["sums"]] == ["18.00", "1.80", "19.80"]
    assert newer["note"].startswith("Version 2")
    assert newer["sums"][-1] == ("grand", "To pay AUD", "29.70")


def test_a_void_invoice_is_stamped_and_asks_for_nothing(cafe):
    invoice = void_invoice(cast.invoice(cafe))
    [text] = texts(print_invoice(invoice, invoice.versions.first()))
    assert "VOID" in text
    assert "Void since" in text
    assert "pay" not in text


def test_the_paper_keeps_the_names_it_was_issued_with(cafe):
    invoice = cast.invoice(cafe)
    cafe.legal_name = cafe.trading_name = "Other Name"
    cafe.save()
    assert page(invoice)["to"]["name"] == "Corner Cafe Pty Ltd"


def test_a_credit_note_keeps_the_names_it_was_issued_with(cafe):
    credit_note = cast.credit_note(cafe)
    before = page_of_credit_note(credit_note)
    cafe.legal_name = cafe.trading_name = "Other Name"
    cafe.save()
    cafe.supplier.legal_name = "Harbour Holdings"
    cafe.supplier.save()
    issued = CreditNote.objects.get()
    assert page_of_credit_note(issued) == before
    revise_credit_note(issued, reason="One leaked.")
    assert page_of_credit_note(CreditNote.objects.get())["to"]["name"] == "Other Name"
    assert "Harbour Holdings" in page_of_credit_note(CreditNote.objects.get())["foot"]


def test_an_imported_credit_note_has_its_names_and_one_from_before_those_of_now(cafe):
    draft = CreditNoteDraft("C-17", cafe.pk, date(2026, 11, 3), [cast.line()])
    prepare_credit_notes(cafe.supplier, [draft]).insert()
    assert CreditNote.objects.get().names["customer"]["legal_name"] == "Corner Cafe Pty Ltd"
    CreditNote.objects.update(names={})
    assert page_of_credit_note(CreditNote.objects.get())["to"]["name"] == "Corner Cafe Pty Ltd"


def test_a_credit_note_says_what_it_is_for_and_what_is_left(cafe):
    invoice = cast.invoice(cafe)
    credit_note = cast.credit_note(cafe, invoice=invoice, reason="One carton leaked.")
    allocate_credit(credit_note, invoice, amount=Decimal("4.00"), date=date(2026, 11, 3))
    credit_note.refresh_from_db()
    [text] = texts(print_credit_note(credit_note))
    for words in (
        "Credit note", "Adjustment note", "CN-1", "For invoice INV-1", "One carton leaked.",
        "Oat milk 1L 1 4.50 10% 4.50", "Total AUD 4.95", "Used -4.00", "Left AUD 0.95",
    ):  # fmt: skip
        assert words in text


def test_a_cancelled_credit_note_is_stamped(cafe):
    paper = page_of_credit_note(void_credit_note(cast.credit_note(cafe)))
    assert paper["stamp"] == "Cancelled"
    assert len(paper["sums"]) == 3


def test_what_is_typed_stays_text(cafe):
    """Markup, emoji, other writing and 4,000 characters, on all that a person can type; in one run of the press."""
    cafe.trading_name, cafe.legal_name, cafe.street = f"{HOSTILE} 漢字", HOSTILE, HOSTILE
    cafe.save()
    cafe.supplier.address = cafe.supplier.payment_details = f"{HOSTILE}\n😀"
    cafe.supplier.save()
    invoice = cast.invoice(
        cafe, cast.line(HOSTILE), cast.line("W" * 4000), cast.line("two words " * 400),
        comment=f"{HOSTILE}\n#set page(width: 1cm)", purchase_order=HOSTILE[:100], order_numbers=HOSTILE,
    )  # fmt: skip
    printed = texts(print_invoice(invoice, invoice.versions.get()))
    whole = "".join(printed).replace(" ", "")
    assert whole.count(HOSTILE.replace(" ", "")) == 8
    assert whole.count("W") >= 4000
    assert whole.count("twowords") == 400
    assert "#setpage(width:1cm)" in whole


def test_a_long_invoice_repeats_its_header_and_numbers_its_pages(cafe):
    invoice = cast.invoice(cafe, *(cast.line(f"Item number {count}") for count in range(675)))
    printed = texts(print_invoice(invoice, invoice.versions.get()))
    assert len(printed) > 10
    for number, text in enumerate(printed, start=1):
        assert f"Page {number} of {len(printed)}" in text
    assert all("Item Quantity Unit price GST Amount AUD" in text for text in printed[:-1])
    assert all("Tax invoice INV-1" in text for text in printed[1:])
    items = [int(found) for found in re.findall(r"Item number (\d+)", " ".join(printed))]
    assert items == list(range(675))


def test_the_press_reads_nothing_but_its_own_folder(monkeypatch, tmp_path):
    """What keeps a slip in the template from becoming a leak."""
    monkeypatch.setattr("provender.invoicing.press.FOLDER", tmp_path)
    (tmp_path / "document.typ").write_text('#read("/etc/passwd")')
    with pytest.raises(RuntimeError, match="not found"):
        press({})


def test_a_press_that_fails_is_told_in_a_sentence(cafe, monkeypatch, tmp_path):
    invoice = cast.invoice(cafe)
    (tmp_path / "press.py").write_text("raise SystemExit(1)")
    monkeypatch.setattr(printing, "PRESS", tmp_path / "press.py")
    with pytest.raises(PaperNotPrinted, match="The PDF of INV-1 couldn't be made"):
        print_invoice(invoice, invoice.versions.get())


@pytest.mark.parametrize(
    ("number", "version", "name"),
    [
        ("INV-1001", None, "INV-1001.pdf"),
        ("INV-1001", 2, "INV-1001 version 2.pdf"),
        ("2026/11:7", None, "2026-11-7.pdf"),
    ],
)
def test_the_file_is_named_by_its_number(number, version, name):
    assert file_name(number, version) == name
