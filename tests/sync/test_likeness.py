"""Contacts beside customers: who is likely whom, what can be taken, and why not. Nothing here touches a database."""

from collections import Counter
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provender.customers.models import Customer
from provender.sync.documents import contact_number
from provender.sync.likeness import Known, judge_contacts
from provender.sync.mirror import _contact
from provender.sync.models import Connection
from provender.xero import wire

HERE = Connection()
STREET = wire.Address(type="STREET", line_1="1 Quay St", city="Sydney", region="NSW", postal_code="2000")


def contact(name="Corner Cafe", **fields):
    """A contact as our copy has it of what Xero tells."""
    fields = {"contact_id": str(uuid4())} | fields
    return _contact(HERE, wire.Contact(name=name, **fields))


def customer(name="Corner Cafe", **fields):
    return Customer(trading_name=name, **fields)


def terms(kind, day):
    return wire.PaymentTerms(sales=wire.Term(day=day, type=kind))


def judge(contacts, customers=(), **known):
    return judge_contacts(contacts, Known(list(customers), **({"linked": {}} | known)))


def one(*args, ours=(), **fields):
    """The row of a single contact."""
    return judge([contact(*args, **fields)], ours)[0]


def suggested(row):
    """Who is suggested, and why."""
    return [(UUID(offer["customer"]), offer["why"]) for offer in row.likely]


# --- who it is ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theirs", "ours", "why"),
    [
        ({"name": "CORNER  café"}, {"name": "Corner Cafe"}, ["name"]),
        ({"name": "Corner Pty"}, {"name": "Elsewhere", "legal_name": "Corner Pty"}, ["name"]),
        ({"name": "The Corner Cafe Pty. Ltd."}, {"name": "Corner Cafe"}, ["alike"]),
        ({"name": "A", "tax_number": "51 824 753 556"}, {"name": "B", "tax_number": "51824753556"}, ["tax"]),
        ({"name": "A", "tax_number": "GB123456789"}, {"name": "B", "tax_number": "123 4567 89"}, ["tax"]),
        ({"name": "A", "email_address": "Orders@Cafe.test"}, {"name": "B", "email": "orders@cafe.test"}, ["email"]),
    ],
)
def test_a_customer_is_suggested_by_what_it_shares(theirs, ours, why):
    cafe = customer(**ours)
    row = one(**theirs, ours=[cafe])
    assert (row.state, suggested(row), row.signs) == ("suggested", [(cafe.pk, why)], " ".join(why))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"name": "A", "tax_number": "1234"}, {"name": "B", "tax_number": "1234"}),  # too short to be anybody's
        ({"name": "A"}, {"name": "B"}),
        ({"name": "The Co"}, {"name": "Ltd"}),  # nothing is left of them
    ],
)
def test_what_says_nothing_suggests_nobody(theirs, ours):
    assert one(**theirs, ours=[customer(**ours)]).state == "new"


def test_the_contact_that_was_made_from_here_is_known_by_its_mark():
    cafe, other = customer("Renamed"), customer("Corner Cafe")
    for number in (contact_number(cafe.pk), contact_number(cafe.pk, 2)):
        row = one("Corner Cafe", contact_number=number, ours=[cafe, other])
        assert suggested(row)[0] == (cafe.pk, ["mark"])


def test_a_tax_number_says_more_than_a_name_and_an_address_together():
    by_tax = customer("Bar", tax_number="51824753556")
    by_name = customer("Corner Cafe", email="orders@cafe.test")
    row = one(tax_number="51824753556", email_address="orders@cafe.test", ours=[by_name, by_tax])
    assert (row.state, [pk for pk, _ in suggested(row)]) == ("suggested", [by_tax.pk, by_name.pk])


def test_a_chain_with_one_tax_number_is_told_apart_by_its_names():
    north, south = (customer(f"Chain {place}", tax_number="51824753556") for place in ("North", "South"))
    rows = judge([contact(each.trading_name, tax_number="51824753556") for each in (north, south)], [south, north])
    assert [(row.state, suggested(row)[0][0]) for row in rows] == [("suggested", north.pk), ("suggested", south.pk)]


def test_two_customers_that_fit_equally_are_a_question():
    row = one(
        email_address="a@b.test", name="X", ours=[customer("B", email="a@b.test"), customer("C", email="a@b.test")]
    )
    assert (row.state, len(row.likely), row.hints[-1]) == ("question", 2, "More than one fits equally well")


