"""The settings of the connection, with their proposals, marks and refusals."""

import pytest

from provender.sync.models import Connection

pytestmark = pytest.mark.django_db
ADDRESS = "/w/harbour/xero/settings"


@pytest.fixture
def theo(desk, connection):
    """The bookkeeper's browser, at a connected wholesaler."""
    return desk("theo")


def choices_of(connection):
    """The form as it stands, ready to be sent."""
    fields = (
        "sales_account", "invoice_account", "freight_account", "surcharge_account", "clearing_account",
        "invoice_status", "tax_type_gst", "tax_type_free", "fee_account", "credit_note_status",
        "removed_payments",
    )  # fmt: skip
    return {field: getattr(connection, field) for field in fields} | {"automatic_sync": "on"}


def account(connection, code):
    return connection.accounts.get(code=code).account_id


def test_proposals_are_chosen_until_something_is_saved(theo, connection):
    Connection.objects.update(settings_saved_at=None, freight_account="", automatic_sync=False)
    page = theo.get(ADDRESS)
    assert "Nothing is saved yet" in page.text
    form = page.context["form"]
    assert form["freight_account"].value() == account(connection, "265")
    assert form["automatic_sync"].value() is True


def test_each_setting_has_its_sentence_and_its_mark(theo):
    page = theo.get(ADDRESS).text
    assert page.count("There, and active") == 7
    assert "Where product lines go, unless the product has a sales account of its own." in page
    assert "Tax type for GST-free lines" in page


def test_the_switch_says_since_when_and_what_that_means(theo):
    page = theo.get(ADDRESS).text
    assert "On since" in page
    assert "imported ones, are sent only when asked for" in page


def test_saving_says_so(theo, connection):
    sent = choices_of(connection) | {"sales_account": account(connection, "260")}
    page = theo.post(ADDRESS, sent, follow=True)
    assert "Saved. Automatic sync is on" in page.text
    connection.refresh_from_db()
    assert connection.sales_account == account(connection, "260")


def test_switching_off_says_what_then(theo, connection):
    sent = choices_of(connection)
    del sent["automatic_sync"]
    assert "only by “Send to Xero”" in theo.post(ADDRESS, sent, follow=True).text


def test_an_archived_account_is_refused_at_its_field(theo, connection, books):
    sent = choices_of(connection)
    books.archive_account("265")
    theo.post("/w/harbour/xero/reload")
    page = theo.post(ADDRESS, sent)
    assert page.status_code == 200
    assert "is archived in Xero" in page.context["form"].errors["freight_account"][0]
    assert "265 · Freight Income (can’t be used)" in page.text


def test_an_account_that_xero_just_refused_is_marked(theo, order, books, sync):
    """The button of the problem leads here; what our copy said before the refusal would deny it."""
    books.archive_account("200")
    sync()
    assert "The accounts are there and active" not in theo.get("/w/harbour/xero").text
    page = theo.get(ADDRESS).text
    assert "200 · Sales (can’t be used)" in page
    assert "is archived in Xero" in page


def test_an_account_that_was_archived_a_minute_ago_is_refused(theo, connection, books, xero):
    """Our copy of the chart still has it; Xero is asked before something newly chosen is saved."""
    books.archive_account("260")
    page = theo.post(ADDRESS, choices_of(connection) | {"sales_account": account(connection, "260")})
    assert "260 · Other Revenue is archived in Xero" in page.context["form"].errors["sales_account"][0]
    xero.faults.add("500", path="/api.xro/2.0/*")
    page = theo.post(ADDRESS, choices_of(connection) | {"freight_account": account(connection, "200")}, follow=True)
    assert "Saved." in page.text


def test_switches_alone_ask_nothing_of_xero(theo, connection, xero):
    xero.stats.reset()
    theo.post(ADDRESS, choices_of(connection) | {"mark_as_paid": "on"})
    assert not xero.stats.calls


@pytest.mark.parametrize(("field", "rate", "why"), [
    ("tax_type_gst", "EXEMPTOUTPUT", "a rate above 0 % is needed for taxed lines"),
    ("tax_type_free", "OUTPUT", "a rate of 0 % is needed for tax-free lines"),
    ("tax_type_gst", "INPUT", "can't be used on sales in Xero"),
])  # fmt: skip
def test_a_tax_rate_that_such_lines_cannot_carry_is_refused(theo, connection, field, rate, why):
    page = theo.post(ADDRESS, choices_of(connection) | {field: rate})
    assert why in page.context["form"].errors[field][0]


def test_an_account_from_nowhere_is_refused(theo, connection):
    page = theo.post(ADDRESS, choices_of(connection) | {"sales_account": "not-an-account"})
    assert "no longer in Xero" in page.context["form"].errors["sales_account"][0]


def test_a_tax_type_must_be_chosen(theo, connection):
    page = theo.post(ADDRESS, choices_of(connection) | {"tax_type_gst": ""})
    assert page.context["form"].errors["tax_type_gst"] == ["Choose one."]


def test_the_mark_follows_what_is_picked(theo, connection):
    good = theo.get(f"{ADDRESS}/mark/sales_account", {"sales_account": account(connection, "200")}).text
    bad = theo.get(f"{ADDRESS}/mark/sales_account", {"sales_account": account(connection, "800")}).text
    none = theo.get(f"{ADDRESS}/mark/sales_account", {"sales_account": ""}).text
    assert "There, and active" in good
    assert "Can’t be used any more" in bad
    assert "Not chosen" in none
    assert theo.get(f"{ADDRESS}/mark/automatic_sync").status_code == 404


def test_who_may_only_look_sees_them_and_saves_nothing(desk, connection):
    rex = desk("rex")
    page = rex.get(ADDRESS).text
    assert "disabled" in page
    assert "Save settings" not in page
    assert rex.post(ADDRESS, choices_of(connection)).status_code == 403


def test_money_settings_are_saved(theo, connection):
    sent = choices_of(connection) | {
        "fee_account": account(connection, "404"),
        "credit_note_status": "DRAFT",
        "payments_to_xero": "on",
        "auto_reconcile": "on",
    }
    assert "Saved." in theo.post(ADDRESS, sent, follow=True).text
    connection.refresh_from_db()
    assert (connection.payments_to_xero, connection.auto_reconcile, connection.refunds_to_xero) == (True, True, False)
    assert (connection.fee_account, connection.credit_note_status) == (account(connection, "404"), "DRAFT")


@pytest.mark.parametrize(
    ("chosen", "field", "says"),
    [
        ({"clearing_account": "", "auto_reconcile": "on"}, "clearing_account", "Auto reconciliation needs it"),
        ({"fee_account": "200"}, "fee_account", "is no expense account"),
        ({"fee_account": "090"}, "fee_account", "is no expense account"),
        ({"fee_account": "404", "clearing_account": "880"}, "fee_account", "spends fees from bank accounts only"),
        ({"credit_note_status": "PAID"}, "credit_note_status", "Draft or Approved"),
        ({"removed_payments": "hide"}, "removed_payments", "open again or a person"),
    ],
)
def test_what_money_in_xero_needs_is_said_at_its_field(theo, connection, chosen, field, says):
    connection.accounts.filter(code="880").update(takes_payments=True)
    ids = {name: account(connection, value) for name, value in chosen.items() if value.isdigit()}
    page = theo.post(ADDRESS, choices_of(connection) | chosen | ids)
    assert says in page.context["form"].errors[field][0]
