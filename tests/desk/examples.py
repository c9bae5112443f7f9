"""An example of every address of the staff screens, for the tests that walk them all.

`EXAMPLES` names the parts of an address beside the wholesaler's `slug`, taken from `Things`, which all belong to one
wholesaler. A new address with such a part needs its line here, or `test_frame_doors` fails and says so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import uuid4

from django.core.files.base import ContentFile
from django.urls import URLPattern, URLResolver, get_resolver, reverse

import cast
from importing.files import csv_of, row
from provender.basics import clock
from provender.catalogue import bulk
from provender.importing import actions as importing
from provender.importing.payouts import keep_file
from provender.importing.products import preview_products
from provender.ordering.actions import edit_order
from provender.payments.actions import allocate_credit
from provender.payments.amending import Way
from provender.payments.payouts import PayoutEntry, enter_payout
from provender.people.actions import invite
from provender.people.models import Membership
from provender.people.roles import Role
from provender.suppliers.models import Supplier
from provender.sync.models import (
    ConnectAttempt,
    Connection,
    CustomerPull,
    CustomerPullRow,
    Link,
    Problem,
    Pull,
    PullRow,
)


@dataclass
class Things:
    """One of each, all of one wholesaler; made when first asked for."""

    supplier: Supplier

    @cached_property
    def customer(self):
        return cast.venue(self.supplier, "Corner Cafe")

    @cached_property
    def product(self):
        return cast.product(self.supplier)

    @cached_property
    def price_list(self):
        return cast.price_list(self.supplier)

    @cached_property
    def property(self):
        return cast.property_(self.supplier, "Region", ["North"])

    @cached_property
    def category(self):
        return cast.category(self.supplier)

    @cached_property
    def freight_group(self):
        return cast.freight_group(self.supplier)

    @cached_property
    def order(self):
        return cast.placed_order(self.customer)

    @cached_property
    def draft(self):
        return cast.draft_order(self.customer)

    @cached_property
    def left_order(self):
        """An order that was edited after its invoice was paid: one line more, one less, and nothing done about it."""
        order = cast.placed_order(self.customer, {"OAT-1L": 10, "BEANS-1KG": 2})
        cast.payment(order.invoice, str(order.invoice.total))
        goods = cast.goods(self.supplier, {"OAT-1L": 8, "BEANS-1KG": 3})
        lines = [replace(each, key=line.key) for each, line in zip(goods, order.lines.all(), strict=True)]
        return edit_order(order, lines=lines, way=Way.LEAVE, by=None)

    @cached_property
    def invoice(self):
        return self.order.invoice

    @cached_property
    def file(self):
        """A file that was uploaded and checked: an invoice, a credit note, and one that can't come in."""
        content = csv_of(row("1"), row("C2", quantity="-1"), row("3", who=""))
        source = importing.upload(self.supplier, ContentFile(content), "past.csv", by=None)
        plan = importing.Plan(source.mapping, source.date_format, create_missing=True)
        return importing.go_on(importing.choose(source, plan))

    @cached_property
    def bulk_change(self):
        """Products that were switched off together."""
        return bulk.switch(self.supplier, [self.product.pk], active=False, by=None).bulk

    @cached_property
    def list_file(self):
        """A file of products that was read: one changed, one new, one that can't be taken."""
        rows = [[self.product.sku, "Oat milk", "4.80"], ["RYE-800", "Dark rye loaf", "6.10"], ["NONE", "Nothing", "x"]]
        content = csv_of(*rows, header=["SKU", "Name", "Price"])
        return preview_products(self.supplier, ContentFile(content), "products.csv", by=None)

    @cached_property
    def payout_file(self):
        """A file of payouts that was uploaded: one can come in."""
        content = csv_of(["PO-9", "2026-11-20", "19.80"], header=["Payout", "Date", "Gross"])
        return keep_file(self.supplier, "Payly", ContentFile(content), "payouts.csv")

    @cached_property
    def payout(self):
        """A payout of two lines: one is matched, one needs a person."""
        entries = [
            PayoutEntry(gross=self.invoice.due, fee=Decimal("0.30"), invoice_number=self.invoice.number),
            PayoutEntry(gross=Decimal("5.00"), payment_reference="ch_unknown"),
        ]
        day = self.invoice.date
        return enter_payout(self.supplier, provider="Payly", reference="PO-77", date=day, entries=entries)

    @cached_property
    def credit_note(self):
        return cast.credit_note(self.customer, invoice=self.invoice)

    @cached_property
    def allocation(self):
        day = self.invoice.date
        credit_note = cast.credit_note(self.customer)
        return allocate_credit(credit_note, self.invoice, amount=Decimal("1.00"), date=day)

    @cached_property
    def payment(self):
        return cast.payment(cast.invoice(self.customer), "1.00")

    @cached_property
    def attempt(self):
        """A person on the way through Xero's consent page."""
        return ConnectAttempt.objects.create(supplier=self.supplier, state="given-out", began_at=clock.now())

    @cached_property
    def connection(self):
        tenant = f"organisation of {self.supplier.slug}"
        return Connection.objects.create(
            supplier=self.supplier, tenant=tenant[:36], organisation="Demo Company (AU)", connected_at=clock.now()
        )

    @cached_property
    def problem(self):
        """An invoice that needs a person."""
        return Problem.objects.create(
            connection=self.connection, kind="invoice", document=self.invoice.pk, cause="refused", found_at=clock.now()
        )

    @cached_property
    def pull(self):
        """A preview of products from Xero: one new, one changed, one that can't be taken."""
        made = Pull.objects.create(connection=self.connection, state="preview", read_at=clock.now(), items=3)
        after = {"name": "Tea", "description": "", "price": "4.5000", "sales_account": "200", "tax_kind": "gst"}
        rows = [
            PullRow(state="new", code="TEA-1", name="Tea", after=after, chosen=["new"], tracked=True),
            PullRow(
                state="changed",
                code=self.product.sku,
                name="Oat milk",
                product=self.product.pk,
                before={"name": self.product.name, "price": "4.5000"},
                after={"name": "Oat milk", "price": "4.8000"},
                price_moves=True,
                chosen=["name"],
            ),
            PullRow(state="refused", code="", name="Nameless", reason="It has no code in Xero"),
        ]
        for position, each in enumerate(rows):
            each.pull, each.position = made, position
        PullRow.objects.bulk_create(rows)
        return made

    @cached_property
    def customer_pull(self):
        """A preview of customers from Xero: one suggested, one a question, one new, one that can't be taken, …"""
        made = CustomerPull.objects.create(connection=self.connection, state="preview", read_at=clock.now(), contacts=5)
        cafe = self.customer
        likely = [{"customer": str(cafe.pk), "name": cafe.trading_name, "why": ["tax", "name"], "weight": 12}]
        after = {"trading_name": "New Bar", "email": "bar@example.test", "city": "Sydney", "terms_days": 14}
        about = "bar@example.test · Sydney"
        rows = [
            CustomerPullRow(state="suggested", name="Corner Café", likely=likely, signs="tax name", about=about),
            CustomerPullRow(state="question", name="Corner Group", likely=likely * 2, hints=["More than one fits"]),
            CustomerPullRow(state="new", name="New Bar", after=after, about=about, choice="new"),
            CustomerPullRow(state="seller", name="Grower", after=after, reason="So far you only buy from it"),
            CustomerPullRow(state="refused", reason="It has no name in Xero"),
            CustomerPullRow(state="here", name=cafe.trading_name, customer=cafe.pk, reason="No contact is like it"),
        ]
        for position, each in enumerate(rows):
            each.pull, each.position = made, position
            each.contact_id = "" if each.state == "here" else f"contact-{position}"
            each.customer = each.customer or uuid4()
        CustomerPullRow.objects.bulk_create(rows)
        return made

    @cached_property
    def linked_customer(self):
        """A customer that is a contact in Xero."""
        Link.objects.create(connection=self.connection, kind="contact", document=self.customer.pk, xero_id="corner")
        return self.customer

    @cached_property
    def membership(self):
        somebody = Membership.objects.filter(supplier=self.supplier).first()
        return somebody or Membership.objects.get(user=cast.person("theo", self.supplier))

    @cached_property
    def secret(self):
        return invite(self.supplier, "nora@example.test", Role.STAFF, None)

    @cached_property
    def invitation(self):
        return self.secret and self.supplier.invitations.get()


