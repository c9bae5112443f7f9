from decimal import Decimal

import pytest
from tests.xero_simulator.conftest import invoice, line, texts

from xero_simulator import messages


def test_tax_is_rounded_on_each_line_then_added(xero):
    odd = line(Quantity=1, UnitAmount="0.15")
    saved = xero.invoice(LineItems=[odd, odd, odd])
    assert (saved["SubTotal"], saved["TotalTax"], saved["Total"]) == (0.45, 0.06, 0.51)


def test_inclusive_amounts_hold_their_tax(xero):
    saved = xero.invoice(LineAmountTypes="Inclusive", LineItems=[line(Quantity=1, UnitAmount="110")])
    assert (saved["SubTotal"], saved["TotalTax"], saved["Total"]) == (100, 10, 110)


def test_without_unitdp_prices_fall_to_two_places_on_every_update(xero):
    saved = xero.invoice(LineItems=[line(Quantity=100, UnitAmount="1.2345")])
    assert saved["LineItems"][0]["LineAmount"] == 123.45
    xero.post(f"Invoices/{saved['InvoiceID']}", {"Reference": "changed"})
    again = xero.get(f"Invoices/{saved['InvoiceID']}", unitdp=4).json()["Invoices"][0]
    assert again["LineItems"][0]["UnitAmount"] == 1.23
    assert again["LineItems"][0]["LineAmount"] == 123.00


@pytest.mark.parametrize(
    ("fields", "total"),
    [
        ({"SubTotal": 20, "TotalTax": 2, "Total": "21.95", "RoundingAmount": "-0.05"}, 21.95),
        ({"SubTotal": 20, "TotalTax": 2, "Total": "22.05", "RoundingAmount": "-0.05"}, 22),  # doesn't add up
        ({"SubTotal": 20, "TotalTax": 2, "Total": "21.80", "RoundingAmount": "-0.20"}, 22),  # too much
        ({"Total": "21.95", "RoundingAmount": "-0.05"}, 22),  # not all are there
        ({"SubTotal": 20, "TotalTax": 2, "Total": "21.95", "RoundingAmount": "-0.05", "Status": "DRAFT"}, 22),
        ({"Total": 7}, 22),
    ],
)
def test_a_rounding_counts_when_the_sums_beside_it_are_right(xero, fields, total):
    saved = xero.invoice(**fields)
    assert (saved["Total"], saved["AmountDue"]) == (total, total)
    assert saved.get("RoundingAmount", 0) == (-0.05 if total < 22 else 0)
    after = xero.post(f"Invoices/{saved['InvoiceID']}", {"Reference": "x"}).json()["Invoices"][0]
    assert after["Total"] == total


def test_discounts_have_their_places(xero):
    saved = xero.put("Invoices", invoice(LineItems=[line(DiscountRate=5), line(DiscountRate="2.345")]))
    assert '"DiscountRate":5.00' in saved.text
    assert '"DiscountRate":2.3450' in saved.text


def test_put_refuses_a_number_that_post_updates(xero):
    xero.invoice(InvoiceNumber="A-1")
    assert texts(xero.put("Invoices", invoice(InvoiceNumber="A-1"))) == [messages.INVOICE_NUMBER_TAKEN]
    answer = xero.post("Invoices", invoice(InvoiceNumber="A-1", Reference="second"))
    assert answer.json()["Invoices"][0]["Reference"] == "second"
    assert len(xero.list("Invoices")) == 1


def test_lines_left_out_of_an_update_are_deleted(xero):
    saved = xero.invoice(LineItems=[line(Description="one"), line(Description="two")])
    keep = {"LineItemID": saved["LineItems"][1]["LineItemID"], "Quantity": 5}
    answer = xero.post(f"Invoices/{saved['InvoiceID']}", {"LineItems": [keep]}).json()["Invoices"][0]
    assert [(one["Description"], one["Quantity"]) for one in answer["LineItems"]] == [("two", 5)]
    assert answer["LineItems"][0]["LineItemID"] == keep["LineItemID"]
    assert answer["SubTotal"] == 50