def test_two_contacts_that_fit_one_customer_equally_are_questions():
    rows = judge(
        [contact("X", email_address="a@b.test"), contact("Y", email_address="a@b.test")],
        [customer("B", email="a@b.test")],
    )
    assert [row.state for row in rows] == ["question", "question"]


def test_the_contact_that_fits_less_is_new_and_says_so():
    cafe = customer(tax_number="51824753556", email="a@b.test")
    better, less = judge([contact(tax_number="51824753556"), contact("Other", email_address="a@b.test")], [cafe])
    assert (better.state, less.state) == ("suggested", "new")
    assert "Like Corner Cafe, which another contact fits better" in less.hints


def test_what_a_crowd_shares_says_nothing():
    crowd = [customer(f"Venue {number}", email="office@chain.test") for number in range(21)]
    assert one("Chain", email_address="office@chain.test", ours=crowd).state == "new"


def test_a_refused_pair_is_not_suggested_again():
    cafe, theirs = customer(), contact()
    row = judge([theirs], [cafe], refused={(cafe.pk, theirs.contact_id)})[0]
    assert (row.state, row.likely) == ("new", [])


def test_who_is_linked_is_neither_suggested_nor_asked_about():
    cafe, theirs, twin = customer(), contact(), contact("Corner cafe!")
    linked, free = judge([theirs, twin], [cafe], linked={theirs.contact_id: cafe.pk})
    assert (linked.state, linked.customer, free.state) == ("linked", cafe.pk, "new")


def test_a_namesake_of_a_linked_customer_is_told():
    cafe, theirs, twin = customer(), contact(), contact()
    row = judge([theirs, twin], [cafe], linked={theirs.contact_id: cafe.pk})[1]
    assert (row.state, row.hints[-1]) == ("new", "A customer of this name is linked to another contact")


def test_a_linked_contact_that_was_archived_says_so():
    cafe, theirs = customer(), contact(contact_status="ARCHIVED")
    row = judge([theirs], [cafe], linked={theirs.contact_id: cafe.pk})[0]
    assert (row.state, row.hints) == ("linked", ["It is archived in Xero"])


def test_customers_like_no_contact_are_only_here_unless_switched_off():
    rows = judge([], [customer("Here"), customer("Closed", active=False)])
    assert [(row.state, row.name, row.contact_id) for row in rows] == [("here", "Here", "")]


def test_who_only_sells_to_us_is_marked_and_may_be_taken():
    assert one(is_supplier=True).state == "seller"
    assert one(is_supplier=True, is_customer=True).state == "new"
    row = one(is_supplier=True, ours=[customer()])
    assert (row.state, row.hints[-1]) == ("suggested", "So far it is only a supplier in Xero")


# --- what it would become -----------------------------------------------------------------------------------------


def test_a_new_contact_brings_what_a_customer_has():
    row = one(
        email_address=" orders@cafe.test ",
        tax_number="51 824 753 556",
        phones=(wire.Phone(type="MOBILE", number="400 1"), wire.Phone(type="DEFAULT", number="9999", area_code="02")),
        addresses=(wire.Address(type="POBOX", line_1="PO Box 1"), STREET),
        payment_terms=terms("DAYSAFTERBILLDATE", 7),
    )
    assert row.after == {
        "trading_name": "Corner Cafe", "email": "orders@cafe.test", "tax_number": "51 824 753 556", "phone": "02 9999",
        "street": "1 Quay St", "city": "Sydney", "region": "NSW", "postcode": "2000", "terms_days": 7,
    }  # fmt: skip
    assert row.hints == ["1 more address in Xero"]
    assert row.about == "orders@cafe.test · 51 824 753 556 · Sydney"


