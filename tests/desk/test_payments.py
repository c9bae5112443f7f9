"""Payments on the screens: what is paid and due, recording one by hand, taking it back, and who owes what."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

import cast
from provender.basics import clock
from provender.invoicing.models import Invoice
from provender.payments.actions import allocate_credit, note_credit_in_xero
from provender.payments.models import Payment
from provender.payments.queries import AGES, owed_by, owed_of
from provender.sync.models import Connection

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def today(supplier):
    return clock.today(supplier.time_zone)


@pytest.fixture
def theo(desk):
    """The bookkeeper's browser."""
    return desk("theo")


@pytest.fixture
def invoice(cafe, today):
    """19.80, due in a week."""
    return cast.invoice(cafe, date=today - timedelta(days=7), due_date=today + timedelta(days=7))


def of_age(cafe, today, late, **fields):
    return cast.invoice(cafe, date=today - timedelta(days=200), due_date=today - timedelta(days=late), **fields)


def badge(client, invoice):
    page = client.get(f"/w/harbour/invoices?q={invoice.number}").text
    return page.split('class="badge ')[1].split("</span>")[0].split(">")[1]


def test_a_payment_is_recorded_with_what_is_due_proposed(theo, invoice, today):
    form = theo.get(f"/w/harbour/invoices/{invoice.pk}/pay").text
    assert 'value="19.80"' in form
    typed = {"amount": "9.80", "date": str(today), "method": "cash", "reference": "Till 2"}
    answer = theo.post(f"/w/harbour/invoices/{invoice.pk}/pay", typed, follow=True)
    assert "$9.80 recorded" in answer.text
    payment = Payment.objects.get()
    assert (payment.amount, payment.method, payment.reference, payment.source) == (D("9.80"), "cash", "Till 2", "here")
    assert payment.recorded_by.name == "Theo"
    page = theo.get(f"/w/harbour/invoices/{invoice.pk}").text
    assert "Part paid" in page
    assert "Till 2" in page


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"amount": "19.81"}, "more than the 19.80"),
        ({"amount": "0"}, "above zero"),
        ({"amount": "-5"}, "above zero"),
        ({"amount": "all of it"}, "Write an amount"),
        ({"amount": ""}, "How much was paid?"),
        ({"date": "2999-01-01"}, "hasn’t come yet"),
        ({"date": "1999-01-01"}, "more than a year before the invoice"),
        ({"date": "yesterday"}, "Write a date"),
    ],
)
def test_what_cannot_be_recorded_is_said_beside_the_field_and_nothing_is(theo, invoice, today, typed, says):
    form = {"amount": "5", "date": str(today), "method": "transfer", "reference": ""} | typed
    answer = theo.post(f"/w/harbour/invoices/{invoice.pk}/pay", form)
    assert says in answer.text
    assert not Payment.objects.exists()


def test_the_order_desk_may_look_but_not_record(desk, invoice):
    mai = desk("mai")
    assert mai.get(f"/w/harbour/invoices/{invoice.pk}/pay").status_code == 403
    page = mai.get(f"/w/harbour/invoices/{invoice.pk}").text
    assert "Record payment" not in page
    assert mai.get("/w/harbour/payments").status_code == 200


def test_a_payment_is_taken_back_after_asking(theo, invoice):
    payment = cast.payment(invoice)
    asked = theo.get(f"/w/harbour/payments/{payment.pk}/remove").text
    assert "Nothing has happened yet" in asked
    theo.post(f"/w/harbour/payments/{payment.pk}/remove", {"why": "wrong customer"})
    payment.refresh_from_db()
    assert (payment.removed_why, Invoice.objects.get().paid) == ("wrong customer", 0)
    again = theo.post(f"/w/harbour/payments/{payment.pk}/remove", follow=True).text
    assert "taken back already" in again


def test_what_xero_told_is_removed_in_xero(theo, invoice):
    payment = cast.payment(invoice, source=Payment.Source.XERO)
    said = theo.post(f"/w/harbour/payments/{payment.pk}/remove", follow=True).text
    assert "Remove it there" in said
    assert Invoice.objects.get().paid == D("19.80")


