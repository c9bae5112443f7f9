"""`provender pull customers`: the preview as a table or as JSON, and what is taken."""

import pytest

import cast

PULL = "pull customers --supplier harbour"


@pytest.fixture
def contacts(connected, server):
    """A customer that Xero knows by its tax number, and a contact that is new here."""
    books = server.simulator.organisation()
    cast.venue(connected, "Corner Cafe", tax_number="51824753556")
    books.add_contact("Corner [Holdings]", TaxNumber="51 824 753 556")
    books.add_contact("New Bar")
    return books


def test_without_apply_it_shows_and_waits(provender, connected, contacts):
    told = provender(PULL, status=3)
    assert "Corner [Holdings]" in told
    assert "Corner Cafe" in told
    assert "same tax" in told
    assert "Nothing was changed" in told
    assert connected.customers.count() == 1


def test_linking_by_tax_number_adds_nobody(as_json, connected, contacts):
    told = as_json(f"{PULL} --apply tax-numbers", status=3)
    assert told["applied"] == {"added": 0, "linked": 1, "refused": 0, "left": 0}
    assert connected.customers.count() == 1


def test_all_and_then_nothing_more(as_json, connected, contacts):
    first = as_json(f"{PULL} --apply all")
    assert first["applied"] == {"added": first["new"], "linked": 1, "refused": 0, "left": 0}
    states = ("suggested", "question", "new", "seller", "linked", "refused")
    assert first["contacts"] == sum(first[state] for state in states)
    second = as_json(f"{PULL} --apply all")
    assert (second["new"], second["suggested"], second["linked"], second["applied"]["added"]) == (
        0, 0, first["new"] + 1, 0,
    )  # fmt: skip


def test_a_dry_run_keeps_nothing(as_json, connected, contacts):
    told = as_json(f"{PULL} --apply all --dry-run")
    assert (told["dry_run"], told["applied"], told["chosen"]) == (True, None, told["new"] + 1)
    assert connected.customers.count() == 1
    assert not connected.connections.get().customer_pulls.exists()


def test_a_question_is_left_to_a_person(provender, connected, contacts):
    cast.venue(connected, "Twin One", email="twin@example.test")
    cast.venue(connected, "Twin Two", email="twin@example.test")
    contacts.add_contact("Twin", EmailAddress="twin@example.test")
    assert "1 in question" in provender(f"{PULL} --apply all", status=3)


def test_an_unknown_word_is_wrong_use(provender, connected):
    provender(f"{PULL} --apply colours", status=2)
    assert "colours is none of" in provender.said
