import uuid

from django.core.validators import MaxLengthValidator
from django.db import models

from provender.basics.money import AmountField, PriceField
from provender.catalogue.models import Product
from provender.customers.models import Customer
from provender.people.models import User
from provender.suppliers.models import Supplier, TaxKind


class LineKind(models.TextChoices):
    PRODUCT = "product", "Product"
    FREIGHT = "freight", "Freight"
    SURCHARGE = "surcharge", "Surcharge"
    OTHER = "other", "Other"


class Invoice(models.Model):
    """A tax invoice in its newest version. Amounts are in `currency`; prices without tax."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        VOID = "void", "Void"

    class Origin(models.TextChoices):
        RAISED = "raised", "Raised here"
        IMPORTED = "imported", "Imported"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="invoices")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="invoices")
    number = models.CharField(max_length=60)
    date = models.DateField()
    due_date = models.DateField()
    order_numbers = models.CharField(max_length=200, blank=True)
    purchase_order = models.CharField(max_length=100, blank=True)
    comment = models.TextField(max_length=2000, blank=True, validators=[MaxLengthValidator(2000)])
    currency = models.CharField(max_length=3)
    subtotal = AmountField()
    tax = AmountField()
    total = AmountField()
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
            models.Index(fields=["supplier", "customer", "-date"], name="invoice_of_customer"),
            models.Index(fields=["supplier", "status", "-date", "-number"], name="invoice_by_status"),
            models.Index(fields=["supplier", "status", "due_date"], name="invoice_by_due"),
            models.Index(fields=["supplier", "due_date", "number"], name="invoice_next_due"),
            models.Index(fields=["supplier", "total", "number"], name="invoice_by_total"),
            models.Index(
                fields=["supplier", "purchase_order"],
                name="invoice_of_purchase_order",
                condition=~models.Q(purchase_order=""),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class InvoiceLine(models.Model):
    """One line. `key` stays with the line through every version, so that its twin in Xero can be followed."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    key = models.UUIDField(default=uuid.uuid4)
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=9, choices=LineKind.choices, default=LineKind.PRODUCT)
    product = models.ForeignKey(Product, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    sku = models.CharField(max_length=60, blank=True)
    description = models.CharField(max_length=4000)
    quantity = PriceField()
    unit_price = PriceField()
    tax_kind = models.CharField(max_length=4, choices=TaxKind.choices)
    tax_rate = models.DecimalField(max_digits=7, decimal_places=4)
    sales_account = models.CharField(max_length=10, blank=True)  # the product's own, as it was at placing
    tracking = models.JSONField(default=list)  # the options it carries, as at placing (properties.queries.Carried)
    amount = AmountField()
    tax = AmountField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["invoice", "key"], name="one_line_a_key")]


class InvoiceVersion(models.Model):
    """A frozen copy of an invoice as it was issued: names, prices and tax, amounts as strings."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    document = models.JSONField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    why = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["invoice", "version"], name="one_copy_a_version")]
