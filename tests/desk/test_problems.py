"""What needs a person, grouped by cause, and what mends it."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import cast
from provender.invoicing.models import Invoice
from provender.ordering import actions as ordering
from provender.payments.payouts import PayoutEntry, close_payout, enter_payout
from provender.sync.models import Problem
from provender.sync.nightly import compare_nightly
from provender.timeline.queries import story

pytestmark = pytest.mark.django_db
ADDRESS = "/w/harbour/xero/problems"


@pytest.fixture
def theo(desk, connection):
    """The bookkeeper's browser, at a connected wholesaler."""
    return desk("theo")


@pytest.fixture
def edited(order, sync, books, supplier):
    """An invoice that was changed in Xero and then here: 6 oat milk here, 9 there."""
    sync()
    lines = books.find_invoice(order.invoice.number)["LineItems"]
    kept = ("LineItemID", "Description", "UnitAmount", "AccountCode", "TaxType", "ItemCode")
    typed = [{name: line[name] for name in kept if name in line} | {"Quantity": Decimal(9)} for line in lines]
    books.edit_invoice(order.invoice.number, Reference="Checked by Theo", LineItems=typed)
    ordering.edit_order(order, lines=cast.goods(supplier, {"OAT-1L": 6}), by=None)
    sync()
    return Problem.objects.get(cause="edited-in-xero")


@pytest.fixture
def clash(order, books, sync):
    """An invoice whose number somebody typed into Xero first."""
    books.type_invoice(order.invoice.number, contact="Bayside Corner Store")
    sync()
    return Problem.objects.get(cause="number-taken")


def cups_on_an_account_that_is_not_there(supplier, count):
    venue = cast.venue(supplier, "Cup Bar")
    return [cast.placed_order(venue, {"CUP-8OZ": 100 * each}) for each in range(1, count + 1)]


def decide(browser, problem, do, **fields):
    return browser.post(f"{ADDRESS}/{problem.pk}/{do}", {"shown": problem.found_at.isoformat(), **fields}, follow=True)


def test_all_in_step_is_said(theo, order, sync):
    sync()
    page = theo.get(ADDRESS).text
    assert "All is in step" in page
    assert "The invoice is in Demo Company (AU)." in page


def test_causes_stand_biggest_first_with_number_customer_and_total(theo, edited, supplier, sync):
    cups_on_an_account_that_is_not_there(supplier, 2)
    sync()
    page = theo.get(ADDRESS).text
    assert page.index("Account unknown in Xero") < page.index("Edited in Xero")
    assert "Cup Bar" in page
    assert "$8.25" in page
    assert "account 201 isn&#x27;t one that an invoice line can use" in page
    assert "Account code &#x27;201&#x27; is not a valid code for this document." in page


def test_a_contact_name_that_is_taken_is_mended_by_choosing_the_contact(theo, order, sync, books):
    customer = order.customer
    there = books.add_contact("Corner Cafe")
    sync()
    page = f"/w/harbour/customers/{customer.pk}/contact"
    theo.post(f"{page}/unlink", {"then": "make"})
    newer = cast.placed_order(customer)
    sync()
    told = theo.get(ADDRESS).text
    assert "Xero has another contact named Corner Cafe, which isn&#x27;t free for this customer" in told
    problem = Problem.objects.get(cause="contact-name-taken", kind="invoice")
    assert theo.get(f"{ADDRESS}/{problem.pk}/link-contact")["Location"].startswith(page)
    theo.post(page, {"contact": there["ContactID"]})
    sync()
    assert "All is in step" in theo.get(ADDRESS).text
    assert books.find_invoice(newer.invoice.number)["Contact"]["ContactID"] == there["ContactID"]


def test_all_of_a_cause_go_again_at_once(theo, supplier, sync, connection):
    cups_on_an_account_that_is_not_there(supplier, 3)
    sync()
    assert "Send all 3 again" in theo.get(ADDRESS).text
    supplier.products.filter(sku="CUP-8OZ").update(sales_account="")
    page = theo.post(f"{ADDRESS}/again", {"cause": "unknown-account"}, follow=True).text
    assert "3 documents on the way to Xero again." in page
    assert (
        "Nothing of this cause is left."
        in theo.post(f"{ADDRESS}/again", {"cause": "unknown-account"}, follow=True).text
    )