def test_one_bad_element_refuses_the_whole_call_and_saves_nothing(xero):
    good, bad = invoice(InvoiceNumber="A-1"), invoice(InvoiceNumber="A-2", LineItems=[line(AccountCode="999")])
    answer = xero.put("Invoices", {"Invoices": [good, bad]})
    assert answer.status_code == 400
    assert [e["InvoiceNumber"] for e in answer.json()["Elements"]] == ["A-2"]
    assert texts(answer) == [messages.account_code_invalid("999")]
    assert xero.list("Invoices") == []


def test_with_summarize_errors_false_each_element_has_its_own_verdict(xero):
    good, bad = invoice(InvoiceNumber="A-1"), invoice(InvoiceNumber="A-2", LineItems=[line(AccountCode="299")])
    answer = xero.put("Invoices", {"Invoices": [bad, good]}, summarizeErrors="False")
    assert answer.status_code == 200
    assert [e["StatusAttributeString"] for e in answer.json()["Invoices"]] == ["ERROR", "OK"]
    assert texts(answer) == [messages.account_archived("299")]
    assert [i["InvoiceNumber"] for i in xero.list("Invoices")] == ["A-1"]


def test_each_part_of_an_element_tells_what_is_wrong_with_it(xero):
    """The document tells everything; the line, the contact or the payment its own share once more."""
    xero.simulator.organisation().archive_contact("Ridgeway Bakery")
    (told,) = xero.put("Invoices", invoice(Contact={"Name": "Ridgeway Bakery"})).json()["Elements"]
    archived = [{"Message": messages.CONTACT_ARCHIVED}]
    assert told["ValidationErrors"] == told["Contact"]["ValidationErrors"] == archived
    assert told["Contact"]["HasValidationErrors"] is True
    wrong = invoice(LineItems=[line(), line(AccountCode="1"), line(AccountCode="1", Description=None)])
    (told,) = xero.put("Invoices", wrong).json()["Elements"]
    account, bare = ({"Message": text} for text in (messages.account_code_invalid("1"), messages.DESCRIPTION_REQUIRED))
    assert told["ValidationErrors"] == [account, bare]
    assert [one["ValidationErrors"] for one in told["LineItems"]] == [[], [account], [account, bare]]
    owed = {"Invoice": {"InvoiceID": xero.invoice()["InvoiceID"]}}
    batch = {
        "Account": {"Code": "200"},
        "Date": "2026-11-25",
        "Payments": [{**owed, "Amount": 1}, {**owed, "Amount": 99}],
    }
    (told,) = xero.put("BatchPayments", batch, summarizeErrors=False).json()["BatchPayments"]
    assert told["Account"]["ValidationErrors"] == [{"Message": messages.PAYMENT_ACCOUNT_MISSING}]
    assert [one["ValidationErrors"] for one in told["Payments"]] == [[], [{"Message": messages.PAYMENT_TOO_LARGE}]]
    nobody = {"Invoice": {"InvoiceNumber": "?"}, "Account": {"Code": "090"}, "Amount": 1}
    (told,) = xero.put("Payments", nobody).json()["Elements"]
    assert [one["Message"] for one in told["Invoice"]["ValidationErrors"]] == [messages.INVOICE_ID_UNKNOWN]
    (told,) = xero.put("Items", {"Code": "X", "SalesDetails": {"AccountCode": "1"}}).json()["Elements"]
    assert told["SalesDetails"]["ValidationErrors"] == [{"Message": messages.ACCOUNT_MUST_BE_VALID}]


