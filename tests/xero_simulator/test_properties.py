"""Random documents and random work: the sums hold, and no request brings the simulator down."""

import copy
from contextlib import suppress
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.xero_simulator.conftest import Xero, invoice, line

from xero_simulator import Simulator
from xero_simulator.api import ROUTES
from xero_simulator.errors import Invalid

CENT = Decimal("0.01")
RATES = {"OUTPUT": Decimal(10), "EXEMPTOUTPUT": Decimal(0), "BASEXCLUDED": Decimal(0)}
amounts = st.decimals(min_value=0, max_value=5000, places=4)
lines = st.lists(
    st.tuples(
        amounts, st.decimals(min_value=0, max_value=500, places=3), st.sampled_from(sorted(RATES)), st.integers(0, 100)
    ),
    min_size=1,
    max_size=8,
)
several = settings(max_examples=60)


def near(value):
    return value.quantize(CENT, ROUND_HALF_UP)


def by_hand(drawn, kind):
    """A second, independent computation, in thousandths of cents as whole numbers where it can be."""
    net = tax = Decimal(0)
    for price, quantity, tax_type, discount in drawn:
        amount = near(price * quantity * (100 - discount) / 100)
        rate = Decimal(0) if kind == "NoTax" else RATES[tax_type]
        share = near(amount * rate / (100 + rate)) if kind == "Inclusive" else near(amount * rate / 100)
        net, tax = net + amount - (share if kind == "Inclusive" else 0), tax + share
    return net, tax, net + tax


@pytest.fixture(scope="module")
def everything():
    simulator = Simulator(limits=False)
    yield Xero(simulator)
    simulator.close()


@several
@given(drawn=lines, kind=st.sampled_from(["Exclusive", "Inclusive", "NoTax"]))
def test_totals_equal_a_second_computation(everything, drawn, kind):
    sent = [
        line(UnitAmount=str(price), Quantity=str(quantity), TaxType=tax_type, DiscountRate=discount)
        for price, quantity, tax_type, discount in drawn
    ]
    number = everything.invoice(LineAmountTypes=kind, LineItems=sent)["InvoiceNumber"]
    saved = everything.simulator.organisation().find_invoice(number)
    assert (saved["SubTotal"], saved["TotalTax"], saved["Total"]) == by_hand(drawn, kind)


