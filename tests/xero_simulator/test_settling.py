from datetime import date

import pytest
from tests.xero_simulator.conftest import invoice, line, texts

from xero_simulator import messages
from xero_simulator.errors import Invalid

CAFE = "Basket Case Café"


def credit_note(**fields):
    return {
        "Type": "ACCRECCREDIT",
        "Contact": {"Name": "Basket Case Café"},
        "Date": "2026-11-25",
        "Status": "AUTHORISED",
        "LineItems": [line(Quantity=1)],
        **fields,
    }


def credit(xero, **fields):
    answer = xero.put("CreditNotes", credit_note(**fields))
    assert answer.status_code == 200, answer.text
    return answer.json()["CreditNotes"][0]


def allocate(xero, note, owed, amount):
    body = {"Allocations": [{"Amount": amount, "Date": "2026-11-25", "Invoice": {"InvoiceID": owed["InvoiceID"]}}]}
    return xero.put(f"CreditNotes/{note['CreditNoteID']}/Allocations", body)


def state(xero, owed):
    found = xero.get(f"Invoices/{owed['InvoiceID']}").json()["Invoices"][0]
    return found["Status"], found["AmountDue"], found["AmountPaid"], found["AmountCredited"]


def pay(owed, amount, **fields):
    return {
        "Invoice": {"InvoiceID": owed["InvoiceID"]},
        "Account": {"Code": "090"},
        "Date": "2026-11-26",
        "Amount": amount,
        **fields,
    }


def test_credit_pays_an_invoice_and_can_be_taken_back(xero):
    owed, note = xero.invoice(), credit(xero, LineItems=[line()])
    answer = allocate(xero, note, owed, 22)
    assert answer.json()["Allocations"][0]["Amount"] == 22
    assert state(xero, owed) == ("PAID", 0, 0, 22)
    shown = xero.get(f"CreditNotes/{note['CreditNoteID']}").json()["CreditNotes"][0]
    assert (shown["Status"], shown["RemainingCredit"]) == ("PAID", 0)
    allocation = shown["Allocations"][0]["AllocationID"]
    undone = xero.call("DELETE", f"CreditNotes/{note['CreditNoteID']}/Allocations/{allocation}").json()
    assert undone["IsDeleted"] is True
    assert state(xero, owed) == ("AUTHORISED", 22, 0, 0)


def test_what_allocating_and_taking_back_answer(xero, simulator):
    owed, note = xero.invoice(), credit(xero, Date="2026-11-20")
    first = allocate(xero, note, owed, 5).json()["Allocations"][0]
    assert first["CreditNote"]["CreditNoteID"] == note["CreditNoteID"]
    simulator.switches["allocating_tells_id"] = False
    assert "AllocationID" not in allocate(xero, note, owed, 5).json()["Allocations"][0]
    path = f"CreditNotes/{note['CreditNoteID']}"
    shown = xero.get(path).json()["CreditNotes"][0]["Allocations"]
    assert {one["DateString"] for one in shown} == {"2026-11-24T00:00:00"}  # the later of the two documents' dates
    undone = xero.call("DELETE", f"{path}/Allocations/{first['AllocationID']}").json()
    assert undone["AllocationId"] == first["AllocationID"]
    assert undone["Invoice"] == [{"InvoiceID": owed["InvoiceID"]}]
    assert xero.call("DELETE", f"{path}/Allocations/{first['AllocationID']}").status_code == 404


def test_credit_in_a_locked_period_is_neither_given_nor_taken_back(xero, simulator):
    owed, note = xero.invoice(), credit(xero)
    made = allocate(xero, note, owed, 5).json()["Allocations"][0]["AllocationID"]
    simulator.organisation().set_lock_dates(period=date(2026, 11, 30))
    locked = [messages.before_period_lock(date(2026, 11, 30))]
    assert texts(allocate(xero, note, owed, 5)) == locked
    undone = xero.call("DELETE", f"CreditNotes/{note['CreditNoteID']}/Allocations/{made}")
    assert (undone.status_code, texts(undone)) == (400, locked)
    with pytest.raises(Invalid):
        simulator.organisation().remove_allocation(made)
    assert state(xero, owed) == ("AUTHORISED", 17, 0, 5)


def test_credit_has_its_limits(xero):
    owed, note = xero.invoice(), credit(xero)
    other = xero.invoice(Contact={"Name": "Somebody Else"})
    assert texts(allocate(xero, note, owed, 12)) == [messages.ALLOCATION_TOO_LARGE]
    assert texts(allocate(xero, note, other, 5)) == [messages.ALLOCATION_CONTACT]
    assert texts(allocate(xero, note, owed, 0)) == [messages.ALLOCATION_AMOUNT_INVALID]
    draft = credit(xero, Status="DRAFT")
    assert texts(allocate(xero, draft, owed, 5)) == [messages.ALLOCATION_NEEDS_AUTHORISED]


def test_another_contacts_credit_by_switch(xero, simulator):
    simulator.switches["allocation_needs_same_contact"] = False
    other = xero.invoice(Contact={"Name": "Somebody Else"})
    assert allocate(xero, credit(xero), other, 5).status_code == 200


def test_credit_notes_are_numbered_unique_and_edited_like_invoices(xero):
    note = credit(xero, CreditNoteNumber="CN-1")
    assert texts(xero.put("CreditNotes", credit_note(CreditNoteNumber="CN-1"))) == [messages.CREDIT_NOTE_NUMBER_TAKEN]
    changed = xero.post("CreditNotes", {"CreditNoteID": note["CreditNoteID"], "Reference": "ours"})
    assert changed.json()["CreditNotes"][0]["Reference"] == "ours"
    allocate(xero, note, xero.invoice(), 5)
    assert texts(xero.post("CreditNotes/CN-1", {"Reference": "again"})) == [messages.PAID_OR_CREDITED]
    other = credit(xero)
    assert xero.post(f"CreditNotes/{other['CreditNoteID']}", {"Status": "VOIDED"}).status_code == 200
    assert texts(xero.post(f"CreditNotes/{other['CreditNoteID']}", {"Reference": "x"})) == [
        messages.CREDIT_NOTE_NOT_MODIFIABLE
    ]