def test_a_400_may_have_saved_the_valid_elements(xero, simulator):
    simulator.switches["batch_400_saves_valid"] = True
    bad = invoice(LineItems=[line(AccountCode="999")])
    assert xero.put("Invoices", {"Invoices": [invoice(InvoiceNumber="A-1"), bad]}).status_code == 400
    assert [i["InvoiceNumber"] for i in xero.list("Invoices")] == ["A-1"]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"LineItems": [line(AccountCode="090")]}, messages.account_code_invalid("090")),
        ({"LineItems": [line(AccountCode="610")]}, messages.account_code_invalid("610")),
        ({"LineItems": [{**line(), "AccountCode": None}]}, messages.ACCOUNT_REQUIRED),
        ({"LineItems": [line(TaxType="INPUT")]}, messages.tax_type_not_for_account("INPUT", "200")),
        ({"LineItems": [line(TaxType="NOPE")]}, messages.tax_type_unknown("NOPE")),
        ({"LineItems": [line(ItemCode="NOPE")]}, messages.item_code_invalid("NOPE")),
        ({"LineItems": [line(LineAmount="19.99")]}, messages.line_total_differs("19.99", "20.00")),
        ({"LineItems": [line(TaxAmount="99")]}, messages.TAX_ABOVE_LINE),
        ({"LineItems": [line(Quantity="1e40")]}, messages.NUMBER_OUT_OF_RANGE),
        ({"LineItems": [line(UnitAmount="-10")]}, messages.NEGATIVE_TOTAL),
        ({"Status": "PAID"}, messages.INVOICE_NOT_CREATABLE),
        ({"CurrencyCode": "EUR"}, messages.currency_not_subscribed("EUR")),
        ({"Contact": {}}, messages.CONTACT_UNIDENTIFIED),
        ({"Contact": {"Name": "Old Town Deli (closed)"}}, messages.CONTACT_ARCHIVED),
        ({"Url": "https://go.xero.com/1"}, messages.URL_INVALID),
    ],
)
def test_refusals_of_a_new_invoice(xero, fields, text):
    answer = xero.put("Invoices", invoice(**fields))
    assert answer.status_code == 400
    assert texts(answer) == [text]


def test_the_required_parts_are_missed_together(xero):
    assert texts(xero.put("Invoices", {"Status": "DRAFT"})) == [
        messages.CONTACT_REQUIRED,
        messages.LINES_REQUIRED,
        messages.TYPE_REQUIRED,
    ]


def test_a_name_on_an_invoice_creates_a_contact_once(xero):
    before = len(xero.list("Contacts"))
    xero.invoice(Contact={"Name": "Brand New"})
    xero.invoice(Contact={"Name": "brand  néw"})
    assert len(xero.list("Contacts")) == before + 1


def test_a_field_beside_the_contact_id_updates_it_and_drops_its_persons(xero):
    contact = next(c for c in xero.list("Contacts", page=1) if c["ContactPersons"])
    xero.invoice(Contact={"ContactID": contact["ContactID"]})
    assert xero.get(f"Contacts/{contact['ContactID']}").json()["Contacts"][0]["ContactPersons"]
    xero.invoice(Contact={"ContactID": contact["ContactID"], "Name": contact["Name"]})
    assert xero.get(f"Contacts/{contact['ContactID']}").json()["Contacts"][0]["ContactPersons"] == []


def test_paid_flips_and_flips_back(xero, simulator):
    xero.invoice(InvoiceNumber="A-1")
    bookkeeper = simulator.organisation()
    bookkeeper.pay("A-1", "10")
    payment = bookkeeper.pay("A-1")
    assert bookkeeper.find_invoice("A-1")["Status"] == "PAID"
    bookkeeper.remove_payment(payment)
    reopened = bookkeeper.find_invoice("A-1")
    assert (reopened["Status"], reopened["AmountDue"]) == ("AUTHORISED", Decimal("12.00"))