def test_one_goes_again(theo, supplier, sync):
    cups_on_an_account_that_is_not_there(supplier, 1)
    sync()
    problem = Problem.objects.get()
    page = theo.post(f"{ADDRESS}/{problem.pk}/again", headers={"referer": f"http://testserver{ADDRESS}"}, follow=True)
    assert "is on its way to Xero again." in page.text


def test_an_account_that_stands_on_a_product_is_mended_there(theo, supplier, sync):
    cups_on_an_account_that_is_not_there(supplier, 1)
    sync()
    address = f"{ADDRESS}/{Problem.objects.get().pk}/edit-product"
    assert address in theo.get(ADDRESS).text
    form = theo.get(address, follow=True)
    assert "Edit Paper cup 8oz" in form.text
    assert 'value="201"' in form.text


def test_an_account_of_the_settings_is_mended_in_the_settings(theo, order, books, sync):
    books.archive_account("200")
    sync()
    page = theo.get(f"/w/harbour/invoices/{order.invoice_id}").text
    assert "/xero/settings" in page
    assert "edit-product" not in page
    assert theo.get(f"{ADDRESS}/{Problem.objects.get().pk}/edit-product").status_code == 404


def test_many_of_a_cause_come_in_pages(theo, supplier, sync):
    cups_on_an_account_that_is_not_there(supplier, 27)
    sync()
    overview = theo.get(ADDRESS).text
    assert "22 more of this cause" in overview
    first = theo.get(ADDRESS, {"cause": "unknown-account"}).text
    assert "1–25 of 27" in first
    assert "26–27 of 27" in theo.get(ADDRESS, {"cause": "unknown-account", "page": 2}).text


def test_the_list_asks_the_database_as_often_for_many_as_for_few(theo, supplier, sync):
    cups_on_an_account_that_is_not_there(supplier, 2)
    sync()
    few = queries_of(theo)
    for order in supplier.orders.all():
        ordering.place_order(ordering.duplicate_order(order, by=None), by=None)
    sync()
    assert queries_of(theo) == few


@pytest.mark.parametrize(("wanted", "shown"), [({}, 5), ({"cause": "unknown-account"}, 25)])
def test_of_thousands_only_the_shown_ones_are_read(theo, connection, monkeypatch, wanted, shown):
    now = timezone.now()
    Problem.objects.bulk_create(
        Problem(connection=connection, kind="invoice", document=uuid4(), cause="unknown-account", found_at=now)
        for _ in range(2_000)
    )
    read = []
    monkeypatch.setattr(Problem, "from_db", classmethod(reading(Problem.from_db.__func__, read)))
    page = theo.get(ADDRESS, wanted)
    assert '<span class="count">2000</span>' in page.text
    assert len(page.context["groups"][0].rows) == shown
    assert len(read) <= shown + 1


def reading(from_db, read):
    def noted(cls, *row):
        read.append(row)
        return from_db(cls, *row)

    return noted


def queries_of(browser):
    browser.get(ADDRESS)
    with CaptureQueriesContext(database) as captured:
        browser.get(ADDRESS)
    return len(captured)


def test_both_sides_are_shown_before_deciding(theo, edited):
    page = theo.get(f"{ADDRESS}/{edited.pk}/send-ours").text
    assert "Checked by Theo" in page
    assert "differs" in page
    assert "only in Xero" in page
    assert "Our version is written over the one in Xero" in page
    assert "200 · Sales" in page


def test_keeping_theirs_leaves_xero_alone(theo, edited, order, sync, books):
    page = decide(theo, edited, "keep-theirs")
    assert "Xero’s version stays." in page.text
    sync()
    assert books.find_invoice(order.invoice.number)["Reference"] == "Checked by Theo"
    assert not Problem.objects.filter(solved_at=None).exists()


def test_sending_ours_writes_over_what_was_shown(theo, edited, order, sync, books):
    decide(theo, edited, "send-ours")
    sync()
    theirs = books.find_invoice(order.invoice.number)
    assert Decimal(theirs["Total"]) == Invoice.objects.get(pk=order.invoice.pk).total
    assert order.number in theirs["Reference"]


def test_a_decision_on_an_older_state_does_nothing(theo, edited, order, sync, books):
    old = edited.found_at
    Problem.objects.update(found_at=timezone.now())
    page = theo.post(f"{ADDRESS}/{edited.pk}/send-ours", {"shown": old.isoformat()}, follow=True)
    assert "has changed since" in page.text
    assert Problem.objects.get().solved_at is None


