"""Many people at once, each on a connection of their own."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

import cast
from provender.changes.models import Change
from provender.invoicing.actions import InvoiceDraft, import_invoices, revise_invoice, void_invoice
from provender.invoicing.errors import InvoiceIsVoid
from provender.invoicing.models import Invoice

pytestmark = pytest.mark.django_db(transaction=True)


def test_everybody_gets_a_number_of_their_own(supplier, cafe, at_once):
    given = at_once(6, lambda _: [cast.invoice(cafe).number for _ in range(10)])
    assert sorted(int(number[4:]) for numbers in given for number in numbers) == list(range(1, 61))


def test_numbers_given_while_a_file_comes_in_are_not_the_files(supplier, cafe, at_once):
    def take_part(number):
        if number:
            return [cast.invoice(cafe).number for _ in range(10)]
        day = date(2026, 11, 1)
        drafts = [InvoiceDraft(f"INV-{n}", cafe.pk, day, day, [cast.line()]) for n in range(500, 2500)]
        return [invoice.number for invoice in import_invoices(supplier, drafts)]

    numbers = [number for taken in at_once(4, take_part) for number in taken]
    assert len(set(numbers)) == len(numbers) == Invoice.objects.count() == 2030


def test_every_edit_becomes_a_version_of_its_own(cafe, at_once):
    line = cast.line()
    invoice = cast.invoice(cafe, line)

    def edit(number):
        revise_invoice(Invoice.objects.get(pk=invoice.pk), lines=[replace(line, quantity=Decimal(10 + number))])

    at_once(6, edit)
    invoice.refresh_from_db()
    assert list(invoice.versions.values_list("version", flat=True)) == [7, 6, 5, 4, 3, 2, 1]
    assert (invoice.version, Change.objects.get(kind="invoice").revision) == (7, 7)
    assert invoice.versions.first().document["total"] == str(invoice.total)


def test_a_void_invoice_is_not_revived_by_an_edit_that_came_late(cafe, at_once):
    line = cast.line()
    invoice = cast.invoice(cafe, line)

    def edit_or_void(number):
        mine = Invoice.objects.get(pk=invoice.pk)
        if number == 3:
            return void_invoice(mine)
        try:
            return revise_invoice(mine, lines=[replace(line, quantity=Decimal(10 + number))])
        except InvoiceIsVoid:
            return None

    at_once(6, edit_or_void)
    assert Invoice.objects.get(pk=invoice.pk).status == "void"
