"""Customers from Xero: what a pull finds, what applying it does, and what undoing brings back; linking by hand."""

from collections import Counter
from datetime import date

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

import cast
from provender.customers.actions import save_customer
from provender.ordering import actions as ordering
from provender.sync import connecting, contact_actions, customers, jobs, previews
from provender.sync import drain as drain_room
from provender.sync.choices import save_settings
from provender.sync.contacts import linked_contacts
from provender.sync.customer_pulls import tally
from provender.sync.customers import Applied, Undone
from provender.sync.errors import LinkRefused, PullGone
from provender.sync.mirror import note_contacts, read_contacts
from provender.sync.models import Call, Contact, ContactRefusal, CustomerPull, DispatchDocument, Link
from provender.sync.queries import problems_of
from provender.sync.verify import verify_books
from provender.timeline.models import Entry
from provender.xero import wire

pytestmark = pytest.mark.django_db


@pytest.fixture
def pull(connection):
    """Read Xero's contacts; nothing is applied yet."""
    return lambda: customers.pull_customers(connection, None)


@pytest.fixture
def take(pull):
    """Read, choose by these signs, apply."""

    def run(*signs):
        made = pull()
        customers.choose_all(made, signs)
        return made, customers.apply(made, None)

    return run


def counts(made):
    return Counter(made.rows.values_list("state", flat=True))


def row_of(made, name):
    return made.rows.get(name=name)


def choose(made, choices):
    """Choose for rows by their names."""
    customers.choose_rows(made, {row_of(made, name).pk: what for name, what in choices.items()})


def contact_of(customer):
    """The name of the contact that it is linked to."""
    linked = linked_contacts(customer.supplier.connections.get(), [customer.pk])
    return Contact.objects.get(contact_id=linked[customer.pk]).name if linked else None


def in_xero(books, order):
    """The contact's name on the order's invoice in Xero."""
    order.refresh_from_db()
    return books.find_invoice(order.invoice.number)["Contact"]["Name"]


# --- pulling and applying -----------------------------------------------------------------------------------------


def test_pulling_changes_no_customer_and_counts_every_contact(pull, supplier, xero):
    before = sum(xero.stats.calls.values())
    made = pull()
    assert made.contacts == sum(counts(made).values()) > 0
    assert (supplier.customers.count(), Link.objects.filter(kind="contact").count()) == (0, 0)
    assert sum(xero.stats.calls.values()) == before + 1


def test_new_contacts_become_linked_customers(take, supplier, books):
    street = {"AddressType": "STREET", "AddressLine1": "1 Quay St", "City": "Sydney", "Country": "Australia"}
    due = {"Sales": {"Day": 21, "Type": "DAYSAFTERBILLDATE"}}
    books.add_contact(
        "New Bar", EmailAddress="bar@example.test", TaxNumber="51824753556", Addresses=[street], PaymentTerms=due
    )
    made, done = take("new")
    bar = supplier.customers.get(trading_name="New Bar")
    assert (bar.email, bar.tax_number, bar.street, bar.country) == (
        "bar@example.test", "51824753556", "1 Quay St", "AU",
    )  # fmt: skip
    assert (bar.terms_days, contact_of(bar)) == (21, "New Bar")
    assert done == Applied(added=tally(made).states["new"])
    assert Entry.objects.filter(subject=bar.pk).get().what == "Added from Xero, linked to its contact"


def test_a_second_pull_finds_all_of_it_linked_and_writes_nothing(take, pull, supplier):
    take("new")
    before = list(supplier.customers.values()), Entry.objects.count()
    again = pull()
    assert set(counts(again)) <= {"linked", "refused", "seller"}
    assert customers.choose_all(again, ["new", "tax", "name", "email"]) == 0
    assert customers.apply(again, None) == Applied()
    assert (list(supplier.customers.values()), Entry.objects.count()) == before


def test_a_new_customers_invoice_goes_to_its_contact_without_another_look(take, supplier, books, sync):
    books.add_contact("New Bar")
    take("new")
    order = cast.placed_order(supplier.customers.get(trading_name="New Bar"))
    sync()
    assert in_xero(books, order) == "New Bar"


def test_suggestions_are_confirmed_by_what_speaks_for_them(take, supplier, books):
    books.add_contact("Legal Name Pty Ltd", TaxNumber="51 824 753 556")
    books.add_contact("Corner Café")
    by_tax = cast.venue(supplier, "Bar Lune", tax_number="51824753556")
    by_name = cast.venue(supplier, "Corner Cafe")
    take("tax")
    assert (contact_of(by_tax), contact_of(by_name)) == ("Legal Name Pty Ltd", None)
    take("name")
    assert contact_of(by_name) == "Corner Café"