def test_what_was_solved_meanwhile_is_told_and_not_repeated(theo, edited):
    decide(theo, edited, "leave")
    assert "solved meanwhile" in theo.get(f"{ADDRESS}/{edited.pk}/send-ours", follow=True).text
    assert "solved meanwhile" in decide(theo, edited, "send-ours").text
    assert "solved meanwhile" in theo.post(f"{ADDRESS}/{edited.pk}/again", follow=True).text


def test_a_taken_number_is_linked_by_hand(theo, clash, order, connection):
    page = theo.get(f"{ADDRESS}/{clash.pk}/adopt").text
    assert "Bayside Corner Store" in page
    assert "nothing is written to it now" in page
    assert "is linked to the one in Xero." in decide(theo, clash, "adopt").text
    assert connection.links.filter(kind="invoice", document=order.invoice.pk).exists()


def test_a_taken_number_is_answered_by_the_next(theo, clash, order, sync, books):
    number = order.invoice.number
    assert f"{number} has a new number" in decide(theo, clash, "renumber").text
    sync()
    renumbered = Invoice.objects.get(pk=order.invoice.pk).number
    assert renumbered != number
    assert books.find_invoice(renumbered)["Contact"]["Name"] == "Corner Cafe"


def test_leaving_closes_it(theo, clash):
    assert "is left as it is." in decide(theo, clash, "leave", why="Typed by the accountant").text
    assert story(clash.connection.supplier, "invoice", clash.document)[0].why == "Typed by the accountant"
    assert not Problem.objects.filter(solved_at=None).exists()


def test_stock_that_is_out_goes_without_item_codes(theo, order, connection):
    problem = Problem.objects.create(
        connection=connection, kind="invoice", document=order.invoice.pk, revision=1, cause="tracked-stock",
        words={"number": order.invoice.number}, found_at=timezone.now(),
    )  # fmt: skip
    assert "without item codes, so that Xero’s stock" in theo.get(f"{ADDRESS}/{problem.pk}/without-item-codes").text
    assert "without item codes." in decide(theo, problem, "without-item-codes").text


def test_places_to_go_are_links_for_the_document(theo, edited, order):
    pages = {
        "edit-document": f"/w/harbour/invoices/{order.invoice.pk}/edit",
        "link-contact": f"/w/harbour/customers/{order.customer_id}/contact",
    }
    for do, place in pages.items():
        assert theo.get(f"{ADDRESS}/{edited.pk}/{do}").headers["location"] == place
    Problem.objects.filter(pk=edited.pk).update(cause="voided-in-xero")
    page = theo.get(f"{ADDRESS}/{edited.pk}/edit-document").headers["location"]
    assert page == f"/w/harbour/invoices/{order.invoice.pk}"
    assert theo.get(f"{ADDRESS}/{edited.pk}/dance").status_code == 404


def test_a_lost_connection_is_a_group_of_its_own(theo, order, books, sync):
    books.disconnect()
    sync()
    page = theo.get(ADDRESS).text
    assert "Needs reconnecting" in page
    assert "<b>1 invoice</b> waits." in page
    assert "Reconnect" in page


def test_who_only_looks_sees_what_is_wrong_but_no_repair(desk, edited):
    page = desk("rex").get(ADDRESS).text
    assert "Edited in Xero" in page
    assert "Send ours" not in page
    assert "Open it in Xero" in page
    assert "Send ours</button>" not in desk("mai").get(f"{ADDRESS}/{edited.pk}/send-ours").text


def test_without_a_connection_the_page_says_so(desk):
    assert "Not connected to Xero" in desk("theo").get(ADDRESS).text


def test_a_contact_is_found_by_a_part_of_its_name(theo, order, books, sync):
    cafe = order.customer
    books.add_contact("Corner Café & Bar Pty Ltd")
    sync()
    address = f"/w/harbour/customers/{cafe.pk}/contact"
    found = theo.get(address, {"q": "cafe & bar"}, headers={"HX-Request": "true"}).text
    assert "Corner Café &amp; Bar Pty Ltd" in found
    assert "<html" not in found


def test_a_contact_that_another_customer_has_is_refused(theo, order, sync, supplier, connection):
    sync()
    taken = connection.links.get(kind="contact").xero_id
    other = cast.venue(supplier, "Night Bar")
    address = f"/w/harbour/customers/{other.pk}/contact"
    page = theo.post(address, {"contact": taken}, headers={"referer": f"http://testserver{address}"}, follow=True)
    assert "is the contact of Corner Cafe already" in page.text


