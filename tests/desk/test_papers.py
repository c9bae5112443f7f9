"""The PDF of an invoice or credit note, as the pages link to it."""

from io import BytesIO

import pytest
from pypdf import PdfReader

import cast
from provender.invoicing import printing
from provender.invoicing.actions import revise_invoice


@pytest.fixture
def cafe(supplier):
    return cast.venue(supplier)


def text(answer):
    assert answer["Content-Type"] == "application/pdf"
    return PdfReader(BytesIO(answer.content)).pages[0].extract_text()


def test_an_invoice_opens_as_pdf_under_its_number(desk, cafe):
    invoice = cast.invoice(cafe)
    rex = desk("rex")
    pdf = f"/w/harbour/invoices/{invoice.pk}/pdf"
    assert f'href="{pdf}"' in rex.get(f"/w/harbour/invoices/{invoice.pk}").text
    answer = rex.get(pdf)
    assert answer["Content-Disposition"] == 'inline; filename="INV-1.pdf"'
    assert "INV-1" in text(answer)


def test_an_earlier_version_opens_as_it_was(desk, cafe):
    invoice = cast.invoice(cafe)
    revise_invoice(invoice, lines=[cast.line(quantity=6)])
    mai = desk("mai")
    pdf = f"/w/harbour/invoices/{invoice.pk}/pdf?version=1"
    assert f'href="{pdf}"' in mai.get(f"/w/harbour/invoices/{invoice.pk}?version=1").text
    answer = mai.get(pdf)
    assert answer["Content-Disposition"] == 'inline; filename="INV-1 version 1.pdf"'
    assert "19.80" in text(answer)


def test_a_credit_note_opens_as_pdf(desk, cafe):
    credit_note = cast.credit_note(cafe)
    rex = desk("rex")
    pdf = f"/w/harbour/credit-notes/{credit_note.pk}/pdf"
    assert f'href="{pdf}"' in rex.get(f"/w/harbour/credit-notes/{credit_note.pk}").text
    answer = rex.get(pdf)
    assert answer["Content-Disposition"] == 'inline; filename="CN-1.pdf"'
    assert "Credit note" in text(answer)


def test_a_press_that_fails_leads_back_with_a_sentence(desk, cafe, monkeypatch, tmp_path):
    (tmp_path / "press.py").write_text("raise SystemExit(1)")
    monkeypatch.setattr(printing, "PRESS", tmp_path / "press.py")
    invoice = cast.invoice(cafe)
    answer = desk("mai").get(f"/w/harbour/invoices/{invoice.pk}/pdf", follow=True)
    assert answer.redirect_chain == [(f"/w/harbour/invoices/{invoice.pk}", 302)]
    assert "The PDF of INV-1 couldn" in answer.text


def test_pages_press_nothing(desk, cafe, monkeypatch, tmp_path):
    """A list or a page with a hundred links makes no PDF."""
    monkeypatch.setattr(printing, "PRESS", tmp_path / "there-is-none.py")
    invoice = cast.invoice(cafe)
    mai = desk("mai")
    for page in ("/w/harbour/invoices", f"/w/harbour/invoices/{invoice.pk}", "/w/harbour/credit-notes"):
        assert mai.get(page).status_code == 200


def test_how_to_pay_is_typed_in_the_settings_and_stands_on_the_paper(priya, supplier, cafe):
    page = priya.get("/w/harbour/settings").context["form"]
    typed = {name: page[name].value() or "" for name in page.fields} | {"payment_details": "BSB 000-000\nAccount 12345"}
    assert priya.post("/w/harbour/settings", typed).status_code == 302
    invoice = cast.invoice(cafe)
    assert "Account 12345" in text(priya.get(f"/w/harbour/invoices/{invoice.pk}/pdf"))