def test_nothing_to_pay_is_nothing_to_record(theo, invoice):
    cast.payment(invoice)
    answer = theo.get(f"/w/harbour/invoices/{invoice.pk}/pay", follow=True).text
    assert "Nothing is left to pay" in answer


# --- states in the list -------------------------------------------------------------------------------------------


def test_each_state_has_its_badge_and_its_filter(theo, cafe, today):
    open_, part, late, paid, by_credit, void = (
        cast.invoice(cafe, date=today, due_date=today + timedelta(days=late)) for late in (5, 5, -3, 5, 5, 5)
    )
    cast.payment(part, "1.00")
    cast.payment(paid)
    note_credit_in_xero(by_credit, credit="c", name="Credit note CN-1", amount=D("19.80"), date=today)
    from provender.invoicing.actions import void_invoice

    void_invoice(void, by=None)
    badges = {row: badge(theo, row) for row in (open_, part, late, paid, by_credit, void)}
    assert list(badges.values()) == ["Open", "Part paid", "Overdue 3 days", "Paid", "Paid by credit", "Void"]
    shown = {
        state: set(theo.get(f"/w/harbour/invoices?status={state}").context["list"].found)
        for state in ("open", "part", "overdue", "paid", "void")
    }
    assert shown == {
        "open": {open_, part, late},
        "part": {part},
        "overdue": {late},
        "paid": {paid, by_credit},
        "void": {void},
    }


def test_the_list_sums_what_is_left_to_pay(theo, cafe, invoice):
    cast.payment(invoice, "9.80")
    cast.payment(cast.invoice(cafe))
    totals = theo.get("/w/harbour/invoices").context["list"].totals
    assert [(column.label, sum_) for column, sum_ in totals.sums] == [("not void", D("39.60")), ("to pay", D("10.00"))]


@pytest.mark.sqlite
def test_overdue_and_unpaid_are_read_by_an_index_of_the_few(theo, invoice, django_assert_max_num_queries):
    from django.db import connection

    for state, index in (("overdue", "invoice_unsettled_due"), ("open", "invoice_unsettled_newest")):
        rows = theo.get(f"/w/harbour/invoices?status={state}").context["list"].found[:26]
        with connection.cursor() as cursor:
            sql, params = rows.query.sql_with_params()
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            plan = " ".join(str(line[3]) for line in cursor.fetchall())
        assert index in plan, plan


# --- the list of payments -----------------------------------------------------------------------------------------


def test_payments_are_found_filtered_and_downloaded(theo, invoice, cafe, supplier):
    cast.payment(invoice, "4.00", reference="BANK-77", method="card")
    other = cast.invoice(cast.venue(supplier, "Harbour View"))
    cast.payment(other, "5.00", source=Payment.Source.XERO, date=date(2026, 11, 12))

    def amounts(query):
        return sorted(row.amount for row in theo.get(f"/w/harbour/payments?{query}").context["list"].found)

    assert amounts("") == [4, 5]
    assert amounts("q=bank-7") == [4]
    assert amounts(f"q={other.number}") == [5]
    assert amounts("source=xero") == [5]
    assert amounts("method=card") == [4]
    assert amounts("customer=View") == [5]
    assert amounts("date_from=2026-11-12&date_to=2026-11-12") == [5]
    csv = b"".join(theo.get("/w/harbour/payments?format=csv").streaming_content).decode()
    assert "BANK-77" in csv
    assert "Xero’s id" in csv
    assert b"".join(theo.get("/w/harbour/payments?format=xlsx").streaming_content)[:2] == b"PK"