def test_a_credit_note_is_refunded_by_a_payment(xero):
    note = credit(xero)
    body = {"CreditNote": {"CreditNoteID": note["CreditNoteID"]}, "Account": {"Code": "090"}, "Amount": 11}
    paid = xero.put("Payments", body).json()["Payments"][0]
    assert paid["PaymentType"] == "ARCREDITPAYMENT"
    assert (paid["Invoice"]["Type"], paid["Invoice"]["InvoiceID"]) == ("ACCRECCREDIT", note["CreditNoteID"])
    refunded = xero.get(f"CreditNotes/{note['CreditNoteID']}").json()["CreditNotes"][0]
    assert (refunded["Status"], refunded["Payments"][0]["PaymentID"]) == ("PAID", paid["PaymentID"])
    assert xero.list("CreditNotes", page=1)[0]["Payments"] == refunded["Payments"]
    xero.post(f"Payments/{paid['PaymentID']}", {"Status": "DELETED"})
    again = xero.get(f"CreditNotes/{note['CreditNoteID']}").json()["CreditNotes"][0]
    assert (again["Status"], again["RemainingCredit"], again["Payments"]) == ("AUTHORISED", 11, [])


def test_payments_are_made_and_deleted(xero):
    owed = xero.invoice()
    made = xero.put("Payments", pay(owed, 10)).json()["Payments"][0]
    assert (made["PaymentType"], made["Status"]) == ("ACCRECPAYMENT", "AUTHORISED")
    assert state(xero, owed) == ("AUTHORISED", 12, 10, 0)
    gone = xero.post(f"Payments/{made['PaymentID']}", {"Status": "DELETED"}).json()["Payments"][0]
    assert gone["Status"] == "DELETED"
    assert state(xero, owed) == ("AUTHORISED", 22, 0, 0)
    again = xero.post(f"Payments/{made['PaymentID']}", {"Status": "DELETED"})
    assert texts(again) == [messages.PAYMENT_NOT_MODIFIABLE]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"Amount": 99}, messages.PAYMENT_TOO_LARGE),
        ({"Amount": 0}, messages.PAYMENT_AMOUNT_INVALID),
        ({"Account": {"Code": "200"}}, messages.PAYMENT_ACCOUNT_MISSING),
        ({"Invoice": {"InvoiceNumber": "nope"}}, messages.INVOICE_ID_UNKNOWN),
        ({"Invoice": None}, messages.PAYMENT_DOCUMENT_REQUIRED),
    ],
)
def test_refused_payments(xero, fields, text):
    assert texts(xero.put("Payments", {**pay(xero.invoice(), 5), **fields})) == [text]


def test_paying_a_paid_invoice_meets_both_texts(xero):
    owed = xero.invoice()
    xero.put("Payments", pay(owed, 22))
    assert texts(xero.put("Payments", pay(owed, 1))) == [messages.PAYMENT_TOO_LARGE, messages.PAYMENT_NEEDS_AUTHORISED]


def test_reconciled_payments_and_the_lock_dates(xero, simulator):
    owed = xero.invoice()
    made = xero.put("Payments", pay(owed, 5, IsReconciled=True)).json()["Payments"][0]
    gone = {"Status": "DELETED"}
    assert texts(xero.post(f"Payments/{made['PaymentID']}", gone)) == [messages.PAYMENT_RECONCILED]
    simulator.switches["reconciled_payment_deletable"] = True
    simulator.organisation().set_lock_dates(period=date(2026, 11, 30))
    locked = [messages.before_period_lock(date(2026, 11, 30))]
    assert texts(xero.post(f"Payments/{made['PaymentID']}", gone)) == locked
    assert texts(xero.put("Payments", pay(owed, 5))) == locked


def test_payments_are_found_by_what_they_pay_and_where(xero, simulator):
    owed, note = xero.invoice(InvoiceNumber="A-1"), credit(xero, CreditNoteNumber="CN-1")
    books = simulator.organisation()
    paid, refund = books.pay("A-1", 5, reference="part"), books.refund("CN-1", 3)
    books.type_bank_transaction("RECEIVE-OVERPAYMENT", "Basket Case Café", 9)
    overpaid = xero.list("Overpayments")[0]["OverpaymentID"]
    back = {"Overpayment": {"OverpaymentID": overpaid}, "Account": {"Code": "091"}, "Amount": 9}
    returned = xero.put("Payments", back).json()["Payments"][0]

    def found(where):
        return [one["PaymentID"] for one in xero.list("Payments", where=where)]

    contact = owed["Contact"]["ContactID"]
    assert found(f'Invoice.InvoiceID==guid("{owed["InvoiceID"]}")') == [paid["PaymentID"]]
    assert found('Invoice.InvoiceNumber=="A-1"') == [paid["PaymentID"]]
    assert found(f'Invoice.Contact.ContactID==guid("{contact}")') == [paid["PaymentID"]]
    assert found('PaymentType=="ARCREDITPAYMENT" AND Status=="AUTHORISED"') == [refund["PaymentID"]]
    assert found(f'CreditNote.CreditNoteID==guid("{note["CreditNoteID"]}")') == [refund["PaymentID"]]
    assert found('CreditNote.CreditNoteNumber=="CN-1"') == [refund["PaymentID"]]
    assert found(f'Overpayment.OverpaymentID==guid("{overpaid}")') == [returned["PaymentID"]]
    assert found('Account.Code=="091"') == [returned["PaymentID"]]
    assert found('Reference!=null AND Reference.EndsWith("rt")') == [paid["PaymentID"]]
    assert set(found("Amount<9 AND Date<DateTime(2100,1,1)")) == {paid["PaymentID"], refund["PaymentID"]}


