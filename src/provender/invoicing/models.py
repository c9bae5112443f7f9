import uuid
from decimal import Decimal

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F, Q

from provender.basics.money import ZERO, AmountField, PriceField
from provender.basics.texts import LineField, LinesField
from provender.catalogue.models import Product
from provender.customers.models import Customer
from provender.people.models import User
from provender.suppliers.models import Supplier, TaxKind


class LineKind(models.TextChoices):
    PRODUCT = "product", "Product"
    FREIGHT = "freight", "Freight"
    SURCHARGE = "surcharge", "Surcharge"
    OTHER = "other", "Other"


class Origin(models.TextChoices):
    RAISED = "raised", "Raised here"
    IMPORTED = "imported", "Imported"


class Invoice(models.Model):
    """A tax invoice in its newest version. Amounts are in `currency`; prices without tax."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        VOID = "void", "Void"

    Origin = Origin

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="invoices")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="invoices")
    number = LineField(max_length=60)
    date = models.DateField()
    due_date = models.DateField()
    order_numbers = LineField(max_length=200, blank=True)
    purchase_order = LineField(max_length=100, blank=True)
    comment = LinesField(max_length=2000, blank=True, validators=[MaxLengthValidator(2000)])
    currency = models.CharField(max_length=3)
    subtotal = AmountField()
    tax = AmountField()
    total = AmountField()
    # Sums of its live payments and allocations, and the day on which nothing was left to pay: weighed anew from the
    # rows of `payments` by that room alone, whenever one of them comes or goes.
    paid = AmountField(default=ZERO)
    credited = AmountField(default=ZERO)
    settled_on = models.DateField(null=True, blank=True)
    # Set: it bills what came on top of that invoice, which had money on it and stays as it was issued.
    further_to = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="further")
    status = models.CharField(max_length=4, choices=Status.choices, default=Status.OPEN)
    origin = models.CharField(max_length=8, choices=Origin.choices, default=Origin.RAISED)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "number"], name="one_invoice_a_number")]
        indexes = [
            models.Index(fields=["supplier", "-date", "-number"], name="invoice_newest_first"),
            models.Index(fields=["supplier", "id"], name="invoice_key"),  # to walk along all keys without their rows
            models.Index(fields=["supplier", "customer", "-date"], name="invoice_of_customer"),
            models.Index(fields=["supplier", "status", "-date", "-number"], name="invoice_by_status"),
            models.Index(fields=["supplier", "status", "due_date"], name="invoice_by_due"),
            models.Index(fields=["supplier", "due_date", "number"], name="invoice_next_due"),
            models.Index(fields=["supplier", "total", "number"], name="invoice_by_total"),
            # What is still to be paid is little beside all that was. SQLite uses these only when a query says the
            # condition in these words.
            models.Index(
                fields=["supplier", "-date", "-number"], name="invoice_unsettled_newest", condition=Q(settled_on=None)
            ),
            models.Index(
                fields=["supplier", "due_date", "number"], name="invoice_unsettled_due", condition=Q(settled_on=None)
            ),
            models.Index(
                fields=["supplier", "purchase_order"],
                name="invoice_of_purchase_order",
                condition=~Q(purchase_order=""),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def due(self) -> Decimal:
        """What is left to pay; below zero when more came in than was owed. A void invoice owes nothing."""
        return ZERO if self.status == self.Status.VOID else self.total - self.paid - self.credited

    @property
    def has_money(self) -> bool:
        """Whether a payment or a credit stands against it: then only its due date can be changed, here as in Xero."""
        return bool(self.paid or self.credited)


class DocumentLine(models.Model):
    """One line. `key` stays with the line through every version, so that its twin in Xero can be followed."""

    key = models.UUIDField(default=uuid.uuid4)
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=9, choices=LineKind.choices, default=LineKind.PRODUCT)
    product = models.ForeignKey(Product, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    sku = LineField(max_length=60, blank=True)
    description = models.CharField(max_length=4000)
    quantity = PriceField()
    unit_price = PriceField()
    tax_kind = models.CharField(max_length=4, choices=TaxKind.choices)
    tax_rate = models.DecimalField(max_digits=7, decimal_places=4)
    sales_account = LineField(max_length=10, blank=True)  # the product's own, as it was at placing
    tracking = models.JSONField(default=list)  # the options it carries, as at placing (properties.queries.Carried)
    amount = AmountField()
    tax = AmountField()

    class Meta:
        abstract = True
        ordering = ["position"]


class InvoiceLine(DocumentLine):
    """A line of an invoice."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")

    class Meta(DocumentLine.Meta):
        constraints = [models.UniqueConstraint(fields=["invoice", "key"], name="one_line_a_key")]


class InvoiceVersion(models.Model):
    """A frozen copy of an invoice as it was issued: names, prices and tax, amounts as strings."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    document = models.JSONField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    why = LineField(max_length=200, blank=True)

    class Meta:
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["invoice", "version"], name="one_copy_a_version")]


class CreditNote(models.Model):
    """What a customer is given back, as a document; from an invoice or free. Amounts are positive, in `currency`."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        VOID = "void", "Void"

    Origin = Origin

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="credit_notes")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="credit_notes")
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="credit_notes"
    )  # the one that it credits; none: a free credit
    number = LineField(max_length=60)
    date = models.DateField()
    reason = LinesField(max_length=2000, blank=True, validators=[MaxLengthValidator(2000)])
    names = models.JSONField(default=dict, blank=True)  # who gives and who is given, as it was issued (`names_of`)
    currency = models.CharField(max_length=3)
    subtotal = AmountField()
    tax = AmountField()
    total = AmountField()
    # The sum of its live allocations and refunds, weighed anew by `payments` alone.
    used = AmountField(default=ZERO)
    # Whether it may be set against the customer's next invoices by itself; not, when the customer pays us directly.
    applies_itself = models.BooleanField(default=True)
    # Whether it takes back what an edit took off its invoice; else goods came back, or it is for goodwill.
    amends = models.BooleanField(default=False)
    status = models.CharField(max_length=4, choices=Status.choices, default=Status.OPEN)
    origin = models.CharField(max_length=8, choices=Origin.choices, default=Origin.RAISED)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "number"], name="one_credit_note_a_number")]
        indexes = [
            models.Index(fields=["supplier", "-date", "-number"], name="credit_note_newest_first"),
            models.Index(fields=["supplier", "customer", "-date"], name="credit_note_of_customer"),
            # Of which something is left: few, and asked for in these words.
            models.Index(
                fields=["supplier", "status"], name="credit_note_left", condition=Q(status="open", total__gt=F("used"))
            ),
            models.Index(fields=["supplier", "total", "number"], name="credit_note_by_total"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def remaining(self) -> Decimal:
        """What is still to be set against invoices or paid back. A void one gives nothing."""
        return ZERO if self.status == self.Status.VOID else self.total - self.used


class CreditNoteLine(DocumentLine):
    """A line of a credit note: quantities are what came back, or what was charged too much."""

    credit_note = models.ForeignKey(CreditNote, on_delete=models.CASCADE, related_name="lines")

    class Meta(DocumentLine.Meta):
        constraints = [models.UniqueConstraint(fields=["credit_note", "key"], name="one_credit_line_a_key")]
