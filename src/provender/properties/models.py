import uuid

from django.db import models
from django.db.models import Q

from provender.basics.texts import LineField
from provender.suppliers.models import Supplier

TRACKING_TAG = "xero_"  # a property tagged `xero_Region` carries the tracking category Region


class Property(models.Model):
    """Something a wholesaler notes on documents: a region, a route, a cold chain yes or no."""

    class Type(models.TextChoices):
        DROPDOWN = "dropdown", "Dropdown"
        TEXT = "text", "Text"
        NUMBER = "number", "Number"
        YES_NO = "yes-no", "Yes or no"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="properties")
    name = LineField(max_length=100)
    tag = models.CharField(max_length=105, blank=True)
    type = models.CharField(max_length=8, choices=Type.choices, default=Type.DROPDOWN)
    on_products = models.BooleanField("on products", default=True)
    on_customers = models.BooleanField("on customers", default=True)
    on_orders = models.BooleanField("on orders", default=True)
    on_invoices = models.BooleanField("on invoices", default=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "properties"
        constraints = [
            models.UniqueConstraint(fields=["supplier", "name"], name="one_property_a_name"),
            models.UniqueConstraint(fields=["supplier", "tag"], name="one_property_a_tag", condition=~Q(tag="")),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def category_wanted(self) -> str:
        """The name of the tracking category in Xero that the tag asks for, or ""."""
        wanted = self.tag.startswith(TRACKING_TAG) and self.type == self.Type.DROPDOWN
        return self.tag.removeprefix(TRACKING_TAG) if wanted else ""


class Option(models.Model):
    """One choice of a dropdown. An inactive one is no longer offered; where it was chosen, it stays."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    property = models.ForeignKey(Property, on_delete=models.CASCADE, related_name="options")
    name = LineField(max_length=100)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["property", "name"], name="one_option_a_name")]

    def __str__(self) -> str:
        return self.name


class Kind(models.TextChoices):
    """Where a property may sit."""

    PRODUCT = "product", "Products"
    CUSTOMER = "customer", "Customers"
    ORDER = "order", "Orders"
    INVOICE = "invoice", "Invoices"


class Value(models.Model):
    """What one property is on one document: an option, or for other types a text ("12.5", "yes")."""

    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="+")
    property = models.ForeignKey(Property, on_delete=models.CASCADE, related_name="values")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    document = models.UUIDField()
    option = models.ForeignKey(Option, on_delete=models.CASCADE, null=True, related_name="values")
    text = LineField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["property", "kind", "document"], name="one_value_a_document")]
        indexes = [models.Index(fields=["kind", "document"], name="value_of_document")]
