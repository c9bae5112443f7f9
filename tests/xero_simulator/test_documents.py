"""The simulator's page in the docs names everything that can be set."""

from pathlib import Path

import pytest

from xero_simulator.cli import command
from xero_simulator.faults import KINDS
from xero_simulator.switches import SWITCHES

PAGE = (Path(__file__).parents[2] / "docs" / "xero-simulator.md").read_text()
OPTIONS = [option.opts[0] for option in command.params]


@pytest.mark.parametrize("name", [*SWITCHES, *sorted(KINDS), *OPTIONS])
def test_the_docs_name_it(name):
    assert f"`{name}`" in PAGE or f"`{name} " in PAGE


@pytest.mark.parametrize("name", SWITCHES)
def test_the_docs_tell_both_answers_and_the_default(name):
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}`"))
    on, off = (cell.strip() for cell in row.split("|")[2:4])
    switch = SWITCHES[name]
    assert (on.strip("*"), off.strip("*")) == (switch.on, switch.off)
    assert (on if switch.default else off).startswith("**")
