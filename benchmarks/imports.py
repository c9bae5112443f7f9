"""How long an import of invoices takes, and how long its transactions keep others from writing.

    python benchmarks/imports.py [FILE] [--lines 20000]

FILE is a CSV (or .csv.gz) with the columns of `COLUMNS`; without one, a file of that many lines is made: invoices of 1
to 40 lines, 300 customers, 2,000 products. The database is SQLite in a folder of its own, or the PostgreSQL that
DATABASE_URL names. Printed are seconds on the clock and of the processor, then the transactions: how many, the longest
and the 95th of a hundred, in milliseconds of processor time and on the clock.
The aim: no transaction over 50 ms of processor time.
"""

import argparse
import csv
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bulk import set_up, watched

COLUMNS = {
    "number": "InvoiceNo", "sku": "StockCode", "description": "Description", "quantity": "Quantity",
    "date": "InvoiceDate", "price": "UnitPrice", "customer": "CustomerID",
}  # fmt: skip


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("file", type=Path, nargs="?")
    wanted.add_argument("--lines", type=int, default=20_000)
    chosen = wanted.parse_args()
    with tempfile.TemporaryDirectory() as home:
        set_up(home)
        run(chosen.file or write_file(Path(home) / "made.csv", chosen.lines))


def write_file(path: Path, lines: int) -> Path:
    chance = random.Random(1)
    with path.open("w", newline="", encoding="utf-8") as text:
        out = csv.writer(text)
        out.writerow(COLUMNS.values())
        number = 0
        while lines > 0:
            number += 1
            customer = chance.randrange(300)
            for _ in range(min(lines, chance.randint(1, 40))):
                sku = chance.randrange(2000)
                day = f"2026-10-{1 + number % 28:02} 09:30:00"
                out.writerow([number, f"SKU-{sku}", f"Item {sku}", chance.randint(1, 24), day, "4.55", customer])
                lines -= 1
    return path


def run(path: Path) -> None:
    from provender.importing import actions
    from provender.importing.queries import as_json, tally
    from provender.suppliers.actions import create_supplier

    supplier = create_supplier(slug="bench", name="Bench", country="AU")
    plan = actions.Plan(COLUMNS, "%Y-%m-%d %H:%M:%S", create_missing=True)
    with path.open("rb") as file, timed("read and checked"):
        source = actions.stage(supplier, file, path.name, plan)
    with timed("applied"):
        actions.apply(source)
    with path.open("rb") as file, timed("read again"):
        again = actions.stage(supplier, file, path.name, plan)
    with timed("applied again"):
        actions.apply(again)
    with timed("discarded"):
        actions.forget_old(supplier)
    answer = as_json(source, tally(source), "")
    print(f"\n{answer['lines']['read']:,} lines read, {answer['lines']['imported']:,} imported")


@contextmanager
def timed(what: str) -> Iterator[None]:
    began, worked = time.perf_counter(), time.process_time()
    with watched() as spans:
        yield
    print(f"{what:<18}{time.perf_counter() - began:7.1f} s {time.process_time() - worked:7.1f} s of the processor")
    if spans:
        show([processor for _, processor in spans], "processor")
        show([clock for clock, _ in spans], "clock")


def show(seconds: list[Any], of: str) -> None:
    ordered = sorted(seconds)
    figures = f"longest {1000 * ordered[-1]:6.1f} ms, 95th {1000 * ordered[int(len(ordered) * 0.95) - 1]:6.1f} ms"
    print(f"    {len(ordered):5} transactions, {figures} ({of})")


if __name__ == "__main__":
    main()
