"""The pages themselves: links lead somewhere, the layers are the real ones, and nothing is left unfinished."""

import re
import tomllib

import pytest

from docs.pages import ROOT, anchors, page, pages, sections, texts

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"```.*?```", re.DOTALL)


@pytest.mark.parametrize("name", pages())
def test_links_of_a_page_lead_somewhere(name):
    here = (ROOT / name).parent
    for target in LINK.findall(FENCED.sub("", page(name))):
        where, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        path = (here / where).resolve() if where else ROOT / name
        assert path.exists(), f"{name} links to {target}"
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), f"{name} links to {target}"


@pytest.mark.parametrize("folder", ["docs/guides", "docs/reference", "docs/why", "docs/decisions"])
def test_each_page_can_be_reached_from_the_table_of_contents(folder):
    linked = set(LINK.findall(page("docs/README.md")))
    inside = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / folder).glob("*.md")}
    assert inside <= linked


def test_the_readme_names_the_two_commands():
    lines = [line.strip() for line in page("README.md").splitlines()]
    assert "./start" in lines
    assert "./check" in lines


def test_pictures_are_small():
    for picture in (ROOT / "docs/pictures").iterdir():
        assert picture.stat().st_size < 200_000, picture.name


def test_the_floors_of_the_house_are_those_that_are_checked():
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    checked = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    drawn = re.search(r"```text\n(.*?)```", page("docs/house.md"), re.DOTALL)[1]
    assert drawn.splitlines() == checked


def test_each_room_has_its_line():
    rooms = [path.parent.name for path in (ROOT / "src/provender").glob("*/__init__.py")]
    told = sections("docs/house.md")["Rooms"]
    for room in [*rooms, "xero_simulator"]:
        assert f"`{room}`" in told


def test_each_decision_says_what_holds_it():
    for path in (ROOT / "docs/decisions").glob("*.md"):
        headings = re.findall(r"^## (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "What holds it"], path.name


def test_decisions_name_tests_that_exist():
    for path in (ROOT / "docs").rglob("*.md"):
        for named in re.findall(r"`((?:tests|src|benchmarks|scripts)/[\w/.-]+)`", path.read_text(encoding="utf-8")):
            assert (ROOT / named).exists(), f"{path.name} names {named}"


def test_pages_that_the_program_names_exist():
    named = {word for name, text in texts().items() if name.startswith("src/") for word in _docs_in(text)}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def _docs_in(text):
    return re.findall(r"\bdocs/[\w/-]+\.md\b", text)


# Put together here, so that this file doesn't hold what it looks for.
REGISTRIES = [f"{name}.{end}" for name, end in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))]
MARKS = [f"{first}{rest}" for first, rest in (("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("NotImplemented", "Error"))]
UNFINISHED = re.compile(rf"\b({'|'.join(MARKS)})\b")


@pytest.mark.parametrize("host", REGISTRIES)
def test_no_file_names_a_package_registry(host):
    assert [name for name, text in texts().items() if host in text] == []


def test_nothing_is_left_unfinished():
    assert [name for name, text in texts().items() if UNFINISHED.search(text)] == []