def test_an_invoice_that_comes_to_nothing_is_paid(xero):
    saved = xero.invoice(InvoiceNumber="A-1")
    free = {"LineItems": [{"LineItemID": saved["LineItems"][0]["LineItemID"], "UnitAmount": 0}]}
    assert xero.post("Invoices/A-1", free).json()["Invoices"][0]["Status"] == "PAID"
    assert xero.invoice(LineItems=[line(UnitAmount=0)])["Status"] == "PAID"
    again = xero.post("Invoices/A-1", {**free, "Status": "PAID", "Reference": "gift"}).json()["Invoices"][0]
    assert (again["Status"], again["Reference"]) == ("PAID", "gift")
    dear = {"LineItems": [{"LineItemID": saved["LineItems"][0]["LineItemID"], "UnitAmount": 5}]}
    assert xero.post("Invoices/A-1", dear).json()["Invoices"][0]["Status"] == "AUTHORISED"
    assert xero.post("Invoices/A-1", free).json()["Invoices"][0]["Status"] == "PAID"
    assert xero.post("Invoices/A-1", {"Status": "VOIDED"}).json()["Invoices"][0]["Status"] == "VOIDED"
    note = xero.simulator.organisation().type_credit_note("Basket Case Café", [line(UnitAmount=0)])
    void = xero.post(f"CreditNotes/{note['CreditNoteID']}", {"Status": "VOIDED"})
    assert [note["Status"], void.json()["CreditNotes"][0]["Status"]] == ["PAID", "VOIDED"]


def test_paid_or_part_paid_invoices_refuse_edits_and_voids(xero, simulator):
    xero.invoice(InvoiceNumber="A-1")
    simulator.organisation().pay("A-1", "10")
    edit = xero.post("Invoices/A-1", {"LineItems": [line(Quantity=9)]})
    assert texts(edit) == [messages.PAID_OR_CREDITED]
    assert texts(xero.post("Invoices/A-1", {"Status": "VOIDED"})) == [messages.status_blocked_by_payment("VOIDED")]
    assert xero.post("Invoices/A-1", {"DueDate": "2027-01-01"}).status_code == 200
    simulator.organisation().pay("A-1")
    assert texts(xero.post("Invoices/A-1", {"DueDate": "2027-02-01"})) == [
        messages.PAID_OR_CREDITED,
        messages.INVOICE_NOT_MODIFIABLE,
    ]


def test_drafts_are_deleted_and_approved_ones_voided(xero):
    xero.invoice(InvoiceNumber="A-1", Status="DRAFT")
    xero.invoice(InvoiceNumber="A-2")
    assert texts(xero.post("Invoices/A-1", {"Status": "VOIDED"})) == [messages.INVOICE_NOT_MODIFIABLE]
    assert xero.post("Invoices/A-1", {"Status": "DELETED"}).json()["Invoices"][0]["Status"] == "DELETED"
    assert xero.post("Invoices/A-2", {"Status": "VOIDED"}).json()["Invoices"][0]["Status"] == "VOIDED"
    assert texts(xero.post("Invoices/A-2", {"Reference": "late"})) == [messages.INVOICE_NOT_MODIFIABLE]


def test_both_lock_dates_speak(xero, simulator):
    from datetime import date

    xero.invoice(InvoiceNumber="A-1")
    simulator.organisation().set_lock_dates(date(2026, 11, 30), date(2026, 11, 30))
    locked = [messages.before_period_lock(date(2026, 11, 30)), messages.before_year_lock(date(2026, 11, 30))]
    assert texts(xero.put("Invoices", invoice())) == locked
    assert texts(xero.post("Invoices/A-1", {"Reference": "x"})) == locked
    assert texts(xero.post("Invoices/A-1", {"Status": "VOIDED"})) == locked
    assert "currently set at 30-Nov-2026" in locked[0]
    assert xero.put("Invoices", invoice(Status="DRAFT")).status_code == 200


