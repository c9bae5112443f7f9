import uuid
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from provender.basics.money import ZERO, AmountField, show_amount
from provender.basics.texts import LineField
from provender.invoicing.models import CreditNote, Invoice
from provender.people.models import User
from provender.suppliers.models import Supplier

LARGEST_SURCHARGE = Decimal(20)  # percent; more is a slip of the finger


class Payout(models.Model):
    """Money that a payment provider sent to the bank in one go, for many payments. `net` is the line in the bank."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="payouts")
    provider = LineField(max_length=60)
    reference = LineField("settlement reference", max_length=100)
    date = models.DateField()
    currency = models.CharField(max_length=3)
    # Sums of its lines: gross - fee = net.
    gross = AmountField(default=ZERO)
    fee = AmountField(default=ZERO)
    net = AmountField(default=ZERO)
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    # Taken back: the whole deposit is to be deleted in Xero, and its payments count no more.
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-date", "reference"]
        constraints = [
            models.UniqueConstraint(
                fields=["supplier", "provider", "reference"], name="one_payout_a_reference", condition=Q(undone_at=None)
            )
        ]
        indexes = [models.Index(fields=["supplier", "-date"], name="payout_newest_first")]

    def __str__(self) -> str:
        return self.reference


class Payment(models.Model):
    """Money received for an invoice, or paid back for a credit note. One row for each, wherever it was made."""

    class Source(models.TextChoices):
        HERE = "here", "Recorded here"
        PAYOUT = "payout", "Payment provider"
        XERO = "xero", "Xero"

    class Method(models.TextChoices):
        TRANSFER = "transfer", "Bank transfer"
        CARD = "card", "Card"
        VISA = "visa", "Visa"
        MASTERCARD = "mastercard", "Mastercard"
        AMEX = "amex", "American Express"
        DIRECT_DEBIT = "direct-debit", "Direct debit"
        CASH = "cash", "Cash"
        OTHER = "other", "Other"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="payments")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="payments")
    credit_note = models.ForeignKey(
        CreditNote, on_delete=models.PROTECT, null=True, blank=True, related_name="refunds"
    )  # set: the money went back to the customer
    refund_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="refunded_by")
    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, null=True, blank=True, related_name="payments")
    date = models.DateField()
    amount = AmountField()
    # What of the amount is a surcharge, tax included, and the key of the invoice's line that it is.
    surcharge = AmountField(default=ZERO)
    surcharge_line = models.UUIDField(null=True, blank=True)
    source = models.CharField(max_length=6, choices=Source.choices, default=Source.HERE)
    method = models.CharField(max_length=12, choices=Method.choices, default=Method.TRANSFER)
    reference = LineField(max_length=200, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_why = LineField(max_length=200, blank=True)

    class Meta:
        ordering = ["-date", "-recorded_at"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_above_zero"),
            models.CheckConstraint(
                condition=Q(invoice=None, credit_note__isnull=False) | Q(invoice__isnull=False, credit_note=None),
                name="payment_of_one_document",
            ),
        ]
        indexes = [
            models.Index(fields=["supplier", "-date"], name="payment_newest_first"),
            models.Index(fields=["supplier", "reference"], name="payment_by_reference"),
            models.Index(fields=["supplier", "amount", "id"], name="payment_by_amount"),
            models.Index(fields=["supplier", "source", "-date"], name="payment_by_source"),
        ]

    def __str__(self) -> str:
        return f"{show_amount(self.amount)} on {self.date}"


class SurchargeRate(models.Model):
    """What paying by one method costs on top, in percent of what is paid. A method without a row costs nothing."""

    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="surcharge_rates")
    method = models.CharField(max_length=12, choices=Payment.Method.choices)
    percent = models.DecimalField(
        max_digits=6, decimal_places=4, validators=[MinValueValidator(Decimal(0)), MaxValueValidator(LARGEST_SURCHARGE)]
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "method"], name="one_surcharge_a_method")]


class Allocation(models.Model):
    """Part of a credit note set against an invoice.

    The credit may live in Xero alone: a credit note that was typed there, or what a customer had paid too much. It is
    no document of ours then, so it is known by its id and name there, and only what it settled is told here.
    """

    class Source(models.TextChoices):
        HERE = "here", "Made here"
        XERO = "xero", "Xero"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="allocations")
    credit_note = models.ForeignKey(
        CreditNote, on_delete=models.PROTECT, null=True, blank=True, related_name="allocations"
    )
    credit_in_xero = models.CharField(max_length=36, blank=True)
    name_in_xero = LineField(max_length=100, blank=True)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations")
    date = models.DateField()
    amount = AmountField()
    source = models.CharField(max_length=4, choices=Source.choices, default=Source.HERE)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_why = LineField(max_length=200, blank=True)

    class Meta:
        ordering = ["-date", "-made_at"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="allocation_above_zero"),
            models.CheckConstraint(
                condition=Q(credit_note=None) ^ Q(credit_in_xero=""), name="allocation_of_one_credit"
            ),
        ]

    @property
    def credit_name(self) -> str:
        """What the credit is called: "Credit note CN-7", or "Overpayment" in Xero."""
        return f"Credit note {self.credit_note.number}" if self.credit_note else self.name_in_xero


class PayoutLine(models.Model):
    """One line of a payout as the provider wrote it, and what becomes of it. gross - fee = net."""

    class Kind(models.TextChoices):
        PAYMENT = "payment", "Payment"
        REFUND = "refund", "Refund"
        FEE = "fee", "Fee"

    class Outcome(models.TextChoices):
        MATCHED = "matched", "Matched"
        PART = "part", "Part-matched"
        NONE = "none", "No match"
        DUPLICATE = "duplicate", "Duplicate"
        REFUND = "refund", "Refund"
        FEE = "fee", "Fee"
        IGNORED = "ignored", "Left for hand"

    payout = models.ForeignKey(Payout, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    line = models.PositiveIntegerField(null=True)  # of the file, header = 1; none: entered by hand
    kind = models.CharField(max_length=7, choices=Kind.choices)
    invoice_number = LineField(max_length=60, blank=True)
    payment_reference = LineField(max_length=200, blank=True)
    gross = AmountField()
    fee = AmountField(default=ZERO)
    net = AmountField()
    outcome = models.CharField(max_length=9, choices=Outcome.choices)
    why = LineField(max_length=300, blank=True)
    chosen = models.BooleanField(default=False)  # a person said what becomes of it; matching leaves it alone
    # What it pays, and how much of the gross: less than it only where a person said so.
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="payout_lines")
    amount = AmountField(default=ZERO)
    # Noted before the payout came, or else made when the payout was closed.
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="payout_lines")
    noted_before = models.BooleanField(default=False)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["payout", "position"], name="one_payout_line_a_position")]

    @property
    def is_settled(self) -> bool:
        """Whether it is known what becomes of it."""
        return self.outcome != self.Outcome.NONE


class PayoutLayout(models.Model):
    """How one provider's payout files are read, as a person said it last: field → column, and the date format."""

    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="payout_layouts")
    provider = LineField(max_length=60)
    mapping = models.JSONField(default=dict)
    date_format = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "provider"], name="one_layout_a_provider")]
