"""The bookkeeper's page at /_simulator/: plain HTML, no JavaScript, under the same rules as the API."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any
from urllib.parse import urlencode

import msgspec
from flask import Flask, Response, abort, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from xero_simulator import bank, currencies, documents
from xero_simulator.bookkeeper import Bookkeeper
from xero_simulator.books import Books
from xero_simulator.clock import from_ms
from xero_simulator.errors import BadPost, Invalid
from xero_simulator.flasking import asked_simulator
from xero_simulator.records import Account, CreditNote, Invoice, Payment
from xero_simulator.resources.allocations import SIDES
from xero_simulator.rounding import ZERO
from xero_simulator.simulator import Simulator
from xero_simulator.views.controls import is_loopback

VIEWS = {
    "invoices": "Invoices",
    "credit-notes": "Credit notes",
    "contacts": "Contacts",
    "payments": "Payments",
    "bank": "Bank",
    "items": "Items",
    "accounts": "Accounts",
    "settings": "Settings",
    "calls": "Calls",
}
ROWS_A_PAGE = 50
MOST_BATCHES = 50
STYLE = "/_simulator/style.css"
PAGES = ("/_simulator/", "/identity/")
POLICY = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
Form = MultiDict[str, str]
Act = Callable[[Bookkeeper, Form], object]


def add_routes(app: Flask) -> None:
    app.add_template_filter(_money, "money")
    app.add_template_filter(_moment, "moment")

    @app.before_request
    def keep_others_out() -> None:
        if request.path.startswith("/_simulator/") and request.path != STYLE and not is_loopback():
            abort(404)

    @app.get(STYLE)
    def style() -> Response:
        return Response(render_template("style.css"), content_type="text/css; charset=utf-8")

    @app.after_request
    def allow_nothing_foreign(answer: Response) -> Response:
        """Pages for people take our own style and nothing else: no script, no frame, no form to elsewhere."""
        if request.path.startswith(PAGES):
            # A consent's form ends at the app that asked, wherever that is.
            forms = "" if request.path.startswith("/identity/") else "; form-action 'self'"
            answer.headers["Content-Security-Policy"] = POLICY + forms
            answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    @app.get("/_simulator/")
    def desk() -> str:
        view = request.args.get("view", "invoices")
        if view not in VIEWS:
            abort(404)
        simulator = asked_simulator()
        books = _chosen(simulator)
        return render_template(f"{view.replace('-', '_')}.html", **_frame(simulator, books, view), **_rows(books, view))

    @app.get("/_simulator/invoice/<invoice_id>")
    def invoice(invoice_id: str) -> str:
        simulator = asked_simulator()
        books = _chosen(simulator)
        found = books.invoices.get(invoice_id)
        if found is None:
            abort(404)
        return render_template(
            "invoice.html",
            **_frame(simulator, books, "invoices"),
            invoice=found,
            contact=books.contacts.get(found.contact_id),
            lines=documents.unpack_lines(found.lines),
            payments=[p for p in books.payments.find("document", found.id) if p.status == "AUTHORISED"],
            allocations=books.allocations.find("invoice", found.id),
            paying=_paying(books, found),
            notes=books.history.find("document", found.id),
        )

    @app.post("/_simulator/do/<act>")
    def do(act: str) -> Response:
        if act not in ACTS:
            abort(404)
        simulator = asked_simulator()
        books = _chosen(simulator)
        said, bad = _try(ACTS[act], Bookkeeper(simulator, books), request.form)
        target = request.form.get("back", "")
        known = target.startswith("/_simulator/") and target.isprintable()
        back = target if known else url_for("desk", organisation=books.organisation_id)
        joint = "&" if "?" in back else "?"
        answer = redirect(back, 303)
        answer.headers["Location"] = back + joint + _query(said, bad=bad)
        return answer  # type: ignore[return-value]


def _query(said: str, *, bad: bool) -> str:
    return urlencode({"bad" if bad else "said": said})


def _try(act: Act, bookkeeper: Bookkeeper, form: Form) -> tuple[str, bool]:
    """Do it; what to say about it, and whether it was refused."""
    try:
        act(bookkeeper, form)
    except Invalid as refusal:
        return " · ".join(refusal.texts), True
    except (LookupError, InvalidOperation, ValueError, BadPost, msgspec.MsgspecError):
        return "That could not be read. Check the amounts, dates and names.", True
    return "Done.", False


def _chosen(simulator: Simulator) -> Books:
    """The organisation that the page is about: the first one unless another is named."""
    wanted = request.values.get("organisation")
    everything = simulator.organisations
    if wanted is None:
        return next(iter(everything.values()))
    if wanted not in everything:
        abort(404)
    return everything[wanted]


def _frame(simulator: Simulator, books: Books, view: str) -> dict[str, Any]:
    place = {"organisation": books.organisation_id, "view": view}
    kept = {name: text for name in ("q", "page") if (text := request.args.get(name, ""))}
    return {
        "books": books,
        "view": view,
        "views": VIEWS,
        "organisations": [one.settings for one in simulator.organisations.values()],
        "organisation": books.organisation_id,
        "now": simulator.clock.now(),
        "said": request.args.get("said"),
        "bad": request.args.get("bad"),
        "simulator": simulator,
        "here": f"{request.path}?{urlencode(place | kept)}",
    }


def _rows(books: Books, view: str) -> dict[str, Any]:
    match view:
        case "invoices":
            return _found(_newest(books.invoices), partial(_of_document, books)) | {
                "currencies": currencies.used(books)
            }
        case "credit-notes":
            return _found(_newest(books.credit_notes), partial(_of_document, books)) | {"owed": partial(_owed, books)}
        case "contacts":
            people = sorted(books.contacts, key=lambda contact: contact.name.casefold())
            return _found(people, lambda contact: (contact.name, contact.number, contact.email))
        case "payments":
            batches = _newest(books.batch_payments)[:MOST_BATCHES]
            return _found(_newest(books.payments), partial(_of_payment, books)) | {"batches": batches}
        case "bank":
            banks = [account for account in books.accounts if account.type == "BANK"]
            return {"rows": [(account, bank.statement(books, account.id)) for account in banks]}
        case "items":
            goods = sorted(books.items, key=lambda item: item.code.casefold())
            return _found(goods, lambda item: (item.code, item.name))
        case "accounts":
            chart = sorted(books.accounts, key=lambda account: (account.code or "", account.name))
            return _found(chart, lambda account: (account.code, account.name, account.type))
        case "settings":
            return {"currencies": currencies.used(books)}
    return {}


def _found(rows: list[Any], texts: Callable[[Any], tuple[str | None, ...]]) -> dict[str, Any]:
    """Of the rows that hold every word that is searched for, the page that is asked for."""
    words = request.args.get("q", "").casefold().split()
    if words:
        held = ((row, " ".join(filter(None, texts(row))).casefold()) for row in rows)
        rows = [row for row, text in held if all(word in text for word in words)]
    pages = max(1, -(-len(rows) // ROWS_A_PAGE))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    shown = rows[(page - 1) * ROWS_A_PAGE : page * ROWS_A_PAGE]
    return {"rows": shown, "count": len(rows), "page": page, "pages": pages, "q": request.args.get("q", "")}


def _of_document(books: Books, document: Invoice | CreditNote) -> tuple[str | None, ...]:
    contact = books.contacts.get(document.contact_id)
    name = contact.name if contact else None
    return document.number, document.reference, name, document.status, str(document.total)


def _of_payment(books: Books, payment: Payment) -> tuple[str | None, ...]:
    paid = books.invoices.get(payment.document_id) or books.credit_notes.get(payment.document_id)
    number = paid.number if paid else None
    return number, payment.reference, books.accounts.rows[payment.account_id].name, payment.status, str(payment.at_bank)


def _newest(table: Any) -> list[Any]:
    return list(reversed(list(table)))


def _owed(books: Books, note: CreditNote) -> list[Invoice]:
    """What the credit can be given to."""
    return [
        invoice
        for invoice in books.invoices.find("contact", note.contact_id or "")
        if invoice.status == "AUTHORISED"
        and invoice.type == SIDES[note.type]
        and invoice.currency_code == note.currency_code
    ]


def _paying(books: Books, invoice: Invoice) -> list[Account]:
    """Accounts that payments of it can go to and that have a code to choose them by."""
    fitting = {books.settings.base_currency, invoice.currency_code}
    taking = [a for a in books.accounts if a.code and a.status == "ACTIVE" and (a.type == "BANK" or a.enable_payments)]
    return [account for account in taking if currencies.of_account(books, account) in fitting]


def _money(value: Decimal | None) -> str:
    return "" if value is None else f"{value:,.2f}"


def _moment(milliseconds: int) -> str:
    return from_ms(milliseconds).strftime("%d %b %Y %H:%M:%S")


def _amount(form: Form, name: str = "amount") -> Decimal | None:
    text = form.get(name, "").replace(",", "").strip()
    return Decimal(text) if text else None


def _day(form: Form, name: str) -> date | None:
    text = form.get(name, "").strip()
    return date.fromisoformat(text) if text else None


def _edit_invoice(bookkeeper: Bookkeeper, form: Form) -> None:
    """Reference, due date and the lines that the form shows; a line without a description and price is dropped."""
    lines = [
        {"LineItemID": line_id, "Description": description, "Quantity": Decimal(quantity), "UnitAmount": Decimal(price)}
        for line_id, description, quantity, price in zip(
            form.getlist("line"),
            form.getlist("description"),
            form.getlist("quantity"),
            form.getlist("price"),
            strict=True,
        )
        if description.strip() and quantity.strip() and price.strip()
    ]
    bookkeeper.edit_invoice(
        form["id"],
        Reference=form.get("reference"),
        DueDate=form.get("due_date") or None,
        LineItems=lines or None,
    )


def _new_invoice(bookkeeper: Bookkeeper, form: Form) -> None:
    line = {
        "Description": form["description"],
        "Quantity": _amount(form, "quantity") or Decimal(1),
        "UnitAmount": _amount(form, "price"),
        "AccountCode": form.get("account") or "200",
    }
    bookkeeper.type_invoice(
        form.get("number") or None,
        form["contact"],
        [line],
        Status=form.get("status", "AUTHORISED"),
        CurrencyCode=form.get("currency"),
    )


def _new_credit_note(bookkeeper: Bookkeeper, form: Form) -> None:
    line = {
        "Description": form["description"],
        "Quantity": Decimal(1),
        "UnitAmount": _amount(form, "price"),
        "AccountCode": "200",
    }
    bookkeeper.type_credit_note(form["contact"], [line])


ACTS: dict[str, Act] = {
    "new-invoice": _new_invoice,
    "edit-invoice": _edit_invoice,
    "approve": lambda b, f: b.approve(f["id"]),
    "void": lambda b, f: b.void(f["id"]),
    "pay": lambda b, f: b.pay(f["id"], _amount(f), f["account"], _day(f, "day"), f.get("reference") or None),
    "remove-payment": lambda b, f: b.remove_payment(f["id"]),
    "remove-batch": lambda b, f: b.remove_batch(f["id"]),
    "new-credit-note": _new_credit_note,
    "void-credit-note": lambda b, f: b.edit_credit_note(f["id"], Status="VOIDED"),
    "refund": lambda b, f: b.refund(f["id"]),
    "allocate": lambda b, f: b.allocate(f["id"], f["invoice"], _amount(f) or ZERO),
    "remove-allocation": lambda b, f: b.remove_allocation(f["id"]),
    "archive-contact": lambda b, f: b.archive_contact(f["id"]),
    "restore-contact": lambda b, f: b.restore_contact(f["id"]),
    "rename-contact": lambda b, f: b.rename_contact(f["id"], f["name"]),
    "merge-contact": lambda b, f: b.merge_contact(f["id"], f["name"]),
    "archive-account": lambda b, f: b.archive_account(f["code"]),
    "restore-account": lambda b, f: b.restore_account(f["code"]),
    "add-item": lambda b, f: b.add_item(f["code"], f.get("name"), _amount(f, "price")),
    "edit-item": lambda b, f: b.edit_item(f["code"], _amount(f, "price"), Name=f.get("name") or None),
    "remove-item": lambda b, f: b.remove_item(f["code"]),
    "reconcile": lambda b, f: b.reconcile(f["id"], reconciled=f.get("off") is None),
    "add-currency": lambda b, f: b.add_currency(f["code"], _amount(f, "rate")),
    "lock": lambda b, f: b.set_lock_dates(_day(f, "period"), _day(f, "year")),
    "disconnect": lambda b, _f: b.disconnect(),
}