def test_a_payment_by_itself_shows_its_whole_invoice(xero, simulator):
    xero.invoice(InvoiceNumber="A-1")
    made = simulator.organisation().pay("A-1", 5)
    alone = xero.get(f"Payments/{made['PaymentID']}").json()["Payments"][0]["Invoice"]
    assert (alone["AmountDue"], alone["LineItems"][0]["Description"]) == (17, "Olive oil")
    listed = xero.list("Payments")[0]["Invoice"]
    assert (listed["InvoiceNumber"], listed["LineItems"]) == ("A-1", [])


@pytest.mark.parametrize(
    ("resource", "make", "change"),
    [
        ("Payments", lambda b: b.pay("A-1", 1), lambda b, one: b.remove_payment(one)),
        ("BatchPayments", lambda b: b.pay_batch(["A-1"]), lambda b, one: b.remove_batch(one["BatchPaymentID"])),
        ("CreditNotes", lambda b: b.type_credit_note(CAFE), lambda b, one: b.allocate(one, "A-1", 1)),
        (
            "Overpayments",
            lambda b: b.type_bank_transaction("RECEIVE-OVERPAYMENT", CAFE, 5),
            lambda b, one: b.end_bank_transaction(one["BankTransactionID"]),
        ),
        (
            "BankTransactions",
            lambda b: b.type_bank_transaction("SPEND", CAFE, 5),
            lambda b, one: b.reconcile(one["BankTransactionID"]),
        ),
    ],
)
def test_if_modified_since_tells_of_what_is_new_and_what_changed(xero, simulator, resource, make, change):
    books = simulator.organisation()
    xero.invoice(InvoiceNumber="A-1")
    asked = []

    def since_now():
        simulator.clock.advance(60)
        asked[:] = [simulator.clock.now().strftime("%Y-%m-%dT%H:%M:%S")]

    def told():
        return len(xero.call("GET", resource, headers={"If-Modified-Since": asked[0]}).json()[resource])

    since_now()
    made = make(books)
    assert told() == 1
    since_now()
    assert told() == 0
    change(books, made)
    assert told() == 1


def batch(*owed, **fields):
    parts = [{"Invoice": {"InvoiceID": one["InvoiceID"]}, "Amount": one["Total"]} for one in owed]
    return {"Account": {"Code": "090"}, "Date": "2026-11-26", "Reference": "payout 7", "Payments": parts, **fields}


def test_a_batch_pays_many_and_is_deleted_only_whole(xero):
    owed = [xero.invoice(), xero.invoice()]
    made = xero.put("BatchPayments", {"BatchPayments": [batch(*owed)]}).json()["BatchPayments"][0]
    assert (made["Type"], made["TotalAmount"], len(made["Payments"])) == ("RECBATCH", 44, 2)
    assert state(xero, owed[0])[0] == "PAID"
    part = xero.list("Payments", where=f'BatchPaymentID==Guid("{made["BatchPaymentID"]}")')[0]
    assert texts(xero.post(f"Payments/{part['PaymentID']}", {"Status": "DELETED"})) == [messages.PAYMENT_IN_BATCH]
    gone = xero.post("BatchPayments", {"BatchPaymentID": made["BatchPaymentID"], "Status": "DELETED"})
    assert gone.json()["BatchPayments"][0]["Payments"] == []
    assert state(xero, owed[1]) == ("AUTHORISED", 22, 0, 0)


def test_a_batch_as_it_stands_in_itself_and_in_its_payments(xero):
    made = xero.put("BatchPayments", batch(xero.invoice(), Details="payout", Narrative="n")).json()["BatchPayments"][0]
    assert made["Account"]["CurrencyCode"] == "AUD"
    part = xero.get(f"Payments/{made['Payments'][0]['PaymentID']}").json()["Payments"][0]
    assert (part["BatchPayment"]["TotalAmount"], part["BatchPayment"]["Type"]) == (22, "RECBATCH")
    wheres = ('Account.Code=="090" AND Type=="RECBATCH"', 'Details=="payout"', "TotalAmount==22 AND !IsReconciled")
    for where in wheres:
        assert [one["BatchPaymentID"] for one in xero.list("BatchPayments", where=where)] == [made["BatchPaymentID"]]
    newest = xero.list("BatchPayments", order="Date DESC")[0]
    assert (newest["Reference"], newest["DateString"]) == ("payout 7", "2026-11-26T00:00:00")


def test_a_batch_is_as_locked_and_reconciled_as_a_payment(xero, simulator):
    made = xero.put("BatchPayments", batch(xero.invoice())).json()["BatchPayments"][0]["BatchPaymentID"]
    simulator.organisation().reconcile(made)
    gone = {"Status": "DELETED"}
    assert texts(xero.post(f"BatchPayments/{made}", gone)) == [messages.PAYMENT_RECONCILED]
    simulator.organisation().reconcile(made, reconciled=False)
    simulator.organisation().set_lock_dates(period=date(2026, 11, 30))
    locked = [messages.before_period_lock(date(2026, 11, 30))]
    assert texts(xero.post(f"BatchPayments/{made}", gone)) == locked
    assert texts(xero.put("BatchPayments", batch(xero.invoice(Date="2026-12-01")))) == locked


