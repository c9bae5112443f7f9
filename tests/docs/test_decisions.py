"""The parts that the first decision lists are those that the program is built from."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

from docs.pages import ROOT, sections

# What comes with others: dbos asks for SQLAlchemy's addresses, Flask stands on Werkzeug, and the simulator's plugin is
# loaded by whoever has pytest.
BY_OTHERS = {"sqlalchemy", "werkzeug", "pytest"}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def rows():
    """The names in the first column of the table of parts."""
    table = re.findall(r"^\| (`.*?) \|", sections("docs/decisions/0001-parts.md")["Decision"], re.MULTILINE)
    return {normal(name) for cell in table for name in re.findall(r"`([^`]+)`", cell)}


def dependencies():
    with (ROOT / "pyproject.toml").open("rb") as file:
        wanted = tomllib.load(file)["project"]["dependencies"]
    return {normal(re.match(r"[\w.-]+", one)[0]) for one in wanted}


def imported():
    """Every distribution that the program imports something of."""
    names = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module)
    roots = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {"provender", "xero_simulator"}
    known = packages_distributions()
    return {normal(known[root][0]) for root in roots}


def test_what_the_program_imports_is_listed():
    assert imported() - rows() - BY_OTHERS == set()


def test_what_is_listed_is_a_dependency():
    assert rows() - dependencies() == set()
