import uuid
from datetime import date

from django.core.validators import MaxLengthValidator
from django.db import models

from provender.basics.money import PriceField
from provender.basics.texts import LineField, LinesField
from provender.catalogue.models import Product
from provender.customers.models import Customer
from provender.invoicing.models import Invoice, LineKind
from provender.suppliers.models import Supplier, TaxKind


class Order(models.Model):
    """What a customer wants. Its lines carry prices from the moment it is placed."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PLACED = "placed", "Placed"
        DELIVERED = "delivered", "Delivered"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="orders")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="orders")
    number = LineField(max_length=60)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.DRAFT)
    purchase_order = LineField("purchase order number", max_length=100, blank=True)
    comment = LinesField("customer's comment", max_length=2000, blank=True, validators=[MaxLengthValidator(2000)])
    order_date = models.DateField()
    delivery_date = models.DateField(null=True, blank=True)
    invoice = models.ForeignKey(Invoice, on_delete=models.SET_NULL, null=True, blank=True, related_name="orders")
    # What it comes to with tax, where its invoice has money on it and could not follow an edit; else its invoice says.
    own_total = models.DecimalField(max_digits=15, decimal_places=2, null=True, blank=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    placed_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "number"], name="one_order_a_number")]
        indexes = [
            models.Index(fields=["supplier", "-created_at"], name="order_newest_first"),
            models.Index(fields=["supplier", "status", "delivery_date"], name="order_by_delivery"),
            models.Index(fields=["supplier", "customer", "-created_at"], name="order_of_customer"),
            models.Index(fields=["supplier", "customer", "status", "order_date"], name="order_last_of_customer"),
            models.Index(fields=["supplier", "order_date", "number"], name="order_by_date"),
            models.Index(fields=["supplier", "delivery_date", "number"], name="order_next_delivery"),
            models.Index(fields=["supplier", "purchase_order", "number"], name="order_of_purchase_order"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def priced_on(self) -> date:
        """The day whose prices count: that of the delivery, or of the order while no delivery is known."""
        return self.delivery_date or self.order_date


class OrderLine(models.Model):
    """One line. `key` becomes the invoice line's key; `price_from` says where the price came from."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    key = models.UUIDField(default=uuid.uuid4)
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=9, choices=LineKind.choices, default=LineKind.PRODUCT)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    sku = LineField(max_length=60, blank=True)
    description = models.CharField(max_length=4000)
    quantity = PriceField()
    unit_price = PriceField()
    price_from = LineField(max_length=200, blank=True)
    tax_kind = models.CharField(max_length=4, choices=TaxKind.choices)
    sales_account = LineField(max_length=10, blank=True)
    # The options that the line carries (properties.queries.Carried), chosen when it is placed; null before.
    tracking = models.JSONField(null=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["order", "key"], name="one_order_line_a_key")]