def test_contacts_are_unique_by_folded_name_and_number(xero):
    assert texts(xero.put("Contacts", {"Name": "BASKET CASE CAFE"})) == [
        messages.contact_name_taken("BASKET CASE CAFE")
    ]
    xero.put("Contacts", {"Name": "Ours", "ContactNumber": "pv-1"})
    assert texts(xero.put("Contacts", {"Name": "Theirs", "ContactNumber": "pv-1"})) == [
        messages.contact_number_taken("pv-1")
    ]
    renamed = xero.post("Contacts", {"Name": "Ours, renamed", "ContactNumber": "pv-1"}).json()["Contacts"][0]
    assert renamed["Name"] == "Ours, renamed"


@pytest.mark.parametrize("kind", ["Exclusive", "Inclusive"])
def test_a_line_that_comes_to_too_much_is_refused(xero, kind):
    huge = line(Quantity="999999999999999", UnitAmount="999999999999999")
    assert messages.LINE_AMOUNT_TOO_LARGE in texts(
        xero.put("Invoices", invoice(LineAmountTypes=kind, LineItems=[huge]))
    )


@pytest.mark.parametrize("number", ["NaN", "-Infinity", " inf ", "sNaN"])
def test_what_is_no_number_is_unreadable_where_one_belongs(xero, number):
    one = invoice(Contact={"Name": number.strip()}, LineItems=[line(AccountCode="1")])
    assert texts(xero.put("Invoices", one)) == [messages.account_code_invalid("1")]
    one["LineItems"][0]["Quantity"] = number
    assert xero.put("Invoices", one).json()["Type"] == "PostDataInvalidException"


@pytest.mark.parametrize("body", [b"", b"{", b"[[[[", b'{"Invoices": 5}', b"\xff", b'{"Invoices":[{"LineItems":"x"}]}'])
def test_what_cannot_be_read_is_a_post_data_exception(xero, body):
    answer = xero.http.put("/api.xro/2.0/Invoices", content=body, headers=xero.tokens.headers)
    assert answer.status_code == 400
    assert answer.json()["Type"] == "PostDataInvalidException"


@pytest.mark.parametrize("body", ["<Invoices><Invoice/></Invoices>", "xml=%3CInvoices%2F%3E"])
def test_xml_is_refused_by_its_name(xero, body):
    answer = xero.http.put("/api.xro/2.0/Invoices", content=body, headers=xero.tokens.headers)
    assert answer.json()["Message"].startswith("Xml for post data was invalid, ")


def test_numbers_may_be_strings_unless_the_switch_says_no(xero, simulator):
    assert xero.put("Invoices", invoice(InvoiceNumber=17)).status_code == 200
    simulator.switches["strings_as_numbers"] = False
    assert xero.put("Invoices", invoice()).json()["Type"] == "PostDataInvalidException"
    whole = invoice(LineItems=[line(UnitAmount=10)], CurrencyRate=1)  # a whole number is one all the same
    made = xero.put("Invoices", whole)
    paid = {"Invoice": {"InvoiceNumber": made.json()["Invoices"][0]["InvoiceNumber"]}, "Account": {"Code": "090"}}
    assert xero.put("Payments", {**paid, "Amount": 22}).status_code == 200
    prices = {"SalesDetails": {"UnitPrice": 3}}
    assert xero.put("Items", {"Code": "WHOLE", **prices}).status_code == 200
    terms = {"PaymentTerms": {"Sales": {"Day": 7, "Type": "DAYSAFTERBILLDATE"}}}
    assert xero.put("Contacts", {"Name": "Whole", **terms}).status_code == 200


@pytest.mark.parametrize(
    "part",
    [
        {"Addresses": [{"AddressType": "HOME"}]},
        {"Phones": [{"PhoneType": "PAGER"}]},
        {"PaymentTerms": {"Bills": {"Day": 7, "Type": "SOON"}}},
    ],
)
def test_parts_of_a_contact_have_a_known_type(xero, part):
    assert texts(xero.put("Contacts", {"Name": "Typed", **part})) == [messages.CONTACT_PART_TYPE_INVALID]
