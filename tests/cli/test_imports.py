"""`provender import invoices`: what it prints, what it writes, and how it ends."""

import json
import os

import pytest
from click.testing import CliRunner

import cast
from importing.files import MAPPING, csv_of, row
from provender.cli import main
from provender.importing.models import Import
from provender.invoicing.models import Invoice
from provender.payments.models import Payout

ALL_GOOD = csv_of(row("1"), row("2"))
ONE_BAD = csv_of(row("1"), row("2", who=""))


@pytest.fixture
def bring_in(db, tmp_path):
    cast.supplier("giftware")

    def run(content, *options, supplier="giftware", mapping=MAPPING):
        file = tmp_path / "invoices.csv"
        file.write_bytes(content)
        maps = [part for name, column in mapping.items() for part in ("--map", f"{name}={column}")]
        arguments = ["import", "invoices", str(file), "--supplier", supplier, "--create-missing", *maps, *options]
        return CliRunner().invoke(main, arguments)

    return run


def test_all_in_ends_with_0(bring_in):
    result = bring_in(ALL_GOOD)
    assert result.exit_code == 0, result.output
    assert "Imported: 2 invoices.\n    Invoices: 2 lines, GBP 30.60 + VAT 6.12 = 36.72." in result.stdout
    assert "Created: 1 customer, 1 product." in result.stdout


def test_rejected_lines_end_with_3_and_are_written(bring_in, tmp_path):
    result = bring_in(ONE_BAD, "--rejects", str(tmp_path / "rejects.csv"))
    assert result.exit_code == 3
    assert "1  without a customer" in result.stdout
    assert (tmp_path / "rejects.csv").read_text().splitlines()[1] == (
        "2,85123A,T-LIGHT HOLDER,6,2010-12-01,2.55,,3,CustomerID,Invoice 2 has no customer."
    )


def test_json_is_one_object(bring_in, tmp_path):
    answer = json.loads(bring_in(ONE_BAD, "--json", "--rejects", str(tmp_path / "r.csv")).stdout)
    assert answer["documents"] == {"read": 2, "imported": 1, "unchanged": 0, "rejected": 1}
    assert answer["lines"] == {"read": 2, "imported": 1, "unchanged": 0, "rejected": 1}
    assert answer["created"] == {"customers": 1, "products": 1}
    assert answer["rejects"] == str(tmp_path / "r.csv")


def test_a_dry_run_says_what_would_happen_and_does_nothing(bring_in):
    result = bring_in(ONE_BAD, "--dry-run")
    assert result.exit_code == 3
    assert "To be imported: 1 invoice." in result.stdout
    assert not Invoice.objects.exists()
    assert not Import.objects.exists()


def test_what_comes_to_less_than_zero_is_told_as_credit_notes(bring_in):
    file = csv_of(row("1"), row("2"), row("C3", quantity="-2"))
    said = bring_in(file, "--dry-run").stdout
    assert "To be imported: 2 invoices, 1 credit note." in said
    assert "Credit notes: 1 line, GBP -5.10 + VAT -1.02 = -6.12." in said
    answer = json.loads(bring_in(file, "--json").stdout)
    assert answer["documents"] == {"read": 3, "imported": 3, "unchanged": 0, "rejected": 0}
    figures = {"subtotal": "30.60", "tax": "6.12", "total": "36.72"}
    assert answer["invoices"] == {"documents": 2, "lines": 2} | figures
    assert answer["credit_notes"] == {"documents": 1, "lines": 1, "subtotal": "5.10", "tax": "1.02", "total": "6.12"}
    assert answer["sums"]["imported"] == {"subtotal": "25.50", "tax": "5.10", "total": "30.60"}
    again = json.loads(bring_in(file, "--json").stdout)
    assert again["credit_notes"] == {"documents": 0, "lines": 0, "subtotal": "0.00", "tax": "0.00", "total": "0.00"}
    assert again["sums"]["unchanged"] == answer["sums"]["imported"]