@pytest.mark.parametrize(
    ("sales", "follows", "hint"),
    [
        (("OFFOLLOWINGMONTH", 20), False, "Terms not taken, since they aren’t days: The 20th of the month"),
        (("OFFOLLOWINGMONTH", 20), True, "Due by its terms in Xero: The 20th of the month after the invoice"),
        (("DAYSAFTERBILLMONTH", 10), False, "Terms not taken, since they aren’t days: 10 days from the end of the"),
        (("OFCURRENTMONTH", 32), False, "Terms not taken: OFCURRENTMONTH 32 isn’t known here"),
        (("DAYSAFTERBILLDATE", 9999), False, "Terms not taken: DAYSAFTERBILLDATE 9999 isn’t known here"),
        (("DAYSAFTERBILLDATE", None), False, "Terms not taken: DAYSAFTERBILLDATE without a day isn’t known here"),
        (("SOMETHING", 3), False, "Terms not taken: SOMETHING 3 isn’t known here"),
        ((None, None), False, "No payment terms in Xero"),
    ],
)  # fmt: skip
def test_terms_that_are_no_days_are_named_and_not_taken(sales, follows, hint):
    row = judge([contact(payment_terms=terms(*sales))], follows=follows)[0]
    assert row.after["terms_days"] == 14
    assert row.hints[-1].startswith(hint)


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"email_address": "no address"}, "E-mail address not taken: “no address” can’t be one"),
        ({"email_address": f"{'x' * 250}@cafe.test"}, "E-mail address not taken: longer than 254 characters"),
        ({"tax_number": "ask Luca"}, "Tax number not taken: “ask Luca” can’t be one"),
        ({"addresses": (wire.Address(type="STREET", line_1="s" * 251),)}, "Street not taken: longer than 250"),
        ({"addresses": (wire.Address(country="France"),)}, "Country not taken: “France” isn’t one of ours"),
        ({}, "No address in Xero"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_told_and_the_rest_is(fields, hint):
    row = one(**fields)
    assert row.state == "new"
    assert any(told.startswith(hint) for told in row.hints)
    assert set(row.after) == {"trading_name", "terms_days"}


def test_countries_are_known_by_their_names():
    assert one(addresses=(wire.Address(country="new zealand"),)).after["country"] == "NZ"
    assert one(addresses=(wire.Address(country="England"),)).after["country"] == "GB"


HOSTILE = {
    "no name": (contact(None), "It has no name"),
    "spaces for a name": (contact("   "), "It has no name"),
    "500 characters": (contact("n" * 500), "longer than 255"),
    "archived": (contact(contact_status="ARCHIVED"), "archived"),
    "erased on request": (contact(contact_status="GDPRREQUEST"), "archived"),
    "merged": (contact(contact_status="ARCHIVED", merged_to_contact_id=str(uuid4())), "merged"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_cannot_be_a_customer_says_why(what):
    hostile, reason = HOSTILE[what]
    row = judge([hostile], [customer("N" * 255)])[0]
    assert row.state == "refused"
    assert reason in row.reason


def test_contacts_that_differ_by_capitals_only_are_told():
    rows = judge([contact("ACME"), contact("acme"), contact("☕ Ümlaut\0 Bar")])
    assert [row.state for row in rows] == ["new", "new", "new"]
    assert all("Another contact has this name but for" in row.hints[-1] for row in rows[:2])
    assert rows[2].name == "☕ Ümlaut Bar"


names = st.sampled_from(["Cafe", "café", "CAFE Pty Ltd", "Bar", "", "b" * 300, "☕"])
signs = {"email": st.sampled_from(["", "a@b.test", "c@d.test"]), "tax_number": st.sampled_from(["", "51824753556"])}


@given(
    st.lists(st.builds(lambda name, email, tax_number, archived: contact(
        name, email_address=email, tax_number=tax_number, contact_status="ARCHIVED" if archived else "ACTIVE"),
        names, **signs, archived=st.booleans()), max_size=8),
    st.lists(st.builds(customer, names, **signs), max_size=6),
    st.integers(0, 3),
)  # fmt: skip
def test_each_contact_ends_in_one_state_and_no_customer_is_suggested_twice(contacts, customers, links):
    linked = {theirs.contact_id: ours.pk for theirs, ours in zip(contacts[:links], customers, strict=False)}
    rows = judge(contacts, customers, linked=linked)
    assert [row.contact_id for row in rows if row.contact_id] == [each.contact_id for each in contacts]
    first = [row.likely[0]["customer"] for row in rows if row.state == "suggested"]
    assert len(first) == len(set(first))
    likely = {offer["customer"] for row in rows for offer in row.likely}
    here = {str(row.customer) for row in rows if row.state == "here"}
    assert not likely & {str(pk) for pk in linked.values()}
    assert likely | here | {str(pk) for pk in linked.values()} == {str(each.pk) for each in customers}
    assert not likely & here
    assert Counter(row.state for row in rows)["linked"] == len(linked)