def test_the_list_of_payments_asks_as_much_for_many_as_for_few(theo, cafe, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    cast.payment(cast.invoice(cafe))
    theo.get("/w/harbour/payments")
    with CaptureQueriesContext(connection) as few:
        theo.get("/w/harbour/payments")
    for _ in range(8):
        cast.payment(cast.invoice(cafe))
    with django_assert_num_queries(len(few)):
        theo.get("/w/harbour/payments")


def test_anothers_customer_shows_none_of_its_payments(theo, invoice, cafe):
    theirs = cast.venue(cast.supplier("southern"), "Elsewhere")
    cast.payment(cast.invoice(theirs), reference="Not Harbour's")
    cast.payment(invoice)
    for customer in (theirs.pk, "Elsewhere"):
        assert "Not Harbour" not in theo.get(f"/w/harbour/payments?customer={customer}").text
    assert "19.80" in theo.get(f"/w/harbour/payments?customer={cafe.pk}").text


# --- who owes what ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("late", "age"),
    [(-5, 0), (0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4), (4000, 4)],
)
def test_ages_begin_and_end_on_their_days(cafe, today, late, age):
    of_age(cafe, today, late)
    assert owed_of(cafe, today).ages == [D("19.80") if place == age else D(0) for place in range(len(AGES))]


def test_a_customer_owes_what_is_left_by_age_less_its_credit(cafe, today):
    for late in (-1, 10, 45, 75, 120):
        of_age(cafe, today, late)
    part = of_age(cafe, today, 10)
    cast.payment(part, "9.80")
    cast.payment(of_age(cafe, today, 10))
    note = cast.credit_note(cafe)  # 4.95
    allocate_credit(note, part, amount=D("1.95"), date=today)
    owed = owed_of(cafe, today)
    assert owed.ages == [D("19.80"), D("27.85"), D("19.80"), D("19.80"), D("19.80")]
    assert (owed.credit, owed.balance, owed.overdue) == (D("3.00"), D("104.05"), D("87.25"))


def test_another_wholesalers_customers_are_not_among_them(supplier, cafe, today, invoice):
    cast.invoice(cast.venue(cast.supplier("southern"), "Elsewhere"))
    assert set(owed_by(supplier, today)) == {cafe.pk}


def test_the_page_of_who_owes_what_adds_up_and_downloads(theo, supplier, cafe, today, invoice):
    of_age(cast.venue(supplier, "Late Lunch"), today, 40)
    page = theo.get("/w/harbour/payments/owed")
    text = page.text
    assert "Corner Cafe" in text
    assert "Late Lunch" in text
    sums = {column.key: sum_ for column, sum_ in page.context["list"].totals.sums}
    assert (sums["age0"], sums["age2"], sums["balance"]) == (D("19.80"), D("19.80"), D("39.60"))
    late = theo.get("/w/harbour/payments/owed?late=yes").context["list"].found
    assert [row.trading_name for row in late] == ["Late Lunch"]
    csv = b"".join(theo.get("/w/harbour/payments/owed?format=csv").streaming_content).decode()
    assert "Late Lunch,,,19.8" in csv


def test_the_customers_page_shows_its_balance(theo, cafe, invoice, today):
    of_age(cafe, today, 95)
    page = theo.get(f"/w/harbour/customers/{cafe.pk}").text
    assert "$39.60" in page
    assert "Over 90 days" in page


# --- with Xero ----------------------------------------------------------------------------------------------------


def test_check_now_on_an_invoice_tells_what_xero_has(theo, connection, order, sync, books):
    Connection.objects.update(mark_as_paid=True)
    sync()
    address = f"/w/harbour/invoices/{order.invoice.pk}"
    assert "Check now" in theo.get(address).text
    nothing = theo.post(f"{address}/check", follow=True, headers={"referer": f"http://testserver{address}"})
    assert "nothing new" in nothing.text
    payment = books.pay(order.invoice.number)
    said = theo.post(f"{address}/check", follow=True, headers={"referer": f"http://testserver{address}"}).text
    assert "is paid" in said
    assert payment["PaymentID"] in said


def test_the_xero_pages_check_reads_payments_too(theo, connection, order, sync, books):
    Connection.objects.update(mark_as_paid=True)
    sync()
    books.pay(order.invoice.number)
    said = theo.post("/w/harbour/xero/check", follow=True).text
    assert "1 payment read" in said
    assert Invoice.objects.get().settled_on