def test_the_second_time_all_is_there(bring_in):
    bring_in(ALL_GOOD)
    result = bring_in(ALL_GOOD)
    assert result.exit_code == 0
    assert "Here already, the same: 2 documents" in result.stdout


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        (csv_of(row(price="2.x")), (), "invoices.csv, line 2, column UnitPrice: “2.x” is not a number"),
        (ALL_GOOD, ("--map", "number=Invoice"), "number has a column already"),
        (ALL_GOOD, ("--map", "colour=Invoice"), "There is no field “colour”"),
        (ALL_GOOD, ("--map", "tax"), "write it as FIELD=COLUMN"),
        (ALL_GOOD, ("--map", "tax=VAT"), "has no column “VAT” (for tax). Its columns are: InvoiceNo, StockCode"),
        (ALL_GOOD, ("--date-format", "dd/mm"), "not a date format"),
        (ALL_GOOD, ("--rejects", "nowhere/rejects.csv"), "There is no folder"),
    ],
)
def test_what_cant_be_used_ends_with_2_and_a_sentence(bring_in, content, options, sentence):
    result = bring_in(content, *options)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert not result.stdout
    assert not Invoice.objects.exists()


def test_rejects_that_cant_be_written_stop_it_before_it_starts(bring_in, tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda _path, mode: mode != os.W_OK)
    result = bring_in(ALL_GOOD, "--rejects", str(tmp_path / "rejects.csv"))
    assert result.exit_code == 2
    assert "You may not write" in result.stderr


def test_an_unknown_wholesaler(bring_in):
    result = bring_in(ALL_GOOD, supplier="nobody")
    assert result.exit_code == 2
    assert "There is no wholesaler “nobody”. There are: giftware." in result.stderr


def test_a_missing_file(bring_in):
    result = CliRunner().invoke(main, ["import", "invoices", "nothing.csv", "--supplier", "giftware"])
    assert (result.exit_code, result.stderr) == (2, "There is no file nothing.csv.\n")


def test_a_column_named_like_its_field_needs_no_map(bring_in):
    content = csv_of(row("1"), header=["number", "sku", "description", "quantity", "date", "price", "customer"])
    assert bring_in(content, mapping={}).exit_code == 0


@pytest.fixture
def take_in(supplier, tmp_path):
    cast.invoice(cast.venue(supplier))  # INV-1, 19.80

    def run(*rows, options=()):
        file = tmp_path / "payouts.csv"
        file.write_bytes(csv_of(*rows, header=["Payout", "Date", "Invoice", "Gross", "Fee"]))
        arguments = ["import", "payouts", str(file), "--supplier", "harbour", "--provider", "Payly", *options]
        return CliRunner().invoke(main, arguments)

    return run


def test_payouts_come_in_once_and_what_waits_is_told(take_in):
    rows = [["PO-1", "2026-11-20", "INV-1", "19.80", "0.30"], ["PO-2", "2026-11-21", "INV-9", "5.00", ""]]
    dry = take_in(*rows, options=["--dry-run"])
    assert (dry.exit_code, Payout.objects.count()) == (0, 0)
    assert dry.stdout.splitlines()[0] == "PO-1, 2026-11-20: 1 line, AUD 19.50. Would come in."
    first = take_in(*rows)
    assert first.exit_code == 3
    assert first.stdout.splitlines() == [
        "PO-1, 2026-11-20: 1 line, AUD 19.50. Came in.",
        "PO-2, 2026-11-21: 1 line, AUD 5.00. Came in; 1 line waits for you.",
    ]
    again = take_in(*rows)
    assert (again.exit_code, Payout.objects.count()) == (0, 2)
    other = take_in(["PO-1", "2026-11-20", "INV-1", "19.80", "0.31"], options=["--json"])
    assert other.exit_code == 3
    [answer] = json.loads(other.stdout)["payouts"]
    assert (answer["state"], answer["net"], answer["lines_open"]) == ("refused", "19.49", 0)


def test_a_payout_file_that_cannot_be_used_ends_with_2(take_in):
    result = take_in(["PO-1", "yesterday", "INV-1", "19.80", ""])
    assert result.exit_code == 2
    assert "payouts.csv, line 2, column Date: “yesterday” is not a date" in result.stderr
    assert take_in(["PO-1", "2026-11-20", "", "1", ""], options=["--map", "gross=Nothing"]).exit_code == 2
    assert not Payout.objects.exists()
