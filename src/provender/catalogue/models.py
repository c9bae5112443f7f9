import uuid
from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models

from provender.basics.money import PercentField, PriceField
from provender.basics.texts import LineField, LinesField
from provender.people.models import User
from provender.suppliers.models import Supplier, TaxKind


class Category(models.Model):
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="categories")
    name = LineField(max_length=100)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]
        constraints = [models.UniqueConstraint(fields=["supplier", "name"], name="one_category_a_name")]

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """Something sold. `sku` is kept as written and is the item code in Xero; prices are without tax."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="products")
    sku = LineField("SKU", max_length=60)
    name = LineField(max_length=200)
    description = LinesField(max_length=4000, blank=True)
    category = models.ForeignKey(Category, on_delete=models.SET_NULL, null=True, blank=True, related_name="products")
    unit = LineField(max_length=30, blank=True)
    price = PriceField(validators=[MinValueValidator(Decimal(0))])
    tax_kind = models.CharField(max_length=4, choices=TaxKind.choices, default=TaxKind.GST)
    sales_account = LineField("sales account code", max_length=10, blank=True)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "sku"], name="one_product_a_sku")]
        indexes = [models.Index(fields=["supplier", "name"], name="product_by_name")]

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"


class BulkChange(models.Model):
    """One thing that was set for many products at once; what each had before is kept, so that it can be undone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="bulk_changes")
    what = models.CharField(max_length=45)  # a column of the product, or "property:" and its id
    value = LineField(max_length=500, blank=True)  # as set, in a text
    said = LineField(max_length=200)  # what happened, for a person: "moved to Drinks"
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at"]


class Former(models.Model):
    """What one product had before a change of many."""

    bulk = models.ForeignKey(BulkChange, on_delete=models.CASCADE, related_name="formers")
    product = models.UUIDField()
    value = LineField(max_length=500, blank=True)


class Dated(models.Model):
    """Something that counts from a first to a last day, both included; an empty one has no limit on that side."""

    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        abstract = True


def one_price_a_beginning(holder: str, name: str) -> list[models.BaseConstraint]:
    """No two prices of a product begin on one day, so which counts is never a tie."""
    return [
        models.UniqueConstraint(fields=[holder, "product", "valid_from"], name=f"one_{name}_price_a_first_day"),
        models.UniqueConstraint(
            fields=[holder, "product"], name=f"one_{name}_price_from_ever", condition=models.Q(valid_from=None)
        ),
        models.CheckConstraint(
            condition=models.Q(valid_to__gte=models.F("valid_from")), name=f"{name}_price_ends_after_it_begins"
        ),
    ]


class PriceList(Dated):
    """Prices of our own for a group of customers.

    A product that isn't on it costs its base price, with the list's percentage if it has one. Outside its days the
    list counts for nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="price_lists")
    name = LineField(max_length=100)
    percent = PercentField("percentage")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["supplier", "name"], name="one_price_list_a_name")]

    def __str__(self) -> str:
        return self.name


class ListPrice(Dated):
    """What a product costs on a list; of those that count on a day the one that began last. Two never begin at once."""

    price_list = models.ForeignKey(PriceList, on_delete=models.CASCADE, related_name="prices")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="list_prices")
    price = PriceField(validators=[MinValueValidator(Decimal(0))])

    class Meta:
        constraints = one_price_a_beginning("price_list", "list")