class Trading(RuleBasedStateMachine):
    """A bookkeeper does anything in any order; refusals change nothing, and the books always add up."""

    def __init__(self):
        super().__init__()
        self.simulator = Simulator(limits=False)
        self.bookkeeper = self.simulator.organisation()
        self.bookkeeper.add_currency("EUR", "0.57")
        self.xero = Xero(self.simulator)

    def teardown(self):
        self.simulator.close()

    def books(self):
        return self.simulator.books()["organisations"][0]

    def pick(self, kind, place):
        rows = self.books()[kind]
        return rows[place % len(rows)] if rows else None

    @staticmethod
    def attempt(act):
        with suppress(Invalid):
            act()

    @rule(
        price=st.decimals(min_value=1, max_value=900, places=2),
        status=st.sampled_from(["DRAFT", "AUTHORISED"]),
        currency=st.sampled_from(["AUD", "EUR"]),
    )
    def type_invoice(self, price, status, currency):
        one = {"Description": "x", "Quantity": 1, "UnitAmount": price, "AccountCode": "200"}
        self.bookkeeper.type_invoice(None, "Basket Case Café", [one], Status=status, CurrencyCode=currency)

    @rule(price=st.decimals(min_value=1, max_value=400, places=2))
    def type_credit_note(self, price):
        one = {"Description": "x", "Quantity": 1, "UnitAmount": price, "AccountCode": "200"}
        self.bookkeeper.type_credit_note("Basket Case Café", [one])

    @precondition(lambda self: self.books()["Invoices"])
    @rule(place=st.integers(0, 50), amount=st.decimals(min_value=1, max_value=1000, places=2))
    def pay(self, place, amount):
        self.attempt(lambda: self.bookkeeper.pay(self.pick("Invoices", place), amount))

    @precondition(lambda self: self.books()["Invoices"] and self.books()["CreditNotes"])
    @rule(place=st.integers(0, 50), note=st.integers(0, 50), amount=st.decimals(min_value=1, max_value=500, places=2))
    def allocate(self, place, note, amount):
        chosen = self.pick("CreditNotes", note)
        self.attempt(lambda: self.bookkeeper.allocate(chosen, self.pick("Invoices", place), amount))

    @precondition(lambda self: self.books()["Payments"])
    @rule(place=st.integers(0, 50))
    def remove_payment(self, place):
        self.attempt(lambda: self.bookkeeper.remove_payment(self.pick("Payments", place)))

    @rule(
        kind=st.sampled_from(["RECEIVE", "SPEND", "RECEIVE-OVERPAYMENT"]),
        amount=st.decimals(min_value=1, max_value=300, places=2),
    )
    def money_at_the_bank(self, kind, amount):
        self.bookkeeper.type_bank_transaction(kind, "Basket Case Café", amount)

    @precondition(lambda self: self.books()["BankTransactions"])
    @rule(place=st.integers(0, 50))
    def end_bank_transaction(self, place):
        chosen = self.pick("BankTransactions", place)["BankTransactionID"]
        self.attempt(lambda: self.bookkeeper.end_bank_transaction(chosen))

    @precondition(lambda self: self.books()["Overpayments"] and self.books()["Invoices"])
    @rule(place=st.integers(0, 50), owed=st.integers(0, 50), amount=st.decimals(min_value=1, max_value=300, places=2))
    def allocate_overpayment(self, place, owed, amount):
        chosen, invoice = self.pick("Overpayments", place), self.pick("Invoices", owed)
        body = {"Amount": str(amount), "Invoice": {"InvoiceID": invoice["InvoiceID"]}}
        answer = self.xero.put(f"Overpayments/{chosen['OverpaymentID']}/Allocations", body)
        assert answer.status_code in {200, 400}

    @precondition(lambda self: self.credits())
    @rule(place=st.integers(0, 50), amount=st.decimals(min_value=1, max_value=300, places=2))
    def pay_back(self, place, amount):
        name, one = self.credits()[place % len(self.credits())]
        back = {name: {f"{name}ID": one[f"{name}ID"]}, "Account": {"Code": "090"}, "Amount": str(amount)}
        assert self.xero.put("Payments", back).status_code in {200, 400}

    @precondition(lambda self: any(one["Allocations"] for _name, one in self.credits()))
    @rule(place=st.integers(0, 50))
    def take_credit_back(self, place):
        given = [allocation for _name, one in self.credits() for allocation in one["Allocations"]]
        self.bookkeeper.remove_allocation(given[place % len(given)]["AllocationID"])

    @precondition(lambda self: self.books()["Invoices"])
    @rule(place=st.integers(0, 50), price=st.decimals(min_value=0, max_value=900, places=2))
    def edit_price(self, place, price):
        invoice = self.bookkeeper.find_invoice(self.pick("Invoices", place))
        changed = {"LineItemID": invoice["LineItems"][0]["LineItemID"], "UnitAmount": price}
        self.attempt(lambda: self.bookkeeper.edit_invoice(invoice, LineItems=[changed]))

    def credits(self):
        books = self.books()
        return [("CreditNote", one) for one in books["CreditNotes"]] + [
            ("Overpayment", one) for one in books["Overpayments"]
        ]

    @precondition(lambda self: self.books()["Invoices"])
    @rule(place=st.integers(0, 50), status=st.sampled_from(["AUTHORISED", "VOIDED", "DELETED", "DRAFT"]))
    def change_status(self, place, status):
        self.attempt(lambda: self.bookkeeper.edit_invoice(self.pick("Invoices", place), Status=status))

    @precondition(lambda self: len(self.books()["Invoices"]) > 1)
    @rule(first=st.integers(0, 50), second=st.integers(0, 50))
    def pay_a_batch(self, first, second):
        chosen = [self.pick("Invoices", first), self.pick("Invoices", second)]
        parts = [{"Invoice": {"InvoiceID": one["InvoiceID"]}, "Amount": str(one["AmountDue"])} for one in chosen]
        body = {"Account": {"Code": "090"}, "Date": "2026-11-26", "Payments": parts}
        assert self.xero.put("BatchPayments", body).status_code in {200, 400}

    @precondition(lambda self: self.books()["BatchPayments"])
    @rule(place=st.integers(0, 50))
    def remove_batch(self, place):
        self.attempt(lambda: self.bookkeeper.remove_batch(self.pick("BatchPayments", place)["BatchPaymentID"]))

    @invariant()
    def the_books_add_up(self):
        books = self.books()
        live = [p for p in books["Payments"] if p["Status"] == "AUTHORISED"]
        for one in books["Invoices"]:
            paid = sum(
                (p["Amount"] for p in live if p.get("Invoice", {}).get("InvoiceID") == one["InvoiceID"]), Decimal(0)
            )
            credited = sum((c["AppliedAmount"] for c in one["CreditNotes"] + one["Overpayments"]), Decimal(0))
            assert (one["AmountPaid"], one["AmountCredited"]) == (paid, credited)
            assert one["Total"] == one["AmountPaid"] + one["AmountCredited"] + one["AmountDue"]
            assert one["AmountDue"] >= 0
            assert one["AmountDue"] > 0 or one["Status"] in {"PAID", "DRAFT", "VOIDED", "DELETED"}
            assert one["AmountDue"] == 0 or one["Status"] != "PAID"
        for note in books["CreditNotes"] + books["Overpayments"]:
            used = sum((part["Amount"] for part in note["Allocations"] + note["Payments"]), Decimal(0))
            assert note["RemainingCredit"] == note["Total"] - used >= 0
            assert (note["Status"] == "PAID") == (note["RemainingCredit"] == 0)
        for batch in books["BatchPayments"]:
            parts = [p["Amount"] for p in live if p.get("BatchPaymentID") == batch["BatchPaymentID"]]
            assert sum(parts) == (batch["TotalAmount"] if batch["Status"] == "AUTHORISED" else 0)
        self.the_bank_holds_what_was_paid(books, live)

    def the_bank_holds_what_was_paid(self, books, payments):
        """Each account by a second way: payments by their kind, and the money that has no document."""
        held = dict.fromkeys((one["AccountID"] for one in books["BankStatements"]), Decimal(0))
        for payment in payments:
            sign = -1 if payment["PaymentType"] in {"ARCREDITPAYMENT", "AROVERPAYMENTPAYMENT", "ACCPAYPAYMENT"} else 1
            held[payment["Account"]["AccountID"]] += sign * near(payment["Amount"] / payment["CurrencyRate"])
        for one in books["BankTransactions"]:
            if one["Status"] == "AUTHORISED":
                sign = 1 if one["Type"].startswith("RECEIVE") else -1
                held[one["BankAccount"]["AccountID"]] += sign * one["Total"]
        assert {one["AccountID"]: one["Balance"] for one in books["BankStatements"]} == held


