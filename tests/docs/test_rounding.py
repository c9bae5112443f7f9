"""The tables of docs/why/rounding.md, computed."""

import re
from decimal import Decimal

import pytest

from docs.pages import sections
from provender.basics.money import line_amount, line_tax


def rows(heading, wide):
    """The cells of a section's table, without its heading row."""
    lines = [line for line in sections("docs/why/rounding.md")[heading].splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert cells
    assert all(len(row) == wide for row in cells)
    return cells


@pytest.mark.parametrize(("quantity", "price", "amount", "rate", "tax", "note"), rows("Half cents", 6))
def test_a_line_comes_to_what_the_page_says(quantity, price, amount, rate, tax, note):
    computed = line_amount(Decimal(quantity), Decimal(price))
    assert str(computed) == amount
    assert str(line_tax(computed, Decimal(rate))) == tax


@pytest.mark.parametrize(("lines", "by_line", "of_the_sum"), rows("By line, not by document", 3))
def test_tax_is_rounded_by_line(lines, by_line, of_the_sum):
    word, amount, rate = re.fullmatch(r"(\w+) of ([\d.]+) at (\d+) %", lines).groups()
    count = {"three": 3, "five": 5}[word]
    amounts = [Decimal(amount)] * count
    assert str(sum(line_tax(each, Decimal(rate)) for each in amounts)) == by_line
    assert str(line_tax(sum(amounts), Decimal(rate))) == of_the_sum