def pk(thing: str) -> Callable[[Things], dict[str, Any]]:
    return lambda things: {"pk": getattr(things, thing).pk}


EXAMPLES: dict[str, Callable[[Things], dict[str, Any]]] = {
    "join": lambda things: {"secret": things.secret},
    "person": pk("membership"),
    "person-remove": pk("membership"),
    "invitation-withdraw": pk("invitation"),
    "freight-edit": pk("freight_group"),
    "customer": pk("customer"),
    "customer-edit": pk("customer"),
    "customer-switch": pk("customer"),
    "customer-contact": pk("customer"),
    "customer-prices": pk("customer"),
    "customer-price": lambda things: {"pk": things.customer.pk, "product": things.product.pk},
    "product": pk("product"),
    "product-prices": pk("product"),
    "product-edit": pk("product"),
    "product-switch": pk("product"),
    "category-edit": pk("category"),
    "category-move": pk("category"),
    "category-delete": pk("category"),
    "price-list": pk("price_list"),
    "price-list-edit": pk("price_list"),
    "price-list-file": pk("price_list"),
    "price-list-download": lambda things: {"pk": things.price_list.pk, "ending": "csv"},
    "customer-price-file": pk("customer"),
    "customer-price-download": lambda things: {"pk": things.customer.pk, "ending": "xlsx"},
    "price-list-product": lambda things: {"pk": things.price_list.pk, "product": things.product.pk},
    "price-list-delete": pk("price_list"),
    **{f"order-{part}": pk("draft") for part in ("edit", "place", "deliver", "duplicate", "cancel", "delete")},
    "order": pk("order"),
    "order-amend": pk("left_order"),
    "property": pk("property"),
    "property-option": pk("property"),
    "property-delete": pk("property"),
    "property-values": lambda things: {"kind": "product", "pk": things.product.pk},
    "invoice": pk("invoice"),
    "invoice-edit": pk("invoice"),
    "invoice-pdf": pk("invoice"),
    "invoice-void": pk("invoice"),
    "invoice-pay": pk("invoice"),
    "invoice-check": pk("invoice"),
    "payment-remove": pk("payment"),
    "payment-surcharge-back": pk("payment"),
    "invoice-link": pk("invoice"),
    "import": pk("file"),
    **{f"import-{part}": pk("file") for part in ("columns", "apply", "discard", "documents", "rejects")},
    "product-undo-bulk": pk("bulk_change"),
    "list-file": pk("list_file"),
    **{f"list-file-{part}": pk("list_file") for part in ("apply", "discard", "rejects")},
    "credit-note": pk("credit_note"),
    **{f"credit-note-{part}": pk("credit_note") for part in ("pdf", "edit", "void", "allocate", "itself")},
    "credit-note-new": pk("customer"),
    "credit-note-of-invoice": pk("invoice"),
    "allocation-undo": pk("allocation"),
    "payment-refund": pk("payment"),
    "payout": pk("payout"),
    **{f"payout-{part}": pk("payout") for part in ("match", "close", "undo")},
    "payout-line": lambda things: {"pk": things.payout.pk, "position": 2},
    "payout-file": pk("payout_file"),
    **{f"payout-file-{part}": pk("payout_file") for part in ("take", "discard")},
    "xero-choose": pk("attempt"),
    "xero-pull": pk("pull"),
    "xero-pull-undo": pk("pull"),
    "xero-pull-discard": pk("pull"),
    "xero-customer-pull": pk("customer_pull"),
    "xero-customer-pull-undo": pk("customer_pull"),
    "xero-customer-pull-discard": pk("customer_pull"),
    "customer-unlink": pk("linked_customer"),
    "xero-settings-mark": lambda _things: {"field": "sales_account"},
    "problem-again": pk("problem"),
    "problem-repair": lambda things: {"pk": things.problem.pk, "do": "leave"},
}


@dataclass(frozen=True)
class Address:
    """One address of the resolver: its name, the parts it takes, and what answers."""

    name: str
    parts: frozenset[str]
    view: Callable[..., Any]

    @property
    def needs_example(self) -> bool:
        return bool(self.parts - {"slug"})

    def url(self, things: Things) -> str:
        """The address of the example."""
        parts = EXAMPLES[self.name](things) if self.needs_example else {}
        if "slug" in self.parts:
            parts["slug"] = things.supplier.slug
        return reverse(f"desk:{self.name}", kwargs=parts)


def addresses() -> list[Address]:
    """Every address of the staff screens, whoever added it."""
    return list(_walk(get_resolver(), frozenset(), within=False))


def _walk(resolver: URLResolver, outer: frozenset[str], *, within: bool) -> Iterator[Address]:
    for entry in resolver.url_patterns:
        parts = outer | set(entry.pattern.regex.groupindex)
        if isinstance(entry, URLResolver):
            yield from _walk(entry, parts, within=within or entry.app_name == "desk")
        elif within and isinstance(entry, URLPattern):
            yield Address(entry.name or "", parts, entry.callback)