def test_a_batch_may_need_a_reference(xero, simulator):
    nameless = batch(xero.invoice(), Reference=None)
    simulator.switches["batch_needs_reference"] = True
    assert texts(xero.put("BatchPayments", nameless)) == [messages.BATCH_REFERENCE_REQUIRED]
    simulator.switches["batch_needs_reference"] = False
    assert xero.put("BatchPayments", nameless).status_code == 200


def test_batches_have_limits(xero):
    owed = xero.invoice()
    assert texts(xero.put("BatchPayments", batch(owed, owed))) == [messages.BATCH_REPEATED]
    assert texts(xero.put("BatchPayments", batch())) == [messages.BATCH_EMPTY]
    assert texts(xero.put("BatchPayments", batch(owed, Date=None))) == [messages.PAYMENT_DATE_REQUIRED]
    many = xero.put("Invoices", {"Invoices": [invoice() for _ in range(201)]}).json()["Invoices"]
    assert texts(xero.put("BatchPayments", batch(*many))) == [messages.BATCH_TOO_LARGE]
    assert xero.put("BatchPayments", batch(*many[:200])).status_code == 200


def test_a_batch_with_bills_by_switch(xero, simulator):
    bill = xero.invoice(Type="ACCPAY", LineItems=[line(AccountCode="400")], InvoiceNumber="their 1")
    owed = xero.invoice()
    assert texts(xero.put("BatchPayments", batch(owed, bill))) == [messages.BATCH_MIXED]
    simulator.switches["batch_may_mix_types"] = True
    assert xero.put("BatchPayments", batch(owed, bill)).status_code == 200


def overpayment(xero, amount=50):
    body = {
        "Type": "RECEIVE-OVERPAYMENT",
        "Contact": {"Name": "Basket Case Café"},
        "BankAccount": {"Code": "090"},
        "Date": "2026-11-24",
        "LineAmountTypes": "NoTax",
        "LineItems": [{"Description": "too much", "LineAmount": amount}],
    }
    answer = xero.put("BankTransactions", body)
    assert answer.status_code == 200, answer.text
    return answer.json()["BankTransactions"][0]


def test_an_overpayment_is_a_bank_transaction_that_can_be_allocated_and_refunded(xero):
    made = overpayment(xero)
    assert made["LineItems"][0]["AccountCode"] == "610"
    path, owed = f"Overpayments/{made['OverpaymentID']}", xero.invoice()
    body = {"Amount": 22, "Invoice": {"InvoiceID": owed["InvoiceID"]}}
    assert xero.put(f"{path}/Allocations", body).status_code == 200
    assert state(xero, owed) == ("PAID", 0, 0, 22)
    refund = {"Overpayment": {"OverpaymentID": made["OverpaymentID"]}, "Account": {"Code": "090"}, "Amount": 28}
    assert xero.put("Payments", refund).json()["Payments"][0]["PaymentType"] == "AROVERPAYMENTPAYMENT"
    shown = xero.get(path).json()["Overpayments"][0]
    assert (shown["Status"], shown["RemainingCredit"]) == ("PAID", 0)
    ended = xero.post("BankTransactions", {"BankTransactionID": made["BankTransactionID"], "Status": "DELETED"})
    assert texts(ended) == [messages.PAID_OR_CREDITED]


def test_money_spent_at_the_bank(xero):
    body = {
        "Type": "SPEND",
        "Contact": {"Name": "Card Company"},
        "BankAccount": {"Code": "090"},
        "LineItems": [{"Description": "fees", "UnitAmount": 5, "AccountCode": "404"}],
    }
    made = xero.put("BankTransactions", body).json()["BankTransactions"][0]
    assert (made["Total"], made["Status"]) == (5, "AUTHORISED")
    change = {"LineItems": [{"Description": "more", "UnitAmount": 6, "AccountCode": "404"}]}
    path = f"BankTransactions/{made['BankTransactionID']}"
    assert texts(xero.post(path, change)) == [messages.SPEND_NOT_UPDATABLE]
    assert xero.post(path, {"Status": "DELETED"}).json()["BankTransactions"][0]["Status"] == "DELETED"
    bad = {**body, "BankAccount": {"Code": "200"}}
    assert texts(xero.put("BankTransactions", bad)) == [messages.BANK_ACCOUNT_INVALID]


def test_a_bank_account_that_was_used_cannot_be_deleted(xero, simulator):
    simulator.organisation().type_bank_transaction("SPEND", CAFE, 5, "091")
    used = next(one for one in xero.list("Accounts") if one.get("Code") == "091")
    assert texts(xero.call("DELETE", f"Accounts/{used['AccountID']}")) == [messages.ACCOUNT_IN_USE]


def test_the_statement_of_a_bank_account_adds_up(xero, simulator):
    books = simulator.organisation()
    for number in ("A-1", "A-2", "A-3"):
        xero.invoice(InvoiceNumber=number)
    books.pay("A-1", 10)
    books.pay_batch(["A-2", "A-3"], reference="payout")
    books.type_bank_transaction("SPEND", "Card Company", 4)
    books.remove_payment(books.pay("A-1", 2))
    books.refund(books.type_credit_note(CAFE), 3)
    shown = simulator.books()["organisations"][0]["BankStatements"]
    statement = next(one for one in shown if one.get("Code") == "090")
    assert sorted(entry["Amount"] for entry in statement["Lines"]) == [-4, -3, 10, 44]
    assert statement["Balance"] == statement["Lines"][-1]["Balance"] == 47
    assert next(one for one in statement["Lines"] if one["Amount"] == 44)["Reference"] == "payout"


