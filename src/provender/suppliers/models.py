import uuid
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from provender.basics.texts import AddressField, LineField, LinesField


class Country(models.TextChoices):
    AU = "AU", "Australia"
    NZ = "NZ", "New Zealand"
    GB = "GB", "United Kingdom"


class TaxKind(models.TextChoices):
    """What a line is for the tax office; each maps to one of Xero's tax types (`sync`)."""

    GST = "gst", "GST"
    FREE = "free", "GST-free"


# What a new supplier starts with: currency, time zone, tax rate in percent, the country's word for the tax.
COUNTRY_DEFAULTS: dict[str, tuple[str, str, Decimal, str]] = {
    "AU": ("AUD", "Australia/Sydney", Decimal(10), "GST"),
    "NZ": ("NZD", "Pacific/Auckland", Decimal(15), "GST"),
    "GB": ("GBP", "Europe/London", Decimal(20), "VAT"),
}


class Supplier(models.Model):
    """A wholesaler that runs its order desk here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.CharField(
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9](-?[a-z0-9])*\Z", "Use small letters, digits and single hyphens.")],
    )
    name = LineField(max_length=200)
    legal_name = LineField(max_length=200, blank=True)
    tax_number = LineField("ABN, GST or VAT number", max_length=50, blank=True)
    address = LinesField(blank=True, max_length=500)
    email = AddressField(blank=True)
    phone = LineField(max_length=50, blank=True)
    payment_details = LinesField("how to pay", blank=True, max_length=500)
    country = models.CharField(max_length=2, choices=Country.choices)
    currency = models.CharField(max_length=3)
    time_zone = models.CharField(max_length=60)
    tax_rate = models.DecimalField(
        "tax rate in percent",
        max_digits=7,
        decimal_places=4,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
    )
    order_prefix = LineField(max_length=10, blank=True, default="SO-")
    invoice_prefix = LineField(max_length=10, blank=True, default="INV-")
    credit_note_prefix = LineField(max_length=10, blank=True, default="CN-")
    # What a freight or surcharge line is for the tax office when nobody says otherwise on the line.
    freight_tax_kind = models.CharField("tax on freight", max_length=4, choices=TaxKind.choices, default=TaxKind.GST)
    surcharge_tax_kind = models.CharField(
        "tax on surcharges", max_length=4, choices=TaxKind.choices, default=TaxKind.GST
    )
    # Whether credit notes are set against their invoice, and what is left of them against the next ones, by themselves.
    credits_apply = models.BooleanField("credit notes apply themselves", default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # Closed: nobody opens it, nothing is sent, all of it stays. Once its deletion has begun there is no way back.
    closed_at = models.DateTimeField(null=True, editable=False)
    deletion_began_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return self.name

    @property
    def tax_word(self) -> str:
        """What people in the supplier's country call the tax: GST or VAT."""
        return COUNTRY_DEFAULTS[self.country][3]

    def tax_rate_of(self, tax_kind: str) -> Decimal:
        """The rate in percent for a line of that kind."""
        return self.tax_rate if tax_kind == TaxKind.GST else Decimal(0)

    def tax_kind_label(self, tax_kind: str) -> str:
        """GST or GST-free, in the country's own word."""
        return self.tax_word if tax_kind == TaxKind.GST else f"{self.tax_word}-free"


class Counter(models.Model):
    """The next number of a kind of document. Numbers are given once and never again, also after a cancellation."""

    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="counters")
    kind = models.CharField(max_length=20)
    next = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "kind"], name="one_counter_a_kind")]