def test_each_row_is_chosen_by_itself(pull, supplier, books):
    for name in ("First", "Second", "Third", "Fourth"):
        books.add_contact(name)
        cast.venue(supplier, f"{name} Pty Ltd")
    made = pull()
    first = supplier.customers.get(trading_name="First Pty Ltd")
    other = supplier.customers.get(trading_name="Second Pty Ltd")
    choose(made, {"First": f"link:{first.pk}", "Second": "new", "Third": "not", "Fourth": ""})
    assert customers.apply(made, None) == Applied(added=1, linked=1, refused=1)
    assert (contact_of(first), contact_of(other)) == ("First", None)
    assert contact_of(supplier.customers.get(trading_name="Second")) == "Second"
    assert row_of(made, "Fourth").applied == ""
    assert row_of(customers.pull_customers(made.connection, None), "Third").state == "new"


@pytest.mark.parametrize("what", ["link:0b7c1f6e-5f4c-4a55-9f3c-6f0a7f0d9a11", "link:x", "link", "not", "everything"])
def test_what_a_row_does_not_offer_is_not_chosen(pull, books, what):
    books.add_contact("New Bar")
    made = pull()
    choose(made, {"New Bar": what})
    assert row_of(made, "New Bar").choice == ""


def test_what_was_linked_meanwhile_is_left(pull, supplier, books, connection):
    books.add_contact("Corner Cafe")
    books.add_contact("New Bar")
    cafe, bar = cast.venue(supplier, "Corner Cafe"), cast.venue(supplier, "Lune")
    made = pull()
    customers.choose_all(made, ["name"])
    choose(made, {"New Bar": "new"})
    ids = dict(Contact.objects.values_list("name", "contact_id"))
    contact_actions.link_contact(cafe, ids["Bayside Corner Store"], None)
    contact_actions.link_contact(bar, ids["New Bar"], None)
    assert customers.apply(made, None) == Applied(left=2)
    assert (contact_of(cafe), supplier.customers.count()) == ("Bayside Corner Store", 2)


def test_a_customer_whose_contact_is_on_its_way_is_left(pull, supplier, books, sync, xero, later):
    books.add_contact("Corner Group", TaxNumber="51824753556")
    cafe = cast.placed_order(cast.venue(supplier, "Corner Cafe", tax_number="51824753556")).customer
    xero.faults.add("drop-before-commit", methods=["PUT"], path="/api.xro/2.0/Contacts", count=1)
    sync()
    assert DispatchDocument.objects.filter(kind="contact").exists()
    made = pull()
    assert customers.choose_all(made, ["tax"]) == 1
    assert customers.apply(made, None) == Applied(left=1)
    later(minutes=3)
    sync()
    assert contact_of(cafe) == "Corner Cafe"


