"""The screens of invoices: the list with how each stands in Xero, the paper, its versions, editing and voiding."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

import cast
from provender.basics import clock
from provender.changes.models import Change
from provender.desk import lists
from provender.desk.invoices import InvoiceList
from provender.invoicing.actions import InvoiceDraft, import_invoices, revise_invoice, void_invoice
from provender.invoicing.models import Invoice
from provender.sync.models import Connection, Link, Problem, ToApprove

LIST = "/w/harbour/invoices"


@pytest.fixture
def theo(desk):
    return desk("theo")


@pytest.fixture
def books(supplier):
    """A connection to an organisation in Xero, with automatic sync off."""
    return Connection.objects.create(
        supplier=supplier, tenant="t-1", organisation="Harbour Pty Ltd", connected_at=clock.now()
    )


def in_xero(books, invoice, **fields):
    """The invoice has its twin in Xero, and nothing of it is due."""
    Change.objects.filter(document=invoice.pk).update(settled=1)
    fields = {"status": "AUTHORISED", "total": invoice.total, "number": invoice.number, "revision": 1} | fields
    return Link.objects.create(
        connection=books,
        kind="invoice",
        document=invoice.pk,
        xero_id=f"x-{invoice.number}",
        sent_at=clock.now(),
        **fields,
    )


def refused(books, invoice, cause="archived-account"):
    """Xero refused it."""
    words = {"number": invoice.number, "account": "260", "what": "Freight", "code": "260"}
    return Problem.objects.create(
        connection=books,
        kind="invoice",
        document=invoice.pk,
        revision=1,
        cause=cause,
        words=words,
        found_at=clock.now(),
    )


def found(browser, query, invoices):
    """The numbers of those invoices that the list shows."""
    page = browser.get(f"{LIST}?{query}").text
    return [invoice.number for invoice in invoices if f"/invoices/{invoice.pk}" in page]


def imported(customer, number="536365", *lines, **fields):
    """An invoice that no order stands behind."""
    dates = {"date": clock.today("Australia/Sydney"), "due_date": clock.today("Australia/Sydney")} | fields
    draft = InvoiceDraft(number, customer.pk, lines=lines or [cast.line("White mug", 6, "2.55", sku="MUG")], **dates)
    return Invoice.objects.get(pk=import_invoices(customer.supplier, [draft])[0].pk)


def typed(invoice, **changes):
    """The form of that invoice as it was shown."""
    lines = list(invoice.lines.all())
    fields = {
        "do": "save",
        "date": invoice.date.isoformat(),
        "due_date": invoice.due_date.isoformat(),
        "purchase_order": invoice.purchase_order,
        "comment": invoice.comment,
        "charge_key": [str(line.key) for line in lines],
        "charge_kind": [line.kind for line in lines],
        "charge_item": [line.description for line in lines],
        "charge_quantity": [str(line.quantity) for line in lines],
        "charge_price": [str(line.unit_price) for line in lines],
        "charge_tax": [line.tax_kind for line in lines],
    }
    return fields | changes


# --- the list -----------------------------------------------------------------------------------------------------


def test_search_finds_by_number_customer_order_and_purchase_order(theo, supplier):
    mug = imported(cast.venue(supplier, "Little Poppy"), "536365")
    ours = cast.placed_order(cast.venue(supplier), purchase_order="PO 77", order_date=clock.today("UTC")).invoice
    both = [mug, ours]
    assert found(theo, "q=536365", both) == [mug.number]
    assert found(theo, "q=poppy", both) == [mug.number]
    assert found(theo, "q=1", both) == [ours.number]  # a number without its prefix
    assert found(theo, "q=so-1", both) == [ours.number]
    assert found(theo, "q=po+7", both) == [ours.number]
    assert found(theo, "q=6365", both) == [mug.number]  # nothing begins with it, so anywhere
    assert found(theo, "q=nobody", both) == []


def test_search_never_finds_another_wholesalers(theo, supplier):
    theirs = imported(cast.venue(cast.supplier("southern")), "536365")
    assert found(theo, "q=536365", [theirs]) == found(theo, "", [theirs]) == []


def test_filters_by_standing_tell_what_the_badges_tell(theo, supplier, books):
    cafe = cast.venue(supplier)
    sent, needs, locked, waiting, off = (cast.invoice(cafe) for _ in range(5))
    for invoice in (sent, needs, locked):
        in_xero(books, invoice)
    refused(books, needs)
    refused(books, locked, "paid-or-credited")
    Change.objects.filter(document=waiting.pk).update(asked_at=clock.now())
    every = [sent, needs, locked, waiting, off]
    for state, one in [("sent", sent), ("needs-you", needs), ("locked", locked), ("waiting", waiting), ("off", off)]:
        assert found(theo, f"xero={state}", every) == [one.number]
        assert found(theo, f"xero={state}&q=INV&status=open&customer=corner", every) == [one.number]


def test_without_a_connection_every_invoice_is_off(theo, cafe):
    invoice = cast.invoice(cafe)
    assert found(theo, "xero=off", [invoice]) == [invoice.number]
    assert found(theo, "xero=sent", [invoice]) == []


def test_overdue_comes_longest_overdue_first(theo, cafe):
    today = clock.today("Australia/Sydney")
    late, later, fine = (
        cast.invoice(cafe, date=today - timedelta(days=40), due_date=today - timedelta(days=days))
        for days in (1, 9, -3)
    )
    void_invoice(cast.invoice(cafe, date=today - timedelta(days=40), due_date=today - timedelta(days=30)))
    page = theo.get(f"{LIST}?status=overdue").text
    assert page.index(later.number) < page.index(late.number)
    assert f"/invoices/{fine.pk}" not in page
    assert "Overdue 9 days" in page
    assert "2 invoices" in page


def test_void_invoices_are_counted_but_not_summed(theo, cafe):
    cast.invoice(cafe)
    void_invoice(cast.invoice(cafe))
    page = theo.get(LIST).text
    assert "2 invoices" in page
    assert "$19.80" in page


@pytest.mark.parametrize("sort", ["number", "-customer", "date", "-due", "-total", "total"])
def test_each_column_sorts(theo, cafe, sort):
    small, large = cast.invoice(cafe), cast.invoice(cafe, cast.line(quantity=40))
    page = theo.get(f"{LIST}?sort={sort}").text
    if "total" in sort:
        assert (page.index(large.number) < page.index(small.number)) == (sort == "-total")
    assert page.count('aria-sort="') == 1


def test_dates_and_customers_narrow_the_list(theo, supplier):
    today = clock.today(supplier.time_zone)
    cafe, bar = cast.venue(supplier), cast.venue(supplier, "Bar Lune")
    old, new = imported(cafe, "1", date=today - timedelta(days=9)), imported(bar, "2")
    assert found(theo, f"date_from={today}", [old, new]) == ["2"]
    assert found(theo, f"date_to={today - timedelta(days=1)}", [old, new]) == ["1"]
    assert found(theo, f"customer={bar.pk}", [old, new]) == ["2"]
    assert 'value="Bar Lune"' in theo.get(f"{LIST}?customer={bar.pk}").text


def test_send_to_xero_says_how_many_and_lets_them_go(theo, cafe, books):
    invoices = [cast.invoice(cafe), cast.invoice(cafe)]
    picked = {"action": "send", "pick": [invoice.pk for invoice in invoices]}
    assert "Send to Xero: 2 invoices?" in theo.post(LIST, picked).text
    page = theo.post(LIST, picked | {"sure": "1"}, follow=True).text
    assert "2 invoices on the way to Xero." in page
    assert Change.objects.filter(kind="invoice", asked_at__isnull=False).count() == 2


def test_drafts_in_xero_are_found_from_the_settings_and_approved_together(theo, cafe, books):
    drafts = [cast.invoice(cafe), cast.invoice(cafe)]
    approved = cast.invoice(cafe)
    for invoice in drafts:
        in_xero(books, invoice, status="DRAFT")
    in_xero(books, approved)
    books.auto_reconcile = True
    books.save()
    settings = theo.get("/w/harbour/xero/settings").text
    assert "2 invoices aren’t approved in Xero" in settings
    assert "?xero=unapproved" in settings
    assert set(found(theo, "xero=unapproved", [*drafts, approved])) == {one.number for one in drafts}
    picked = {"action": "approve", "pick": [one.pk for one in [*drafts, approved]], "sure": "1"}
    assert "2 drafts will be approved in Xero." in theo.post(LIST, picked, follow=True).text
    assert ToApprove.objects.filter(connection=books).count() == 2
    picked["pick"] = [approved.pk]
    assert "None of them is a draft in Xero." in theo.post(LIST, picked, follow=True).text


def test_the_order_desk_sees_no_sending(desk, cafe, books):
    cast.invoice(cafe)
    assert "Send to Xero" not in desk("mai").get(LIST).text


def test_the_download_tells_how_each_stands(theo, cafe, books):
    in_xero(books, cast.invoice(cafe))
    text = theo.get(f"{LIST}?format=csv").getvalue().decode()
    number, customer, *_, state = text.splitlines()[1].split(",")
    assert (number, customer, state) == ("INV-1", "Corner Cafe", "Sent")


def test_the_lists_queries_do_not_grow_with_its_rows(theo, supplier, books):
    def queries():
        with CaptureQueriesContext(connection) as run:
            theo.get(LIST)
        return len(run)

    queries()  # the first visit is noted in the session
    for number in range(2):
        in_xero(books, imported(cast.venue(supplier, f"Venue {number}"), f"A{number}"))
    refused(books, imported(cast.venue(supplier), "B"))
    few = queries()
    for number in range(2, 12):
        in_xero(books, imported(cast.venue(supplier, f"Venue {number}"), f"A{number}"))
    assert queries() == few <= 25


SORTED_BY_INDEX = {
    "invoices": ("", "page=1&per=50", "status=open", "status=overdue", "sort=-total", "sort=due", "sort=number"),
    "orders": ("sort=date", "sort=-date", "sort=delivery", "sort=-po"),
    "payments": ("sort=amount", "sort=-amount"),
    "credit-notes": ("sort=-total", "sort=number"),
}


@pytest.mark.sqlite
@pytest.mark.parametrize("list_", SORTED_BY_INDEX)
def test_a_page_reads_its_rows_by_an_index(theo, supplier, cafe, list_):
    """With 100,000 invoices no page may sort them all (benchmarks/lists.py measures it)."""
    cast.payment(cast.placed_order(cafe).invoice)
    cast.invoice(cafe)
    cast.credit_note(cafe)
    for query in SORTED_BY_INDEX[list_]:
        with CaptureQueriesContext(connection) as run:
            theo.get(f"/w/harbour/{list_}?{query}")
        rows = next(q["sql"] for q in run if "ORDER BY" in q["sql"] and q["sql"].endswith(("LIMIT 26", "LIMIT 51")))
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {rows}")
            plan = " ".join(str(step[3]) for step in cursor.fetchall())
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan, (query, plan)


@pytest.mark.parametrize("sort", ["customer", "-customer"])
def test_a_long_list_in_the_order_of_customers_is_the_same_as_a_short_one(theo, supplier, monkeypatch, sort):
    for number in range(12):
        venue = cast.venue(supplier, f"Venue {number:02}")
        for _ in range(number % 3):
            cast.invoice(venue)
    shown = InvoiceList(theo.get(f"{LIST}?sort={sort}").wsgi_request)
    whole = list(shown.found)
    assert len(whole) == 12
    monkeypatch.setattr(lists, "COUNTED", 3)
    shown = InvoiceList(theo.get(f"{LIST}?sort={sort}").wsgi_request)
    assert shown.is_long
    for start in range(13):
        assert shown.read(start, start + 5) == whole[start : start + 5]


# --- one invoice --------------------------------------------------------------------------------------------------


def test_the_page_looks_like_the_paper(theo, supplier):
    supplier.tax_number = "51 824 753 556"
    supplier.save()
    invoice = cast.placed_order(cast.venue(supplier, legal_name="Corner Cafe Pty Ltd"), purchase_order="PO 7").invoice
    page = theo.get(f"{LIST}/{invoice.pk}").text
    for text in ("Tax invoice", "ABN 51 824 753 556", "Corner Cafe Pty Ltd", "PO 7", "Oat milk 1L", "$19.80", "1.80"):
        assert text in page


def test_an_invoice_shows_what_changed_between_its_versions(theo, cafe):
    invoice = cast.invoice(cafe)
    revise_invoice(invoice, lines=[cast.line(quantity=6, key=invoice.lines.get().key)], why="One crate more")
    page = theo.get(f"{LIST}/{invoice.pk}").text
    assert "Line 1 Oat milk 1L: quantity 4 → 6" in page
    assert "One crate more" in page
    older = theo.get(f"{LIST}/{invoice.pk}?version=1").text
    assert "This is version 1" in older
    assert "$19.80" in older


def test_the_paper_keeps_the_names_it_was_issued_with(theo, cafe):
    invoice = cast.invoice(cafe)
    cafe.trading_name = "Other Name"
    cafe.save()
    paper = theo.get(f"{LIST}/{invoice.pk}").text.split('<article class="card paper')[1]
    assert "Corner Cafe" in paper
    assert "Other Name" not in paper.split("</article>")[0]


def test_the_twin_in_xero_stands_beside_it(theo, cafe, books):
    invoice = cast.invoice(cafe)
    in_xero(books, invoice, total=Decimal("19.81"))
    page = theo.get(f"{LIST}/{invoice.pk}").text
    assert "Awaiting payment" in page
    assert "$19.81" in page


def test_the_address_in_xero_leads_members_to_the_page(theo, desk, cafe):
    invoice = cast.invoice(cafe)
    assert theo.get(f"/invoice/{invoice.pk}").url == f"{LIST}/{invoice.pk}"
    stranger = desk("mai", cast.supplier("southern"))
    assert stranger.get(f"/invoice/{invoice.pk}").status_code == 404


def test_the_address_asks_strangers_to_log_in(client, cafe):
    assert client.get(f"/invoice/{cast.invoice(cafe).pk}").url.startswith("/account/login")


@pytest.mark.parametrize("end", ["", "/edit", "/void"])
def test_another_wholesalers_invoice_is_not_there(theo, end):
    theirs = cast.invoice(cast.venue(cast.supplier("southern")))
    assert theo.get(f"{LIST}/{theirs.pk}{end}").status_code == 404


def test_an_imported_invoice_is_edited_in_place(theo, cafe):
    invoice = imported(cafe)
    page = f"{LIST}/{invoice.pk}/edit"
    assert "Saving makes version 2" in theo.get(page).text
    theo.post(page, typed(invoice, charge_quantity=["8"], purchase_order="PO 9"))
    invoice.refresh_from_db()
    line = invoice.lines.get()
    assert (invoice.version, invoice.purchase_order, invoice.subtotal) == (2, "PO 9", Decimal("20.40"))
    assert (line.sku, line.kind, line.quantity) == ("MUG", "product", Decimal(8))


def test_lines_are_added_and_taken_off(theo, cafe):
    invoice = imported(cafe, "7", cast.line("White mug", 6, "2.55"), cast.line("Broken mug", -1, "2.55"))
    first = str(invoice.lines.first().key)
    rows = {
        "charge_key": [first, ""], "charge_kind": ["product", "freight"], "charge_item": ["White mug", "Post"],
        "charge_quantity": ["6", ""], "charge_price": ["2.55", "4"], "charge_tax": ["gst", "free"],
    }  # fmt: skip
    theo.post(f"{LIST}/{invoice.pk}/edit", typed(invoice, **rows))
    lines = list(invoice.lines.values_list("kind", "description", "quantity", "tax"))
    assert lines == [
        ("product", "White mug", Decimal(6), Decimal("1.53")),
        ("freight", "Post", Decimal(1), Decimal("0.00")),
    ]


def test_what_is_wrong_with_an_edit_shows_beside_what_was_typed(theo, cafe):
    invoice = imported(cafe)
    changes = {"charge_price": ["two"], "charge_item": [""], "due_date": "2020-01-01", "purchase_order": "PO 9"}
    page = theo.post(f"{LIST}/{invoice.pk}/edit", typed(invoice, **changes)).text
    for text in ('value="two"', 'value="PO 9"', "Write what it is for.", "falls due on its own date or later"):
        assert text in page
    invoice.refresh_from_db()
    assert invoice.version == 1


def test_an_invoice_that_would_come_to_less_than_nothing_stays(theo, cafe):
    invoice = imported(cafe)
    page = theo.post(f"{LIST}/{invoice.pk}/edit", typed(invoice, charge_price=["-2"])).text
    assert "needs a credit note" in page
    invoice.refresh_from_db()
    assert invoice.version == 1


def test_while_an_edit_is_typed_the_sums_follow(theo, cafe):
    invoice = imported(cafe)
    fields = typed(invoice, do="", charge_quantity=["10"])
    part = theo.post(f"{LIST}/{invoice.pk}/edit", fields, headers={"HX-Request": "true"}).text
    assert "$28.05" in part


def test_an_invoice_of_an_order_is_edited_and_voided_by_its_order(theo, cafe):
    order = cast.placed_order(cafe)
    page = f"{LIST}/{order.invoice.pk}"
    assert theo.get(f"{page}/edit").url == f"/w/harbour/orders/{order.pk}/edit"
    assert theo.get(f"{page}/void").url == f"/w/harbour/orders/{order.pk}/cancel"


def test_voiding_says_what_becomes_of_it_in_xero_first(theo, cafe, books):
    invoice = imported(cafe)
    link = in_xero(books, invoice)
    page = f"{LIST}/{invoice.pk}/void"
    assert "In Xero it is voided." in theo.get(page).text
    Link.objects.filter(pk=link.pk).update(status="DRAFT")
    assert "In Xero it is deleted" in theo.get(page).text
    theo.post(page, {"why": "Twice"})
    invoice.refresh_from_db()
    assert invoice.status == Invoice.Status.VOID
    shown = theo.get(f"{LIST}/{invoice.pk}").text
    assert "Void since" in shown
    assert "Voided: Twice" in shown


def test_a_void_invoice_is_not_edited(theo, cafe):
    invoice = void_invoice(imported(cafe))
    page = theo.get(f"{LIST}/{invoice.pk}/edit", follow=True).text
    assert "is void and can’t be changed" in page


def test_a_reader_looks_but_changes_nothing(desk, cafe):
    invoice, rex = imported(cafe), desk("rex")
    page = rex.get(f"{LIST}/{invoice.pk}").text
    assert f"{LIST}/{invoice.pk}/edit" not in page
    assert rex.get(f"{LIST}/{invoice.pk}/edit").status_code == 403
    assert rex.post(f"{LIST}/{invoice.pk}/void").status_code == 403
