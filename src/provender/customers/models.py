import uuid
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from provender.basics.money import AmountField, PercentField, PriceField
from provender.basics.texts import AddressField, LineField, LinesField
from provender.catalogue.models import Dated, PriceList, Product, one_price_a_beginning
from provender.suppliers.models import Country, Supplier


class FreightGroup(models.Model):
    """What delivery costs for a group of customers, without tax; free from an order value, if set."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="freight_groups")
    name = LineField(max_length=100)
    charge = AmountField(validators=[MinValueValidator(Decimal(0))])
    free_from = models.DecimalField(
        max_digits=15, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(Decimal(0))]
    )

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["supplier", "name"], name="one_freight_group_a_name")]

    def __str__(self) -> str:
        return self.name


class FollowedTerms(models.TextChoices):
    """Terms that count from the invoice's own date, as books keep them; `followed_day` is the number in each."""

    AFTER_INVOICE = "after-invoice", "days after the invoice"
    AFTER_MONTH = "after-month", "days after the end of the invoice’s month"
    THIS_MONTH = "this-month", "day of the invoice’s month"
    NEXT_MONTH = "next-month", "day of the month after the invoice"


class Customer(models.Model):
    """A venue. `trading_name` is the name that Xero's contact is matched by."""

    class TermsFrom(models.TextChoices):
        ORDER = "order", "from the order"
        DELIVERY = "delivery", "from the delivery"

    class InvoiceAt(models.TextChoices):
        PLACING = "placing", "when the order is placed"
        DELIVERY = "delivery", "when the order is delivered"

    class Pays(models.TextChoices):
        HERE = "here", "what its invoices say, less credit, which is set against them by itself"
        DIRECT = "direct", "directly to you, and its credit is used by hand only"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="customers")
    # The number or code that files and people know the customer by, if any.
    number = LineField("customer number", max_length=50, blank=True)
    trading_name = LineField(max_length=255)
    legal_name = LineField(max_length=255, blank=True)
    tax_number = LineField("ABN, GST or VAT number", max_length=50, blank=True)
    email = AddressField(blank=True)
    phone = LineField(max_length=50, blank=True)
    street = LineField(max_length=250, blank=True)
    city = LineField(max_length=100, blank=True)
    region = LineField("state or region", max_length=100, blank=True)
    postcode = LineField(max_length=20, blank=True)
    country = models.CharField(max_length=2, choices=Country.choices, blank=True)
    terms_days = models.PositiveSmallIntegerField(
        "payment terms in days", default=14, validators=[MinValueValidator(0), MaxValueValidator(365)]
    )
    terms_from = models.CharField(max_length=8, choices=TermsFrom.choices, default=TermsFrom.ORDER)
    # Terms that somebody else keeps for it: while there are any they go before the two above, which stay as they are.
    followed_terms = models.CharField(max_length=13, choices=FollowedTerms.choices, blank=True, editable=False)
    followed_day = models.PositiveSmallIntegerField(default=0, editable=False)
    invoice_at = models.CharField(max_length=8, choices=InvoiceAt.choices, default=InvoiceAt.PLACING)
    pays = models.CharField("way of paying", max_length=6, choices=Pays.choices, default=Pays.HERE)
    price_list = models.ForeignKey(
        PriceList, on_delete=models.SET_NULL, null=True, blank=True, related_name="customers"
    )
    # On the base price of whatever has no own price for this customer; it comes before the price list.
    percent = PercentField("own percentage")
    percent_from = models.DateField("own percentage from", null=True, blank=True)
    percent_to = models.DateField("own percentage until", null=True, blank=True)
    freight_group = models.ForeignKey(
        FreightGroup, on_delete=models.SET_NULL, null=True, blank=True, related_name="customers"
    )
    active = models.BooleanField(default=True)
    note = LinesField(max_length=2000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["supplier", "number"], name="one_customer_a_number", condition=~models.Q(number="")
            ),
        ]
        indexes = [models.Index(fields=["supplier", "trading_name"], name="customer_by_name")]

    def __str__(self) -> str:
        return self.trading_name

    @property
    def pays_from_delivery(self) -> bool:
        """Whether its invoices fall due a number of days after the delivery."""
        return not self.followed_terms and self.terms_from == self.TermsFrom.DELIVERY


class OwnPrice(Dated):
    """What a product costs one customer, before any list; of those that count on a day the one that began last."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="own_prices")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="own_prices")
    price = PriceField(validators=[MinValueValidator(Decimal(0))])

    class Meta:
        constraints = one_price_a_beginning("customer", "own")
