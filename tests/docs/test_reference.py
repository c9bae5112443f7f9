"""What can be set, called or met has a heading in the documentation."""

import ast
import re
from importlib import import_module
from pkgutil import walk_packages

import click
import pytest

import provender
from docs.pages import ROOT, pages, sections
from provender.basics.errors import ProvenderError
from provender.cli import main
from provender.importing.judging import REASONS
from provender.importing.mapping import FIELDS
from provender.people.roles import Role
from provender.sync.choices import SETTINGS
from provender.sync.failpoints import Failpoint
from provender.sync.models import Connection
from provender.sync.problems import CAUSES, OF_CONNECTIONS
from provender.sync.standing import LABELS, XERO_STATUS

VARIABLE = re.compile(r"(PROVENDER|XERO)_[A-Z_]+|DATABASE_URL")


def variables():
    """Every environment variable that the program names."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "src/provender").rglob("*.py")]
    texts = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {text for text in texts if isinstance(text, str) and VARIABLE.fullmatch(text)}


def commands(command=main, name="provender"):
    """Name → command, for every command that does something."""
    if not isinstance(command, click.Group):
        return {name: command}
    context = click.Context(command)
    found = {}
    for part in command.list_commands(context):
        found |= commands(command.get_command(context, part), f"{name} {part}")
    return found


def errors():
    """Every error that a person may see."""
    for module in walk_packages(provender.__path__, "provender."):
        if ".migrations" not in module.name:
            import_module(module.name)
    found, waiting = set(), [ProvenderError]
    while waiting:
        below = waiting.pop().__subclasses__()
        found |= set(below)
        waiting += below
    return found


def test_each_environment_variable_has_a_heading_and_each_heading_a_variable():
    headings = {heading for heading in sections("docs/reference/environment.md") if VARIABLE.fullmatch(heading)}
    assert headings == variables()


def test_each_command_has_a_heading_and_each_heading_a_command():
    headings = {heading for heading in sections("docs/reference/commands.md") if heading.startswith("provender ")}
    assert headings == set(commands())


@pytest.mark.parametrize("name", commands())
def test_the_options_of_a_command_are_told_and_no_others(name):
    told = re.findall(r"^- (`--.*?`):", sections("docs/reference/commands.md")[name], re.MULTILINE)
    there = {flag for option in commands()[name].params for flag in option.opts if flag.startswith("--")}
    assert set(re.findall(r"--[a-z-]+", " ".join(told))) == there


def test_each_error_has_a_heading_and_each_heading_an_error():
    headings = set(sections("docs/reference/errors.md"))
    codes = {error.code for error in errors()}
    assert codes - headings == set()
    assert {heading for heading in headings if heading.islower()} == codes


def test_no_two_errors_share_a_code():
    codes = [error.code for error in errors()]
    assert len(codes) == len(set(codes))


def test_each_cause_of_trouble_has_its_heading_and_the_title_that_the_screen_shows():
    told = sections("docs/guides/problems.md")
    causes = [*CAUSES, *OF_CONNECTIONS]
    assert {heading for heading in told if heading.islower()} == {cause.code for cause in causes}
    for cause in causes:
        said = " ".join(told[cause.code].split())
        assert f"*{cause.title}*" in said
        for repair in cause.repairs:
            assert f"*{repair.label}*" in said, (cause.code, repair.label)


def test_each_setting_is_explained_under_the_label_that_the_screen_shows():
    told = sections("docs/guides/settings.md")
    assert [label for label in told if label in {setting.label for setting in SETTINGS}] == [
        setting.label for setting in SETTINGS
    ]


def test_each_status_that_an_invoice_may_arrive_with_is_explained():
    told = " ".join(sections("docs/guides/settings.md")["Invoice default status"].split())
    for status in Connection.InvoiceStatus:
        assert f"*{status.label}*" in told


def test_each_failpoint_is_told():
    told = sections("docs/why/exactly-once.md")["Places to die"]
    assert set(re.findall(r"^\| `([a-z-]+)`", told, re.MULTILINE)) == set(Failpoint)


def test_each_reason_for_a_rejection_and_each_field_of_a_file_is_told():
    told = sections("docs/guides/importing.md")
    assert set(re.findall(r"^\| `([a-z-]+)`", told["Why a document is rejected"], re.MULTILINE)) == set(REASONS)
    assert set(re.findall(r"^\| `([a-z_]+)`", told["Columns"], re.MULTILINE)) == {field.name for field in FIELDS}


def test_each_role_is_told():
    told = sections("docs/guides/people-and-roles.md")
    assert {role.label for role in Role} <= set(told)


def test_each_word_for_how_an_invoice_stands_in_xero_is_told():
    told = " ".join(sections("docs/guides/how-an-invoice-travels.md")["How it stands, in a word"].split())
    for word in (*LABELS.values(), *XERO_STATUS.values()):
        assert f"*{word}*" in told


FENCED = re.compile(r"```\w*\n(.*?)```", re.DOTALL)
INDENTED = re.compile(r"^ {4,}(provender .*)$", re.MULTILINE)
INLINE = re.compile(r"`(provender [^`\n]*)`")


def called_in(text):
    """Each call of the command that a page shows, in one line."""
    prose, fenced = FENCED.sub("", text), "\n".join(FENCED.findall(text))
    shown = [line.strip() for line in fenced.replace("\\\n", " ").splitlines()]
    typed = INDENTED.findall(prose.replace("\\\n", " "))
    return [line for line in [*shown, *typed, *INLINE.findall(prose)] if line.startswith("provender ")]


@pytest.mark.parametrize("name", pages())
def test_commands_in_a_page_are_commands_that_exist(name):
    known = commands()
    for line in called_in(pages()[name]):
        words = line.split()
        if words[1] == "COMMAND":
            continue
        found = [command for command in known if words[: len(command.split())] == command.split()]
        assert found or f"provender {words[1]}" in {command.rpartition(" ")[0] for command in known}, line
        flags = {flag for command in found for option in known[command].params for flag in option.opts}
        assert {word for word in words if word.startswith("--")} <= flags | {"--deploy"}, line