def test_bills_after_payment_keep_their_money_and_change_their_words(xero):
    bill = xero.invoice(Type="ACCPAY", LineItems=[line(AccountCode="400", UnitAmount=10)], InvoiceNumber="their 1")
    xero.put("Payments", pay(bill, 5))
    kept = bill["LineItems"][0]
    path = f"Invoices/{bill['InvoiceID']}"
    words = {"LineItems": [{"LineItemID": kept["LineItemID"], "Description": "paper", "AccountCode": "429"}]}
    assert xero.post(path, words).json()["Invoices"][0]["LineItems"][0]["AccountCode"] == "429"
    money = {"LineItems": [{"LineItemID": kept["LineItemID"], "UnitAmount": 99}]}
    assert texts(xero.post(path, money)) == [messages.PAID_OR_CREDITED]


def test_tracked_stock_runs_out_and_comes_back(xero):
    item = {
        "Code": "TRACKED",
        "InventoryAssetAccountCode": "630",
        "PurchaseDetails": {"UnitPrice": 3, "COGSAccountCode": "310"},
        "SalesDetails": {"UnitPrice": 5, "AccountCode": "200"},
    }
    assert xero.put("Items", item).json()["Items"][0]["IsTrackedAsInventory"] is True
    sale = [{"Description": "one", "ItemCode": "TRACKED", "Quantity": 4}]
    assert texts(xero.put("Invoices", invoice(LineItems=sale))) == [messages.NO_STOCK]
    bought = [line(ItemCode="TRACKED", Quantity=10, AccountCode="310", UnitAmount=3)]
    xero.invoice(Type="ACCPAY", LineItems=bought)
    sold = xero.invoice(LineItems=sale)
    assert xero.get("Items/TRACKED").json()["Items"][0]["QuantityOnHand"] == 6
    xero.post(f"Invoices/{sold['InvoiceID']}", {"Status": "VOIDED"})
    assert xero.get("Items/TRACKED").json()["Items"][0]["QuantityOnHand"] == 10


@pytest.fixture
def stocked(xero):
    """Ten of a tracked item, bought for 3.00 each by the bill that this answers."""
    item = {
        "Code": "TRACKED",
        "InventoryAssetAccountCode": "630",
        "PurchaseDetails": {"UnitPrice": 2, "COGSAccountCode": "310"},
        "SalesDetails": {"UnitPrice": 5, "AccountCode": "200"},
    }
    assert xero.put("Items", item).status_code == 200
    return xero.invoice(Type="ACCPAY", LineItems=[bought(10)])


def bought(quantity):
    return line(ItemCode="TRACKED", Quantity=quantity, UnitAmount=3, AccountCode="630")


def on_hand(xero):
    item = xero.get("Items/TRACKED").json()["Items"][0]
    return item["QuantityOnHand"], item["TotalCostPool"]


def sale(quantity):
    return [{"Description": "one", "ItemCode": "TRACKED", "Quantity": quantity}]


def test_a_bill_whose_stock_is_sold_stays(xero, stocked):
    assert on_hand(xero) == (10, 30)
    sold = xero.invoice(LineItems=sale(4))
    assert on_hand(xero) == (6, 18)
    path, gone = f"Invoices/{stocked['InvoiceID']}", {"Status": "VOIDED"}
    assert texts(xero.post(path, gone)) == [messages.STOCK_SOLD]
    fewer = {"LineItems": [{"LineItemID": stocked["LineItems"][0]["LineItemID"], "Quantity": 3}]}
    assert texts(xero.post(path, fewer)) == [messages.STOCK_SOLD]
    assert (on_hand(xero), xero.get(path).json()["Invoices"][0]["Status"]) == ((6, 18), "AUTHORISED")
    xero.post(f"Invoices/{sold['InvoiceID']}", gone)
    assert xero.post(path, gone).status_code == 200
    assert on_hand(xero) == (0, 0)


def test_credit_brings_stock_back_and_sends_it_back(xero, stocked):
    xero.invoice(LineItems=sale(4))
    returned = credit(xero, LineItems=sale(2))
    assert on_hand(xero) == (8, 24)
    too_many = credit_note(Type="ACCPAYCREDIT", LineItems=[bought(9)])
    assert texts(xero.put("CreditNotes", too_many)) == [messages.NO_STOCK]
    credit(xero, Type="ACCPAYCREDIT", LineItems=[bought(7)])
    assert on_hand(xero) == (1, 3)
    gone = xero.post(f"CreditNotes/{returned['CreditNoteID']}", {"Status": "VOIDED"})
    assert texts(gone) == [messages.STOCK_SOLD]


def test_stock_over_the_counter(xero, stocked):
    money = {"Contact": {"Name": CAFE}, "BankAccount": {"Code": "090"}, "LineAmountTypes": "NoTax"}
    sold = {**money, "Type": "RECEIVE", "LineItems": sale(4)}
    made = xero.put("BankTransactions", sold).json()["BankTransactions"][0]
    assert on_hand(xero)[0] == 6
    path = f"BankTransactions/{made['BankTransactionID']}"
    assert texts(xero.post(path, {"LineItems": sale(11)})) == [messages.NO_STOCK]
    xero.post(path, {"Status": "DELETED"})
    assert on_hand(xero) == (10, 30)


def euro_bank(**fields):
    return {"Code": "095", "Name": "Euro", "Type": "BANK", "BankAccountNumber": "1", "CurrencyCode": "EUR", **fields}


def euro_fee(bank="090"):
    fee = {"Contact": {"Name": CAFE}, "BankAccount": {"Code": bank}, "Type": "SPEND", "CurrencyCode": "EUR"}
    return {**fee, "LineItems": [{"Description": "fee", "UnitAmount": 1, "AccountCode": "404"}]}