def test_the_search_works_without_script(theo, connection, supplier, order, sync):
    sync()
    other = cast.venue(supplier, "Night Bar")
    page = theo.get(f"/w/harbour/customers/{other.pk}/contact", {"q": "corner"}).text
    assert "<html" in page
    assert "Bayside Corner Store" in page
    assert "No contact has that in its name" in theo.get(f"/w/harbour/customers/{other.pk}/contact", {"q": "zzz"}).text


def test_linking_sends_what_waited(theo, supplier, order, sync, books, connection):
    sync()
    bayside = books.find_contact("Bayside Corner Store")["ContactID"]
    other = cast.venue(supplier, "Night Bar")
    theo.post(f"/w/harbour/customers/{other.pk}/contact", {"contact": bayside})
    waiting = cast.placed_order(other)
    sync()
    assert books.find_invoice(waiting.invoice.number)["Contact"]["Name"] == "Bayside Corner Store"


def test_a_held_payout_stands_there_with_its_ways_out(theo, supplier, sync, books):
    invoice = cast.invoice(cast.venue(supplier, "Corner Cafe"))
    supplier.connections.update(auto_reconcile=True)
    sync()
    books.pay(invoice.number, "5.00")
    entries = [PayoutEntry(gross=invoice.due, invoice_number=invoice.number)]
    day = invoice.date
    payout = close_payout(enter_payout(supplier, provider="PayWave", reference="PO-7", date=day, entries=entries))
    sync()
    page = theo.get(ADDRESS).text
    assert f"{invoice.number}: 14.80 is left to pay in Xero" in page
    assert f"/payouts/{payout.pk}" in page
    assert "Pay up to what is due" in page
    assert "Send the invoices first" not in page
    decide(theo, Problem.objects.get(kind="payout"), "pay-up-to")
    sync()
    assert books.find_invoice(invoice.number)["Status"] == "PAID"
    assert "Nothing needs you" in theo.get(ADDRESS).text


def test_a_payouts_page_says_how_its_deposit_stands(theo, supplier, sync, books):
    invoice = cast.invoice(cast.venue(supplier, "Corner Cafe"))
    supplier.connections.update(auto_reconcile=True)
    sync()
    payment = books.pay(invoice.number, "5.00")
    entries = [PayoutEntry(gross=invoice.due, invoice_number=invoice.number)]
    day = invoice.date
    payout = close_payout(enter_payout(supplier, provider="PayWave", reference="PO-7", date=day, entries=entries))
    address = f"/w/harbour/payouts/{payout.pk}"
    assert "On its way" in theo.get(address).text
    sync()
    page = theo.get(address).text
    assert "Needs you" in page
    assert "Pay up to what is due" in page
    books.remove_payment(payment["PaymentID"])
    theo.post(f"{ADDRESS}/{Problem.objects.get(solved_at=None).pk}/again")
    sync()
    page = theo.get(address).text
    assert "Deposited" in page
    assert "19.80" in page


def test_money_that_the_night_found_counts_by_a_button(theo, order, sync, books, connection):
    connection.supplier.connections.update(mark_as_paid=True)
    connection.refresh_from_db()
    sync()
    books.pay(order.invoice.number, "1.00")
    compare_nightly(connection)
    page = theo.get(ADDRESS).text
    assert f"Xero has a payment of 1.00 on {order.invoice.number}" in page
    assert "Open it in Xero" in page
    page = decide(theo, Problem.objects.get(), "count-it")
    assert "what Xero has on it counts here" in page.text
    assert "All is in step" in page.text
    assert Invoice.objects.get(pk=order.invoice.pk).paid == 1
    # Who was shown it before is told that it is gone.
    assert "solved meanwhile" in decide(theo, Problem.objects.get(), "count-it").text


def test_money_stays_to_be_asked_when_xero_cannot_be_read(theo, order, sync, books, connection, xero):
    connection.supplier.connections.update(mark_as_paid=True)
    connection.refresh_from_db()
    sync()
    books.pay(order.invoice.number, "1.00")
    compare_nightly(connection)
    books.disconnect()
    decide(theo, Problem.objects.get(), "count-it")
    assert Problem.objects.get().solved_at is None
