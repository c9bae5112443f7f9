"""Payout files: what is read of them, what is wrong with them, and that one goes in once."""

import gzip
import io
from datetime import date
from decimal import Decimal

import pytest

import cast
from importing.files import csv_of, xlsx_of
from provender.importing.errors import DateFormatUnusable, FaultyFile, FieldUnknown, MappingIncomplete
from provender.importing.payouts import (
    Layout,
    find_known,
    layout_of,
    propose_layout,
    read_payouts,
    remember_layout,
    take_payouts,
)
from provender.payments.models import Payout
from provender.payments.payouts import undo_payout

pytestmark = pytest.mark.django_db
D = Decimal
HEADER = ["Payout ID", "Payout date", "Invoice", "Transaction ID", "Amount", "Fee", "Net"]
ROWS = [
    ["PO-1", "20/11/2026", "INV-1", "ch_1", "19.80", "0.30", "19.50"],
    ["PO-2", "21/11/2026", "INV-2", "ch_2", "49.50", "0.60", "48.90"],
    ["PO-1", "20/11/2026", "", "", "0", "1.00", "-1.00"],
]


NOT_A_NUMBER = (
    "payouts.csv, line 2, column Amount: “19,80 €” is not a number that can be read as a gross. Write it like 1234.50."
)


def gz_of(*rows, header):
    return gzip.compress(csv_of(*rows, header=header))


def proposed(*rows, write=csv_of, name="payouts.csv"):
    return propose_layout(io.BytesIO(write(*rows, header=HEADER)), name)[1]


def read(*rows, write=csv_of, name="payouts.csv", layout=None):
    layout = layout or proposed(*rows, write=write, name=name)
    return read_payouts(io.BytesIO(write(*rows, header=HEADER)), name, layout)


def faults(*rows):
    with pytest.raises(FaultyFile) as caught:
        read(*rows, layout=proposed(*ROWS))
    return [fault.sentence("payouts.csv") for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("write", "name"), [(csv_of, "payouts.csv"), (gz_of, "payouts.csv.gz"), (xlsx_of, "payouts.xlsx")]
)
def test_lines_of_one_reference_are_one_payout(write, name):
    first, second = read(*ROWS, write=write, name=name)
    assert (first.reference, first.date, first.line, first.net) == ("PO-1", date(2026, 11, 20), 2, D("18.50"))
    assert [(each.invoice_number, each.gross, each.fee, each.line) for each in first.entries] == [
        ("INV-1", D("19.80"), D("0.30"), 2),
        ("", D("0.00"), D("1.00"), 4),
    ]
    assert (second.reference, second.net) == ("PO-2", D("48.90"))


@pytest.mark.parametrize(
    ("at", "text", "sentence"),
    [
        (0, "", "payouts.csv, line 2, column Payout ID: the line names no payout."),
        (1, "2026-11-20", "payouts.csv, line 2, column Payout date: “2026-11-20” is not a date like %d/%m/%Y."),
        (4, "19,80 €", NOT_A_NUMBER),
        (6, "19.49", "payouts.csv, line 2, column Net: gross 19.80 less fee 0.30 is 19.50, not 19.49."),
    ],
)
def test_what_cannot_be_read_is_named_by_line_column_and_value(at, text, sentence):
    row = [*ROWS[0][:at], text, *ROWS[0][at + 1 :]]
    assert faults(row, ROWS[1]) == [sentence]


def test_one_payout_has_one_date():
    assert faults(ROWS[0], [*ROWS[2][:1], "22/11/2026", *ROWS[2][2:]]) == [
        "payouts.csv, line 3, column Payout date: payout PO-1 has the date 2026-11-20 on line 2."
    ]


def test_a_file_without_lines_and_columns_that_are_not_there_are_told():
    with pytest.raises(FaultyFile):
        read(layout=Layout({"reference": "Payout ID", "date": "Payout date", "gross": "Amount"}))
    with pytest.raises(MappingIncomplete):
        read(*ROWS, layout=Layout({"reference": "Payout ID", "date": "Payout date"}))
    with pytest.raises(FieldUnknown):
        read(*ROWS, layout=Layout({"colour": "Payout ID"}))
    with pytest.raises(DateFormatUnusable):
        read(*ROWS, layout=Layout({}, "%H:%M"))


def test_a_file_goes_in_once(supplier, cafe):
    cast.invoice(cafe)
    cast.invoice(cafe, cast.line(quantity=10))
    payouts = read(*ROWS)
    assert [each.new for each in find_known(supplier, "Payly", payouts)] == [True, True]
    assert [each.new for each in take_payouts(supplier, "Payly", payouts)] == [True, True]
    assert [(each.new, each.why) for each in take_payouts(supplier, "Payly", payouts)] == [(False, "")] * 2
    assert [each.new for each in take_payouts(supplier, "Squarely", payouts)] == [True, True]
    changed = read([*ROWS[0][:4], "19.80", "0.20", "19.60"], ROWS[1])
    assert [(each.new, each.why) for each in take_payouts(supplier, "Payly", changed)] == [
        (False, "Payout PO-1 is here already with other content. Undo that one first if it was wrong."),
        (False, ""),
    ]
    assert Payout.objects.filter(supplier=supplier, provider="Payly").count() == 2
    undo_payout(Payout.objects.get(provider="Payly", reference="PO-1"))
    assert [each.new for each in take_payouts(supplier, "Payly", changed)] == [True, False]


def test_the_next_file_of_a_provider_is_read_the_same_way(supplier):
    layout = proposed(*ROWS)
    assert layout_of(supplier, "Payly") is None
    remember_layout(supplier, "Payly", Layout({}, ""))
    remember_layout(supplier, "Payly", layout)
    assert layout_of(supplier, "Payly") == layout
    assert layout_of(cast.supplier("southern"), "Payly") is None
