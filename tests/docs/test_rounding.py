"""The tables of docs/why/rounding.md, and of the guides where they round, computed."""

import re
from decimal import Decimal

import pytest

from docs.pages import sections
from provender.basics.money import line_amount, line_tax, net_of, percent_on, show_price

GUIDE = "docs/guides/credit-notes.md"


def rows(heading, wide, page="docs/why/rounding.md"):
    """The cells of a section's table, without its heading row."""
    lines = [line for line in sections(page)[heading].splitlines() if line.startswith("|")]
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


@pytest.mark.parametrize(("sum_", "rate", "price", "tax", "together", "missing"), rows("From a sum back to a price", 6))
def test_a_sum_leads_back_to_a_price(sum_, rate, price, tax, together, missing):
    net = net_of(Decimal(sum_), Decimal(rate))
    its_tax = line_tax(net, Decimal(rate))
    assert (str(net), str(its_tax), str(net + its_tax)) == (price, tax, together)
    assert str(Decimal(sum_) - net - its_tax) == missing


@pytest.mark.parametrize(("price", "percent", "comes_to"), rows("Percentages on prices", 3))
def test_a_percentage_on_a_price_has_four_places(price, percent, comes_to):
    assert show_price(percent_on(Decimal(price), Decimal(percent))) == comes_to


def test_the_guide_on_credit_notes_adds_up_by_the_same_rule():
    *lines, together = rows("How tax is rounded", 4, GUIDE)
    amounts, taxes = [], []
    for line, amount, _, tax in lines:
        quantity, price = map(Decimal, line.split(" × "))
        amounts.append(line_amount(quantity, price))
        taxes.append(line_tax(amounts[-1], Decimal(10)))
        assert (str(amounts[-1]), str(taxes[-1])) == (amount, tax)
    assert together[1:] == [str(sum(amounts)), str(sum(amounts) / 10), f"**{sum(taxes)}**"]