TestTrading = Trading.TestCase
TestTrading.settings = settings(max_examples=15, stateful_step_count=25)


words = st.sampled_from(
    [
        *("ACCREC", "AUTHORISED", "200", "090", "OUTPUT", "SOURDOUGH", "Basket Case Café", "DELETED", "EUR", "true"),
        *("NaN", "999999999999999", "0.00001", "2026-11-24", "/Date(1795651200000)/"),
    ]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    words,
)
FIELDS = st.sampled_from(
    [
        "Type",
        "Status",
        "Contact",
        "ContactID",
        "Name",
        "LineItems",
        "Quantity",
        "UnitAmount",
        "LineAmount",
        "AccountCode",
        "TaxType",
        "ItemCode",
        "Date",
        "DueDate",
        "Invoice",
        "InvoiceID",
        "InvoiceNumber",
        "Amount",
        "Account",
        "Code",
        "Payments",
        "Allocations",
        "Tracking",
        "Option",
        "DiscountRate",
        "Reference",
        "BankAccount",
        "CreditNote",
        "Details",
        "Options",
        "TaxComponents",
        "Rate",
        "SalesDetails",
        "UnitPrice",
        "ContactPersons",
        "Addresses",
        "Url",
        "CurrencyCode",
        "CurrencyRate",
        "PaymentTerms",
        "Invoices",
        "Contacts",
        "Items",
        "HistoryRecords",
        "LineItemID",
        "Description",
    ]
)
bodies = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(FIELDS, inner, max_size=6))
)
methods = st.sampled_from(["GET", "PUT", "POST", "DELETE"])
paths = st.sampled_from(sorted({route.path for route in ROUTES}, key=str))
ids = st.sampled_from(["nothing", "SOURDOUGH", "OUTPUT", "00000000-0000-0000-0000-000000000001", "%00", "é", "1e9"])
queries = st.dictionaries(
    st.sampled_from(
        ["where", "order", "page", "pageSize", "IDs", "Statuses", "unitdp", "summarizeErrors", "summaryOnly"]
    ),
    st.one_of(
        st.text(max_size=20), st.sampled_from(['Type=="ACCREC"', "Date>DateTime(2026,99,1)", "Name DESC", "-1", "1e3"])
    ),
    max_size=3,
)