@pytest.mark.parametrize("plan", [True, False])
def test_a_currency_that_is_not_subscribed_is_refused_everywhere(xero, plan):
    books = xero.simulator.organisation()
    if not plan:
        books.add_currency("EUR")  # which a smaller plan takes away again
    books.set_multicurrency(allowed=plan)
    refusal, euro = [messages.currency_not_subscribed("EUR")], {"CurrencyCode": "EUR"}
    assert texts(xero.put("Invoices", invoice(**euro))) == refusal
    assert texts(xero.put("CreditNotes", credit_note(**euro))) == refusal
    assert texts(xero.put("BankTransactions", euro_fee())) == refusal
    assert texts(xero.put("Accounts", euro_bank())) == refusal
    assert texts(xero.put("Contacts", {"Name": "Abroad", "DefaultCurrency": "EUR"})) == refusal
    assert [one["Code"] for one in xero.list("Currencies")] == ["AUD"]
    allowed = {one["Name"]: one["Status"] for one in xero.get("Organisation/Actions").json()["Actions"]}
    assert allowed["UseMulticurrency"] == ("ALLOWED" if plan else "NOT-ALLOWED")
    if not plan:
        assert texts(xero.put("Currencies", {"Code": "USD"})) == [messages.CURRENCY_NOT_IN_PLAN]


def test_currencies_are_added_and_listed(xero):
    assert xero.put("Currencies", {"Code": "usd", "Description": "Dollar"}).json()["Currencies"] == [
        {"Code": "USD", "Description": "United States Dollar"}
    ]
    assert xero.put("Currencies", {"Currencies": [{"Code": "USD"}, {"Code": "EUR"}]}).status_code == 200
    assert [one["Code"] for one in xero.list("Currencies", order="Code DESC")] == ["USD", "AUD"]
    assert [one["Code"] for one in xero.list("Currencies", where='Code=="USD"')] == ["USD"]
    for wrong in ({"Code": "XXY"}, {"Description": "x"}):
        assert texts(xero.put("Currencies", wrong)) == [messages.CURRENCY_CODE_INVALID]


def test_a_document_in_another_currency_has_a_rate(xero, simulator):
    books = simulator.organisation()
    xero.put("Currencies", {"Code": "EUR"})
    assert xero.invoice(CurrencyCode="EUR")["CurrencyRate"] == 0.562092  # the day's
    books.add_currency("EUR", "0.6")
    assert xero.invoice(CurrencyCode="eur")["CurrencyRate"] == 0.6
    sent = xero.invoice(CurrencyCode="EUR", CurrencyRate="0.5123456")
    assert sent["CurrencyRate"] == 0.512346
    path = f"Invoices/{sent['InvoiceID']}"
    assert xero.post(path, {"Reference": "x"}).json()["Invoices"][0]["CurrencyRate"] == 0.512346
    assert xero.post(path, {"CurrencyRate": 2}).json()["Invoices"][0]["CurrencyRate"] == 2
    home = xero.post(path, {"CurrencyCode": "AUD", "CurrencyRate": 9}).json()["Invoices"][0]
    assert (home["CurrencyCode"], home["CurrencyRate"]) == ("AUD", 1)
    for wrong in (0, -1, "1e30", "0.0000001"):
        refused = xero.put("CreditNotes", credit_note(CurrencyCode="EUR", CurrencyRate=wrong))
        assert texts(refused) == [messages.CURRENCY_RATE_INVALID]
    xero.put("Currencies", {"Code": "KES"})  # for which there is no rate of the day
    for asked in (invoice(CurrencyCode="KES"), invoice(CurrencyCode="KES", Status="DRAFT")):
        assert texts(xero.put("Invoices", asked)) == [messages.CURRENCY_RATE_REQUIRED]
    assert xero.put("Invoices", invoice(CurrencyCode="KES", CurrencyRate=84)).status_code == 200


def test_paying_in_another_currency(xero, simulator):
    books = simulator.organisation()
    books.add_currency("EUR", "0.5")
    books.add_currency("USD")
    for account in (euro_bank(), euro_bank(Code="096", Name="Dollars", CurrencyCode="USD")):
        assert xero.put("Accounts", account).status_code == 200
    owed = xero.invoice(CurrencyCode="EUR", CurrencyRate="0.8")  # 22.00
    of_it = {"Invoice": {"InvoiceID": owed["InvoiceID"]}}
    home = xero.put("Payments", {**of_it, "Account": {"Code": "090"}, "Amount": 5}).json()["Payments"][0]
    assert [home[name] for name in ("Amount", "BankAmount", "CurrencyRate")] == [5, 10, 0.5]
    there = {**of_it, "Account": {"Code": "095"}, "Amount": 7, "CurrencyRate": "0.9"}
    paid = xero.put("Payments", there).json()["Payments"][0]
    assert [paid[name] for name in ("Amount", "BankAmount", "CurrencyRate")] == [7, 7, 0.9]
    third = xero.put("Payments", {**of_it, "Account": {"Code": "096"}, "Amount": 1})
    assert texts(third) == [messages.PAYMENT_CURRENCY]
    foreign = {"Invoice": {"InvoiceID": xero.invoice()["InvoiceID"]}, "Account": {"Code": "095"}, "Amount": 1}
    assert texts(xero.put("Payments", foreign)) == [messages.PAYMENT_CURRENCY]
    batch = {"Account": {"Code": "095"}, "Date": "2026-11-25", "Payments": [{**of_it, "Amount": 10}]}
    made = xero.put("BatchPayments", batch).json()["BatchPayments"][0]
    assert (made["Account"]["CurrencyCode"], made["TotalAmount"]) == ("EUR", 10)
    mixed = xero.put("BatchPayments", {**batch, "Payments": [{k: foreign[k] for k in ("Invoice", "Amount")}]})
    assert texts(mixed) == [messages.BATCH_CURRENCY]
    assert xero.get(f"Invoices/{owed['InvoiceID']}").json()["Invoices"][0]["Status"] == "PAID"
    statements = {one["Name"]: one for one in simulator.books()["organisations"][0]["BankStatements"]}
    assert [statements[name]["Balance"] for name in ("Business Bank Account", "Euro")] == [10, 17]
    assert texts(xero.post(f"Invoices/{owed['InvoiceID']}", {"CurrencyRate": 3})) == [
        messages.PAID_OR_CREDITED,
        messages.INVOICE_NOT_MODIFIABLE,
    ]