def test_applying_goes_on_where_it_was_cut_off(pull, supplier, books, monkeypatch):
    for number in range(7):
        books.add_contact(f"Venue {number}")
    monkeypatch.setattr(customers, "BATCH", 3)
    made = pull()
    customers.choose_all(made, ["new"])
    new = tally(made).choices["new"]

    def cut_off(done, _of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        customers.apply(made, None, cut_off)
    assert supplier.customers.count() == 3
    assert customers.apply(made, None) == Applied(added=new)
    assert supplier.customers.count() == Link.objects.filter(kind="contact").count() == new
    with pytest.raises(PullGone):
        customers.apply(made, None)


def test_previews_that_nobody_applied_are_forgotten(pull, connection):
    pull()
    made = pull()
    customers.pull_customers(connection, None, trial=True)
    assert connection.customer_pulls.count() == 2
    previews.discard(made)
    assert connection.customer_pulls.count() == 1


def test_thousands_of_contacts_take_as_many_questions_as_a_hundred(connection, supplier):
    def queries(count):
        note_contacts(
            connection,
            [wire.Contact(contact_id=f"c{number}", name=f"Venue {number}", email_address=f"v{number}@example.test")
             for number in range(count)],
        )  # fmt: skip
        with CaptureQueriesContext(
            database,
        ) as asked:
            made = customers.keep_preview(connection, None, trial=True)
        return made, sum("SELECT" in query["sql"][:10] for query in asked)

    _, few = queries(100)
    made, many = queries(1000)
    assert counts(made)["new"] == 1000
    assert many == few


# --- undoing ------------------------------------------------------------------------------------------------------


def test_undoing_brings_all_back(pull, supplier, books):
    for name in ("New Bar", "Corner Cafe", "Deli"):
        books.add_contact(name)
    cafe = cast.venue(supplier, "Corner Cafe")
    cast.venue(supplier, "Deli Pty Ltd")
    made = pull()
    choose(made, {"New Bar": "new", "Corner Cafe": f"link:{cafe.pk}", "Deli": "not"})
    customers.apply(made, None)
    assert customers.undo(made, None) == Undone(removed=1, unlinked=1, reopened=1)
    assert set(supplier.customers.values_list("trading_name", flat=True)) == {"Corner Cafe", "Deli Pty Ltd"}
    assert not Link.objects.filter(kind="contact").exists()
    assert not ContactRefusal.objects.exists()
    assert row_of(pull(), "Deli").state == "suggested"
    with pytest.raises(PullGone):
        customers.undo(made, None)


def test_undoing_leaves_what_is_in_use_or_changed(pull, supplier, books, sync):
    for name in ("Ordered", "Changed", "Sent", "Relinked"):
        books.add_contact(name)
    sent, relinked = cast.venue(supplier, "Sent"), cast.venue(supplier, "Relinked")
    made = pull()
    customers.choose_all(made, ["name"])
    choose(made, {"Ordered": "new", "Changed": "new"})
    customers.apply(made, None)
    cast.draft_order(supplier.customers.get(trading_name="Ordered"))
    changed = supplier.customers.get(trading_name="Changed")
    changed.email = "new@example.test"
    save_customer(changed, by=None)
    cast.placed_order(sent)
    sync()
    contact_actions.link_contact(relinked, Contact.objects.get(name="Bayside Corner Store").contact_id, None)
    assert customers.undo(made, None) == Undone(left=4)
    assert {row.name: row.outcome for row in made.rows.exclude(outcome="")} == {
        "Ordered": customers.IN_USE,
        "Changed": customers.CHANGED,
        "Sent": customers.SENT,
        "Relinked": customers.CHANGED,
    }
    assert (contact_of(sent), contact_of(relinked)) == ("Sent", "Bayside Corner Store")


def test_only_the_last_application_can_be_undone(take, books):
    first, _ = take("new")
    books.add_contact("New Bar")
    take("new")
    with pytest.raises(PullGone):
        customers.undo(first, None)


# --- linking by hand, and unlinking -------------------------------------------------------------------------------


@pytest.fixture
def sent(order, sync, books):
    """Corner Cafe, made as a contact by its first invoice; and another contact beside it."""
    books.add_contact("Corner Group")
    sync()
    return order


@pytest.fixture
def group(sent, connection, pull):
    pull()
    return Contact.objects.get(name="Corner Group").contact_id


def edit(order, quantity=9):
    ordering.edit_order(order, lines=cast.goods(order.supplier, {"OAT-1L": quantity}), by=None)


def test_after_relinking_invoices_go_to_the_other_contact(sent, group, supplier, books, sync):
    contact_actions.link_contact(sent.customer, group, None)
    assert verify_books(supplier).equal  # the first one stays where it is
    newer = cast.placed_order(sent.customer)
    sync()
    assert (in_xero(books, sent), in_xero(books, newer)) == ("Corner Cafe", "Corner Group")
    assert verify_books(supplier).equal


def test_an_invoice_in_xero_follows_with_its_next_change(sent, group, supplier, books, sync):
    contact_actions.link_contact(sent.customer, group, None)
    edit(sent)
    sync()
    assert problems_of(supplier) == []
    assert in_xero(books, sent) == "Corner Group"
    assert verify_books(supplier).equal


def test_an_invoice_in_doubt_is_recognised_after_relinking(sent, group, supplier, books, sync, xero, later):
    newer = cast.placed_order(sent.customer)
    xero.faults.add("drop-after-commit", methods=["PUT"], path="/api.xro/2.0/Invoices", count=1)
    sync()
    contact_actions.link_contact(sent.customer, group, None)
    later(minutes=3)
    sync()
    assert problems_of(supplier) == []
    assert in_xero(books, newer) == "Corner Cafe"
    assert verify_books(supplier).equal


def test_after_unlinking_a_new_contact_is_made_and_never_the_old_one_taken(sent, supplier, books, sync):
    cafe = sent.customer
    contact_actions.unlink_contact(cafe, None, ask=False)
    cast.placed_order(cafe)
    sync()
    assert [row.problem.cause for row in problems_of(supplier)] == ["contact-name-taken"]  # its name is still there
    cafe.trading_name = "Corner Cafe Newtown"
    save_customer(cafe, by=None)
    sync()
    assert problems_of(supplier) == []
    assert contact_of(cafe) == "Corner Cafe Newtown"
    assert books.find_contact("Corner Cafe Newtown")["ContactNumber"] == f"pv-{cafe.pk}-2"
    assert verify_books(supplier).equal


def test_after_unlinking_one_may_be_asked(sent, group, supplier, books, sync):
    cafe = sent.customer
    contact_actions.unlink_contact(cafe, None, ask=True)
    newer = cast.placed_order(cafe)
    sync()
    assert [row.problem.cause for row in problems_of(supplier)] == ["contact-unlinked"]
    contact_actions.link_contact(cafe, group, None)
    sync()
    assert problems_of(supplier) == []
    assert in_xero(books, newer) == "Corner Group"


def test_who_is_asked_may_let_a_contact_be_made(sent, supplier, books, sync):
    cafe = sent.customer
    cafe.trading_name = "Corner Cafe Newtown"
    save_customer(cafe, by=None)
    contact_actions.unlink_contact(cafe, None, ask=True)
    newer = cast.placed_order(cafe)
    sync()
    assert problems_of(supplier)
    contact_actions.make_contact(cafe, None)
    sync()
    assert in_xero(books, newer) == "Corner Cafe Newtown"


def test_a_refused_suggestion_is_not_taken_by_name(pull, supplier, books, sync):
    books.add_contact("Corner Cafe")
    cafe = cast.venue(supplier, "Corner Cafe")
    made = pull()
    choose(made, {"Corner Cafe": "not"})
    customers.apply(made, None)
    cast.placed_order(cafe)
    sync()
    assert [row.problem.cause for row in problems_of(supplier)] == ["contact-name-taken"]
    assert contact_of(cafe) is None


def test_what_was_unlinked_can_be_linked_again(sent, supplier, sync):
    cafe = sent.customer
    there = linked_contacts(supplier.connections.get(), [cafe.pk])[cafe.pk]
    contact_actions.unlink_contact(cafe, None, ask=True)
    contact_actions.link_contact(cafe, there, None)
    assert contact_of(cafe) == "Corner Cafe"
    assert not ContactRefusal.objects.filter(ask=True).exists()


def test_unlinking_who_has_no_contact_is_refused(supplier, connection):
    with pytest.raises(LinkRefused):
        contact_actions.unlink_contact(cast.venue(supplier), None, ask=True)


def test_linking_what_is_linked_changes_nothing(sent, supplier):
    cafe = sent.customer
    link = Link.objects.get(kind="contact")
    contact_actions.link_contact(cafe, link.xero_id, None)
    link.refresh_from_db()
    assert not link.matched  # it is still the one that we made


# --- terms --------------------------------------------------------------------------------------------------------

TERMS = {
    "DAYSAFTERBILLDATE": (10, date(2026, 11, 12)),
    "DAYSAFTERBILLMONTH": (10, date(2026, 12, 10)),
    "OFCURRENTMONTH": (31, date(2026, 11, 30)),
    "OFFOLLOWINGMONTH": (20, date(2026, 12, 20)),
}


@pytest.fixture
def follow(connection):
    """Switch the setting."""
    return lambda on=True: save_settings(connection, {"follow_terms": on}, None)


def due(customer):
    """When its next invoice is due, dated 2 November."""
    customer.refresh_from_db()
    return cast.placed_order(customer, order_date=date(2026, 11, 2)).invoice.due_date


@pytest.mark.parametrize("kind", TERMS)
def test_due_dates_follow_the_contacts_terms(take, supplier, books, follow, sync, kind):
    day, expected = TERMS[kind]
    books.add_contact("Corner Cafe", PaymentTerms={"Sales": {"Day": day, "Type": kind}})
    cafe = cast.venue(supplier, "Corner Cafe", terms_days=3)
    take("name")
    assert due(cafe) == date(2026, 11, 5)
    follow()
    assert due(cafe) == expected
    sync()
    assert verify_books(supplier).equal
    follow(on=False)
    assert due(cafe) == date(2026, 11, 5)


def test_terms_that_change_in_xero_are_followed(take, supplier, books, follow, later, connection):
    books.add_contact("Corner Cafe", PaymentTerms={"Sales": {"Day": 10, "Type": "DAYSAFTERBILLDATE"}})
    take("new")
    follow()
    cafe = supplier.customers.get(trading_name="Corner Cafe")
    books.edit_contact("Corner Cafe", PaymentTerms={"Sales": {"Day": 20, "Type": "DAYSAFTERBILLDATE"}})
    jobs.follow_terms()
    assert due(cafe) == date(2026, 11, 12)  # what was read just now is new enough
    later(minutes=31)
    jobs.follow_terms()
    assert due(cafe) == date(2026, 11, 22)


def test_terms_come_and_go_with_the_link(take, supplier, books, follow, sync, connection):
    books.add_contact("Corner Cafe", PaymentTerms={"Sales": {"Day": 10, "Type": "DAYSAFTERBILLDATE"}})
    follow()
    cafe = cast.venue(supplier, "Corner Cafe")
    assert due(cafe) == date(2026, 11, 16)  # nobody has linked it yet; its first invoice does
    sync()
    assert due(cafe) == date(2026, 11, 12)
    contact_actions.unlink_contact(cafe, None, ask=True)
    assert due(cafe) == date(2026, 11, 16)
    contact_actions.link_contact(cafe, Contact.objects.get(name="Corner Cafe").contact_id, None)
    assert due(cafe) == date(2026, 11, 12)
    connecting.disconnect(connection, None)
    assert due(cafe) == date(2026, 11, 16)


def test_terms_that_make_no_sense_are_not_followed(take, supplier, connection, follow):
    bad = wire.PaymentTerms(sales=wire.Term(day=0, type="OFFOLLOWINGMONTH"))
    note_contacts(connection, [wire.Contact(contact_id="odd", name="Odd", payment_terms=bad)])
    cafe = cast.venue(supplier, "Odd")
    made = customers.keep_preview(connection, None)
    customers.choose_all(made, ["name"])
    customers.apply(made, None)
    follow()
    assert due(cafe) == date(2026, 11, 16)


def test_the_mirror_keeps_what_it_knows_when_a_lost_answer_is_found(supplier, connection, books, sync, xero, later):
    cafe = cast.placed_order(cast.venue(supplier, "Corner Cafe", email="orders@cafe.test")).customer
    xero.faults.add("drop-after-commit", methods=["PUT"], path="/api.xro/2.0/Contacts", count=1)
    sync()
    later(minutes=3)
    sync()
    assert contact_of(cafe) == "Corner Cafe"
    assert Contact.objects.get(name="Corner Cafe").email == "orders@cafe.test"


def test_pulls_of_another_wholesaler_are_not_touched(take, supplier):
    other = cast.supplier("southern")
    take("new")
    assert not CustomerPull.objects.filter(connection__supplier=other).exists()
    assert not other.customers.exists()


def test_an_invoice_that_a_person_gave_to_another_contact_is_a_question(sent, supplier, books, sync):
    books.edit_invoice(sent.invoice.number, Contact={"Name": "Corner Group"})
    edit(sent)
    sync()
    (row,) = problems_of(supplier)
    assert (row.problem.cause, "Corner Group" in row.sentence) == ("edited-in-xero", True)


def test_an_invoice_follows_a_merged_contact_without_a_question(sent, supplier, books, sync):
    books.merge_contact("Corner Cafe", into="Corner Group")
    edit(sent)
    sync()
    assert problems_of(supplier) == []
    assert in_xero(books, sent) == "Corner Group"


# --- names ------------------------------------------------------------------------------------------------------------


def test_a_name_that_xero_has_without_angle_brackets_is_that_contact(supplier, books, sync):
    books.add_contact("Grill (North)")
    order = cast.placed_order(cast.venue(supplier, "Grill <North>"))
    sync()
    assert problems_of(supplier) == []
    assert in_xero(books, order) == "Grill (North)"


def test_a_contact_that_is_added_while_we_make_it_is_taken_after_xeros_refusal(supplier, books, sync, monkeypatch):
    def read_too_early(session):
        read_contacts(session)
        monkeypatch.undo()
        books.add_contact("Corner Cafe")

    monkeypatch.setattr(drain_room, "read_contacts", read_too_early)
    order = cast.placed_order(cast.venue(supplier, "Corner Cafe"))
    sync()
    assert Call.objects.filter(path="/api.xro/2.0/Contacts", method="PUT").count() == 1  # refused: the name is taken
    assert problems_of(supplier) == []
    assert in_xero(books, order) == "Corner Cafe"
    assert contact_of(order.customer) == "Corner Cafe"