@settings(max_examples=200)
@given(method=methods, path=paths, name=ids, body=bodies, query=queries)
def test_whatever_is_sent_is_answered_as_xero_would(everything, method, path, name, body, query):
    """In-process, a bug would raise here; any answer but a 5xx is right."""
    address = "/".join(name if part is None else part for part in path)
    content = {"json": body} if method in {"PUT", "POST"} else {}
    headers = everything.tokens.headers
    answer = everything.http.request(method, f"/api.xro/2.0/{address}", params=query, headers=headers, **content)
    assert answer.status_code in {200, 204, 304, 400, 404, 501}


@settings(max_examples=150)
@given(
    fields=st.dictionaries(FIELDS, bodies, max_size=6),
    lines=st.lists(st.dictionaries(FIELDS, scalars, max_size=6), max_size=3),
)
def test_odd_invoices_are_taken_or_refused(everything, fields, lines):
    body = invoice(**{**({"LineItems": lines} if lines else {}), **fields})
    body.pop("InvoiceNumber", None)
    answer = everything.http.post("/api.xro/2.0/Invoices", json=body, headers=everything.tokens.headers)
    assert answer.status_code in {200, 400}


@pytest.fixture(scope="module")
def documents(everything):
    """One good request for each address that takes documents, with what it refers to already there."""
    books = everything.simulator.organisation()
    owed = books.type_invoice("F-1", "Basket Case Café")
    note = books.type_credit_note("Basket Case Café", number="FC-1")
    payment = books.pay("F-1", 1)
    batch = books.pay_batch([books.type_invoice("F-2", "Basket Case Café")])
    spent = books.type_bank_transaction("SPEND", "Card Company", 5)
    overpaid = books.type_bank_transaction("RECEIVE-OVERPAYMENT", "Basket Case Café", 5)["OverpaymentID"]
    region = everything.list("TrackingCategories")[0]["TrackingCategoryID"]
    of_invoice, account = {"Invoice": {"InvoiceID": owed["InvoiceID"]}}, {"Account": {"Code": "090"}}
    money = {"Contact": {"Name": "Card Company"}, "BankAccount": {"Code": "090"}, "Date": "2026-11-24"}
    credit = invoice(Type="ACCRECCREDIT")
    credit.pop("DueDate")
    half = {"SubTotal": 20, "TotalTax": 2, "Total": 22, "RoundingAmount": 0, "LineAmountTypes": "Exclusive"}
    tracked = line(Tracking=[{"Name": "Region", "Option": "North"}], DiscountRate=5, TaxType="OUTPUT")
    person = {"FirstName": "Mai", "EmailAddress": "mai@example.com", "IncludeInEmails": True}
    contact = {
        "Name": "Fuzz",
        "ContactNumber": "f-1",
        "ContactPersons": [person],
        "PaymentTerms": {"Sales": {"Day": 7}},
    }
    contact["Addresses"], contact["Phones"] = [{"AddressType": "STREET"}], [{"PhoneType": "MOBILE"}]
    prices = {"UnitPrice": 3, "AccountCode": "200", "TaxType": "OUTPUT"}
    return [
        ("PUT", "Invoices", invoice(LineItems=[tracked], **half)),
        ("POST", f"Invoices/{owed['InvoiceID']}", {"Reference": "x", "DueDate": "2026-12-31", "Status": "AUTHORISED"}),
        ("PUT", "CreditNotes", credit),
        ("POST", f"CreditNotes/{note['CreditNoteID']}", {"Reference": "x", "LineItems": [line()]}),
        ("PUT", f"CreditNotes/{note['CreditNoteID']}/Allocations", {"Amount": 1, "Date": "2026-11-25", **of_invoice}),
        ("PUT", f"Overpayments/{overpaid}/Allocations", {"Amount": 1, **of_invoice}),
        ("PUT", "Payments", {**of_invoice, **account, "Date": "2026-11-25", "Amount": 1, "Reference": "x"}),
        ("POST", f"Payments/{payment['PaymentID']}", {"Status": "AUTHORISED"}),
        ("PUT", "BatchPayments", {**account, "Date": "2026-11-25", "Payments": [{**of_invoice, "Amount": 1}]}),
        ("POST", "BatchPayments", {"BatchPaymentID": batch["BatchPaymentID"], "Status": "AUTHORISED"}),
        ("PUT", "BankTransactions", {**money, "Type": "SPEND", "LineItems": [line(AccountCode="404")]}),
        ("POST", f"BankTransactions/{spent['BankTransactionID']}", {**money, "Reference": "x", "Url": "https://a.b"}),
        ("POST", "Contacts", contact),
        ("POST", "Items", {"Code": "FUZZ", "Name": "Fuzz", "SalesDetails": prices, "PurchaseDetails": prices}),
        ("PUT", "Accounts", {"Code": "999", "Name": "Fuzz", "Type": "REVENUE", "TaxType": "OUTPUT"}),
        ("PUT", "TaxRates", {"Name": "Fuzz", "TaxComponents": [{"Name": "one", "Rate": 5, "IsCompound": True}]}),
        ("PUT", f"TrackingCategories/{region}/Options", {"Name": "Fuzz", "Status": "ACTIVE"}),
        ("PUT", f"Invoices/{owed['InvoiceID']}/History", {"HistoryRecords": [{"Details": "x"}]}),
    ]