def test_money_at_the_bank_is_in_the_accounts_currency(xero, simulator):
    simulator.organisation().add_currency("EUR", "0.5")
    xero.put("Accounts", euro_bank())
    fee = xero.put("BankTransactions", euro_fee(bank="095")).json()["BankTransactions"][0]
    assert (fee["CurrencyCode"], fee["CurrencyRate"]) == ("EUR", 0.5)
    assert xero.put("BankTransactions", euro_fee()).json()["BankTransactions"][0]["CurrencyCode"] == "AUD"
    moved = xero.post(f"BankTransactions/{fee['BankTransactionID']}", {"BankAccount": {"Code": "090"}})
    assert moved.json()["BankTransactions"][0]["CurrencyCode"] == "AUD"


def test_credit_stays_in_its_currency_and_balances_are_in_the_organisations(xero, simulator):
    simulator.organisation().add_currency("EUR", "0.5")
    owed = xero.invoice(CurrencyCode="EUR")  # 22.00, which are 44.00 here
    note = xero.put("CreditNotes", credit_note(Status="AUTHORISED")).json()["CreditNotes"][0]
    given = {"Amount": 1, "Invoice": {"InvoiceID": owed["InvoiceID"]}}
    refused = xero.put(f"CreditNotes/{note['CreditNoteID']}/Allocations", given)
    assert texts(refused) == [messages.ALLOCATION_CURRENCY]
    contact = xero.get(f"Contacts/{owed['Contact']['ContactID']}").json()["Contacts"][0]
    assert contact["Balances"]["AccountsReceivable"]["Outstanding"] == 44


def test_stock_is_worth_what_it_costs_in_the_organisations_currency(xero, simulator):
    books = simulator.organisation()
    books.add_currency("EUR", "0.5")
    books.add_item("OIL", price=9, tracked=True)
    xero.invoice(Type="ACCPAY", CurrencyCode="EUR", LineItems=[line(ItemCode="OIL", AccountCode="630", TaxType="NONE")])
    item = xero.get("Items/OIL").json()["Items"][0]
    assert (item["QuantityOnHand"], item["TotalCostPool"]) == (2, 40)


def test_history_notes(xero):
    owed = xero.invoice()
    path = f"Invoices/{owed['InvoiceID']}/History"
    assert xero.put(path, {"HistoryRecords": [{"Details": "sent by the order desk"}]}).status_code == 200
    assert xero.get(path).json()["HistoryRecords"][0]["Details"] == "sent by the order desk"
    unknown = "Invoices/00000000-0000-0000-0000-00000000000a/History"
    assert texts(xero.put(unknown, {"HistoryRecords": [{"Details": "x"}]})) == [messages.HISTORY_DOCUMENT_UNKNOWN]
    assert texts(xero.put(path, {"HistoryRecords": [{"Details": "x" * 2501}]})) == [messages.HISTORY_DETAILS_INVALID]


def test_accounts_tax_rates_and_tracking_have_their_own_verbs(xero):
    made = xero.put("Accounts", {"Code": "201", "Name": "Sales of Tea", "Type": "REVENUE"}).json()["Accounts"][0]
    path = f"Accounts/{made['AccountID']}"
    assert texts(xero.put("Accounts", {"Code": "202", "Name": "Sales", "Type": "REVENUE"})) == [
        messages.ACCOUNT_NAME_TAKEN
    ]
    assert xero.post(path, {"Status": "ARCHIVED"}).json()["Accounts"][0]["Status"] == "ARCHIVED"
    assert xero.call("DELETE", path).status_code == 200
    assert xero.get(path).status_code == 404
    rate = {"Name": "Our tax", "TaxComponents": [{"Name": "one", "Rate": 5}, {"Name": "two", "Rate": 2.5}]}
    made = xero.put("TaxRates", rate).json()["TaxRates"][0]
    assert (made["TaxType"], made["EffectiveRate"]) == ("TAX001", 7.5)
    assert texts(xero.put("TrackingCategories", {"Name": "Third"})) == [messages.TRACKING_LIMIT]
    region = xero.list("TrackingCategories")[0]
    path = f"TrackingCategories/{region['TrackingCategoryID']}"
    option = xero.put(f"{path}/Options", {"Name": "Islands"}).json()["Options"][0]
    assert xero.post(f"{path}/Options/{option['TrackingOptionID']}", {"Status": "ARCHIVED"}).status_code == 200
    assert xero.call("DELETE", f"{path}/Options/{option['TrackingOptionID']}").status_code == 200
    assert xero.call("DELETE", path).json()["TrackingCategories"][0]["Status"] == "DELETED"


def test_two_tracking_categories_may_be_active_and_two_archived(xero):
    def archive(category):
        return xero.post(f"TrackingCategories/{category['TrackingCategoryID']}", {"Status": "ARCHIVED"})

    for category in xero.list("TrackingCategories"):
        assert archive(category).status_code == 200
    made = xero.put("TrackingCategories", {"Name": "Third"}).json()["TrackingCategories"][0]
    assert texts(archive(made)) == [messages.TRACKING_ARCHIVE_LIMIT]
    assert len(xero.list("TrackingCategories", includeArchived="true")) == 3


