"""`provender pull products`: the preview as a table or as JSON, and what is taken."""

import pytest

import cast

PULL = "pull products --supplier harbour"


@pytest.fixture
def items(connected, server):
    """Two items more in Xero than the demonstration has, one of them a dearer product of ours."""
    books = server.simulator.organisation()
    cast.product(connected, "TEA-1", name="Tea", price="4.00")
    books.add_item("TEA-1", "Green [tea]", "5.00")
    books.add_item("NEW-1", "Something new", "2.50")
    return books


def test_without_apply_it_shows_and_waits(provender, connected, items):
    told = provender(PULL, status=3)
    assert "Green [tea]" in told
    assert "4.00 → 5.00" in told
    assert "+25.00 %" in told
    assert "Nothing was changed" in told
    assert connected.products.get().name == "Tea"


def test_names_yes_prices_no(provender, connected, items):
    assert "1 changed" in provender(f"{PULL} --apply names")
    tea = connected.products.get(sku="TEA-1")
    assert (tea.name, str(tea.price)) == ("Green [tea]", "4.0000")
    assert connected.products.get(sku="NEW-1").category.name == "Unsorted"


def test_all_and_then_nothing_more(as_json, connected, items):
    first = as_json(f"{PULL} --apply all")
    assert first["applied"] == {"added": first["new"], "changed": 1, "left": 0}
    assert first["items"] == first["new"] + first["changed"] + first["refused"]
    second = as_json(f"{PULL} --apply all")
    assert (second["new"], second["changed"], second["unchanged"]) == (0, 0, first["new"] + 1)


def test_without_new_only_changes(as_json, connected, items):
    assert as_json(f"{PULL} --apply all --without-new")["applied"]["added"] == 0
    assert connected.products.count() == 1


def test_a_dry_run_keeps_nothing(as_json, connected, items):
    told = as_json(f"{PULL} --apply prices --dry-run")
    assert (told["dry_run"], told["applied"], told["chosen"]) == (True, None, told["new"] + 1)
    assert connected.products.count() == 1
    assert not connected.connections.get().pulls.exists()


def test_what_cannot_be_taken_waits_for_a_person(as_json, connected, items):
    items.add_item("MINUS", "Refund", "-1.00")
    told = as_json(f"{PULL} --apply all", status=3)
    assert [row["reason"] for row in told["rows"] if row["code"] == "MINUS"] == ["Its price is below zero: -1.0000"]


def test_an_unknown_word_is_wrong_use(provender, connected):
    provender(f"{PULL} --apply colours", status=2)
    assert "colours is none of" in provender.said


def test_without_a_connection_it_says_so(provender, supplier):
    provender(PULL, status=1)
    assert "is not connected to Xero" in provender.said