def places(value, so_far=()):
    """The way to each part of a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([so_far] if so_far else []), *(way for key, one in inner for way in places(one, (*so_far, key)))]


@settings(max_examples=200)
@given(which=st.integers(0, 999), where=st.integers(0, 999), wrong=bodies, four=st.booleans(), apart=st.booleans())
def test_one_wrong_part_in_a_good_document_is_taken_or_refused(everything, documents, which, where, wrong, four, apart):
    method, path, good = documents[which % len(documents)]
    body = copy.deepcopy(good)
    *way, last = places(body)[where % len(places(body))]
    part = body
    for key in way:
        part = part[key]
    part[last] = wrong
    asked = {"unitdp": 4 if four else 2, "summarizeErrors": not apart}
    assert everything.call(method, path, body, **asked).status_code in {200, 400}


CONTROLS = st.sampled_from(
    [
        ("POST", "faults"),
        ("POST", "clock"),
        ("POST", "lock-dates"),
        ("POST", "plan"),
        ("POST", "organisations"),
        ("POST", "switches"),
        ("POST", "limits"),
    ]
)
settings_names = st.sampled_from(
    [
        "faults",
        "kind",
        "seconds",
        "count",
        "chance",
        "methods",
        "advance",
        "now",
        "organisation",
        "minute",
        "approval_limit",
    ]
)


@settings(max_examples=150)
@given(control=CONTROLS, body=st.dictionaries(settings_names, bodies, max_size=4))
def test_controls_take_what_makes_sense_and_refuse_the_rest(controlled, control, body):
    method, path = control
    assert controlled.request(method, f"/_simulator/{path}", json=body).status_code in {200, 400}
    assert controlled.get("/_simulator/clock").status_code == 200


@pytest.fixture(scope="module")
def controlled():
    simulator = Simulator(limits=False)
    yield Xero(simulator).http
    simulator.close()


@settings(max_examples=150)
@given(
    path=st.sampled_from(["/connect/token", "/connect/revocation", "/identity/connect/authorize"]),
    form=st.dictionaries(
        st.sampled_from(["grant_type", "code", "refresh_token", "client_id", "redirect_uri", "scope", "decision"]),
        st.one_of(st.text(max_size=20), st.sampled_from(["simulator", "authorization_code", "http://localhost:1/x"])),
    ),
    header=st.sampled_from([None, "Basic", "Basic !!!", "Basic c2ltdWxhdG9y", "Bearer x.y.z", "Basic /w=="]),
)
def test_oauth_refuses_nonsense_with_its_own_errors(controlled, path, form, header):
    headers = {"Authorization": header} if header else {}
    assert controlled.post(path, data=form, headers=headers).status_code in {200, 302, 400}