def test_an_archived_tracking_category_is_restored_beside_at_most_one_active(xero):
    def restore(category):
        path = f"TrackingCategories/{category['TrackingCategoryID']}"
        return xero.post(path, {"Name": category["Name"], "Status": "ACTIVE"})

    region, _ = xero.list("TrackingCategories")
    xero.post(f"TrackingCategories/{region['TrackingCategoryID']}", {"Status": "ARCHIVED"})
    third = xero.put("TrackingCategories", {"Name": "Third"}).json()["TrackingCategories"][0]
    assert texts(restore(region)) == [messages.TRACKING_LIMIT]
    xero.call("DELETE", f"TrackingCategories/{third['TrackingCategoryID']}")
    assert restore(region).json()["TrackingCategories"][0]["Status"] == "ACTIVE"


def test_tracking_on_lines(xero, simulator):
    chosen = [{"Name": "Region", "Option": "North"}]
    saved = xero.invoice(LineItems=[line(Tracking=chosen)])
    assert saved["LineItems"][0]["Tracking"][0]["Option"] == "North"
    bad = invoice(LineItems=[line(Tracking=[{"Name": "Region", "Option": "Moon"}])])
    assert texts(xero.put("Invoices", bad)) == [messages.tracking_unknown("Moon")]
    simulator.switches["unknown_tracking_refused"] = False
    assert xero.put("Invoices", bad).json()["Invoices"][0]["LineItems"][0]["Tracking"] == []


def test_the_plan_may_limit_approvals(xero, simulator):
    simulator.organisation().set_approval_limit(1)
    xero.invoice()
    assert texts(xero.put("Invoices", invoice())) == [messages.APPROVAL_LIMIT]
    bill = invoice(Type="ACCPAY", LineItems=[line(AccountCode="400")])
    assert xero.put("Invoices", bill).status_code == 200
    xero.http.post("/_simulator/plan", json={"bill_approval_limit": 1})
    assert texts(xero.put("Invoices", bill)) == [messages.APPROVAL_LIMIT]
    assert simulator.organisation()._books.settings.approval_limit == 1


def test_merged_contacts_hand_over_all_their_documents(xero, simulator):
    books = simulator.organisation()
    xero.invoice(InvoiceNumber="A-1", Contact={"Name": "Old Name"})
    note = books.type_credit_note("Old Name", number="CN-1")
    books.type_bank_transaction("RECEIVE-OVERPAYMENT", "Old Name", 5)
    books.merge_contact("Old Name", CAFE)
    kinds = ("Invoices", "CreditNotes", "Overpayments", "BankTransactions")
    assert {one["Contact"]["Name"] for kind in kinds for one in xero.list(kind)} == {CAFE}
    assert books.allocate(note, "A-1", 5)["Amount"] == 5


def test_at_most_500_items_at_once(xero):
    many = [{"Code": f"I-{number}"} for number in range(501)]
    refused = xero.put("Items", {"Items": many})
    assert (refused.status_code, refused.json()["Message"]) == (400, messages.TOO_MANY_ITEMS)
    assert xero.put("Items", {"Items": many[:500]}).status_code == 200


def test_items(xero):
    assert texts(xero.put("Items", {"Code": "SOURDOUGH"})) == [messages.item_code_taken("SOURDOUGH")]
    assert texts(xero.put("Items", {"Code": "x" * 31})) == [messages.ITEM_CODE_TOO_LONG]
    saved = xero.invoice(LineItems=[{"ItemCode": "sourdough", "Quantity": 3}])
    assert (saved["LineItems"][0]["ItemCode"], saved["SubTotal"]) == ("SOURDOUGH", 20.4)
    assert texts(xero.call("DELETE", "Items/SOURDOUGH")) == [messages.ITEM_IN_USE]
    assert xero.call("DELETE", "Items/DELIVERY").status_code == 204
    off_sale = xero.post("Items", {"Code": "OLIVEOIL-4L", "IsSold": False}).json()["Items"][0]
    assert off_sale["SalesDetails"] == {}


def test_lines_show_what_they_name_as_it_is_called_now(xero):
    saved = xero.invoice(LineItems=[line(ItemCode="DELIVERY", Tracking=[{"Name": "Region", "Option": "North"}])])
    region = next(c for c in xero.list("TrackingCategories") if c["Name"] == "Region")
    north = next(o["TrackingOptionID"] for o in region["Options"] if o["Name"] == "North")
    account = next(a["AccountID"] for a in xero.list("Accounts") if a.get("Code") == "200")
    xero.post(f"Accounts/{account}", {"Code": "2000"})
    xero.post("Items/DELIVERY", {"Code": "VAN"})
    path = f"TrackingCategories/{region['TrackingCategoryID']}"
    xero.post(path, {"Name": "Area"})
    xero.post(f"{path}/Options/{north}", {"Name": "Up north"})
    again = xero.get(f"Invoices/{saved['InvoiceID']}").json()["Invoices"][0]
    shown = again["LineItems"][0]
    assert (shown["AccountCode"], shown["ItemCode"]) == ("2000", "VAN")
    assert (shown["Tracking"][0]["Name"], shown["Tracking"][0]["Option"]) == ("Area", "Up north")
    assert again["UpdatedDateUTC"] == saved["UpdatedDateUTC"]


def test_the_due_date_of_a_part_paid_invoice_moves_without_a_newer_time(xero):
    owed = xero.invoice()
    xero.put("Payments", pay(owed, 5))
    path = f"Invoices/{owed['InvoiceID']}"
    before = xero.get(path).json()["Invoices"][0]
    after = xero.post(path, {"DueDate": "2027-01-31"}).json()["Invoices"][0]
    assert after["DueDateString"] == "2027-01-31T00:00:00"
    assert after["UpdatedDateUTC"] == before["UpdatedDateUTC"]
